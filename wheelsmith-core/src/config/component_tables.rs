//! `[[tool.wheelsmith.component]]`: the keys that every component has, and one table type for the
//! further keys of each kind.
//!
//! A new key is a field of its kind's table. The list of known keys, and the kinds to which a
//! misplaced key belongs, follow from the types.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeOwned, Deserializer, IgnoredAny, Visitor};
use serde::{Deserialize, Serialize, forward_to_deserialize_any};
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::diagnose::{Locator, Problem, did_you_mean};
use super::run_entry::RunEntry;
use super::{SourcePath, System};
use crate::name::{Digest, PlatformVersion, PythonVersion, WheelPath};

/// Kind of a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) enum KindName {
    /// A shared library from C, and a static one of the same objects.
    CLibrary,
    /// A shared library from C.
    CShared,
    /// A static library from C.
    CStatic,
    /// A program from C.
    CExecutable,
    /// An extension module of Python from C.
    CExtension,
    /// Libraries and programs of a Rust package.
    Cargo,
    /// Binaries that were built elsewhere.
    Prebuilt,
    /// Files that need no building.
    Files,
    /// Built by cmake.
    Cmake,
    /// Built by a makefile.
    Make,
    /// Built by `configure` and make.
    Autotools,
    /// Built by meson.
    Meson,
    /// Built by commands.
    Command,
}

/// Keys of every component.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct CommonTable {
    /// Name, by which other components link to it; also the name of its library or program.
    pub(super) name: String,
    /// Kind of the component.
    pub(super) kind: KindName,
    /// Version of the component, for the manifest.
    pub(super) version: Option<String>,
    /// Licence, as an SPDX expression.
    pub(super) license: Option<String>,
    /// Globs of its licence files, which every wheel with files of the component contains.
    #[serde(default)]
    pub(super) license_files: Vec<SourcePath>,
    /// Origin of its source; the project directory if absent.
    pub(super) source: Option<SourceTable>,
    /// Operating systems that it is built for (`linux`, `macos`, `windows`); all if absent.
    pub(super) os: Option<Vec<OsName>>,
    /// Accept flags that compile for the processor of the build machine (`-march=native`,
    /// `-Ctarget-cpu=native`).
    #[serde(default)]
    pub(super) allow_native: bool,
}

/// Keys of `c-shared` and `c-library`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct SharedTable {
    /// Files to compile, and how.
    #[serde(default)]
    pub(super) sources: Vec<SourcesTable>,
    /// Name that users of the library are linked against, such as `libbpf.so.1`.
    pub(super) soname: Option<String>,
    /// Version script of the linker.
    pub(super) version_script: Option<SourcePath>,
    /// Accept symbols that no library defines (a plugin whose host defines them).
    #[serde(default)]
    pub(super) allow_undefined: bool,
    /// System libraries to link to, such as `m` or `pthread`.
    #[serde(default)]
    pub(super) libraries: Vec<String>,
    /// Frameworks to link to on macOS, such as `CoreFoundation`; ignored elsewhere.
    #[serde(default)]
    pub(super) frameworks: Vec<String>,
    /// Additional arguments of the link line.
    #[serde(default)]
    pub(super) link_flags: Vec<String>,
    /// Headers that go into the runtime's `include/`.
    #[serde(default)]
    pub(super) headers: Vec<HeadersTable>,
    /// Components that it links to.
    #[serde(default)]
    pub(super) link: Vec<String>,
}

/// Keys of `c-static`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct StaticTable {
    /// Files to compile, and how.
    #[serde(default)]
    pub(super) sources: Vec<SourcesTable>,
    /// System libraries that users of the library must link to as well.
    #[serde(default)]
    pub(super) libraries: Vec<String>,
    /// Frameworks of macOS that users of the library must link to as well.
    #[serde(default)]
    pub(super) frameworks: Vec<String>,
    /// Headers that go into the runtime's `include/`.
    #[serde(default)]
    pub(super) headers: Vec<HeadersTable>,
    /// Components that users of the library must link to as well.
    #[serde(default)]
    pub(super) link: Vec<String>,
}

