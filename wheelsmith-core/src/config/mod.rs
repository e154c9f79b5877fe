//! Configuration: components to build, their targets, and packages to create.
//!
//! [`parse`] is pure: it reads only the text. It reports all mistakes of a file in one run, with
//! line, key and, if possible, the correct spelling.

mod archive;
mod build_system;
mod builder;
mod check;
mod component;
mod compression;
mod crates;
mod cxx_runtime;
mod data_table;
mod diagnose;
#[cfg(feature = "project")]
mod edit;
mod extension;
mod git_source;
mod go;
mod installer;
mod kinds;
mod library;
mod load;
mod name_pattern;
mod names;
mod npm;
mod output;
mod package_files;
mod python;
mod recipe;
mod release;
#[cfg(feature = "schema")]
mod schema;
mod source_path;
mod source_table;
mod tables;
pub mod testing;
#[cfg(test)]
mod tests;
mod tree;
mod version_site;
mod words;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::finding::{Settings, Severity};
use crate::metadata::ProjectTable;
use crate::name::{Digest, Index, PlatformVersion, ProjectName, PythonTag, Target, WheelPath};
use crate::toolchain::{Optimize, Strip, ToolchainKind};

pub use archive::{Archive, ArchiveFormat, ArchiveNames};
pub use builder::ConfigBuilder;
pub use component::{
    Artifact, Bpf, C, CForm, Cargo, Component, Files, Headers, Kind, OtherLibc, Prebuilt,
    SourceGroup, SourceLanguage,
};
pub use compression::Compression;
pub use crates::Crates;
pub use cxx_runtime::CxxRuntime;
pub use diagnose::{Error, Problem};
#[cfg(feature = "project")]
pub(crate) use edit::{Change, change};
pub use extension::Extension;
pub use git_source::GitSource;
pub use go::{BuildMode, Go};
pub use installer::{ArchiveUrl, Installer};
pub use library::Library;
pub use load::{CONFIG_FILES, LoadError, find_settings};
pub use name_pattern::{NamePattern, NameValues};
pub use npm::{Npm, NpmPlatform};
pub use output::{Output, Role};
pub use package_files::PackageFiles;
pub use recipe::{PLACEHOLDERS, Recipe, Run, System, fill};
pub use release::{CratesRegistry, Destination, NpmRegistry, PypiRegistry};
#[cfg(feature = "schema")]
pub use schema::schema;
pub use source_path::SourcePath;
pub use tree::{Allowed, ByteCode, Tree, TreeKind, TreeTest, Variant};
pub use version_site::{SiteTable, VersionForm, VersionSite};

/// Parses and validates the configuration in `text`; `file` is its name in messages.
///
/// # Errors
/// Returns every unknown key, wrong type, contradiction and unknown name in the file.
///
/// ```
/// let error = wheelsmith_core::config::parse("demo.toml", "[tool.wheelsmith]\ntarget = 3\n\
///     tragets = []\n").unwrap_err();
/// assert!(error.to_string().starts_with("demo.toml:2:"));
/// ```
pub fn parse(file: &str, text: &str) -> Result<Config, Error> {
    check::parse(file, text, None, &[])
}

/// Returns the lines of the `[build-system]` of a `pyproject.toml` that make installers fetch
/// another project's package; `None` if there are none.
fn former_backend(file: &str, text: &str) -> Option<Error> {
    let problems = build_system::check(text, &diagnose::Locator::new(file, text));
    (!problems.is_empty()).then(|| Error { file: file.to_owned(), problems })
}

