//! Libraries on this machine, and the search for them.

use std::path::PathBuf;

use serde::Serialize;

use crate::audit::NativeFile;
use crate::name::Digest;

/// A library on this machine.
#[derive(Debug, Clone)]
pub struct Library {
    /// Its path, links resolved: equal for the same file only.
    pub path: PathBuf,
    /// Digest of its bytes.
    pub sha256: Digest,
    /// Its facts.
    pub file: NativeFile,
}

impl Library {
    /// The name of the file.
    pub(super) fn file_name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }
}

/// A collection of libraries.
pub trait LibrarySearch {
    /// Returns the first library called `name` that `fits`. Directories that `from` names for its
    /// own needs are searched first.
    fn find(
        &self,
        name: &str,
        from: Option<&Library>,
        fits: &dyn Fn(&NativeFile) -> bool,
    ) -> Option<Library>;
}

/// A library that was not found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct MissingLibrary {
    /// What needs it: a file of the wheel, or a library on this machine.
    pub by: String,
    /// Its name.
    pub library: String,
    /// Why it is of no use, if a file of that name was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Returns the part of a library's name behind its last slash: macOS names have directories.
pub(super) fn file_name(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}
