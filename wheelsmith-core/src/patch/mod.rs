//! Bytes to bytes: other names for a native file and for the libraries that it needs, other places
//! to look for them.
//!
//! An [`Edit`] says all changes at once, so that one layout serves them all. The new file is a
//! function of the old one and the edit: no host, no time. What comes out is read again and
//! compared before anyone gets it.

pub(crate) mod buffer;
pub mod elf;
pub mod hook;
pub mod macho;
mod numbers;
pub mod pe;

use std::collections::{BTreeMap, BTreeSet};

use crate::binary::Format;

/// What shall be different in a native file. In a universal Mach-O file, in each slice.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Edit {
    /// The name by which others ask for it: DT_SONAME, the install name. PE files have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// New names of needed libraries: DT_NEEDED with its symbol versions, LC_LOAD_DYLIB and its
    /// kin, imports and delayed imports of a PE file (compared without case).
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub renamed: BTreeMap<String, String>,
    /// Needed libraries that shall not be needed any more, such as `libpython3.12.so.1.0`. ELF only.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub dropped: BTreeSet<String>,
    /// Where the loader looks. PE files have no such list.
    pub search: Search,
}

/// Where the loader looks for libraries.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Search {
    /// As it is.
    #[default]
    Keep,
    /// Nowhere: no DT_RPATH, no DT_RUNPATH, no LC_RPATH.
    Nowhere,
    /// DT_RPATH, which the libraries that it loads inherit; LC_RPATH in Mach-O files.
    Rpath(Vec<String>),
    /// DT_RUNPATH, for its own needs alone; LC_RPATH in Mach-O files.
    Runpath(Vec<String>),
}

/// Why a file cannot be changed. It is left as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It cannot be read.
    #[error(transparent)]
    Unreadable(#[from] crate::binary::Error),
    /// The new names do not fit in.
    #[error("not enough free space for the new names: {needed} bytes needed, {available} free")]
    NoSpace {
        /// In bytes.
        needed: u64,
        /// In bytes.
        available: u64,
    },
    /// The edit asks for something that the format or this file does not allow.
    #[error("it cannot be changed: {0}")]
    Unsupported(String),
    /// The changed file is not what was asked for: a defect of this program, caught in time.
    #[error("the changed file is not right: {0}")]
    Wrong(String),
}

/// The file with `edit`, whatever its format, read again and compared with what was asked for. The
/// same file for an edit that changes nothing.
///
/// # Errors
/// A file that cannot be read, or an edit that it does not allow.
pub fn apply(bytes: &[u8], edit: &Edit) -> Result<Vec<u8>, Error> {
    match Format::of(bytes) {
        Some(Format::Elf) => elf::apply(bytes, edit),
        Some(Format::MachO) => macho::apply(bytes, edit),
        Some(Format::Pe) => pe::apply(bytes, edit),
        _ => Err(Error::Unsupported("it is not a native program or library".to_owned())),
    }
}

/// The file without what only debuggers and linkers read. Mach-O and PE files are given back as they
/// are: their symbols are few, or lie in files of their own.
///
/// # Errors
/// When the file cannot be read.
pub fn strip(bytes: &[u8]) -> Result<Vec<u8>, Error> {
    match Format::of(bytes) {
        Some(Format::Elf) => elf::strip(bytes),
        _ => Ok(bytes.to_owned()),
    }
}
