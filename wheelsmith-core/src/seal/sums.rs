//! `SHA256SUMS`, in the form of `sha256sum`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use super::Error;
use super::names::{GPG, MINISIGN, SSH, STATEMENT, SUMS};
use crate::name::Digest;
use crate::sys::{self, Host};

/// Ending of a file with the digest of one file.
const SINGLE: &str = ".sha256";
/// Largest list that is read, in bytes.
pub(super) const LARGEST: u64 = 16 << 20;

/// Digests of the files of a directory, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sums(BTreeMap<String, Digest>);

/// Entry of a directory that [`Sums`] cannot name.
pub(super) struct OtherEntry {
    pub(super) name: String,
    pub(super) problem: &'static str,
}

impl Sums {
    /// Parses a list: a digest, two spaces (or a space and `*`), and a file name on each line.
    ///
    /// # Errors
    /// Returns the first line that is not in this form, names a file outside the directory, or
    /// names a file again.
    ///
    /// ```
    /// # use wheelsmith_core::seal::Sums;
    /// let line = format!("{}  a.whl\n", "0".repeat(64));
    /// assert_eq!(Sums::parse(line.as_bytes()).unwrap().render(), line);
    /// assert!(Sums::parse(line.replace("a.whl", "../a").as_bytes()).is_err());
    /// ```
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
        let mut sums = BTreeMap::new();
        for (at, line) in text.lines().enumerate() {
            let bad = |problem: &str| format!("line {}: {problem}", at + 1);
            let row = line.split_at_checked(64).and_then(|(digest, rest)| {
                let name = rest.strip_prefix("  ").or_else(|| rest.strip_prefix(" *"))?;
                Some((digest.parse().ok()?, name))
            });
            let (digest, name) = row.ok_or_else(|| bad("it is not `<sha256>  <file>`"))?;
            if !is_plain(name) {
                return Err(bad("its file name is not that of a file in this directory"));
            }
            if sums.insert(name.to_owned(), digest).is_some() {
                return Err(bad("it names a file that an earlier line names"));
            }
        }
        if sums.is_empty() { Err("it names no file".to_owned()) } else { Ok(Self(sums)) }
    }

    /// Computes the digests of the files in `dir`.
    ///
    /// # Errors
    /// Returns an error if a file cannot be read, and for entries that are not plain files.
    pub fn of_dir(dir: &Path, host: &Host) -> Result<Self, Error> {
        Self::compare_dir(dir, None, host)
    }

    /// Computes the digests of the files in `dir` for a comparison with `list`.
    pub(super) fn compare_dir(dir: &Path, list: Option<&Self>, host: &Host) -> Result<Self, Error> {
        let (sums, others) = Self::read_dir(dir, list, host)?;
        if let Some(OtherEntry { name, problem }) = others.into_iter().next() {
            return Err(Error::Entry { path: dir.join(name), problem });
        }
        if sums.0.is_empty() { Err(Error::Empty(dir.to_owned())) } else { Ok(sums) }
    }

    /// Computes the digests of the files in `dir`, and returns the entries that are not plain files.
    /// A file that `list` names is never left out, and one beside a file is left out only if the list
    /// has that file.
    pub(super) fn read_dir(
        dir: &Path,
        list: Option<&Self>,
        host: &Host,
    ) -> Result<(Self, Vec<OtherEntry>), Error> {
        let (mut files, mut others) = (Vec::new(), Vec::new());
        for path in sys::fs::list(dir).map_err(|e| Error::read(dir, e))? {
            let kind = sys::fs::symlink_metadata(&path).map_err(|e| Error::read(&path, e))?;
            let name = path.file_name().unwrap_or_default();
            let problem = match name.to_str() {
                Some(name) if !is_plain(name) => Some("has an unusual name"),
                None => Some("has a name that is not UTF-8"),
                _ if kind.is_dir() => Some("is a directory"),
                _ if !kind.is_file() => Some("is a link or a device"),
                _ => None,
            };
            let name = name.to_string_lossy().into_owned();
            match problem {
                Some(problem) => others.push(OtherEntry { name, problem }),
                None => files.push((name, path)),
            }
        }
        // Without a list, the files so far, which come before those beside them.
        let mut kept = BTreeSet::new();
        files.retain(|(name, _)| {
            let has = |of: &str| list.map_or(kept.contains(of), |list| list.get(of).is_some());
            let is_named = list.is_some_and(|list| list.get(name).is_some());
            let is_single = name.strip_suffix(SINGLE).is_some_and(has);
            let is_bundle = bundle_of(name).is_some_and(|of| of == SUMS || has(of));
            let is_kept = is_named || !is_about_list(name) && !is_single && !is_bundle;
            if is_kept {
                kept.insert(name.clone());
            }
            is_kept
        });
        let digests = host.jobs.map(&host.cancel, &files, |(name, path)| {
            let (digest, _) = sys::fs::digest(path).map_err(|e| Error::read(path, e))?;
            Ok((name.clone(), digest))
        });
        let digests: Option<Vec<_>> = digests.into_iter().collect();
        let sums = digests.ok_or(Error::Cancelled)?.into_iter().collect::<Result<_, Error>>()?;
        Ok((Self(sums), others))
    }

    /// Returns the list in the order of bytes.
    pub fn render(&self) -> String {
        let mut text = String::new();
        for (name, digest) in &self.0 {
            let _ = writeln!(text, "{digest}  {name}");
        }
        text
    }

    /// Writes `SHA256SUMS`; with `each`, also a file `NAME.sha256` beside each file. Returns true if
    /// a file changed.
    ///
    /// # Errors
    /// Returns an error if a file cannot be written.
    pub fn write(&self, dir: &Path, each: bool) -> Result<bool, Error> {
        let write = |name: &str, text: &str| {
            let path = dir.join(name);
            sys::fs::write_atomic(&path, text.as_bytes()).map_err(|e| Error::write(path, e))
        };
        let mut changed = write(SUMS, &self.render())?;
        for (name, digest) in self.0.iter().filter(|_| each) {
            changed |= write(&format!("{name}{SINGLE}"), &format!("{digest}  {name}\n"))?;
        }
        Ok(changed)
    }

    /// Returns the digest of a file.
    pub fn get(&self, name: &str) -> Option<Digest> {
        self.0.get(name).copied()
    }

    /// Returns names and digests, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Digest)> {
        self.0.iter().map(|(name, digest)| (name.as_str(), *digest))
    }

    /// Returns the name of the file with the digest of `name` alone.
    pub(super) fn single(name: &str) -> String {
        format!("{name}{SINGLE}")
    }
}

