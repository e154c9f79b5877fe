//! The tables of a configuration file, as they are written: one field for each key.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::data_table::DataTable;
use super::kinds::Components;
use super::{
    Archive, Compression, Crates, CxxRuntime, Destination, External, Installer, Npm, Override,
    Sdist, Sdk, Tree, VersionSite, testing,
};
use crate::finding::{Code, Date, Level, Severity};
use crate::metadata::ProjectTable;
use crate::name::{Index, PlatformVersion, ProjectName, PythonTag, Target, WheelPath};
use crate::toolchain::{Optimize, Strip, ToolchainKind};

/// Tables that wheelsmith reads. Other tables belong to other tools.
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
    /// Configuration of wheelsmith.
    pub(super) wheelsmith: Option<ConfigTable>,
}

/// `[tool.wheelsmith]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct ConfigTable {
    /// Targets of `--target all`, and of builds that name no target. A target is a triple with an
    /// optional glibc or macOS floor: `aarch64-unknown-linux-gnu.2.28`.
    #[serde(default)]
    pub(super) targets: Vec<Target>,
    /// Compiler: `auto` (zig unless `CC_<target>` names another), `zig`, `native`,
    /// `cross-gcc`, `clang`, `env`.
    #[serde(default)]
    pub(super) toolchain: ToolchainKind,
    /// Path of the zig program, relative to this file; searched for if absent.
    pub(super) zig: Option<String>,
    /// Oldest glibc on which the files must run; by default that of the target (2.17 for most). A
    /// file that requires a newer one is an error.
    pub(super) glibc: Option<PlatformVersion>,
    /// Oldest macOS on which the files must run.
    pub(super) macos_min: Option<PlatformVersion>,
    /// Symbols that are removed from programs and libraries: `all`, `debug`, `none`.
    #[serde(default)]
    pub(super) strip: Strip,
    /// Optimization level of the compiler: `"0"`, `"1"`, `"2"`, `"3"`, `"s"`.
    #[serde(default)]
    pub(super) optimize: Optimize,
    /// C++ runtime of programs and shared libraries: `auto`, `shared` (one libc++ for all, which is
    /// added to the wheel), `static` (a private one in each file), `system` (libstdc++ of gcc).
    #[serde(default)]
    pub(super) cxx_runtime: CxxRuntime,
    /// Compression level of wheels: `fast`, `default`, `best`, or `store` for none.
    #[serde(default)]
    pub(super) compression: Compression,
    /// Components to build.
    #[serde(default)]
    #[allow(
        dead_code,
        reason = "the list is read by the type of each kind; its key must be known"
    )]
    pub(super) component: Components,
    /// Wheels to pack; one wheel from `[project]` if absent, none if it is `[]`.
    pub(super) wheel: Option<Vec<WheelTable>>,
    /// Archives that C programs are compiled against.
    #[serde(default)]
    pub(super) sdk: Vec<Sdk>,
    /// Archives of programs and libraries, one for each target.
    #[serde(default)]
    pub(super) archive: Vec<Archive>,
    /// npm packages: a main package, and one for each target.
    #[serde(default)]
    pub(super) npm: Vec<Npm>,
    /// Crates that cargo packages.
    #[serde(default)]
    pub(super) crates: Vec<Crates>,
    /// Scripts that install an archive.
    #[serde(default)]
    pub(super) installer: Vec<Installer>,
    /// Archives of whole installations that run wherever they are unpacked.
    #[serde(default)]
    pub(super) tree: Vec<Tree>,
    /// Settings of single targets, by triple.
    #[serde(default)]
    pub(super) target: BTreeMap<String, Override>,
    /// Settings of `wheelsmith audit`, which `wheelsmith build` applies as well.
    #[serde(default)]
    pub(super) audit: AuditTable,
    /// Settings of `wheelsmith check`.
    #[serde(default)]
    pub(super) check: CheckTable,
    /// Source of the version, if `project.dynamic` has `version`.
    pub(super) version: Option<VersionTable>,
    /// Use of the commit that a build is made from.
    pub(super) commit: Option<super::Commit>,
    /// Files of the source distribution.
    #[serde(default)]
    pub(super) sdist: Sdist,
    /// Settings of `wheelsmith test`.
    #[serde(default)]
    pub(super) test: testing::Settings,
    /// Registries to publish to, by destination: `release.public`, `release.local`.
    #[serde(default)]
    pub(super) release: BTreeMap<String, Destination>,
}

