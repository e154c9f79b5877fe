//! Kinds of packages other than wheels and SDKs.

use serde::Serialize;

/// Kind of a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PackageKind {
    /// Archive of programs and libraries.
    Archive,
    /// npm package.
    Npm,
    /// Crate, packaged by cargo.
    #[serde(rename = "crate")]
    Crates,
    /// Script that installs an archive.
    Installer,
}

impl PackageKind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Archive, Self::Npm, Self::Crates, Self::Installer];

    /// Returns the word of the configuration and of the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Archive => "archive",
            Self::Npm => "npm",
            Self::Crates => "crates",
            Self::Installer => "installer",
        }
    }
}
