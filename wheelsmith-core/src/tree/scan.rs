//! Finds every occurrence of a prefix or build directory, by kind of place.
//!
//! The scan looks at the bytes of each file as `grep -F` does, and in addition inside compressed
//! files and archives and at the targets of links. The kind of a place follows from the format of the
//! file, so a file of unknown format is still reported.

use std::io::Read as _;

use memchr::memmem::Finder;
use serde::Serialize;

use super::{Error, Node, Tree, TreeKind};
use crate::archive::codec::Codec;
use crate::archive::error::MemberError;
use crate::archive::open::{Container, TELLING, list};
use crate::archive::source::Buffers;
use crate::archive::zip::Zip;
use crate::archive::{Blob, Limits, PackedContent};
use crate::binary::Format;
use crate::binary::elf::{Elf, sections};
use crate::binary::macho::MachO;
use crate::name::WheelPath;
use crate::sys::{Cancel, Host};
use crate::wheel::Entry;

/// Nesting depth of compressed files that are searched.
const DEPTH: u32 = 3;
/// Size up to which a compressed file is unpacked, in bytes.
const UNPACKED: u64 = 256 << 20;
/// Size of the largest file that is read, in bytes.
const LARGEST: u64 = 4 << 30;

/// Occurrences of one kind in one file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Found {
    /// Path in the tree.
    pub path: WheelPath,
    /// Kind.
    pub kind: TreeKind,
    /// Number of occurrences.
    pub count: usize,
    /// Section, member or link target in which the first one is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// Content that was not searched.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Unread {
    /// Path in the tree.
    pub path: WheelPath,
    /// Reason.
    pub reason: String,
}

/// Result of a scan.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Scan {
    /// Number of searched files.
    pub files: usize,
    /// Number of searched links.
    pub links: usize,
    /// Number of searched bytes, as they are on disk.
    pub bytes: u64,
    /// Occurrences, by path and kind.
    pub found: Vec<Found>,
    /// Content that was not searched.
    pub unread: Vec<Unread>,
}

/// Directories to look for.
#[derive(Debug, Clone)]
pub struct Needles {
    /// Directories, without a slash at the end.
    pub(super) texts: Vec<String>,
    finders: Vec<Finder<'static>>,
}

impl Needles {
    /// Creates the list.
    ///
    /// # Errors
    /// Returns an error if one is no absolute path, or is the root directory.
    pub fn new<S: AsRef<str>>(directories: impl IntoIterator<Item = S>) -> Result<Self, Error> {
        let mut texts = Vec::new();
        for directory in directories {
            let text = directory.as_ref().trim_end_matches(['/', '\\']);
            let is_drive = text.as_bytes().get(1) == Some(&b':') && text.len() > 3;
            if !(text.starts_with('/') || is_drive) {
                return Err(Error::Prefix(directory.as_ref().to_owned()));
            }
            texts.push(text.to_owned());
        }
        let finders = texts.iter().map(|text| Finder::new(text).into_owned()).collect();
        Ok(Self { texts, finders })
    }

    /// Returns the first directory: the prefix of a tree.
    pub(crate) fn first(&self) -> &str {
        self.texts.first().map_or("", String::as_str)
    }

    /// Returns the offsets of all occurrences in `bytes`, sorted.
    fn offsets(&self, bytes: &[u8]) -> Vec<usize> {
        let mut offsets: Vec<usize> =
            self.finders.iter().flat_map(|finder| finder.find_iter(bytes)).collect();
        offsets.sort_unstable();
        offsets.dedup();
        offsets
    }

    /// Returns the number of occurrences in `text`.
    pub(super) fn count(&self, text: &str) -> usize {
        self.offsets(text.as_bytes()).len()
    }
}

