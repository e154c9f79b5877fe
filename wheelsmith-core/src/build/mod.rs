//! Executes a plan: runs compilers and cargo, and rebuilds only what changed.
//!
//! Component sources are never written to; all output is below the build directory.

mod bpf;
mod c;
#[cfg(feature = "cargo")]
mod cargo;
#[cfg(feature = "cargo")]
mod cargo_config;
#[cfg(feature = "cargo")]
mod crates;
pub mod cxx;
mod depfile;
mod error;
mod extension;
mod frameworks;
mod from;
mod go;
mod guest;
pub(crate) mod inputs;
mod language;
mod native;
mod position;
mod prebuilt;
mod python;
mod recipe;
mod record;
mod reuse;
mod steps;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

#[cfg(feature = "cargo")]
pub use crates::{Crate, Crates, crates};
pub use error::Error;
pub use from::Inputs;
#[cfg(feature = "project")]
pub(crate) use go::GO_FRAMEWORKS;
pub use go::{GoModule, go_compiler, go_modules};
pub use guest::Guest;
pub(crate) use prebuilt::license_files;
pub use record::Hashes;
pub use reuse::Reuse;
pub use steps::steps;

use crate::config::{Component, Config, Kind, Role};
use crate::name::{Digest, Os, PythonAbi, Target, WheelPath};
use crate::plan::TargetPlan;
use crate::source::Resolved;
use crate::sys::Host;
use crate::toolchain::{Toolchain, Wrappers};

/// Built component.
#[derive(Debug, Clone)]
pub struct Built {
    /// Name.
    pub name: String,
    /// Version of its own.
    pub version: Option<String>,
    /// Licence.
    pub license: Option<String>,
    /// Source.
    pub source: Resolved,
    /// Files.
    pub files: Vec<BuiltFile>,
    /// Summary for the user: `148 compiled`, `up to date`.
    pub outcome: String,
    /// Files and flags for components that link to it.
    pub linkage: Linkage,
    /// Inputs.
    pub inputs: Inputs,
}

/// File of a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuiltFile {
    /// Path.
    pub path: PathBuf,
    /// Path in the runtime directory.
    pub to: WheelPath,
    /// Role.
    pub role: Role,
    /// Further names beside `to`, such as `libx.so` for `libx.so.1`.
    pub aliases: Vec<String>,
    /// ABI of an extension module.
    pub python: Option<PythonAbi>,
}

/// Files and flags that a component gives to components that link to it.
#[derive(Debug, Clone, Default)]
pub struct Linkage {
    /// Archives to link in, each before those that it needs.
    pub archives: Vec<PathBuf>,
    /// Shared libraries to link to.
    pub shared: Vec<PathBuf>,
    /// Directories of headers.
    pub include: Vec<PathBuf>,
    /// Libraries of the system that the archives need.
    pub system: Vec<String>,
    /// Frameworks of macOS that the archives need.
    pub frameworks: Vec<String>,
    /// Digest of the content of the libraries.
    pub key: Option<Digest>,
    /// DESTDIR staging root of a recipe, and the prefix below it.
    pub stage: Option<(PathBuf, String)>,
}

/// Context of all components of a target.
#[derive(Clone, Copy)]
pub struct Setting<'a> {
    /// The configuration, for messages.
    pub config: &'a Config,
    /// The plan of the target.
    pub plan: &'a TargetPlan,
    /// Its toolchain.
    pub toolchain: &'a Toolchain,
    /// The directory of the configuration.
    pub project: &'a Path,
    /// The build directory of the target.
    pub work: &'a Path,
    /// Paths of its programs, for callers that take only a path.
    pub wrappers: &'a Wrappers,
    /// Machine.
    pub host: &'a Host,
    /// Digests of files that were read in this run.
    pub hashes: &'a Hashes,
    /// Toolchain of components with another C library.
    pub guest: Option<&'a Guest>,
    /// Place from which components are taken.
    pub reuse: Option<&'a dyn Reuse>,
}

impl Setting<'_> {
    /// Returns the context of `component`: its own, or that of another C library.
    pub(crate) fn of(&self, component: &Component) -> Self {
        match self.guest.filter(|_| component.is_guest(self.plan.target)) {
            Some(guest) => guest.setting(self),
            None => *self,
        }
    }

    fn target(&self) -> Target {
        self.plan.target
    }

    /// Returns the link argument by which a program or library finds libraries of the same runtime.
    fn sibling_rpath(&self, from_program: bool) -> Option<String> {
        let up = if from_program { "/../lib" } else { "" };
        match self.target().os() {
            Os::Linux(_) => Some(format!("-Wl,-rpath,$ORIGIN{up}")),
            Os::MacOs => Some(format!("-Wl,-rpath,@loader_path{up}")),
            // Windows finds DLLs beside the program.
            Os::Windows => None,
        }
    }

    /// Returns the build directory of a component.
    fn component_dir(&self, name: &str) -> PathBuf {
        component_dir(self.work, name)
    }
}