/// Keys of `c-executable`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct ProgramTable {
    /// Files to compile, and how.
    #[serde(default)]
    pub(super) sources: Vec<SourcesTable>,
    /// System libraries to link to, such as `m` or `pthread`.
    #[serde(default)]
    pub(super) libraries: Vec<String>,
    /// Frameworks to link to on macOS, such as `CoreFoundation`; ignored elsewhere.
    #[serde(default)]
    pub(super) frameworks: Vec<String>,
    /// Additional arguments of the link line.
    #[serde(default)]
    pub(super) link_flags: Vec<String>,
    /// Headers that go into the runtime's `include/`.
    #[serde(default)]
    pub(super) headers: Vec<HeadersTable>,
    /// Components that it links to.
    #[serde(default)]
    pub(super) link: Vec<String>,
}

/// Keys of `c-extension`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct ExtensionTable {
    /// Import name of the module: `demo._native`.
    pub(super) extension: String,
    /// Oldest Python of the stable ABI that it keeps to: `3.9`.
    pub(super) abi3: Option<PlatformVersion>,
    /// Oldest Python of the free-threaded stable ABI that it keeps to: `3.15` (PEP 803).
    pub(super) abi3t: Option<PlatformVersion>,
    /// Single Pythons that it is compiled for: `3.12`, `3.13t`, `pypy3.11`.
    #[serde(default)]
    pub(super) python: Vec<PythonVersion>,
    /// Files to compile, and how.
    #[serde(default)]
    pub(super) sources: Vec<SourcesTable>,
    /// System libraries to link to, such as `m` or `pthread`.
    #[serde(default)]
    pub(super) libraries: Vec<String>,
    /// Frameworks to link to on macOS, such as `CoreFoundation`; ignored elsewhere.
    #[serde(default)]
    pub(super) frameworks: Vec<String>,
    /// Additional arguments of the link line.
    #[serde(default)]
    pub(super) link_flags: Vec<String>,
    /// Components that it links to.
    #[serde(default)]
    pub(super) link: Vec<String>,
}

/// Keys of `cargo`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct CargoTable {
    /// `Cargo.toml` of the package; `Cargo.toml` at the root of the source if absent.
    pub(super) manifest: Option<SourcePath>,
    /// Programs and libraries that are taken from the build.
    #[serde(default)]
    pub(super) artifacts: Vec<ArtifactTable>,
    /// Profile; `release` if absent.
    pub(super) profile: Option<String>,
    /// Features to enable.
    #[serde(default)]
    pub(super) features: Vec<String>,
    /// Whether default features are enabled; true if absent.
    pub(super) default_features: Option<bool>,
    /// Whether `Cargo.lock` must exist and be current; true if absent.
    pub(super) locked: Option<bool>,
    /// Components that it links to.
    #[serde(default)]
    pub(super) link: Vec<String>,
}

/// Keys of `prebuilt`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct PrebuiltTable {
    /// Files that are taken from the archive, or from the source of targets without an archive.
    #[serde(default)]
    pub(super) outputs: Vec<OutputTable>,
    /// Archive for each target, by triple.
    #[serde(default)]
    pub(super) archive: BTreeMap<String, TargetArchiveTable>,
}

/// Keys of `files`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct FilesTable {
    /// Files that are taken from the source.
    #[serde(default)]
    pub(super) outputs: Vec<OutputTable>,
}

