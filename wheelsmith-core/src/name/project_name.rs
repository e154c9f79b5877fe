//! Names of Python projects.

use std::fmt;
use std::str::FromStr;

use super::{ParseError, serde_by_text};

/// Name of a Python project as its author writes it. Names are equal if their normalised forms are.
///
/// Source: names and normalisation specification (PEP 503, PEP 508).
#[derive(Debug, Clone)]
pub struct ProjectName(String);

impl ProjectName {
    /// Returns the name as the author wrote it, as in `METADATA`.
    pub fn as_written(&self) -> &str {
        &self.0
    }

    /// Returns the form that indexes use: lower case, with one `-` for each run of `-`, `_` and `.`.
    pub fn normalized(&self) -> String {
        let mut out = String::with_capacity(self.0.len());
        for c in self.0.chars() {
            match c {
                '-' | '_' | '.' if out.ends_with('-') => {}
                '-' | '_' | '.' => out.push('-'),
                c => out.push(c.to_ascii_lowercase()),
            }
        }
        out
    }

    /// Returns the form for file names and `.dist-info`: the normalised name with `_` for `-`.
    ///
    /// ```
    /// let name: wheelsmith_core::name::ProjectName = "Tiny.-Pkg".parse().unwrap();
    /// assert_eq!(name.escaped(), "tiny_pkg");
    /// ```
    pub fn escaped(&self) -> String {
        self.normalized().replace('-', "_")
    }
}

impl PartialEq for ProjectName {
    fn eq(&self, other: &Self) -> bool {
        self.normalized() == other.normalized()
    }
}

impl Eq for ProjectName {}

impl fmt::Display for ProjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ProjectName {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let inner = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        let edge = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphanumeric);
        let bytes = text.as_bytes();
        if edge(bytes.first()) && edge(bytes.last()) && bytes.iter().all(inner) {
            return Ok(Self(text.to_owned()));
        }
        Err(ParseError::new(
            text,
            "a project name (letters, digits, `-`, `_`, `.`; a letter or digit at both ends)",
        ))
    }
}

serde_by_text!(ProjectName);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_normalise() {
        let check = |text: &str, normalized: &str| {
            assert_eq!(text.parse::<ProjectName>().unwrap().normalized(), normalized);
        };
        check("tinybpf", "tinybpf");
        check("Tiny__BPF", "tiny-bpf");
        check("a.-_b", "a-b");
        for bad in ["", "-a", "a-", "a b", "ä", "a/b"] {
            bad.parse::<ProjectName>().unwrap_err();
        }
    }
}
