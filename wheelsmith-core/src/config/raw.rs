//! The configuration as it is written. Everything here mirrors a key of the file.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::raw_data::RawData;
use super::raw_run::RawRun;
use super::testing::{Installer, Request, Way};
use super::{Compression, External, SourcePath};
use crate::finding::{Code, Date, Level, Severity};
use crate::metadata::ProjectTable;
use crate::name::{Digest, Index, PlatformVersion, ProjectName, PythonTag, Target, WheelPath};
use crate::toolchain::{Optimize, Strip, ToolchainKind};

/// The tables that wheelsmith reads; others belong to other tools.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct RawFile {
    /// Metadata of the Python project (PEP 621).
    pub(super) project: Option<ProjectTable>,
    /// Tables of tools.
    #[serde(default)]
    pub(super) tool: RawTools,
}

/// `[tool]`.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct RawTools {
    /// What wheelsmith builds and packs.
    pub(super) wheelsmith: Option<RawConfig>,
}

/// `[tool.wheelsmith]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct RawConfig {
    /// What `--target all` stands for, and what is built when no target is named. A target is a
    /// triple, with a libc floor behind it where wanted: `aarch64-unknown-linux-gnu.2.28`.
    #[serde(default)]
    pub(super) targets: Vec<Target>,
    /// Which compiler is used: `auto` (zig unless `CC_<target>` names another), `zig`, `native`,
    /// `cross-gcc`, `clang`, `env`.
    #[serde(default)]
    pub(super) toolchain: ToolchainKind,
    /// The zig program to use, relative to this file, instead of the one that is found.
    pub(super) zig: Option<String>,
    /// The oldest glibc that everything must still run on; the default is the target table's
    /// (2.17 for most). A binary that needs a newer one is an error.
    pub(super) glibc: Option<PlatformVersion>,
    /// The oldest macOS that everything must still run on.
    pub(super) macos_min: Option<PlatformVersion>,
    /// What is removed from programs and libraries: `all`, `debug`, `none`.
    #[serde(default)]
    pub(super) strip: Strip,
    /// The compiler's optimisation level: `"0"`, `"1"`, `"2"`, `"3"`, `"s"`.
    #[serde(default)]
    pub(super) optimize: Optimize,
    /// How hard wheels are compressed: `fast`, `default`, `best`, or `store` for not at all.
    #[serde(default)]
    pub(super) compression: Compression,
    /// What is built.
    #[serde(default)]
    pub(super) component: Vec<RawComponent>,
    /// What is packed; one wheel from `[project]` when absent, none when it is `[]`.
    pub(super) wheel: Option<Vec<RawWheel>>,
    /// Archives that C programs are compiled against.
    #[serde(default)]
    pub(super) sdk: Vec<RawSdk>,
    /// What is different for a target, by triple.
    #[serde(default)]
    pub(super) target: BTreeMap<String, RawOverride>,
    /// What `wheelsmith audit` lets pass.
    #[serde(default)]
    pub(super) audit: RawAudit,
    /// What `wheelsmith check` lets pass.
    #[serde(default)]
    pub(super) check: RawCheck,
    /// Where the version is, when `project.dynamic` has `version`.
    pub(super) version: Option<RawVersion>,
    /// What the source distribution holds.
    #[serde(default)]
    pub(super) sdist: RawSdist,
    /// How `wheelsmith test` tries the wheels.
    #[serde(default)]
    pub(super) test: RawTest,
}

