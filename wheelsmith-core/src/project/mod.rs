//! A project on disk: from its configuration to audited wheels, in one call.

mod archive;
mod data;
mod editable;
mod error;
mod launcher;
mod make;
mod pack;
mod parts;
mod prepare;
mod python_files;
mod sdist;
mod tree;

use std::path::{Path, PathBuf};

pub use archive::Judged;
pub use error::Error;
pub use make::{BuildOptions, Made, MadeTarget, MadeWheel};

use crate::config::{self, Config};
use crate::name::{PlatformTag, Target, WheelFilename};
use crate::plan::{self, Plan};
use crate::source;
use crate::sys::{self, Host};
use crate::toolchain;
use crate::vcs::Checkout;
use crate::version;
use crate::wheel::{MadeFile, Metadata};

/// The configuration files, in the order in which they are looked for.
pub const CONFIG_FILES: [&str; 2] = ["wheelsmith.toml", "pyproject.toml"];

/// What pure Python is built for on machines that are no target.
const ANY_TARGET: &str = "x86_64-unknown-linux-gnu";

/// A configuration and where it lies.
#[derive(Debug, Clone)]
pub struct Project {
    /// The directory of the configuration; absolute.
    pub dir: PathBuf,
    /// What it says.
    pub config: Config,
}

impl Project {
    /// Reads the configuration at `path`: a directory with [`CONFIG_FILES`], or such a file. A
    /// dynamic version stays open.
    ///
    /// # Errors
    /// No configuration there, or one with mistakes.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let file = config_file(path)?;
        let text = sys::fs::read_to_string(&file)
            .map_err(|source| Error::Unreadable { file: file.clone(), source })?;
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let config = config::parse(&name, &text)?;
        let parent = match file.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let dir = sys::fs::canonicalize(parent)
            .map_err(|source| Error::Unreadable { file: file.clone(), source })?;
        Ok(Self { dir, config })
    }

    /// Reads the configuration at `path`, and fills in what it leaves open: the version.
    ///
    /// # Errors
    /// As [`Project::load`], and a version that is not where the configuration says.
    pub fn open(path: &Path, host: &Host) -> Result<Self, Error> {
        let mut project = Self::load(path)?;
        project.config.project = version::fill_in(&project.config, &project.dir, host)?;
        Ok(project)
    }

    /// The zig program that the configuration names.
    pub fn zig(&self) -> Option<PathBuf> {
        self.config.zig.as_ref().map(|zig| self.dir.join(zig))
    }

    /// The build directory.
    pub fn work_dir(&self) -> PathBuf {
        self.dir.join("target").join("wheelsmith")
    }

    /// The targets that `wanted` stands for; those of the configuration when it is empty, the
    /// host's own when that names none. A project that compiles nothing is built once.
    pub fn targets(&self, wanted: &[Target]) -> Vec<Target> {
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
        if is_pure {
            targets.truncate(1);
        }
        targets
    }

    /// What building for `targets` does.
    ///
    /// # Errors
    /// Metadata that no wheel can have.
    pub fn plan(&self, targets: &[Target]) -> Result<Plan, Error> {
        let metadata = self.metadata()?;
        let mut plan = plan::plan(&self.config, targets, |tag| match &metadata {
            Some(metadata) => self.filenames(metadata, std::slice::from_ref(tag)),
            None => Vec::new(),
        });
        for target in &mut plan.targets {
            target.archives = archive::names(self, target.target);
        }
        Ok(plan)
    }

    /// Builds and packs.
    ///
    /// # Errors
    /// What stops every target; a target's own error is in the result.
    pub fn build(&self, options: &BuildOptions, host: &Host) -> Result<Made, Error> {
        make::make(self, options, host)
    }

    /// Writes the `.dist-info` that a wheel for `target` has, without `RECORD`, to the directory
    /// `out`, and gives its path: what installers ask for before they ask for the wheel.
    ///
    /// # Errors
    /// Metadata that no wheel can have, or a source with licence files that cannot be had.
    pub fn prepare(&self, options: &BuildOptions, host: &Host) -> Result<PathBuf, Error> {
        prepare::write(self, options, host)
    }

    /// What must be installed before a build for `targets`, as requirements of Python: a compiler,
    /// when one is needed and none is there.
    ///
    /// # Errors
    /// A target that no toolchain serves shows when it is built.
    pub fn requires(&self, targets: &[Target], host: &Host) -> Vec<String> {
        prepare::requires(self, targets, host)
    }

    /// Writes the source distribution to the directory `out`.
    ///
    /// # Errors
    /// A file that is needed and cannot be in it; the disk's.
    pub fn sdist(&self, out: &Path, host: &Host) -> Result<MadeFile, Error> {
        sdist::make(self, out, host)
    }

    /// Gets every source for `targets`, and pins it.
    ///
    /// # Errors
    /// See [`source::resolve`].
    pub fn fetch(
        &self,
        targets: &[Target],
        policy: source::Policy,
        host: &Host,
    ) -> Result<usize, Error> {
        let _lock = make::lock(self, host)?;
        let cache = make::cache_dir(host)?;
        let work = self.work_dir();
        let places = source::Places { project: &self.dir, work: &work, cache: &cache };
        let targets: Vec<Target> = targets.iter().flat_map(Target::compiled).collect();
        Ok(source::resolve(&self.config, &targets, &places, policy, host)?.len())
    }

    /// Returns how the project's files came to its directory.
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

    /// The metadata of the project's wheels, without the texts that it names; nothing when the
    /// configuration packs no wheel.
    fn metadata(&self) -> Result<Option<Metadata>, Error> {
        match &self.config.project {
            Some(project) if !self.config.wheels.is_empty() => {
                Ok(Some(pack::metadata(self, project, &[])?))
            }
            _ => Ok(None),
        }
    }

    fn filenames(&self, metadata: &Metadata, tags: &[PlatformTag]) -> Vec<WheelFilename> {
        let wheels = self.config.wheels.iter();
        let name = |wheel: &config::Wheel| {
            // What carries no component runs anywhere.
            let tags = if wheel.components.is_empty() { &[PlatformTag::Any] } else { tags };
            pack::filename(wheel, metadata, tags)
        };
        wheels.map(name).collect()
    }
}

fn config_file(path: &Path) -> Result<PathBuf, Error> {
    if path.is_file() {
        return Ok(path.to_owned());
    }
    if !path.is_dir() {
        return Err(Error::NoDirectory { path: path.to_owned() });
    }
    CONFIG_FILES
        .iter()
        .map(|name| path.join(name))
        .find(|file| file.is_file())
        .ok_or_else(|| Error::NoConfig { dir: path.to_owned() })
}
