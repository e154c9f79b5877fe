//! Metadata by which `cargo binstall` finds the programs of a Rust package in archives.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use toml::{Table, Value};

use super::super::{Error, Project, archive};
use crate::config::{Archive, ArchiveFormat, Artifact, Cargo, Kind, NameValues, Source};
use crate::name::{Os, Target};
use crate::sys;

/// Table of a `Cargo.toml` by which `cargo binstall` finds its programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binstall {
    /// `Cargo.toml`, relative to the project.
    pub manifest: String,
    /// Text of `[package.metadata.binstall]`.
    pub table: String,
    /// Differences of the file from that; empty if it has the table, and it finds every archive.
    pub problems: Vec<String>,
}

/// Words of an archive for one target, as templates of `cargo binstall`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Template {
    url: String,
    dir: String,
    format: &'static str,
}

/// Returns the metadata of each Rust package with programs in an archive.
///
/// # Errors
/// Returns an error if a `Cargo.toml` cannot be read.
pub(in crate::project) fn binstall(project: &Project) -> Result<Vec<Binstall>, Error> {
    let mut found = Vec::new();
    for archive in &project.config.archives {
        for component in &project.config.components {
            let is_in = archive.components.as_ref().is_none_or(|c| c.contains(&component.name));
            let Kind::Cargo(cargo) = &component.kind else { continue };
            let is_program = |artifact: &&Artifact| matches!(artifact, Artifact::Bin(_));
            if !is_in || cargo.artifacts.iter().find(is_program).is_none() {
                continue;
            }
            if let Some(manifest) = manifest(&component.source, cargo) {
                found.push(of_package(project, archive, cargo, manifest)?);
            }
        }
    }
    Ok(found)
}

/// Returns the path of the `Cargo.toml`, if it is in the project.
fn manifest(source: &Source, cargo: &Cargo) -> Option<String> {
    match source {
        Source::Path(path) if path != "." && !cargo.manifest.from_project => {
            Some(format!("{path}/{}", cargo.manifest.path))
        }
        Source::Path(_) => Some(cargo.manifest.path.clone()),
        _ => None,
    }
}

fn of_package(
    project: &Project,
    archive: &Archive,
    cargo: &Cargo,
    manifest: String,
) -> Result<Binstall, Error> {
    let targets = project.targets(&[]);
    let templates: Vec<(Target, Template)> =
        targets.iter().map(|target| (*target, template(project, archive, *target))).collect();
    // The template of most targets is for all, and the others have a table of their own.
    let mut counts: BTreeMap<&Template, usize> = BTreeMap::new();
    for (_, template) in &templates {
        *counts.entry(template).or_default() += 1;
    }
    let common = counts.iter().max_by_key(|(_, count)| **count).map(|(template, _)| *template);
    let mut table = "[package.metadata.binstall]\n".to_owned();
    table.push_str(&common.map(Template::lines).unwrap_or_default());
    for (target, template) in templates.iter().filter(|(_, t)| Some(t) != common) {
        let _ = write!(
            table,
            "\n[package.metadata.binstall.overrides.{}]\n{}",
            target.triple(),
            template.lines()
        );
    }
    let text = sys::fs::read_to_string(project.dir.join(&manifest))
        .map_err(|e| Error::io("read the metadata for `cargo binstall`", e))?;
    let problems = match text.parse::<Table>() {
        Ok(found) => {
            let bins = cargo.artifacts.iter().filter_map(|artifact| match artifact {
                Artifact::Bin(name) => Some(name.as_str()),
                _ => None,
            });
            compare(project, archive, &found, &targets, &bins.collect::<Vec<_>>())
        }
        Err(error) => vec![error.message().to_owned()],
    };
    Ok(Binstall { manifest, table, problems })
}

impl Template {
    fn lines(&self) -> String {
        format!(
            "pkg-url = \"{{ repo }}/releases/download/v{{ version }}/{}\"\nbin-dir = \"{}\"\n\
             pkg-fmt = \"{}\"\n",
            self.url, self.dir, self.format
        )
    }
}

