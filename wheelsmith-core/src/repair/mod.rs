//! Repair of wheels: libraries to copy in, their names, and the changes that make files find them.
//!
//! [`plan`] decides on values alone; [`repair`] carries a plan out, judges the result as `audit`
//! does, and writes it only if it is good. Libraries come from the directories that the caller
//! names, never from the host by itself.

mod bundle;
mod change;
mod closure;
mod elf;
mod error;
mod launcher;
mod library_dirs;
mod macho;
mod names;
mod paths;
mod pe;
mod run;
mod sbom;
mod tags;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use globset::{GlobBuilder, GlobMatcher};
use serde::Serialize;

pub use bundle::{BundleResult, bundle};
pub use error::Error;
pub use library_dirs::LibraryDirs;
pub use run::{RaisedTag, RepairOutput, Request, RequestedTag, Unchanged, repair};
pub use sbom::Origin;

use self::closure::{Closure, file_name};
use crate::audit::{Allowances, NativeFile, Requirement};
use crate::name::{Digest, PlatformTag, WheelFilename, WheelPath};
use crate::patch::{Edit, Search};

/// All changes to a wheel.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RepairPlan {
    /// Libraries to copy in, by path.
    pub grafts: Vec<Graft>,
    /// Changes to native files, copies included, by path in the wheel.
    pub edits: BTreeMap<WheelPath, Edit>,
    /// Directories that files no longer search, because they are outside the wheel.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub removed_paths: BTreeMap<WheelPath, Vec<String>>,
    /// Programs to move, because no path leads from their place to the libraries.
    pub scripts: Vec<MovedScript>,
    /// Python files that shall tell Windows where the libraries are.
    pub hooks: BTreeMap<WheelPath, DirectoryHook>,
    /// Libraries that were not found. With any of these the wheel cannot be repaired.
    pub missing: Vec<MissingLibrary>,
    /// Programs that stay as they are because they do not tell what they need: they have neither
    /// section headers nor dynamic entries, as packers such as UPX leave them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub packed: Vec<WheelPath>,
    /// The shared directory of the copies, from the top of the wheel.
    pub libraries: String,
}

/// A library to copy into the wheel.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Graft {
    /// Path of the copy in the wheel.
    pub into: WheelPath,
    /// Names by which files need it.
    pub needed_as: Vec<String>,
    /// The file on this machine.
    pub source: PathBuf,
    /// Digest of the file before any change.
    pub sha256: Digest,
}

impl RepairPlan {
    /// True if nothing changes.
    pub fn is_empty(&self) -> bool {
        self.grafts.is_empty()
            && self.edits.is_empty()
            && self.scripts.is_empty()
            && self.hooks.is_empty()
    }
}

impl Graft {
    /// The library of `closure` at `at`, to be copied to `into`.
    fn of(closure: &Closure, at: usize, into: WheelPath) -> Self {
        let Library { path, sha256, .. } = &closure.libraries[at];
        let needed_as = closure.needed_as(at);
        Self { into, needed_as, source: path.clone(), sha256: *sha256 }
    }
}

/// A program to move from `.data/scripts`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MovedScript {
    /// Its path, where a launcher takes its place.
    pub from: WheelPath,
    /// Its new path.
    pub to: WheelPath,
}

/// A Python file that shall tell Windows where the libraries are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct DirectoryHook {
    /// Number of directories between it and the top of the wheel.
    pub depth: usize,
}

/// A library that was not found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct MissingLibrary {
    /// What needs it: a file of the wheel, or a library on this machine.
    pub by: String,
    /// Its name.
    pub library: String,
    /// Why it is of no use, if a file of that name was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Choices that the user may make.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Libraries to leave out, because they are present wherever the wheel is used.
    pub terms: Allowances,
    /// Libraries to copy although the platform tag or Python has them, by name or pattern; a name
    /// that no file needs is copied as well.
    pub include: Vec<String>,
    /// Directory of the copies; by default `<name>.libs`, for macOS `<package>/.dylibs`.
    pub lib_dir: Option<String>,
    /// Packages whose `__init__.py` must stay as it is, as `a.b`; so must those of their parents.
    pub namespace_packages: Vec<String>,
    /// Origins of libraries that were built from source, by digest of the file.
    pub origins: BTreeMap<Digest, Origin>,
}

