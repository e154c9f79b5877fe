//! Functions that read any bytes. Every result is permitted unless it breaks a law: a file in
//! pieces has the same facts, an edited file has the requested values, a rewritten wheel can be
//! opened. A panic, a long run and large memory are failures.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use wheelsmith_core::archive::{Artifact, Blob, Kind, Limits};
use wheelsmith_core::audit::{
    self, Allowances, AuditInput, AuditOptions, FileFacts, Input, NativeFile, Report,
};
use wheelsmith_core::binary::archive::Archive;
use wheelsmith_core::binary::elf::Elf;
use wheelsmith_core::binary::macho::MachO;
use wheelsmith_core::binary::pe::Pe;
use wheelsmith_core::binary::wasm::Wasm;
use wheelsmith_core::binary::{Format, Pieces};
use wheelsmith_core::check;
use wheelsmith_core::metadata::{EntryPoints, Metadata, ProjectFiles, WheelFile};
use wheelsmith_core::name::{Digest, PlatformTag, PythonTag, WheelFilename, WheelPath};
use wheelsmith_core::patch::{self, Edit, Search, hook as python_hook};
use wheelsmith_core::registry::{self as registries, crates, npm, pypi};
use wheelsmith_core::seal::{Envelope, Sums};
use wheelsmith_core::source::unpack as unpack_source;
use wheelsmith_core::store::{Key, Set, Store};
use wheelsmith_core::sys::request::Response;
use wheelsmith_core::sys::{Cancel, Env, Host};
use wheelsmith_core::tree as trees;
use wheelsmith_core::wheel::{self as wheels, Existing};
use wheelsmith_core::{config as configuration, plan};

use super::zip_views::{self, Python};

/// File name that makes any native file an extension module.
const MODULE: &str = "demo/_demo.cpython-312-x86_64-linux-gnu.so";
/// File name of the wheels.
pub const WHEEL: &str = "demo-1.0-cp312-abi3-manylinux_2_17_x86_64.whl";

/// Reads an ELF file: facts and symbols, whole and in pieces; then strips it.
pub fn elf(bytes: &[u8]) {
    if let Ok(elf) = Elf::parse(bytes) {
        let _ = elf.symbols(bytes);
    }
    native(bytes);
    let (Ok(stripped), Ok(before)) = (patch::elf::strip(bytes), Elf::parse(bytes)) else { return };
    let after = Elf::parse(&stripped).expect("what could be read still can");
    assert_eq!((&after.needed, &after.soname), (&before.needed, &before.soname));
    if let Ok(symbols) = before.symbols(bytes) {
        assert_eq!(after.symbols(&stripped), Ok(symbols));
    }
}

/// Reads a Mach-O file, thin or universal: facts, symbols, and page hashes.
pub fn macho(bytes: &[u8]) {
    if let Ok(mut macho) = MachO::parse(bytes) {
        check_pages(&mut macho, bytes);
        json(&macho);
    }
    native(bytes);
}

/// Reads a PE file: facts, imports, exports.
pub fn pe(bytes: &[u8]) {
    let _ = Pe::parse(bytes).map(|pe| (json(&pe), pe.machine_name()));
    native(bytes);
}

/// Reads a WebAssembly file: the header and the needed libraries.
pub fn wasm(bytes: &[u8]) {
    let _ = Wasm::parse(bytes).map(|wasm| json(&wasm));
    native(bytes);
}

/// Reads a static library.
pub fn archive(bytes: &[u8]) {
    let _ = Archive::read(bytes);
    native(bytes);
}

/// Opens a file of any kind (wheel, tar archive, gzip stream, native file) and reads its members.
pub fn wheel(bytes: &[u8]) {
    let is_zip = bytes.starts_with(b"PK");
    let file = Scratch::file(if is_zip { WHEEL } else { "input.bin" }, bytes);
    let (limits, host) = (Limits::default(), host());
    for deep in [false, true] {
        let paths = [file.path.clone()];
        let options = AuditOptions::default().with_deep(deep);
        let report = audit::report(&paths, &options, &host);
        see(&report);
    }
    let Ok(artifact) = Artifact::open(&file.path, &limits, &host) else { return };
    for member in artifact.members().iter().take(8) {
        let _ = audit::native_member(&artifact, &member.path, &host);
        if let Ok(bytes) = artifact.read(&member.path, 1 << 20) {
            assert_eq!(bytes.len() as u64, member.size_bytes, "`{}`", member.path);
        }
    }
}

