//! `pyproject.toml` or `wheelsmith.toml` as a value: what to build, for which targets, what to pack.
//!
//! [`parse`] is pure: it looks at the text alone, never at the disk or at the machine. Every problem
//! of a file is reported in one run, with line, key and, where one is near, the right spelling.

mod build_system;
mod builder;
mod check;
mod component_tables;
mod compression;
mod data_table;
mod diagnose;
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
pub use library::Library;
pub(crate) use load::find_file;
pub use load::{CONFIG_FILES, LoadError, find_settings};
pub use recipe::{PLACEHOLDERS, Recipe, Run, System, fill};
#[cfg(feature = "schema")]
pub use schema::schema;
pub use source_path::SourcePath;

/// Reads the configuration in `text`; `file` is what messages call it.
///
/// # Errors
/// Every unknown key, wrong type, contradiction and unknown name in the file.
///
/// ```
/// let error = wheelsmith_core::config::parse("demo.toml", "[tool.wheelsmith]\ntarget = 3\n\
///     tragets = []\n").unwrap_err();
/// assert!(error.to_string().starts_with("demo.toml:2:"));
/// ```
pub fn parse(file: &str, text: &str) -> Result<Config, Error> {
    check::parse(file, text, None, &[])
}

/// Returns the lines of the `[build-system]` of a `pyproject.toml` that lead installers to another
/// project's package; `None` if there are none.
fn former_backend(file: &str, text: &str) -> Option<Error> {
    let problems = build_system::check(text, &diagnose::Locator::new(file, text));
    (!problems.is_empty()).then(|| Error { file: file.to_owned(), problems })
}

/// A checked configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// What messages call the file.
    pub file: String,
    /// Text of the file and of what was added in code, for the position of problems found later.
    text: String,
    /// Number of lines of the file itself.
    lines: usize,
    /// Number of components that the text has.
    in_file: Option<usize>,
    /// Text of the `pyproject.toml` that has the `[project]` table, if it is another file.
    pyproject: Option<String>,
    /// Lines of `[build-system]` that name the back end as it was called before. wheelsmith builds
    /// the project all the same, and installers would take another project's package.
    pub(crate) former_backend: Option<Error>,
    /// Build back end of `pyproject.toml`, if it is not wheelsmith's.
    pub foreign_backend: Option<String>,
    /// Whether the file has a configuration of wheelsmith, and not just `[project]`.
    pub is_configured: bool,
    /// `[project]`.
    pub project: Option<ProjectTable>,
    /// What `--target all` stands for.
    pub targets: Vec<Target>,
    /// Which compiler, unless a target says otherwise.
    pub toolchain: ToolchainKind,
    /// The zig program to use, relative to the file.
    pub zig: Option<String>,
    /// The oldest glibc, unless a target says otherwise.
    pub glibc: Option<PlatformVersion>,
    /// The oldest macOS, unless a target says otherwise.
    pub macos_min: Option<PlatformVersion>,
    /// What is removed from what is linked.
    pub strip: Strip,
    /// How hard the compiler tries.
    pub optimize: Optimize,
    /// How hard wheels are compressed, unless the command line says otherwise.
    pub compression: Compression,
    /// What is built, each after everything that it links to.
    pub components: Vec<Component>,
    /// What is packed.
    pub wheels: Vec<Wheel>,
    /// What C programs are compiled against.
    pub sdks: Vec<Sdk>,
    /// What is different for a target, by triple.
    pub overrides: BTreeMap<String, Override>,
    /// What the audit lets pass.
    pub audit: Audit,
    /// What the check lets pass.
    pub check: Check,
    /// Where the version is, when `[project]` leaves it open.
    pub version: Option<VersionSource>,
    /// What the source distribution holds.
    pub sdist: Sdist,
    /// How wheels are tried.
    pub test: testing::Settings,
}

