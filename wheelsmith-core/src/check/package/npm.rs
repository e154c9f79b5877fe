//! Judges an npm package: the file that `npm pack` writes, and what npm, pnpm, yarn, bun and Node.js
//! read in it.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use semver::Version;
use serde_json::{Map, Value};

use super::super::Options;
use super::super::findings::Findings;
use super::{Entry, EntryKind, Package};
use crate::archive::Blob;
use crate::binary::{Facts, NativeFile};
use crate::finding::{Code, Finding, Severity};
use crate::name::{Arch, Libc, NpmName, WheelPath, npm_cpu};
use crate::policy;
use crate::sys::Cancel;

const MANIFEST: &str = "package.json";
/// Directory in tarballs that npm writes. npm drops the first part of each path, whatever it is.
const TOP: &str = "package";
/// Scripts that run when the package is installed.
const INSTALL_SCRIPTS: [&str; 3] = ["preinstall", "install", "postinstall"];
/// Tables of packages that are installed with the package.
const DEPENDENCIES: [&str; 3] = ["dependencies", "optionalDependencies", "peerDependencies"];
/// Beginnings of requirements that mean something on one machine only.
const LOCAL: [&str; 5] = ["file:", "link:", "workspace:", "portal:", "catalog:"];

/// Other systems with ELF files, in the words of npm. The files do not tell which of them they are for.
const ELF_SYSTEMS: [&str; 5] = ["android", "freebsd", "netbsd", "openbsd", "sunos"];

/// Judges the file.
pub(in super::super) fn check(
    filename: &str,
    blob: &Blob,
    options: &Options,
    cancel: &Cancel,
    out: &mut Findings,
) -> io::Result<()> {
    let Some(package) = Package::read(filename, blob, options, cancel, out)? else { return Ok(()) };
    match package.tops.len() {
        0 | 1 => {}
        count => {
            let message = format!("it has {count} directories at its top, which clients merge");
            out.whole(Code::PackageTop, message);
        }
    }
    if let Some(top) = package.tops.first().filter(|top| *top != TOP && package.tops.len() == 1) {
        let message = format!("its directory `{top}` would be `{TOP}`");
        out.whole_as(Severity::Info, Code::PackageTop, message);
    }
    for entry in package.links() {
        let help =
            "include the file itself: npm, pnpm and bun leave links out, and yarn 1 breaks them";
        out.push(Finding::new(Code::SpecialFile, &entry.path, "it is a link").with_help(help));
    }
    let top = package.tops.first().map_or(TOP, String::as_str);
    let manifest = package.get(&format!("{TOP}/{MANIFEST}"));
    let Some(manifest) = manifest.or_else(|| package.get(&format!("{top}/{MANIFEST}"))) else {
        out.whole(Code::MissingManifest, format!("there is no `{TOP}/{MANIFEST}`"));
        return Ok(());
    };
    if package.files().map(|entry| &entry.path).collect::<BTreeSet<_>>().len() > 1
        && package
            .entries
            .iter()
            .find(|entry| entry.kind != EntryKind::Directory)
            .is_some_and(|first| first.path != manifest.path)
    {
        out.file(Code::ManifestLate, &manifest.path, "it is not the first file");
    }
    let bad = |message: String, out: &mut Findings| {
        out.file(Code::BadManifest, &manifest.path, message);
    };
    let Some(text) = manifest.text(options)? else {
        bad("it is not UTF-8, or too large".to_owned(), out);
        return Ok(());
    };
    let table = match serde_json::from_str(text.trim_start_matches('\u{feff}')) {
        Ok(Value::Object(table)) => table,
        Ok(_) => {
            bad("it is not a JSON object".to_owned(), out);
            return Ok(());
        }
        Err(error) => {
            bad(format!("it is not JSON: {error}"), out);
            return Ok(());
        }
    };
    let native = package.native(out)?;
    let manifest = Manifest { package: &package, path: &manifest.path, table: &table };
    manifest.identity(filename, out);
    manifest.scripts(out);
    manifest.dependencies(out);
    let programs = manifest.targets(out);
    manifest.platform(&native, out);
    package.programs(&native, &programs, out);
    package.modes(", which npm changes", out);
    Ok(())
}

/// `package.json`, and the package that it describes.
struct Manifest<'a> {
    package: &'a Package,
    path: &'a WheelPath,
    table: &'a Map<String, Value>,
}

