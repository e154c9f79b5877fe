//! A project on disk: from its configuration to audited wheels, in one call.

mod error;
mod launcher;
mod make;
mod pack;

use std::path::{Path, PathBuf};

pub use error::Error;
pub use make::{BuildOptions, Made, MadeTarget, MadeWheel};

use crate::config::{self, Config};
use crate::name::{PlatformTag, Target, WheelFilename};
use crate::plan::{self, Plan};
use crate::source;
use crate::sys::{self, Host};
use crate::toolchain;
use crate::wheel::Metadata;

/// The configuration files, in the order in which they are looked for.
pub const CONFIG_FILES: [&str; 2] = ["wheelsmith.toml", "pyproject.toml"];

/// A configuration and where it lies.
#[derive(Debug, Clone)]
pub struct Project {
    /// The directory of the configuration; absolute.
    pub dir: PathBuf,
    /// What it says.
    pub config: Config,
}

impl Project {
    /// Reads the configuration at `path`: a directory with [`CONFIG_FILES`], or such a file.
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

    /// The zig program that the configuration names.
    pub fn zig(&self) -> Option<PathBuf> {
        self.config.zig.as_ref().map(|zig| self.dir.join(zig))
    }

    /// The build directory.
    pub fn work_dir(&self) -> PathBuf {
        self.dir.join("target").join("wheelsmith")
    }

    /// The targets that `wanted` stands for; those of the configuration when it is empty, the
    /// host's own when that names none.
    pub fn targets(&self, wanted: &[Target]) -> Vec<Target> {
        let mut targets = match (wanted, &self.config.targets[..]) {
            ([], []) => toolchain::host_target().into_iter().collect(),
            ([], configured) => configured.to_vec(),
            (wanted, _) => wanted.to_vec(),
        };
        let mut seen = std::collections::BTreeSet::new();
        targets.retain(|target| seen.insert(target.to_string()));
        targets
    }

    /// What building for `targets` does.
    ///
    /// # Errors
    /// Metadata that no wheel can have.
    pub fn plan(&self, targets: &[Target]) -> Result<Plan, Error> {
        let metadata = self.metadata()?;
        Ok(plan::plan(&self.config, targets, |tag| match &metadata {
            Some(metadata) => self.filenames(metadata, std::slice::from_ref(tag)),
            None => Vec::new(),
        }))
    }

    /// Builds and packs.
    ///
    /// # Errors
    /// What stops every target; a target's own error is in the result.
    pub fn build(&self, options: &BuildOptions, host: &Host) -> Result<Made, Error> {
        make::make(self, options, host)
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
        Ok(source::resolve(&self.config, targets, &places, policy, host)?.len())
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
        wheels.map(|wheel| pack::filename(wheel, metadata, tags)).collect()
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