/// `version = { from = …, sites = […] }`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct VersionTable {
    /// Kind of source; `[project] version` if absent.
    pub(super) from: Option<VersionFrom>,
    /// Further places with the version, which `wheelsmith version` keeps equal: `Cargo.toml`,
    /// `package.json`, Python modules, headers, or any file with a pattern.
    #[serde(default)]
    pub(super) sites: Vec<VersionSite>,
    /// cargo: component whose `Cargo.toml` contains the version; the only one if absent.
    pub(super) component: Option<String>,
    /// cargo: path of the `Cargo.toml`, relative to this file, if it is not that of a component.
    pub(super) manifest: Option<String>,
    /// python, toml: path of the file, relative to this file; `version.toml` if absent.
    pub(super) path: Option<String>,
    /// python: name that is assigned; `__version__` if absent.
    pub(super) attribute: Option<String>,
    /// vcs: prefix of the version in a tag; an optional `v` if absent.
    pub(super) tag_prefix: Option<String>,
    /// vcs: whether versions between two tags contain the commit (`1.3.dev5+gabc`), which indexes
    /// refuse; true if absent.
    pub(super) local: Option<bool>,
}

/// Source of a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) enum VersionFrom {
    /// `Cargo.toml`.
    Cargo,
    /// Text that a Python module assigns.
    Python,
    /// Key `version` of a TOML file.
    Toml,
    /// Tag of git.
    Vcs,
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
    /// Libraries that exist on every user's system, by name or pattern: `libcuda.so*`.
    #[serde(default)]
    pub(super) exclude: Vec<String>,
    /// Lowest severity that makes the exit code 1; `error` if absent.
    pub(super) fail_on: Option<Severity>,
    /// Severity of findings by code: `error`, `warning`, `info`, or `ignore` to hide them.
    #[serde(default)]
    pub(super) severity: BTreeMap<Code, Level>,
    /// Findings that are waived; they remain in the report.
    #[serde(default)]
    pub(super) waivers: Vec<WaiverTable>,
}

/// `[tool.wheelsmith.check]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct CheckTable {
    /// Index on which the wheels are published; `pypi` if absent.
    pub(super) index: Option<Index>,
    /// Size from which a file requires a request to the index, in MiB; 100 if absent.
    pub(super) large_file: Option<u32>,
    /// Size of the largest file that the index accepts for this project, in MiB; 1024 if absent.
    pub(super) file_limit: Option<u32>,
    /// Lowest severity that makes the exit code 1; `error` if absent.
    pub(super) fail_on: Option<Severity>,
    /// Severity of findings by code: `error`, `warning`, `info`, or `ignore` to hide them.
    #[serde(default)]
    pub(super) severity: BTreeMap<Code, Level>,
    /// Findings that are waived; they remain in the report.
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
    /// Files in which it is waived, as a pattern of paths in the wheel; all if absent.
    pub(super) file: Option<String>,
    /// Reason.
    pub(super) reason: String,
    /// Last day of the waiver: `2027-01-31`.
    pub(super) until: Option<Date>,
}

/// `[[tool.wheelsmith.wheel]]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct WheelTable {
    /// Project name of the wheel; that of the project if absent.
    pub(super) name: Option<ProjectName>,
    /// Components whose files it contains; all if absent.
    pub(super) components: Option<Vec<String>>,
    /// Directory in the wheel for the runtime's `bin/` and `lib/`; `<name>/_runtime` if absent.
    pub(super) into: Option<WheelPath>,
    /// Directory of Python files. If absent, the first of `src`, `python` and the project directory
    /// that contains the package.
    pub(super) python_source: Option<String>,
    /// Globs of files below `python-source` to include; the package `<name>/**` if absent. Ignored
    /// files are included only if named without a pattern.
    pub(super) include: Option<Vec<String>>,
    /// Globs of files below `python-source` to exclude.
    #[serde(default)]
    pub(super) exclude: Vec<String>,
    /// Console commands that start a program of the runtime: `command = "program"`.
    #[serde(default)]
    pub(super) console: BTreeMap<String, String>,
    /// Python and ABI tags; those of its extension modules if absent, or else `py3-none`.
    pub(super) tag: Option<PythonTag>,
    /// Build tag: a number, optionally followed by letters.
    pub(super) build: Option<String>,
    /// Whether the runtime is in a wheel of its own, `<name>-runtime`, which the wheels with
    /// extension modules require; false if absent.
    #[serde(default)]
    pub(super) split: bool,
    /// Whether the wheel contains an SBOM (PEP 770); true if absent.
    pub(super) sbom: Option<bool>,
    /// Treatment of libraries that are neither in the wheel nor guaranteed by the policy: `deny`
    /// (the default: they are errors) or `bundle` (they are copied into the wheel).
    pub(super) external: Option<External>,
    /// Directories in which such libraries are searched, after those of the components; relative to
    /// this file.
    #[serde(default)]
    pub(super) library_path: Vec<String>,
    /// Files that installers put beside the packages: `{ scripts = […], headers = […], data = […]
    /// }`.
    #[serde(default)]
    pub(super) data: DataTable,
}
