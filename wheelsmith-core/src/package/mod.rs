//! Packages that are made from a runtime besides wheels: what each contains, and its bytes.
//!
//! The modules of the kinds are pure: they return a list of files. [`write`] writes any such list as
//! an archive whose bytes follow from it.

mod archive;
mod crates;
pub(crate) mod installer;
pub(crate) mod npm;
mod select;
mod tar;
mod write;

use std::collections::BTreeMap;

use crate::name::WheelPath;
use crate::wheel::Source;

pub(crate) use archive::content as archive_content;
pub(crate) use crates::order as crate_order;
pub(crate) use select::{Links, Selection, select};
pub(crate) use write::{Writing, write};

/// Reason why a package cannot be made of its files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// Key of the package's table, such as `bin.demo`; empty for the table itself.
    pub(crate) key: String,
    /// Description.
    pub(crate) message: String,
    /// Remedy.
    pub(crate) help: Option<String>,
}

impl Problem {
    fn new(key: &str, message: String, help: Option<String>) -> Self {
        Self { key: key.to_owned(), message, help }
    }
}

/// Files of a package by path.
pub(crate) type Files = BTreeMap<WheelPath, PackageFile>;

/// File of a package.
#[derive(Debug, Clone)]
pub(crate) struct PackageFile {
    pub(crate) executable: bool,
    pub(crate) content: Content,
}

/// Content of a file of a package.
#[derive(Debug, Clone)]
pub(crate) enum Content {
    /// Bytes in memory or on disk.
    Bytes(Source),
    /// Symbolic link with this target, relative to its directory.
    Link(String),
    /// Directory, which is in the archive even if it is empty. Zip archives leave it out.
    Dir,
}

impl PackageFile {
    /// Returns a file without execute bits that contains `text`.
    pub(crate) fn text(text: impl Into<Vec<u8>>) -> Self {
        Self { executable: false, content: Content::Bytes(Source::Bytes(text.into())) }
    }
}

/// Adds a file.
///
/// # Errors
/// Returns a problem if another file has the path, or one that file systems take for the same.
pub(crate) fn add(files: &mut Files, path: WheelPath, file: PackageFile) -> Result<(), Problem> {
    if files.contains_key(&path) {
        let message = format!("two files have the path `{path}` in the package");
        return Err(Problem::new("include", message, None));
    }
    files.insert(path, file);
    Ok(())
}
