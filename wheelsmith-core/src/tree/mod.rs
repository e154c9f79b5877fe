//! Trees: whole installations as archives that run wherever they are unpacked.
//!
//! `scan` finds where an installation names its prefix or its build directory.

pub(crate) mod bytecode;
mod checks;
mod fix;
mod pack;
mod read;
mod rewrite;
mod scan;

pub use crate::config::TreeKind;
pub use checks::{Check, Outcome, Place, TestReport, test};
pub(crate) use pack::{document, missing};
pub use read::{Node, Tree};
pub use rewrite::{Choices, Left, Report, rewrite};
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
    /// The archive has not one directory that contains everything.
    #[error("`{0}` must contain exactly one top-level directory")]
    Top(String),
    /// A child process cannot be started, or the user stopped it.
    #[error(transparent)]
    Process(#[from] crate::sys::ProcessError),
    /// There is no text to look for.
    #[error("`{0}` is not an absolute path; write one such as `/opt/demo`")]
    Prefix(String),
    /// Several parts have the same path with different content.
    #[error("several components install different files: {}", .0.join(", "))]
    Clash(Vec<String>),
    /// A pattern is wrong.
    #[error("not a pattern: {0}")]
    Pattern(String),
    /// A file cannot be stripped.
    #[error("cannot strip `{path}`: {reason}")]
    Strip {
        /// Path in the tree.
        path: crate::name::WheelPath,
        /// Reason.
        reason: String,
    },
    /// The Python that compiles byte code is absent.
    #[error("cannot compile byte code: there is no `{0}` on PATH")]
    NoPython(String),
    /// No byte code was compiled.
    #[error("no byte code was compiled: {0}")]
    Compile(String),
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