/// `[tool.wheelsmith.test]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct RawTest {
    /// The Pythons to use: `3.12`, `3.13t`, `pypy3.10`, or a path; each must be there. Every one
    /// that is found when empty.
    #[serde(default)]
    pub(super) python: Vec<Request>,
    /// How the wheels are installed: `venv`, `target`, `user`, `prefix`; `venv` when absent.
    pub(super) install: Option<Vec<Way>>,
    /// Who installs them: `pip` or `uv`; `pip` when absent.
    #[serde(default)]
    pub(super) installer: Installer,
    /// What must be importable; what the wheel's files say when absent.
    pub(super) import: Option<Vec<String>>,
    /// Commands that must end well, such as `demo --version`.
    #[serde(default)]
    pub(super) smoke: Vec<String>,
    /// The test command, such as `python -m pytest tests`.
    pub(super) command: Option<String>,
    /// Globs of the project's files that the commands need; nothing else of the project is there.
    #[serde(default)]
    pub(super) files: Vec<String>,
    /// What is installed besides the wheel, such as `pytest>=8` (PEP 508).
    #[serde(default)]
    pub(super) requires: Vec<String>,
    /// Variables that the commands get.
    #[serde(default)]
    pub(super) env: BTreeMap<String, String>,
    /// Names of variables that the commands keep from the environment of `wheelsmith test`.
    #[serde(default)]
    pub(super) pass_env: Vec<String>,
    /// Whether each cell first proves that neither module nor command is there without the wheel;
    /// it does when absent.
    pub(super) absence: Option<bool>,
    /// How long a cell may take, in seconds; 600 when absent.
    pub(super) timeout_secs: Option<u64>,
    /// How many tests a cell may skip; any number when absent.
    pub(super) max_skipped: Option<u32>,
    /// Patterns of cells that must pass, such as `*-cp312-*`; each must name a cell.
    #[serde(default)]
    pub(super) required: Vec<String>,
    /// Patterns of cells that may fail.
    #[serde(default)]
    pub(super) allowed_failures: Vec<String>,
}

/// `version = { from = … }`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct RawVersion {
    /// Where it is.
    pub(super) from: RawVersionFrom,
    /// cargo: the component whose `Cargo.toml` has it; the only one when absent.
    pub(super) component: Option<String>,
    /// cargo: the `Cargo.toml`, relative to this file, where it is no component's.
    pub(super) manifest: Option<String>,
    /// python: the module, relative to this file.
    pub(super) path: Option<String>,
    /// python: the name that is assigned; `__version__` when absent.
    pub(super) attribute: Option<String>,
    /// vcs: what stands before the version in a tag; `v` or nothing when absent.
    pub(super) tag_prefix: Option<String>,
    /// vcs: whether versions between two tags have the commit in them (`1.3.dev5+gabc`), which
    /// indexes refuse; they do when absent.
    pub(super) local: Option<bool>,
}

/// Where a version is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) enum RawVersionFrom {
    /// In a `Cargo.toml`.
    Cargo,
    /// In a text that a Python module assigns.
    Python,
    /// In a tag of git.
    Vcs,
}

/// `[tool.wheelsmith.sdist]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct RawSdist {
    /// Globs of the files to take, relative to this file; what version control tracks when absent.
    /// Files that it ignores are taken only when named without a pattern.
    pub(super) include: Option<Vec<String>>,
    /// Globs of files to leave out.
    #[serde(default)]
    pub(super) exclude: Vec<String>,
}

/// `[tool.wheelsmith.audit]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct RawAudit {
    /// The platform tag that files must earn, in place of what a wheel's name claims:
    /// `manylinux_2_28_x86_64`, or `manylinux_2_28` for any processor.
    pub(super) policy: Option<String>,
    /// Libraries that are there wherever the wheels are used, by name or pattern: `libcuda.so*`.
    #[serde(default)]
    pub(super) exclude: Vec<String>,
    /// How bad a finding must be for exit code 1; `error` when absent.
    pub(super) fail_on: Option<Severity>,
    /// How bad findings of a code are: `error`, `warning`, `info`, or `ignore` to hide them.
    #[serde(default)]
    pub(super) severity: BTreeMap<Code, Level>,
    /// Findings that are let pass; they stay visible.
    #[serde(default)]
    pub(super) waivers: Vec<RawWaiver>,
}

/// `[tool.wheelsmith.check]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct RawCheck {
    /// Where the wheels are to be published; `pypi` when absent.
    pub(super) index: Option<Index>,
    /// From which size on a file is larger than the index takes without being asked, in MiB; 100
    /// when absent.
    pub(super) large_file: Option<u32>,
    /// The largest file that the index takes for this project, in MiB; 1024 when absent.
    pub(super) file_limit: Option<u32>,
    /// How bad a finding must be for exit code 1; `error` when absent.
    pub(super) fail_on: Option<Severity>,
    /// How bad findings of a code are: `error`, `warning`, `info`, or `ignore` to hide them.
    #[serde(default)]
    pub(super) severity: BTreeMap<Code, Level>,
    /// Findings that are let pass; they stay visible.
    #[serde(default)]
    pub(super) waivers: Vec<RawWaiver>,
}

