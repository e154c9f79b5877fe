//! Files of packages other than wheels: npm packages, crates, and archives of programs.
//!
//! Such a package is a tar archive that is compressed as a whole, or a zip archive. It is unpacked to a
//! file without a name, so that native files in it can be read.

pub(super) mod archive;
pub(super) mod crates;
pub(super) mod npm;

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use super::findings::Findings;
use super::{Options, framing, layout, sdist};
use crate::archive::codec::Codec;
use crate::archive::error::MemberError;
use crate::archive::members::Location;
use crate::archive::open::{self, Container, TELLING};
use crate::archive::safe_path::safe_path;
use crate::archive::source::Buffers;
use crate::archive::tar::{self, Reader};
use crate::archive::zip::{Unreadable, Zip};
use crate::archive::{self as archives, Blob, PackedContent};
use crate::binary::elf::Kind as ElfKind;
use crate::binary::{Facts, NativeFile};
use crate::finding::{Code, Finding, Severity};
use crate::name::{WheelPath, clashes};
use crate::sys::Cancel;

/// Number of first bytes of a file that are read to recognise it.
const HEAD_BYTES: usize = 64;
/// Number of links on the way to a file that Linux follows.
const MOST_HOPS: usize = 40;
/// Length of the longest target of a link, in bytes.
const MOST_LINK_BYTES: u64 = 4096;

/// Extensions, and the first bytes that files with them have.
const EXTENSIONS: [(&str, Format); 8] = [
    (".tgz", Format::Packed(Codec::Gzip)),
    (".crate", Format::Packed(Codec::Gzip)),
    (".tar.gz", Format::Packed(Codec::Gzip)),
    (".tar.zst", Format::Packed(Codec::Zstd)),
    (".tar.xz", Format::Packed(Codec::Xz)),
    (".tar.bz2", Format::Packed(Codec::Bzip2)),
    (".tar", Format::Tar),
    (".zip", Format::Zip),
];

/// Format of a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Packed(Codec),
    Tar,
    Zip,
}

impl Format {
    /// Returns the format of a file with these first bytes.
    fn of(first: &[u8]) -> Option<Self> {
        match (Codec::of(first), Container::of(first)) {
            (Some(codec), _) => Some(Self::Packed(codec)),
            (_, Some(Container::Zip)) => Some(Self::Zip),
            _ => tar::is_header(first).then_some(Self::Tar),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Packed(codec) => codec.name(),
            Self::Tar => "tar",
            Self::Zip => "zip",
        }
    }
}

/// Package whose files are listed.
#[derive(Debug)]
pub(super) struct Package {
    /// Entries in their order.
    entries: Vec<Entry>,
    /// Index of each file and link by path.
    by_path: BTreeMap<WheelPath, usize>,
    /// First parts of all paths.
    tops: BTreeSet<String>,
}

/// File, directory or link of a package.
#[derive(Debug)]
struct Entry {
    path: WheelPath,
    kind: EntryKind,
    mode: u32,
    size_bytes: u64,
    location: Location,
    /// First bytes.
    head: Vec<u8>,
}

#[derive(Debug, PartialEq, Eq)]
enum EntryKind {
    File,
    Directory,
    /// Link, with its target as written.
    Link {
        target: Vec<u8>,
        is_hard: bool,
    },
    Other,
}

impl Entry {
    fn is_executable(&self) -> bool {
        self.mode & 0o111 != 0
    }

    /// Returns the path below the top directory; `None` for the directory itself.
    fn inner(&self) -> Option<&str> {
        self.path.as_str().split_once('/').map(|(_, inner)| inner)
    }

    /// Returns the content of a file as text; `None` if it is not UTF-8 or too large for metadata.
    fn text(&self, options: &Options) -> io::Result<Option<String>> {
        if self.size_bytes > options.limits.metadata_bytes {
            return Ok(None);
        }
        let mut buffers = Buffers::new();
        let source = self.location.open(&mut buffers);
        match source.and_then(|mut source| source.bytes(&(0..self.size_bytes))) {
            Ok(bytes) => Ok(String::from_utf8(bytes).ok()),
            Err(MemberError::Io(error)) => Err(error),
            // Entries of a zip archive that are damaged have a finding.
            Err(_) => Ok(None),
        }
    }
}

