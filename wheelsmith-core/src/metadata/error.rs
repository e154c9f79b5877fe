//! Errors of values of a `[project]` table that metadata cannot contain.

/// Value of the `[project]` table that metadata cannot contain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{key}` {problem}")]
#[non_exhaustive]
pub struct Error {
    /// Key from the top of the file, such as `project.license`.
    pub key: String,
    /// Predicate of a sentence whose subject is the key.
    pub problem: String,
    /// Remedy, if known.
    pub hint: Option<&'static str>,
}

/// Returns an error about `key`.
pub(super) fn problem(key: impl Into<String>, words: impl Into<String>) -> Error {
    Error { key: key.into(), problem: words.into(), hint: None }
}

/// Returns an error about `key` with advice.
pub(super) fn problem_with_hint(key: &str, words: impl Into<String>, hint: &'static str) -> Error {
    Error { key: key.to_owned(), problem: words.into(), hint: Some(hint) }
}

/// Returns `text` without surrounding white space, or an error if it is empty or cannot be written
/// as one line.
pub(super) fn one_line(key: &str, text: &str) -> Result<String, Error> {
    let text = text.trim();
    if text.is_empty() {
        return Err(problem(key, "is empty"));
    }
    if text.contains(char::is_control) {
        return Err(problem(key, "has a line break or another control character in it"));
    }
    Ok(text.to_owned())
}
