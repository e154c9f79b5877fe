//! Reads tar archives (POSIX pax; GNU's long names), header by header.
//!
//! Own code, because the `tar` crate allocates memory for sizes that an archive only claims, and does
//! not give the offset of a member in the file. That crate writes archives.

use std::collections::BTreeMap;
use std::io::{self, Read};

use super::Limits;
use super::blob::{self, Blob};
use super::error::MemberError;
use super::members::{Collector, Location, Member, Stated};
use super::safe_path::safe_path;
use crate::finding::{Code, Finding};
use crate::name::WheelPath;

const BLOCK: u64 = 512;
/// Limit of a record that describes the next member, in bytes.
const LONGEST_RECORD: u64 = 1 << 20;
/// Limit of links that point to links.
const MOST_LINKS: usize = 8;

/// True if `header` is a tar header: its checksum is correct.
pub(crate) fn is_header(header: &[u8]) -> bool {
    let Some(header) = header.get(..512) else { return false };
    let Some(stated) = octal(&header[148..156]) else { return false };
    // Sum of all bytes, with spaces in the checksum field.
    let sum: u64 = header.iter().map(|&b| u64::from(b)).sum();
    let own: u64 = header[148..156].iter().map(|&b| u64::from(b)).sum();
    stated == sum - own + 8 * u64::from(b' ')
}

/// Returns the end of the archive that begins `blob`: the offset after its last complete member.
pub(crate) fn extent(blob: &Blob) -> u64 {
    let mut at = 0;
    while let Ok(header) = blob.array_at::<512>(at) {
        let size = octal(&header[124..136]).filter(|_| is_header(&header));
        let next = size.and_then(|size| next_header(at, size));
        let Some(next) = next.filter(|next| *next <= blob.size()) else { break };
        at = next;
    }
    at
}

/// Source of the bytes of an archive.
pub(crate) trait Input: Read {
    /// Skips `size` bytes. Returns the number of bytes skipped, which is smaller at the end.
    fn skip(&mut self, size: u64) -> io::Result<u64>;
}

impl Input for blob::Reader {
    fn skip(&mut self, size: u64) -> io::Result<u64> {
        Ok(self.advance(size))
    }
}

/// Bytes that can only be read in order, such as those of a decompressor.
pub(crate) struct Stream<R>(pub(crate) R);

impl<R: Read> Read for Stream<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl<R: Read> Input for Stream<R> {
    fn skip(&mut self, size: u64) -> io::Result<u64> {
        io::copy(&mut (&mut self.0).take(size), &mut io::sink())
    }
}

/// Member, as its header and the records before it state it.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) name: Vec<u8>,
    /// Target of a link; empty for other members.
    pub(crate) link: Vec<u8>,
    /// Type flag of the header.
    pub(crate) kind: u8,
    pub(crate) size_bytes: u64,
    pub(crate) mode: u64,
    /// Time of the last change, in seconds since 1970.
    pub(crate) mtime: u64,
}

impl Entry {
    /// True if it is a file, for readers that do not know contiguous files too.
    pub(crate) fn is_file(&self) -> bool {
        matches!(self.kind, b'0' | 0 | b'7')
    }

    pub(crate) fn is_executable(&self) -> bool {
        self.mode & 0o111 != 0
    }
}

/// Reads an archive header by header. Allocates memory for at most [`LONGEST_RECORD`] bytes at once.
pub(crate) struct Reader<I> {
    input: I,
    /// Offset of the next byte.
    at: u64,
    /// Number of unread bytes of the content.
    left: u64,
    /// Number of bytes after the content up to the next header.
    padding: u64,
    lacks_padding: bool,
}

impl<I: Input> Reader<I> {
    pub(crate) fn new(input: I) -> Self {
        Self { input, at: 0, left: 0, padding: 0, lacks_padding: false }
    }

    /// Returns the offset of the next byte: of the content after [`Self::next_entry`].
    pub(crate) fn offset(&self) -> u64 {
        self.at
    }

    /// Returns the bytes after the header that ended the archive.
    pub(crate) fn rest(&mut self) -> &mut I {
        &mut self.input
    }

    /// True if the archive ended before the padding of its last member.
    pub(crate) fn lacks_padding(&self) -> bool {
        self.lacks_padding
    }

