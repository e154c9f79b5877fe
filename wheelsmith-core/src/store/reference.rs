//! References to sets, and channels.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::error::Error;
use super::key::Key;
use super::label::{Label, SetId};
use super::set::{SCHEMA, Set};
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

/// JSON object with a number of its schema.
pub trait Versioned: Serialize + DeserializeOwned {
    /// Returns the number of its schema.
    fn schema(&self) -> u32;
}

macro_rules! versioned {
    ($($type:ty),*) => {
        $(impl Versioned for $type {
            fn schema(&self) -> u32 {
                self.schema
            }
        })*
    };
}
versioned!(Set, Reference, ReleaseReference, Channel);

/// Returns the canonical JSON of an object: fields in the order of the type, one line.
pub(super) fn json<T: Serialize>(value: &T) -> Vec<u8> {
    let mut bytes = serde_json::to_vec(value).expect("strings and numbers are JSON");
    bytes.push(b'\n');
    bytes
}

/// Parses an object of a store.
///
/// # Errors
/// Returns an error if the text is too long, is not JSON of this type, or has another schema.
pub(super) fn parse<T: Versioned>(bytes: &[u8], key: &Key, most: u64) -> Result<T, Error> {
    #[derive(Deserialize)]
    struct Number {
        schema: u32,
    }
    let wrong = |problem: String| Error::Corrupt { key: key.to_string(), problem };
    if bytes.len() as u64 > most {
        return Err(wrong(format!("it has more than {most} bytes")));
    }
    let Number { schema } =
        serde_json::from_slice(bytes).map_err(|error| wrong(error.to_string()))?;
    if schema != SCHEMA {
        return Err(Error::Schema { key: key.to_string(), schema });
    }
    serde_json::from_slice(bytes).map_err(|error| wrong(error.to_string()))
}

/// Returns the JSON schema of an object of a store.
#[cfg(feature = "schema")]
pub(super) fn schema_of<T: schemars::JsonSchema>() -> serde_json::Value {
    let settings = schemars::generate::SchemaSettings::draft2020_12().for_serialize();
    settings.into_generator().into_root_schema_for::<T>().to_value()
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
