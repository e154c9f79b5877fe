//! Errors of a publication. What a registry refuses is an outcome of a step, not an error.

use std::io;
use std::path::PathBuf;

/// Reason why a publication could not be planned or carried out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be read or written.
    #[error("cannot {doing} `{}`", path.display())]
    File {
        /// `read`, `write`.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// The reason.
        #[source]
        source: io::Error,
    },
    /// The plan cannot be carried out.
    #[error("{} cannot be published as planned:\n{}", .release, list(.problems))]
    Faults {
        /// Name and version.
        release: String,
        /// Every problem.
        problems: Vec<String>,
    },
    /// The plan is not one that this version wrote.
    #[error("cannot use the plan `{}`: {problem}; make it again with `wheelsmith plan`", path.display())]
    Plan {
        /// The file.
        path: PathBuf,
        /// The reason.
        problem: String,
    },
    /// The user cancelled the operation.
    #[error("stopped")]
    Cancelled,
}

fn list(problems: &[String]) -> String {
    problems.iter().map(|problem| format!("  - {problem}")).collect::<Vec<_>>().join("\n")
}

impl Error {
    pub(super) fn read(path: impl Into<PathBuf>, source: io::Error) -> Self {
        Self::File { doing: "read", path: path.into(), source }
    }

    pub(super) fn write(path: impl Into<PathBuf>, source: io::Error) -> Self {
        Self::File { doing: "write", path: path.into(), source }
    }
}
