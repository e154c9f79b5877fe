//! Content of npm packages: one for each target, and a main package that requires them.
//!
//! The audit decides `os`, `cpu` and `libc` of a platform package. The main package names each
//! platform package with its exact version in `optionalDependencies`, and its loader chooses by the
//! running C library, not by which package is installed: some clients install those for both.

mod loader;
mod manifest;

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Files, Links, PackageFile, Problem, Selection, add, select};
use crate::binary::{Facts, NativeFile};
use crate::config::{Npm, NpmPlatform, Role};
use crate::metadata::ProjectTable;
use crate::name::{
    Arch, Libc, MacArch, NpmName, PlatformTag, PlatformVersion, Target, WindowsArch,
};
use crate::runtime::{FileEntry, Manifest};
use crate::version::commit::SourceCommit;

/// Time of every file, in seconds since 1970: that of `npm pack`.
pub(crate) const EPOCH: u64 = 499_162_500;

/// The file that comes first.
pub(crate) const MANIFEST: &str = "package.json";

/// Directory in every tarball.
pub(crate) const TOP: &str = "package";

/// Versions of Node.js that the loader needs: `node:` in `require`.
const NODE: &str = ">=16";

/// Roles of the files that a platform package contains without `files`.
const ROLES: [Role; 4] = [Role::Executable, Role::SharedLibrary, Role::Data, Role::NodeAddon];

/// Identity of the packages of one table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Identity<'a> {
    /// Table of the configuration.
    pub(crate) npm: &'a Npm,
    /// Name of the main package.
    pub(crate) main: &'a NpmName,
    /// Version in the form of SemVer.
    pub(crate) version: &'a str,
    /// `[project]`.
    pub(crate) project: &'a ProjectTable,
    /// Commit that the packages are made from, if it is known and used.
    pub(crate) commit: Option<&'a SourceCommit>,
}

/// Row of the loader's table: a platform package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct PlatformRow {
    name: String,
    target: String,
    os: &'static str,
    cpu: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    libc: Option<Libc>,
    /// Oldest glibc.
    #[serde(skip_serializing_if = "Option::is_none")]
    glibc: Option<String>,
    /// Programs by command.
    programs: BTreeMap<String, String>,
    addons: Vec<String>,
}

/// Platform that the files of a package qualify for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct QualifiedPlatform {
    os: &'static str,
    cpu: Vec<&'static str>,
    pub(crate) libc: Option<Libc>,
    pub(crate) glibc: Option<PlatformVersion>,
}

/// Returns the platform of files that qualify for `tag`.
///
/// Files without a C library run under each. They get no `libc`, unless there is another package for
/// the same processor: then a client would install both.
///
/// # Errors
/// Returns a problem if npm has no word for it.
pub(crate) fn qualified(
    tag: &PlatformTag,
    files: &[NativeFile],
    target: Target,
    expected: &[Target],
) -> Result<QualifiedPlatform, Problem> {
    let linux = |arch: Arch, libc, glibc| {
        let cpu = vec![crate::name::npm_cpu(arch)];
        Some(QualifiedPlatform { os: "linux", cpu, libc: Some(libc), glibc })
    };
    let other = |os, cpu: &[&'static str]| {
        Some(QualifiedPlatform { os, cpu: cpu.to_vec(), libc: None, glibc: None })
    };
    let found = match tag {
        PlatformTag::Manylinux { glibc, arch } => linux(*arch, Libc::Glibc, Some(*glibc)),
        PlatformTag::LegacyManylinux { name, arch } => {
            linux(*arch, Libc::Glibc, Some(name.glibc()))
        }
        PlatformTag::Musllinux { arch, .. } => linux(*arch, Libc::Musl, None),
        PlatformTag::MacOs { arch, .. } => match arch {
            MacArch::Arm64 => other("darwin", &["arm64"]),
            MacArch::X86_64 => other("darwin", &["x64"]),
            MacArch::Universal2 => other("darwin", &["x64", "arm64"]),
        },
        PlatformTag::Windows { arch } => match arch {
            WindowsArch::Amd64 => other("win32", &["x64"]),
            WindowsArch::Arm64 => other("win32", &["arm64"]),
            WindowsArch::X86 => other("win32", &["ia32"]),
        },
        // Scripts and data.
        PlatformTag::Any => {
            let NpmPlatform { os, cpu, libc, .. } = NpmPlatform::of(target);
            Some(QualifiedPlatform { os, cpu, libc, glibc: None })
        }
        _ => None,
    };
    let mut found = found
        .ok_or_else(|| Problem::new("", format!("npm has no name for the platform {tag}"), None))?;
    let is_sibling = |other: &&Target| {
        other.triple() != target.triple()
            && other.arch() == target.arch()
            && other.os().family() == target.os().family()
    };
    if expected.iter().find(is_sibling).is_none() && !files.iter().any(needs_libc) {
        (found.libc, found.glibc) = (None, None);
    }
    Ok(found)
}

