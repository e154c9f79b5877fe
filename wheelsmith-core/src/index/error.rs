//! Errors of an index.

use std::io;
use std::path::{Path, PathBuf};

use super::{Status, View};
use crate::name::{Digest, ParseError};

/// Reason why an index could not be created, changed or read. Either nothing was published, or what
/// was published is consistent and the next run continues.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The path or name.
        path: PathBuf,
        /// Cause.
        source: io::Error,
    },
    /// A file could not be written, moved or removed.
    #[error("cannot write `{}`", path.display())]
    Write {
        /// The path or name.
        path: PathBuf,
        /// Cause.
        source: io::Error,
    },
    /// The state file is invalid.
    #[error("cannot read the state of the index, `{}`: {problem}", path.display())]
    State {
        /// State file.
        path: PathBuf,
        /// Reason.
        problem: String,
    },
    /// The directory contains no index.
    #[error("there is no index in `{}`", site.display())]
    NoIndex {
        /// Directory.
        site: PathBuf,
    },
    /// The directory has no distribution.
    #[error("there is no wheel or source distribution in `{}`", dir.display())]
    NoDistribution {
        /// Directory.
        dir: PathBuf,
    },
    /// A pattern is not valid.
    #[error("cannot read the pattern `{pattern}`: {problem}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// Reason.
        problem: String,
    },
    /// The name of a file is not that of a distribution.
    #[error("cannot add `{}`", path.display())]
    Name {
        /// File name or path.
        path: PathBuf,
        /// Expected form of the name.
        source: ParseError,
    },
    /// A distribution is damaged or does not match its name.
    #[error("cannot add `{}`: {problem}", path.display())]
    Corrupt {
        /// File name or path.
        path: PathBuf,
        /// Reason.
        problem: String,
    },
    /// The view has a file of the same name and other content.
    #[error(
        "`{filename}` is in the view `{view}` already, with other content: sha256 {there} there, {given} given"
    )]
    Conflict {
        /// File name.
        filename: String,
        /// View that contains it.
        view: View,
        /// Digest of the published file.
        there: Digest,
        /// Digest of the new file.
        given: Digest,
    },
    /// The status of the project allows no new files.
    #[error("cannot add `{filename}`: the project `{project}` is {}", status.as_str())]
    Closed {
        /// Project name.
        project: String,
        /// Status of the project.
        status: Status,
        /// File name or path.
        filename: String,
    },
    /// The selection matches no file.
    #[error("the view `{view}` has no `{selected}`")]
    NoMatch {
        /// Selection.
        selected: String,
        /// View that was searched.
        view: View,
    },
    /// The view does not exist.
    #[error("there is no view `{view}`")]
    NoView {
        /// The path or name.
        view: View,
    },
    /// The view cannot be removed, because `latest` points at it.
    #[error("cannot remove the view `{view}`: `latest` points to it")]
    IsLatest {
        /// The path or name.
        view: View,
    },
    /// Several files cannot be added; none of them was.
    #[error("{} files cannot be added", .0.len())]
    Multiple(Vec<Self>),
    /// The user stopped the command.
    #[error("stopped")]
    Cancelled,
}

impl Error {
    pub(super) fn read(path: &Path, source: io::Error) -> Self {
        Self::Read { path: path.to_owned(), source }
    }

    pub(super) fn write(path: &Path, source: io::Error) -> Self {
        Self::Write { path: path.to_owned(), source }
    }

    pub(super) fn corrupt(path: &Path, problem: impl Into<String>) -> Self {
        Self::Corrupt { path: path.to_owned(), problem: problem.into() }
    }

    /// Returns what the user can do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Conflict { .. } => {
                "a published file never changes: give the new file another version or build \
                 tag, or add it to another view (`--view`)"
                    .to_owned()
            }
            Self::Closed { project, .. } => {
                format!("activate it first: `wheelsmith index status {project} active`")
            }
            Self::NoIndex { .. } => {
                "create one with `wheelsmith index build --dir DIST --out SITE`".to_owned()
            }
            Self::NoDistribution { .. } => {
                "build one first, or name another directory with `--dir`".to_owned()
            }
            Self::IsLatest { .. } => "point `latest` to another view first: \
                                      `wheelsmith index latest VIEW`"
                .to_owned(),
            Self::State { .. } => {
                "restore the file from a copy of the site; the pages are generated from it"
                    .to_owned()
            }
            _ => return None,
        })
    }
}
