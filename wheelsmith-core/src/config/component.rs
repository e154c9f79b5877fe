//! Components: one type for the keys of all kinds, and one for the further keys of each kind.
//!
//! The types are both what a file contains and what the rest of the library uses: a new key is a
//! field, with its default and its description. `kinds.rs` lists the kinds.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Not;

use serde::{Deserialize, Deserializer, Serialize};

use super::output::Output;
use super::source_table::{Archives, TargetArchiveTable};
use super::{Recipe, Source, SourcePath};
use crate::name::{Target, WheelPath};

/// Unit that is built.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all(deserialize = "kebab-case"))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Component {
    /// Key in the file, such as `tool.wheelsmith.component[0]`.
    #[serde(skip)]
    pub key: String,
    /// Name, by which other components link to it; also the name of its library or program.
    pub name: String,
    /// Version of the component, for the manifest.
    pub version: Option<String>,
    /// Licence, as an SPDX expression.
    pub license: Option<String>,
    /// Globs of its licence files, which every wheel with files of the component contains.
    #[serde(default)]
    pub license_files: Vec<SourcePath>,
    /// Origin of its source.
    #[serde(skip_deserializing)]
    #[cfg_attr(feature = "schema", schemars(skip))]
    pub source: Source,
    /// Operating systems that it is built for (`linux`, `macos`, `windows`); all if absent.
    pub os: Option<Vec<OsName>>,
    /// Accept flags that compile for the processor of the build machine (`-march=native`,
    /// `-Ctarget-cpu=native`).
    #[serde(default, skip_serializing_if = "Not::not")]
    pub allow_native: bool,
    /// Components that it links to. Users of a static library link to them as well.
    #[serde(default)]
    pub link: Vec<String>,
    /// Components that it uses without linking to them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<String>,
    /// Kind, with its settings.
    #[serde(flatten, skip_deserializing)]
    #[cfg_attr(feature = "schema", schemars(skip))]
    pub kind: Kind,
}

impl Component {
    /// Returns a component that is built from the directory of the configuration.
    pub fn new(name: impl Into<String>, kind: Kind) -> Self {
        Self {
            key: String::new(),
            name: name.into(),
            version: None,
            license: None,
            license_files: Vec::new(),
            source: Source::default(),
            os: None,
            allow_native: false,
            link: Vec::new(),
            needs: Vec::new(),
            kind,
        }
    }

    /// True if it is built for `target`.
    pub fn is_for(&self, target: Target) -> bool {
        let is_its = |os: &OsName| os.family() == target.os().family();
        self.os.as_ref().is_none_or(|list| list.iter().any(is_its))
    }

    /// Returns the names of the components that are built before it.
    pub fn after(&self) -> impl Iterator<Item = &String> {
        self.link.iter().chain(&self.needs)
    }
}

/// Operating system, in `os` lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum OsName {
    /// Linux.
    Linux,
    /// macOS.
    Macos,
    /// Windows.
    Windows,
}

impl OsName {
    fn family(self) -> &'static str {
        match self {
            Self::Linux => "linux",
            Self::Macos => "macos",
            Self::Windows => "windows",
        }
    }
}

/// Kind of a component.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Kind {
    /// Compiled from C.
    C(C),
    /// Built by cargo.
    Cargo(Cargo),
    /// Binaries from an archive for each target.
    Prebuilt(Prebuilt),
    /// Files of the source.
    Files(Files),
    /// Built by a build system of its own.
    Recipe(Recipe),
}

impl Default for Kind {
    fn default() -> Self {
        Self::Files(Files::default())
    }
}

impl Kind {
    /// Returns the word of the configuration.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::C(c) => match c.form {
                CForm::Library => "c-library",
                CForm::Shared => "c-shared",
                CForm::Static => "c-static",
                CForm::Executable => "c-executable",
            },
            Self::Cargo(_) => "cargo",
            Self::Prebuilt(_) => "prebuilt",
            Self::Files(_) => "files",
            Self::Recipe(recipe) => recipe.system.as_str(),
        }
    }
}

/// Form of the linked file of a C component.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CForm {
    /// A shared library, and an archive of the same objects.
    Library,
    /// A shared library.
    #[default]
    Shared,
    /// An archive of objects.
    Static,
    /// A program.
    Executable,
}

/// C component.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all(deserialize = "kebab-case"))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct C {
    /// Form.
    #[serde(skip_deserializing)]
    #[cfg_attr(feature = "schema", schemars(skip))]
    pub form: CForm,
    /// Files to compile, and how.
    pub sources: Vec<SourceGroup>,
    /// Name that users of the library are linked against, such as `libbpf.so.1`.
    pub soname: Option<String>,
    /// Version script of the linker.
    pub version_script: Option<SourcePath>,
    /// System libraries to link to, such as `m` or `pthread`. Users of a static library link to
    /// them as well.
    pub libraries: Vec<String>,
    /// Frameworks to link to on macOS, such as `CoreFoundation`; ignored elsewhere. Users of a
    /// static library link to them as well.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub frameworks: Vec<String>,
    /// Additional arguments of the link line.
    pub link_flags: Vec<String>,
    /// Accept symbols that no library defines (a plugin whose host defines them).
    pub allow_undefined: bool,
    /// Headers that go into the runtime's `include/`.
    pub headers: Vec<Headers>,
}

