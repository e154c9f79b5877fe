//! What can go wrong between a project and its wheel.

use std::io;
use std::path::PathBuf;

use crate::finding::Finding;
use crate::name::{WheelFilename, WheelPath};

/// Why a wheel was not made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A value of the `[project]` table that metadata cannot hold.
    #[error(transparent)]
    Project(#[from] crate::metadata::Error),
    /// The file name says other than the metadata, or is not as installers want it.
    #[error("the wheel cannot be called `{filename}`: {problem}")]
    Filename {
        /// The name.
        filename: Box<WheelFilename>,
        /// What is wrong with it.
        problem: String,
    },
    /// A file that cannot lie where it was put.
    #[error("`{path}` cannot go into the wheel: {problem}")]
    Path {
        /// Where it was put.
        path: WheelPath,
        /// Why it cannot be there.
        problem: String,
    },
    /// A wheel, or the directory of one, that cannot be taken apart.
    #[error("cannot open `{}` as a wheel: {problem}", path.display())]
    Existing {
        /// The wheel.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// An archive that installers could read differently.
    #[error("`{}` is refused: {}", path.display(), crate::archive::zip::refusal(findings).unwrap_or_default())]
    Refused {
        /// The wheel.
        path: PathBuf,
        /// What is wrong with it.
        findings: Vec<Finding>,
    },
    /// A wheel that contradicts its own `RECORD`, or has names that file systems cannot hold.
    #[error("`{}` contradicts itself: {}", path.display(), crate::archive::zip::refusal(findings).unwrap_or_default())]
    Contradiction {
        /// The wheel.
        path: PathBuf,
        /// What is wrong with it.
        findings: Vec<Finding>,
    },
    /// A file could not be read.
    #[error("cannot read `{}` into the wheel as `{path}`", file.display())]
    Read {
        /// Where it goes.
        path: WheelPath,
        /// The file on disk.
        file: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file could not be unpacked.
    #[error("cannot unpack `{path}`")]
    Unpack {
        /// Its path in the wheel.
        path: WheelPath,
        /// Why not.
        source: io::Error,
    },
    /// A file became another one while the wheel was being written.
    #[error("`{}` changed while it was being packed as `{path}`", file.display())]
    Changed {
        /// Where it goes.
        path: WheelPath,
        /// The file on disk.
        file: PathBuf,
    },
    /// The archive could not be written.
    #[error("cannot write the wheel")]
    Write(#[from] io::Error),
    /// The compressor made something that cannot be joined; never seen.
    #[error("cannot join the compressed pieces of `{path}`")]
    Codec {
        /// The file that was being packed.
        path: WheelPath,
    },
    /// The user wanted to stop.
    #[error("stopped while writing the wheel")]
    Cancelled,
}

impl Error {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Project(error) => error.hint,
            Self::Refused { .. } => Some(
                "get or build the wheel again: an installer may unpack other files than this one \
                 shows",
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
