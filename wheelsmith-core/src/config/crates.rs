//! `[[tool.wheelsmith.crates]]`: crates that cargo packages.

use serde::Deserialize;

/// `[[tool.wheelsmith.crates]]`: crates of a cargo workspace, packaged once in the order in which
/// they can be published.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Crates {
    /// `Cargo.toml` of the workspace or package, relative to this file; `Cargo.toml` if absent.
    pub manifest: String,
    /// Names of the packages. If absent, all of the workspace that do not have `publish = false`.
    pub packages: Option<Vec<String>>,
    /// True to have cargo build each package from its archive.
    pub verify: bool,
}

impl Default for Crates {
    fn default() -> Self {
        Self { manifest: "Cargo.toml".to_owned(), packages: None, verify: false }
    }
}
