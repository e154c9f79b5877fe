//! Verifies a store: every reference, set and file.

use std::collections::BTreeMap;

use serde::Serialize;

use super::error::Error;
use super::key::Key;
use super::label::SetId;
use super::open::Store;
use super::reference::{self, Reference, ReleaseReference};
use super::set::{self, Set};

/// Result of a verification.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Verified {
    /// Number of references and releases.
    pub references: u64,
    /// Number of sets.
    pub sets: u64,
    /// Number of files.
    pub files: u64,
    /// Sum of the sizes of the files.
    pub bytes: u64,
    /// Faults, sorted by key.
    pub faults: Vec<StoreFault>,
}

/// Object that is damaged, or refers to an absent one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct StoreFault {
    /// Key.
    pub key: String,
    /// Description of the problem.
    pub problem: String,
}

impl Store {
    /// Reads everything that the store has, and compares it with its names. With `quick`, files are
    /// not read, only their sizes are compared.
    ///
    /// # Errors
    /// Returns an error if the store cannot be listed or read; a damaged object is a fault.
    pub fn verify(&self, quick: bool) -> Result<Verified, Error> {
        let mut found = Verified::default();
        let mut blobs = BTreeMap::new();
        self.engine.list(Key::BLOBS, &mut |entry| {
            match entry.key.digest().filter(|digest| Key::blob(digest) == entry.key) {
                Some(digest) => drop(blobs.insert(digest, entry.size_bytes)),
                None => found.fault(&entry.key, "its name is not that of a file of a store"),
            }
            Ok(())
        })?;
        found.files = blobs.len() as u64;
        found.bytes = blobs.values().sum();
        let mut sets = BTreeMap::new();
        for key in self.keys(Key::SETS)? {
            let Some(id) = key.digest().map(SetId).filter(|id| Key::set(id) == key) else {
                found.fault(&key, "its name is not that of a set");
                continue;
            };
            found.sets += 1;
            let set = match self.set(&id) {
                Ok(set) => set,
                Err(error) => {
                    found.refused(&key, error)?;
                    continue;
                }
            };
            for file in &set.files {
                let problem = match blobs.get(&file.sha256) {
                    None => "is absent".to_owned(),
                    Some(size) if *size != file.size_bytes => {
                        format!("has {size} bytes instead of {}", file.size_bytes)
                    }
                    Some(_) => continue,
                };
                let what = format!("its file `{}` ({}) {problem}", file.path, file.sha256);
                found.fault(&key, what);
            }
            sets.insert(id, Set { files: Vec::new(), ..set });
        }
        for prefix in [Key::COMMITS, Key::INPUTS, Key::PINS] {
            for key in self.keys(prefix)? {
                found.references += 1;
                match self.reference(&key) {
                    Ok(Some(Reference { set: id, .. })) => match sets.get(&id) {
                        None => found.fault(&key, format!("its set {id} is absent or damaged")),
                        Some(set) => {
                            if let Some(problem) = reference::mismatch(&key, set) {
                                found.fault(&key, problem);
                            }
                        }
                    },
                    Ok(None) => {}
                    Err(error) => found.refused(&key, error)?,
                }
            }
        }
        for key in self.keys(Key::RELEASES)? {
            found.references += 1;
            match self.read::<ReleaseReference>(&key, reference::MOST_BYTES) {
                Ok(Some(release)) => {
                    if !sets.contains_key(&release.set) {
                        found.fault(&key, format!("its set {} is absent or damaged", release.set));
                    }
                    for digest in [release.plan, release.sums] {
                        if !blobs.contains_key(&digest) {
                            found.fault(&key, format!("its file {digest} is absent"));
                        }
                    }
                }
                Ok(None) => {}
                Err(error) => found.refused(&key, error)?,
            }
        }
        for key in self.keys(Key::CHANNELS)? {
            match self.read::<super::Channel>(&key, reference::MOST_BYTES) {
                Ok(Some(channel)) => {
                    let project = key
                        .parts_after(Key::CHANNELS)
                        .and_then(|parts| parts.first().and_then(|project| project.parse().ok()));
                    let release = project.map(|project| Key::release(&project, &channel.release));
                    let is_there = match release {
                        Some(release) => self.engine.head(&release)?.is_some(),
                        None => false,
                    };
                    if !is_there {
                        found.fault(&key, format!("its release {} is absent", channel.release));
                    }
                }
                Ok(None) => {}
                Err(error) => found.refused(&key, error)?,
            }
        }
        if !quick {
            let task = self.host.task("verify files", found.bytes);
            let all: Vec<_> = blobs.into_iter().collect();
            let problems = self.each(&all, |(digest, size)| {
                let result = self.verify_blob(digest, *size);
                task.advance(*size, "");
                match result {
                    Ok(()) => Ok(None),
                    Err(error @ (Error::Corrupt { .. } | Error::Absent { .. })) => {
                        Ok(Some((Key::blob(digest), error)))
                    }
                    Err(error) => Err(error),
                }
            })?;
            for (key, error) in problems.into_iter().flatten() {
                found.refused(&key, error)?;
            }
        }
        found.faults.sort();
        Ok(found)
    }
}

impl Verified {
    fn fault(&mut self, key: &Key, problem: impl Into<String>) {
        self.faults.push(StoreFault { key: key.to_string(), problem: problem.into() });
    }

    /// Records an error that is about the content of an object; returns others.
    fn refused(&mut self, key: &Key, error: Error) -> Result<(), Error> {
        match error {
            Error::Corrupt { problem, .. } => self.fault(key, problem),
            Error::Absent { .. } => self.fault(key, "it is absent"),
            Error::Schema { schema, .. } => {
                self.fault(key, format!("its schema is {schema}, not {}", set::SCHEMA));
            }
            error => return Err(error),
        }
        Ok(())
    }
}
