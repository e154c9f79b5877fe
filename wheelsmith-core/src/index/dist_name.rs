//! File names of distributions.

use std::fmt;
use std::str::FromStr;

use pep440_rs::Version;

use crate::name::{ParseError, ProjectName, WheelFilename};

/// Parsed file name of a wheel or source distribution.
///
/// Specifications: binary distribution format, source distribution file name (PEP 427, PEP 625).
#[derive(Debug, Clone)]
pub struct DistName {
    /// Project name.
    pub project: ProjectName,
    /// Version.
    pub version: Version,
    /// Parsed name of a wheel; `None` for a source distribution.
    pub wheel: Option<WheelFilename>,
    text: String,
}

const SDIST: &str = ".tar.gz";

impl DistName {
    /// True if `name` ends like the name of a wheel or source distribution.
    #[allow(clippy::case_sensitive_file_extension_comparisons, reason = "so are installers")]
    pub fn is_like(name: &str) -> bool {
        name.ends_with(".whl") || name.ends_with(SDIST)
    }

    /// Returns the format of a distribution or archive that an index does not take; `None` for other
    /// files.
    pub(super) fn foreign_format(name: &str) -> Option<&'static str> {
        const FORMATS: [&str; 18] = [
            ".zip", ".egg", ".tar.bz2", ".tar.xz", ".tar.zst", ".tar.Z", ".tgz", ".tbz", ".tbz2",
            ".txz", ".tar", ".exe", ".msi", ".rpm", ".deb", ".dmg", ".conda", ".7z",
        ];
        let lower = name.to_ascii_lowercase();
        let mut formats = FORMATS.into_iter().chain([".whl", SDIST]);
        formats.find(|format| lower.ends_with(&format.to_ascii_lowercase()))
    }

    /// True if a file of this name belongs to a distribution beside it: metadata, signatures,
    /// digests.
    pub(super) fn is_companion(name: &str) -> bool {
        let ends =
            [".metadata", ".provenance", ".attestation", ".asc", ".sig", ".sha256", ".sha512"];
        ends.iter().any(|end| name.ends_with(end)) || name == ".gitignore"
    }

    /// True if `name` is safe in a page and in a path: one part of plain characters. This is
    /// cheaper than parsing, which was done when the name was added.
    pub(super) fn is_plain(name: &str) -> bool {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.+!".contains(&b);
        Self::is_like(name) && !name.starts_with('.') && name.bytes().all(plain)
    }
}

/// Parts of a file name that a page shows. Splitting is cheaper than parsing again.
pub(super) struct Parts<'a> {
    pub(super) version: Version,
    /// Python, ABI and platform tags of a wheel.
    pub(super) tags: Option<[&'a str; 3]>,
}

impl<'a> Parts<'a> {
    pub(super) fn of(filename: &'a str) -> Option<Self> {
        if let Some(stem) = filename.strip_suffix(SDIST) {
            let (_, version) = stem.rsplit_once('-')?;
            return Some(Self { version: version.parse().ok()?, tags: None });
        }
        let mut parts = filename.strip_suffix(".whl")?.rsplitn(4, '-');
        let (platform, abi, python) = (parts.next()?, parts.next()?, parts.next()?);
        // The version may be followed by a build tag.
        let version = parts.next()?.split('-').nth(1)?.parse().ok()?;
        Some(Self { version, tags: Some([python, abi, platform]) })
    }
}

impl fmt::Display for DistName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for DistName {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let error = || {
            ParseError::new(
                text,
                "the name of a wheel or of a source distribution (`demo-1.0.tar.gz`)",
            )
        };
        let (name, version, wheel) = if let Some(stem) = text.strip_suffix(SDIST) {
            let (name, version) = stem.rsplit_once('-').ok_or_else(error)?;
            (name.to_owned(), version.to_owned(), None)
        } else {
            let wheel: WheelFilename = text.parse()?;
            (wheel.name.clone(), wheel.version.clone(), Some(wheel))
        };
        if !Self::is_plain(text) {
            return Err(error());
        }
        Ok(Self {
            project: name.parse().map_err(|_| error())?,
            // An escaped local version has `_` instead of `.`; they compare as equal.
            version: version.parse().map_err(|_| error())?,
            wheel,
            text: text.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wheels_and_source_distributions_have_names() {
        let check = |text: &str, project: &str, version: &str, is_wheel: bool| {
            let name: DistName = text.parse().unwrap();
            assert_eq!(name.project.normalized(), project);
            assert_eq!(name.version.to_string(), version);
            assert_eq!(name.wheel.is_some(), is_wheel);
            assert_eq!(name.to_string(), text);
            let parts = Parts::of(text).unwrap();
            assert_eq!((parts.version, parts.tags.is_some()), (name.version, is_wheel));
        };
        check("tiny_pkg-1.0-py3-none-any.whl", "tiny-pkg", "1.0", true);
        check("Tiny.Pkg-1.0rc1.tar.gz", "tiny-pkg", "1.0rc1", false);
        check("tiny-pkg-1.0.tar.gz", "tiny-pkg", "1.0", false);
        check("a-1.0+cu12_1-py3-none-any.whl", "a", "1.0+cu12.1", true);
        check("a-1.0-2x-py3-none-any.whl", "a", "1.0", true);
        for bad in ["a-1.0.zip", "a.tar.gz", "-1.0.tar.gz", "a-x.tar.gz", "a/b-1.0.tar.gz", ".whl"]
        {
            bad.parse::<DistName>().unwrap_err();
        }
    }
}