    /// Returns the next member, or `None` at the end. The zeros that mark the end may be missing.
    pub(crate) fn next_entry(&mut self) -> io::Result<Option<Entry>> {
        let bad = |why: &str| io::Error::new(io::ErrorKind::InvalidData, why.to_owned());
        let mut long = Long::default();
        loop {
            let Some(header) = self.header()? else { return Ok(None) };
            let stated = octal(&header[124..136]).ok_or_else(|| bad("a member has no size"))?;
            let kind = header[156];
            let is_record = matches!(kind, b'L' | b'K' | b'x' | b'g');
            let size_bytes = if is_record { stated } else { long.size.unwrap_or(stated) };
            let end = size_bytes.checked_next_multiple_of(BLOCK);
            let end = end.filter(|size| self.at.checked_add(*size).is_some());
            self.left = size_bytes;
            self.padding = end.ok_or_else(|| bad("a member has no end"))? - size_bytes;
            if kind == b'g' {
                continue;
            }
            if is_record {
                if size_bytes > LONGEST_RECORD {
                    return Err(bad("a name is longer than any real one"));
                }
                let mut record = Vec::new();
                self.read_to_end(&mut record)?;
                match kind {
                    b'L' => long.name = Some(until_zero(&record).to_vec()),
                    b'K' => long.link = Some(until_zero(&record).to_vec()),
                    _ => long.read(&record),
                }
                continue;
            }
            // The map of the holes of a sparse file may continue in blocks before the content.
            let mut continues = kind == b'S' && header[482] != 0;
            while continues {
                continues = self.block()?.ok_or_else(cut_short)?[504] != 0;
            }
            let link = long.link.unwrap_or_else(|| until_zero(&header[157..257]).to_vec());
            return Ok(Some(Entry {
                name: long.name.unwrap_or_else(|| name(&header)),
                link,
                kind,
                size_bytes,
                mode: octal(&header[100..108]).unwrap_or_default(),
                mtime: octal(&header[136..148]).unwrap_or_default(),
            }));
        }
    }

    /// Skips the rest of the content and returns the next header; `None` at the end.
    fn header(&mut self) -> io::Result<Option<[u8; 512]>> {
        let rest = self.left + self.padding;
        let skipped = if rest == 0 { 0 } else { self.input.skip(rest)? };
        self.at += skipped;
        if skipped < self.left {
            return Err(cut_short());
        }
        self.lacks_padding = skipped < rest;
        (self.left, self.padding) = (0, 0);
        let at = self.at;
        let Some(header) = self.block()?.filter(|header| header.iter().any(|b| *b != 0)) else {
            return Ok(None);
        };
        if !is_header(&header) {
            let why = format!("there is no header at byte {at}");
            return Err(io::Error::new(io::ErrorKind::InvalidData, why));
        }
        Ok(Some(header))
    }

    /// Reads 512 bytes; returns `None` at the end.
    fn block(&mut self) -> io::Result<Option<[u8; 512]>> {
        let mut block = [0; 512];
        let mut used = 0;
        while used < block.len() {
            match self.input.read(&mut block[used..]) {
                Ok(0) if used == 0 => return Ok(None),
                Ok(0) => return Err(cut_short()),
                Ok(n) => used += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.at += BLOCK;
        Ok(Some(block))
    }
}

/// Reads the content of the current member.
impl<I: Input> Read for Reader<I> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        if most == 0 {
            return Ok(0);
        }
        let n = self.input.read(&mut buffer[..most])?;
        if n == 0 {
            return Err(cut_short());
        }
        self.left -= n as u64;
        self.at += n as u64;
        Ok(n)
    }
}

fn cut_short() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "it is cut short")
}

/// Adds the members of an archive to `collector`.
pub(crate) fn list(
    blob: &Blob,
    limits: &Limits,
    collector: &mut Collector<'_>,
) -> Result<(), String> {
    let mut links: BTreeMap<WheelPath, Vec<u8>> = BTreeMap::new();
    let mut reader = Reader::new(blob.reader());
    while let Some(entry) = reader.next_entry().map_err(|e| e.to_string())? {
        if !collector.count() {
            return Ok(());
        }
        let size_bytes = entry.size_bytes;
        let content = blob.part(reader.offset(), size_bytes).ok_or("it is cut short")?;
        let name = entry.name.strip_prefix(b"./").unwrap_or(&entry.name);
        let path = || safe_path(&name[..name.len().min(limits.path_bytes)]).0;
        match entry.kind {
            b'1' => _ = links.insert(path(), [b"/", &entry.link[..]].concat()),
            b'2' => _ = links.insert(path(), entry.link),
            // A name that ends with `/` is a directory in the oldest format.
            _ if entry.is_file() && !name.ends_with(b"/") => {
                let executable = entry.is_executable();
                let packed_bytes = size_bytes;
                let stated = Stated { name, size_bytes, packed_bytes, executable, link: None };
                if !collector.add(&stated, Location::Stored(content)) {
                    return Ok(());
                }
            }
            b'S' => {
                let trouble = MemberError::unreadable("it is stored with holes");
                collector.note(trouble.finding(&path()));
            }
            // Directories and devices.
            _ => {}
        }
    }
    follow(&links, collector);
    Ok(())
}