impl Package {
    /// Lists the files of a package, and judges its format and its names. Returns `None` if it cannot
    /// be read.
    pub(super) fn read(
        filename: &str,
        blob: &Blob,
        options: &Options,
        cancel: &Cancel,
        out: &mut Findings,
    ) -> io::Result<Option<Self>> {
        let format = Format::of(&blob.first(TELLING)?);
        let stated = EXTENSIONS.iter().find(|(end, _)| filename.ends_with(end));
        if let Some((end, stated)) = stated
            && format != Some(*stated)
        {
            let found = format.map_or("of no known format", Format::name);
            let message = format!("its name ends in `{end}`, and its bytes are {found}");
            out.whole(Code::WrongExtension, message);
        }
        let limits = archives::Limits {
            members: options.limits.entries as u64,
            directory_bytes: options.limits.directory_bytes,
            ratio_from_bytes: options.limits.ratio_from_bytes,
            ..archives::Limits::default()
        };
        let read = match format {
            None => return Ok(None),
            Some(Format::Zip) => zip(blob, &limits, cancel, out),
            Some(Format::Tar) => tarball(blob, options, cancel, out),
            Some(Format::Packed(codec)) => match open::unpack(codec, blob, &limits, cancel) {
                Ok((unpacked, packed)) => {
                    if packed < blob.size() && !cancel.is_cancelled() {
                        out.whole(Code::StrayBytes, "there are bytes after the packed archive");
                    }
                    tarball(&unpacked, options, cancel, out)
                }
                Err(error) => Err(error),
            },
        };
        if cancel.is_cancelled() {
            return Err(io::Error::new(io::ErrorKind::Interrupted, "stopped"));
        }
        let entries = match read {
            Ok(entries) => entries,
            Err(MemberError::Io(error)) => return Err(error),
            Err(MemberError::OverLimit(why)) => {
                out.whole(Code::CompressionRatio, why);
                return Ok(None);
            }
            Err(error) => {
                out.whole(
                    Code::Unreadable,
                    format!("it cannot be unpacked: {}", error.into_text()),
                );
                return Ok(None);
            }
        };
        Ok(Some(Self::new(entries, out)))
    }

    fn new(entries: Vec<Entry>, out: &mut Findings) -> Self {
        let paths: Vec<(&WheelPath, bool)> =
            entries.iter().map(|entry| (&entry.path, entry.kind == EntryKind::Directory)).collect();
        for (other, path) in clashes(&paths) {
            out.file(Code::CaseClash, path, framing::clash(other, path));
        }
        let mut by_path = BTreeMap::new();
        let mut tops = BTreeSet::new();
        for (at, entry) in entries.iter().enumerate() {
            // Projects for Linux alone may have names that Windows refuses.
            layout::name(&entry.path, false, out);
            tops.insert(entry.path.as_str().split('/').next().unwrap_or_default().to_owned());
            match entry.kind {
                EntryKind::Directory => continue,
                EntryKind::Other => {
                    let message = "it is neither file, directory nor link";
                    let finding = Finding::new(Code::SpecialFile, &entry.path, message);
                    out.push(finding.with_help("leave it out of the package"));
                }
                _ => {}
            }
            if by_path.insert(entry.path.clone(), at).is_some() {
                out.file(Code::DuplicateEntry, &entry.path, "two members have this name");
            }
        }
        Self { entries, by_path, tops }
    }

    /// Returns the files and links.
    fn files(&self) -> impl Iterator<Item = &Entry> {
        self.by_path.values().filter_map(|at| self.entries.get(*at))
    }

    /// Returns the links.
    fn links(&self) -> impl Iterator<Item = &Entry> {
        self.files().filter(|entry| matches!(entry.kind, EntryKind::Link { .. }))
    }

    /// Returns the file or link at `path`.
    fn get(&self, path: &str) -> Option<&Entry> {
        let path: WheelPath = path.parse().ok()?;
        self.by_path.get(&path).and_then(|at| self.entries.get(*at))
    }

