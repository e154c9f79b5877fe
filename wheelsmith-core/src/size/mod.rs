//! The sizes of packages: what is in them, what could be saved, and how they grew.

mod compare;
mod history;
mod measure;
mod saving;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use serde::Serialize;

pub use compare::{Comparison, FileChange, Growth, Limit, compare};
pub use history::{History, HistoryError, Recorded, RecordedPackage};
pub use measure::measure;
pub use saving::{Saving, SavingKind};

use crate::archive::{self, Kind};
use crate::finding::Finding;
use crate::name::Digest;

/// Sizes of one package, or of all packages of a directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SizeReport {
    /// Packages, the largest first.
    pub packages: Vec<PackageSize>,
    /// Savings across packages: content that several of them have.
    pub savings: Vec<Saving>,
}

impl SizeReport {
    /// Returns the size of all packages in bytes.
    pub fn size_bytes(&self) -> u64 {
        self.packages.iter().map(|package| package.size_bytes).sum()
    }
}

/// Sizes of one package: an archive or a directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PackageSize {
    /// Path as given.
    pub path: PathBuf,
    /// Kind.
    pub kind: Kind,
    /// Size of the archive in bytes; of a directory, the size of its files.
    pub size_bytes: u64,
    /// Unpacked size of all files in bytes.
    pub unpacked_bytes: u64,
    /// Files, the largest first: by packed size if it is known, else by unpacked size.
    pub files: Vec<FileSize>,
    /// Savings within the package.
    pub savings: Vec<Saving>,
    /// Native files for which no savings were looked for, and why.
    pub unexamined: Vec<Unexamined>,
}

impl PackageSize {
    /// Returns the file name.
    pub fn name(&self) -> String {
        let name = self.path.file_name().map(|name| name.to_string_lossy().into_owned());
        name.unwrap_or_else(|| self.path.display().to_string())
    }

    /// Returns the bytes of an archive that are no file's content: headers, the directory of a zip
    /// archive. `None` if packed sizes are not known.
    pub fn overhead_bytes(&self) -> Option<u64> {
        let packed = self.files.iter().map(|file| file.packed_bytes).sum::<Option<u64>>()?;
        self.size_bytes.checked_sub(packed)
    }
}

/// Size of one file of a package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FileSize {
    /// Path in the package.
    pub path: String,
    /// Unpacked size in bytes.
    pub size_bytes: u64,
    /// Size in the archive in bytes; `None` if files are not compressed one by one.
    pub packed_bytes: Option<u64>,
    /// SHA-256 of the content.
    pub sha256: Digest,
    /// Kind.
    pub kind: FileKind,
}

/// Kind of a file in a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum FileKind {
    /// Extension module of Python.
    Module,
    /// Other native file.
    Native,
    /// Any other file.
    Other,
}

impl FileSize {
    /// Returns the packed size in bytes if it is known, else the unpacked size.
    pub fn weight(&self) -> u64 {
        self.packed_bytes.unwrap_or(self.size_bytes)
    }
}

/// Native file for which no savings were looked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Unexamined {
    /// Path in the package.
    pub path: String,
    /// Reason.
    pub reason: String,
}

/// Reason why sizes were not measured.
#[derive(Debug, thiserror::Error)]
pub enum SizeError {
    /// The package cannot be read.
    #[error(transparent)]
    Archive(#[from] archive::Error),
    /// The native files cannot be read.
    #[error(transparent)]
    Audit(#[from] crate::audit::Error),
    /// The package is an archive that programs could read differently, so that its sizes depend on
    /// the reader.
    #[error("`{}` was not measured: {}", path.display(), finding.message)]
    Refused {
        /// The package.
        path: PathBuf,
        /// First reason.
        finding: Box<Finding>,
    },
    /// The file or directory cannot be read.
    #[error("cannot read `{}`", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// Cause.
        source: std::io::Error,
    },
    /// The directory has no files.
    #[error("`{}` has no files", path.display())]
    Empty {
        /// The directory.
        path: PathBuf,
    },
    /// The user stopped it.
    #[error("stopped")]
    Cancelled,
}