/// Validated configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// Name of the file in messages.
    pub file: String,
    /// Text of the file and of additions in code, for the positions of problems that are found
    /// later.
    text: String,
    /// Number of lines of the file itself.
    lines: usize,
    /// Number of components that the text has.
    in_file: Option<usize>,
    /// Text of the `pyproject.toml` that has the `[project]` table, if it is another file.
    pyproject: Option<String>,
    /// Lines of `[build-system]` with the former name of the back end. wheelsmith builds the
    /// project in spite of them, but installers would fetch another project's package.
    pub(crate) former_backend: Option<Error>,
    /// Build back end of `pyproject.toml`, if it is not wheelsmith's.
    pub foreign_backend: Option<String>,
    /// True if the file configures wheelsmith, and does not just contain `[project]`.
    pub is_configured: bool,
    /// `[project]`.
    pub project: Option<ProjectTable>,
    /// Targets of `--target all`.
    pub targets: Vec<Target>,
    /// Toolchain of targets without one of their own.
    pub toolchain: ToolchainKind,
    /// Path of the zig program, relative to the file.
    pub zig: Option<String>,
    /// Oldest glibc of targets without one of their own.
    pub glibc: Option<PlatformVersion>,
    /// Oldest macOS of targets without one of their own.
    pub macos_min: Option<PlatformVersion>,
    /// Symbols that the linker removes from programs and libraries.
    pub strip: Strip,
    /// Optimization level.
    pub optimize: Optimize,
    /// C++ runtime of targets without one of their own.
    pub cxx_runtime: CxxRuntime,
    /// Compression level of wheels, unless an option sets another.
    pub compression: Compression,
    /// Components, each after those that it links to.
    pub components: Vec<Component>,
    /// Wheels to pack.
    pub wheels: Vec<Wheel>,
    /// SDKs: archives that C programs are compiled against.
    pub sdks: Vec<Sdk>,
    /// Archives of programs and libraries.
    pub archives: Vec<Archive>,
    /// npm packages.
    pub npm: Vec<Npm>,
    /// Crates that cargo packages.
    pub crates: Vec<Crates>,
    /// Scripts that install archives.
    pub installers: Vec<Installer>,
    /// Archives of whole installations.
    pub trees: Vec<Tree>,
    /// Settings of single targets, by triple.
    pub overrides: BTreeMap<String, Override>,
    /// Settings of the audit.
    pub audit: Audit,
    /// Settings of the check.
    pub check: Check,
    /// Source of the version, if `[project]` has a dynamic one.
    pub version: Option<VersionSource>,
    /// Further places with the version.
    pub version_sites: Vec<VersionSite>,
    /// Use of the commit that a build is made from.
    pub commit: Option<Commit>,
    /// Files of the source distribution.
    pub sdist: Sdist,
    /// Settings of tests.
    pub test: testing::Settings,
    /// Registries to publish to, by destination.
    pub release: BTreeMap<String, Destination>,
}

/// Source of a dynamic version: `version = { from = … }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VersionSource {
    /// `Cargo.toml`, relative to the configuration.
    Cargo {
        /// The file.
        manifest: String,
    },
    /// Text that a Python module assigns.
    Python {
        /// Path of the module, relative to the configuration.
        path: String,
        /// Assigned name.
        attribute: String,
    },
    /// Key `version` of a TOML file.
    Toml {
        /// The file, relative to the configuration.
        path: String,
    },
    /// Tag of version control.
    Vcs(Tags),
}

/// Tags that contain versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tags {
    /// Prefix of the version; an optional `v` if `None`.
    pub prefix: Option<String>,
    /// True if a version between two tags contains the commit (`+gabc`), which indexes refuse.
    pub local: bool,
}

/// `[tool.wheelsmith.commit]`: use of the commit that a build is made from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Commit {
    /// Python module that is added to wheels, such as `demo/_build.py`, with `VERSION`, `COMMIT` and
    /// `DIRTY`.
    pub module: Option<WheelPath>,
    /// Text in place of a commit that is not known; an error if absent.
    pub unknown: Option<String>,
}

/// `[tool.wheelsmith.sdist]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Sdist {
    /// Globs of files to include, relative to this file; the files that version control tracks if
    /// absent. Ignored files are included only if named without a pattern.
    pub include: Option<Vec<String>>,
    /// Globs of files to exclude.
    pub exclude: Vec<String>,
}

/// `[tool.wheelsmith.audit]`.
#[derive(Debug, Clone, Default)]
pub struct Audit {
    /// Platform tag that files must qualify for.
    pub policy: Option<String>,
    /// Patterns of libraries that exist on every user's system.
    pub exclude: Vec<String>,
    /// Lowest severity that makes the exit code 1.
    pub fail_on: Option<Severity>,
    /// Severities and waivers.
    pub settings: Settings,
}

/// `[tool.wheelsmith.check]`.
#[derive(Debug, Clone, Default)]
pub struct Check {
    /// Index on which the wheels are published.
    pub index: Option<Index>,
    /// Largest file that the index accepts without a request, in MiB.
    pub large_file_mib: Option<u32>,
    /// Largest file that the index accepts, in MiB.
    pub file_limit_mib: Option<u32>,
    /// Lowest severity that makes the exit code 1.
    pub fail_on: Option<Severity>,
    /// Severities and waivers.
    pub settings: Settings,
}

impl Config {
    /// Returns the name of the file with the `[project]` table.
    pub fn project_file(&self) -> &str {
        self.pyproject.as_ref().map_or(&self.file, |_| names::PYPROJECT)
    }

