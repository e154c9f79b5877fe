//! What can go wrong between a project and its wheel.

use std::io;
use std::path::PathBuf;

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
            Self::Changed { .. } => Some("build again when nothing else writes to the file"),
            _ => None,
        }
    }
}
