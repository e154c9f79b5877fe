//! Selects the files of a runtime that a package contains.

use std::path::PathBuf;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use super::{Content, Files, PackageFile, Problem};
use crate::config::Role;
use crate::name::{ParseError, WheelPath};
use crate::runtime::{FileEntry, Manifest};
use crate::wheel::Source;

/// Treatment of the links to a library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Links {
    /// Links are links of the package.
    Keep,
    /// Only the file is included, under its SONAME: the format or its clients have no links.
    Collapse,
}

/// Files to select.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Selection<'a> {
    /// Components; all if `None`.
    pub(crate) components: Option<&'a [String]>,
    /// Globs of paths; the files of `roles` if `None`.
    pub(crate) patterns: Option<&'a [String]>,
    /// Roles of the files that are selected without patterns.
    pub(crate) roles: &'a [Role],
    /// Treatment of links.
    pub(crate) links: Links,
}

/// Selects files of `manifest`; `place` returns the location of a file on disk. The licences of
/// components that have a selected file are included.
///
/// # Errors
/// Returns a problem if nothing is selected, or if a pattern names no file.
pub(crate) fn select(
    manifest: &Manifest,
    selection: Selection<'_>,
    place: &dyn Fn(&FileEntry) -> PathBuf,
) -> Result<Files, Problem> {
    let all: Vec<String> = manifest.components.iter().map(|info| info.name.clone()).collect();
    let carried = manifest.carried(selection.components.unwrap_or(&all));
    let patterns = selection.patterns.map(Patterns::new);
    let mut used = Vec::new();
    let mut selected: Vec<&FileEntry> = Vec::new();
    for file in manifest.files.iter().filter(|file| carried.contains(file.component.as_str())) {
        let is_selected = match &patterns {
            Some(patterns) => {
                let matches = patterns.set.matches(file.path.as_str());
                used.extend_from_slice(&matches);
                !matches.is_empty()
            }
            None => selection.roles.contains(&file.role),
        };
        if is_selected && file.role != Role::License {
            selected.push(file);
        }
    }
    let unused = |i: &usize| !used.contains(i);
    if let Some(i) = (0..selection.patterns.map_or(0, <[String]>::len)).find(unused) {
        let pattern = selection.patterns.map_or("", |patterns| &patterns[i]);
        let message = format!("`{pattern}` names no file of the runtime for {}", manifest.target);
        let paths: Vec<&str> = manifest.files.iter().take(12).map(|f| f.path.as_str()).collect();
        let help = format!("the runtime has {}", paths.join(", "));
        return Err(Problem::new(&format!("files[{i}]"), message, Some(help)));
    }
    if selected.is_empty() {
        let message = format!("no file of the runtime for {} is selected", manifest.target);
        let help = "name files with `files`, or other `components`".to_owned();
        return Err(Problem::new("", message, Some(help)));
    }
    let has_programs = selected.iter().any(|file| file.role == Role::Executable);
    let mut files = Files::new();
    let owners: Vec<&str> = selected.iter().map(|file| file.component.as_str()).collect();
    let licenses = manifest
        .files
        .iter()
        .filter(|file| file.role == Role::License && owners.contains(&file.component.as_str()));
    for file in selected.iter().copied().chain(licenses) {
        let source = Source::File { path: place(file), size_bytes: file.size_bytes };
        let entry =
            PackageFile { executable: file.is_executable(), content: Content::Bytes(source) };
        super::add(&mut files, path_in_package(file, has_programs)?, entry)?;
        if selection.links == Links::Collapse {
            continue;
        }
        for alias in &file.aliases {
            let path = match file.path.parent() {
                Some(parent) => format!("{parent}/{alias}"),
                None => alias.clone(),
            };
            // The manifest is checked when it is written; one that was edited is refused here.
            let path = path
                .parse()
                .map_err(|error: ParseError| Problem::new("", error.to_string(), None))?;
            let target = file.path.file_name().to_owned();
            let link = PackageFile { executable: false, content: Content::Link(target) };
            super::add(&mut files, path, link)?;
        }
    }
    Ok(files)
}