/// `[[tool.wheelsmith.audit.waivers]]` and `[[tool.wheelsmith.check.waivers]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct RawWaiver {
    /// The code of the finding.
    pub(super) code: Code,
    /// The files in which it is let pass, as a pattern of paths in the wheel; all when absent.
    pub(super) file: Option<String>,
    /// Why.
    pub(super) reason: String,
    /// The last day on which it is let pass: `2027-01-31`.
    pub(super) until: Option<Date>,
}

/// What a component is made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) enum RawKind {
    /// A shared library from C, and a static one of the same objects.
    CLibrary,
    /// A shared library from C.
    CShared,
    /// A static library from C.
    CStatic,
    /// A program from C.
    CExecutable,
    /// Libraries and programs of a Rust package.
    Cargo,
    /// Binaries that somebody else built.
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

/// `[[tool.wheelsmith.component]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct RawComponent {
    /// Its name: how others link to it, and what its library or program is called.
    pub(super) name: String,
    /// What it is made from.
    pub(super) kind: RawKind,
    /// Its own version, for the manifest.
    pub(super) version: Option<String>,
    /// Its licence, as an SPDX expression.
    pub(super) license: Option<String>,
    /// Its licence files (globs), which every wheel that carries it must contain.
    #[serde(default)]
    pub(super) license_files: Vec<SourcePath>,
    /// Where its source comes from; the project directory when absent.
    pub(super) source: Option<RawSource>,
    /// The operating systems that it is for (`linux`, `macos`, `windows`); all when absent.
    pub(super) os: Option<Vec<RawOs>>,
    /// Components that it links to.
    #[serde(default)]
    pub(super) link: Vec<String>,
    /// cmake, make, autotools, meson, command: components that it uses without linking to them.
    #[serde(default)]
    pub(super) needs: Vec<String>,
    /// C: what is compiled, and how.
    #[serde(default)]
    pub(super) sources: Vec<RawSources>,
    /// C: the name that users of the library are linked against, such as `libbpf.so.1`.
    pub(super) soname: Option<String>,
    /// C: the linker's version script.
    pub(super) version_script: Option<SourcePath>,
    /// Libraries of the system to link to, such as `m` or `pthread`; of a static library, what
    /// those who link to it must link to as well.
    pub(super) libraries: Option<Vec<String>>,
    /// C: frameworks to link to on macOS, such as `CoreFoundation`; without effect elsewhere.
    pub(super) frameworks: Option<Vec<String>>,
    /// Further arguments of the link line.
    pub(super) link_flags: Option<Vec<String>>,
    /// C: accept symbols that nothing provides (a plugin whose host provides them).
    pub(super) allow_undefined: Option<bool>,
    /// C: headers that go into the runtime's `include/`.
    pub(super) headers: Option<Vec<RawHeaders>>,
    /// cargo: the package's `Cargo.toml`.
    pub(super) manifest: Option<SourcePath>,
    /// cargo: what is taken from the build.
    #[serde(default)]
    pub(super) artifacts: Vec<RawArtifact>,
    /// cargo: the profile; `release` when absent.
    pub(super) profile: Option<String>,
    /// cargo: features to enable.
    pub(super) features: Option<Vec<String>>,
    /// cargo: whether default features are enabled; they are when absent.
    pub(super) default_features: Option<bool>,
    /// cargo: whether `Cargo.lock` must be there and current; it must when absent.
    pub(super) locked: Option<bool>,
    /// cmake, make, autotools, meson, command: the directory of the source in which the build
    /// starts; its root when absent.
    pub(super) dir: Option<WheelPath>,
    /// cmake, autotools, meson: further arguments of the configuration.
    #[serde(default)]
    pub(super) configure: Vec<String>,
    /// cmake, make, autotools, meson: what is built, and further arguments of that step.
    #[serde(default)]
    pub(super) build: Vec<String>,
    /// cmake, make, autotools, meson: what installs; `["install"]` when absent. With an empty list
    /// nothing is installed, and outputs come from `{build}/`.
    pub(super) install: Option<Vec<String>>,
    /// command: what is run, one after the other; each a list of a program and its arguments.
    #[serde(default)]
    pub(super) run: Vec<RawRun>,
    /// command: whether each entry of `run` is a line for `/bin/sh` instead.
    pub(super) shell: Option<bool>,
    /// cmake, make, autotools, meson, command: further variables of every step.
    #[serde(default)]
    pub(super) env: BTreeMap<String, String>,
    /// cmake, make, autotools, meson, command: further arguments of the compilers.
    #[serde(default)]
    pub(super) flags: Vec<String>,
    /// cmake, make, autotools, meson, command: where it believes to be installed; `/usr` when
    /// absent.
    pub(super) prefix: Option<String>,
    /// What is taken: from the source (prebuilt, files) or from what was installed.
    #[serde(default)]
    pub(super) outputs: Vec<RawOutput>,
    /// prebuilt: the archive for each target, by triple.
    #[serde(default)]
    pub(super) archive: BTreeMap<String, RawTargetArchive>,
}