    /// Returns the facts of the native files.
    fn native(&self, out: &mut Findings) -> io::Result<Vec<NativeFile>> {
        let limits = archives::Limits::default();
        let mut files = Vec::new();
        for entry in self.files().filter(|entry| super::place::begins_native(&entry.head)) {
            match crate::audit::native_located(&entry.path, &entry.location, &limits) {
                Ok(Some(file)) => files.push(file),
                Ok(None) => {}
                // A finding has the reason.
                Err(_) if matches!(entry.location, Location::Refused) => {}
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::Other | io::ErrorKind::InvalidData
                    ) =>
                {
                    out.file(Code::Unreadable, &entry.path, error.to_string());
                }
                Err(error) => return Err(error),
            }
        }
        for file in &files {
            if let Facts::Unreadable { error, .. } = &file.facts {
                out.file(Code::Unreadable, &file.path, error.to_string());
            }
        }
        Ok(files)
    }

    /// Reports programs without execute permission; `except` are the paths that clients make
    /// executable.
    fn programs(&self, native: &[NativeFile], except: &BTreeSet<String>, out: &mut Findings) {
        let is_program = |entry: &Entry| {
            let file = native.iter().find(|file| file.path == entry.path);
            let is_native = file.is_some_and(|file| match &file.facts {
                Facts::Elf(elf) => matches!(elf.kind, ElfKind::Program | ElfKind::StaticProgram),
                Facts::MachO(image) => {
                    use crate::binary::macho::Kind;
                    image.slices.iter().any(|slice| slice.kind == Kind::Program)
                }
                _ => false,
            });
            let is_script =
                entry.head.starts_with(b"#!") && entry.path.parent().is_some_and(in_bin);
            is_native || is_script
        };
        for entry in self.files().filter(|entry| entry.kind == EntryKind::File) {
            if !entry.is_executable() && !except.contains(entry.path.as_str()) && is_program(entry)
            {
                let message = "it is a program without execute permission";
                out.file(Code::ScriptNotExecutable, &entry.path, message);
            }
        }
    }

    /// Reports files whose bytes users cannot read.
    fn modes(&self, what: &str, out: &mut Findings) {
        for entry in self.files().filter(|entry| entry.kind == EntryKind::File) {
            if entry.mode & 0o444 != 0o444 {
                let message = format!("its mode is {:o}{what}", entry.mode & 0o7777);
                out.file(Code::EntryMode, &entry.path, message);
            }
        }
    }

    /// Reports links that lead out of the archive, in a circle, or to none of its files.
    fn follow_links(&self, cancel: &Cancel, out: &mut Findings) -> io::Result<()> {
        // Every entry, and every directory above one.
        let mut known: BTreeSet<&str> = BTreeSet::new();
        for entry in &self.entries {
            let mut path = entry.path.as_str();
            while known.insert(path)
                && let Some((parent, _)) = path.rsplit_once('/')
            {
                path = parent;
            }
        }
        for entry in self.links() {
            if cancel.is_cancelled() {
                return Err(io::Error::new(io::ErrorKind::Interrupted, "stopped"));
            }
            let EntryKind::Link { target, is_hard } = &entry.kind else { continue };
            let link = target.escape_ascii();
            match self.resolve(entry, target, *is_hard) {
                End::Outside => {
                    out.file(Code::UnsafePath, &entry.path, format!("it links to `{link}`"));
                }
                End::Circle => {
                    let message = format!("it links to `{link}`, which leads in a circle");
                    let finding = Finding::new(Code::SpecialFile, &entry.path, message);
                    out.push(finding.with_help("leave the link out, or correct its target"));
                }
                End::Path(end) if !known.contains(end.as_str()) => {
                    let message = format!("it links to `{link}`, which is not in the archive");
                    let finding = Finding::new(Code::SpecialFile, &entry.path, message);
                    out.push(finding.with_help("add the file, or leave the link out"));
                }
                End::Path(_) => {}
            }
        }
        Ok(())
    }

    /// Returns where a link leads, links on the way resolved.
    fn resolve(&self, entry: &Entry, target: &[u8], is_hard: bool) -> End {
        let parts = |target: &[u8]| -> Option<Vec<String>> {
            let text = std::str::from_utf8(target).ok()?;
            let is_inside = !text.starts_with('/') && !text.contains('\\');
            is_inside.then(|| text.split('/').rev().map(str::to_owned).collect())
        };
        let start = if is_hard { "" } else { entry.path.parent().unwrap_or_default() };
        let mut at: Vec<String> =
            start.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect();
        let Some(mut rest) = parts(target) else { return End::Outside };
        let mut hops = 0;
        while let Some(part) = rest.pop() {
            match part.as_str() {
                "" | "." => continue,
                ".." if at.pop().is_some() => continue,
                ".." => return End::Outside,
                _ => at.push(part),
            }
            let Some(Entry { kind: EntryKind::Link { target, is_hard }, .. }) =
                self.get(&at.join("/"))
            else {
                continue;
            };
            hops += 1;
            if hops > MOST_HOPS {
                return End::Circle;
            }
            if *is_hard {
                at.clear();
            } else {
                at.pop();
            }
            match parts(target) {
                Some(next) => rest.extend(next),
                None => return End::Outside,
            }
        }
        // The directory above everything is no part of the archive.
        if at.is_empty() { End::Outside } else { End::Path(at.join("/")) }
    }
}

