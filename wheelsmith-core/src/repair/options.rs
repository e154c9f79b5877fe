//! Options of a repair.

use std::collections::BTreeMap;

use globset::{GlobBuilder, GlobMatcher};

use super::library::file_name;
use crate::audit::Allowances;
use crate::config::Source;
use crate::name::Digest;

/// Origin of a library that was built from source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Name of the project.
    pub name: String,
    /// Version.
    pub version: Option<String>,
    /// Licence, as an SPDX expression.
    pub license: Option<String>,
    /// Source.
    pub source: Source,
    /// Digest of the source archive.
    pub sha256: Option<Digest>,
}

/// Choices that the user may make.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Libraries to leave out, because they are present wherever the wheel is used.
    pub terms: Allowances,
    /// Libraries to copy although the platform tag or Python has them, by name or pattern; a name
    /// that no file needs is copied as well.
    pub include: Vec<String>,
    /// Directory of the copies; by default `<name>.libs`, for macOS `<package>/.dylibs`.
    pub lib_dir: Option<String>,
    /// Packages whose `__init__.py` must stay as it is, as `a.b`; so must those of their parents.
    pub namespace_packages: Vec<String>,
    /// Origins of libraries that were built from source, by digest of the file.
    pub origins: BTreeMap<Digest, Origin>,
}

impl Options {
    /// True if the user asked to copy `library`, by its name or the part behind the last slash.
    pub(super) fn includes(&self, library: &str) -> bool {
        let is_it = |pattern: &String| {
            let name = file_name(library);
            pattern.eq_ignore_ascii_case(name)
                || glob(pattern).is_ok_and(|glob| glob.is_match(name) || glob.is_match(library))
        };
        self.include.iter().any(is_it)
    }

    /// True if `package`, as `a/b`, is a namespace package or above one.
    pub(super) fn is_namespace(&self, package: &str) -> bool {
        let package = package.replace('/', ".");
        let is_below = |namespace: &String| {
            namespace.strip_prefix(&package).is_some_and(|r| r.is_empty() || r.starts_with('.'))
        };
        self.namespace_packages.iter().any(is_below)
    }

    /// Checks the patterns of `include`.
    ///
    /// # Errors
    /// Returns an error for a pattern that is malformed.
    pub fn check(&self) -> Result<(), String> {
        self.include.iter().try_for_each(|pattern| glob(pattern).map(drop))
    }
}

/// A pattern of names; libraries of Windows are named without regard to case.
fn glob(pattern: &str) -> Result<GlobMatcher, String> {
    let glob = GlobBuilder::new(pattern).literal_separator(false).case_insensitive(true).build();
    Ok(glob.map_err(|error| error.to_string())?.compile_matcher())
}
