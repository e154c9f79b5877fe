//! Configuration: components to build, their targets, and packages to create.
//!
//! [`parse`] is pure: it reads only the text. It reports all mistakes of a file in one run, with
//! line, key and, if possible, the correct spelling.

mod build_system;
mod builder;
mod check;
mod component_tables;
mod compression;
mod data_table;
mod diagnose;
mod extension;
mod library;
mod load;
mod names;
mod python;
mod recipe;
mod run_entry;
#[cfg(feature = "schema")]
mod schema;
mod source_path;
mod tables;
pub mod testing;
#[cfg(test)]
mod tests;
mod words;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::finding::{Settings, Severity};
use crate::metadata::ProjectTable;
use crate::name::{Digest, Index, PlatformVersion, ProjectName, PythonTag, Target, WheelPath};
use crate::toolchain::{Optimize, Strip, ToolchainKind};

pub use builder::ConfigBuilder;
pub use compression::Compression;
pub use diagnose::{Error, Problem};
pub use extension::Extension;
pub use library::Library;
pub(crate) use load::find_file;
pub use load::{CONFIG_FILES, LoadError, find_settings};
pub use recipe::{PLACEHOLDERS, Recipe, Run, System, fill};
#[cfg(feature = "schema")]
pub use schema::schema;
pub use source_path::SourcePath;

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
    /// Compression level of wheels, unless an option sets another.
    pub compression: Compression,
    /// Components, each after those that it links to.
    pub components: Vec<Component>,
    /// Wheels to pack.
    pub wheels: Vec<Wheel>,
    /// SDKs: archives that C programs are compiled against.
    pub sdks: Vec<Sdk>,
    /// Settings of single targets, by triple.
    pub overrides: BTreeMap<String, Override>,
    /// Settings of the audit.
    pub audit: Audit,
    /// Settings of the check.
    pub check: Check,
    /// Source of the version, if `[project]` has a dynamic one.
    pub version: Option<VersionSource>,
    /// Files of the source distribution.
    pub sdist: Sdist,
    /// Settings of tests.
    pub test: testing::Settings,
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

/// `[tool.wheelsmith.sdist]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sdist {
    /// Globs of files to include; the tracked files if `None`.
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

    /// Returns the component called `name`.
    pub fn component(&self, name: &str) -> Option<&Component> {
        self.components.iter().find(|component| component.name == name)
    }
}

/// Unit that is built.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Component {
    /// Key in the file, such as `tool.wheelsmith.component[0]`.
    #[serde(skip)]
    pub key: String,
    /// Name.
    pub name: String,
    /// Version of its own.
    pub version: Option<String>,
    /// Licence.
    pub license: Option<String>,
    /// Globs of its licence files.
    pub license_files: Vec<SourcePath>,
    /// Origin of its source.
    pub source: Source,
    /// Operating systems that it is built for; all if `None`.
    pub os: Option<Vec<&'static str>>,
    /// True if it may be compiled for the processor of the build machine.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub allow_native: bool,
    /// Names of the components that it links to.
    pub link: Vec<String>,
    /// Names of the components that it uses without linking to them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<String>,
    /// Kind, with its settings.
    #[serde(flatten)]
    pub kind: Kind,
}

impl Component {
    /// True if it is built for `target`.
    pub fn is_for(&self, target: Target) -> bool {
        self.os.as_ref().is_none_or(|os| os.contains(&target.os().family()))
    }

    /// Returns the extension modules that it is built to.
    pub fn extensions(&self) -> Vec<&Extension> {
        match &self.kind {
            Kind::C(c) => c.extension.iter().collect(),
            Kind::Cargo(cargo) => cargo.extensions().collect(),
            Kind::Prebuilt(_) | Kind::Files(_) | Kind::Recipe(_) => Vec::new(),
        }
    }

    /// Returns the names of the components that are built before it.
    pub fn after(&self) -> impl Iterator<Item = &String> {
        self.link.iter().chain(&self.needs)
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
        }
    }
}

/// Form of the linked file of a C component.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CForm {
    /// A shared library, and an archive of the same objects.
    Library,
    /// A shared library.
    Shared,
    /// An archive of objects.
    Static,
    /// A program.
    Executable,
    /// An extension module of Python.
    Extension,
}

/// C component.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct C {
    /// Form.
    pub form: CForm,
    /// Groups of files to compile.
    pub sources: Vec<SourceGroup>,
    /// SONAME of a shared library.
    pub soname: Option<String>,
    /// Version script.
    pub version_script: Option<SourcePath>,
    /// System libraries.
    pub libraries: Vec<String>,
    /// Frameworks of macOS.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub frameworks: Vec<String>,
    /// Additional arguments of the link line.
    pub link_flags: Vec<String>,
    /// True if undefined symbols are accepted.
    pub allow_undefined: bool,
    /// Headers for the runtime.
    pub headers: Vec<Headers>,
    /// Extension module that it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extension: Option<Extension>,
}

