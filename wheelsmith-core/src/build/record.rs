//! Records of inputs: a result is made again only if one of them changed.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde::{Deserialize, Serialize};

use crate::name::Digest;
use crate::sys::{self, FileState};

/// Digests of files, each read once in a run.
#[derive(Debug, Default)]
pub struct Hashes(Mutex<HashMap<PathBuf, KnownFile>>);

/// Digest and state of a file.
#[derive(Debug, Clone, Copy)]
struct KnownFile {
    /// `None` if it could not be read.
    digest: Option<Digest>,
    /// State before it was read; `None` if it did not exist.
    state: Option<FileState>,
}

impl Hashes {
    /// Returns the digest of the file at `path`; `None` if it cannot be read.
    pub fn of(&self, path: &Path) -> Option<Digest> {
        if let Some(known) = self.known(path) {
            return known.digest;
        }
        // Before the file is read, so that a write meanwhile changes it.
        let state = FileState::of(path).ok();
        let digest = sys::fs::digest(path).ok().map(|(digest, _)| digest);
        self.lock().insert(path.to_owned(), KnownFile { digest, state });
        digest
    }

    /// Returns true if no file changed since its digest was taken; a file whose digest was not taken
    /// must not have changed since `since`. The digests of changed files are forgotten.
    pub(super) fn unchanged<'p>(
        &self,
        paths: impl IntoIterator<Item = &'p Path>,
        since: &FileState,
    ) -> bool {
        let mut all = true;
        for path in paths {
            let now = FileState::of(path).ok();
            let unchanged = match self.known(path) {
                Some(known) => known.state == now,
                None => now.is_none_or(|now| !now.is_after(since)),
            };
            if !unchanged {
                self.forget(path);
                all = false;
            }
        }
        all
    }

    /// Forgets the digest of a file, which was just written.
    pub fn forget(&self, path: &Path) {
        self.lock().remove(path);
    }

    fn known(&self, path: &Path) -> Option<KnownFile> {
        self.lock().get(path).copied()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<PathBuf, KnownFile>> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Most attempts to make a result if its inputs change meanwhile.
pub(super) const ATTEMPTS: usize = 3;

/// Inputs of a result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    /// Digest of arguments, toolchain and linked libraries.
    how: Digest,
    /// Digests of the files that were read.
    inputs: BTreeMap<PathBuf, Digest>,
    /// Digest of the result.
    output: Digest,
}

impl Record {
    /// Describes `output`, made as `how` says from `inputs`. Returns `None` if a file cannot be read;
    /// then the result is made again next time.
    pub(super) fn new(
        how: Digest,
        inputs: impl IntoIterator<Item = PathBuf>,
        output: &Path,
        hashes: &Hashes,
    ) -> Option<Self> {
        hashes.forget(output);
        let digests = inputs.into_iter().map(|path| {
            let digest = hashes.of(&path)?;
            Some((path, digest))
        });
        Some(Self { how, inputs: digests.collect::<Option<_>>()?, output: hashes.of(output)? })
    }

    /// Returns the record at `path` if `output` is current: made as `how` says, of unchanged
    /// inputs, and unchanged itself.
    pub(super) fn current(
        path: &Path,
        how: Digest,
        output: &Path,
        hashes: &Hashes,
    ) -> Option<Self> {
        let record: Self = serde_json::from_slice(&sys::fs::read(path).ok()?).ok()?;
        let unchanged =
            |(path, digest): (&PathBuf, &Digest)| hashes.of(path).as_ref() == Some(digest);
        let is_current = record.how == how
            && record.inputs.iter().all(unchanged)
            && hashes.of(output) == Some(record.output);
        is_current.then_some(record)
    }

    /// Returns the inputs in the record at `path`; none if there is no record.
    pub(super) fn inputs(path: &Path) -> Vec<PathBuf> {
        let read = || serde_json::from_slice::<Self>(&sys::fs::read(path).ok()?).ok();
        read().map(|record| record.inputs.into_keys().collect()).unwrap_or_default()
    }

    /// Writes the record to `path`.
    pub(super) fn save(&self, path: &Path) -> io::Result<()> {
        let text = serde_json::to_vec(self).map_err(io::Error::other)?;
        sys::fs::write_atomic(path, &text).map(drop)
    }

    /// Returns the digest of the result.
    pub(super) fn output(&self) -> Digest {
        self.output
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_current_until_something_changes() {
        let dir = sys::fs::temp_dir().unwrap();
        let path = |name: &str| dir.path().join(name);
        let write = |name: &str, text: &str| {
            sys::fs::write_atomic(&path(name), text.as_bytes()).unwrap();
        };
        write("a.c", "1");
        write("a.h", "1");
        write("a.o", "object");
        let how = Digest::of("cc -c");
        let inputs = [path("a.c"), path("a.h")];
        let record = Record::new(how, inputs, &path("a.o"), &Hashes::default()).unwrap();
        record.save(&path("a.json")).unwrap();
        let current =
            |how| Record::current(&path("a.json"), how, &path("a.o"), &Hashes::default()).is_some();
        assert!(current(how));
        assert!(!current(Digest::of("cc -c -DX")));
        for (name, other, same) in [("a.h", "2", "1"), ("a.o", "damaged", "object")] {
            write(name, other);
            assert!(!current(how), "{name}");
            write(name, same);
            assert!(current(how), "{name}");
        }
        sys::fs::remove_file(path("a.h")).unwrap();
        assert!(!current(how));
    }

    #[test]
    fn a_file_that_changes_meanwhile_is_noticed() {
        let dir = sys::fs::temp_dir().unwrap();
        let path = |name: &str| dir.path().join(name);
        let write = |name: &str, text: &str| {
            std::thread::sleep(std::time::Duration::from_millis(30));
            sys::fs::write(path(name), text).unwrap();
        };
        for name in ["a.c", "a.h", "late.h"] {
            write(name, "1");
        }
        let hashes = Hashes::default();
        let all = [path("a.c"), path("a.h"), path("late.h")];
        let check = |change: &dyn Fn(), expected: bool| {
            hashes.of(&path("a.c"));
            hashes.of(&path("a.h"));
            write("begun", "");
            let since = FileState::of(&path("begun")).unwrap();
            change();
            let paths = all.iter().map(PathBuf::as_path);
            assert_eq!(hashes.unchanged(paths, &since), expected);
        };
        check(&|| (), true);
        check(&|| write("a.c", "2"), false);
        check(&|| write("late.h", "2"), false);
        check(&|| (), true);
        // By another file of the same time and size.
        check(
            &|| {
                write("new", "3");
                let time = sys::fs::metadata(path("a.h")).unwrap().modified().unwrap();
                let file = sys::fs::open(&path("new")).unwrap();
                file.set_modified(time).unwrap();
                sys::fs::rename(path("new"), path("a.h")).unwrap();
            },
            false,
        );
        check(&|| sys::fs::remove_file(path("a.c")).unwrap(), false);
        assert_eq!(hashes.of(&path("a.c")), None);
    }
}
