//! Projects on disk: from the configuration to audited wheels.

mod archive;
mod build;
mod data;
mod editable;
mod entry_points;
mod epoch;
mod error;
mod launcher;
mod pack;
mod packages;
mod packing;
mod parts;
#[cfg(test)]
mod plan_tests;
mod prepare;
mod python_files;
#[cfg(feature = "store")]
mod reuse;
mod sdist;
#[cfg(feature = "store")]
mod stored;
mod tree;
mod trees;
mod update;

use std::path::{Path, PathBuf};

pub use archive::ArchiveVerdict;
pub use build::{BuildOutput, BuildVerdict, TargetBuild};
pub use error::Error;
pub use pack::BuiltWheel;
pub use packing::{Binstall, BuiltPackage, PackageVerdict};
#[cfg(feature = "store")]
pub use stored::StoredSet;
pub use trees::BuiltTree;
pub use update::UpdateOptions;

pub use crate::config::CONFIG_FILES;
use crate::config::{Config, LoadError};
use crate::metadata::Metadata;
use crate::name::Target;
pub use crate::plan::BuildOptions;
#[cfg(feature = "store")]
pub use crate::plan::StoreOptions;
use crate::plan::{self, Plan};
use crate::source;
use crate::sys::{self, Host};
use crate::toolchain;
use crate::vcs::Checkout;
use crate::version;
use crate::version::commit::SourceCommit;
use crate::wheel::MadeFile;

/// Target of pure Python on machines that are not targets themselves.
const ANY_TARGET: &str = "x86_64-unknown-linux-gnu";

/// A configuration and its directory.
///
/// ```no_run
/// use wheelsmith_core::project::{BuildOptions, Project};
///
/// let project = Project::open("path/to/project")?;
/// let output = project.build(&BuildOptions::new())?;
/// assert!(output.is_good());
/// # Ok::<(), wheelsmith_core::project::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Project {
    /// Absolute path of the configuration's directory.
    pub dir: PathBuf,
    /// Validated configuration.
    pub config: Config,
    /// Commit that builds are made from; `None` if the configuration does not use it.
    pub commit: Option<SourceCommit>,
    /// Environment, progress and job pool of every action on the project.
    host: Host,
}

