//! Errors of sealing. A file that differs from its list is a finding, not an error.

use std::io;
use std::path::PathBuf;

use crate::sys::ProcessError;

/// Reason why files could not be listed, signed or verified.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be read or written.
    #[error("cannot {doing} `{}`", path.display())]
    File {
        /// `read`, `write`.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// The reason.
        #[source]
        source: io::Error,
    },
    /// The directory contains an entry that a list of digests cannot name.
    #[error("`{}` {problem}; a list of digests names plain files only: move it away", path.display())]
    Entry {
        /// The entry.
        path: PathBuf,
        /// The reason, as a verb phrase.
        problem: &'static str,
    },
    /// The directory contains no file to list.
    #[error("`{}` has no file to list", .0.display())]
    Empty(PathBuf),
    /// The list does not match the files, so that a signature would confirm a wrong list.
    #[error("`{}` does not match the files beside it; run `wheelsmith sums` first", .0.display())]
    Stale(PathBuf),
    /// A key is not in its format.
    #[error("cannot read the key {key}: {problem}")]
    Key {
        /// File name or text of the key's kind, never a secret.
        key: String,
        /// The reason.
        problem: String,
    },
    /// A program is missing.
    #[error("`{0}` is not on PATH; install it, or use another kind of signature")]
    NoProgram(&'static str),
    /// A program failed.
    #[error("cannot {doing} `{}`", path.display())]
    Program {
        /// `sign`, `verify`.
        doing: &'static str,
        /// The list.
        path: PathBuf,
        /// The reason.
        #[source]
        source: ProcessError,
    },
    /// The user cancelled the operation.
    #[error("stopped")]
    Cancelled,
}

impl Error {
    pub(super) fn read(path: impl Into<PathBuf>, source: io::Error) -> Self {
        Self::File { doing: "read", path: path.into(), source }
    }

    pub(super) fn write(path: impl Into<PathBuf>, source: io::Error) -> Self {
        Self::File { doing: "write", path: path.into(), source }
    }
}