impl Manifest<'_> {
    fn bad(&self, out: &mut Findings, message: impl Into<String>) {
        out.file(Code::BadManifest, self.path, message);
    }

    fn table(&self, key: &str) -> impl Iterator<Item = (&String, &Value)> {
        self.table.get(key).and_then(Value::as_object).into_iter().flatten()
    }

    fn text(&self, key: &str) -> Option<&str> {
        self.table.get(key).and_then(Value::as_str)
    }

    /// Judges name and version, and compares them with the name of the file.
    fn identity(&self, filename: &str, out: &mut Findings) {
        let name = match self.text("name").map(str::parse::<NpmName>) {
            None => return self.bad(out, "it has no text `name`"),
            Some(Err(error)) => return self.bad(out, error.to_string()),
            Some(Ok(name)) => name,
        };
        let version = match self.text("version") {
            None => return self.bad(out, "it has no text `version`"),
            Some(text) => match text.parse::<Version>() {
                Err(error) => {
                    return self.bad(out, format!("`version` is `{text}`, not SemVer: {error}"));
                }
                Ok(version) => version,
            },
        };
        if !version.build.is_empty() {
            let message = format!("registries drop `+{}` of the version", version.build);
            out.file_as(Severity::Warning, Code::LocalVersion, self.path, message);
        }
        let text = version.to_string();
        let expected = name.tarball(&text);
        // Registries serve `@scope/demo` as `demo-1.0.0.tgz`.
        let base = name.as_str().rsplit('/').next().unwrap_or_default();
        if filename != expected && filename != format!("{base}-{text}.tgz") {
            let code = if filename.ends_with(&format!("-{text}.tgz")) {
                Code::NameMismatch
            } else {
                Code::VersionMismatch
            };
            let message = format!("it is `{name}` {text}, whose file is `{expected}`");
            let help = "pack it again: the file was renamed, or `package.json` changed";
            out.push(Finding::new(code, self.path, message).with_help(help));
        }
        if self.table.get("private").and_then(Value::as_bool) == Some(true) {
            out.file(Code::NotPublishable, self.path, "it has `\"private\": true`");
        }
    }

    /// Reports scripts that run when the package is installed.
    fn scripts(&self, out: &mut Findings) {
        let scripts: Vec<&str> = self
            .table("scripts")
            .map(|(name, _)| name.as_str())
            .filter(|n| INSTALL_SCRIPTS.contains(n))
            .collect();
        for name in &scripts {
            out.file(Code::InstallScript, self.path, format!("it has the script `{name}`"));
        }
        let compiles = !scripts.contains(&"install") && !scripts.contains(&"preinstall");
        let is_off = self.table.get("gypfile").and_then(Value::as_bool) == Some(false);
        let gyp = self.file("binding.gyp").filter(|_| compiles && !is_off);
        if let Some(gyp) = gyp {
            let message = "npm compiles a package with this file when it is installed";
            out.file(Code::InstallScript, &gyp.path, message);
        }
    }

    /// Judges the requirements on other packages.
    fn dependencies(&self, out: &mut Findings) {
        let own = self.text("name").unwrap_or_default();
        let version = self.text("version").unwrap_or_default();
        for table in DEPENDENCIES {
            for (name, value) in self.table(table) {
                let Some(needed) = value.as_str() else {
                    self.bad(out, format!("`{name}` in `{table}` is not a text"));
                    continue;
                };
                if LOCAL.iter().any(|start| needed.starts_with(start)) {
                    let message = format!("`{table}` needs `{name}` from `{needed}`");
                    out.file(Code::LocalDependency, self.path, message);
                } else if table == "optionalDependencies" && is_platform_package(own, name) {
                    self.pin(name, needed, version, out);
                }
            }
        }
    }

    /// Judges the requirement on the package for one platform.
    fn pin(&self, name: &str, needed: &str, version: &str, out: &mut Findings) {
        let message = match needed.parse::<Version>() {
            Err(_) => format!("it needs `{name}` {needed}, which is no exact version"),
            Ok(_) if needed != version => {
                format!("it needs `{name}` {needed}, and its own version is {version}")
            }
            Ok(_) => return,
        };
        out.file(Code::InexactPin, self.path, message);
    }

    /// Returns the file of the package at a path of the manifest.
    fn file(&self, path: &str) -> Option<&Entry> {
        let path = path.strip_prefix("./").unwrap_or(path);
        let top = self.path.as_str().split('/').next().unwrap_or_default();
        self.package.get(&format!("{top}/{path}"))
    }

    fn has(&self, path: &str, ends: &[&str]) -> bool {
        let path = path.trim_end_matches('/');
        ends.iter().any(|end| self.file(&format!("{path}{end}")).is_some())
    }

    /// Judges the files that the manifest names. Returns the programs.
    fn targets(&self, out: &mut Findings) -> BTreeSet<String> {
        let absent = |severity, key: &str, path: &str, out: &mut Findings| {
            let message = format!("`{key}` names `{path}`, which is not in the package");
            out.file_as(severity, Code::ManifestTarget, self.path, message);
        };
        let is_wrong = |value: &Value| !value.is_string() && !value.is_null();
        if self.table.get("bin").is_some_and(|bin| is_wrong(bin) && !bin.is_object()) {
            self.bad(out, "`bin` is neither a text nor a table");
        }
        for (name, _) in self.table("bin").filter(|(_, path)| !path.is_string()) {
            self.bad(out, format!("`bin.{name}` is not a text"));
        }
        if self.table.get("main").is_some_and(is_wrong) {
            self.bad(out, "`main` is not a text");
        }
        let mut programs = BTreeSet::new();
        let single = self.text("bin").map(|path| ("bin".to_owned(), path));
        let several = self
            .table("bin")
            .filter_map(|(name, path)| Some((format!("bin.{name}"), path.as_str()?)));
        for (key, path) in single.into_iter().chain(several) {
            match self.file(path) {
                Some(entry) => _ = programs.insert(entry.path.to_string()),
                None => absent(Severity::Error, &key, path, out),
            }
        }
        // As Node.js resolves a directory (`LOAD_AS_FILE`, `LOAD_INDEX`).
        let loaded = ["", ".js", ".json", ".node", "/index.js", "/index.json", "/index.node"];
        if let Some(main) = self.text("main").filter(|main| !self.has(main, &loaded)) {
            let falls_back = self.has("index.js", &[""]);
            let severity = if falls_back { Severity::Warning } else { Severity::Error };
            absent(severity, "main", main, out);
        }
        for key in ["module", "types", "typings"] {
            let ends = ["", ".d.ts", ".ts", ".js", "/index.d.ts"];
            if let Some(path) = self.text(key).filter(|path| !self.has(path, &ends)) {
                absent(Severity::Warning, key, path, out);
            }
        }
        let mut exported = Vec::new();
        if let Some(exports) = self.table.get("exports") {
            collect(exports, &mut exported);
            if exports.is_number() || exports.is_boolean() {
                self.bad(out, "`exports` is neither a text nor a table");
            }
        }
        for path in exported {
            if !path.starts_with("./") {
                self.bad(out, format!("`exports` names `{path}`, which does not begin with `./`"));
                continue;
            }
            let is_there = match path.split_once('*') {
                None => self.has(path, &[""]),
                Some((before, after)) => self.matches(before, after),
            };
            if !is_there {
                absent(Severity::Error, "exports", path, out);
            }
        }
        programs
    }

    /// True if the path of a file is `before`, any text, and `after`.
    fn matches(&self, before: &str, after: &str) -> bool {
        let before = before.strip_prefix("./").unwrap_or(before);
        let inner = self.package.files().filter_map(Entry::inner);
        let mut rest = inner.filter_map(|path| path.strip_prefix(before));
        rest.any(|path| path.ends_with(after) && path.len() > after.len())
    }

    /// Returns the words of `os`, `cpu` or `libc`.
    fn words(&self, key: &str, out: &mut Findings) -> Words {
        let list = match self.table.get(key) {
            None | Some(Value::Null) => return Words::default(),
            Some(Value::String(word)) => vec![word.clone()],
            Some(Value::Array(list)) if list.iter().all(Value::is_string) => {
                list.iter().filter_map(Value::as_str).map(str::to_owned).collect()
            }
            Some(_) => {
                self.bad(out, format!("`{key}` is not a list of texts"));
                return Words::default();
            }
        };
        let (not, only) = list.into_iter().partition::<Vec<_>, _>(|word| word.starts_with('!'));
        let not = not.iter().map(|word| word[1..].to_owned()).collect();
        Words { only: only.into_iter().filter(|word| word != "any").collect(), not }
    }

    /// Compares `os`, `cpu` and `libc` with the native files.
    fn platform(&self, native: &[NativeFile], out: &mut Findings) {
        let (os, cpu, libc) =
            (self.words("os", out), self.words("cpu", out), self.words("libc", out));
        let mut platforms: BTreeMap<(&str, Vec<&str>), &NativeFile> = BTreeMap::new();
        let mut needs_libc: BTreeMap<Libc, &NativeFile> = BTreeMap::new();
        for file in native.iter().filter(|file| !file.is_device_code()) {
            let Some(found) = Platform::of(file) else { continue };
            let mut mismatch = |code, key: &str, found: String| {
                let stated = self.table.get(key).map(ToString::to_string).unwrap_or_default();
                let message = format!("it is for {found}, and `{key}` is {stated}");
                let help = "correct `package.json`, or pack the files of its platform";
                out.push(Finding::new(code, &file.path, message).with_help(help));
            };
            let is_elf = found.os == "linux";
            let is_allowed =
                os.allow(found.os) || (is_elf && ELF_SYSTEMS.iter().any(|word| os.allow(word)));
            if !is_allowed {
                mismatch(Code::WrongPlatform, "os", found.os.to_owned());
            } else if !found.cpu.is_empty() && !found.cpu.iter().any(|word| cpu.allow(word)) {
                mismatch(Code::WrongArch, "cpu", found.cpu.join(" and "));
            } else if let Some(word) = found.libc.map(|libc| libc.to_string())
                && !libc.allow(&word)
            {
                mismatch(Code::WrongLibc, "libc", word);
            }
            if let Some(libc) = found.libc {
                needs_libc.insert(libc, file);
            }
            platforms.insert((found.os, found.cpu), file);
        }
        let [((found_os, found_cpu), file)] = &platforms.iter().collect::<Vec<_>>()[..] else {
            // Several platforms: the package chooses when it is loaded.
            return;
        };
        // A file for both processors of macOS needs no `cpu`.
        let is_open = os.is_open() || (cpu.is_open() && found_cpu.len() == 1);
        if is_open {
            let key = if os.is_open() { "os" } else { "cpu" };
            let platform = [&[*found_os], &found_cpu[..]].concat().join(" ");
            let message =
                format!("there is no `{key}`, and `{}` is for {platform} alone", file.path);
            let help = "write `os`, `cpu` and `libc` of the native files into `package.json`";
            let finding = Finding::new(Code::NativeInAny, self.path, message).with_help(help);
            out.push(Finding { severity: Severity::Warning, ..finding });
        } else if libc.is_open()
            && os.allow("linux")
            && let [(needed, file)] = &needs_libc.iter().collect::<Vec<_>>()[..]
        {
            let message = format!("there is no `libc`, and `{}` needs {needed}", file.path);
            let help = "write `\"libc\": [\"glibc\"]` or `[\"musl\"]` into `package.json`";
            let finding = Finding::new(Code::WrongLibc, self.path, message).with_help(help);
            out.push(Finding { severity: Severity::Warning, ..finding });
        }
    }
}