/// Searches a tree.
///
/// # Errors
/// Returns an error if a file cannot be read, or if the user cancels the operation.
pub fn scan(tree: &Tree, needles: &Needles, host: &Host) -> Result<Scan, Error> {
    let files: Vec<(&WheelPath, &Node)> = tree.nodes.iter().collect();
    let task = host.task("search", files.len() as u64);
    let parts = host.jobs.try_map(&host.cancel, &files, |(path, node)| {
        let part = one(path, node, tree, needles);
        task.advance(1, path.as_str());
        part
    })?;
    task.finish("searched");
    let mut scan = Scan::default();
    for part in parts.ok_or(Error::Cancelled)? {
        scan.files += part.files;
        scan.links += part.links;
        scan.bytes += part.bytes;
        scan.found.extend(part.found);
        scan.unread.extend(part.unread);
    }
    scan.unread.extend(tree.special.iter().map(|path| {
        let reason = "it is a pipe, a socket or a device".to_owned();
        Unread { path: path.clone(), reason }
    }));
    Ok(scan)
}

/// Searches one entry of a tree.
pub(super) fn one(
    path: &WheelPath,
    node: &Node,
    tree: &Tree,
    needles: &Needles,
) -> Result<Scan, Error> {
    let (source, executable) = match node {
        Node::Dir => return Ok(Scan::default()),
        Node::Link(target) => {
            let (count, kind) = (needles.count(target), TreeKind::LinkTarget);
            let detail = Some(target.clone());
            let found = Found { path: path.clone(), kind, count, detail };
            let found = (count > 0).then_some(found).into_iter().collect();
            return Ok(Scan { links: 1, found, ..Scan::default() });
        }
        Node::Same(first) => match tree.nodes.get(first) {
            Some(node @ Node::File { .. }) => return one(path, node, tree, needles),
            _ => return Ok(Scan::default()),
        },
        Node::File { source, executable } => (source.clone(), *executable),
    };
    let entry = Entry { path: path.clone(), executable, source };
    let bytes = entry.size_bytes();
    if bytes > LARGEST {
        let reason = format!("it has more than {} MiB", LARGEST >> 20);
        let unread = vec![Unread { path: path.clone(), reason }];
        return Ok(Scan { files: 1, bytes, unread, ..Scan::default() });
    }
    let content = entry.load().map_err(Error::io(format!("read `{path}`")))?;
    let Scan { found, unread, .. } = scan_bytes(path, &content, needles);
    Ok(Scan { files: 1, links: 0, bytes, found, unread })
}

/// Searches the content of the file at `path`.
pub fn scan_bytes(path: &WheelPath, content: &[u8], needles: &Needles) -> Scan {
    let mut search = Search { needles, places: Vec::new(), unread: Vec::new() };
    search.content(path.as_str(), content, DEPTH);
    let mut found: Vec<Found> = Vec::new();
    for (kind, count, detail) in search.places {
        match found.iter_mut().find(|found| found.kind == kind) {
            Some(found) => found.count += count,
            None => found.push(Found { path: path.clone(), kind, count, detail }),
        }
    }
    found.sort();
    let unread = search.unread.into_iter().map(|reason| Unread { path: path.clone(), reason });
    Scan { files: 1, links: 0, bytes: content.len() as u64, found, unread: unread.collect() }
}

/// Search of one file.
struct Search<'a> {
    needles: &'a Needles,
    places: Vec<(TreeKind, usize, Option<String>)>,
    unread: Vec<String>,
}