fn component_dir(work: &Path, name: &str) -> PathBuf {
    work.join("components").join(name)
}

/// Returns the directory into which a component with a build system of its own is installed, below
/// the build directory of a target.
#[cfg(feature = "project")]
pub(crate) fn stage_dir(work: &Path, component: &str) -> PathBuf {
    component_dir(work, component).join("stage")
}

/// Builds the components of one target in order.
///
/// # Errors
/// Returns the error of the first component that could not be built.
pub fn run(
    setting: &Setting<'_>,
    sources: &BTreeMap<(String, String), Resolved>,
) -> Result<Vec<Built>, Error> {
    frameworks::check(setting)?;
    let mut built: Vec<Built> = Vec::new();
    let mut results: BTreeMap<String, Digest> = BTreeMap::new();
    for component in &setting.plan.components {
        let key = (component.component.name.clone(), setting.target().triple().to_owned());
        let source = &sources[&key];
        let setting = &setting.of(&component.component);
        native::check(setting, component)?;
        let known = built.iter().map(|one| (one.name.as_str(), &one.linkage));
        let linked = merged(&component.component, known);
        let licenses =
            license_files(setting.config, setting.project, &component.component, source)?;
        let key = setting.reuse.and_then(|_| reuse::key(setting, component, source, &results));
        let taken = key.and_then(|key| reuse::take(setting, component, source, &key));
        let is_taken = taken.is_some();
        let mut one = match (taken, &component.component.kind) {
            (Some(taken), _) => taken,
            (None, Kind::C(c)) => c::build(setting, component, c, source, &linked)?,
            #[cfg(feature = "cargo")]
            (None, Kind::Cargo(cargo)) => cargo::build(setting, component, cargo, source, &linked)?,
            #[cfg(not(feature = "cargo"))]
            (None, Kind::Cargo(_)) => {
                let component = component.component.name.clone();
                return Err(Error::WithoutCargo { component });
            }
            (None, Kind::Prebuilt(_) | Kind::Files(_)) => {
                prebuilt::build(setting, component, source)?
            }
            (None, Kind::Bpf(bpf)) => bpf::build(setting, component, bpf, source, &linked)?,
            (None, Kind::Go(module)) => go::build(setting, component, module, source, &linked)?,
            (None, Kind::Recipe(recipe)) => {
                recipe::build(setting, component, recipe, source, &linked, &built)?
            }
        };
        if let Some(key) = key.filter(|_| !is_taken) {
            reuse::give(setting, component, &one, &key);
        }
        if setting.reuse.is_some() {
            let result = reuse::result(setting, &one);
            results.extend(result.map(|digest| (one.name.clone(), digest)));
        }
        one.inputs.files.extend(licenses.iter().map(|file| file.path.clone()));
        one.files.extend(licenses);
        built.push(one);
    }
    built.extend(cxx::component(setting, &built)?);
    Ok(built)
}

/// Merges what `component` links to, of what is `known` by name in build order: archives in link
/// order, and after an archive everything that it needs.
fn merged<'l>(
    component: &Component,
    known: impl DoubleEndedIterator<Item = (&'l str, &'l Linkage)>,
) -> Linkage {
    let mut all = Linkage::default();
    let mut keys = Vec::new();
    // Later components may need earlier ones, so they come first on a link line.
    let wanted = &component.link;
    for (_, linkage) in known.rev().filter(|(name, _)| wanted.iter().any(|other| other == name)) {
        all.archives.extend(linkage.archives.iter().cloned());
        all.shared.extend(linkage.shared.iter().cloned());
        all.include.extend(linkage.include.iter().cloned());
        all.system.extend(linkage.system.iter().cloned());
        all.frameworks.extend(linkage.frameworks.iter().cloned());
        keys.extend(linkage.key.map(|key| key.to_string()));
    }
    // The last mention of an archive counts: everything before it may use it.
    all.archives.reverse();
    unique(&mut all.archives);
    all.archives.reverse();
    unique(&mut all.shared);
    unique(&mut all.include);
    all.system.sort();
    all.system.dedup();
    all.frameworks.sort();
    all.frameworks.dedup();
    all.key = (!keys.is_empty()).then(|| Digest::of(keys.join(",")));
    all
}

/// Keeps the first of equal paths.
fn unique(paths: &mut Vec<PathBuf>) {
    let mut seen = BTreeSet::new();
    paths.retain(|path| seen.insert(path.clone()));
}
