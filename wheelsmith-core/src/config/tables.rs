//! The configuration as it is written. Everything here mirrors a key of the file.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::component_tables::Components;
use super::data_table::DataTable;
use super::testing::{Installer, Request, Way};
use super::{Compression, External};
use crate::finding::{Code, Date, Level, Severity};
use crate::metadata::ProjectTable;
use crate::name::{Index, PlatformVersion, ProjectName, PythonTag, Target, WheelPath};
use crate::toolchain::{Optimize, Strip, ToolchainKind};

/// The tables that wheelsmith reads; others belong to other tools.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct FileTable {
    /// Metadata of the Python project (PEP 621).
    pub(super) project: Option<ProjectTable>,
    /// Tables of tools.
    #[serde(default)]
    pub(super) tool: ToolsTable,
}

/// `[tool]`.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct ToolsTable {
    /// What wheelsmith builds and packs.
    pub(super) wheelsmith: Option<ConfigTable>,
}

/// `[tool.wheelsmith]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct ConfigTable {
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
    /// Components to build.
    #[serde(default)]
    #[allow(
        dead_code,
        reason = "the list is read by the type of each kind; its key must be known"
    )]
    pub(super) component: Components,
    /// What is packed; one wheel from `[project]` when absent, none when it is `[]`.
    pub(super) wheel: Option<Vec<WheelTable>>,
    /// Archives that C programs are compiled against.
    #[serde(default)]
    pub(super) sdk: Vec<SdkTable>,
    /// What is different for a target, by triple.
    #[serde(default)]
    pub(super) target: BTreeMap<String, OverrideTable>,
    /// What `wheelsmith audit` lets pass.
    #[serde(default)]
    pub(super) audit: AuditTable,
    /// What `wheelsmith check` lets pass.
    #[serde(default)]
    pub(super) check: CheckTable,
    /// Where the version is, when `project.dynamic` has `version`.
    pub(super) version: Option<VersionTable>,
    /// What the source distribution holds.
    #[serde(default)]
    pub(super) sdist: SdistTable,
    /// How `wheelsmith test` tries the wheels.
    #[serde(default)]
    pub(super) test: TestTable,
}

/// `[tool.wheelsmith.test]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct TestTable {
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
pub(super) struct VersionTable {
    /// Where it is.
    pub(super) from: VersionFrom,
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
pub(super) enum VersionFrom {
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
pub(super) struct SdistTable {
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
pub(super) struct AuditTable {
    /// Platform tag to judge by, instead of that of a wheel's name: `manylinux_2_28_x86_64`, or
    /// `manylinux_2_28` for the processor of the files.
    #[serde(alias = "policy")]
    pub(super) tag: Option<String>,
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
    pub(super) waivers: Vec<WaiverTable>,
}

/// `[tool.wheelsmith.check]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct CheckTable {
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
    pub(super) waivers: Vec<WaiverTable>,
}

/// `[[tool.wheelsmith.audit.waivers]]` and `[[tool.wheelsmith.check.waivers]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct WaiverTable {
    /// The code of the finding.
    pub(super) code: Code,
    /// The files in which it is let pass, as a pattern of paths in the wheel; all when absent.
    pub(super) file: Option<String>,
    /// Why.
    pub(super) reason: String,
    /// The last day on which it is let pass: `2027-01-31`.
    pub(super) until: Option<Date>,
}

/// `[[tool.wheelsmith.wheel]]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct WheelTable {
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
    pub(super) data: DataTable,
}

/// `[[tool.wheelsmith.sdk]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct SdkTable {
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
pub(super) struct OverrideTable {
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
    pub(super) component: BTreeMap<String, ComponentOverrideTable>,
}

/// `[tool.wheelsmith.target.<triple>.component.<name>]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct ComponentOverrideTable {
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