/// Reads a zip archive. Our reader and those of installers agree on the files and on the content of
/// each that both read, or ours refuses the archive.
pub fn zip_agrees(bytes: &[u8]) {
    let file = Scratch::file(WHEEL, bytes);
    let Ok(artifact) = Artifact::open(&file.path, &Limits::default(), &host()) else { return };
    if !artifact.findings().is_empty() {
        return;
    }
    let ours: BTreeMap<&str, Option<Vec<u8>>> = artifact
        .members()
        .iter()
        .map(|member| (member.path.as_str(), artifact.read(&member.path, 16 << 20).ok()))
        .collect();
    let old = Python { refuses_overlaps: false, reads_unicode_path: false };
    let new = Python { refuses_overlaps: true, reads_unicode_path: true };
    let views = [
        ("an old zipfile", zip_views::python(bytes, old)),
        ("a new zipfile", zip_views::python(bytes, new)),
        ("a stream", zip_views::stream(bytes)),
    ];
    for (reader, entries) in views {
        let Some(entries) = entries else { continue };
        let files = entries.iter().filter(|entry| !entry.name.ends_with('/'));
        let mut names: Vec<&str> = files.clone().map(|entry| entry.name.as_str()).collect();
        names.sort_unstable();
        assert!(names.iter().eq(ours.keys()), "{reader}: {names:?}, ours: {:?}", ours.keys());
        for entry in files {
            if let (Some(theirs), Some(ours)) = (&entry.content, &ours[entry.name.as_str()]) {
                assert!(theirs == ours, "{reader} has another content of `{}`", entry.name);
            }
        }
    }
}

/// Checks a package of each kind, with low limits, so that small inputs exceed them.
pub fn check(bytes: &[u8]) {
    let mut limits = check::Limits::default();
    limits.entries = 200;
    limits.directory_bytes = 64 << 10;
    limits.metadata_bytes = 32 << 10;
    limits.held_bytes = 64 << 10;
    limits.ratio_from_bytes = 1 << 20;
    let low = [WHEEL, "demo-1.0.tar.gz", "demo-1.0.tgz", "demo-1.0.crate", "demo.zip"];
    let low = low.map(|name| (name, limits.clone()));
    for (name, limits) in low.into_iter().chain([(WHEEL, check::Limits::default())]) {
        let options = check::Options::new().limits(limits);
        let blob = Blob::from_bytes(bytes);
        let checked = check::check(name, &blob, &options, &Cancel::default());
        let checked = checked.expect("what the bytes say is no error");
        json(&checked.findings);
        assert!(checked.findings.len() < 10_000, "{}", checked.findings.len());
    }
}

/// Audits a wheel from its parts: name, `WHEEL`, options and files.
pub fn judge(bytes: &[u8]) {
    let mut parts = Parts(bytes);
    let (name, text) = (parts.text(), parts.text());
    let (policy, exclude) = (parts.text(), parts.text());
    let mut files = Vec::new();
    while let Some((path, content)) = parts.next().zip(parts.next()) {
        let Ok(path) = String::from_utf8_lossy(path).parse() else { continue };
        files.extend(NativeFile::read(&path, content));
        if files.len() == 16 {
            break;
        }
    }
    let exclude: Vec<String> = (!exclude.is_empty()).then_some(exclude).into_iter().collect();
    let options = AuditOptions::default()
        .with_tag((!policy.is_empty()).then_some(policy))
        .with_allowances(Allowances::new(&exclude, Vec::new()).unwrap_or_default());
    let opened = AuditInput {
        path: name.clone(),
        kind: Kind::Wheel,
        filename: name.parse().ok(),
        wheel: Some(WheelFile::parse(text.as_bytes())),
        record: None,
        files,
        findings: Vec::new(),
    };
    let input = audit::input(opened, &options);
    let _ = audit::explain(&input, options.tag.as_deref());
    see(&Report::new(vec![input]));
}

