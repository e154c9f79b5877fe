//! Repair of wheels: decides which libraries to copy in, their names, and the changes that make
//! files find them.
//!
//! [`plan`] is pure. [`repair`] executes a plan, audits the result, and writes it only if the audit
//! accepts it. Libraries come from the directories that the caller names; the host is not searched
//! otherwise.

mod bundle;
mod change;
mod closure;
mod elf;
mod error;
mod launcher;
mod library;
mod library_dirs;
mod macho;
mod names;
mod options;
mod paths;
mod pe;
mod run;
mod sbom;
mod tags;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::Serialize;

pub use bundle::{BundleResult, bundle};
pub use error::Error;
pub use library::{Library, LibrarySearch, MissingLibrary};
pub use library_dirs::LibraryDirs;
pub use options::{Options, Origin};
pub use run::{RaisedTag, RepairOutput, Request, RequestedTag, Unchanged, repair};

use self::closure::Closure;
use crate::audit::{NativeFile, Requirement};
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
    /// Programs to move, because no relative path leads from them to the libraries.
    pub scripts: Vec<MovedScript>,
    /// Python files that add the directory of the libraries on Windows.
    pub hooks: BTreeMap<WheelPath, DirectoryHook>,
    /// Libraries that were not found. If there are any, the wheel cannot be repaired.
    pub missing: Vec<MissingLibrary>,
    /// Programs that are not changed because their dependencies are unknown: they have neither
    /// section headers nor dynamic entries, as after packers such as UPX.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub packed: Vec<WheelPath>,
    /// Shared directory of the copies, from the top of the wheel.
    pub libraries: String,
}

/// A library to copy into the wheel.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Graft {
    /// Path of the copy in the wheel.
    pub into: WheelPath,
    /// Names under which files require it.
    pub needed_as: Vec<String>,
    /// File on this machine.
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
    /// Creates the graft of library `at` of `closure`, to be copied to `into`.
    fn of(closure: &Closure, at: usize, into: WheelPath) -> Self {
        let Library { path, sha256, .. } = &closure.libraries[at];
        let needed_as = closure.needed_as(at);
        Self { into, needed_as, source: path.clone(), sha256: *sha256 }
    }
}

/// Program to move from `.data/scripts`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MovedScript {
    /// Old path, which becomes that of a launcher.
    pub from: WheelPath,
    /// New path.
    pub to: WheelPath,
}

/// Python file that adds the directory of the libraries on Windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct DirectoryHook {
    /// Number of directories between it and the top of the wheel.
    pub depth: usize,
}

/// Plans the repair of a wheel with the files `paths`, of which `files` are native.
///
/// `wanted` contains the requirement of each group of platform tags; all are for one system.
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
