//! Places of a project that contain its version: manifests, pins, lock files, sources.
//!
//! Each format has a function that finds the byte ranges of versions in a text. A change replaces
//! these ranges and nothing else, so line ends, byte order marks and comments stay as they are.

pub(super) mod cargo;
pub(super) mod json;
pub(super) mod npm;
pub(super) mod pyproject;
pub(super) mod text;
pub(super) mod toml;

use std::collections::BTreeSet;
use std::ops::Range;

use super::scheme::{Form, ReleaseVersion};

/// A place with a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Name of the place in its file, such as `package.version`.
    pub label: String,
    /// Bytes of the version in the file.
    pub range: Range<usize>,
    /// The version as it is written.
    pub text: String,
    /// Form in which it is written.
    pub form: Form,
    /// Meaning of the version.
    pub role: Role,
}

/// Meaning of the version at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Version of a package.
    Version,
    /// Version of a package of the project that another one requires.
    Pin,
    /// Version of a package of the project in a lock file.
    Lock,
}

/// Names of the packages that have the project's version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Names {
    pub(super) cargo: BTreeSet<String>,
    /// Normalized names.
    pub(super) python: BTreeSet<String>,
    pub(super) npm: BTreeSet<String>,
}

/// What was found in a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Finds {
    pub(super) places: Vec<Place>,
    /// Reasons why packages of the file cannot be published.
    pub(super) faults: Vec<String>,
}

impl Place {
    fn new(
        label: impl Into<String>,
        file: &str,
        range: Range<usize>,
        form: Form,
        role: Role,
    ) -> Self {
        let text = file[range.clone()].to_owned();
        Self { label: label.into(), range, text, form, role }
    }

    /// True if the place contains `version`.
    pub fn agrees(&self, version: &ReleaseVersion) -> bool {
        let version =
            if self.role == Role::Pin { version.without_local() } else { version.clone() };
        if self.role == Role::Pin
            && self.form == Form::SemVer
            && let Ok(own) = version.semver()
            && let Ok(own) = semver::Version::parse(&own)
            && semver::Version::parse(&self.text).is_err()
        {
            // A requirement such as `1.2`, which stays if it allows the version.
            return semver::VersionReq::parse(&self.text).is_ok_and(|req| req.matches(&own));
        }
        match ReleaseVersion::parse_as(&self.text, self.form) {
            Some(found) if self.form == Form::Pep440 => found == version,
            _ => version.write(self.form).is_ok_and(|text| same(&text, &self.text)),
        }
    }
}

/// True if two forms differ in spaces and quotes only.
fn same(a: &str, b: &str) -> bool {
    let plain = |text: &str| -> String {
        let text = text.trim().trim_end_matches(',');
        text.chars()
            .filter(|c| !c.is_whitespace())
            .map(|c| if c == '\'' { '"' } else { c })
            .collect()
    };
    plain(a) == plain(b)
}

/// Returns the range of `part`, which is a slice of `whole`.
fn range_of(whole: &str, part: &str) -> Range<usize> {
    let start = (part.as_ptr() as usize).saturating_sub(whole.as_ptr() as usize);
    start..start + part.len()
}