/// Adds a member for each link that points to one.
fn follow(links: &BTreeMap<WheelPath, Vec<u8>>, collector: &mut Collector<'_>) {
    let twice = collector.sort();
    for path in twice {
        let message = "two members have this name, and the last one counts";
        collector.note(Finding::new(Code::DuplicateEntry, &path, message));
    }
    let mut resolved = Vec::new();
    for path in links.keys() {
        let mut end = Some(path.clone());
        for _ in 0..MOST_LINKS {
            let Some(link) = end.as_ref().and_then(|end| links.get(end)) else { break };
            end = end.as_ref().and_then(|end| target(end, link));
        }
        let found = end.as_ref().and_then(|end| collector.get(end));
        let found =
            found.map(|(member, place)| (member.size_bytes, member.executable, place.clone()));
        let link = end;
        if collector.get(path).is_some() {
            let message = "two members have this name, and the last one counts";
            collector.note(Finding::new(Code::DuplicateEntry, path, message));
        }
        if let Some((size_bytes, executable, location)) = found {
            let path = path.clone();
            resolved.push((Member { path, size_bytes, executable, link }, location));
        } else {
            let message = "it is a link that leads to no file of the archive";
            collector.note(Finding::new(Code::NotJudged, path, message));
        }
    }
    for (member, location) in resolved {
        let packed_bytes = member.size_bytes;
        collector.add_member(member, packed_bytes, location);
    }
}

/// Returns the target of a link at `path`; links relative to the top begin with `/`.
fn target(path: &WheelPath, link: &[u8]) -> Option<WheelPath> {
    let link = std::str::from_utf8(link).ok()?;
    let mut parts: Vec<&str> = if link.starts_with('/') {
        Vec::new()
    } else {
        path.parent().into_iter().flat_map(|parent| parent.split('/')).collect()
    };
    for part in link.split('/') {
        match part {
            "" | "." => {}
            ".." => _ = parts.pop()?,
            part => parts.push(part),
        }
    }
    parts.join("/").parse().ok()
}

/// Values of the records before a header that do not fit into it.
#[derive(Default)]
struct Long {
    name: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
}

impl Long {
    /// Parses pax records, `LENGTH KEY=VALUE` and a line end each; the length includes itself.
    fn read(&mut self, mut records: &[u8]) {
        while let Some(space) = records.iter().take(20).position(|&b| b == b' ') {
            let size = std::str::from_utf8(&records[..space]).ok();
            let size = size.and_then(|size| size.parse::<usize>().ok());
            let Some(record) = size.and_then(|size| records.get(space + 1..size)) else { return };
            records = &records[space + 1 + record.len()..];
            let record = record.strip_suffix(b"\n").unwrap_or(record);
            let Some(equals) = record.iter().position(|&b| b == b'=') else { return };
            let value = record[equals + 1..].to_vec();
            match &record[..equals] {
                b"path" => self.name = Some(value),
                b"linkpath" => self.link = Some(value),
                b"size" => {
                    self.size = String::from_utf8(value).ok().and_then(|size| size.parse().ok());
                }
                _ => {}
            }
        }
    }
}

fn next_header(at: u64, size: u64) -> Option<u64> {
    size.checked_next_multiple_of(BLOCK)?.checked_add(at)?.checked_add(BLOCK)
}

/// Returns the name in a header. In ustar archives the prefix field comes first.
fn name(header: &[u8; 512]) -> Vec<u8> {
    let name = until_zero(&header[..100]);
    let prefix = until_zero(&header[345..500]);
    // GNU archives use the prefix field for other data.
    if &header[257..263] == b"ustar\0" && !prefix.is_empty() {
        [prefix, b"/", name].concat()
    } else {
        name.to_vec()
    }
}

fn until_zero(bytes: &[u8]) -> &[u8] {
    bytes.split(|&b| b == 0).next().unwrap_or_default()
}

/// Parses a number in octal digits, or in binary if the first bit is set.
fn octal(field: &[u8]) -> Option<u64> {
    if field.first()? & 0x80 != 0 {
        let (high, low) = field.split_at(field.len().checked_sub(8)?);
        let is_small = high.first() == Some(&0x80) && high[1..].iter().all(|&b| b == 0);
        return is_small.then(|| u64::from_be_bytes(low.try_into().unwrap_or_default()));
    }
    let text = std::str::from_utf8(until_zero(field)).ok()?.trim_matches(' ');
    u64::from_str_radix(text, 8).ok()
}
