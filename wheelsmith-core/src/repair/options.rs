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

/// Options of a repair.
///
/// ```
/// use wheelsmith_core::repair::Options;
///
/// let mut options = Options::default();
/// options.include.push("libstdc++.so.6".to_owned());
/// assert!(options.check().is_ok());
/// ```
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Options {
    /// Libraries to leave out, because they are present on all machines that use the wheel.
    pub allowances: Allowances,
    /// Libraries to copy although the platform tag or Python contains them, by name or pattern. A
    /// name that no file requires is copied too.
    pub include: Vec<String>,
    /// Directory of the copies; by default `<name>.libs`, for macOS `<package>/.dylibs`.
    pub lib_dir: Option<String>,
    /// Packages whose `__init__.py` must not change, such as `a.b`; nor do those of their parents.
    pub namespace_packages: Vec<String>,
    /// Origins of libraries that were built from source, by digest of the file.
    pub origins: BTreeMap<Digest, Origin>,
}

impl Options {
    /// True if the user requested to copy `library`, by its name or the part after the last slash.
    pub(super) fn includes(&self, library: &str) -> bool {
        let is_it = |pattern: &String| {
            let name = file_name(library);
            pattern.eq_ignore_ascii_case(name)
                || glob(pattern).is_ok_and(|glob| glob.is_match(name) || glob.is_match(library))
        };
        self.include.iter().any(is_it)
    }

    /// True if `package`, such as `a/b`, is a namespace package or a parent of one.
    pub(super) fn is_namespace(&self, package: &str) -> bool {
        let package = package.replace('/', ".");
        let is_below = |namespace: &String| {
            namespace.strip_prefix(&package).is_some_and(|r| r.is_empty() || r.starts_with('.'))
        };
        self.namespace_packages.iter().any(is_below)
    }

    /// Validates the patterns of `include`.
    ///
    /// # Errors
    /// Returns an error for a pattern that is malformed.
    pub fn check(&self) -> Result<(), String> {
        self.include.iter().try_for_each(|pattern| glob(pattern).map(drop))
    }
}

/// Compiles a pattern of names. Names of Windows libraries are compared without regard to case.
fn glob(pattern: &str) -> Result<GlobMatcher, String> {
    let glob = GlobBuilder::new(pattern).literal_separator(false).case_insensitive(true).build();
    Ok(glob.map_err(|error| error.to_string())?.compile_matcher())
}