    /// Returns `target` with the floor of this configuration.
    pub fn with_floor(&self, target: Target) -> Target {
        let over = self.overrides.get(target.triple());
        let macos = matches!(target.os(), crate::name::Os::MacOs);
        let pick = |own: Option<PlatformVersion>, all| own.or(all);
        target.or_floor(if macos {
            pick(over.and_then(|o| o.macos_min), self.macos_min)
        } else {
            pick(over.and_then(|o| o.glibc), self.glibc)
        })
    }

    /// Returns the toolchain for `target`.
    pub fn toolchain_for(&self, target: Target) -> ToolchainKind {
        let own = self.overrides.get(target.triple()).and_then(|over| over.toolchain);
        own.unwrap_or(self.toolchain)
    }

    /// Returns the C++ runtime for `target`.
    pub fn cxx_runtime_for(&self, target: Target) -> CxxRuntime {
        let own = self.overrides.get(target.triple()).and_then(|over| over.cxx_runtime);
        own.unwrap_or(self.cxx_runtime)
    }

    /// Returns the directories in which the libraries of `wheel` are searched, relative to the file: those
    /// of `target` first.
    pub fn library_path(&self, wheel: &Wheel, target: Target) -> Vec<String> {
        let own = self.overrides.get(target.triple()).map(|over| &over.library_path);
        own.into_iter().flatten().chain(&wheel.library_path).cloned().collect()
    }

    /// Returns the directories with the headers of Pythons for `target`, relative to the file.
    pub fn python_roots(&self, target: Target) -> Vec<String> {
        let over = self.overrides.get(target.triple());
        over.map(|over| over.python_root.clone()).unwrap_or_default()
    }

    /// Returns a problem at `key` that depends on files on disk, such as a glob without matches, as
    /// the same kind of error as [`parse`].
    pub fn problem(&self, key: &str, message: String, help: Option<String>) -> Error {
        if let Some(text) = self.pyproject.as_ref().filter(|_| key.starts_with("project")) {
            let file = names::PYPROJECT.to_owned();
            let problem = diagnose::Locator::new(&file, text).at(key, message, help);
            return Error { file, problems: vec![problem] };
        }
        let mut locator = diagnose::Locator::new(&self.file, &self.text);
        locator.in_file = self.in_file;
        let error =
            Error { file: self.file.clone(), problems: vec![locator.at(key, message, help)] };
        error.without_lines_after(self.lines)
    }

    /// Parses `text` in place of the text of this configuration.
    #[cfg(feature = "project")]
    pub(crate) fn with_text(&self, text: &str) -> Result<Self, Error> {
        check::parse(&self.file, text, self.pyproject.as_deref(), &[])
    }

    /// Returns the component called `name`.
    pub fn component(&self, name: &str) -> Option<&Component> {
        self.components.iter().find(|component| component.name == name)
    }
}

/// Origin of a source.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// A directory relative to the configuration; `.` is the configuration's own.
    Path(String),
    /// An archive.
    Archive {
        /// A path relative to the configuration, or a URL.
        location: String,
        /// Digest; `None` if the configuration does not contain it.
        sha256: Option<Digest>,
        /// Other URLs of the same archive.
        mirrors: Vec<String>,
        /// Number of leading directories that are dropped.
        strip_components: u32,
    },
    /// The packaged source of a crate.
    Crate {
        /// Name.
        name: String,
        /// Its exact version.
        version: String,
    },
    /// The tree of a commit.
    Git(GitSource),
    /// The source distribution of a Python package.
    Sdist {
        /// Name.
        name: String,
        /// Its exact version.
        version: String,
    },
}

impl Default for Source {
    fn default() -> Self {
        Self::Path(".".to_owned())
    }
}

impl Source {
    /// True if `location` is a URL rather than a path.
    pub fn is_url(location: &str) -> bool {
        ["https://", "http://", "file://"].iter().any(|scheme| location.starts_with(scheme))
    }

    /// Returns its name in the lock; `None` for a directory of the project.
    pub fn id(&self) -> Option<String> {
        match self {
            Self::Path(_) => None,
            Self::Archive { location, .. } => Some(format!("archive {location}")),
            Self::Crate { name, version } => Some(format!("crate {name} {version}")),
            Self::Git(GitSource { url, rev, submodules: true }) => Some(format!("git {url} {rev}")),
            Self::Git(GitSource { url, rev, submodules: false }) => {
                Some(format!("git {url} {rev} without submodules"))
            }
            Self::Sdist { name, version } => Some(format!("sdist {name} {version}")),
        }
    }
}