/// `[[tool.wheelsmith.component.sources]]`: files that are compiled with the same arguments.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all(deserialize = "kebab-case"))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SourceGroup {
    /// Globs of the files to compile.
    pub files: Vec<SourcePath>,
    /// Globs of files to leave out.
    #[serde(default)]
    pub exclude: Vec<SourcePath>,
    /// Language standard, such as `gnu99`.
    pub std: Option<String>,
    /// Directories searched for headers.
    #[serde(default)]
    pub include: Vec<SourcePath>,
    /// Macros: `true` defines the name alone, `false` does not define it, a text or number is its
    /// value.
    #[serde(default, deserialize_with = "macros")]
    #[cfg_attr(feature = "schema", schemars(with = "BTreeMap<String, MacroValue>"))]
    pub define: Vec<String>,
    /// Additional arguments of the compiler.
    #[serde(default)]
    pub flags: Vec<String>,
}

/// Converts a table of macros to arguments: `NAME` or `NAME=value`.
fn macros<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let macros = BTreeMap::<String, MacroValue>::deserialize(deserializer)?;
    let define = macros.into_iter().filter_map(|(name, value)| match value {
        MacroValue::Flag(is_defined) => is_defined.then_some(name),
        MacroValue::Value(value) => Some(format!("{name}={value}")),
    });
    Ok(define.collect())
}

/// Value of a macro.
enum MacroValue {
    /// True if it is defined without a value.
    Flag(bool),
    /// Value.
    Value(String),
}

impl<'de> Deserialize<'de> for MacroValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = MacroValue;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`true`, `false`, a number or a text")
            }

            fn visit_bool<E>(self, value: bool) -> Result<MacroValue, E> {
                Ok(MacroValue::Flag(value))
            }

            fn visit_i64<E>(self, value: i64) -> Result<MacroValue, E> {
                Ok(MacroValue::Value(value.to_string()))
            }

            fn visit_str<E>(self, value: &str) -> Result<MacroValue, E> {
                Ok(MacroValue::Value(value.to_owned()))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for MacroValue {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Define".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": ["boolean", "integer", "string"] })
    }
}

/// Headers for the runtime's `include/`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all(deserialize = "kebab-case"))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Headers {
    /// Globs of the headers.
    pub files: Vec<SourcePath>,
    /// Directory below `include/` that they are copied to; `include/` itself if absent.
    pub to: Option<WheelPath>,
}

/// Component from a Rust package.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all(deserialize = "kebab-case"))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Cargo {
    /// `Cargo.toml` of the package; `Cargo.toml` at the root of the source if absent.
    pub manifest: SourcePath,
    /// Programs and libraries that are taken from the build.
    #[cfg_attr(feature = "schema", schemars(with = "Vec<ArtifactTable>"))]
    pub artifacts: Vec<Artifact>,
    /// Profile; `release` if absent.
    pub profile: String,
    /// Features to enable.
    pub features: Vec<String>,
    /// Whether default features are enabled; true if absent.
    pub default_features: bool,
    /// Whether `Cargo.lock` must exist and be current; true if absent.
    pub locked: bool,
}

impl Default for Cargo {
    fn default() -> Self {
        Self {
            manifest: SourcePath { from_project: false, path: "Cargo.toml".to_owned() },
            artifacts: Vec::new(),
            profile: "release".to_owned(),
            features: Vec::new(),
            default_features: true,
            locked: true,
        }
    }
}

/// Program or library of a cargo build.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "ArtifactTable", rename_all = "kebab-case")]
pub enum Artifact {
    /// A program.
    Bin(String),
    /// A shared library.
    Cdylib(String),
}

/// `{ bin = "…" }` or `{ cdylib = "…" }`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct ArtifactTable {
    /// Name of a program.
    bin: Option<String>,
    /// Name of a library of crate type `cdylib`.
    cdylib: Option<String>,
}

impl TryFrom<ArtifactTable> for Artifact {
    type Error = &'static str;

    fn try_from(table: ArtifactTable) -> Result<Self, Self::Error> {
        match (table.bin, table.cdylib) {
            (Some(name), None) => Ok(Self::Bin(name)),
            (None, Some(name)) => Ok(Self::Cdylib(name)),
            _ => Err("give either `bin` or `cdylib`"),
        }
    }
}

/// Binaries that were built elsewhere.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all(deserialize = "kebab-case"))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Prebuilt {
    /// Files that are taken from the archive, or from the source of targets without an archive.
    pub outputs: Vec<Output>,
    /// Archive for each target, by triple.
    #[serde(rename(deserialize = "archive"), deserialize_with = "TargetArchiveTable::read_all")]
    #[cfg_attr(feature = "schema", schemars(with = "BTreeMap<String, TargetArchiveTable>"))]
    pub archives: Archives,
}

/// Files that need no building.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all(deserialize = "kebab-case"))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Files {
    /// Files that are taken from the source.
    pub outputs: Vec<Output>,
}
