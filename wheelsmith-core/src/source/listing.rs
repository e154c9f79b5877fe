//! Listing of an unpacked source: proves that the directory still holds what its archive holds.
//!
//! Sources are compiled from where they were unpacked, in some earlier run. The lock pins the
//! archive, so a file that somebody changed there must not be compiled in its name.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::name::Digest;
use crate::sys::FileState;
use crate::sys::fs::{self, Node};

/// Entries of a directory by relative path.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Listing(BTreeMap<String, Entry>);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Entry {
    Dir,
    Link(String),
    File {
        sha256: Digest,
        executable: bool,
        /// State of the file when its digest was taken: while it is the same, the file is not read
        /// again.
        state: FileState,
    },
}

impl Listing {
    /// Lists what is below `root`.
    pub(super) fn of(root: &Path) -> io::Result<Self> {
        Self::of_changed(root, None)
    }

    /// As [`Listing::of`]; digests of files that are unchanged since `known` are taken from there.
    fn of_changed(root: &Path, known: Option<&Self>) -> io::Result<Self> {
        let mut entries = BTreeMap::new();
        for (walked, node) in fs::tree(root, &|_| false)? {
            let known = known.and_then(|known| known.0.get(&walked.relative));
            let entry = match node {
                Node::Dir => Entry::Dir,
                Node::Link(to) => Entry::Link(to.to_string_lossy().into_owned()),
                Node::File { executable } => {
                    let state = FileState::of(&walked.path)?;
                    let sha256 = match known {
                        Some(Entry::File { sha256, state: before, .. }) if *before == state => {
                            *sha256
                        }
                        _ => fs::digest(&walked.path)?.0,
                    };
                    Entry::File { sha256, executable, state }
                }
            };
            entries.insert(walked.relative, entry);
        }
        Ok(Self(entries))
    }

    /// Writes the listing to `path`.
    pub(super) fn save(&self, path: &Path) -> io::Result<()> {
        let text = serde_json::to_vec(self).map_err(io::Error::other)?;
        fs::write_whole(path, &[&text])
    }

    /// Compares `root` with the listing at `path`. Returns the first difference in words, `None` if
    /// there is none. A `Cargo.lock` that cargo added is not a difference.
    pub(super) fn difference(root: &Path, path: &Path) -> Option<String> {
        let read = || serde_json::from_slice::<Self>(&fs::read(path).ok()?).ok();
        let Some(listing) = read() else { return Some("it has no listing".to_owned()) };
        let now = match Self::of_changed(root, Some(&listing)) {
            Ok(now) => now,
            Err(error) => return Some(error.to_string()),
        };
        for (name, entry) in &listing.0 {
            match now.0.get(name) {
                None => return Some(format!("`{}` is missing", name.escape_debug())),
                Some(there) if !entry.is_like(there) => {
                    return Some(format!("`{}` differs", name.escape_debug()));
                }
                Some(_) => {}
            }
        }
        let is_lock = |name: &str| name == "Cargo.lock" || name.ends_with("/Cargo.lock");
        let added = now.0.keys().find(|name| !listing.0.contains_key(*name) && !is_lock(name));
        if let Some(name) = added {
            return Some(format!("`{}` was added", name.escape_debug()));
        }
        if now != listing {
            // The same content at another time or place, such as a restored cache.
            let _ = now.save(path);
        }
        None
    }
}

impl Entry {
    /// Returns true if both stand for the same content.
    fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::File { sha256: a, executable: x, .. },
                Self::File { sha256: b, executable: y, .. },
            ) => a == b && x == y,
            _ => self == other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(unix)]
    fn every_change_of_an_unpacked_source_is_found() {
        let check = |change: &dyn Fn(&Path) -> io::Result<()>, expected: Option<&str>| {
            let dir = fs::temp_dir().unwrap();
            let (root, listing) = (dir.path().join("src"), dir.path().join("src.json"));
            fs::write_atomic(&root.join("a.c"), b"one").unwrap();
            fs::write_atomic(&root.join("d/b.h"), b"two").unwrap();
            fs::symlink("a.c", &root.join("l.c")).unwrap();
            Listing::of(&root).unwrap().save(&listing).unwrap();
            assert_eq!(Listing::difference(&root, &listing), None);
            change(&root).unwrap();
            assert_eq!(Listing::difference(&root, &listing).as_deref(), expected);
        };
        check(&|_| Ok(()), None);
        check(&|root| fs::write(root.join("a.c"), b"ONE"), Some("`a.c` is another"));
        check(
            &|root| {
                // Of the same size and time.
                let time = fs::metadata(root.join("a.c"))?.modified()?;
                fs::write(root.join("a.c"), b"ONE")?;
                fs_err::OpenOptions::new()
                    .write(true)
                    .open(root.join("a.c"))?
                    .file()
                    .set_modified(time)
            },
            Some("`a.c` is another"),
        );
        check(&|root| fs::write(root.join("d/new.c"), b""), Some("`d/new.c` was added"));
        check(&|root| fs::write(root.join("Cargo.lock"), b""), None);
        check(&|root| fs::remove_file(root.join("d/b.h")), Some("`d/b.h` is missing"));
        check(&|root| fs::set_executable(&root.join("a.c"), true), Some("`a.c` is another"));
        check(
            &|root| {
                fs::remove_file(root.join("l.c"))?;
                fs::symlink("d/b.h", &root.join("l.c"))
            },
            Some("`l.c` is another"),
        );
        check(&|root| fs::remove_file(root.with_extension("json")), Some("it has no listing"));
        check(
            &|root| {
                // A copy of the same content.
                fs::write(root.join("copy"), b"one")?;
                fs::rename(root.join("copy"), root.join("a.c"))
            },
            None,
        );
    }
}