/// Keys of `cmake`, `autotools` and `meson`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct ConfiguredTable {
    /// Additional arguments of the configure step.
    #[serde(default)]
    pub(super) configure: Vec<String>,
    /// Targets to build, and additional arguments of that step.
    #[serde(default)]
    pub(super) build: Vec<String>,
    /// Targets that install; `["install"]` if absent. With an empty list nothing is installed, and
    /// outputs come from `{build}/`.
    pub(super) install: Option<Vec<String>>,
    /// Directory of the source in which the build starts; its root if absent.
    pub(super) dir: Option<WheelPath>,
    /// Additional environment variables of every step.
    #[serde(default)]
    pub(super) env: BTreeMap<String, String>,
    /// Additional arguments of the compilers.
    #[serde(default)]
    pub(super) flags: Vec<String>,
    /// Additional arguments of the link line.
    #[serde(default)]
    pub(super) link_flags: Vec<String>,
    /// System libraries that users of its static libraries must link to as well.
    #[serde(default)]
    pub(super) libraries: Vec<String>,
    /// Installation prefix that the build is configured for; `/usr` if absent.
    pub(super) prefix: Option<String>,
    /// Files that are taken from the installation.
    #[serde(default)]
    pub(super) outputs: Vec<OutputTable>,
    /// Components that it links to.
    #[serde(default)]
    pub(super) link: Vec<String>,
    /// Components that it uses without linking to them.
    #[serde(default)]
    pub(super) needs: Vec<String>,
}

/// Keys of `make`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct MakeTable {
    /// Targets to build, and additional arguments of that step.
    #[serde(default)]
    pub(super) build: Vec<String>,
    /// Targets that install; `["install"]` if absent. With an empty list nothing is installed, and
    /// outputs come from `{build}/`.
    pub(super) install: Option<Vec<String>>,
    /// Directory of the source in which the build starts; its root if absent.
    pub(super) dir: Option<WheelPath>,
    /// Additional environment variables of every step.
    #[serde(default)]
    pub(super) env: BTreeMap<String, String>,
    /// Additional arguments of the compilers.
    #[serde(default)]
    pub(super) flags: Vec<String>,
    /// Additional arguments of the link line.
    #[serde(default)]
    pub(super) link_flags: Vec<String>,
    /// System libraries that users of its static libraries must link to as well.
    #[serde(default)]
    pub(super) libraries: Vec<String>,
    /// Installation prefix that the build is configured for; `/usr` if absent.
    pub(super) prefix: Option<String>,
    /// Files that are taken from the installation.
    #[serde(default)]
    pub(super) outputs: Vec<OutputTable>,
    /// Components that it links to.
    #[serde(default)]
    pub(super) link: Vec<String>,
    /// Components that it uses without linking to them.
    #[serde(default)]
    pub(super) needs: Vec<String>,
}

/// Keys of `command`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct CommandTable {
    /// Commands, in order; each a list of a program and its arguments.
    #[serde(default)]
    pub(super) run: Vec<RunEntry>,
    /// True if each entry of `run` is a line for `/bin/sh` instead.
    #[serde(default)]
    pub(super) shell: bool,
    /// Directory of the source in which the build starts; its root if absent.
    pub(super) dir: Option<WheelPath>,
    /// Additional environment variables of every step.
    #[serde(default)]
    pub(super) env: BTreeMap<String, String>,
    /// Additional arguments of the compilers.
    #[serde(default)]
    pub(super) flags: Vec<String>,
    /// Additional arguments of the link line.
    #[serde(default)]
    pub(super) link_flags: Vec<String>,
    /// System libraries that users of its static libraries must link to as well.
    #[serde(default)]
    pub(super) libraries: Vec<String>,
    /// Installation prefix that the build is configured for; `/usr` if absent.
    pub(super) prefix: Option<String>,
    /// Files that are taken from the installation.
    #[serde(default)]
    pub(super) outputs: Vec<OutputTable>,
    /// Components that it links to.
    #[serde(default)]
    pub(super) link: Vec<String>,
    /// Components that it uses without linking to them.
    #[serde(default)]
    pub(super) needs: Vec<String>,
}

/// Component as written.
#[derive(Debug, Clone)]
pub(super) struct ComponentTable {
    pub(super) common: CommonTable,
    pub(super) kind: KindTable,
}

