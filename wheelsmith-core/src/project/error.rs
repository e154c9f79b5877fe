//! Errors of building a project.

use std::io;
use std::path::PathBuf;

use crate::{build, config, metadata, pipeline, plan, repair, runtime, source, sys, vcs, wheel};

/// Reason why a project could not be built. A wheel that does not qualify for its tag is no error:
/// see [`super::BuiltWheel`].
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No configuration was read.
    #[error(transparent)]
    Load(config::LoadError),
    /// The configuration has mistakes.
    #[error(transparent)]
    Config(#[from] config::Error),
    /// The git repository of the project cannot be read.
    #[error(transparent)]
    Vcs(#[from] vcs::Error),
    /// The store cannot be read or written.
    #[cfg(feature = "store")]
    #[error(transparent)]
    Store(#[from] crate::store::Error),
    /// The configuration does not contain something that the options name.
    #[error(transparent)]
    Plan(#[from] plan::Error),
    /// A target could not be built.
    #[error(transparent)]
    Pipeline(#[from] pipeline::Error),
    /// The metadata or the files cannot be in a wheel.
    #[error(transparent)]
    Wheel(#[from] wheel::Error),
    /// A value of the `[project]` table cannot be written as metadata.
    #[error(transparent)]
    Metadata(#[from] metadata::Error),
    /// Libraries could not be copied into a wheel.
    #[error("cannot bundle the libraries of `{wheel}`")]
    Bundle {
        /// Project name of the wheel.
        wheel: String,
        /// Cause.
        #[source]
        source: Box<repair::Error>,
    },
    /// The wheel could not be written.
    #[error("cannot write `{}`", path.display())]
    Write {
        /// Path of the wheel.
        path: PathBuf,
        /// Cause.
        #[source]
        source: Box<wheel::Error>,
    },
    /// The wheel to be described cannot be built.
    #[error("`{wheel}` does not qualify for its tag: {reasons}")]
    NotQualified {
        /// File name of the wheel.
        wheel: String,
        /// Reasons.
        reasons: String,
    },
    /// There is no component to update.
    #[error("cannot update `{name}`: there is no component with this name")]
    UnknownComponent {
        /// The name.
        name: String,
    },
    /// A version is given for other than one source.
    #[error("cannot use `--to`: {sources} sources are selected")]
    UpdateTarget {
        /// Number of selected sources.
        sources: usize,
    },
    /// There is no runtime to pack.
    #[error("cannot pack for {target} without a build: {reason}")]
    NoRuntime {
        /// Target.
        target: String,
        /// Reason.
        reason: String,
    },
    /// There is no cargo to package crates.
    #[error("cannot package crates: there is no `cargo`")]
    NoCargo,
    /// cargo failed.
    #[error("cannot {action}")]
    Cargo {
        /// Verb phrase, such as `package the crates`.
        action: &'static str,
        /// Failure of cargo.
        source: sys::ProcessError,
    },
    /// The cache directory is unknown.
    #[error("cannot choose a cache directory: neither `WHEELSMITH_CACHE_DIR` nor `HOME` is set")]
    NoCache,
    /// A file could not be read or written.
    #[error("cannot {doing}")]
    Io {
        /// Failed action.
        doing: String,
        /// Cause, with the path.
        #[source]
        source: io::Error,
    },
    /// The user cancelled the operation.
    #[error("stopped")]
    Cancelled,
}

impl From<source::Error> for Error {
    fn from(error: source::Error) -> Self {
        Self::Pipeline(error.into())
    }
}

impl From<build::Error> for Error {
    fn from(error: build::Error) -> Self {
        Self::Pipeline(error.into())
    }
}

impl From<runtime::Error> for Error {
    fn from(error: runtime::Error) -> Self {
        Self::Pipeline(error.into())
    }
}

impl From<config::LoadError> for Error {
    fn from(error: config::LoadError) -> Self {
        match error {
            config::LoadError::Config(error) => Self::Config(error),
            error => Self::Load(error),
        }
    }
}

impl Error {
    pub(super) fn io(doing: impl Into<String>, source: io::Error) -> Self {
        Self::Io { doing: doing.into(), source }
    }

    /// Returns advice for the user, if there is any.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Load(error) => error.hint(),
            Self::Vcs(error) => error.hint(),
            #[cfg(feature = "store")]
            Self::Store(error) => error.hint(),
            Self::Plan(error) => error.hint(),
            Self::Pipeline(error) => error.hint(),
            Self::Wheel(error) => error.hint().map(str::to_owned),
            Self::Metadata(error) => error.hint.map(str::to_owned),
            Self::Bundle { source, .. } => source.hint(),
            Self::UpdateTarget { .. } => Some("name one component with a pinned source".to_owned()),
            Self::NoRuntime { .. } => Some("leave out `--no-build`".to_owned()),
            Self::NoCargo => Some("install Rust, or set `CARGO`".to_owned()),
            Self::NoCache => Some("set `WHEELSMITH_CACHE_DIR`".to_owned()),
            _ => None,
        }
    }

    /// True if the user cancelled the operation.
    pub fn is_cancelled(&self) -> bool {
        match self {
            Self::Cancelled | Self::Vcs(vcs::Error::Cancelled) => true,
            #[cfg(feature = "store")]
            Self::Store(error) => matches!(error, crate::store::Error::Cancelled),
            Self::Pipeline(error) => error.is_cancelled(),
            Self::Write { source, .. } => matches!(**source, wheel::Error::Cancelled),
            _ => false,
        }
    }
}