/// Scans and rewrites a file of a tree under names of every kind. A file that contains the prefix is
/// reported, and the report lists what a scan finds afterwards.
pub fn tree(bytes: &[u8]) {
    let needles = trees::Needles::new(["/p", "/b"]).expect("absolute paths");
    let has_prefix = bytes.windows(2).any(|two| two == b"/p" || two == b"/b");
    for name in ["bin/x", "bin/x-config", "a.pc", "a/Makefile", "a.cmake", "_sysconfigdata_.py"] {
        let path: WheelPath = name.parse().expect("a path");
        let scan = trees::scan_bytes(&path, bytes, &needles);
        assert!(!has_prefix || !scan.found.is_empty(), "`{name}` names the prefix");
        let mut tree = trees::Tree::default();
        let interpreter: WheelPath = "bin/python3".parse().expect("a path");
        for (path, bytes) in [(path, bytes), (interpreter, &[])] {
            let source = wheels::Source::Bytes(bytes.to_vec());
            tree.nodes.insert(path, trees::Node::File { executable: true, source });
        }
        let choices = trees::Choices { needles: &needles, leave: &[], allow: &[] };
        let report = trees::rewrite(&mut tree, choices, &host()).expect("files in memory");
        let after = trees::scan(&tree, &needles, &host()).expect("files in memory");
        let left: Vec<_> = report.left.into_iter().map(|left| left.found).collect();
        assert_eq!(after.found, left, "`{name}`");
    }
}

/// Edits a native file; its last eight bytes choose the edit.
pub fn patch(bytes: &[u8]) {
    let Some((file, choice)) = bytes.split_last_chunk::<8>() else { return };
    let Some(before) = facts(file) else { return };
    let edit = edit(&before, *choice);
    match patch::apply(file, &edit) {
        Ok(after) => {
            let facts = facts(&after).expect("an edited file is still native");
            assert_eq!(facts.format(), before.format());
            assert!(
                facts.problem().is_none() || before.problem().is_some(),
                "{:?}",
                facts.problem()
            );
        }
        // `Wrong` as well: tables that contradict each other cannot all be kept.
        Err(error) => drop(error.to_string()),
    }
}

/// Parses a configuration and makes its plan.
pub fn config(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let config = match configuration::parse("demo.toml", text) {
        Ok(config) => config,
        Err(error) => return drop(error.to_string()),
    };
    let mut name = None;
    if let Some(project) = &config.project {
        let metadata = Metadata::new(project, ProjectFiles::default());
        let entry_points = EntryPoints::new(project);
        if let (Ok(metadata), Ok(_)) = (metadata, entry_points) {
            name = Some(metadata.filename("py3-none".parse().expect("a tag"), Vec::new()));
        }
    }
    let Some(name) = name else { return };
    let naming = plan::Naming {
        name: "demo",
        version: "0",
        written: "demo",
        crates: &[],
        semver: None,
        wheel: &|_, tag| WheelFilename { platforms: tag.with_aliases(), ..name.clone() },
    };
    let options = plan::BuildOptions::new();
    let Ok(plan) = plan::plan(&config, &options, &config.targets, &naming) else { return };
    json(&plan);
}

/// Parses `WHEEL`, and the names and tags of the related formats, one on each line.
pub fn wheel_text(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let wheel = WheelFile::parse(text.as_bytes());
    let names = wheel.tags.iter().map(String::as_str).chain(text.lines());
    for name in names.take(64) {
        prints_as_read::<WheelFilename>(name);
        prints_as_read::<PythonTag>(name);
        prints_as_read::<WheelPath>(name);
        if let Some(tag) = prints_as_read::<PlatformTag>(name) {
            let _ = (tag.modern(), tag.with_aliases(), audit::Requirement::for_tag(&tag));
        }
    }
}

/// Reads a wheel and writes it again.
pub fn existing(bytes: &[u8]) {
    let file = Scratch::file(WHEEL, bytes);
    let _ = Existing::open_as(&file.path, None);
    let _ = wheels::diff(&file.path, &file.path);
    let Ok(existing) = Existing::open(&file.path) else { return };
    let paths = |wheel: &Existing| wheel.entries.keys().cloned().collect::<Vec<_>>();
    let (filename, before) = (existing.filename.clone(), paths(&existing));
    let Ok(wheel) = existing.into_wheel(filename) else { return };
    let mut out = std::io::Cursor::new(Vec::new());
    let options = wheels::Options { compression: wheels::Compression::Fast, ..Default::default() };
    if wheels::write(&wheel, &mut out, &options, &Cancel::default()).is_err() {
        return;
    }
    let again = Scratch::file(WHEEL, out.get_ref());
    let again = Existing::open(&again.path).expect("what was written can be opened");
    assert_eq!(before, paths(&again));
}

