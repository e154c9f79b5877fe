//! Judges the files outside the metadata by the rules W001 to W010 of check-wheel-contents, except
//! that directories of bundled libraries are accepted.
#![allow(
    clippy::case_sensitive_file_extension_comparisons,
    reason = "installers take names as they are written"
)]

use std::collections::{BTreeMap, BTreeSet};

use super::findings::Findings;
use super::parsed::Contents;
use super::place::in_data;
use super::zip::Member;
use crate::finding::{Code, Finding, Severity};
use crate::metadata::Modules;
use crate::metadata::entry_points::is_identifier;
use crate::metadata::fields::Fields;
use crate::name::Digest;

/// Names of directories that other projects install by mistake too.
const COMMON: &[&str] = &[
    "build",
    "cli",
    "data",
    "dist",
    "doc",
    "docs",
    "example",
    "examples",
    "lib",
    "pkg",
    "scripts",
    "src",
    "test",
    "tests",
    "tools",
    "var",
    "wheelhouse",
    "wheels",
];
const MODULES: &[&str] = &[".py", ".pyi", ".so", ".pyd", ".pyc"];

/// Judges the files that are installed.
pub(super) fn check(contents: &Contents<'_>, out: &mut Findings) {
    let mut by_digest: Vec<(&Digest, &Member)> = Vec::new();
    let mut tops: BTreeMap<&str, Top> = BTreeMap::new();
    let mut is_empty = true;
    for member in contents.files() {
        let path = member.entry.path.as_str();
        let (first, rest) = path.split_once('/').unwrap_or((path, ""));
        if first.ends_with(".dist-info") {
            continue;
        }
        is_empty = false;
        if path.ends_with(".pyc") || path.ends_with(".pyo") {
            out.file(Code::CompiledPython, &member.entry.path, "it is compiled Python");
        }
        if let Some(content) = &member.content
            && member.entry.header.size_bytes > 0
        {
            by_digest.push((&content.digest, member));
        }
        let is_bundled = first.ends_with(".libs") || first == ".dylibs";
        if first.ends_with(".data") {
            continue;
        }
        if is_bundled {
            continue;
        }
        let top = tops.entry(first).or_default();
        top.is_dir |= !rest.is_empty();
        top.has_modules |= MODULES.iter().any(|end| path.ends_with(end));
        if rest.is_empty() {
            top_file(member, first, out);
        } else if path.ends_with(".py") && !is_importable(path) {
            out.file(
                Code::NotImportable,
                &member.entry.path,
                "a part of its path is not an identifier",
            );
        }
    }
    by_digest.sort_by_key(|(digest, _)| *digest);
    for same in by_digest.chunk_by(|a, b| a.0 == b.0).filter(|same| same.len() > 1) {
        let first = &same[0].1.entry;
        let size = first.header.size_bytes;
        let message = format!("{} files have these {size} bytes", same.len());
        let others = same[1..].iter().take(20).map(|(_, member)| member.entry.path.to_string());
        let finding = Finding::new(Code::DuplicateContent, &first.path, message);
        out.push(finding.because(others));
    }
    let modules = Modules::of(contents.files().map(|member| member.entry.path.as_str()));
    if is_empty {
        match requirements(contents) {
            0 => out.whole(Code::EmptyWheel, "it contains only metadata"),
            n => {
                let message = format!("it installs no file, only its {n} requirements");
                out.whole_as(Severity::Info, Code::EmptyWheel, message);
            }
        }
    } else if modules.is_empty() {
        let expected = contents.filename.map_or("", |name| name.name.as_str());
        let message = format!("it contains no module: there is no package such as `{expected}`");
        let is_elsewhere = |member: &Member| in_data(&member.entry.path).is_some();
        let is_pth = |member: &Member| member.entry.path.as_str().ends_with(".pth");
        let severity = if contents.files().any(|m| is_elsewhere(m) || is_pth(m)) {
            // Programs, headers and data are usable without an import.
            Severity::Info
        } else if contents.has_native() {
            Severity::Warning
        } else {
            Severity::Error
        };
        out.whole_as(severity, Code::EmptyLibrary, message);
    }
    judge(&tops, out);
}

/// Returns the number of requirements in METADATA.
pub(super) fn requirements(contents: &Contents<'_>) -> usize {
    let bytes = contents.dist_file("METADATA").and_then(Member::kept).unwrap_or_default();
    Fields::read(bytes).all("Requires-Dist").count()
}

#[derive(Default)]
struct Top {
    is_dir: bool,
    has_modules: bool,
}

fn judge(tops: &BTreeMap<&str, Top>, out: &mut Findings) {
    for (name, top) in tops.iter().filter(|(_, top)| top.is_dir) {
        if COMMON.contains(name) {
            out.whole(Code::CommonName, format!("it has a directory `{name}`"));
        }
        if !top.has_modules {
            out.whole(Code::NoModules, format!("the directory `{name}` has no modules"));
        }
    }
    let public = |name: &&str| !name.starts_with('_') && !name.ends_with(".pth");
    let names: BTreeSet<&str> = tops.keys().copied().filter(public).collect();
    if names.len() > 1 {
        let listed: Vec<&str> = names.iter().copied().take(20).collect();
        out.whole(Code::SeveralTopLevels, format!("there are `{}`", listed.join("`, `")));
    }
}

fn top_file(member: &Member, name: &str, out: &mut Findings) {
    if name == "__init__.py" {
        out.file(Code::TopLevelInit, &member.entry.path, "it is beside the packages");
    } else if !MODULES.iter().any(|end| name.ends_with(end)) && !name.ends_with(".pth") {
        out.file(Code::StrayTopLevel, &member.entry.path, "it is not a module");
    }
}

/// True if the path of a module can be written in an `import`. Stubs are in `package-stubs`.
fn is_importable(path: &str) -> bool {
    let path = path.strip_suffix(".py").unwrap_or(path);
    path.split('/').all(|part| is_identifier(part.strip_suffix("-stubs").unwrap_or(part)))
}
