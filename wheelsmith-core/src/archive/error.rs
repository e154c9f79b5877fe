//! Why an input could not be judged at all, and what may be wrong with one member.

use std::io;
use std::path::{Path, PathBuf};

use crate::finding::{Code, Finding};
use crate::name::WheelPath;

/// Why an input could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The system gave no bytes.
    #[error("cannot read `{path}`", path = .path.display())]
    Read {
        /// Of what.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// It is no archive of its kind, or is cut short.
    #[error("cannot read `{path}` as a {kind}: {why}", path = .path.display())]
    Archive {
        /// The file.
        path: PathBuf,
        /// What it seemed to be.
        kind: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// There is no such member.
    #[error("cannot read `{member}` of `{path}`: it has no such file", path = .path.display())]
    NoMember {
        /// The artifact.
        path: PathBuf,
        /// Which.
        member: WheelPath,
    },
    /// A member cannot be read whole.
    #[error("cannot read `{member}` of `{path}`: {why}", path = .path.display())]
    Member {
        /// The artifact.
        path: PathBuf,
        /// Which.
        member: WheelPath,
        /// What is wrong with it.
        why: String,
    },
    /// A pattern that is none, or names nothing.
    #[error("cannot expand `{pattern}`: {why}")]
    Pattern {
        /// As it was given.
        pattern: String,
        /// Why not.
        why: String,
    },
    /// The user asked to stop.
    #[error("stopped")]
    Cancelled,
}

impl Error {
    pub(crate) fn read(path: &Path, source: io::Error) -> Self {
        Self::Read { path: path.to_owned(), source }
    }

    pub(crate) fn archive(path: &Path, kind: &'static str, why: impl Into<String>) -> Self {
        Self::Archive { path: path.to_owned(), kind, why: why.into() }
    }
}

/// What is wrong with one member: a finding, since the others can be judged.
#[derive(Debug)]
pub(crate) enum MemberError {
    /// Its bytes cannot be had.
    Unreadable(String),
    /// The system cannot read it, or whoever takes its bytes failed.
    Io(io::Error),
    /// Its content contradicts its header.
    Damaged(String),
    /// It is more than any real file.
    OverLimit(String),
    /// Its name is no path inside the archive.
    UnsafePath(String),
}

impl MemberError {
    pub(crate) fn unreadable(why: impl Into<String>) -> Self {
        Self::Unreadable(why.into())
    }

    /// Converts it for callers that read files.
    #[cfg(feature = "wheel")]
    pub(crate) fn into_io(self) -> io::Error {
        match self {
            Self::Io(error) => error,
            other => io::Error::new(io::ErrorKind::InvalidData, other.into_text()),
        }
    }

    /// In words.
    pub(crate) fn into_text(self) -> String {
        match self {
            Self::Unreadable(why)
            | Self::Damaged(why)
            | Self::OverLimit(why)
            | Self::UnsafePath(why) => why,
            Self::Io(error) => error.to_string(),
        }
    }

    pub(crate) fn finding(self, path: &WheelPath) -> Finding {
        let code = match self {
            Self::Unreadable(_) | Self::Io(_) => Code::Unreadable,
            Self::Damaged(_) => Code::DamagedEntry,
            Self::OverLimit(_) => Code::OverLimit,
            Self::UnsafePath(_) => Code::UnsafePath,
        };
        Finding::new(code, path, self.into_text())
    }
}

impl From<io::Error> for MemberError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