impl C {
    /// Returns a component without sources.
    fn new(form: CForm) -> Self {
        Self {
            form,
            sources: Vec::new(),
            soname: None,
            version_script: None,
            libraries: Vec::new(),
            frameworks: Vec::new(),
            link_flags: Vec::new(),
            allow_undefined: false,
            headers: Vec::new(),
            extension: None,
        }
    }
}

/// Files that are compiled with the same arguments.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SourceGroup {
    /// Globs of the files.
    pub files: Vec<SourcePath>,
    /// Globs of files to exclude.
    pub exclude: Vec<SourcePath>,
    /// Language standard.
    pub std: Option<String>,
    /// Header directories.
    pub include: Vec<SourcePath>,
    /// Macros: `NAME` or `NAME=value`.
    pub define: Vec<String>,
    /// Additional arguments.
    pub flags: Vec<String>,
}

/// Headers, and their directory below `include/`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Headers {
    /// Globs.
    pub files: Vec<SourcePath>,
    /// Directory below `include/`.
    pub to: Option<WheelPath>,
}

/// Component from a Rust package.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cargo {
    /// `Cargo.toml` of the package.
    pub manifest: SourcePath,
    /// Programs and libraries that are taken from the build.
    pub artifacts: Vec<Artifact>,
    /// Profile.
    pub profile: String,
    /// Features to enable.
    pub features: Vec<String>,
    /// True if default features are enabled.
    pub default_features: bool,
    /// True if `Cargo.lock` must be current.
    pub locked: bool,
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

/// Program or library of a cargo build.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
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

/// Binaries that were built elsewhere.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Prebuilt {
    /// Files of the component's own source, for targets without an archive of their own.
    pub outputs: Vec<Output>,
    /// Archive and files of it, by triple.
    pub archives: BTreeMap<String, (Source, Vec<Output>)>,
}

/// Files that need no building.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Files {
    /// Files of the source.
    pub outputs: Vec<Output>,
}

/// File that is copied unchanged.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Output {
    /// File or glob: in the source, or in the installation of a recipe.
    pub from: SourcePath,
    /// True if it is in the build directory instead: `{build}/misc/mke2fs`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub from_build: bool,
    /// Role.
    pub role: Role,
    /// Path in the runtime, if it is not in the directory of its role.
    pub to: Option<WheelPath>,
}

/// Role of a file of a runtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// A program.
    Executable,
    /// A shared library.
    SharedLibrary,
    /// A static library.
    StaticLibrary,
    /// A header.
    Header,
    /// A licence text.
    License,
    /// Other file.
    Data,
    /// An extension module of Python.
    Extension,
    /// An addon of Node.js.
    NodeAddon,
}

impl Role {
    /// Returns the directory of a runtime for files of this role.
    pub fn directory(self) -> &'static str {
        match self {
            Self::Executable => "bin",
            Self::SharedLibrary | Self::StaticLibrary => "lib",
            Self::Header => "include",
            Self::License => "licenses",
            Self::Data => "share",
            Self::Extension => "python",
            Self::NodeAddon => "node",
        }
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

/// Archive that C programs are compiled against: headers, libraries, and the files with which build
/// systems find them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sdk {
    /// Name; that of the project if `None`.
    pub name: Option<String>,
    /// Components whose libraries it contains; all if `None`.
    pub components: Option<Vec<String>>,
}

/// Treatment of external libraries, which are required but neither in the wheel nor in the policy.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum External {
    /// External libraries are errors of the audit.
    #[default]
    Deny,
    /// External libraries are copied into the wheel, from the components and from `library-path`.
    Bundle,
}

/// Settings of one target.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Override {
    /// Oldest glibc.
    pub glibc: Option<PlatformVersion>,
    /// Oldest macOS.
    pub macos_min: Option<PlatformVersion>,
    /// Toolchain.
    pub toolchain: Option<ToolchainKind>,
    /// Sysroot of clang.
    pub sysroot: Option<String>,
    /// Directories with the headers of Pythons, relative to the configuration.
    pub python_root: Vec<String>,
    /// Directories of libraries, relative to the configuration.
    pub library_path: Vec<String>,
    /// Additions to components, by name.
    pub components: BTreeMap<String, ComponentOverride>,
}

/// Additions to a component for a target.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct ComponentOverride {
    /// Additional arguments of the compiler.
    pub flags: Vec<String>,
    /// Additional arguments of the link line.
    pub link_flags: Vec<String>,
    /// Additional features of a cargo component.
    pub features: Vec<String>,
    /// Additional arguments of the configure step of a recipe.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub configure: Vec<String>,
}
