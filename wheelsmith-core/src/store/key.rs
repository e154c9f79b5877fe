//! Keys: the layout of a store, the same in a directory and in a bucket.

use std::fmt;

use super::label::{CommitId, Label, SetId};
use crate::name::{Digest, WheelPath};

/// Key of one object: a relative path with `/` between its parts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(String);

impl Key {
    /// Start of the keys of files.
    pub const BLOBS: &'static str = "cas/sha256/";
    /// Start of the keys of sets.
    pub const SETS: &'static str = "sets/sha256/";
    /// Start of the keys of references for commits.
    pub const COMMITS: &'static str = "commit/";
    /// Start of the keys of references for the inputs of a build.
    pub const INPUTS: &'static str = "inputs/";
    /// Start of the keys of pins.
    pub const PINS: &'static str = "pin/";
    /// Start of the keys of releases.
    pub const RELEASES: &'static str = "release/";
    /// Start of the keys of channels.
    pub const CHANNELS: &'static str = "channel/";
    /// Start of the keys of ledgers.
    pub const LEDGERS: &'static str = "ledger/";

    /// Returns the key of the description of the store.
    pub fn store() -> Self {
        Self("wheelsmith-store.json".to_owned())
    }

    /// Returns the key of a file.
    pub fn blob(digest: &Digest) -> Self {
        let hex = digest.to_string();
        Self(format!("{}{}/{hex}", Self::BLOBS, &hex[..2]))
    }

    /// Returns the key of a set.
    pub fn set(id: &SetId) -> Self {
        let hex = id.0.to_string();
        Self(format!("{}{}/{hex}.json", Self::SETS, &hex[..2]))
    }

    /// Returns the key of the reference for a commit and a slot.
    pub fn commit(commit: &CommitId, slot: &Label) -> Self {
        Self(format!("{}{commit}/{slot}.json", Self::COMMITS))
    }

    /// Returns the key of the reference for the inputs of a build.
    pub fn inputs(inputs: &Digest) -> Self {
        Self(format!("{}{inputs}.json", Self::INPUTS))
    }

    /// Returns the key of a pin, which keeps a set.
    pub fn pin(name: &Label) -> Self {
        Self(format!("{}{name}.json", Self::PINS))
    }

    /// Returns the key of a release.
    pub fn release(project: &Label, version: &Label) -> Self {
        Self(format!("{}{project}/{version}.json", Self::RELEASES))
    }

    /// Returns the key of a channel.
    pub fn channel(project: &Label, name: &Label) -> Self {
        Self(format!("{}{project}/{name}.json", Self::CHANNELS))
    }

    /// Returns the key of the ledger of one run of a publication.
    pub fn ledger(project: &Label, version: &Label, run: &Label) -> Self {
        Self(format!("{}{project}/{version}/{run}.jsonl", Self::LEDGERS))
    }

    /// Returns the key with this text; `None` if it is not a relative path, or a part begins with a dot.
    pub fn parse(text: &str) -> Option<Self> {
        let path: WheelPath = text.parse().ok()?;
        let is_plain = path.parts().all(|part| !part.starts_with('.'));
        is_plain.then(|| Self(text.to_owned()))
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the digest of a file or set from its key.
    pub fn digest(&self) -> Option<Digest> {
        let name = self.0.rsplit('/').next()?;
        name.strip_suffix(".json").unwrap_or(name).parse().ok()
    }

    /// Returns the parts after `prefix`, without the ending `.json`.
    pub fn parts_after<'k>(&'k self, prefix: &str) -> Option<Vec<&'k str>> {
        let rest = self.0.strip_prefix(prefix)?;
        Some(rest.strip_suffix(".json")?.split('/').collect())
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