/// An archive of a source, packed in any way: what is unpacked stays below its directory.
pub fn source(bytes: &[u8]) {
    let archive = Scratch::file("source", bytes);
    let dir = tempfile::tempdir().expect("a directory");
    let _ = unpack_source("source", &archive.path, &dir.path().join("to"), 1);
    let beside = std::fs::read_dir(dir.path()).expect("a directory");
    assert!(beside.flatten().all(|entry| entry.file_name() == "to"));
}

/// Adds a block to a Python module twice: the second replaces the first.
pub fn hook(bytes: &[u8]) {
    let Ok(once) = python_hook::insert(bytes, 1, "demo.libs") else { return };
    let twice = python_hook::insert(&once, 1, "demo.libs").expect("it was read before");
    assert_eq!(String::from_utf8_lossy(&once), String::from_utf8_lossy(&twice));
}

/// Reads the answers of registries: pages of the simple API, documents of npm, rows of crates, errors.
pub fn registry(bytes: &[u8]) {
    let digest = Digest::of(bytes);
    for kind in ["application/vnd.pypi.simple.v1+json", "text/html"] {
        let Ok(page) = pypi::Page::parse(kind, bytes) else { continue };
        for name in page.files.keys() {
            assert_ne!(page.presence(name, digest), registries::Presence::Absent);
        }
    }
    if let Ok(document) = npm::Document::parse(bytes) {
        let integrity = registries::Integrity(String::new());
        for version in document.versions.keys() {
            assert_ne!(document.presence(version, &integrity), registries::Presence::Absent);
        }
    }
    if let Ok(rows) = crates::rows(bytes) {
        for row in &rows {
            let found = crates::presence(&rows, &row.vers, row.cksum);
            assert_ne!(found, registries::Presence::Absent);
        }
    }
    let text = String::from_utf8_lossy(bytes).into_owned();
    for status in [200, 301, 400, 429, 503] {
        let headers =
            vec![("retry-after".to_owned(), text.lines().next().unwrap_or("").to_owned())];
        let response = Response { status, headers, body: bytes.to_vec(), ..Response::default() };
        let _ = registries::sent(&response, 1);
    }
    if let Ok(manifest) = crates::Manifest::parse(&text) {
        let _ = manifest.metadata(None, "sparse+https://example.org/");
    }
}

/// Reads a list of digests and a statement.
pub fn sums(bytes: &[u8]) {
    if let Ok(sums) = Sums::parse(bytes) {
        assert_eq!(Sums::parse(sums.render().as_bytes()), Ok(sums));
    }
    if let Ok(envelope) = Envelope::parse(bytes) {
        assert_eq!(Envelope::parse(envelope.render().as_bytes()), Ok(envelope));
    }
}

/// Reads a set, and imports a bundle: whatever it contains, nothing in the store is damaged or absent
/// afterwards.
pub fn store(bytes: &[u8]) {
    if let Ok(set) = Set::parse(bytes, &Key::store()) {
        assert_eq!(set.to_json(), bytes);
    }
    let bundle = Scratch::file("bundle.tar", bytes);
    let root = bundle.path.with_file_name("store");
    let store = Store::init_with(&root.to_string_lossy(), &host()).expect("an empty directory");
    let _ = store.import(&bundle.path);
    assert_eq!(store.verify(false).expect("a directory").faults, []);
}

/// Returns the facts of a file, and asserts that they are the same for the file in pieces.
fn native(bytes: &[u8]) {
    let mut whole = facts(bytes);
    let path: WheelPath = MODULE.parse().expect("a path");
    let mut pieces = Pieces::new(bytes.len() as u64);
    for start in 0_u32.. {
        let mut file = NativeFile::read(&path, &pieces);
        let missing = pieces.take_missing();
        if missing.is_empty() {
            for file in [&mut whole, &mut file].into_iter().flatten() {
                if let Some(image) = file.macho_mut() {
                    check_pages(image, bytes);
                }
            }
            assert_eq!(whole, file, "in pieces");
            break;
        }
        // A reader that goes through a list link by link starts again for each of them.
        let granule = 256 << (start / 16).min(16);
        for range in missing {
            let end = range.end.next_multiple_of(granule);
            let part = &bytes[within(bytes, range.start..end)];
            pieces.add(range.start, part.to_vec());
        }
    }
    if let Some(file) = whole {
        json(&FileFacts::of(&file));
    }
}

