//! Names of views.

use std::fmt;
use std::str::FromStr;

use crate::name::ParseError;

/// Name of a view: one of several indexes over the same store. Empty for the main index, else such
/// as `commit/1f3e5d`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct View(String);

impl View {
    /// Names that every site uses for other files.
    const TAKEN: [&str; 3] = ["simple", "files", "latest"];

    /// `commit/1f3e5d`; empty for the main index.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// True for the main index.
    pub fn is_main(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the view that is a copy of the one behind `latest`.
    pub(super) fn latest() -> Self {
        Self("latest".to_owned())
    }

    /// Returns the number of directories above its list of projects in the site.
    pub(super) fn depth(&self) -> usize {
        self.0.split('/').filter(|part| !part.is_empty()).count()
    }
}

impl fmt::Display for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_main() { "main" } else { &self.0 })
    }
}

impl FromStr for View {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        if text == "main" {
            return Ok(Self::default());
        }
        let byte = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
        let part = |part: &str| {
            part.starts_with(|c: char| c.is_ascii_alphanumeric()) && part.bytes().all(byte)
        };
        let parts: Vec<&str> = text.split('/').collect();
        let is_free = parts.iter().all(|part| !Self::TAKEN.contains(part));
        if text.len() <= 200 && parts.len() <= 4 && is_free && parts.iter().all(|p| part(p)) {
            return Ok(Self(text.to_owned()));
        }
        Err(ParseError::new(
            text,
            "a view: `main`, or up to four parts such as `commit/1f3e5d`, none of them `simple`, \
             `files` or `latest`",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_are_plain_paths() {
        for (text, depth) in [("main", 0), ("pre", 1), ("commit/1f3e5d", 2), ("a/b/c/d", 4)] {
            let view: View = text.parse().unwrap();
            assert_eq!((view.to_string().as_str(), view.depth()), (text, depth));
        }
        for bad in
            ["", "/a", "a/", "a//b", "../a", "a/.b", "latest", "a/simple", "a b", "a/b/c/d/e"]
        {
            bad.parse::<View>().unwrap_err();
        }
    }
}