/// Values of `os`, `cpu` or `libc`.
#[derive(Debug, Default)]
struct Words {
    only: Vec<String>,
    /// Values with `!` before them.
    not: Vec<String>,
}

impl Words {
    /// True if npm installs the package where the value is `word`.
    fn allow(&self, word: &str) -> bool {
        let is = |other: &String| other == word;
        !self.not.iter().any(is) && (self.only.is_empty() || self.only.iter().any(is))
    }

    /// True if every value is allowed.
    fn is_open(&self) -> bool {
        self.only.is_empty() && self.not.is_empty()
    }
}

/// Platform of a native file, in the words of npm.
struct Platform {
    os: &'static str,
    cpu: Vec<&'static str>,
    libc: Option<Libc>,
}

impl Platform {
    fn of(file: &NativeFile) -> Option<Self> {
        let words = |arches: &mut dyn Iterator<Item = Arch>| arches.map(npm_cpu).collect();
        Some(match &file.facts {
            Facts::Elf(elf) => {
                let mut names = elf.needed.iter().chain(&elf.interpreter);
                let base = |name: &String| name.rsplit('/').next().and_then(policy::libc_of);
                Self {
                    os: "linux",
                    cpu: words(&mut elf.arch.into_iter()),
                    libc: names.find_map(base),
                }
            }
            Facts::MachO(image) => {
                let mut arches = image.slices.iter().filter_map(|slice| slice.arch);
                Self { os: "darwin", cpu: words(&mut arches), libc: None }
            }
            Facts::Pe(pe) => Self { os: "win32", cpu: words(&mut pe.arch.into_iter()), libc: None },
            Facts::Archive(_) | Facts::Wasm(_) | Facts::Unreadable { .. } => return None,
        })
    }
}

