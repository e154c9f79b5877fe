//! Registry of crates: rows of the sparse index, and publication.

use std::collections::BTreeMap;

use semver::VersionReq;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{File, Presence, join};
use crate::name::Digest;
use crate::sys::request::{Auth, Part, Request};

/// Row of the index.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Row {
    /// Version.
    pub vers: String,
    /// Digest of the `.crate` file.
    pub cksum: Digest,
    /// True if it was withdrawn from new lock files.
    #[serde(default)]
    pub yanked: bool,
}

/// Parses the file of a crate in the index: a row of JSON on each line.
///
/// # Errors
/// Returns the first line that is not a row.
pub fn rows(body: &[u8]) -> Result<Vec<Row>, String> {
    let text = std::str::from_utf8(body).map_err(|error| error.to_string())?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let row = |(at, line): (usize, &str)| {
        serde_json::from_str(line).map_err(|error| format!("line {}: {error}", at + 1))
    };
    lines.map(row).collect()
}

/// Compares a version with ours. Versions that differ only in the part after `+` are one version.
pub fn presence(rows: &[Row], version: &str, sha256: Digest) -> Presence {
    row(rows, version).map_or(Presence::Absent, |row| Presence::of(Some(&row.cksum), &sha256))
}

/// Returns the row of a version.
pub fn row<'r>(rows: &'r [Row], version: &str) -> Option<&'r Row> {
    let plain = |version: &str| version.split('+').next().unwrap_or_default().to_owned();
    rows.iter().find(|row| plain(&row.vers) == plain(version))
}

/// Settings of a registry: `config.json` of its index.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Settings {
    /// URL of the API; a registry without one is read-only.
    pub api: Option<String>,
}

/// Returns the URL of an index without `sparse+`.
pub fn base(index: &str) -> &str {
    index.strip_prefix("sparse+").unwrap_or(index)
}

/// Returns the request for the settings of a registry.
pub fn settings(index: &str) -> Request {
    Request::new("GET", join(base(index), "config.json"))
}

/// Returns the request for the rows of a crate.
pub fn look(index: &str, name: &str) -> Request {
    Request::new("GET", join(base(index), &path(name))).header("cache-control", "no-cache")
}

/// Returns the path of a crate in the index.
fn path(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    match name.len() {
        1 => format!("1/{name}"),
        2 => format!("2/{name}"),
        3 => format!("3/{}/{name}", &name[..1]),
        _ => format!("{}/{}/{name}", &name[..2], &name[2..4]),
    }
}

/// Returns the publication of a `.crate` file; `metadata` is that of [`Manifest::metadata`].
pub fn publish(api: &str, metadata: &Value, file: &File<'_>, auth: Option<&Auth>) -> Request {
    let json = metadata.to_string().into_bytes();
    let length = |size: u64| u32::try_from(size).unwrap_or(u32::MAX).to_le_bytes();
    let mut head = length(json.len() as u64).to_vec();
    head.extend(json);
    head.extend(length(file.size_bytes));
    Request::new("PUT", join(api, "api/v1/crates/new"))
        .header("content-type", "application/octet-stream")
        .header("accept", "application/json")
        .auth(auth)
        .body([Part::Bytes(head), Part::File(file.path.to_owned(), file.size_bytes, file.sha256)])
}

/// `Cargo.toml` of a `.crate` file, as cargo normalises it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Manifest {
    /// `[package]`.
    pub package: Package,
    #[serde(flatten)]
    tables: DependencyTables,
    #[serde(default)]
    target: BTreeMap<String, DependencyTables>,
    #[serde(default)]
    features: BTreeMap<String, Vec<String>>,
}

