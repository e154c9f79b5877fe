//! Edits of native files: names of a file and of the libraries that it needs, and search paths.
//!
//! An [`Edit`] lists all changes at once, so that one layout serves them all. The new file is a
//! function of the old one and the edit; neither the host nor the time has a part in it. Every
//! result is parsed again and compared with the request before it is returned.

pub(crate) mod buffer;
pub mod elf;
pub mod hook;
pub mod macho;
mod numbers;
pub mod pe;

use std::collections::{BTreeMap, BTreeSet};

use crate::binary::Format;

/// Changes to a native file; in a universal Mach-O file, to each slice.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Edit {
    /// New DT_SONAME or install name. PE files have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// New names of needed libraries, by old name: DT_NEEDED and its symbol versions, LC_LOAD_DYLIB
    /// and similar commands, imports and delayed imports of a PE file (compared without case).
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub renamed: BTreeMap<String, String>,
    /// Needed libraries to remove, such as `libpython3.12.so.1.0`. ELF only.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub dropped: BTreeSet<String>,
    /// Search path of the loader. PE files have none.
    pub search: Search,
}

/// Change of the search path for libraries.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Search {
    /// No change.
    #[default]
    Keep,
    /// Removal of DT_RPATH, DT_RUNPATH and LC_RPATH.
    Nowhere,
    /// DT_RPATH, which loaded libraries inherit; LC_RPATH in Mach-O files.
    Rpath(Vec<String>),
    /// DT_RUNPATH, which applies to the file alone; LC_RPATH in Mach-O files.
    Runpath(Vec<String>),
}

/// Reason why a file is not changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The file cannot be parsed.
    #[error(transparent)]
    Unreadable(#[from] crate::binary::Error),
    /// There is not enough space for the new names.
    #[error("not enough free space for the new names: {needed} bytes needed, {available} free")]
    NoSpace {
        /// In bytes.
        needed: u64,
        /// In bytes.
        available: u64,
    },
    /// The format or this file does not allow the edit.
    #[error("it cannot be changed: {0}")]
    Unsupported(String),
    /// The changed file differs from the request: a defect of this program.
    #[error("the changed file is wrong: {0}")]
    Wrong(String),
}

/// Returns the file with `edit`, whatever its format; the same bytes if the edit changes nothing.
/// The result is parsed again and compared with the request.
///
/// # Errors
/// Returns an error if the file cannot be parsed or does not allow the edit.
pub fn apply(bytes: &[u8], edit: &Edit) -> Result<Vec<u8>, Error> {
    match Format::of(bytes) {
        Some(Format::Elf) => elf::apply(bytes, edit),
        Some(Format::MachO) => macho::apply(bytes, edit),
        Some(Format::Pe) => pe::apply(bytes, edit),
        _ => Err(Error::Unsupported("it is not a native program or library".to_owned())),
    }
}

/// Returns the file without debug information and without the symbols that only linkers read.
/// Mach-O and PE files are returned unchanged: they have few such symbols, or have them in separate
/// files.
///
/// # Errors
/// Returns an error if the file cannot be parsed.
pub fn strip(bytes: &[u8]) -> Result<Vec<u8>, Error> {
    match Format::of(bytes) {
        Some(Format::Elf) => elf::strip(bytes),
        _ => Ok(bytes.to_owned()),
    }
}
