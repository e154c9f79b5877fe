//! Entry of `version.sites`: a file, or a file and the place in it.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::{Deserialize, Deserializer};

/// Place with the version of the project.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "VersionSiteKeys"))]
pub(super) struct SiteKeys {
    /// File, relative to this one; `*` and `?` match parts of a name.
    pub(super) file: String,
    /// Name that a Python module assigns; `__version__` if absent.
    pub(super) attribute: Option<String>,
    /// Macro of a C header whose value is the version as text; macros of the same name with
    /// `_MAJOR`, `_MINOR` and `_PATCH` are places too.
    #[serde(rename = "macro")]
    pub(super) macro_name: Option<String>,
    /// Text with `{version}` that the file contains once.
    pub(super) pattern: Option<String>,
    /// Form of the version there.
    pub(super) form: Option<SiteForm>,
}

/// Form of a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) enum SiteForm {
    /// `1.2.0-rc.1`.
    SemVer,
    /// `1.2.0rc1`.
    Pep440,
}

/// Entry of `sites`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SiteEntry(pub(super) SiteKeys);

impl<'de> Deserialize<'de> for SiteEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = SiteEntry;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a file, or a table such as `{ file = …, pattern = … }`")
            }

            fn visit_str<E>(self, file: &str) -> Result<SiteEntry, E> {
                Ok(SiteEntry(SiteKeys { file: file.to_owned(), ..SiteKeys::default() }))
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                map: A,
            ) -> Result<SiteEntry, A::Error> {
                SiteKeys::deserialize(MapAccessDeserializer::new(map)).map(SiteEntry)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for SiteEntry {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "VersionSite".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let keys = generator.subschema_for::<SiteKeys>();
        schemars::json_schema!({ "anyOf": [{ "type": "string" }, keys] })
    }
}
