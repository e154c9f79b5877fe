//! Components: one type for the keys of all kinds, and one for the further keys of each kind.
//!
//! The types are both what a file contains and what the rest of the library uses: a new key is a
//! field, with its default and its description. `kinds.rs` lists the kinds.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Not;

use serde::{Deserialize, Deserializer, Serialize};

use super::extension::Extension;
use super::output::Output;
use super::source_table::{Archives, TargetArchiveTable};
use super::{Go, Recipe, Source, SourcePath};
use crate::name::{Arch, Libc, Os, PlatformVersion, PythonVersion, Target, WheelPath};

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
    /// C library, if it is not that of the target: `musl` for a static program beside files for
    /// glibc.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub libc: Option<OtherLibc>,
    /// Languages of its sources, if not those of the files that its source contains. Only with `c++`
    /// it takes part in the choice of the C++ runtime.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub languages: Option<Vec<SourceLanguage>>,
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
            libc: None,
            languages: None,
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

    /// Returns the extension modules that it is built to.
    pub fn extensions(&self) -> Vec<&Extension> {
        match &self.kind {
            Kind::C(c) => c.extension.iter().collect(),
            Kind::Cargo(cargo) => cargo.extensions().collect(),
            Kind::Bpf(_) | Kind::Go(_) | Kind::Prebuilt(_) | Kind::Files(_) | Kind::Recipe(_) => {
                Vec::new()
            }
        }
    }

    /// True if it is built with musl for a target with another C library.
    pub fn is_guest(&self, target: Target) -> bool {
        self.libc.is_some() && target.os() == Os::Linux(Libc::Glibc)
    }

    /// Returns the names of the components that are built before it.
    pub fn after(&self) -> impl Iterator<Item = &String> {
        self.link.iter().chain(&self.needs)
    }
}

/// Language of sources, in `languages` lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum SourceLanguage {
    /// C.
    C,
    /// C++.
    #[serde(rename = "c++")]
    Cxx,
    /// Rust.
    Rust,
    /// Go.
    Go,
}

/// C library of single components.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum OtherLibc {
    /// musl, linked statically.
    Musl,
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
    /// BPF programs for the kernel of Linux.
    Bpf(Bpf),
    /// Built by Go.
    Go(Go),
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
                CForm::Extension => "c-extension",
            },
            Self::Cargo(_) => "cargo",
            Self::Prebuilt(_) => "prebuilt",
            Self::Files(_) => "files",
            Self::Recipe(recipe) => recipe.system.as_str(),
            Self::Bpf(_) => "bpf",
            Self::Go(_) => "go",
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
    /// An extension module of Python.
    Extension,
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
    /// Compile and link without a C library (`-ffreestanding`, `-nostdlib`): firmware, a boot block.
    #[serde(skip_serializing_if = "Not::not")]
    pub freestanding: bool,
    /// Headers that go into the runtime's `include/`.
    pub headers: Vec<Headers>,
    /// Extension module that it is.
    #[serde(skip_deserializing, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(skip))]
    pub extension: Option<Extension>,
}

/// Keys of `c-extension`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct CExtensionTable {
    /// Import name of the module: `demo._native`.
    extension: String,
    /// Oldest Python of the stable ABI that it keeps to: `3.9`.
    abi3: Option<PlatformVersion>,
    /// Oldest Python of the free-threaded stable ABI that it keeps to: `3.15` (PEP 803).
    abi3t: Option<PlatformVersion>,
    /// Single Pythons that it is compiled for: `3.12`, `3.13t`, `pypy3.11`.
    #[serde(default)]
    python: Vec<PythonVersion>,
    /// Files to compile, and how.
    #[serde(default)]
    sources: Vec<SourceGroup>,
    /// System libraries to link to, such as `m` or `pthread`.
    #[serde(default)]
    libraries: Vec<String>,
    /// Frameworks to link to on macOS, such as `CoreFoundation`; ignored elsewhere.
    #[serde(default)]
    frameworks: Vec<String>,
    /// Additional arguments of the link line.
    #[serde(default)]
    link_flags: Vec<String>,
}