/// `version = { from = … }`: where a dynamic version is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VersionSource {
    /// In a `Cargo.toml`, relative to the configuration.
    Cargo {
        /// The file.
        manifest: String,
    },
    /// In a text that a Python module assigns.
    Python {
        /// The module, relative to the configuration.
        path: String,
        /// The name that it assigns.
        attribute: String,
    },
    /// In a tag of version control.
    Vcs(Tags),
}

/// Which tags hold versions, and what becomes of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tags {
    /// What stands before the version; `v` or nothing when absent.
    pub prefix: Option<String>,
    /// Whether versions between two tags have the commit in them (`+gabc`), which indexes refuse.
    pub local: bool,
}

/// `[tool.wheelsmith.sdist]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sdist {
    /// Globs of files to take; what version control tracks when absent.
    pub include: Option<Vec<String>>,
    /// Globs of files to leave out.
    pub exclude: Vec<String>,
}

/// `[tool.wheelsmith.audit]`.
#[derive(Debug, Clone, Default)]
pub struct Audit {
    /// The platform tag that files must earn.
    pub policy: Option<String>,
    /// Libraries that are there wherever the wheels are used, by pattern.
    pub exclude: Vec<String>,
    /// How bad a finding must be for exit code 1.
    pub fail_on: Option<Severity>,
    /// Severities and waivers.
    pub settings: Settings,
}

/// `[tool.wheelsmith.check]`.
#[derive(Debug, Clone, Default)]
pub struct Check {
    /// Where the wheels are to be published.
    pub index: Option<Index>,
    /// From which size on a file is larger than the index takes without being asked, in MiB.
    pub large_file_mib: Option<u32>,
    /// The largest file that the index takes, in MiB.
    pub file_limit_mib: Option<u32>,
    /// How bad a finding must be for exit code 1.
    pub fail_on: Option<Severity>,
    /// Severities and waivers.
    pub settings: Settings,
}

impl Config {
    /// `target` with the floor that this configuration gives it.
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

    /// The toolchain that this configuration wants for `target`.
    pub fn toolchain_for(&self, target: Target) -> ToolchainKind {
        let own = self.overrides.get(target.triple()).and_then(|over| over.toolchain);
        own.unwrap_or(self.toolchain)
    }

    /// Where the libraries that `wheel` needs are looked for, relative to the file: what is given
    /// for `target` first.
    pub fn library_path(&self, wheel: &Wheel, target: Target) -> Vec<String> {
        let own = self.overrides.get(target.triple()).map(|over| &over.library_path);
        own.into_iter().flatten().chain(&wheel.library_path).cloned().collect()
    }

    /// Returns a problem at `key` that only files on disk show, such as a glob that matches none: the
    /// same kind of error as [`parse`] returns.
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

    /// The component called `name`.
    pub fn component(&self, name: &str) -> Option<&Component> {
        self.components.iter().find(|component| component.name == name)
    }
}

/// A thing we build.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Component {
    /// Its key in the file, such as `tool.wheelsmith.component[0]`.
    #[serde(skip)]
    pub key: String,
    /// Its name.
    pub name: String,
    /// Its own version.
    pub version: Option<String>,
    /// Its licence.
    pub license: Option<String>,
    /// Globs of its licence files.
    pub license_files: Vec<SourcePath>,
    /// Where its source comes from.
    pub source: Source,
    /// The operating systems that it is for; all when absent.
    pub os: Option<Vec<&'static str>>,
    /// Whether it may be compiled for the processor of the build machine.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub allow_native: bool,
    /// Names of the components that it links to.
    pub link: Vec<String>,
    /// Names of the components that it uses without linking to them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<String>,
    /// How it is made.
    #[serde(flatten)]
    pub kind: Kind,
}

impl Component {
    /// Whether it is built for `target`.
    pub fn is_for(&self, target: Target) -> bool {
        self.os.as_ref().is_none_or(|os| os.contains(&target.os().family()))
    }

    /// Names of the components that must be there before it is built.
    pub fn after(&self) -> impl Iterator<Item = &String> {
        self.link.iter().chain(&self.needs)
    }
}

