//! Errors of a whole input, and problems of one member.

use std::io;
use std::path::{Path, PathBuf};

use crate::finding::{Code, Finding};
use crate::name::WheelPath;

/// Reason why an input could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The system returned an error.
    #[error("cannot read `{path}`", path = .path.display())]
    Read {
        /// Path of the file.
        path: PathBuf,
        /// Error of the system.
        #[source]
        source: io::Error,
    },
    /// The file is not a valid archive of its kind, or is truncated.
    #[error("cannot read `{path}` as a {kind}: {why}", path = .path.display())]
    Archive {
        /// Path of the file.
        path: PathBuf,
        /// Expected kind of archive.
        kind: &'static str,
        /// Description of the problem.
        why: String,
    },
    /// The member does not exist.
    #[error("cannot read `{member}` of `{path}`: it has no such file", path = .path.display())]
    NoMember {
        /// Path of the artifact.
        path: PathBuf,
        /// Path of the member.
        member: WheelPath,
    },
    /// A member cannot be read completely.
    #[error("cannot read `{member}` of `{path}`: {why}", path = .path.display())]
    Member {
        /// Path of the artifact.
        path: PathBuf,
        /// Path of the member.
        member: WheelPath,
        /// Description of the problem.
        why: String,
    },
    /// A pattern is invalid or matches no file.
    #[error("cannot find `{pattern}`: {why}")]
    Pattern {
        /// Pattern as given.
        pattern: String,
        /// Description of the problem.
        why: String,
    },
    /// The user cancelled the operation.
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

/// Problem of one member. It becomes a finding, because the other members can be judged.
#[derive(Debug)]
pub(crate) enum MemberError {
    /// The bytes cannot be located.
    Unreadable(String),
    /// Reading failed, or the consumer of the bytes returned an error.
    Io(io::Error),
    /// The content contradicts its header.
    Damaged(String),
    /// The member exceeds a limit.
    OverLimit(String),
    /// The name is not a path inside the archive.
    UnsafePath(String),
}

impl MemberError {
    pub(crate) fn unreadable(why: impl Into<String>) -> Self {
        Self::Unreadable(why.into())
    }

    /// Converts it for callers that return I/O errors.
    #[cfg(any(feature = "check", feature = "wheel"))]
    pub(crate) fn into_io(self) -> io::Error {
        match self {
            Self::Io(error) => error,
            other => io::Error::new(io::ErrorKind::InvalidData, other.into_text()),
        }
    }

    /// Returns the message.
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
