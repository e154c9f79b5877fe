//! Carries out a plan: runs compilers and cargo, and rebuilds only what changed.
//!
//! Nothing is written to a component's source; everything lands below the build directory.

mod c;
#[cfg(feature = "cargo")]
mod cargo;
#[cfg(feature = "cargo")]
mod cargo_config;
#[cfg(feature = "cargo")]
mod crates;
mod depfile;
mod error;
mod frameworks;
mod from;
pub(crate) mod inputs;
mod native;
mod position;
mod recipe;
mod record;
mod steps;
mod taken;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

#[cfg(feature = "cargo")]
pub use crates::{Crate, Crates, crates};
pub use error::Error;
pub use from::Inputs;
pub use record::Hashes;
pub use steps::steps;
pub(crate) use taken::license_files;

use crate::config::{Component, Config, Kind, Role};
use crate::name::{Digest, Os, Target, WheelPath};
use crate::plan::TargetPlan;
use crate::source::Resolved;
use crate::sys::Host;
use crate::toolchain::{Toolchain, Wrappers};

/// A component that is built.
#[derive(Debug, Clone)]
pub struct Built {
    /// Its name.
    pub name: String,
    /// Its own version.
    pub version: Option<String>,
    /// Its licence.
    pub license: Option<String>,
    /// Where its source came from.
    pub source: Resolved,
    /// Its files.
    pub files: Vec<BuiltFile>,
    /// What was done, for the user: `148 compiled, linked`, `up to date`.
    pub outcome: String,
    /// What those who link to it need.
    pub linkage: Linkage,
    /// What it was made from.
    pub inputs: Inputs,
}

/// A file of a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuiltFile {
    /// Where it is.
    pub path: PathBuf,
    /// Where it lands in the runtime directory.
    pub to: WheelPath,
    /// What it is.
    pub role: Role,
    /// Other names of it beside `to`, such as `libx.so` of `libx.so.1`.
    pub aliases: Vec<String>,
}

/// What a component offers to those who link to it.
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
    /// Follows from the content of the libraries.
    pub key: Option<Digest>,
    /// What a recipe installed: the directory that stands for `/`, and the prefix below it.
    pub stage: Option<(PathBuf, String)>,
}

/// What every component of a target is built with.
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
    /// Its programs, for those who can only be told a path.
    pub wrappers: &'a Wrappers,
    /// The machine.
    pub host: &'a Host,
    /// Digests of files that were read in this run.
    pub hashes: &'a Hashes,
}

impl Setting<'_> {
    fn target(&self) -> Target {
        self.plan.target
    }

    /// The link arguments by which a program or library finds libraries of the same runtime.
    fn sibling_rpath(&self, from_program: bool) -> Option<String> {
        let up = if from_program { "/../lib" } else { "" };
        match self.target().os() {
            Os::Linux(_) => Some(format!("-Wl,-rpath,$ORIGIN{up}")),
            Os::MacOs => Some(format!("-Wl,-rpath,@loader_path{up}")),
            // DLLs are found beside the program.
            Os::Windows => None,
        }
    }

    /// The directory in which a component is built.
    fn component_dir(&self, name: &str) -> PathBuf {
        self.work.join("components").join(name)
    }
}

/// Builds the components of one target in order.
///
/// # Errors
/// The first thing that could not be built.
pub fn run(
    setting: &Setting<'_>,
    sources: &BTreeMap<(String, String), Resolved>,
) -> Result<Vec<Built>, Error> {
    frameworks::check(setting)?;
    let mut built: Vec<Built> = Vec::new();
    for component in &setting.plan.components {
        let key = (component.component.name.clone(), setting.target().triple().to_owned());
        let source = &sources[&key];
        native::check(setting, component)?;
        let known = built.iter().map(|one| (one.name.as_str(), &one.linkage));
        let linked = merged(&component.component, known);
        let licenses =
            license_files(setting.config, setting.project, &component.component, source)?;
        let mut one = match &component.component.kind {
            Kind::C(c) => c::build(setting, component, c, source, &linked)?,
            #[cfg(feature = "cargo")]
            Kind::Cargo(cargo) => cargo::build(setting, component, cargo, source, &linked)?,
            #[cfg(not(feature = "cargo"))]
            Kind::Cargo(_) => {
                let component = component.component.name.clone();
                return Err(Error::WithoutCargo { component });
            }
            Kind::Prebuilt(prebuilt) => {
                let own = prebuilt.archives.get(setting.target().triple());
                let outputs = own.map_or(&prebuilt.outputs, |(_, outputs)| outputs);
                taken::build(setting, component, outputs, source)?
            }
            Kind::Files(files) => taken::build(setting, component, &files.outputs, source)?,
            Kind::Recipe(recipe) => {
                recipe::build(setting, component, recipe, source, &linked, &built)?
            }
        };
        one.inputs.files.extend(licenses.iter().map(|file| file.path.clone()));
        one.files.extend(licenses);
        built.push(one);
    }
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
    // Later components may need earlier ones, so the later come first on a link line.
    let wanted = &component.link;
    for (_, linkage) in known.rev().filter(|(name, _)| wanted.iter().any(|other| other == name)) {
        all.archives.extend(linkage.archives.iter().cloned());
        all.shared.extend(linkage.shared.iter().cloned());
        all.include.extend(linkage.include.iter().cloned());
        all.system.extend(linkage.system.iter().cloned());
        all.frameworks.extend(linkage.frameworks.iter().cloned());
        keys.extend(linkage.key.map(|key| key.to_string()));
    }
    // Of an archive that two others need, the last mention counts: everything before may use it.
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
