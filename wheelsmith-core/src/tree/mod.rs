//! Trees: whole installations as archives that run wherever they are unpacked.
//!
//! [`scan`] finds where an installation names its prefix or its build directory.

mod read;
mod scan;

pub use crate::config::TreeKind;
pub use read::{Node, Tree};
pub use scan::{Found, Needles, Scan, Unread, scan, scan_bytes};

use std::io;

/// Reason why a tree cannot be read or made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The archive cannot be unpacked.
    #[error(transparent)]
    Unpack(#[from] crate::source::Error),
    /// A file cannot be read or written.
    #[error("cannot {doing}")]
    Io {
        /// Action that failed.
        doing: String,
        /// Cause, with the path.
        #[source]
        source: io::Error,
    },
    /// There is no text to look for.
    #[error("`{0}` is no directory to look for: name an absolute path such as `/opt/demo`")]
    Prefix(String),
    /// The user cancelled the operation.
    #[error("stopped")]
    Cancelled,
}

impl Error {
    pub(crate) fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Io { doing, source }
    }
}
