//! Files of the project in packages: a glob, or a glob with the directory that they get.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::{Deserialize, Deserializer, de};

use super::SourcePath;
use crate::name::WheelPath;

/// Files of the project that a package contains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageFiles {
    /// File or glob, relative to the configuration.
    pub from: SourcePath,
    /// Directory in the package for the files, which keep their path below the directory in which
    /// the glob begins. If `None`, they keep their path in the project.
    pub to: Option<WheelPath>,
}

/// Entry that is written as a table.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct PackageFilesTable {
    /// File or glob, relative to this file.
    from: SourcePath,
    /// Directory in the package.
    to: Option<WheelPath>,
}

impl<'de> Deserialize<'de> for PackageFiles {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = PackageFiles;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a glob, or a table with `from` and `to`")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<PackageFiles, E> {
                let from = text.parse().map_err(E::custom)?;
                Ok(PackageFiles { from, to: None })
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<PackageFiles, A::Error> {
                let table = PackageFilesTable::deserialize(MapAccessDeserializer::new(map))?;
                Ok(PackageFiles { from: table.from, to: table.to })
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for PackageFiles {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "PackageFiles".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let table = generator.subschema_for::<PackageFilesTable>();
        schemars::json_schema!({ "anyOf": [{ "type": "string" }, table] })
    }
}