fn template(project: &Project, archive: &Archive, target: Target) -> Template {
    let (name, version) = (name_of(project), "{ version }");
    let names =
        archive.names(NameValues { name: &name, version, pep440: version, ext: "" }, target);
    let triple = |text: &str| text.replace(target.triple(), "{ target }");
    let top = if names.top.is_empty() { String::new() } else { format!("{}/", triple(&names.top)) };
    Template {
        url: triple(&names.file),
        dir: format!("{top}bin/{{ bin }}{{ binary-ext }}"),
        format: binstall_format(names.format),
    }
}

/// Returns the word of `pkg-fmt`.
fn binstall_format(format: ArchiveFormat) -> &'static str {
    match format {
        ArchiveFormat::TarGz => "tgz",
        ArchiveFormat::TarZst => "tzstd",
        ArchiveFormat::Zip => "zip",
    }
}

fn name_of(project: &Project) -> String {
    match &project.config.project {
        Some(table) => table.name.to_string(),
        None => archive::identity(project).0,
    }
}

/// Renders the templates of a `Cargo.toml` for each target, and compares them with the archives.
fn compare(
    project: &Project,
    archive: &Archive,
    manifest: &Table,
    targets: &[Target],
    bins: &[&str],
) -> Vec<String> {
    let package = manifest.get("package");
    let at = |keys: &[&str]| keys.iter().try_fold(package?, |value, key| value.get(key));
    let Some(own) = at(&["metadata", "binstall"]) else {
        return vec!["it has no `[package.metadata.binstall]`".to_owned()];
    };
    let crate_name = at(&["name"]).and_then(Value::as_str).unwrap_or_default();
    let (_, version) = archive::identity(project);
    let semver = super::semver(project, &version).ok().flatten().unwrap_or_else(|| version.clone());
    let mut problems = Vec::new();
    if at(&["repository"]).is_none() && own.to_string().contains("{ repo }") {
        problems.push("it has no `package.repository`, which `{ repo }` means".to_owned());
    }
    // A version that is inherited is compared by `wheelsmith version check`.
    if let Some(found) = at(&["version"]).and_then(Value::as_str).filter(|found| *found != semver) {
        problems.push(format!("its version is {found}, and that of the archives {semver}"));
    }
    for target in targets {
        let over = own.get("overrides").and_then(|table| table.get(target.triple()));
        let key = |key: &str| {
            let found = over.and_then(|table| table.get(key)).or_else(|| own.get(key));
            found.and_then(Value::as_str)
        };
        let name = name_of(project);
        let values = NameValues { name: &name, version: &semver, pep440: &version, ext: "" };
        let names = archive.names(values, *target);
        let extension = if target.os() == Os::Windows { ".exe" } else { "" };
        let render = |text: &str, bin: &str| {
            let words = [
                ("name", crate_name),
                ("version", &semver),
                ("target", target.triple()),
                ("bin", bin),
                ("binary-ext", extension),
                ("archive-suffix", &format!(".{}", names.format)),
                ("archive-format", binstall_format(names.format)),
            ];
            words.iter().fold(text.to_owned(), |text, (word, value)| {
                text.replace(&format!("{{ {word} }}"), value).replace(&format!("{{{word}}}"), value)
            })
        };
        let mut expect = |key: &str, found: Option<String>, expected: &str| {
            if found.as_deref() != Some(expected) {
                let found = found.map_or("nothing".to_owned(), |found| format!("`{found}`"));
                let triple = target.triple();
                problems.push(format!("`{key}` for {triple} gives {found}, not `{expected}`"));
            }
        };
        let url = key("pkg-url").map(|url| render(url, ""));
        let file = url.as_deref().map(|url| url.rsplit('/').next().unwrap_or(url).to_owned());
        expect("pkg-url", file, &names.file);
        // Without the key, the format follows from the URL.
        let format = key("pkg-fmt").unwrap_or(binstall_format(names.format));
        expect("pkg-fmt", Some(format.to_owned()), binstall_format(names.format));
        for bin in bins {
            let top = if names.top.is_empty() { String::new() } else { format!("{}/", names.top) };
            let place = format!("{top}bin/{bin}{extension}");
            expect("bin-dir", key("bin-dir").map(|dir| render(dir, bin)), &place);
        }
    }
    problems
}