impl CExtensionTable {
    /// Returns the component.
    pub(super) fn into_kind(self) -> Kind {
        let Self { extension, abi3, abi3t, python, .. } = self;
        Kind::C(C {
            form: CForm::Extension,
            sources: self.sources,
            libraries: self.libraries,
            frameworks: self.frameworks,
            link_flags: self.link_flags,
            extension: Some(Extension::new(extension, abi3, abi3t, python)),
            ..C::default()
        })
    }
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
    /// Processors for which the files are compiled, such as `x86_64`; all if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arch: Option<Vec<Arch>>,
}

impl SourceGroup {
    /// True if the files are compiled for `target`.
    pub fn is_for(&self, target: Target) -> bool {
        self.arch.as_ref().is_none_or(|list| list.contains(&target.arch()))
    }
}

/// BPF programs: each source becomes an object for the kernel, with its types and without debug
/// information.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all(deserialize = "kebab-case"))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Bpf {
    /// Files to compile, and how. `count.bpf.c` becomes `share/<component>/count.bpf.o`.
    pub sources: Vec<SourceGroup>,
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
    /// Additional environment variables.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
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
            env: BTreeMap::new(),
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
    /// An extension module of Python.
    Extension(Extension),
    /// An addon of Node.js.
    NodeAddon(String),
}

impl Cargo {
    /// Returns the extension modules among the artifacts.
    pub fn extensions(&self) -> impl Iterator<Item = &Extension> {
        self.artifacts.iter().filter_map(|artifact| match artifact {
            Artifact::Extension(extension) => Some(extension),
            _ => None,
        })
    }

    /// Returns the extension modules among the artifacts, to be changed.
    pub(crate) fn extensions_mut(&mut self) -> impl Iterator<Item = &mut Extension> {
        self.artifacts.iter_mut().filter_map(|artifact| match artifact {
            Artifact::Extension(extension) => Some(extension),
            _ => None,
        })
    }
}

/// `{ bin = "…" }`, `{ cdylib = "…" }`, `{ extension = "…", abi3 = "…" }` or `{ node-addon = "…" }`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct ArtifactTable {
    /// Name of a program.
    bin: Option<String>,
    /// Name of a library of crate type `cdylib`.
    cdylib: Option<String>,
    /// Import name of the extension module of Python that the package's library is:
    /// `demo._native`.
    extension: Option<String>,
    /// Name of the addon of Node.js that the package's library is: `demo` for `demo.node`.
    node_addon: Option<String>,
    /// Oldest Python of the stable ABI that the extension module keeps to: `3.9`.
    abi3: Option<PlatformVersion>,
    /// Oldest Python of the free-threaded stable ABI that the extension module keeps to: `3.15`
    /// (PEP 803).
    abi3t: Option<PlatformVersion>,
    /// Single Pythons that the extension module is compiled for: `3.12`, `3.13t`, `pypy3.11`.
    #[serde(default)]
    python: Vec<PythonVersion>,
}

impl TryFrom<ArtifactTable> for Artifact {
    type Error = &'static str;

    fn try_from(table: ArtifactTable) -> Result<Self, Self::Error> {
        let ArtifactTable { bin, cdylib, extension, node_addon, abi3, abi3t, python } = table;
        let has_abi = abi3.is_some() || abi3t.is_some() || !python.is_empty();
        if has_abi && extension.is_none() {
            return Err("only an `extension` is for certain Pythons");
        }
        match (bin, cdylib, extension, node_addon) {
            (Some(name), None, None, None) => Ok(Self::Bin(name)),
            (None, Some(name), None, None) => Ok(Self::Cdylib(name)),
            (None, None, Some(module), None) => {
                Ok(Self::Extension(Extension::new(module, abi3, abi3t, python)))
            }
            (None, None, None, Some(name)) => Ok(Self::NodeAddon(name)),
            _ => Err("give one of `bin`, `cdylib`, `extension` and `node-addon`"),
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
