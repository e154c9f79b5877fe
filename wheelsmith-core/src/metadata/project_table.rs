//! The `[project]` table as written (PEP 621, 639, 794).
//!
//! Only types are checked here; [`super::Metadata`] validates the values.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use crate::name::ProjectName;

/// Globs of the licence files if `license-files` is absent, relative to the project.
pub const DEFAULT_LICENSE_FILES: [&str; 4] = ["LICEN[CS]E*", "COPYING*", "NOTICE*", "AUTHORS*"];

/// Texts by name: `urls`, `scripts`, the groups of `entry-points`.
pub type Texts = BTreeMap<String, String>;

/// The `[project]` table.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ProjectTable {
    /// Name of the project, by which it is installed.
    pub name: ProjectName,
    /// Version (PEP 440).
    pub version: Option<String>,
    /// Description in one line.
    pub description: Option<String>,
    /// Long description: a path, or a table with `file` or `text`.
    pub readme: Option<ReadmeValue>,
    /// Supported Python versions, such as `>=3.9`.
    pub requires_python: Option<String>,
    /// SPDX expression such as `MIT OR Apache-2.0`; or, in the older form, a table with `file` or
    /// `text`.
    pub license: Option<LicenseValue>,
    /// Globs of the licence files, relative to the project.
    pub license_files: Option<Vec<String>>,
    /// Authors.
    #[serde(default)]
    pub authors: Vec<PersonTable>,
    /// Maintainers.
    #[serde(default)]
    pub maintainers: Vec<PersonTable>,
    /// Keywords for searches.
    #[serde(default)]
    pub keywords: Vec<String>,
    /// Trove classifiers.
    #[serde(default)]
    pub classifiers: Vec<String>,
    /// Links, by label.
    #[serde(default)]
    pub urls: Texts,
    /// Console programs: name -> `module:function`.
    #[serde(default)]
    pub scripts: Texts,
    /// Programs without a console: name -> `module:function`.
    #[serde(default)]
    pub gui_scripts: Texts,
    /// Other entry points: group -> name -> `module:attribute`.
    #[serde(default)]
    pub entry_points: BTreeMap<String, Texts>,
    /// Dependencies (PEP 508).
    #[serde(default)]
    pub dependencies: Vec<String>,
    /// Dependencies of each extra.
    #[serde(default)]
    pub optional_dependencies: BTreeMap<String, Vec<String>>,
    /// Keys of this table that a tool sets.
    #[serde(default)]
    pub dynamic: Vec<String>,
    /// Names that can be imported after installation (PEP 794); an empty list means none.
    pub import_names: Option<Vec<String>>,
    /// Namespaces that it shares with other projects (PEP 794).
    pub import_namespaces: Option<Vec<String>>,
}

impl ProjectTable {
    /// Returns the path of the long description, relative to the project.
    pub fn readme_file(&self) -> Option<&str> {
        match self.readme.as_ref()? {
            ReadmeValue::File(file) => Some(file),
            ReadmeValue::Table(table) => table.file.as_deref(),
        }
    }

    /// Returns the globs of the licence files, and true if each must match a file, which is the
    /// case unless they are the default ones.
    pub fn license_globs(&self) -> (Vec<&str>, bool) {
        let file = match &self.license {
            Some(LicenseValue::Table(table)) => table.file.as_deref(),
            _ => None,
        };
        match (&self.license_files, file) {
            (Some(globs), _) => (globs.iter().map(String::as_str).collect(), true),
            (None, Some(file)) => (vec![file], true),
            (None, None) => (DEFAULT_LICENSE_FILES.to_vec(), false),
        }
    }
}

/// `readme = "README.md"` or `readme = { file = …, content-type = … }`.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum ReadmeValue {
    /// Path whose suffix determines the content type.
    File(String),
    /// Table.
    Table(ReadmeTable),
}

/// Table form of `readme`.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReadmeTable {
    /// Path; exclusive with `text`.
    pub file: Option<String>,
    /// Text.
    pub text: Option<String>,
    /// `text/markdown`, `text/x-rst` or `text/plain`, optionally with parameters.
    pub content_type: Option<String>,
}

/// `license = "MIT"` or `license = { file = … }` or `license = { text = … }`.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum LicenseValue {
    /// SPDX expression (PEP 639).
    Expression(String),
    /// Older table form.
    Table(LicenseTable),
}

/// Older form of `license`.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LicenseTable {
    /// Path; exclusive with `text`.
    pub file: Option<String>,
    /// Licence in free text.
    pub text: Option<String>,
}

/// Person in `authors` or `maintainers`.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PersonTable {
    /// Name.
    pub name: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
}

/// Deserializes a text or a table. An untagged enum would report a misspelt key as "data did not
/// match any variant"; this type keeps the error of the table.
struct TextOrTable<T, Table> {
    expecting: &'static str,
    text: fn(String) -> T,
    table: fn(Table) -> T,
    of: PhantomData<Table>,
}

impl<'de, T, Table: Deserialize<'de>> Visitor<'de> for TextOrTable<T, Table> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expecting)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        String::deserialize(StrDeserializer::<E>::new(text)).map(self.text)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        Table::deserialize(MapAccessDeserializer::new(map)).map(self.table)
    }
}

impl<'de> Deserialize<'de> for ReadmeValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextOrTable {
            expecting: "a path, or a table with `file` or `text`",
            text: Self::File,
            table: Self::Table,
            of: PhantomData,
        })
    }
}

impl<'de> Deserialize<'de> for LicenseValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextOrTable {
            expecting: "an SPDX expression, or a table with `file` or `text`",
            text: Self::Expression,
            table: Self::Table,
            of: PhantomData,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        toml::from_str::<ProjectTable>(text).unwrap_err().message().to_owned()
    }

    #[test]
    fn errors_say_what_was_wanted() {
        let check = |text: &str, part: &str| {
            let error = error(&format!("name = \"demo\"\n{text}"));
            assert!(error.contains(part), "{text}: {error}");
        };
        check("verison = '1'", "unknown field `verison`");
        check("readme = { fil = 'x' }", "unknown field `fil`");
        check("license = { name = 'x' }", "unknown field `name`");
        check("license = 3", "expected an SPDX expression, or a table");
        check("authors = [{ mail = 'a@b.c' }]", "unknown field `mail`");
        check("urls = ['x']", "expected a map");
        assert!(error("name = '-'").contains("is not a project name"));
        assert!(error("version = '1'").contains("missing field `name`"));
    }

    #[test]
    fn licence_globs_follow_from_what_is_given() {
        let check = |text: &str, globs: &[&str], must_match: bool| {
            let project: ProjectTable = toml::from_str(&format!("name = 'demo'\n{text}")).unwrap();
            assert_eq!(project.license_globs(), (globs.to_vec(), must_match), "{text}");
        };
        check("", &DEFAULT_LICENSE_FILES, false);
        check("license-files = []", &[], true);
        check("license-files = ['LICENSE*']", &["LICENSE*"], true);
        check("license = { file = 'COPYING' }", &["COPYING"], true);
    }
}