/// Further keys of a component, by its kind.
#[derive(Debug, Clone)]
pub(super) enum KindTable {
    Library(SharedTable),
    Shared(SharedTable),
    Static(StaticTable),
    Executable(ProgramTable),
    Extension(ExtensionTable),
    Cargo(CargoTable),
    Prebuilt(PrebuiltTable),
    Files(FilesTable),
    Configured(System, ConfiguredTable),
    Make(MakeTable),
    Command(CommandTable),
}

/// Kind of component.
struct KindRow {
    name: KindName,
    word: &'static str,
    keys: fn() -> &'static [&'static str],
    read: for<'i> fn(Spanned<DeValue<'i>>) -> Result<KindTable, toml::de::Error>,
    #[cfg(feature = "schema")]
    schema: fn(&mut schemars::SchemaGenerator) -> schemars::Schema,
}

macro_rules! kind {
    ($name:ident, $word:literal, $table:ty, $wrap:expr) => {
        KindRow {
            name: KindName::$name,
            word: $word,
            keys: keys::<$table>,
            read: |value| <$table>::deserialize(ValueDeserializer::from(value)).map($wrap),
            #[cfg(feature = "schema")]
            schema: <$table as schemars::JsonSchema>::json_schema,
        }
    };
}

/// All kinds, with the types of their tables.
static KINDS: [KindRow; 13] = [
    kind!(CLibrary, "c-library", SharedTable, KindTable::Library),
    kind!(CShared, "c-shared", SharedTable, KindTable::Shared),
    kind!(CStatic, "c-static", StaticTable, KindTable::Static),
    kind!(CExecutable, "c-executable", ProgramTable, KindTable::Executable),
    kind!(CExtension, "c-extension", ExtensionTable, KindTable::Extension),
    kind!(Cargo, "cargo", CargoTable, KindTable::Cargo),
    kind!(Prebuilt, "prebuilt", PrebuiltTable, KindTable::Prebuilt),
    kind!(Files, "files", FilesTable, KindTable::Files),
    kind!(Cmake, "cmake", ConfiguredTable, |t| KindTable::Configured(System::Cmake, t)),
    kind!(Make, "make", MakeTable, KindTable::Make),
    kind!(Autotools, "autotools", ConfiguredTable, |t| KindTable::Configured(System::Autotools, t)),
    kind!(Meson, "meson", ConfiguredTable, |t| KindTable::Configured(System::Meson, t)),
    kind!(Command, "command", CommandTable, KindTable::Command),
];

/// Returns the keys of a table type.
fn keys<T: DeserializeOwned>() -> &'static [&'static str] {
    /// Records the field names of a type during deserialization.
    struct Fields(&'static [&'static str]);
    impl<'de> Deserializer<'de> for &mut Fields {
        type Error = serde::de::value::Error;

        fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
            Err(serde::de::Error::custom("only the fields are read"))
        }

        fn deserialize_struct<V: Visitor<'de>>(
            self,
            _: &'static str,
            fields: &'static [&'static str],
            visitor: V,
        ) -> Result<V::Value, Self::Error> {
            self.0 = fields;
            self.deserialize_any(visitor)
        }

        forward_to_deserialize_any! {
            bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit
            unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
        }
    }
    let mut fields = Fields(&[]);
    drop(T::deserialize(&mut fields));
    fields.0
}