impl Project {
    /// Reads the configuration at `path` (a directory with one of [`CONFIG_FILES`], or such a file),
    /// and fills in a dynamic version. Children get the environment of this process.
    ///
    /// # Errors
    /// Returns an error if there is no configuration, if it has mistakes, or if the version is not
    /// found.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::open_on(path.as_ref(), &Host::from_process())
    }

    /// Like [`Project::open`], with the environment, progress and job pool of `host`.
    ///
    /// # Errors
    /// Returns the errors of [`Project::open`].
    pub fn open_on(path: &Path, host: &Host) -> Result<Self, Error> {
        let mut project = Self { host: host.clone(), ..Self::load(path)? };
        if let Some(problem) = &project.config.former_backend {
            host.warn(problem.to_string());
        }
        project.config.project = version::fill_in(&project.config, &project.dir, host)?;
        project.commit = version::commit::fill_in(&mut project.config, &project.dir, host)?;
        Ok(project)
    }

    /// Reads the configuration at `path` without determining a dynamic version.
    ///
    /// # Errors
    /// Returns an error if there is no configuration, or if it has mistakes.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let (config, file) = Config::load(path)?;
        let parent = match file.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let dir = sys::fs::canonicalize(parent)
            .map_err(|source| LoadError::Unreadable { file: file.clone(), source })?;
        Ok(Self { dir, config, commit: None, host: Host::from_process() })
    }

    /// Returns the zig program that the configuration names.
    pub fn zig(&self) -> Option<PathBuf> {
        self.config.zig.as_ref().map(|zig| self.dir.join(zig))
    }

    /// Returns the build directory.
    pub fn work_dir(&self) -> PathBuf {
        self.dir.join("target").join("wheelsmith")
    }

    /// Returns the name of the project in file names, and its version.
    pub fn identity(&self) -> (String, String) {
        archive::identity(self)
    }

    /// Returns the targets of a build: `wanted`; if empty, those of the configuration; if there are
    /// none, the host. A project without compiled components is built once.
    pub fn targets(&self, wanted: &[Target]) -> Vec<Target> {
        let mut targets = self.all_targets(wanted);
        if self.config.components.is_empty() {
            targets.truncate(1);
        }
        targets
    }

    /// Returns the same targets; all of them, even if no component is compiled.
    fn all_targets(&self, wanted: &[Target]) -> Vec<Target> {
        let is_pure = self.config.components.is_empty();
        let mut targets = match (wanted, &self.config.targets[..]) {
            ([], []) => toolchain::host_target().into_iter().collect(),
            ([], configured) => configured.to_vec(),
            (wanted, _) => wanted.to_vec(),
        };
        if targets.is_empty() && is_pure {
            targets.extend(ANY_TARGET.parse::<Target>());
        }
        let mut seen = std::collections::BTreeSet::new();
        targets.retain(|target| seen.insert(target.to_string()));
        targets
    }

    /// Plans a build.
    ///
    /// # Errors
    /// Returns an error if the metadata cannot be in a wheel, or if the configuration does not
    /// contain something that `options` name.
    pub fn plan(&self, options: &BuildOptions) -> Result<Plan, Error> {
        let targets = self.targets(&options.targets);
        let metadata = self.metadata()?;
        let (name, version) = archive::identity(self);
        let semver = packing::semver(self, &version)?;
        let written = self.config.project.as_ref().map(|project| project.name.to_string());
        let crates = packing::crates(self, options)?;
        let naming = plan::Naming {
            name: &name,
            version: &version,
            written: written.as_deref().unwrap_or(&name),
            semver: semver.as_deref(),
            crates: &crates,
            wheel: &|wheel, tag| match &metadata {
                Some(metadata) => pack::filename(wheel, metadata, std::slice::from_ref(tag)),
                None => unreachable!("a configuration with wheels has metadata"),
            },
        };
        let plan = plan::plan(&self.config, options, &targets, &naming)?;
        if !options.runtime_only && options.packages.is_none() {
            let mut listed = Vec::new();
            for wheel in self.config.wheels.iter().filter(|wheel| options.selects(&wheel.name)) {
                let files = python_files::files(self, wheel, &self.host)?;
                packages::require(self, wheel, &files)?;
                listed.push(entry_points::Listed { wheel, files });
            }
            // Someone who develops a package may install it before it is complete.
            if !options.editable {
                entry_points::require(self, &listed)?;
            }
        }
        Ok(plan)
    }

    /// Plans a build, with the steps of every component. Nothing is downloaded, built or written.
    ///
    /// # Errors
    /// Returns the errors that a build returns before it runs the first compiler.
    pub fn dry_run(&self, options: &BuildOptions) -> Result<Plan, Error> {
        let mut plan = self.plan(options)?;
        for target in &mut plan.targets {
            let compiled = match &mut target.slices[..] {
                [] => std::slice::from_mut(target),
                slices => slices,
            };
            for target in compiled {
                build::add_steps(self, target, options)?;
            }
        }
        Ok(plan)
    }

    /// Returns what the `Cargo.toml` of each Rust package with programs in an archive must contain for
    /// `cargo binstall`.
    ///
    /// # Errors
    /// Returns an error if a `Cargo.toml` cannot be read.
    pub fn binstall(&self) -> Result<Vec<Binstall>, Error> {
        packing::binstall(self)
    }

    /// Builds the components and writes wheels and archives.
    ///
    /// # Errors
    /// Returns an error if no target can be built. The error of a single target is in the output.
    pub fn build(&self, options: &BuildOptions) -> Result<BuildOutput, Error> {
        build::run(self, options)
    }

    /// Writes the `.dist-info` that a wheel would have, without `RECORD`, to `options.out`, and
    /// returns its path: the answer to `prepare_metadata_for_build_wheel` (PEP 517).
    ///
    /// # Errors
    /// Returns an error if no wheel can have the metadata, or if a source with licence files cannot be obtained.
    pub fn prepare(&self, options: &BuildOptions) -> Result<PathBuf, Error> {
        prepare::write(self, options, &self.host)
    }

    /// Returns the Python packages that a build for `targets` requires and this machine lacks: a
    /// compiler, if one is needed and none is found.
    pub fn requires(&self, targets: &[Target]) -> Vec<String> {
        prepare::requires(self, targets, &self.host)
    }

    /// Writes the source distribution to the directory `out`.
    ///
    /// # Errors
    /// Returns an error if a required file cannot be included, read or written.
    pub fn sdist(&self, out: &Path) -> Result<MadeFile, Error> {
        sdist::make(self, out, &self.host)
    }

    /// Obtains every source for the targets of `options`, pins it in `wheelsmith.lock`, and returns
    /// the number of sources.
    ///
    /// # Errors
    /// See [`source::resolve`].
    pub fn fetch(&self, options: &BuildOptions) -> Result<usize, Error> {
        let _lock = build::lock(self, &self.host)?;
        let cache = build::cache_dir(&self.host)?;
        let work = self.work_dir();
        let places = source::SourceDirs { project: &self.dir, work: &work, cache: &cache };
        let targets = self.targets(&options.targets);
        let targets: Vec<Target> = targets.iter().flat_map(Target::compiled).collect();
        Ok(source::resolve(&self.config, &targets, &places, options.policy, &self.host)?.len())
    }

    /// Looks for newer versions of pinned sources and, unless it is a dry run, writes them into the
    /// configuration and `wheelsmith.lock`. The error of a single source is in the result.
    ///
    /// # Errors
    /// Returns an error if the options name an unknown component, if a newer source cannot be
    /// obtained, or if a file cannot be written. Then nothing is changed.
    pub fn update(&self, options: &UpdateOptions) -> Result<Vec<source::Update>, Error> {
        update::run(self, options)
    }

    /// Returns the directory for wheels and archives.
    fn out_dir(&self, options: &BuildOptions) -> PathBuf {
        options.out.clone().unwrap_or_else(|| self.dir.join("dist"))
    }

    /// Determines whether the project is a checkout or an unpacked source distribution.
    fn checkout(&self, host: &Host) -> Result<Checkout, Error> {
        let project = self.config.project.as_ref();
        let has_info =
            project.is_some_and(|p| version::pkg_info_version(&self.dir, &p.name).is_some());
        Ok(Checkout::of(&self.dir, &self.config.file, has_info, host)?)
    }

    /// True if every file in the directory belongs to the project: an unpacked source distribution.
    fn is_unpacked_sdist(&self, host: &Host) -> Result<bool, Error> {
        Ok(matches!(self.checkout(host)?, Checkout::Sdist))
    }

    /// Returns the metadata of the project's wheels, without the texts of files; `None` if the
    /// configuration packs no wheel.
    fn metadata(&self) -> Result<Option<Metadata>, Error> {
        match &self.config.project {
            Some(project) if !self.config.wheels.is_empty() => {
                Ok(Some(pack::metadata(self, project, &[])?))
            }
            _ => Ok(None),
        }
    }
}
