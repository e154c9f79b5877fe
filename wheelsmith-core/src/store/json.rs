//! JSON objects of a store.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::error::Error;
use super::key::Key;
use super::label::SCHEMA;

/// JSON object with a number of its schema.
pub trait Versioned: Serialize + DeserializeOwned {
    /// Returns the number of its schema.
    fn schema(&self) -> u32;
}

macro_rules! versioned {
    ($($type:ty),*) => {
        $(impl $crate::store::Versioned for $type {
            fn schema(&self) -> u32 {
                self.schema
            }
        })*
    };
}
pub(super) use versioned;

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