/// Compares pages with their signature, if that was left to the caller.
fn check_pages(macho: &mut MachO, bytes: &[u8]) {
    for mut check in macho.page_checks() {
        for part in bytes[within(bytes, check.range())].chunks(5000) {
            check.update(part);
        }
        macho.set_pages(check.slice(), check.finish());
    }
}

/// Returns the part of a range that is in the file.
fn within(bytes: &[u8], range: Range<u64>) -> Range<usize> {
    let at = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
    at(range.start)..at(range.end)
}

fn facts(bytes: &[u8]) -> Option<NativeFile> {
    NativeFile::read(&MODULE.parse().expect("a path"), bytes)
}

/// Formats every message that a user can see.
fn see(report: &Report) {
    json(report);
    for finding in report.inputs.iter().flat_map(|input: &Input| &input.findings) {
        let _ = finding.code.as_str();
    }
}

fn json(value: &impl serde::Serialize) {
    serde_json::to_string(value).expect("every value has a JSON form");
}

/// Asserts that `Display` and `FromStr` are inverses.
fn prints_as_read<T: FromStr + Display + PartialEq + std::fmt::Debug>(text: &str) -> Option<T> {
    let value = text.parse::<T>().ok()?;
    let again = value.to_string().parse::<T>().ok();
    assert_eq!(again.as_ref(), Some(&value), "`{text}` is printed as `{value}`");
    Some(value)
}

/// Returns the edit for `choice`: names of any length for the names in the file.
fn edit(file: &NativeFile, choice: [u8; 8]) -> Edit {
    let [id, first, second, drop, search, paths, path, _] = choice;
    let mut needed: Vec<String> = Vec::new();
    needed.extend(file.elf().into_iter().flat_map(|elf| elf.needed.clone()));
    let slices = file.macho().into_iter().flat_map(|macho| &macho.slices);
    needed.extend(slices.flat_map(|slice| slice.needed.iter().map(|needed| needed.name.clone())));
    let imports = file.pe().into_iter().flat_map(|pe| &pe.imports);
    needed.extend(imports.map(|import| import.library.clone()));
    let pick = |choice: u8| needed.get(usize::from(choice) % needed.len().max(1)).cloned();
    let name = |letter: &str, length: u8| format!("lib{}.so", letter.repeat(length.into()));
    let is_elf = file.format() == Format::Elf;
    let mut edit = Edit::default();
    if id % 3 == 0 && file.format() != Format::Pe {
        edit.id = Some(name("i", id));
    }
    for (letter, choice) in [("a", first), ("b", second)] {
        edit.renamed.extend(pick(choice).filter(|_| choice > 0).zip(Some(name(letter, choice))));
    }
    edit.dropped.extend(
        pick(drop).filter(|name| is_elf && drop % 4 == 1 && !edit.renamed.contains_key(name)),
    );
    let paths: Vec<String> =
        (0..paths % 4).map(|i| format!("$ORIGIN/{i}{}", "p".repeat(path.into()))).collect();
    edit.search = match search % 4 {
        _ if file.format() == Format::Pe => Search::Keep,
        1 => Search::Nowhere,
        2 => Search::Rpath(paths),
        3 => Search::Runpath(paths),
        _ => Search::Keep,
    };
    edit
}

/// Splits the input into byte strings, each after its length (four bytes, little-endian). The last
/// one ends with the input.
struct Parts<'b>(&'b [u8]);

impl Parts<'_> {
    fn text(&mut self) -> String {
        String::from_utf8_lossy(self.next().unwrap_or_default()).into_owned()
    }
}

impl<'b> Iterator for Parts<'b> {
    type Item = &'b [u8];

    fn next(&mut self) -> Option<&'b [u8]> {
        let (length, rest) = self.0.split_first_chunk()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
        let (part, rest) = rest.split_at(length.min(rest.len()));
        self.0 = rest;
        Some(part)
    }
}

fn host() -> Host {
    Host::quiet(Env::default())
}

/// Temporary file with this name, removed with the value.
struct Scratch {
    path: PathBuf,
    _dir: tempfile::TempDir,
}

impl Scratch {
    fn file(name: &str, bytes: &[u8]) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let path: PathBuf = Path::new(dir.path()).join(name);
        std::fs::write(&path, bytes).expect("a file");
        Self { path, _dir: dir }
    }
}
