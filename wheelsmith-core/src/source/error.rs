//! Errors of sources.

use std::io;
use std::path::PathBuf;

use crate::name::Digest;
use crate::sys::ProcessError;

/// Errors of sources.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A directory that the configuration names does not exist.
    #[error("cannot use the source of component `{component}`: `{}` is not a directory", path.display())]
    NoDirectory {
        /// The component.
        component: String,
        /// The directory.
        path: PathBuf,
    },
    /// The archive is not the one that was pinned.
    #[error(
        "cannot use `{origin}`: its sha256 differs from {pinned_by}\n  \
         expected {expected}\n  actual   {actual}"
    )]
    WrongDigest {
        /// The archive or crate.
        origin: String,
        /// `the configuration`, `wheelsmith.lock`, `cargo's lock`.
        pinned_by: &'static str,
        /// The pinned digest.
        expected: Digest,
        /// The digest of the archive that was found.
        actual: Digest,
    },
    /// A download is needed, and forbidden.
    #[error("cannot get `{origin}` offline: it is not in the cache")]
    Offline {
        /// The archive or crate.
        origin: String,
    },
    /// The lock is not current, and must not change.
    #[error(
        "cannot build with `--locked`: `{}` is not current{}",
        lock.display(),
        missing.iter().map(|id| format!("; it has no pin for `{id}`")).collect::<String>()
    )]
    NotLocked {
        /// The lock.
        lock: PathBuf,
        /// Sources without a pin.
        missing: Vec<String>,
    },
    /// The lock cannot be parsed.
    #[error("cannot read the lock `{}`: {reason}", lock.display())]
    BadLock {
        /// The lock.
        lock: PathBuf,
        /// The reason.
        reason: String,
    },
    /// A download failed from every URL.
    #[error("cannot download a source{}", reasons.iter().map(|r| format!("\n  {r}")).collect::<String>())]
    Download {
        /// Each URL with its error.
        reasons: Vec<String>,
    },
    /// cargo failed.
    #[error("cannot get crate `{name}` {version} through cargo")]
    Cargo {
        /// The crate.
        name: String,
        /// Its version.
        version: String,
        /// Output of cargo.
        #[source]
        source: ProcessError,
    },
    /// cargo did not provide the crate.
    #[error("cannot get crate `{name}` {version} through cargo: {reason}")]
    Crate {
        /// The crate.
        name: String,
        /// Its version.
        version: String,
        /// The reason.
        reason: String,
    },
    /// cargo was not found.
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
        /// The reason.
        reason: String,
    },
    /// A file could not be read or written.
    #[error("cannot {doing}")]
    Io {
        /// Action that failed.
        doing: String,
        /// The reason, with the path.
        #[source]
        source: io::Error,
    },
}

impl Error {
    pub(super) fn io(doing: impl Into<String>, source: io::Error) -> Self {
        Self::Io { doing: doing.into(), source }
    }

    /// Returns what the user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoDirectory { .. } => {
                Some("`source.path` is relative to the configuration".to_owned())
            }
            Self::WrongDigest { .. } => Some(
                "if the new content is right, update the pinned sha256; otherwise do not use the \
                 archive: it was changed"
                    .to_owned(),
            ),
            Self::Offline { .. } => {
                Some("run `wheelsmith fetch` once with a network connection".to_owned())
            }
            Self::NotLocked { .. } => {
                Some("run `wheelsmith fetch` and commit `wheelsmith.lock`".to_owned())
            }
            Self::BadLock { .. } => {
                Some("remove the file and run `wheelsmith fetch` to write it again".to_owned())
            }
            Self::NoCargo { .. } => Some("install Rust, or put `cargo` on PATH".to_owned()),
            _ => None,
        }
    }
}
