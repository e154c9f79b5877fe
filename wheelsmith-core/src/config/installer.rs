//! `[[tool.wheelsmith.installer]]`: scripts that install an archive.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

use crate::name::{ParseError, serde_by_text};

/// `[[tool.wheelsmith.installer]]`: a script for POSIX shells, and one for PowerShell.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Installer {
    /// Directory from which the archives are downloaded, such as
    /// `https://example.com/demo/releases/download/v{version}`.
    pub url: ArchiveUrl,
    /// `name` of the archive that is installed; the first archive if absent.
    pub archive: Option<String>,
    /// Name of the scripts, before `.sh` and `.ps1`; `<name of the archive>-installer` if absent.
    pub name: Option<String>,
}

/// URL of a directory, with the placeholder `{version}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveUrl(String);

impl ArchiveUrl {
    /// Returns the URL for a version.
    pub fn fill(&self, version: &str) -> String {
        self.0.replace("{version}", version)
    }
}

impl fmt::Display for ArchiveUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ArchiveUrl {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let plain = rest.unwrap_or_default().replace("{version}", "");
        // No other character is in the URL of a directory, and no shell interprets these.
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/%@+".contains(c);
        if plain.is_empty() || plain.starts_with('/') || !plain.chars().all(is_plain) {
            let expected = "the URL of a directory (such as `https://example.com/v{version}`)";
            return Err(ParseError::new(text, expected));
        }
        Ok(Self(text.trim_end_matches('/').to_owned()))
    }
}

serde_by_text!(ArchiveUrl);
