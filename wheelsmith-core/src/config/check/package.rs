//! Validation of archives, installers and npm packages.

use globset::Glob;

use super::Check;
use crate::config::diagnose::did_you_mean;
use crate::config::names::ROOT;
use crate::config::{Archive, ArchiveFormat, Crates, Installer, NamePattern, Npm};
use crate::metadata::ProjectTable;
use crate::name::WheelPath;

/// Checks the archives.
pub(super) fn archives(check: &mut Check<'_>, archives: &[Archive], names: &[String]) {
    for (i, archive) in archives.iter().enumerate() {
        let key = format!("{ROOT}.archive[{i}]");
        has_components(check, &key, names);
        check.known_components(&key, archive.components.as_deref(), names);
        globs(check, &key, archive.files.as_deref());
        if let Some(name) = &archive.name
            && (name.contains(['{', '}']) || name.parse::<NamePattern>().is_err())
        {
            let help = "use letters, digits, `-`, `_`, `.` and `+`";
            let message = format!("`{name}` cannot be part of a file name");
            check.problem(&format!("{key}.name"), message, Some(help));
        }
        if let Some(file) = &archive.file {
            file_name(check, &format!("{key}.file"), file, archive.format);
        }
        // An alias has the bytes of the archive, so it needs the same extension.
        let literal = |name: &NamePattern| ArchiveFormat::of_name(name.as_str());
        let own = archive.file.as_ref().and_then(literal);
        for (j, alias) in archive.aliases.iter().enumerate() {
            let key = format!("{key}.aliases[{j}]");
            let format = literal(alias);
            let is_same = if own.is_some() { format == own } else { format.is_none() };
            if !is_same && own.is_some() {
                let message = format!("`{alias}` has another extension than `file`");
                check.problem(&key, message, Some("an alias has the bytes of the archive"));
            } else {
                file_name(check, &key, alias, archive.format);
            }
        }
        if archives[..i]
            .iter()
            .any(|other| other.file == archive.file && other.name == archive.name)
        {
            let help = "give each a `name` or `file` of its own";
            check.problem(&key, "another archive has the same name", Some(help));
        }
    }
}

/// Checks that there is something to pack.
fn has_components(check: &mut Check<'_>, key: &str, names: &[String]) {
    if names.is_empty() {
        let help = "add a `[[tool.wheelsmith.component]]`";
        check.problem(key, "there is no component whose files it could contain", Some(help));
    }
}

/// Checks that a file name tells the format of its content.
fn file_name(check: &mut Check<'_>, key: &str, name: &NamePattern, format: Option<ArchiveFormat>) {
    let literal = ArchiveFormat::of_name(name.as_str());
    if literal.is_none() && !name.as_str().ends_with(".{ext}") {
        let message = format!("the extension of `{name}` is not that of an archive");
        let help = "end it with `.{ext}`, `.tar.gz`, `.tar.zst` or `.zip`";
        check.problem(key, message, Some(help));
    }
    if let (Some(literal), Some(format)) = (literal, format)
        && literal != format
    {
        let message = format!("`format` is `{format}`, and the extension is `.{literal}`");
        check.problem(key, message, Some("remove `format`, or end the name with `.{ext}`"));
    }
}

/// Checks the installers.
pub(super) fn installers(check: &mut Check<'_>, installers: &[Installer], archives: &[Archive]) {
    for (i, installer) in installers.iter().enumerate() {
        let key = format!("{ROOT}.installer[{i}]");
        if archives.is_empty() {
            let help = "add a `[[tool.wheelsmith.archive]]`";
            check.problem(&key, "there is no archive to install", Some(help));
        } else if let Some(name) = &installer.archive
            && !archives.iter().any(|archive| archive.name.as_ref() == Some(name))
        {
            let known = archives.iter().filter_map(|archive| archive.name.as_deref());
            let help = did_you_mean(name, known);
            let message = format!("there is no archive with the name `{name}`");
            check.problem(&format!("{key}.archive"), message, help.as_deref());
        }
        if let Some(name) = &installer.name
            && (name.contains(['{', '}']) || name.parse::<NamePattern>().is_err())
        {
            let message = format!("`{name}` cannot be the name of a file");
            check.problem(&format!("{key}.name"), message, None);
        }
        if installers[..i]
            .iter()
            .any(|other| other.name == installer.name && other.archive == installer.archive)
        {
            let help = "give each a `name` of its own";
            check.problem(&key, "another installer has the same name", Some(help));
        }
    }
}