/// How a component is made.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Kind {
    /// Compiled from C.
    C(C),
    /// Built by cargo.
    Cargo(Cargo),
    /// Taken from an archive for each target.
    Prebuilt(Prebuilt),
    /// Taken from the source as it is.
    Files(Files),
    /// Built by a build system of its own.
    Recipe(Recipe),
}

impl Kind {
    /// The word in the configuration.
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

/// What C is linked into.
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
}

/// A component from C.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct C {
    /// What it is linked into.
    pub form: CForm,
    /// What is compiled.
    pub sources: Vec<SourceGroup>,
    /// The SONAME of a shared library.
    pub soname: Option<String>,
    /// Its version script.
    pub version_script: Option<SourcePath>,
    /// Libraries of the system.
    pub libraries: Vec<String>,
    /// Frameworks of macOS.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub frameworks: Vec<String>,
    /// Further arguments of the link line.
    pub link_flags: Vec<String>,
    /// Whether undefined symbols are accepted.
    pub allow_undefined: bool,
    /// Headers for the runtime.
    pub headers: Vec<Headers>,
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
        }
    }
}

/// Files that are compiled alike.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SourceGroup {
    /// Globs of the files.
    pub files: Vec<SourcePath>,
    /// Globs of files to leave out.
    pub exclude: Vec<SourcePath>,
    /// The language standard.
    pub std: Option<String>,
    /// Header directories.
    pub include: Vec<SourcePath>,
    /// Macros: `NAME` or `NAME=value`.
    pub define: Vec<String>,
    /// Further arguments.
    pub flags: Vec<String>,
}

/// Headers and where they land below `include/`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Headers {
    /// Globs.
    pub files: Vec<SourcePath>,
    /// A directory below `include/`.
    pub to: Option<WheelPath>,
}

/// A component from a Rust package.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cargo {
    /// The package's `Cargo.toml`.
    pub manifest: SourcePath,
    /// What is taken from the build.
    pub artifacts: Vec<Artifact>,
    /// The profile.
    pub profile: String,
    /// Features to enable.
    pub features: Vec<String>,
    /// Whether default features are enabled.
    pub default_features: bool,
    /// Whether `Cargo.lock` must be current.
    pub locked: bool,
}

/// What is taken from a cargo build.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Artifact {
    /// A program.
    Bin(String),
    /// A shared library.
    Cdylib(String),
}

/// Binaries that somebody else built.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Prebuilt {
    /// What is taken from the component's own source, for targets without an archive of their own.
    pub outputs: Vec<Output>,
    /// The archive and what is taken from it, by triple.
    pub archives: BTreeMap<String, (Source, Vec<Output>)>,
}

/// Files that need no building.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Files {
    /// What is taken from the source.
    pub outputs: Vec<Output>,
}

/// A file that is taken as it is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Output {
    /// The file or glob: in the source, or, of a recipe, in what was installed.
    pub from: SourcePath,
    /// Whether it is in the directory of the build instead: `{build}/misc/mke2fs`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub from_build: bool,
    /// What it is.
    pub role: Role,
    /// Where it lands, when not in its role's directory.
    pub to: Option<WheelPath>,
}

/// What a file of a runtime is.
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
    /// Anything else.
    Data,
}

impl Role {
    /// The directory of a runtime that files of this role land in.
    pub fn directory(self) -> &'static str {
        match self {
            Self::Executable => "bin",
            Self::SharedLibrary | Self::StaticLibrary => "lib",
            Self::Header => "include",
            Self::License => "licenses",
            Self::Data => "share",
        }
    }
}

/// Where a source comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// A directory relative to the configuration; `.` is the configuration's own.
    Path(String),
    /// An archive.
    Archive {
        /// A path relative to the configuration, or a URL.
        location: String,
        /// Its digest, where the configuration pins it.
        sha256: Option<Digest>,
        /// Other URLs of the same archive.
        mirrors: Vec<String>,
        /// How many leading directories are dropped.
        strip_components: u32,
    },
    /// The packaged source of a crate.
    Crate {
        /// Its name.
        name: String,
        /// Its exact version.
        version: String,
    },
}

