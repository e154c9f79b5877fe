//! Garbage collection: what no release, channel, pin or young reference keeps.

use std::collections::BTreeSet;

use serde::Serialize;

use super::engine::Entry;
use super::error::Error;
use super::key::Key;
use super::label::SetId;
use super::open::Store;
use super::reference::{self, ReleaseReference};
use crate::name::Digest;
use crate::sys;

const DAY_SECS: u64 = 24 * 3600;

/// Objects that nothing keeps, in the order in which they are deleted: references, sets, files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Garbage {
    /// Keys.
    pub keys: Vec<String>,
    /// Sum of their sizes.
    pub bytes: u64,
    /// Digest of the list.
    pub digest: Digest,
}

impl Store {
    /// Lists the objects that nothing keeps. Releases, channels, ledgers and pins keep their sets for
    /// ever; references for commits and inputs keep theirs for `keep_days` days. No set and no file
    /// that is younger than a day is listed. Ages are counted to the last midnight (UTC), so that the
    /// list stays the same while one day lasts and nothing is written.
    ///
    /// # Errors
    /// Returns an error if an object cannot be read: what a damaged one keeps is unknown.
    pub fn garbage(&self, keep_days: u64) -> Result<Garbage, Error> {
        let now = sys::now().unwrap_or_default() / DAY_SECS * DAY_SECS;
        let is_older = |entry: &Entry, days: u64| {
            // An object of unknown age is young.
            entry
                .modified
                .is_some_and(|then| then.saturating_add(days.saturating_mul(DAY_SECS)) < now)
        };
        let (mut sets, mut files) = (BTreeSet::new(), BTreeSet::new());
        let mut garbage: Vec<Entry> = Vec::new();
        let mut kept = self.keys(Key::PINS)?;
        for prefix in [Key::COMMITS, Key::INPUTS] {
            self.engine.list(prefix, &mut |entry| {
                if is_older(&entry, keep_days.max(1)) {
                    garbage.push(entry);
                } else {
                    kept.push(entry.key);
                }
                Ok(())
            })?;
        }
        garbage.sort();
        for reference in self.each(&kept, |key| self.reference(key))? {
            sets.extend(reference.map(|reference| reference.set));
        }
        for key in self.keys(Key::RELEASES)? {
            let release: Option<ReleaseReference> = self.read(&key, reference::MOST_BYTES)?;
            if let Some(release) = release {
                sets.insert(release.set);
                files.extend([release.plan, release.sums]);
            }
        }
        let (mut old, mut young) = (Vec::new(), Vec::new());
        self.engine.list(Key::SETS, &mut |entry| {
            match entry.key.digest().map(SetId) {
                // Names of no sets are faults for `verify`, and nothing to delete.
                None => {}
                Some(id) if !sets.contains(&id) && is_older(&entry, 1) => old.push(entry),
                Some(id) => young.push(id),
            }
            Ok(())
        })?;
        old.sort();
        garbage.extend(old);
        for digests in self.each(&young, |id| {
            let set = self.set(id)?;
            Ok(set.files.iter().map(|file| file.sha256).collect::<Vec<_>>())
        })? {
            files.extend(digests);
        }
        let mut old = Vec::new();
        self.engine.list(Key::BLOBS, &mut |entry| {
            let digest = entry.key.digest();
            if digest.is_some_and(|digest| !files.contains(&digest)) && is_older(&entry, 1) {
                old.push(entry);
            }
            Ok(())
        })?;
        old.sort();
        garbage.extend(old);
        let bytes = garbage.iter().map(|entry| entry.size_bytes).sum();
        let keys: Vec<String> = garbage.iter().map(|entry| entry.key.to_string()).collect();
        let digest = Digest::of(keys.join("\n"));
        Ok(Garbage { keys, bytes, digest })
    }

    /// Deletes the garbage, if its list has this digest. Returns what was deleted. No writer of a
    /// directory works at the same time; in a bucket, each object's age is checked again.
    ///
    /// # Errors
    /// Returns an error if the list is another one, and deletes nothing then; or if an object cannot
    /// be deleted.
    pub fn collect(&self, keep_days: u64, expected: &Digest) -> Result<Garbage, Error> {
        let _lock = self.engine.hold(true)?;
        let garbage = self.garbage(keep_days)?;
        if garbage.digest != *expected {
            return Err(Error::Garbage { given: *expected, now: garbage.digest });
        }
        let task = self.host.task("delete", garbage.keys.len() as u64);
        for text in &garbage.keys {
            if self.host.cancel.is_cancelled() {
                return Err(Error::Cancelled);
            }
            let Some(key) = Key::parse(text) else { continue };
            let now = sys::now().unwrap_or_default();
            let is_young = |entry: Entry| {
                entry.modified.is_none_or(|then| then.saturating_add(DAY_SECS) > now)
            };
            // A writer may have written it again since it was listed.
            if !self.engine.head(&key)?.is_none_or(is_young) {
                self.engine.delete(&key)?;
            }
            task.advance(1, "");
        }
        Ok(garbage)
    }
}