/// `[package]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Package {
    /// Name.
    pub name: String,
    /// Version.
    pub version: String,
    #[serde(default)]
    authors: Vec<String>,
    description: Option<String>,
    documentation: Option<String>,
    homepage: Option<String>,
    readme: Option<ReadmeFile>,
    #[serde(default)]
    keywords: Vec<String>,
    #[serde(default)]
    categories: Vec<String>,
    license: Option<String>,
    license_file: Option<String>,
    repository: Option<String>,
    links: Option<String>,
    rust_version: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum ReadmeFile {
    Flag(bool),
    Path(String),
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct DependencyTables {
    dependencies: BTreeMap<String, Dependency>,
    dev_dependencies: BTreeMap<String, Dependency>,
    build_dependencies: BTreeMap<String, Dependency>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Dependency {
    Version(String),
    Table(DependencyTable),
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct DependencyTable {
    version: Option<String>,
    features: Vec<String>,
    optional: bool,
    default_features: Option<bool>,
    package: Option<String>,
    registry_index: Option<String>,
}

/// Dependency in the metadata of a publication.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PublishedDependency {
    optional: bool,
    default_features: bool,
    /// Name of the crate.
    pub name: String,
    features: Vec<String>,
    version_req: String,
    target: Option<String>,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    registry: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    explicit_name_in_toml: Option<String>,
}

impl Manifest {
    /// Parses `Cargo.toml`.
    ///
    /// # Errors
    /// Returns the reason if it is not the manifest of a package.
    pub fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| error.message().to_owned())
    }

    /// Returns the path of the readme in the archive.
    pub fn readme(&self) -> Option<&str> {
        match &self.package.readme {
            Some(ReadmeFile::Path(path)) => Some(path),
            Some(ReadmeFile::Flag(true)) => Some("README.md"),
            _ => None,
        }
    }

    /// Returns the dependencies; `index` is that of the registry to publish to.
    ///
    /// # Errors
    /// Returns a dependency without a version, or with one that cargo does not read.
    pub fn dependencies(&self, index: &str) -> Result<Vec<PublishedDependency>, String> {
        let own = std::iter::once((None, &self.tables));
        let tables = own.chain(self.target.iter().map(|(target, tables)| (Some(target), tables)));
        let mut list = Vec::new();
        for (target, tables) in tables {
            let kinds = [
                ("normal", &tables.dependencies),
                ("dev", &tables.dev_dependencies),
                ("build", &tables.build_dependencies),
            ];
            for (kind, (alias, dependency)) in
                kinds.into_iter().flat_map(|(kind, table)| table.iter().map(move |row| (kind, row)))
            {
                let table = match dependency {
                    Dependency::Version(version) => {
                        DependencyTable { version: Some(version.clone()), ..Default::default() }
                    }
                    Dependency::Table(table) => table.clone(),
                };
                let version = table.version.as_deref();
                let version =
                    version.ok_or_else(|| format!("its dependency `{alias}` has no version"))?;
                let requirement = VersionReq::parse(version)
                    .map_err(|error| format!("its dependency `{alias}`: {error}"))?;
                let other = table.registry_index.filter(|other| base(other) != base(index));
                list.push(PublishedDependency {
                    optional: table.optional,
                    default_features: table.default_features.unwrap_or(true),
                    explicit_name_in_toml: table.package.as_ref().map(|_| alias.clone()),
                    name: table.package.unwrap_or_else(|| alias.clone()),
                    features: table.features,
                    version_req: requirement.to_string(),
                    target: target.cloned(),
                    kind,
                    registry: other,
                });
            }
        }
        Ok(list)
    }

    /// Returns the metadata of a publication; `readme` is the content of [`Manifest::readme`].
    ///
    /// # Errors
    /// As [`Manifest::dependencies`].
    pub fn metadata(&self, readme: Option<&str>, index: &str) -> Result<Value, String> {
        let package = &self.package;
        Ok(json!({
            "name": package.name,
            "vers": package.version,
            "deps": self.dependencies(index)?,
            "features": self.features,
            "authors": package.authors,
            "description": package.description,
            "documentation": package.documentation,
            "homepage": package.homepage,
            "readme": readme,
            "readme_file": self.readme(),
            "keywords": package.keywords,
            "categories": package.categories,
            "license": package.license,
            "license_file": package.license_file,
            "repository": package.repository,
            "badges": {},
            "links": package.links,
            "rust_version": package.rust_version,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_the_index() {
        let found = ["A", "ab", "abc", "Abcd", "serde_json"].map(path);
        assert_eq!(found, ["1/a", "2/ab", "3/a/abc", "ab/cd/abcd", "se/rd/serde_json"]);
    }

    #[test]
    fn dependencies_are_written_as_cargo_does() {
        let manifest = Manifest::parse(
            "[package]\nname = 'a'\nversion = '1.0.0'\nreadme = false\n\
             [dependencies.b]\nversion = '1.2'\noptional = true\ndefault-features = false\n\
             [dependencies.alias]\nversion = '=3.0.0'\npackage = 'c'\n\
             [target.'cfg(unix)'.build-dependencies.d]\nversion = '>=1, <2'\nfeatures = ['x']\n",
        );
        let list = manifest.unwrap().dependencies("sparse+https://example.org/").unwrap();
        let row = |row: &PublishedDependency| {
            let alias = row.explicit_name_in_toml.as_deref().unwrap_or("-");
            format!(
                "{} {} {} {alias} {}",
                row.name, row.version_req, row.kind, row.default_features
            )
        };
        let rows: Vec<String> = list.iter().map(row).collect();
        assert_eq!(
            rows,
            ["c =3.0.0 normal alias true", "b ^1.2 normal - false", "d >=1, <2 build - true"]
        );
        assert_eq!(list[2].target.as_deref(), Some("cfg(unix)"));
        let path =
            "[package]\nname = 'a'\nversion = '1.0.0'\n[dependencies]\nb = { path = '../b' }\n";
        let error = Manifest::parse(path).unwrap().dependencies("").unwrap_err();
        assert_eq!(error, "its dependency `b` has no version");
    }

    #[test]
    fn rows_are_compared_by_checksum() {
        let ours = Digest::of(b"a");
        let text = format!("{{\"name\":\"a\",\"vers\":\"1.0.0\",\"cksum\":\"{ours}\"}}\n\n");
        let rows = rows(text.as_bytes()).unwrap();
        assert_eq!(presence(&rows, "1.0.0+x", ours), Presence::Same);
        let other = Presence::Other(ours.to_string());
        assert_eq!(presence(&rows, "1.0.0", Digest::of(b"b")), other);
        assert_eq!(presence(&rows, "1.0.1", ours), Presence::Absent);
        super::rows(b"<html>").unwrap_err();
    }
}
