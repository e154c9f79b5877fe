//! References to sets, and channels.

use serde::{Deserialize, Serialize};

#[cfg(feature = "schema")]
use super::json::schema_of;
use super::json::versioned;
use super::key::Key;
use super::label::{Label, SCHEMA, SetId};
use super::set::Set;
use crate::name::Digest;

/// Largest reference in bytes.
pub(super) const MOST_BYTES: u64 = 64 << 10;

/// Reference to a set, for a commit, for inputs, or as a pin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Reference {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The set.
    pub set: SetId,
}

/// Reference of a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ReleaseReference {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Set with all files of the release.
    pub set: SetId,
    /// Digest of the plan by which it is published; stored as a file.
    pub plan: Digest,
    /// Digest of the list of digests (`SHA256SUMS`); stored as a file.
    pub sums: Digest,
}

/// Movable name for a release, such as `stable`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Channel {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Version of the release.
    pub release: Label,
    /// Number of changes of the channel.
    pub serial: u64,
}

impl Reference {
    /// Returns a reference to `set`.
    pub fn new(set: SetId) -> Self {
        Self { schema: SCHEMA, set }
    }
}

versioned!(Reference, ReleaseReference, Channel);

/// Returns the reason why a reference at `key` cannot be to `set`: it is for another commit, slot or
/// inputs; `None` if it can.
pub(super) fn mismatch(key: &Key, set: &Set) -> Option<String> {
    if let Some(parts) = key.parts_after(Key::COMMITS) {
        let commit = set.commit.as_ref().map_or("no commit", super::CommitId::as_str);
        let slot = set.slot.as_str();
        return (parts != [commit, slot])
            .then(|| format!("the set that it refers to is for {commit} and the slot `{slot}`"));
    }
    if key.as_str().starts_with(Key::INPUTS) {
        let inputs = set.inputs.map(|inputs| inputs.0);
        return (inputs.is_none() || key.digest() != inputs).then(|| {
            let inputs = inputs.map_or_else(|| "none".to_owned(), |inputs| inputs.to_string());
            format!("the set that it refers to was built from other inputs: {inputs}")
        });
    }
    let is_pin = key.parts_after(Key::PINS).is_some_and(|parts| parts.len() == 1);
    (!is_pin).then(|| "it is not the key of a reference".to_owned())
}

/// Returns the JSON schema of a reference for a commit, for inputs, or of a pin.
#[cfg(feature = "schema")]
pub fn reference_schema() -> serde_json::Value {
    schema_of::<Reference>()
}

/// Returns the JSON schema of the reference of a release.
#[cfg(feature = "schema")]
pub fn release_schema() -> serde_json::Value {
    schema_of::<ReleaseReference>()
}

/// Returns the JSON schema of a channel.
#[cfg(feature = "schema")]
pub fn channel_schema() -> serde_json::Value {
    schema_of::<Channel>()
}
