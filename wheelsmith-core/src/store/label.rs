//! Names in a store: single parts of keys, commits, and sets.

use std::fmt;
use std::str::FromStr;

use crate::name::{Digest, NameProblem, ParseError, Target, portability_problem, serde_by_text};

/// Version of the format of every JSON object of a store. Readers refuse others.
pub const SCHEMA: u32 = 1;

/// One part of a key: the name or version of a project, a target, the name of a channel. At most 200
/// bytes, without `/` and control characters, and not beginning with a dot.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label(String);

impl Label {
    /// Longest label in bytes. Names of files have at most 255, and an ending is added.
    const LONGEST: usize = 200;

    /// Returns the label `any`, the slot of files for every target.
    pub fn any() -> Self {
        Self("any".to_owned())
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The slot of a target: its triple, as in the manifest of a runtime.
impl From<Target> for Label {
    fn from(target: Target) -> Self {
        Self(target.triple().to_owned())
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Label {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let has_bad = text.contains(['/', '\\']) || text.chars().any(char::is_control);
        // A version may contain `!`, which only Windows shells treat specially.
        let problem = portability_problem(text);
        let is_bad = problem.is_some_and(|problem| !matches!(problem, NameProblem::EndsWith('.')));
        if text.is_empty()
            || text.len() > Self::LONGEST
            || text.starts_with('.')
            || text.ends_with('.')
            || has_bad
            || is_bad
        {
            return Err(ParseError::new(
                text,
                "a name for a store (such as `boxlike` or `1.0.0`): at most 200 bytes that every \
                 file system can hold, without `/` and a leading dot",
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

serde_by_text!(Label);

/// Full identifier of a commit: 40 or 64 lower-case hex digits. Shorter ones are ambiguous.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommitId(String);

impl CommitId {
    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for CommitId {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if !matches!(text.len(), 40 | 64) || !text.bytes().all(is_hex) {
            return Err(ParseError::new(
                text,
                "a full commit id (40 or 64 lower-case hex digits, as `git rev-parse HEAD` prints)",
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

serde_by_text!(CommitId);

/// Name of a set: `sha256:` and the digest of its manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SetId(pub Digest);

impl fmt::Display for SetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.0)
    }
}

impl FromStr for SetId {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let digest = text.strip_prefix("sha256:").and_then(|hex| hex.parse().ok());
        digest
            .map(Self)
            .ok_or_else(|| ParseError::new(text, "the name of a set (`sha256:` and 64 hex digits)"))
    }
}

serde_by_text!(SetId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_some_system_cannot_hold_are_refused() {
        for good in
            ["boxlike", "1.0.0+git.abc", "a b", "é", "x86_64-unknown-linux-gnu.2.28", "1!2.0"]
        {
            assert_eq!(good.parse::<Label>().unwrap().to_string(), good);
        }
        let long = "a".repeat(201);
        for bad in ["", ".", "..", ".a", "a.", "a/b", "a\\b", "a\nb", "a ", "con", "a:b", &long] {
            assert!(bad.parse::<Label>().is_err(), "{bad}");
        }
    }

    #[test]
    fn only_full_commits_are_commits() {
        let full = "0123456789abcdef0123456789abcdef01234567";
        assert_eq!(full.parse::<CommitId>().unwrap().as_str(), full);
        for bad in ["", "0123456", &full.to_uppercase(), &full[1..], "HEAD"] {
            assert!(bad.parse::<CommitId>().is_err(), "{bad}");
        }
        let set = SetId(Digest::of("x"));
        assert_eq!(set.to_string().parse::<SetId>().unwrap(), set);
        assert!(Digest::of("x").to_string().parse::<SetId>().is_err());
    }
}