/// An operating system, in `os` lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) enum RawOs {
    /// Linux.
    Linux,
    /// macOS.
    Macos,
    /// Windows.
    Windows,
}

impl RawOs {
    pub(super) fn family(self) -> &'static str {
        match self {
            Self::Linux => "linux",
            Self::Macos => "macos",
            Self::Windows => "windows",
        }
    }
}

/// `source = { … }`: exactly one of `path`, `archive` and `crate`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct RawSource {
    /// A directory, relative to this file.
    pub(super) path: Option<String>,
    /// An archive: a path relative to this file, or a URL.
    pub(super) archive: Option<String>,
    /// A crate, obtained through cargo and its registry settings.
    #[serde(rename = "crate")]
    pub(super) krate: Option<String>,
    /// The crate's exact version.
    pub(super) version: Option<String>,
    /// The archive's sha256; a URL must have one.
    pub(super) sha256: Option<Digest>,
    /// Other URLs of the same archive.
    #[serde(default)]
    pub(super) mirrors: Vec<String>,
    /// How many leading directories of each path in the archive are dropped; one when absent.
    pub(super) strip_components: Option<u32>,
}

/// `[[tool.wheelsmith.component.sources]]`: files that are compiled alike.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct RawSources {
    /// Globs of the files to compile.
    pub(super) files: Vec<SourcePath>,
    /// Globs of files to leave out.
    #[serde(default)]
    pub(super) exclude: Vec<SourcePath>,
    /// The language standard, such as `gnu99`.
    pub(super) std: Option<String>,
    /// Directories searched for headers.
    #[serde(default)]
    pub(super) include: Vec<SourcePath>,
    /// Macros: `true` defines the name alone, `false` does not, a text or number is its value.
    #[serde(default)]
    pub(super) define: BTreeMap<String, RawDefine>,
    /// Further arguments of the compiler.
    #[serde(default)]
    pub(super) flags: Vec<String>,
}

/// The value of a macro.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum RawDefine {
    /// Defined without a value, or not at all.
    Flag(bool),
    /// Its value.
    Value(String),
}

impl<'de> Deserialize<'de> for RawDefine {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = RawDefine;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`true`, `false`, a number or a text")
            }

            fn visit_bool<E>(self, value: bool) -> Result<RawDefine, E> {
                Ok(RawDefine::Flag(value))
            }

            fn visit_i64<E>(self, value: i64) -> Result<RawDefine, E> {
                Ok(RawDefine::Value(value.to_string()))
            }

            fn visit_str<E>(self, value: &str) -> Result<RawDefine, E> {
                Ok(RawDefine::Value(value.to_owned()))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for RawDefine {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Define".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": ["boolean", "integer", "string"] })
    }
}

/// Headers for the runtime's `include/`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct RawHeaders {
    /// Globs of the headers.
    pub(super) files: Vec<SourcePath>,
    /// The directory below `include/` that they land in; `include/` itself when absent.
    pub(super) to: Option<WheelPath>,
}

/// `{ bin = "…" }` or `{ cdylib = "…" }`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct RawArtifact {
    /// The name of a program.
    pub(super) bin: Option<String>,
    /// The name of a library of crate type `cdylib`.
    pub(super) cdylib: Option<String>,
}

/// A file that is taken as it is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct RawOutput {
    /// The file (or a glob), relative to the source's root.
    pub(super) from: SourcePath,
    /// What it is; decides where it lands: `bin/`, `lib/`, `include/`, `share/`.
    pub(super) role: RawRole,
    /// Where it lands instead: a path in the runtime directory, for a single file.
    pub(super) to: Option<WheelPath>,
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) enum RawRole {
    /// A program.
    Executable,
    /// A shared library.
    SharedLibrary,
    /// A static library.
    StaticLibrary,
    /// A header.
    Header,
    /// Anything else.
    Data,
}

