//! Why wheels could not be tried at all.

use std::io;
use std::path::PathBuf;

use crate::sys::ProcessError;
use crate::{archive, wheel};

/// Why wheels could not be tried. A wheel that fails is no error: see [`super::Report`].
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No wheel was named, or none is for the target.
    #[error("cannot test anything: {why}")]
    NoWheel {
        /// Why there is nothing.
        why: String,
    },
    /// The wheels could not be found.
    #[error(transparent)]
    Paths(#[from] archive::Error),
    /// A wheel could not be read.
    #[error(transparent)]
    Wheel(#[from] wheel::Error),
    /// What a wheel says of itself cannot be used.
    #[error("cannot use `{}`: {problem}", path.display())]
    Unusable {
        /// The wheel.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A root has no Python that could run.
    #[error("cannot use the root `{}`: {problem}", root.display())]
    Root {
        /// The root.
        root: PathBuf,
        /// What is missing.
        problem: String,
        /// What the user can do about it.
        hint: Option<String>,
    },
    /// A root could not be prepared.
    #[error("cannot prepare a root for {arch}")]
    Prepare {
        /// Its processor.
        arch: String,
        /// Why.
        #[source]
        source: ProcessError,
    },
    /// No wheel came out of a source distribution.
    #[error("cannot build a wheel from `{}`", sdist.display())]
    Sdist {
        /// The source distribution.
        sdist: PathBuf,
        /// Why.
        #[source]
        source: ProcessError,
    },
    /// A pattern of cells or files is none.
    #[error("`{pattern}` is no pattern: {why}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// Why.
        why: String,
    },
    /// A file could not be read or written.
    #[error("cannot {doing}")]
    Io {
        /// What was being done.
        doing: String,
        /// Why, with the path.
        #[source]
        source: io::Error,
    },
    /// The user stopped us.
    #[error("stopped")]
    Cancelled,
}

impl Error {
    pub(super) fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let doing = doing.into();
        |source| Self::Io { doing, source }
    }

    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoWheel { .. } => Some("name wheels, or build some first".to_owned()),
            Self::Root { hint, .. } => hint.clone(),
            _ => None,
        }
    }
}
