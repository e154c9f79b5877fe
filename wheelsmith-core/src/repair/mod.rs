//! Which libraries a wheel must carry, under which names, and what its files must say so that they
//! are found: a plan as data first, then the wheel.
//!
//! Libraries come from the directories that the caller names, never from the host by itself. What
//! comes out is audited before it gets its name.

mod apply;
mod bundle;
mod closure;
mod elf;
mod launcher;
mod library_dirs;
mod macho;
mod names;
mod paths;
mod pe;
mod sbom;

use std::collections::BTreeMap;

use serde::Serialize;

pub use apply::{Error, RaisedTag, RepairOutput, Request, repair};
pub use bundle::{BundleResult, bundle};
pub use library_dirs::LibraryDirs;
pub use sbom::Origin;

use crate::audit::{Allowances, NativeFile, Requirement};
use crate::name::{Digest, PlatformTag, WheelFilename, WheelPath};
use crate::patch::Edit;

/// What shall be done to a wheel.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RepairPlan {
    /// Libraries that are copied in, by their place.
    pub grafts: Vec<Graft>,
    /// What changes in which file; grafted ones are named by their place in the wheel.
    pub edits: BTreeMap<WheelPath, Edit>,
    /// Programs that move, because from where they lie no path leads to the libraries.
    pub scripts: Vec<MovedScript>,
    /// Python files that tell Windows where the libraries are: file, and whether it is new.
    pub hooks: BTreeMap<WheelPath, DirectoryHook>,
    /// Libraries that nobody found. With any of these the wheel cannot be repaired.
    pub missing: Vec<MissingLibrary>,
    /// Programs that are left as they are because nothing tells what they need: without section
    /// headers and dynamic entries, as packers such as UPX leave them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub packed: Vec<WheelPath>,
    /// The directory of the libraries, from the top of the wheel.
    pub libraries: String,
}

/// A library that is copied into the wheel.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Graft {
    /// Where it goes.
    pub into: WheelPath,
    /// The names by which it was asked for.
    pub needed_as: Vec<String>,
    /// Where it comes from, below the directories that were searched.
    pub source: String,
    /// The digest of the file before any change.
    pub sha256: Digest,
}

/// A program below `.data/scripts` that moves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MovedScript {
    /// Where it was, and where a launcher takes its place.
    pub from: WheelPath,
    /// Where it goes.
    pub to: WheelPath,
}

/// A Python file that tells Windows where the libraries are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct DirectoryHook {
    /// How many directories it lies below the top of the wheel.
    pub depth: usize,
    /// Whether it has to be made.
    pub is_new: bool,
}

/// A library that was looked for in vain.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct MissingLibrary {
    /// What needs it: a file of the wheel, or the source of a graft.
    pub by: String,
    /// What it is called.
    pub library: String,
    /// Why it cannot be had, when it was found and is of no use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What may be different from the usual.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Libraries to leave out, because they are there wherever the wheel is used.
    pub terms: Allowances,
    /// The directory of the libraries; by default `<name>.libs`, for macOS `<package>/.dylibs`.
    pub lib_dir: Option<String>,
    /// Where libraries that were built from source come from, by the digest of the file.
    pub origins: BTreeMap<Digest, Origin>,
}

/// A library that was found.
#[derive(Debug, Clone)]
pub struct Library {
    /// What tells it from others: its real place below the directories that were searched.
    pub source: String,
    /// The digest of its bytes.
    pub sha256: Digest,
    /// What it says of itself.
    pub file: NativeFile,
}

/// Where libraries are looked for.
pub trait LibrarySearch {
    /// The first library called `name` that `fits`; directories that `from` names for its own needs
    /// come first.
    fn find(
        &self,
        name: &str,
        from: Option<&Library>,
        fits: &dyn Fn(&NativeFile) -> bool,
    ) -> Option<Library>;
}

/// Decides what a wheel must carry to keep `wanted`.
pub fn plan(
    filename: &WheelFilename,
    files: &[NativeFile],
    wanted: &Requirement,
    lookup: &dyn LibrarySearch,
    options: &Options,
) -> RepairPlan {
    let closure = closure::follow(files, wanted, lookup, options);
    let mut plan = match wanted.tag() {
        PlatformTag::MacOs { .. } => macho::plan(filename, files, &closure, options),
        PlatformTag::Windows { .. } => pe::plan(filename, files, &closure, options),
        _ => elf::plan(filename, files, &closure, options),
    };
    plan.missing.extend(closure.missing);
    plan.missing.sort();
    plan.grafts.sort();
    plan
}

#[cfg(test)]
mod tests;