impl Search<'_> {
    fn add(&mut self, kind: TreeKind, count: usize, detail: Option<&str>) {
        if count > 0 {
            self.places.push((kind, count, detail.map(str::to_owned)));
        }
    }

    fn content(&mut self, name: &str, bytes: &[u8], depth: u32) {
        let offsets = self.needles.offsets(bytes);
        match Format::of(bytes) {
            Some(Format::Elf) => self.elf(bytes, &offsets),
            Some(Format::MachO) => self.macho(bytes, offsets.len()),
            Some(Format::Archive) => self.add(TreeKind::Archive, offsets.len(), None),
            Some(Format::Pe | Format::Wasm) => self.add(TreeKind::Rodata, offsets.len(), None),
            None if self.unpacked(name, bytes, offsets.len(), depth) => {}
            None => self.text(name, bytes, &offsets),
        }
    }

    fn elf(&mut self, bytes: &[u8], offsets: &[usize]) {
        let sections = sections(bytes);
        if sections.iter().any(|section| section.is_compressed) {
            self.unread.push("it has compressed debug information".to_owned());
        }
        let facts = Elf::parse(bytes).ok();
        let paths = facts.iter().flat_map(|elf| elf.rpath.iter().chain(&elf.runpath));
        let mut used: usize = paths.map(|path| self.needles.count(path)).sum();
        for &at in offsets {
            let inside = |range: &std::ops::Range<u64>| range.contains(&(at as u64));
            let name = sections.iter().find(|s| inside(&s.range)).map(|s| s.name.as_str());
            let kind = match name {
                Some(".interp") => TreeKind::Interpreter,
                Some(".dynstr") | None if used > 0 => {
                    used -= 1;
                    TreeKind::RunPath
                }
                Some(".dynstr") => TreeKind::DynamicString,
                Some(name) if name.contains("debug") || name.starts_with(".stab") => {
                    TreeKind::Debug
                }
                _ => TreeKind::Rodata,
            };
            self.add(kind, 1, Some(name.unwrap_or("outside the sections")));
        }
    }

    fn macho(&mut self, bytes: &[u8], count: usize) {
        let slices = MachO::parse(bytes).map(|macho| macho.slices).unwrap_or_default();
        let (mut paths, mut names) = (0, 0);
        for slice in &slices {
            paths += slice.rpaths.iter().map(|path| self.needles.count(path)).sum::<usize>();
            let needed = slice.needed.iter().map(|needed| needed.name.as_str());
            names += needed
                .chain(slice.install_name.as_deref())
                .map(|name| self.needles.count(name))
                .sum::<usize>();
        }
        let paths = paths.min(count);
        let names = names.min(count - paths);
        self.add(TreeKind::RunPath, paths, None);
        self.add(TreeKind::InstallName, names, None);
        self.add(TreeKind::Rodata, count - paths - names, None);
    }

    /// Searches the content of a compressed file or an archive. Returns false for other files.
    fn unpacked(&mut self, name: &str, bytes: &[u8], raw: usize, depth: u32) -> bool {
        let codec = Codec::of(&bytes[..bytes.len().min(Codec::TELLING)]);
        let is_zip = bytes.starts_with(b"PK\x03\x04")
            || ends_as_zip(bytes)
            || [".whl", ".pyz", ".egg", ".jar", ".zip"].iter().any(|end| name.ends_with(end));
        let is_tar = Container::of(&bytes[..bytes.len().min(TELLING)]) == Some(Container::Tar);
        if codec.is_none() && !is_zip && !is_tar {
            return false;
        }
        if depth == 0 {
            self.unread.push(format!("`{name}` is compressed more than {DEPTH} times"));
            self.add(TreeKind::Compressed, raw, None);
            return true;
        }
        let mut inner = Search { needles: self.needles, places: Vec::new(), unread: Vec::new() };
        let mut first = None;
        let unpacked = match codec {
            Some(codec) => {
                let mut content = Vec::new();
                let limits = Limits { total_bytes: UNPACKED, ..Limits::default() };
                let read = codec.unpack(bytes, &limits).read_to_end(&mut content);
                let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
                inner.content(stem, &content, depth - 1);
                read.map(drop).map_err(|error| error.to_string())
            }
            None if is_tar => inner.tar(bytes, depth, &mut first),
            None => inner.zip(bytes, depth, &mut first),
        };
        if let Err(reason) = unpacked {
            self.unread.push(format!("its content cannot be unpacked: {reason}"));
        }
        let count: usize = inner.places.iter().map(|(_, count, _)| count).sum();
        self.unread.extend(inner.unread);
        // A stored member has its occurrences in the bytes of the archive too.
        self.add(TreeKind::Compressed, count.max(raw), first.as_deref());
        true
    }

    fn zip(&mut self, bytes: &[u8], depth: u32, first: &mut Option<String>) -> Result<(), String> {
        let blob = Blob::from_bytes(bytes);
        let zip = Zip::open(&blob, &Limits::default(), &Cancel::default());
        let zip = zip.map_err(crate::archive::zip::Unreadable::into_text)?;
        let mut left = UNPACKED;
        let mut problem = None;
        for entry in zip.entries.iter().filter(|entry| !entry.is_dir()) {
            let mut load = || -> Result<Vec<u8>, String> {
                let content = PackedContent::of(&blob, entry).ok_or("its entries overlap")?;
                left = left.checked_sub(content.size_bytes()).ok_or("it is too large")?;
                content.load().map_err(MemberError::into_text)
            };
            match load() {
                Ok(content) => self.member(&entry.path, &content, depth, first),
                Err(reason) => {
                    problem.get_or_insert(format!("`{}`: {reason}", entry.path));
                }
            }
        }
        problem.map_or(Ok(()), Err)
    }

    fn tar(&mut self, bytes: &[u8], depth: u32, first: &mut Option<String>) -> Result<(), String> {
        let blob = Blob::from_bytes(bytes);
        let (limits, cancel) = (Limits::default(), Cancel::default());
        let members = list(Container::Tar, &blob, &limits, &cancel)?;
        let mut buffers = Buffers::new();
        for (member, location) in members.list.iter().zip(&members.locations) {
            let read = |e: MemberError| format!("`{}`: {}", member.path, e.into_text());
            let mut source = location.open(&mut buffers).map_err(read)?;
            let content = source.bytes(&(0..source.size())).map_err(read)?;
            self.member(&member.path, &content, depth, first);
        }
        Ok(())
    }

    fn member(&mut self, path: &WheelPath, bytes: &[u8], depth: u32, first: &mut Option<String>) {
        let before = self.places.len();
        self.content(path.as_str(), bytes, depth - 1);
        if self.places.len() > before {
            first.get_or_insert_with(|| path.to_string());
        }
    }

    fn text(&mut self, name: &str, bytes: &[u8], offsets: &[usize]) {
        if offsets.is_empty() {
            return;
        }
        let kind = text_kind(name, bytes);
        let mut rest = offsets.len();
        if bytes.starts_with(b"#!") {
            let line = bytes.iter().position(|&b| b == b'\n').unwrap_or(bytes.len());
            let first = offsets.iter().filter(|at| **at < line).count();
            self.add(TreeKind::Shebang, first, None);
            rest -= first;
        }
        self.add(kind, rest, None);
    }
}