/// Reads the component at `key`. Adds its mistakes to `problems`.
pub(super) fn read(
    value: Spanned<DeValue<'_>>,
    key: &str,
    locator: &Locator<'_>,
    problems: &mut Vec<Problem>,
) -> Option<ComponentTable> {
    let span = value.span();
    let table = match value.into_inner() {
        DeValue::Table(table) => table,
        other => {
            let read = CommonTable::deserialize(ValueDeserializer::from(Spanned::new(span, other)));
            problems.extend(read.err().map(|error| locator.problem(&error)));
            return None;
        }
    };
    let of_all = keys::<CommonTable>();
    let (mut common, mut own) = (DeTable::new(), DeTable::new());
    for (name, value) in table {
        let part = if of_all.contains(&&**name.get_ref()) { &mut common } else { &mut own };
        part.insert(name, value);
    }
    let common = Spanned::new(span.clone(), DeValue::Table(common));
    let common = CommonTable::deserialize(ValueDeserializer::from(common));
    let common = common.map_err(|error| problems.push(locator.problem(&error))).ok()?;
    let row = KINDS.iter().find(|row| row.name == common.kind)?;
    let known = (row.keys)();
    let mut read = DeTable::new();
    for (name, value) in own {
        if known.contains(&&**name.get_ref()) {
            read.insert(name, value);
        } else {
            let name = name.get_ref();
            problems.push(unknown_key(&format!("{key}.{name}"), name, row, locator));
        }
    }
    let kind = (row.read)(Spanned::new(span, DeValue::Table(read)));
    let kind = kind.map_err(|error| problems.push(locator.problem(&error))).ok()?;
    Some(ComponentTable { common, kind })
}

/// Returns a problem for a key that components of the kind `row` do not have.
fn unknown_key(key: &str, name: &str, row: &KindRow, locator: &Locator<'_>) -> Problem {
    let owners: Vec<&str> =
        (KINDS.iter()).filter(|row| (row.keys)().contains(&name)).map(|row| row.word).collect();
    if !owners.is_empty() {
        let message = format!("a component of kind `{}` has no such key", row.word);
        return locator.at(key, message, Some(format!("it belongs to: {}", owners.join(", "))));
    }
    let known = || keys::<CommonTable>().iter().chain((row.keys)()).copied();
    let help = did_you_mean(name, known())
        .unwrap_or_else(|| format!("known here: {}", known().collect::<Vec<_>>().join(", ")));
    locator.at(key, format!("unknown key `{name}`"), Some(help))
}

/// `component`: [`read`] reads the list, with a type for each kind.
#[derive(Debug, Default)]
pub(super) struct Components;

impl<'de> Deserialize<'de> for Components {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::<IgnoredAny>::deserialize(deserializer).map(|_| Self)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Components {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Components".into()
    }

    /// Returns one alternative for each kind, with the keys of that kind alone.
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let common = <CommonTable as schemars::JsonSchema>::json_schema(generator).to_value();
        let kinds: Vec<serde_json::Value> = KINDS
            .iter()
            .map(|row| {
                let own = (row.schema)(generator).to_value();
                let mut schema = common.clone();
                if let (Some(all), Some(own)) =
                    (schema["properties"].as_object_mut(), own["properties"].as_object())
                {
                    all.extend(own.clone());
                    all.insert("kind".to_owned(), serde_json::json!({ "const": row.word }));
                }
                schema["description"] = own["description"].clone();
                schema
            })
            .collect();
        schemars::json_schema!({ "type": "array", "items": { "oneOf": kinds } })
    }
}

/// Operating system, in `os` lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) enum OsName {
    /// Linux.
    Linux,
    /// macOS.
    Macos,
    /// Windows.
    Windows,
}

impl OsName {
    pub(super) fn family(self) -> &'static str {
        match self {
            Self::Linux => "linux",
            Self::Macos => "macos",
            Self::Windows => "windows",
        }
    }
}

/// `source = { … }`: exactly one of `path`, `archive` and `crate`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct SourceTable {
    /// Directory, relative to this file.
    pub(super) path: Option<String>,
    /// Archive: a path relative to this file, or a URL.
    pub(super) archive: Option<String>,
    /// Crate, obtained through cargo and its registry settings.
    #[serde(rename = "crate")]
    pub(super) krate: Option<String>,
    /// Exact version of the crate.
    pub(super) version: Option<String>,
    /// SHA-256 of the archive; required for a URL.
    pub(super) sha256: Option<Digest>,
    /// Other URLs of the same archive.
    #[serde(default)]
    pub(super) mirrors: Vec<String>,
    /// Number of leading directories that are dropped from each path in the archive; one if absent.
    pub(super) strip_components: Option<u32>,
}