/// Checks the npm packages.
pub(super) fn npm(
    check: &mut Check<'_>,
    packages: &[Npm],
    project: Option<&ProjectTable>,
    names: &[String],
) {
    for (i, npm) in packages.iter().enumerate() {
        let key = format!("{ROOT}.npm[{i}]");
        has_components(check, &key, names);
        check.known_components(&key, npm.components.as_deref(), names);
        globs(check, &key, npm.files.as_deref());
        let Some(project) = project else {
            let help = "add `[project]` with `name` and `version`";
            check.problem(&key, "an npm package needs a `[project]` table", Some(help));
            continue;
        };
        if let Err(error) = npm.main_name(&project.name.to_string()) {
            check.problem(&key, error.to_string(), Some("give it a `name`"));
        }
        for command in npm.bin.keys() {
            let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
            if command.is_empty()
                || command.starts_with(['.', '-'])
                || !command.chars().all(is_plain)
            {
                let help = "use letters, digits, `-`, `_` and `.`";
                let message = format!("`{command}` cannot be the name of a command");
                check.problem(&format!("{key}.bin"), message, Some(help));
            }
        }
        for (word, path) in [("main", &npm.main), ("types", &npm.types)] {
            let Some(path) = path else { continue };
            if npm.include.is_empty() {
                let message = format!("no file of the package is `{path}`");
                let help = "name it in `include` too";
                check.problem(&format!("{key}.{word}"), message, Some(help));
            }
            if word == "main" && is_reserved(path) {
                let message = format!("`{path}` is written by wheelsmith");
                check.problem(&format!("{key}.main"), message, Some("give the file another name"));
            }
        }
        if packages[..i].iter().any(|other| other.name == npm.name) {
            let help = "give each a `name` of its own";
            check.problem(&key, "another npm package has the same name", Some(help));
        }
    }
}

/// Checks the crates.
pub(super) fn crates(check: &mut Check<'_>, tables: &[Crates]) {
    for (i, table) in tables.iter().enumerate() {
        let key = format!("{ROOT}.crates[{i}]");
        let path = &table.manifest;
        let is_inside = path.parse::<WheelPath>().is_ok();
        if !is_inside || !(path == "Cargo.toml" || path.ends_with("/Cargo.toml")) {
            let message = format!("`{path}` is not a `Cargo.toml` in the project");
            let help = "name it relative to this file, such as `native/Cargo.toml`";
            check.problem(&format!("{key}.manifest"), message, Some(help));
        }
        if table.packages.as_ref().is_some_and(Vec::is_empty) {
            let help = "name packages, or remove the key for all of the workspace";
            check.problem(&format!("{key}.packages"), "it names no package", Some(help));
        }
        if tables[..i].iter().any(|other| other.manifest == *path) {
            let help = "name all packages in one table";
            check.problem(&key, "another table has the same `manifest`", Some(help));
        }
    }
}

/// True for files of a main package that wheelsmith writes.
fn is_reserved(path: &WheelPath) -> bool {
    ["package.json", "runtime.js"].contains(&path.as_str())
}

/// Checks the patterns of `files`.
fn globs(check: &mut Check<'_>, key: &str, files: Option<&[String]>) {
    for (i, pattern) in files.unwrap_or_default().iter().enumerate() {
        if let Err(error) = Glob::new(pattern) {
            let message = format!("not a pattern: {}", error.kind());
            check.problem(&format!("{key}.files[{i}]"), message, None);
        }
    }
}
