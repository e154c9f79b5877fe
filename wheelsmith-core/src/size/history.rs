//! Sizes of packages by commit, in a JSON file that a project keeps.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::compare::{Comparison, Growth};
use super::{PackageSize, SizeReport};
use crate::sys;

/// Number of the schema of the file.
const SCHEMA: u32 = 1;
/// Limit of the file's size in bytes.
const MOST_BYTES: u64 = 64 << 20;

/// Sizes of packages by commit, in the order in which they were recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct History {
    schema: u32,
    /// Builds, the newest last.
    pub builds: Vec<Recorded>,
}

/// Sizes of the packages of one commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Recorded {
    /// Identifier of the commit, such as the one that git prints.
    pub commit: String,
    /// Packages.
    pub packages: Vec<RecordedPackage>,
}

/// Sizes of one package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RecordedPackage {
    /// File name.
    pub name: String,
    /// Size in bytes.
    pub size_bytes: u64,
    /// Unpacked size of all files in bytes.
    pub unpacked_bytes: u64,
}

/// Reason why a history cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The file cannot be read or written.
    #[error("cannot {action} the history `{}`", path.display())]
    Io {
        /// `read` or `write`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Cause.
        source: std::io::Error,
    },
    /// The file is not a history of sizes.
    #[error("`{}` is not a history of sizes: {why}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Description of the problem.
        why: String,
    },
}

impl History {
    /// Reads a history. A file that does not exist is an empty one.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read or is not a history.
    pub fn load(path: &Path) -> Result<Self, HistoryError> {
        let syntax = |why: String| HistoryError::Syntax { path: path.to_owned(), why };
        let io = |source| HistoryError::Io { action: "read", path: path.to_owned(), source };
        let size = match sys::fs::metadata(path) {
            Ok(found) => found.len(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self { schema: SCHEMA, builds: Vec::new() });
            }
            Err(error) => return Err(io(error)),
        };
        if size > MOST_BYTES {
            return Err(syntax(format!("it has {size} bytes, more than {MOST_BYTES}")));
        }
        let bytes = sys::fs::read(path).map_err(io)?;
        let history: Self = serde_json::from_slice(&bytes).map_err(|e| syntax(e.to_string()))?;
        if history.schema != SCHEMA {
            return Err(syntax(format!("its schema is {}, not {SCHEMA}", history.schema)));
        }
        Ok(history)
    }

    /// Returns the last build of another commit.
    pub fn previous(&self, commit: &str) -> Option<&Recorded> {
        self.builds.iter().rev().find(|build| build.commit != commit)
    }

    /// Adds the sizes of a commit, in place of those that were recorded for it before.
    pub fn record(&mut self, commit: &str, sizes: &SizeReport) {
        self.builds.retain(|build| build.commit != commit);
        let packages = sizes.packages.iter().map(|package| RecordedPackage {
            name: package.name(),
            size_bytes: package.size_bytes,
            unpacked_bytes: package.unpacked_bytes,
        });
        self.builds.push(Recorded { commit: commit.to_owned(), packages: packages.collect() });
    }

    /// Writes the history, atomically.
    ///
    /// # Errors
    /// Returns an error if the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), HistoryError> {
        let io = |source| HistoryError::Io { action: "write", path: path.to_owned(), source };
        let mut bytes = serde_json::to_vec_pretty(self).map_err(|error| io(error.into()))?;
        bytes.push(b'\n');
        sys::fs::write_atomic(path, &bytes).map(|_| ()).map_err(io)
    }
}

impl Recorded {
    /// Compares packages with those of this build, without their files, which are not recorded.
    pub fn compare(&self, after: &SizeReport) -> Comparison {
        let packages = self.packages.iter().map(|package| PackageSize {
            path: package.name.clone().into(),
            kind: crate::archive::Kind::File,
            size_bytes: package.size_bytes,
            unpacked_bytes: package.unpacked_bytes,
            files: Vec::new(),
            savings: Vec::new(),
            unexamined: Vec::new(),
        });
        let before = SizeReport { packages: packages.collect(), savings: Vec::new() };
        let mut found = super::compare(&before, after);
        found.packages.iter_mut().for_each(|Growth { files, .. }| files.clear());
        found
    }
}
