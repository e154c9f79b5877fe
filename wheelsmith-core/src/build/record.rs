//! What a result was made from, so that it is made again only when that changed.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde::{Deserialize, Serialize};

use crate::name::Digest;
use crate::sys;

/// Digests of files, each read once in a run.
#[derive(Debug, Default)]
pub struct Hashes(Mutex<HashMap<PathBuf, Option<Digest>>>);

impl Hashes {
    /// The digest of the file at `path`; nothing when it cannot be read.
    pub fn of(&self, path: &Path) -> Option<Digest> {
        let known = |map: &HashMap<PathBuf, Option<Digest>>| map.get(path).copied();
        if let Some(digest) = known(&self.lock()) {
            return digest;
        }
        let digest = sys::fs::digest(path).ok().map(|(digest, _)| digest);
        self.lock().insert(path.to_owned(), digest);
        digest
    }

    /// Forgets a file that was just written.
    pub fn forget(&self, path: &Path) {
        self.lock().remove(path);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<PathBuf, Option<Digest>>> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// What a result was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    /// How it was made: the arguments, the toolchain, what it links to.
    how: Digest,
    /// The files that were read.
    inputs: BTreeMap<PathBuf, Digest>,
    /// The result.
    output: Digest,
}

impl Record {
    /// Describes `output`, made as `how` says from `inputs`. Nothing when a file cannot be read:
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

    /// The record at `path`, if `output` is still what would be made as `how` says.
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

    /// The files that the record at `path` names; none when there is no such record.
    pub(super) fn inputs(path: &Path) -> Vec<PathBuf> {
        let read = || serde_json::from_slice::<Self>(&sys::fs::read(path).ok()?).ok();
        read().map(|record| record.inputs.into_keys().collect()).unwrap_or_default()
    }

    /// Writes the record to `path`.
    pub(super) fn save(&self, path: &Path) -> io::Result<()> {
        let text = serde_json::to_vec(self).map_err(io::Error::other)?;
        sys::fs::write_atomic(path, &text).map(drop)
    }

    /// The digest of the result.
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
}
