//! Sources of components: directories, archives, crates, git commits and source distributions of
//! Python, each pinned by sha256.
//!
//! [`resolve`] returns a directory for every component. Sources that are not directories of the
//! project are in the user's cache under their digest, unpacked below the build directory, and
//! pinned in `wheelsmith.lock`.

#[cfg(feature = "cargo")]
mod crates;
mod download;
mod error;
mod git;
mod listing;
mod lock;
mod obtain;
mod python;
mod unpack;
#[cfg(feature = "project")]
mod update;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub use error::Error;
pub use lock::Lock;
#[doc(hidden)]
pub use unpack::unpack;
#[cfg(feature = "project")]
pub(crate) use update::{LockChange, look_up};
#[cfg(feature = "project")]
pub use update::{Newer, Update};

use crate::config::{Component, Config, Kind, Source};
use crate::name::{Digest, Target};
use crate::sys::{self, Host};

/// Name of the file beside the configuration that pins every source.
pub const LOCK_FILE: &str = "wheelsmith.lock";

/// Restrictions on obtaining sources.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Policy {
    /// Whether downloads are forbidden.
    pub offline: bool,
    /// Whether `wheelsmith.lock` must exist and be current.
    pub locked: bool,
}

/// Directories.
#[derive(Debug, Clone)]
pub struct SourceDirs<'a> {
    /// Directory of the configuration.
    pub project: &'a Path,
    /// Build directory; sources are unpacked below it.
    pub work: &'a Path,
    /// The user's cache; downloads are stored below it.
    pub cache: &'a Path,
}

/// Returns the directory below the build directory that sources are unpacked into.
///
/// cargo searches the directories above a package for a workspace, and refuses a package that the
/// project's own workspace does not list. Its search ends at a directory of this name, in which
/// `cargo package` tests what it packed.
pub(crate) fn unpacked_dir(work: &Path) -> PathBuf {
    work.join("sources").join("target").join("package")
}

/// Source on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// Directory that the component's paths are relative to.
    pub root: PathBuf,
    /// Origin, such as `crate libbpf-sys 1.7.0+v1.7.0`; `None` for a directory of the project.
    pub origin: Option<String>,
    /// Digest of the archive.
    pub sha256: Option<Digest>,
}

/// Origin of a source, as the lock names it; the path of a directory, which is not locked.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(transparent)]
pub struct Described(pub String);

impl Described {
    /// Describes `source`.
    pub fn new(source: &Source) -> Self {
        match source {
            Source::Path(path) => Self(format!("directory {path}")),
            other => Self(other.id().unwrap_or_default()),
        }
    }
}

/// Returns the source of `component` for `target`.
pub fn source_for(component: &Component, target: Target) -> &Source {
    match &component.kind {
        Kind::Prebuilt(prebuilt) => {
            (prebuilt.archives.get(target.triple())).map_or(&component.source, |(source, _)| source)
        }
        _ => &component.source,
    }
}

/// Obtains the sources of every component for `targets`, and writes the lock if it changed. The
/// result is by component name and triple.
///
/// # Errors
/// Returns an error if a digest is not the pinned one, a source cannot be obtained, or the lock is
/// not current and `policy` requires it.
pub fn resolve(
    config: &Config,
    targets: &[Target],
    places: &SourceDirs<'_>,
    policy: Policy,
    host: &Host,
) -> Result<BTreeMap<(String, String), Resolved>, Error> {
    let lock_path = places.project.join(LOCK_FILE);
    let (old_text, old) = read_lock(places)?;
    let mut new = old.only(&ids(config));
    let mut resolved = BTreeMap::new();
    let mut done: BTreeMap<Source, Resolved> = BTreeMap::new();
    for component in &config.components {
        for &target in targets.iter().filter(|target| component.is_for(**target)) {
            let source = source_for(component, target);
            let there = match done.get(source) {
                Some(there) => there.clone(),
                None => obtain::obtain(&component.name, source, &mut new, places, policy, host)?,
            };
            done.insert(source.clone(), there.clone());
            resolved.insert((component.name.clone(), target.triple().to_owned()), there);
        }
    }
    let text = new.to_string();
    // A project without anything to pin needs no lock.
    let is_current = old_text.as_deref().map_or(new.is_empty(), |old| old == text);
    if !is_current {
        if policy.locked {
            return Err(Error::NotLocked { lock: lock_path, missing: new.missing_from(&old) });
        }
        sys::fs::write_atomic(&lock_path, text.as_bytes())
            .map_err(|source| Error::io("write the lock", source))?;
    }
    Ok(resolved)
}

/// Returns the sources of every component for `target` that are unpacked, by component name and
/// triple, and `None` for those that a build has to obtain first. Nothing is downloaded or written.
///
/// # Errors
/// As [`resolve`], as far as that is known without downloading.
pub fn present(
    config: &Config,
    target: Target,
    places: &SourceDirs<'_>,
    policy: Policy,
    host: &Host,
) -> Result<BTreeMap<(String, String), Option<Resolved>>, Error> {
    let lock_path = places.project.join(LOCK_FILE);
    let lock = read_lock(places)?.1;
    if policy.locked {
        let unlocked = ids(config).into_iter().filter(|id| lock.get(id).is_none());
        let missing: Vec<String> = unlocked.collect();
        if !missing.is_empty() {
            return Err(Error::NotLocked { lock: lock_path, missing });
        }
    }
    let mut present = BTreeMap::new();
    for component in config.components.iter().filter(|component| component.is_for(target)) {
        let source = source_for(component, target);
        let found = obtain::present(&component.name, source, &lock, places, policy, host)?;
        present.insert((component.name.clone(), target.triple().to_owned()), found);
    }
    Ok(present)
}

/// Reads the lock of the project. Returns its text as well, if there is one.
fn read_lock(places: &SourceDirs<'_>) -> Result<(Option<String>, Lock), Error> {
    let path = places.project.join(LOCK_FILE);
    match sys::fs::read_to_string(&path) {
        Ok(text) => {
            let lock = Lock::parse(&path, &text)?;
            Ok((Some(text), lock))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok((None, Lock::default())),
        Err(source) => Err(Error::io("read the lock", source)),
    }
}

/// Returns the names of the sources of `config` in the lock.
fn ids(config: &Config) -> Vec<String> {
    let mut ids = Vec::new();
    for component in &config.components {
        ids.extend(component.source.id());
        if let Kind::Prebuilt(prebuilt) = &component.kind {
            ids.extend(prebuilt.archives.values().filter_map(|(source, _)| source.id()));
        }
    }
    ids
}
