//! Entry of a list in `data`: a glob, or a glob with the directory that its files are installed to.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::{Deserialize, Deserializer, de};

use super::SourcePath;
use crate::name::WheelPath;

/// `data = { … }` of a wheel: files that installers put beside the packages.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct DataTable {
    /// Commands that exist as files (`bin/` of the environment). The environment's Python runs a
    /// script that begins with `#!python`.
    #[serde(default)]
    pub(super) scripts: Vec<DataEntry>,
    /// Headers (`include/` of the environment, below the project's name).
    #[serde(default)]
    pub(super) headers: Vec<DataEntry>,
    /// Other files, below the environment itself.
    #[serde(default)]
    pub(super) data: Vec<DataEntry>,
}

/// Files, and their destination.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct DataEntry {
    /// Glob, relative to the configuration.
    pub(super) from: SourcePath,
    /// Directory below that of the kind.
    pub(super) to: Option<WheelPath>,
}

/// Entry written as a table.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Table {
    from: SourcePath,
    to: Option<WheelPath>,
}

impl<'de> Deserialize<'de> for DataEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = DataEntry;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a glob, or a table with `from` and `to`")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<DataEntry, E> {
                let from = text.parse().map_err(E::custom)?;
                Ok(DataEntry { from, to: None })
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<DataEntry, A::Error> {
                let Table { from, to } = Table::deserialize(MapAccessDeserializer::new(map))?;
                Ok(DataEntry { from, to })
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for DataEntry {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "DataFiles".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "A glob, or a glob with the directory that its files land in.",
            "anyOf": [
                { "type": "string" },
                {
                    "type": "object",
                    "properties": { "from": { "type": "string" }, "to": { "type": "string" } },
                    "required": ["from"],
                    "additionalProperties": false
                }
            ]
        })
    }
}
