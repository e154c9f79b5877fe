//! What keeps an index from being changed.

use std::io;
use std::path::{Path, PathBuf};

use super::{Status, View};
use crate::name::{Digest, ParseError};

/// Why an index could not be made, changed or read. Nothing was published then, or what was is whole
/// and the next run goes on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file could not be written, moved or taken away.
    #[error("cannot write `{}`", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The state is none.
    #[error("cannot read the state of the index, `{}`: {problem}", path.display())]
    State {
        /// Its file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// There is no index where one was named.
    #[error("there is no index in `{}`", site.display())]
    NoIndex {
        /// The directory.
        site: PathBuf,
    },
    /// A pattern is not valid.
    #[error("cannot read the pattern `{pattern}`: {problem}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// Reason.
        problem: String,
    },
    /// A file is not called as distributions are.
    #[error("cannot add `{}`", path.display())]
    Name {
        /// The file.
        path: PathBuf,
        /// What its name would have to be.
        source: ParseError,
    },
    /// A distribution is damaged, or not what it is called.
    #[error("cannot add `{}`: {problem}", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The name is taken by other bytes.
    #[error(
        "`{filename}` is in the view `{view}` already, with other content: sha256 {there} there, {given} given"
    )]
    Conflict {
        /// The name.
        filename: String,
        /// The view that has it.
        view: View,
        /// Of what is there.
        there: Digest,
        /// Of what was given.
        given: Digest,
    },
    /// A project takes no files.
    #[error("cannot add `{filename}`: the project `{project}` is {}", status.as_str())]
    Closed {
        /// The project.
        project: String,
        /// Its status.
        status: Status,
        /// The file.
        filename: String,
    },
    /// Nothing is meant.
    #[error("nothing in the view `{view}` is called `{selected}`")]
    NoMatch {
        /// What was asked for.
        selected: String,
        /// Where.
        view: View,
    },
    /// A view is not there.
    #[error("there is no view `{view}`")]
    NoView {
        /// Which.
        view: View,
    },
    /// A view cannot go.
    #[error("cannot take the view `{view}` away: `latest` leads to it")]
    IsLatest {
        /// Which.
        view: View,
    },
    /// Several things are wrong; none of them was added.
    #[error("{} files cannot be added", .0.len())]
    Multiple(Vec<Self>),
    /// The user stopped us.
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

    /// What the user can do.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Conflict { .. } => "a published file never changes: give the new one another \
                                   version or build tag, or add it to another view (`--view`)"
                .to_owned(),
            Self::Closed { project, .. } => {
                format!("make it active first: `wheelsmith index status {project} active`")
            }
            Self::NoIndex { .. } => {
                "make one with `wheelsmith index build --dir DIST --out SITE`".to_owned()
            }
            Self::IsLatest { .. } => "lead `latest` to another view first: \
                                      `wheelsmith index latest VIEW`"
                .to_owned(),
            Self::State { .. } => {
                "bring it back from where the site is kept; pages follow from it".to_owned()
            }
            _ => return None,
        })
    }
}
