//! References to sets, and channels.

use serde::{Deserialize, Serialize};

#[cfg(feature = "schema")]
use super::json::schema_of;
use super::json::versioned;
use super::label::{Label, SCHEMA, SetId};
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