impl Options {
    /// True if the user asked to copy `library`, by its name or the part behind the last slash.
    fn includes(&self, library: &str) -> bool {
        let is_it = |pattern: &String| {
            let name = file_name(library);
            pattern.eq_ignore_ascii_case(name)
                || glob(pattern).is_ok_and(|glob| glob.is_match(name) || glob.is_match(library))
        };
        self.include.iter().any(is_it)
    }

    /// True if `package`, as `a/b`, is a namespace package or above one.
    fn is_namespace(&self, package: &str) -> bool {
        let package = package.replace('/', ".");
        let is_below = |namespace: &String| {
            namespace.strip_prefix(&package).is_some_and(|r| r.is_empty() || r.starts_with('.'))
        };
        self.namespace_packages.iter().any(is_below)
    }

    /// Checks the patterns of `include`.
    ///
    /// # Errors
    /// Returns an error for a pattern that is malformed.
    pub fn check(&self) -> Result<(), String> {
        self.include.iter().try_for_each(|pattern| glob(pattern).map(drop))
    }
}

/// A pattern of names; libraries of Windows are named without regard to case.
fn glob(pattern: &str) -> Result<GlobMatcher, String> {
    let glob = GlobBuilder::new(pattern).literal_separator(false).case_insensitive(true).build();
    Ok(glob.map_err(|error| error.to_string())?.compile_matcher())
}

/// A library on this machine.
#[derive(Debug, Clone)]
pub struct Library {
    /// Its path, links resolved: equal for the same file only.
    pub path: PathBuf,
    /// Digest of its bytes.
    pub sha256: Digest,
    /// Its facts.
    pub file: NativeFile,
}

impl Library {
    /// The name of the file.
    fn file_name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }
}

/// A collection of libraries.
pub trait LibrarySearch {
    /// Returns the first library called `name` that `fits`. Directories that `from` names for its
    /// own needs are searched first.
    fn find(
        &self,
        name: &str,
        from: Option<&Library>,
        fits: &dyn Fn(&NativeFile) -> bool,
    ) -> Option<Library>;
}

/// Plans the repair of a wheel with the files `paths`, of which `files` are native.
///
/// `wanted` has the requirement of each group of platform tags; all are for one system.
pub fn plan(
    filename: &WheelFilename,
    paths: &BTreeSet<WheelPath>,
    files: &[NativeFile],
    wanted: &[Requirement],
    search: &dyn LibrarySearch,
    options: &Options,
) -> RepairPlan {
    let closure = closure::follow(files, wanted, search, options);
    let mut plan = match wanted.first().map(Requirement::tag) {
        Some(PlatformTag::MacOs { .. }) => macho::plan(filename, files, &closure, options),
        Some(PlatformTag::Windows { .. }) => pe::plan(filename, files, paths, &closure, options),
        Some(tag) => {
            let is_android = matches!(tag, PlatformTag::Android { .. });
            elf::plan(filename, files, &closure, options, is_android)
        }
        None => RepairPlan::default(),
    };
    let of_wheel = files.iter().map(|file| (&file.path, file));
    let grafted = plan.grafts.iter().filter_map(|graft| {
        let library = closure.libraries.iter().find(|library| library.path == graft.source)?;
        Some((&graft.into, &library.file))
    });
    plan.removed_paths = of_wheel
        .chain(grafted)
        .filter_map(|(path, file)| {
            Some((path.clone(), removed_paths(file, plan.edits.get(path)?)?))
        })
        .collect();
    plan.missing.extend(closure.missing);
    plan.missing.sort();
    plan.grafts.sort();
    plan
}

/// Returns the search path entries of a file that an edit removes, if there are any.
fn removed_paths(file: &NativeFile, edit: &Edit) -> Option<Vec<String>> {
    let kept: &[String] = match &edit.search {
        Search::Keep => return None,
        Search::Nowhere => &[],
        Search::Rpath(entries) | Search::Runpath(entries) => entries,
    };
    let elf = file.elf().into_iter().flat_map(|elf| elf.rpath.iter().chain(&elf.runpath));
    let macho = file.macho().into_iter().flat_map(|macho| &macho.slices).flat_map(|s| &s.rpaths);
    let removed: BTreeSet<&String> =
        elf.chain(macho).filter(|entry| !kept.contains(entry)).collect();
    (!removed.is_empty()).then(|| removed.into_iter().cloned().collect())
}

#[cfg(test)]
mod tests;
