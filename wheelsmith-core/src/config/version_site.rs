//! Entry of `version.sites`: a file, or a file and the place in it.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::{Deserialize, Deserializer};

/// Place with the version of the project: an entry of `version.sites`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VersionSite(SiteTable);

/// Keys of a place with the version of the project.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SiteTable {
    /// File, relative to this one; `*` and `?` match parts of a name. Its name says how it is read,
    /// unless one of the keys below does.
    pub file: String,
    /// Name that a Python module assigns; `__version__` if absent.
    pub attribute: Option<String>,
    /// Macro of a C header whose value is the version as text; macros of the same name with
    /// `_MAJOR`, `_MINOR` and `_PATCH` are places too.
    #[serde(rename = "macro")]
    pub macro_name: Option<String>,
    /// Text with `{version}` that the file contains once.
    pub pattern: Option<String>,
    /// Form of the version in a macro or pattern; SemVer if absent.
    pub form: Option<VersionForm>,
}

/// Form of a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum VersionForm {
    /// `1.2.0-rc.1`.
    SemVer,
    /// `1.2.0rc1`.
    Pep440,
}

impl std::ops::Deref for VersionSite {
    type Target = SiteTable;

    fn deref(&self) -> &SiteTable {
        &self.0
    }
}

impl<'de> Deserialize<'de> for VersionSite {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = VersionSite;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a file, or a table such as `{ file = …, pattern = … }`")
            }

            fn visit_str<E>(self, file: &str) -> Result<VersionSite, E> {
                Ok(VersionSite(SiteTable { file: file.to_owned(), ..SiteTable::default() }))
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                map: A,
            ) -> Result<VersionSite, A::Error> {
                SiteTable::deserialize(MapAccessDeserializer::new(map)).map(VersionSite)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for VersionSite {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "VersionSite".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let table = generator.subschema_for::<SiteTable>();
        schemars::json_schema!({ "anyOf": [{ "type": "string" }, table] })
    }
}