/// True if `name` is the package of `own` for one platform: it is `own`, `-` or `/`, and a system.
fn is_platform_package(own: &str, name: &str) -> bool {
    const SYSTEMS: [&str; 7] =
        ["linux", "darwin", "win32", "android", "freebsd", "openbsd", "sunos"];
    let scope = own.split_once('/').map_or(own, |(scope, _)| scope).trim_start_matches('@');
    let base = own.rsplit('/').next().unwrap_or(own);
    let is_own = name.starts_with(own)
        || name
            .strip_prefix('@')
            .and_then(|name| name.split_once('/'))
            .is_some_and(|(its, _)| its == scope || its == base);
    let mut words = name.split(['-', '/', '_', '.']);
    is_own && name != own && words.any(|word| SYSTEMS.contains(&word))
}

/// Collects the paths that `exports` names.
fn collect<'v>(value: &'v Value, paths: &mut Vec<&'v str>) {
    match value {
        Value::String(path) => paths.push(path),
        Value::Array(list) => {
            // Node.js takes the first target of a list that it understands.
            let mut all = Vec::new();
            for value in list {
                collect(value, &mut all);
            }
            paths.extend(all.into_iter().filter(|path| path.starts_with("./")));
        }
        Value::Object(table) => table.values().for_each(|value| collect(value, paths)),
        _ => {}
    }
}