/// Returns the path of a file in the package: that of the runtime, but a DLL is beside the programs,
/// where Windows looks for it.
fn path_in_package(file: &FileEntry, has_programs: bool) -> Result<WheelPath, Problem> {
    let extension = file.path.file_name().rsplit_once('.').map(|(_, extension)| extension);
    let is_dll = file.role == Role::SharedLibrary && extension == Some("dll");
    if !is_dll || !has_programs {
        return Ok(file.path.clone());
    }
    let path = format!("{}/{}", Role::Executable.directory(), file.path.file_name());
    path.parse().map_err(|error: ParseError| Problem::new("", error.to_string(), None))
}

/// Compiled patterns. The configuration was checked, so that all of them are valid.
struct Patterns {
    set: GlobSet,
}

impl Patterns {
    fn new(patterns: &[String]) -> Self {
        let mut set = GlobSetBuilder::new();
        for pattern in patterns {
            let glob = GlobBuilder::new(pattern).literal_separator(true).build();
            if let Ok(glob) = glob {
                set.add(glob);
            }
        }
        Self { set: set.build().unwrap_or_default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Manifest of a runtime with files `path role component`.
    fn manifest(rows: &[(&str, Role, &str)]) -> Manifest {
        let files = rows.iter().map(|(path, role, component)| {
            serde_json::json!({
                "path": path, "sha256": "0".repeat(64), "size_bytes": 1, "mode": "0755",
                "role": role, "component": component, "aliases": match role {
                    Role::SharedLibrary if path.ends_with(".1") => vec!["liba.so"],
                    _ => vec![],
                },
            })
        });
        let mut names: Vec<&str> = rows.iter().map(|(.., component)| *component).collect();
        names.dedup();
        let components = names.iter().map(|name| serde_json::json!({ "name": name }));
        serde_json::from_value(serde_json::json!({
            "schema": crate::runtime::SCHEMA, "name": "demo", "version": "1", "target": "triple",
            "tag": "any", "toolchain": "none",
            "files": files.collect::<Vec<_>>(), "components": components.collect::<Vec<_>>(),
        }))
        .unwrap()
    }

    const ROLES: [Role; 2] = [Role::Executable, Role::SharedLibrary];

    #[test]
    fn files_are_selected_by_role_component_and_pattern() {
        let manifest = manifest(&[
            ("bin/tool", Role::Executable, "tool"),
            ("licenses/tool/COPYING", Role::License, "tool"),
            ("include/a.h", Role::Header, "a"),
            ("lib/liba.so.1", Role::SharedLibrary, "a"),
            ("licenses/a/LICENSE", Role::License, "a"),
            ("bin/b.exe", Role::Executable, "b"),
            ("lib/b.dll", Role::SharedLibrary, "b"),
        ]);
        let run = |components: Option<&[&str]>, patterns: Option<&[&str]>, links: Links| {
            let own = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
            let (components, patterns): (Option<Vec<String>>, Option<Vec<String>>) =
                (components.map(own), patterns.map(own));
            let selection = Selection {
                components: components.as_deref(),
                patterns: patterns.as_deref(),
                roles: &ROLES,
                links,
            };
            match select(&manifest, selection, &|file| file.path.as_str().into()) {
                Ok(files) => files.keys().map(WheelPath::as_str).collect::<Vec<_>>().join(" "),
                Err(problem) => format!("{}: {}", problem.key, problem.message),
            }
        };
        let check = |components: Option<&[&str]>, patterns: Option<&[&str]>, expected: &str| {
            assert_eq!(run(components, patterns, Links::Collapse), expected);
        };
        check(Some(&["tool"]), None, "bin/tool licenses/tool/COPYING");
        check(Some(&["a"]), None, "lib/liba.so.1 licenses/a/LICENSE");
        check(Some(&["b"]), None, "bin/b.dll bin/b.exe");
        check(None, Some(&["lib/*.dll"]), "lib/b.dll");
        check(None, Some(&["include/**"]), "include/a.h licenses/a/LICENSE");
        check(
            None,
            Some(&["bin/tool", "lib/*.dylib"]),
            "files[1]: `lib/*.dylib` names no file of \
                                                         the runtime for triple",
        );
        check(Some(&["x"]), None, ": no file of the runtime for triple is selected");
        check(Some(&[]), None, ": no file of the runtime for triple is selected");
        let kept = run(Some(&["a"]), None, Links::Keep);
        assert_eq!(kept, "lib/liba.so lib/liba.so.1 licenses/a/LICENSE");
    }
}