/// The archive of a prebuilt component for one target.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct RawTargetArchive {
    /// A path relative to this file, or a URL.
    pub(super) archive: String,
    /// Its sha256.
    pub(super) sha256: Digest,
    /// Other URLs of the same archive.
    #[serde(default)]
    pub(super) mirrors: Vec<String>,
    /// How many leading directories of each path in the archive are dropped; one when absent.
    pub(super) strip_components: Option<u32>,
    /// What is taken from it, instead of the component's `outputs`.
    #[serde(default)]
    pub(super) outputs: Vec<RawOutput>,
}

/// `[[tool.wheelsmith.wheel]]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct RawWheel {
    /// The wheel's project name; the project's when absent.
    pub(super) name: Option<ProjectName>,
    /// The components whose files it carries; every one when absent.
    pub(super) components: Option<Vec<String>>,
    /// The directory in the wheel that the runtime's `bin/` and `lib/` land in; `<name>/_runtime`
    /// when absent.
    pub(super) into: Option<WheelPath>,
    /// The directory of Python files; `src`, `python` or the project directory when absent,
    /// whichever has the package.
    pub(super) python_source: Option<String>,
    /// Globs of files below `python-source` to take; the package `<name>/**` when absent. Files
    /// that version control ignores are taken only when named without a pattern.
    pub(super) include: Option<Vec<String>>,
    /// Globs of files below `python-source` to leave out.
    #[serde(default)]
    pub(super) exclude: Vec<String>,
    /// Console commands that start a program of the runtime: `command = "program"`.
    #[serde(default)]
    pub(super) console: BTreeMap<String, String>,
    /// The Python and ABI tags; `py3-none` when absent.
    pub(super) tag: Option<PythonTag>,
    /// The build tag: a number, with letters behind it where wanted.
    pub(super) build: Option<String>,
    /// Whether the wheel lists what it is made of (PEP 770); it does when absent.
    pub(super) sbom: Option<bool>,
    /// What becomes of libraries that the wheel needs and neither has nor is promised: `deny`
    /// (the default: they are errors) or `bundle` (they are copied into the wheel).
    pub(super) external: Option<External>,
    /// Directories in which such libraries are looked for, after those of the components; relative
    /// to this file.
    #[serde(default)]
    pub(super) library_path: Vec<String>,
    /// Files that installers put beside the packages: `{ scripts = […], headers = […], data = […] }`.
    #[serde(default)]
    pub(super) data: RawData,
}

/// `[[tool.wheelsmith.sdk]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct RawSdk {
    /// What the archive is called in front of its version; as the project when absent.
    pub(super) name: Option<String>,
    /// The components whose libraries, headers and licences it has, and with them what these link
    /// to; every one that has libraries or headers when absent.
    pub(super) components: Option<Vec<String>>,
}

/// `[tool.wheelsmith.target.<triple>]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct RawOverride {
    /// The floor for this target.
    pub(super) glibc: Option<PlatformVersion>,
    /// The oldest macOS for this target.
    pub(super) macos_min: Option<PlatformVersion>,
    /// The toolchain for this target.
    pub(super) toolchain: Option<ToolchainKind>,
    /// clang: the directory of the target's libraries and headers.
    pub(super) sysroot: Option<String>,
    /// Directories of libraries for this target, searched before a wheel's own `library-path`.
    #[serde(default)]
    pub(super) library_path: Vec<String>,
    /// What is added to a component for this target, by name.
    #[serde(default)]
    pub(super) component: BTreeMap<String, RawComponentOverride>,
}

/// `[tool.wheelsmith.target.<triple>.component.<name>]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct RawComponentOverride {
    /// Further arguments of the compiler.
    #[serde(default)]
    pub(super) flags: Vec<String>,
    /// Further arguments of the link line.
    #[serde(default)]
    pub(super) link_flags: Vec<String>,
    /// Further features of a cargo component.
    #[serde(default)]
    pub(super) features: Vec<String>,
    /// Further arguments of the configuration of a cmake, autotools or meson component.
    #[serde(default)]
    pub(super) configure: Vec<String>,
}
