//! Why a source could not be had.

use std::io;
use std::path::PathBuf;

use crate::name::Digest;
use crate::sys::ProcessError;

/// Why a source could not be had.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A directory that the configuration names is not there.
    #[error("cannot use the source of component `{component}`: `{}` is no directory", path.display())]
    NoDirectory {
        /// The component.
        component: String,
        /// The directory.
        path: PathBuf,
    },
    /// The archive is not the one that was pinned.
    #[error(
        "cannot use `{origin}`: its sha256 is not the one that {pinned_by} has\n  \
         expected {expected}\n  actual   {actual}"
    )]
    WrongDigest {
        /// The archive or crate.
        origin: String,
        /// `the configuration`, `wheelsmith.lock`, `cargo's lock`.
        pinned_by: &'static str,
        /// The pinned digest.
        expected: Digest,
        /// The digest of what was there.
        actual: Digest,
    },
    /// It would have to be downloaded.
    #[error("cannot get `{origin}` offline: it is not in the cache")]
    Offline {
        /// The archive or crate.
        origin: String,
    },
    /// The lock would have to change.
    #[error(
        "cannot build with `--locked`: `{}` is not current{}",
        lock.display(),
        missing.iter().map(|id| format!("; it has no pin for `{id}`")).collect::<String>()
    )]
    NotLocked {
        /// The lock.
        lock: PathBuf,
        /// What it lacks.
        missing: Vec<String>,
    },
    /// The lock is not one.
    #[error("cannot read the lock `{}`: {reason}", lock.display())]
    BadLock {
        /// The lock.
        lock: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A download failed, from every place that was given.
    #[error("cannot download a source{}", reasons.iter().map(|r| format!("\n  {r}")).collect::<String>())]
    Download {
        /// Each URL, and what came of it.
        reasons: Vec<String>,
    },
    /// cargo did not give the crate.
    #[error("cannot get crate `{name}` {version} through cargo")]
    Cargo {
        /// The crate.
        name: String,
        /// Its version.
        version: String,
        /// What cargo said.
        #[source]
        source: ProcessError,
    },
    /// cargo gave something else.
    #[error("cannot get crate `{name}` {version} through cargo: {reason}")]
    Crate {
        /// The crate.
        name: String,
        /// Its version.
        version: String,
        /// What was wrong.
        reason: String,
    },
    /// cargo is not there.
    #[error("cannot get crate `{name}`: no `cargo` was found on PATH")]
    NoCargo {
        /// The crate.
        name: String,
    },
    /// The archive cannot be unpacked.
    #[error("cannot unpack `{origin}`: {reason}")]
    Unpack {
        /// The archive or crate.
        origin: String,
        /// Why.
        reason: String,
    },
    /// A file could not be read or written.
    #[error("cannot {doing}")]
    Io {
        /// What was being done.
        doing: String,
        /// Why it failed, with the path.
        #[source]
        source: io::Error,
    },
}

impl Error {
    pub(super) fn io(doing: impl Into<String>, source: io::Error) -> Self {
        Self::Io { doing: doing.into(), source }
    }

    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoDirectory { .. } => {
                Some("`source.path` is relative to the configuration".to_owned())
            }
            Self::WrongDigest { .. } => Some(
                "if the new content is right, update the pinned sha256; otherwise somebody changed \
                 the archive: do not use it"
                    .to_owned(),
            ),
            Self::Offline { .. } => {
                Some("run `wheelsmith fetch` once with a network connection".to_owned())
            }
            Self::NotLocked { .. } => {
                Some("run `wheelsmith fetch` and commit `wheelsmith.lock`".to_owned())
            }
            Self::BadLock { .. } => {
                Some("remove the file and run `wheelsmith fetch` to make it anew".to_owned())
            }
            Self::NoCargo { .. } => Some("install Rust, or put `cargo` on PATH".to_owned()),
            _ => None,
        }
    }
}