impl Source {
    /// Whether `location` is a URL rather than a path.
    pub fn is_url(location: &str) -> bool {
        ["https://", "http://", "file://"].iter().any(|scheme| location.starts_with(scheme))
    }

    /// What the lock calls it; nothing for a directory, which is the project's own.
    pub fn id(&self) -> Option<String> {
        match self {
            Self::Path(_) => None,
            Self::Archive { location, .. } => Some(format!("archive {location}")),
            Self::Crate { name, version } => Some(format!("crate {name} {version}")),
        }
    }
}

/// A wheel to pack.
#[derive(Debug, Clone, PartialEq)]
pub struct Wheel {
    /// Its key in the file, such as `tool.wheelsmith.wheel[0]`.
    pub key: String,
    /// Its project name.
    pub name: ProjectName,
    /// The components whose files it carries, in build order.
    pub components: Vec<String>,
    /// Where the runtime's `bin/` and `lib/` land.
    pub into: WheelPath,
    /// The directory of Python files, relative to the configuration, when given.
    pub python_source: Option<String>,
    /// Globs of files to take; the package when absent.
    pub include: Option<Vec<String>>,
    /// Globs of files to leave out.
    pub exclude: Vec<String>,
    /// Console command -> program of the runtime.
    pub console: BTreeMap<String, String>,
    /// Python and ABI tags.
    pub tag: PythonTag,
    /// Build tag.
    pub build: Option<String>,
    /// Whether it lists its components for those who look for vulnerable ones (PEP 770).
    pub sbom: bool,
    /// What becomes of libraries that it needs and has not.
    pub external: External,
    /// Directories of libraries, relative to the configuration.
    pub library_path: Vec<String>,
    /// What installers put beside the packages.
    pub data: Vec<DataFiles>,
}

/// Files that installers put beside the packages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataFiles {
    /// Its key in the file, such as `tool.wheelsmith.wheel[0].data.headers[0]`.
    pub key: String,
    /// Where installers put them.
    pub scheme: Scheme,
    /// The file or glob, relative to the configuration.
    pub from: SourcePath,
    /// The directory below that of the scheme.
    pub to: Option<WheelPath>,
}

/// A directory below `.data` of a wheel (binary distribution format, "the .data directory").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scheme {
    /// Commands.
    Scripts,
    /// Headers.
    Headers,
    /// Whatever is to lie below the environment.
    Data,
}

impl Scheme {
    /// The word in the configuration and in wheels.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Scripts => "scripts",
            Self::Headers => "headers",
            Self::Data => "data",
        }
    }
}

/// An archive that C programs are compiled against: headers, libraries, and the files by which build
/// systems find them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sdk {
    /// Its name; the project's when absent.
    pub name: Option<String>,
    /// The components whose libraries it is for; every one when absent.
    pub components: Option<Vec<String>>,
}

/// What becomes of libraries that a wheel needs, has not, and is not promised.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum External {
    /// They are errors of the audit.
    #[default]
    Deny,
    /// They are copied into the wheel, from the components and from `library-path`.
    Bundle,
}

/// What is different for a target.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Override {
    /// The floor.
    pub glibc: Option<PlatformVersion>,
    /// The oldest macOS.
    pub macos_min: Option<PlatformVersion>,
    /// The toolchain.
    pub toolchain: Option<ToolchainKind>,
    /// clang's sysroot.
    pub sysroot: Option<String>,
    /// Directories of libraries, relative to the configuration.
    pub library_path: Vec<String>,
    /// What is added to a component, by name.
    pub components: BTreeMap<String, ComponentOverride>,
}

/// What is added to a component for a target.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct ComponentOverride {
    /// Further arguments of the compiler.
    pub flags: Vec<String>,
    /// Further arguments of the link line.
    pub link_flags: Vec<String>,
    /// Further features of a cargo component.
    pub features: Vec<String>,
    /// Further arguments of the configuration of a recipe.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub configure: Vec<String>,
}
