//! Libraries on this machine, and the search for them.

use std::path::PathBuf;

use serde::Serialize;

use crate::audit::NativeFile;
use crate::name::Digest;

/// Library on this machine.
#[derive(Debug, Clone)]
pub struct Library {
    /// Path with links resolved: equal only for the same file.
    pub path: PathBuf,
    /// SHA-256 of its bytes.
    pub sha256: Digest,
    /// Facts of the file.
    pub file: NativeFile,
}

impl Library {
    /// The name of the file.
    pub(super) fn file_name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }
}

/// Collection of libraries.
pub trait LibrarySearch {
    /// Returns the first library called `name` for which `fits` is true. The search path of `from`
    /// is searched first.
    fn find(
        &self,
        name: &str,
        from: Option<&Library>,
        fits: &dyn Fn(&NativeFile) -> bool,
    ) -> Option<Library>;
}

/// Library that was not found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct MissingLibrary {
    /// File that requires it: a file of the wheel, or a library on this machine.
    pub by: String,
    /// Name.
    pub library: String,
    /// Reason why a file with that name is unusable; `None` if there is no such file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Returns the part of a library's name after its last slash: macOS names contain directories.
pub(super) fn file_name(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}