/// End of a link.
enum End {
    /// It is outside the archive.
    Outside,
    /// The link leads to itself.
    Circle,
    /// Path, which the archive need not contain.
    Path(String),
}

/// True for a directory of programs.
fn in_bin(directory: &str) -> bool {
    directory.rsplit('/').next() == Some("bin")
}

/// Lists the entries of a tar archive.
fn tarball(
    blob: &Blob,
    options: &Options,
    cancel: &Cancel,
    out: &mut Findings,
) -> Result<Vec<Entry>, MemberError> {
    let bad = |error: io::Error| match error.kind() {
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => {
            MemberError::unreadable(error.to_string())
        }
        _ => MemberError::Io(error),
    };
    let mut reader = Reader::new(blob.reader());
    let (mut entries, mut name_bytes) = (Vec::new(), 0_u64);
    let mut is_whole = true;
    while let Some(member) = reader.next_entry().map_err(bad)? {
        let limits = &options.limits;
        name_bytes += member.name.len() as u64;
        if entries.len() >= limits.entries || name_bytes > limits.directory_bytes {
            let message = format!("it has more than {} entries, or too many names", limits.entries);
            out.whole(Code::OverLimit, message);
            is_whole = false;
            break;
        }
        if cancel.is_cancelled() {
            is_whole = false;
            break;
        }
        let name = member.name.strip_prefix(b"./").unwrap_or(&member.name);
        let name = name.strip_suffix(b"/").unwrap_or(name);
        if name.is_empty() || name == b"." {
            continue;
        }
        let (path, is_plain) = safe_path(name);
        if !is_plain {
            let message = format!("`{}` is not a path inside the archive", name.escape_ascii());
            out.file(Code::UnsafePath, &path, message);
        }
        let kind = match member.kind {
            b'5' => EntryKind::Directory,
            b'1' | b'2' => {
                EntryKind::Link { target: member.link.clone(), is_hard: member.kind == b'1' }
            }
            _ if member.is_file() && member.name.ends_with(b"/") => EntryKind::Directory,
            _ if member.is_file() => EntryKind::File,
            _ => EntryKind::Other,
        };
        let content = blob.part(reader.offset(), member.size_bytes);
        let content = content.ok_or_else(|| MemberError::unreadable("it is cut short"))?;
        let head = content.first(HEAD_BYTES)?;
        entries.push(Entry {
            path,
            kind,
            mode: u32::try_from(member.mode).unwrap_or_default(),
            size_bytes: member.size_bytes,
            location: Location::Stored(content),
            head,
        });
    }
    if is_whole && reader.lacks_padding() {
        return Err(MemberError::unreadable("it is cut short"));
    }
    if is_whole && !sdist::is_zero(reader.rest())? {
        out.whole(Code::StrayBytes, "there are bytes behind the end of the archive");
    }
    Ok(entries)
}

