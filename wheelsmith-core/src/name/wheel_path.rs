//! Paths inside archives.

use std::fmt;
use std::str::FromStr;

use super::{ParseError, serde_by_text};

/// Relative path inside a wheel or a runtime directory: UTF-8, `/` between the parts on every host,
/// without empty parts, `.`, `..`, `\`, control characters and drive letters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WheelPath(String);

impl WheelPath {
    /// Returns the path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the last part.
    ///
    /// ```
    /// let path: wheelsmith_core::name::WheelPath = "demo/lib/libx.so.1".parse().unwrap();
    /// assert_eq!(path.file_name(), "libx.so.1");
    /// assert_eq!(path.parent(), Some("demo/lib"));
    /// ```
    pub fn file_name(&self) -> &str {
        self.0.rsplit_once('/').map_or(&self.0, |(_, name)| name)
    }

    /// Returns everything before the last part; `None` at the top level.
    pub fn parent(&self) -> Option<&str> {
        self.0.rsplit_once('/').map(|(parent, _)| parent)
    }

    /// Returns this path followed by the relative path `rest`.
    pub fn join(&self, rest: &str) -> Result<Self, ParseError> {
        format!("{}/{rest}", self.0).parse()
    }

    /// Returns the parts, from the top.
    pub fn parts(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }
}

impl AsRef<str> for WheelPath {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for WheelPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for WheelPath {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let part = |p: &str| !p.is_empty() && p != "." && p != "..";
        let drive = |p: &str| p.as_bytes().get(1) == Some(&b':');
        let odd = |c: char| c == '\\' || c.is_control();
        if !text.split('/').all(part) || drive(text) || text.contains(odd) {
            return Err(ParseError::new(
                text,
                "a relative path with `/` between its parts and no `..` (such as `demo/lib/libx.so`)",
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

/// Returns `path` in a form in which paths that some file system takes for one are equal.
#[cfg(any(feature = "wheel", feature = "check"))]
pub(crate) fn folded(path: &str) -> String {
    use unicode_normalization::UnicodeNormalization as _;
    if path.is_ascii() {
        return path.to_ascii_lowercase();
    }
    path.nfd().flat_map(char::to_lowercase).nfc().collect()
}

serde_by_text!(WheelPath);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_relative_paths_are_wheel_paths() {
        for good in ["a", "a/b.py", "a b/ü", "x.data/scripts/run", "..a/b..", "ab:c"] {
            assert_eq!(good.parse::<WheelPath>().unwrap().to_string(), good);
        }
        for bad in
            ["", "/a", "a/", "a//b", "./a", "a/../b", "..", "a\\b", "c:/x", "a\nb", "a\u{7f}"]
        {
            bad.parse::<WheelPath>().unwrap_err();
        }
    }
}