/// True if the last record of a zip archive ends the bytes: a program may come before the archive.
fn ends_as_zip(bytes: &[u8]) -> bool {
    let start = bytes.len().saturating_sub(22 + usize::from(u16::MAX));
    let last = memchr::memmem::rfind(&bytes[start..], b"PK\x05\x06").map(|at| &bytes[start + at..]);
    last.is_some_and(|record| {
        let comment = record.get(20..22).map(|size| u16::from_le_bytes([size[0], size[1]]));
        comment.is_some_and(|size| record.len() == 22 + usize::from(size))
    })
}

/// Returns the kind of a file that is neither native nor compressed.
pub(super) fn text_kind(path: &str, bytes: &[u8]) -> TreeKind {
    let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
    let ends = |ends: &[&str]| ends.iter().any(|end| name.ends_with(end));
    match name {
        _ if ends(&[".pc"]) => TreeKind::PkgConfig,
        _ if ends(&[".la"]) => TreeKind::Libtool,
        _ if ends(&[".cmake"]) => TreeKind::Cmake,
        _ if ends(&[".pyc", ".pyo"]) => TreeKind::ByteCode,
        _ if name.starts_with("_sysconfigdata") && ends(&[".py"]) => TreeKind::Sysconfig,
        _ if bytes.starts_with(b"#!") && name.contains("-config") => TreeKind::ConfigScript,
        _ if bytes.starts_with(b"#!") => TreeKind::Script,
        "Makefile" | "makefile" | "GNUmakefile" | "Makefile.am" | "Makefile.in"
        | "Makefile.inc" | "Makefile.pre" => TreeKind::Makefile,
        _ if ends(&[".mk", ".mak"]) => TreeKind::Makefile,
        _ if !bytes.contains(&0) && std::str::from_utf8(bytes).is_ok() => TreeKind::Text,
        _ => TreeKind::Data,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn check(path: &str, content: &[u8], expected: &[(TreeKind, usize)]) {
        let needles = Needles::new(["/opt/demo/"]).unwrap();
        let scan = scan_bytes(&path.parse().unwrap(), content, &needles);
        let found: Vec<_> = scan.found.iter().map(|found| (found.kind, found.count)).collect();
        assert_eq!(found, expected, "{path}");
    }

    #[test]
    fn places_have_kinds() {
        let prefix = b"x=/opt/demo/lib /opt/demo";
        check("lib/x.pc", prefix, &[(TreeKind::PkgConfig, 2)]);
        check("lib/x.la", prefix, &[(TreeKind::Libtool, 2)]);
        check("lib/Makefile", prefix, &[(TreeKind::Makefile, 2)]);
        check("lib/Makefile.txt", prefix, &[(TreeKind::Text, 2)]);
        check("lib/x.mk", b"#!/bin/sh\n/opt/demo", &[(TreeKind::Script, 1)]);
        check("share/x.txt", prefix, &[(TreeKind::Text, 2)]);
        check("share/x.bin", b"\0/opt/demo", &[(TreeKind::Data, 1)]);
        check("share/x.txt", b"/opt/dem", &[]);
        let script = b"#!/opt/demo/bin/sh\necho /opt/demo\n";
        check("bin/x", script, &[(TreeKind::Shebang, 1), (TreeKind::Script, 1)]);
        check("bin/x-config", script, &[(TreeKind::Shebang, 1), (TreeKind::ConfigScript, 1)]);
        check("lib/x.a", b"!<arch>\n/opt/demo", &[(TreeKind::Archive, 1)]);
    }

    #[test]
    fn compressed_files_are_searched_inside() {
        let gzip = |bytes: &[u8]| {
            let level = flate2::Compression::fast();
            let mut writer = flate2::write::GzEncoder::new(Vec::new(), level);
            writer.write_all(bytes).unwrap();
            writer.finish().unwrap()
        };
        let mut page = b".TH demo\n/opt/demo/share ".repeat(9);
        check("share/man/x.1.gz", &gzip(&page), &[(TreeKind::Compressed, 9)]);
        check("share/man/x.1.gz.gz", &gzip(&gzip(&page)), &[(TreeKind::Compressed, 9)]);
        for _ in 0..4 {
            page = gzip(&page);
        }
        let needles = Needles::new(["/opt/demo"]).unwrap();
        let scan = scan_bytes(&"x.gz".parse().unwrap(), &page, &needles);
        assert!(scan.found.is_empty() && scan.unread[0].reason.contains("more than 3 times"));
        let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for method in [zip::CompressionMethod::Stored, zip::CompressionMethod::Deflated] {
            let options = zip::write::SimpleFileOptions::default().compression_method(method);
            zip.start_file(format!("{method}"), options).unwrap();
            zip.write_all(b"/opt/demo /opt/demo /opt/demo").unwrap();
        }
        let bytes = zip.finish().unwrap().into_inner();
        check("lib/x.whl", &bytes, &[(TreeKind::Compressed, 6)]);
        check("bin/x", &[b"#!/bin/sh\n", &bytes[..]].concat(), &[(TreeKind::Compressed, 6)]);
        let scan = scan_bytes(&"x.gz".parse().unwrap(), b"\x1f\x8b\x08 /opt/demo", &needles);
        assert_eq!((scan.found[0].count, scan.unread.len()), (1, 1));
    }

    #[test]
    fn directories_must_be_absolute() {
        for wrong in ["/", "", "opt", "//", "C:\\"] {
            assert!(Needles::new([wrong]).is_err(), "{wrong}");
        }
        assert_eq!(Needles::new(["/opt/demo//", "C:\\demo"]).unwrap().texts[0], "/opt/demo");
    }
}
