//! Paths inside archives.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::{ParseError, serde_by_text};

/// Relative path inside a wheel or a runtime directory: UTF-8, `/` between the parts on every host,
/// without empty parts, `.`, `..`, `\`, control characters and drive letters. Clones share the text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WheelPath(Arc<str>);

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

/// Paths compare and hash as their text does.
impl std::borrow::Borrow<str> for WheelPath {
    fn borrow(&self) -> &str {
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
        Ok(Self(text.into()))
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

/// Finds pairs of different paths that a file system which ignores case and the form of letters
/// cannot store side by side: they are the same to it, or the first is a file and the second is
/// below it. Each path is the second of at most one pair.
#[cfg(any(feature = "wheel", feature = "check"))]
pub(crate) fn clashes<'a>(paths: &[(&'a WheelPath, bool)]) -> Vec<(&'a WheelPath, &'a WheelPath)> {
    // Keyed by hashes, because a hostile archive has many long names.
    let mut seen: std::collections::HashMap<u64, (&WheelPath, bool)> =
        std::collections::HashMap::new();
    let mut pairs = Vec::new();
    let mut open = Vec::new();
    for (path, is_dir) in paths {
        let own = folded(path.as_str());
        let key = hashes(&own).last().unwrap_or_default();
        match seen.insert(key, (path, *is_dir)) {
            Some((other, _)) if other != *path && folded(other.as_str()) == own => {
                pairs.push((other, *path));
            }
            // The folded text is not kept: a hostile archive has many paths.
            _ => open.push(*path),
        }
    }
    for path in open {
        let own = folded(path.as_str());
        let parents = own.match_indices('/').map(|(at, _)| &own[..at]);
        let clash = parents.zip(hashes(&own)).find_map(|(parent, key)| {
            let (other, is_dir) = *seen.get(&key)?;
            let is_exact = path
                .as_str()
                .strip_prefix(other.as_str())
                .is_some_and(|rest| rest.starts_with('/'));
            (!is_dir && !is_exact && folded(other.as_str()) == parent).then_some(other)
        });
        pairs.extend(clash.map(|other| (other, path)));
    }
    pairs
}

/// Returns the hash of each directory above a path, the highest first, and of the path itself.
#[cfg(any(feature = "wheel", feature = "check"))]
fn hashes(path: &str) -> impl Iterator<Item = u64> {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    path.split('/').map(move |part| {
        part.hash(&mut hasher);
        hasher.finish()
    })
}

serde_by_text!(WheelPath);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(any(feature = "wheel", feature = "check"))]
    fn paths_that_differ_in_case_or_form_clash() {
        let check = |paths: &[&str], expected: &[(&str, &str)]| {
            let all: Vec<(WheelPath, bool)> = paths
                .iter()
                .map(|path| (path.trim_end_matches('/').parse().unwrap(), path.ends_with('/')))
                .collect();
            let all: Vec<(&WheelPath, bool)> = all.iter().map(|(path, dir)| (path, *dir)).collect();
            let found = clashes(&all);
            let found: Vec<_> = found.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
            assert_eq!(found, expected, "{paths:?}");
        };
        check(&["a/b", "a/c", "b/a", "a/b/"], &[]);
        check(&["a/b", "a/B", "A/b"], &[("a/b", "a/B"), ("a/B", "A/b")]);
        check(&["a/\u{e9}", "a/e\u{301}"], &[("a/\u{e9}", "a/e\u{301}")]);
        // A file in the place of a directory; the same letters are another fault.
        check(&["a/B", "a/b/c/d"], &[("a/B", "a/b/c/d")]);
        check(&["a/b/c/d", "A"], &[("A", "a/b/c/d")]);
        check(&["a/b", "a/b/c"], &[]);
        // Directories whose names clash are one directory.
        check(&["A/", "a/b"], &[]);
        check(&["A/", "a/"], &[("A", "a")]);
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