impl SourceTable {
    /// Returns the source that is the directory `path`.
    pub(super) fn directory(path: String) -> Self {
        Self { path: Some(path), ..Self::default() }
    }
}

/// `[[tool.wheelsmith.component.sources]]`: files that are compiled with the same arguments.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct SourcesTable {
    /// Globs of the files to compile.
    pub(super) files: Vec<SourcePath>,
    /// Globs of files to leave out.
    #[serde(default)]
    pub(super) exclude: Vec<SourcePath>,
    /// Language standard, such as `gnu99`.
    pub(super) std: Option<String>,
    /// Directories searched for headers.
    #[serde(default)]
    pub(super) include: Vec<SourcePath>,
    /// Macros: `true` defines the name alone, `false` does not define it, a text or number is its
    /// value.
    #[serde(default)]
    pub(super) define: BTreeMap<String, MacroValue>,
    /// Additional arguments of the compiler.
    #[serde(default)]
    pub(super) flags: Vec<String>,
}

/// Value of a macro.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum MacroValue {
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
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct HeadersTable {
    /// Globs of the headers.
    pub(super) files: Vec<SourcePath>,
    /// Directory below `include/` that they are copied to; `include/` itself if absent.
    pub(super) to: Option<WheelPath>,
}

/// `{ bin = "…" }`, `{ cdylib = "…" }`, `{ extension = "…", abi3 = "…" }` or `{ node-addon = "…" }`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct ArtifactTable {
    /// Name of a program.
    pub(super) bin: Option<String>,
    /// Name of a library of crate type `cdylib`.
    pub(super) cdylib: Option<String>,
    /// Import name of the extension module of Python that the package's library is:
    /// `demo._native`.
    pub(super) extension: Option<String>,
    /// Name of the addon of Node.js that the package's library is: `demo` for `demo.node`.
    pub(super) node_addon: Option<String>,
    /// Oldest Python of the stable ABI that the extension module keeps to: `3.9`.
    pub(super) abi3: Option<PlatformVersion>,
    /// Oldest Python of the free-threaded stable ABI that the extension module keeps to: `3.15`
    /// (PEP 803).
    pub(super) abi3t: Option<PlatformVersion>,
    /// Single Pythons that the extension module is compiled for: `3.12`, `3.13t`, `pypy3.11`.
    #[serde(default)]
    pub(super) python: Vec<PythonVersion>,
}

/// File that is copied unchanged.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct OutputTable {
    /// File or glob, relative to the root of the source.
    pub(super) from: SourcePath,
    /// Role, which determines the directory: `bin/`, `lib/`, `include/`, `share/`.
    pub(super) role: RoleName,
    /// Path in the runtime directory instead, for a single file.
    pub(super) to: Option<WheelPath>,
}

/// Role of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) enum RoleName {
    /// Program.
    Executable,
    /// Shared library.
    SharedLibrary,
    /// Static library.
    StaticLibrary,
    /// Header.
    Header,
    /// Other file.
    Data,
}

/// Archive of a prebuilt component for one target.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct TargetArchiveTable {
    /// Path relative to this file, or a URL.
    pub(super) archive: String,
    /// SHA-256 of the archive.
    pub(super) sha256: Digest,
    /// Other URLs of the same archive.
    #[serde(default)]
    pub(super) mirrors: Vec<String>,
    /// Number of leading directories that are dropped from each path in the archive; one if absent.
    pub(super) strip_components: Option<u32>,
    /// Files that are taken from it, instead of the component's `outputs`.
    #[serde(default)]
    pub(super) outputs: Vec<OutputTable>,
}