/// True if a file needs the C library of the system.
fn needs_libc(file: &NativeFile) -> bool {
    match &file.facts {
        Facts::Elf(elf) => elf.interpreter.is_some() || !elf.needed.is_empty(),
        Facts::Unreadable { .. } => true,
        _ => false,
    }
}

/// Returns the files of the runtime that a platform package contains.
///
/// # Errors
/// Returns a problem if nothing is selected.
pub(crate) fn selected(
    npm: &Npm,
    manifest: &Manifest,
    place: &dyn Fn(&FileEntry) -> std::path::PathBuf,
) -> Result<Files, Problem> {
    let selection = Selection {
        components: npm.components.as_deref(),
        patterns: npm.files.as_deref(),
        roles: &ROLES,
        // npm, pnpm and bun drop links, and yarn 1 breaks them.
        links: Links::Collapse,
    };
    select(manifest, selection, place)
}

/// Adds `package.json` and a README to the files of a platform package, and returns its row.
///
/// # Errors
/// Returns a problem if the package lacks a program that `bin` names.
pub(crate) fn finish_platform(
    identity: Identity<'_>,
    name: &NpmName,
    target: Target,
    tag: &PlatformTag,
    platform: QualifiedPlatform,
    files: &mut Files,
) -> Result<PlatformRow, Problem> {
    let suffix = target.os().program_suffix();
    let mut programs = BTreeMap::new();
    for (command, program) in &identity.npm.bin {
        let path = format!("bin/{program}{suffix}");
        let has = |path: &str| files.keys().any(|known| known.as_str() == path);
        let path = if has(&path) { path } else { format!("bin/{program}") };
        if !has(&path) {
            let message = format!("the package has no program `{program}` for {}", target.triple());
            let known = files.keys().filter_map(|path| path.as_str().strip_prefix("bin/"));
            let help = format!("it has: {}", known.collect::<Vec<_>>().join(", "));
            return Err(Problem::new(&format!("bin.{command}"), message, Some(help)));
        }
        programs.insert(command.clone(), path);
    }
    let addons = files.keys().filter(|path| path.parent() == Some(Role::NodeAddon.directory()));
    let addons: Vec<String> = addons.map(ToString::to_string).collect();
    let QualifiedPlatform { os, cpu, libc, glibc } = platform;
    let row = PlatformRow {
        name: name.to_string(),
        target: target.triple().to_owned(),
        os,
        cpu,
        libc,
        glibc: glibc.map(|version| version.to_string()),
        programs,
        addons,
    };
    let text = manifest::PlatformManifest::new(identity, &row, tag).to_json();
    add(files, MANIFEST.parse().expect("a constant"), PackageFile::text(text))?;
    let readme = "README.md".parse().expect("a constant");
    if !files.contains_key(&readme) {
        let text = format!(
            "# {name}\n\nThe files of `{main}` for {target}. \
             Install `{main}`, which requires this package.\n",
            main = identity.main,
            target = row.target,
        );
        add(files, readme, PackageFile::text(text))?;
    }
    Ok(row)
}

/// Adds `package.json`, the loader and the commands to the files of the main package.
///
/// # Errors
/// Returns a problem if `main` or `types` names no file, or if a file has the path of one of these.
pub(crate) fn finish_main(
    identity: Identity<'_>,
    rows: &[PlatformRow],
    files: &mut Files,
) -> Result<(), Problem> {
    let npm = identity.npm;
    for (key, path) in [("main", &npm.main), ("types", &npm.types)] {
        if let Some(path) = path.as_ref().filter(|path| !files.contains_key(*path)) {
            let help = "name it in `include` too".to_owned();
            let message = format!("no file of the package is `{path}`");
            return Err(Problem::new(key, message, Some(help)));
        }
    }
    let path = |text: &str| text.parse().expect("checked by the configuration");
    let module = loader::module(identity.main.as_str(), identity.version, rows);
    add(files, path(loader::MODULE), PackageFile::text(module))?;
    for command in npm.bin.keys() {
        let file = PackageFile { executable: true, ..PackageFile::text(loader::command(command)) };
        add(files, path(&loader::command_path(command)), file)?;
    }
    let has_addon = rows.iter().any(|row| !row.addons.is_empty());
    let (main, mut types) = match (&npm.main, has_addon) {
        (Some(main), _) => (main.to_string(), None),
        (None, true) => {
            add(files, path("index.js"), PackageFile::text(loader::ADDON))?;
            ("index.js".to_owned(), None)
        }
        (None, false) => {
            let declarations = loader::MODULE.replace(".js", ".d.ts");
            add(files, path(&declarations), PackageFile::text(loader::TYPES))?;
            (loader::MODULE.to_owned(), Some(declarations))
        }
    };
    if let Some(given) = &npm.types {
        types = Some(given.to_string());
    }
    let text = manifest::MainManifest::new(identity, rows, main, types).to_json();
    add(files, path(MANIFEST), PackageFile::text(text))
}

#[cfg(test)]
mod tests;