/// Lists the entries of a zip archive, and compares each content with its checksum.
fn zip(
    blob: &Blob,
    limits: &archives::Limits,
    cancel: &Cancel,
    out: &mut Findings,
) -> Result<Vec<Entry>, MemberError> {
    let zip = match Zip::open(blob, limits, cancel) {
        Ok(zip) => zip,
        Err(Unreadable::Io(error)) => return Err(MemberError::Io(error)),
        Err(error) => return Err(MemberError::unreadable(error.into_text())),
    };
    zip.refusals.into_iter().for_each(|finding| out.push(finding));
    let mut buffers = Buffers::new();
    let mut left = limits.ratio_from_bytes.max(blob.size().saturating_mul(limits.ratio));
    let mut entries = Vec::new();
    for entry in zip.entries {
        if cancel.is_cancelled() {
            break;
        }
        let mode = entry.mode();
        let is_link = mode.is_some_and(|mode| mode & 0o170_000 == 0o120_000);
        let (mut head, mut target) = (Vec::new(), Vec::new());
        let size_bytes = entry.header.size_bytes;
        let packed = PackedContent::of(blob, &entry).filter(|_| !entry.header.is_encrypted());
        let location = match packed {
            Some(_) if size_bytes > left => {
                return Err(MemberError::OverLimit(format!(
                    "it unpacks to more than {} times its size",
                    limits.ratio
                )));
            }
            Some(content) => {
                left -= size_bytes;
                let read = content.read(&mut buffers, &mut |part| {
                    if head.is_empty() {
                        head.extend_from_slice(&part[..part.len().min(HEAD_BYTES)]);
                    }
                    if is_link && size_bytes <= MOST_LINK_BYTES {
                        target.extend_from_slice(part);
                    }
                    Ok(())
                });
                match read {
                    Ok(_) => Location::Packed(content),
                    Err(MemberError::Io(error)) => return Err(MemberError::Io(error)),
                    Err(error) => {
                        out.push(error.finding(&entry.path));
                        Location::Refused
                    }
                }
            }
            None => Location::Refused,
        };
        if is_link {
            let finding = Finding::new(Code::SpecialFile, &entry.path, "it is a symbolic link");
            let help = "include the file itself: unzip programs of Windows write a text file";
            out.push(Finding { severity: Severity::Warning, ..finding.with_help(help) });
        }
        let kind = match &location {
            _ if entry.is_dir() => EntryKind::Directory,
            Location::Packed(_) if is_link => EntryKind::Link { target, is_hard: false },
            _ => EntryKind::File,
        };
        // Archives that were made on Windows have no modes.
        let mode = mode.unwrap_or(0o755);
        entries.push(Entry { path: entry.path, kind, mode, size_bytes, location, head });
    }
    Ok(entries)
}

/// Returns true if a package has PKG-INFO in its top directory, so that it is a source distribution of
/// Python. Returns false if it has neither that nor `pyproject.toml` and `setup.py`; `None` if it
/// cannot be listed, or has one of those two.
pub(super) fn has_pkg_info(blob: &Blob, options: &Options) -> Option<bool> {
    let mut is_python = None;
    let mut look = |name: &[u8]| {
        let name = name.strip_prefix(b"./").unwrap_or(name);
        let mut parts = name.split(|byte| *byte == b'/');
        match (parts.next(), parts.next(), parts.next()) {
            (Some(_), Some(b"PKG-INFO"), None) => is_python = Some(true),
            (Some(_), Some(b"pyproject.toml" | b"setup.py"), None) => {
                is_python = is_python.or(Some(false));
            }
            _ => {}
        }
        is_python != Some(true)
    };
    let limits = archives::Limits::default();
    let mut count = 0;
    match Format::of(&blob.first(TELLING).ok()?)? {
        Format::Zip => {
            let zip = Zip::open(blob, &limits, &Cancel::default()).ok()?;
            count = zip.entries.len();
            let _ = zip.entries.iter().all(|entry| look(entry.name()));
        }
        format => {
            let codec = if let Format::Packed(codec) = format { Some(codec) } else { None };
            let input: Box<dyn io::Read> = match codec {
                Some(codec) => codec.unpack(blob.reader(), &limits),
                None => Box::new(blob.reader()),
            };
            let mut reader = Reader::new(tar::Stream(input));
            while count < options.limits.entries
                && let Some(entry) = reader.next_entry().ok()?
            {
                count += 1;
                if !look(&entry.name) {
                    break;
                }
            }
        }
    }
    match is_python {
        Some(true) => Some(true),
        None if count > 0 => Some(false),
        _ => None,
    }
}
