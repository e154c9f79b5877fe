//! Errors of a test run.

use std::io;
use std::path::PathBuf;

use crate::sys::ProcessError;
use crate::{archive, wheel};

/// Reason why wheels could not be tried. A wheel that fails is no error: see [`super::Report`].
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No wheel was named, or none is for the target.
    #[error("cannot test anything: {why}")]
    NoWheel {
        /// Reason.
        why: String,
    },
    /// The wheels could not be found.
    #[error(transparent)]
    Paths(#[from] archive::Error),
    /// A wheel could not be read.
    #[error(transparent)]
    Wheel(#[from] wheel::Error),
    /// The metadata of a wheel cannot be used.
    #[error("cannot use `{}`: {problem}", path.display())]
    Unusable {
        /// Wheel.
        path: PathBuf,
        /// Reason.
        problem: String,
    },
    /// A root cannot be used.
    #[error("cannot use the root `{}`: {problem}", root.display())]
    Root {
        /// Directory of the root.
        root: PathBuf,
        /// Reason.
        problem: String,
        /// Remedy.
        hint: Option<String>,
    },
    /// A root could not be prepared.
    #[error("cannot prepare a root for {arch}")]
    Prepare {
        /// Processor of the root.
        arch: String,
        /// Cause.
        #[source]
        source: ProcessError,
    },
    /// A source distribution built no wheel.
    #[error("cannot build a wheel from `{}`", sdist.display())]
    Sdist {
        /// Source distribution.
        sdist: PathBuf,
        /// Cause.
        #[source]
        source: ProcessError,
    },
    /// A pattern of cells or files is invalid, or names nothing.
    #[error("cannot use the pattern `{pattern}`: {why}")]
    Pattern {
        /// Pattern.
        pattern: String,
        /// Cause.
        why: String,
    },
    /// A file could not be read or written.
    #[error("cannot {doing}")]
    Io {
        /// Action that failed.
        doing: String,
        /// Cause, with the path.
        #[source]
        source: io::Error,
    },
    /// The user stopped the command.
    #[error("stopped")]
    Cancelled,
}

impl Error {
    pub(super) fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let doing = doing.into();
        |source| Self::Io { doing, source }
    }

    /// Remedy.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoWheel { .. } => Some("name wheels, or build some first".to_owned()),
            Self::Root { hint, .. } => hint.clone(),
            _ => None,
        }
    }
}
