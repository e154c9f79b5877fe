//! Errors of reading and writing wheels.

use std::io;
use std::path::PathBuf;

use crate::finding::Finding;
use crate::name::{WheelFilename, WheelPath};

/// Reason why a wheel could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A value of the `[project]` table cannot be written as metadata.
    #[error(transparent)]
    Project(#[from] crate::metadata::Error),
    /// The file name contradicts the metadata, or installers would refuse it.
    #[error("the wheel cannot be called `{filename}`: {problem}")]
    Filename {
        /// File name.
        filename: Box<WheelFilename>,
        /// Description of the problem.
        problem: String,
    },
    /// A file may not be at its path in the wheel.
    #[error("`{path}` cannot go into the wheel: {problem}")]
    Path {
        /// Path in the wheel.
        path: WheelPath,
        /// Description of the problem.
        problem: String,
    },
    /// An existing wheel, or the directory of an unpacked one, cannot be read.
    #[error("cannot open `{}` as a wheel: {problem}", path.display())]
    Existing {
        /// Path of the wheel.
        path: PathBuf,
        /// Description of the problem.
        problem: String,
    },
    /// Installers could read the archive differently.
    #[error("`{}` is refused: {}", path.display(), crate::archive::zip::refusal(findings).unwrap_or_default())]
    Refused {
        /// Path of the wheel.
        path: PathBuf,
        /// Reasons for the refusal.
        findings: Vec<Finding>,
    },
    /// The wheel contradicts its own `RECORD`, or contains names that file systems cannot store.
    #[error("`{}` is inconsistent: {}", path.display(), crate::archive::zip::refusal(findings).unwrap_or_default())]
    Contradiction {
        /// Path of the wheel.
        path: PathBuf,
        /// Contradictions.
        findings: Vec<Finding>,
    },
    /// A file on disk could not be read.
    #[error("cannot read `{}` into the wheel as `{path}`", file.display())]
    Read {
        /// Path in the wheel.
        path: WheelPath,
        /// Path on disk.
        file: PathBuf,
        /// Error of the system.
        source: io::Error,
    },
    /// An entry of another wheel could not be unpacked.
    #[error("cannot unpack `{path}`")]
    Unpack {
        /// Path in the wheel.
        path: WheelPath,
        /// Reason.
        source: io::Error,
    },
    /// A file changed while the wheel was being written.
    #[error("`{}` changed while it was being packed as `{path}`", file.display())]
    Changed {
        /// Path in the wheel.
        path: WheelPath,
        /// Path on disk.
        file: PathBuf,
    },
    /// The archive could not be written.
    #[error("cannot write the wheel")]
    Write(#[from] io::Error),
    /// The compressor returned a stream that cannot be continued. This has never been observed.
    #[error("cannot join the compressed pieces of `{path}`")]
    Codec {
        /// Path in the wheel of the file that was being compressed.
        path: WheelPath,
    },
    /// The user cancelled the operation.
    #[error("stopped while writing the wheel")]
    Cancelled,
}

impl Error {
    /// Returns advice for the user, if there is any.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Project(error) => error.hint,
            Self::Refused { .. } => Some(
                "get or build the wheel again: an installer may unpack different \
                 files",
            ),
            Self::Contradiction { .. } => Some(
                "get or build the wheel again; if you know why it differs, `--force REASON` takes \
                 its files as they are",
            ),
            Self::Changed { .. } => Some("build again when nothing else writes to the file"),
            _ => None,
        }
    }
}
