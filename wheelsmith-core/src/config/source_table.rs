//! Sources of components, as they are written.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use super::Source;
use super::output::Output;
use crate::name::Digest;

/// `source = { … }`: exactly one of `path`, `archive` and `crate`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct SourceTable {
    /// Directory, relative to this file.
    pub(super) path: Option<String>,
    /// Archive: a path relative to this file, or a URL.
    pub(super) archive: Option<String>,
    /// Crate, obtained through cargo and its registry settings.
    #[serde(rename = "crate")]
    pub(super) krate: Option<String>,
    /// Exact version of the crate.
    pub(super) version: Option<String>,
    /// SHA-256 of the archive; required for a URL.
    pub(super) sha256: Option<Digest>,
    /// Other URLs of the same archive.
    #[serde(default)]
    pub(super) mirrors: Vec<String>,
    /// Number of leading directories that are dropped from each path in the archive; one if absent.
    pub(super) strip_components: Option<u32>,
}

/// Archive of a prebuilt component for one target.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct TargetArchiveTable {
    /// Path relative to this file, or a URL.
    archive: String,
    /// SHA-256 of the archive.
    sha256: Digest,
    /// Other URLs of the same archive.
    #[serde(default)]
    mirrors: Vec<String>,
    /// Number of leading directories that are dropped from each path in the archive; one if absent.
    strip_components: Option<u32>,
    /// Files that are taken from it, instead of the component's `outputs`.
    #[serde(default)]
    outputs: Vec<Output>,
}

/// Archives and the files that are taken from them, by triple.
pub(super) type Archives = BTreeMap<String, (Source, Vec<Output>)>;

impl TargetArchiveTable {
    /// Reads the archives of a component, by triple.
    pub(super) fn read_all<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Archives, D::Error> {
        let tables = BTreeMap::<String, Self>::deserialize(deserializer)?;
        let read = tables.into_iter().map(|(triple, table)| {
            let source = Source::Archive {
                location: table.archive,
                sha256: Some(table.sha256),
                mirrors: table.mirrors,
                strip_components: table.strip_components.unwrap_or(1),
            };
            (triple, (source, table.outputs))
        });
        Ok(read.collect())
    }
}
