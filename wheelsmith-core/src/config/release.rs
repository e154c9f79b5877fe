//! `[tool.wheelsmith.release]`: registries to publish to.

use serde::{Deserialize, Serialize};

/// `[tool.wheelsmith.release.NAME]`: registries of one destination, such as `public` or `local`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Destination {
    /// Python index for wheels and source distributions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pypi: Option<PypiRegistry>,
    /// Registry for npm packages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub npm: Option<NpmRegistry>,
    /// Registry for crates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crates: Option<CratesRegistry>,
}

/// Python index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PypiRegistry {
    /// URL of uploads.
    pub upload: String,
    /// URL of the simple API.
    pub simple: String,
    /// Variable with the token. If absent, `UV_PUBLISH_TOKEN`, and the variables of uv and twine for
    /// user and password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

/// npm registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NpmRegistry {
    /// URL of the registry.
    pub registry: String,
    /// Variable with the token; `NPM_TOKEN` if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

/// Registry of crates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CratesRegistry {
    /// URL of the sparse index, such as `sparse+https://index.example.org/`.
    pub index: String,
    /// Variable with the token; `CARGO_REGISTRY_TOKEN` if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}
