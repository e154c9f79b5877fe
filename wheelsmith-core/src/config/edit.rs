//! Changes single values of a configuration file; comments and layout stay.

use std::ops::Range;

use super::diagnose::Locator;

/// New value of a key that has a string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    /// Key, such as `tool.wheelsmith.component[0].source.version`.
    pub(crate) key: String,
    /// New value.
    pub(crate) value: String,
    /// Word in a comment on the same line, and the word that replaces it.
    pub(crate) comment: Option<(String, String)>,
}

/// Returns `text` with the changes. Returns an error with the key that the file does not have, or
/// whose value is not a string.
pub(crate) fn change(file: &str, text: &str, changes: &[Change]) -> Result<String, String> {
    let locator = Locator::new(file, text);
    let mut edits: Vec<(Range<usize>, String)> = Vec::new();
    for Change { key, value, comment } in changes {
        let span = locator.string_at(key).ok_or_else(|| key.clone())?;
        let quote = if text[span.clone()].starts_with('\'') { '\'' } else { '"' };
        if let Some((old, new)) = comment
            && let Some(place) = word_in_comment(text, span.end, old)
        {
            edits.push((place, new.clone()));
        }
        edits.push((span, format!("{quote}{value}{quote}")));
    }
    edits.sort_by_key(|(span, _)| span.start);
    edits.dedup();
    let mut result = text.to_owned();
    for (span, value) in edits.iter().rev() {
        result.replace_range(span.clone(), value);
    }
    Ok(result)
}

/// Returns the place of `word` in the comment that ends the line after `start`.
fn word_in_comment(text: &str, start: usize, word: &str) -> Option<Range<usize>> {
    let line = text[start..].lines().next()?;
    let hash = line.find('#')?;
    let is_part = |c: char| c.is_alphanumeric() || "-_.".contains(c);
    line.match_indices(word).map(|(at, _)| at).filter(|at| *at > hash).find_map(|at| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        let is_whole = !before.is_some_and(is_part) && !after.is_some_and(is_part);
        is_whole.then(|| start + at..start + at + word.len())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_values_change() {
        let key = |key: &str, value: &str, comment: Option<(&str, &str)>| Change {
            key: format!("tool.wheelsmith.component[{key}"),
            value: value.to_owned(),
            comment: comment.map(|(old, new)| (old.to_owned(), new.to_owned())),
        };
        let check = |text: &str, changes: &[Change], expected: Result<&str, &str>| {
            let file = if text.contains("tool.") { "pyproject.toml" } else { "wheelsmith.toml" };
            let result = change(file, text, changes);
            assert_eq!(result.as_deref().map_err(String::as_str), expected);
        };
        let full = "# top\n[[tool.wheelsmith.component]]  # one\nname = 'a'\n\
                    source = { crate = \"x\",  version = \"1.0\" } # why 1.0\n\
                    [[tool.wheelsmith.component]]\nname = 'b'\n\
                    [tool.wheelsmith.component.source]\ngit = 'u'\nrev = 'aa' # at v1, not v1.1\n";
        let expected = full.replace("version = \"1.0\"", "version = \"2.0\"");
        let expected = expected.replace("rev = 'aa' # at v1,", "rev = 'bb' # at v2,");
        let changes =
            [key("1].source.rev", "bb", Some(("v1", "v2"))), key("0].source.version", "2.0", None)];
        check(full, &changes, Ok(&expected));
        check(full, &[key("0].source.rev", "x", None)], Err(&key("0].source.rev", "", None).key));
        check(full, &[key("0].source", "x", None)], Err(&key("0].source", "", None).key));
        let bare = "[[component]]\nsource.version = '1'\r\nsource.crate = 'x'\r\n";
        let expected = "[[component]]\nsource.version = '2'\r\nsource.crate = 'x'\r\n";
        check(bare, &[key("0].source.version", "2", None)], Ok(expected));
    }
}
