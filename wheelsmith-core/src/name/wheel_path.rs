//! Paths inside archives.

use std::fmt;
use std::str::FromStr;

use super::{ParseError, serde_by_text};

/// A relative path inside a wheel or a runtime directory: UTF-8, `/` between the parts on every
/// host, no empty part, no `.` or `..`, no `\`, no control character, no drive letter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WheelPath(String);

impl WheelPath {
    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last part.
    ///
    /// ```
    /// let path: wheelsmith_core::name::WheelPath = "demo/lib/libx.so.1".parse().unwrap();
    /// assert_eq!(path.file_name(), "libx.so.1");
    /// assert_eq!(path.parent(), Some("demo/lib"));
    /// ```
    pub fn file_name(&self) -> &str {
        self.0.rsplit_once('/').map_or(&self.0, |(_, name)| name)
    }

    /// Everything before the last part; none at the top level.
    pub fn parent(&self) -> Option<&str> {
        self.0.rsplit_once('/').map(|(parent, _)| parent)
    }

    /// This path with `rest` (itself relative) behind it.
    pub fn join(&self, rest: &str) -> Result<Self, ParseError> {
        format!("{}/{rest}", self.0).parse()
    }

    /// The parts from the top.
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

/// Characters that change the order in which text is shown, or that are not seen.
const BIDI: [char; 14] = [
    '\u{61c}', '\u{200e}', '\u{200f}', '\u{2028}', '\u{2029}', '\u{202a}', '\u{202b}', '\u{202c}',
    '\u{202d}', '\u{202e}', '\u{2066}', '\u{2067}', '\u{2068}', '\u{2069}',
];
/// Names of devices on Windows, with any extension.
const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "conin$", "conout$"];
/// Size of the longest file name on common file systems, in bytes.
const LONGEST_NAME: usize = 255;

/// Returns why some file system of Windows, macOS or Linux cannot hold `path`; `None` if each can.
///
/// ```
/// use wheelsmith_core::name::unportable;
/// assert_eq!(unportable("demo/auxiliary.py"), None);
/// assert!(unportable("demo/aux.py").is_some());
/// ```
pub fn unportable(path: &str) -> Option<String> {
    for part in path.split('/') {
        let shown = part.escape_debug();
        if part.len() > LONGEST_NAME {
            return Some(format!("`{shown}` has more than {LONGEST_NAME} bytes"));
        }
        if part.contains(|c: char| c.is_control()) {
            return Some(format!("`{shown}` has a control character"));
        }
        if part.contains(BIDI) {
            return Some(format!("`{shown}` has a character that changes the order of the others"));
        }
        if let Some(c) = part.chars().find(|c| "<>:\"|?*\\".contains(*c)) {
            return Some(format!("`{shown}` has `{c}`, which Windows does not allow"));
        }
        if part.ends_with(['.', ' ']) {
            return Some(format!("`{shown}` ends with a dot or space, which Windows removes"));
        }
        let stem = part.split('.').next().unwrap_or_default().trim_end().to_lowercase();
        let is_port = ["com", "lpt"].iter().any(|port| {
            let number = stem.strip_prefix(port).map(|rest| rest.chars().collect::<Vec<_>>());
            matches!(number.as_deref(), Some(['0'..='9' | '\u{b9}' | '\u{b2}' | '\u{b3}']))
        });
        if is_port || DEVICES.contains(&stem.as_str()) {
            return Some(format!("`{shown}` is a device on Windows"));
        }
    }
    None
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
    fn names_that_some_system_cannot_hold_are_told() {
        for good in ["demo/a.py", "demo/auxiliary.py", "com.py", "com10", "a.b/.c", "ü/x y", "lpt"]
        {
            assert_eq!(unportable(good), None, "{good}");
        }
        let long = "x".repeat(256);
        for bad in [
            "demo/aux.py",
            "NUL",
            "a/con/b",
            "com1.txt",
            "LPT9",
            "com\u{b9}",
            "conin$.x",
            "aux .py",
            "a./b",
            "a ",
            "a:b",
            "a*",
            "a?",
            "a|b",
            "<a",
            "a>",
            "\"a",
            "a\u{202e}b",
            "a\u{7}",
            &long,
        ] {
            assert!(unportable(bad).is_some(), "{bad}");
        }
    }

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