/// Wheel to create.
#[derive(Debug, Clone, PartialEq)]
pub struct Wheel {
    /// Key in the file, such as `tool.wheelsmith.wheel[0]`.
    pub key: String,
    /// Project name.
    pub name: ProjectName,
    /// Components whose files it contains, in build order.
    pub components: Vec<String>,
    /// Directory in the wheel for the runtime's `bin/` and `lib/`.
    pub into: WheelPath,
    /// Directory of Python files, relative to the configuration.
    pub python_source: Option<String>,
    /// Globs of files to include; the package if `None`.
    pub include: Option<Vec<String>>,
    /// Globs of files to exclude.
    pub exclude: Vec<String>,
    /// Console command -> program of the runtime.
    pub console: BTreeMap<String, String>,
    /// Python and ABI tags.
    pub tag: PythonTag,
    /// Build tag.
    pub build: Option<String>,
    /// True if the runtime is in a wheel of its own, which the wheels with extension modules
    /// require.
    pub split: bool,
    /// True if it contains an SBOM (PEP 770).
    pub sbom: bool,
    /// Treatment of external libraries.
    pub external: External,
    /// Directories of libraries, relative to the configuration.
    pub library_path: Vec<String>,
    /// Files that installers put beside the packages.
    pub data: Vec<DataFiles>,
}

impl Wheel {
    /// Returns the name of the wheel with its runtime, if that is a wheel of its own.
    #[allow(clippy::missing_panics_doc, reason = "it cannot")]
    pub fn runtime_name(&self) -> ProjectName {
        let name = format!("{}-runtime", self.name.as_written());
        name.parse().expect("a word more is a name as well")
    }
}

/// Files that installers put beside the packages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataFiles {
    /// Key in the file, such as `tool.wheelsmith.wheel[0].data.headers[0]`.
    pub key: String,
    /// Directory of the installation.
    pub scheme: Scheme,
    /// File or glob, relative to the configuration.
    pub from: SourcePath,
    /// Directory below that of the scheme.
    pub to: Option<WheelPath>,
}

/// A directory below `.data` of a wheel (binary distribution format, "the .data directory").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scheme {
    /// Commands.
    Scripts,
    /// Headers.
    Headers,
    /// Files below the environment itself.
    Data,
}

impl Scheme {
    /// Returns the word of the configuration and of wheels.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Scripts => "scripts",
            Self::Headers => "headers",
            Self::Data => "data",
        }
    }
}

/// `[[tool.wheelsmith.sdk]]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Sdk {
    /// Name of the archive, before the version; that of the project if absent.
    pub name: Option<String>,
    /// Components whose libraries, headers and licences it contains, including those that they link
    /// to; all that have libraries or headers if absent.
    pub components: Option<Vec<String>>,
}

/// Treatment of external libraries, which are required but neither in the wheel nor in the policy.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum External {
    /// External libraries are errors of the audit.
    #[default]
    Deny,
    /// External libraries are copied into the wheel, from the components and from `library-path`.
    Bundle,
}

/// `[tool.wheelsmith.target.<triple>]`.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Override {
    /// Oldest glibc for this target.
    pub glibc: Option<PlatformVersion>,
    /// Oldest macOS for this target.
    pub macos_min: Option<PlatformVersion>,
    /// Toolchain for this target.
    pub toolchain: Option<ToolchainKind>,
    /// clang: directory of the target's libraries and headers.
    pub sysroot: Option<String>,
    /// Directories with Pythons of this target, relative to this file: their headers are used to
    /// compile extension modules for single Pythons.
    pub python_root: Vec<String>,
    /// C++ runtime for this target.
    pub cxx_runtime: Option<CxxRuntime>,
    /// Directories of libraries for this target, searched before a wheel's own `library-path`.
    pub library_path: Vec<String>,
    /// Additions to components for this target, by name.
    #[serde(rename = "component")]
    pub components: BTreeMap<String, ComponentOverride>,
}

/// `[tool.wheelsmith.target.<triple>.component.<name>]`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all(deserialize = "kebab-case"))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ComponentOverride {
    /// Additional arguments of the compiler.
    pub flags: Vec<String>,
    /// Additional arguments of the link line.
    pub link_flags: Vec<String>,
    /// Additional features of a cargo component.
    pub features: Vec<String>,
    /// Additional arguments of the configure step of a cmake, autotools or meson component.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub configure: Vec<String>,
}