impl FromIterator<(String, Digest)> for Sums {
    fn from_iter<I: IntoIterator<Item = (String, Digest)>>(rows: I) -> Self {
        Self(rows.into_iter().collect())
    }
}

/// True if `name` is one part of a path that `sha256sum` writes without escapes.
fn is_plain(name: &str) -> bool {
    let has_odd = name.chars().any(|c| c.is_control() || "/\\".contains(c));
    !has_odd && !["", ".", ".."].contains(&name) && !name.starts_with([' ', '-'])
}

/// True for the list and its signatures.
fn is_about_list(name: &str) -> bool {
    let ending = name.strip_prefix(SUMS);
    ending.is_some_and(|ending| ["", MINISIGN, GPG, SSH, STATEMENT].contains(&ending))
}

/// Returns the file that a bundle of sigstore with this name is about.
pub(super) fn bundle_of(name: &str) -> Option<&str> {
    name.strip_suffix(".sigstore.json").or_else(|| name.strip_suffix(".sigstore"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_other_shapes_are_refused() {
        let digest = "0".repeat(64);
        let check = |text: &str, expected: &str| {
            let text = text.replace('#', &digest);
            let problem = Sums::parse(text.as_bytes()).unwrap_err();
            assert!(problem.contains(expected), "{text}: {problem}");
        };
        check("", "names no file");
        check("# a\n", "`<sha256>  <file>`");
        check("#  a\n\n", "line 2");
        check("0#  a\n", "`<sha256>  <file>`");
        check("#  a\n# *a\n", "an earlier line");
        for name in ["../a", "/a", "a/b", "a\\b", "..", "-a", " a", "\u{1b}a"] {
            check(&format!("#  {name}\n"), "file name");
        }
    }
}
