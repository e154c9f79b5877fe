//! A zip archive, its directory and the headers before each content side by side.
//!
//! The directory is read first and gives the order; then every entry once, from the first byte of
//! the file to the last. Bytes that belong to nothing, or to two entries, show on the way.

mod end;

use std::io::{self, BufRead as _, BufReader, Read, Seek, SeekFrom};

use self::end::Directory;
use super::Limits;
use super::findings::Findings;
use super::header::{self, CENTRAL_BYTES, Central, Header, LOCAL_BYTES};
use super::unpack::{self, Buffer, Content, Want};
use crate::archive::members::safe_path;
use crate::archive::tar;
use crate::finding::Code;
use crate::name::WheelPath;
use crate::sys::Cancel;

const STORED: u16 = 0;
const DEFLATED: u16 = 8;

/// One entry.
#[derive(Debug)]
pub(super) struct Member {
    /// Where it lies; what no path may hold is replaced.
    pub(super) path: WheelPath,
    /// What the directory says.
    pub(super) central: Central,
    /// What was read; nothing when it is damaged, shares its bytes or is too much.
    pub(super) content: Option<Box<Content>>,
    /// Whether its name is no path inside the archive, or no UTF-8.
    pub(super) is_odd: bool,
    /// Whether its name is its path: then it is not held twice.
    is_path: bool,
}

impl Member {
    fn new(mut central: Central) -> Self {
        let name = &central.header.name;
        let (path, is_same) = safe_path(name.strip_suffix(b"/").unwrap_or(name));
        let is_path = is_same && !name.ends_with(b"/");
        if is_path {
            central.header.name = Vec::new();
        }
        Self { path, central, content: None, is_odd: !is_same, is_path }
    }

    /// Its name as the directory has it.
    pub(super) fn name(&self) -> &[u8] {
        if self.is_path { self.path.as_str().as_bytes() } else { &self.central.header.name }
    }

    /// Whether it stands for a directory: its name ends with `/`.
    pub(super) fn is_dir(&self) -> bool {
        self.name().ends_with(b"/")
    }

    /// All its bytes, of files of metadata.
    pub(super) fn kept(&self) -> Option<&[u8]> {
        self.content.as_ref()?.kept.as_deref()
    }
}

/// The entries of the archive in the order in which they lie there; nothing when there is none.
pub(super) fn read<R: Read + Seek>(
    reader: &mut R,
    limits: &Limits,
    cancel: &Cancel,
    out: &mut Findings,
) -> io::Result<Option<Vec<Member>>> {
    let Some(directory) = end::find(reader, out)? else { return Ok(None) };
    if directory.size_bytes > limits.directory_bytes {
        let message = format!("its directory has {} MiB", directory.size_bytes >> 20);
        out.whole(Code::OverLimit, message);
        return Ok(None);
    }
    let mut reader = BufReader::with_capacity(128 << 10, reader);
    let mut first = [0; 512];
    reader.seek(SeekFrom::Start(0))?;
    if fill(&mut reader, &mut first)? && tar::is_header(&first) {
        out.whole(Code::TarPolyglot, "its first bytes are a header of a tar archive");
    }
    let Some(mut entries) = list(&mut reader, &directory, limits, out)? else { return Ok(None) };
    // As they lie, whatever the directory has first; the sort is stable.
    entries.sort_by_key(|entry| entry.offset);
    let total = entries.iter().fold(0_u64, |sum, e| sum.saturating_add(e.header.size_bytes));
    if is_bomb(total, directory.file_bytes, limits) {
        let ratio = total / directory.file_bytes.max(1);
        let message = format!("it unpacks to {} MiB, {ratio} times its size", total >> 20);
        out.whole(Code::CompressionRatio, message);
    }
    let mut walk = Walk {
        reader: &mut reader,
        limits,
        buffer: Buffer::new(),
        at: 0,
        base: directory.base,
        // What a right archive can unpack to, so that no more time is spent on any.
        left: limits.ratio_from_bytes.max(directory.file_bytes.saturating_mul(limits.ratio)),
        held: 0,
    };
    let mut members = Vec::with_capacity(entries.len());
    for entry in entries {
        if cancel.is_cancelled() {
            return Err(io::Error::new(io::ErrorKind::Interrupted, "stopped"));
        }
        members.push(walk.member(entry, directory.at, out)?);
    }
    if walk.at < directory.at {
        let message = format!("{} bytes lie between entries and directory", directory.at - walk.at);
        out.whole(Code::StrayBytes, message);
    }
    Ok(Some(members))
}

fn is_bomb(unpacked: u64, packed: u64, limits: &Limits) -> bool {
    unpacked > limits.ratio_from_bytes && unpacked / packed.max(1) > limits.ratio
}

/// The headers of the directory; nothing when they are too many.
fn list<R: Read + Seek>(
    reader: &mut BufReader<R>,
    directory: &Directory,
    limits: &Limits,
    out: &mut Findings,
) -> io::Result<Option<Vec<Central>>> {
    reader.seek(SeekFrom::Start(directory.at))?;
    let mut input = reader.take(directory.size_bytes);
    let mut entries = Vec::new();
    while input.limit() > 0 {
        if entries.len() == limits.entries {
            out.whole(Code::OverLimit, format!("it has more than {} entries", limits.entries));
            return Ok(None);
        }
        let mut fixed = [0; CENTRAL_BYTES];
        if !fill(&mut input, &mut fixed)? || !fixed.starts_with(b"PK\x01\x02") {
            out.whole(Code::HeaderMismatch, "its directory has something that is no header");
            break;
        }
        let [name, extra, comment] = header::central_lengths(&fixed);
        let mut texts = vec![0; name + extra + comment];
        if !fill(&mut input, &mut texts)? {
            out.whole(Code::HeaderMismatch, "its directory is cut short");
            break;
        }
        entries.push(header::central(&fixed, &texts[..name], &texts[name..name + extra]));
    }
    if entries.len() as u64 != directory.count {
        let message =
            format!("its end counts {} entries, there are {}", directory.count, entries.len());
        out.whole(Code::HeaderMismatch, message);
    }
    Ok(Some(entries))
}

/// Reads as much as `buffer` holds; false when there is less.
fn fill(input: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    match input.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// The way through the file, entry by entry.
struct Walk<'a, R> {
    reader: &'a mut BufReader<R>,
    limits: &'a Limits,
    buffer: Buffer,
    /// Up to where the bytes are known.
    at: u64,
    /// What stands before the archive.
    base: u64,
    /// How much may still be unpacked.
    left: u64,
    /// How much of metadata is in memory.
    held: u64,
}

impl<R: Read + Seek> Walk<'_, R> {
    fn member(&mut self, entry: Central, end: u64, out: &mut Findings) -> io::Result<Member> {
        let mut member = Member::new(entry);
        let path = &member.path;
        let start = self.base.saturating_add(member.central.offset);
        let Some((local, content_at)) = self.local(start, end)? else {
            out.file(Code::HeaderMismatch, path, "there is no header where the directory points");
            return Ok(member);
        };
        compare(&member, &local, out);
        if start > self.at {
            let message = format!("{} bytes before it belong to nothing", start - self.at);
            out.file(Code::StrayBytes, path, message);
        }
        let stated = &member.central.header;
        let content_end = content_at.saturating_add(stated.packed_bytes);
        if start < self.at {
            // Its bytes were unpacked for another entry: once is enough.
            out.file(
                Code::OverlappingEntries,
                path,
                "its bytes are those of another entry as well",
            );
            self.at = self.at.max(content_end.min(end));
            return Ok(member);
        }
        self.at = content_end.min(end);
        if content_end > end {
            out.file(Code::OverlappingEntries, path, "its content reaches into the directory");
            return Ok(member);
        }
        member.content = self.content(path, stated, out)?.map(Box::new);
        if local.has_descriptor() {
            self.skip_descriptor(content_end)?;
        }
        Ok(member)
    }

    /// The header at `start`, and where the content begins.
    fn local(&mut self, start: u64, end: u64) -> io::Result<Option<(Header, u64)>> {
        if start.saturating_add(LOCAL_BYTES as u64) > end {
            return Ok(None);
        }
        self.go_to(start)?;
        let mut fixed = [0; LOCAL_BYTES];
        if !fill(self.reader, &mut fixed)? || !fixed.starts_with(b"PK\x03\x04") {
            return Ok(None);
        }
        let [name, extra] = header::local_lengths(&fixed);
        let mut texts = vec![0; name + extra];
        if !fill(self.reader, &mut texts)? {
            return Ok(None);
        }
        let local = header::local(&fixed, &texts[..name], &texts[name..]);
        Ok(Some((local, start + (LOCAL_BYTES + name + extra) as u64)))
    }

    /// Goes there, within what is buffered where possible.
    fn go_to(&mut self, at: u64) -> io::Result<()> {
        let here = self.reader.stream_position()?;
        match (at.checked_signed_diff(here), at) {
            (Some(step), _) => self.reader.seek_relative(step),
            (None, at) => self.reader.seek(SeekFrom::Start(at)).map(|_| ()),
        }
    }

    /// Reads the content, at whose first byte the reader is.
    fn content(
        &mut self,
        path: &WheelPath,
        stated: &Header,
        out: &mut Findings,
    ) -> io::Result<Option<Content>> {
        if stated.is_encrypted() || !matches!(stated.method, STORED | DEFLATED) {
            return Ok(None);
        }
        // What a header states is not what it unpacks to.
        if stated.size_bytes > self.left || (self.left == 0 && stated.packed_bytes > 0) {
            let message = format!("it has {} MiB, and was not unpacked", stated.size_bytes >> 20);
            out.file(Code::OverLimit, path, message);
            return Ok(None);
        }
        let is_metadata =
            path.as_str().split('/').next().is_some_and(|d| d.ends_with(".dist-info"));
        let keep = is_metadata
            && stated.size_bytes <= self.limits.metadata_bytes
            && self.held + stated.size_bytes <= self.limits.held_bytes;
        if is_metadata && !keep {
            out.file(Code::OverLimit, path, "it is too large for a file of metadata");
        }
        let want = Want { most_bytes: stated.size_bytes, keep };
        let mut input = self.reader.by_ref().take(stated.packed_bytes);
        let (content, taken) = if stated.method == STORED {
            let content = unpack::read(&mut input, want, &mut self.buffer)?;
            (content, stated.packed_bytes)
        } else {
            match unpack::inflate(&mut input, want, &mut self.buffer) {
                Ok(read) => read,
                // The file was read; its bytes are no deflated ones.
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::InvalidInput
                            | io::ErrorKind::InvalidData
                            | io::ErrorKind::UnexpectedEof
                    ) =>
                {
                    out.file(Code::DamagedEntry, path, "its content cannot be unpacked");
                    return Ok(None);
                }
                Err(error) => return Err(error),
            }
        };
        self.left = self.left.saturating_sub(content.size_bytes);
        if content.size_bytes != stated.size_bytes {
            let more = if content.size_bytes > stated.size_bytes { "more" } else { "less" };
            let message =
                format!("it unpacks to {more} than the {} bytes of its header", stated.size_bytes);
            out.file(Code::DamagedEntry, path, message);
            return Ok(None);
        }
        if taken != stated.packed_bytes {
            let unused = stated.packed_bytes - taken.min(stated.packed_bytes);
            let message = format!("{unused} bytes behind its content belong to nothing");
            out.file(Code::StrayBytes, path, message);
        }
        if content.crc != stated.crc {
            out.file(Code::DamagedEntry, path, "its CRC is not that of its header");
            return Ok(None);
        }
        if let Some(kept) = &content.kept {
            self.held += kept.len() as u64;
        }
        Ok(Some(content))
    }

    /// Steps over what a streaming writer puts behind a content: a signature in most archives, the
    /// CRC, and two sizes of four or eight bytes.
    fn skip_descriptor(&mut self, at: u64) -> io::Result<()> {
        self.go_to(at)?;
        let buffered = self.reader.fill_buf()?;
        let signed = buffered.starts_with(b"PK\x07\x08");
        let known = |from: usize| {
            let next = buffered.get(from..from + 4);
            next.is_some_and(|next| next == b"PK\x03\x04" || next == b"PK\x01\x02")
        };
        let lengths = if signed { [16, 24] } else { [12, 20] };
        let length = lengths.into_iter().find(|length| known(*length)).unwrap_or(lengths[0]);
        self.at = at + length as u64;
        Ok(())
    }
}

/// Says where the two headers of an entry differ.
fn compare(member: &Member, local: &Header, out: &mut Findings) {
    let (path, central) = (&member.path, &member.central.header);
    let mut differ = Vec::new();
    if member.name() != local.name {
        differ.push(format!("the name before its content is `{}`", local.name.escape_ascii()));
    }
    let streamed = local.has_descriptor();
    let sizes = (local.packed_bytes, local.size_bytes, local.crc);
    if sizes != (central.packed_bytes, central.size_bytes, central.crc)
        && !(streamed && sizes == (0, 0, 0))
    {
        differ.push("sizes or CRC differ".to_owned());
    }
    if central.method != local.method {
        differ.push("the compression differs".to_owned());
    }
    if central.is_encrypted() != local.is_encrypted()
        || central.has_descriptor() != local.has_descriptor()
        || central.says_utf8() != local.says_utf8()
    {
        differ.push("the flags differ".to_owned());
    }
    if !differ.is_empty() {
        out.file(Code::HeaderMismatch, path, format!("its headers differ: {}", differ.join("; ")));
    }
    if streamed || central.has_descriptor() {
        out.file(Code::DataDescriptor, path, "its sizes stand behind its content");
    }
    if let Some(trouble) = local.trouble.or(central.trouble) {
        out.file(Code::Zip64Extra, path, trouble);
    }
    let other = |id: &&u16| **id != header::ZIP64;
    if let Some(id) = local.extras.iter().chain(&central.extras).find(other) {
        out.file(Code::ZipExtra, path, format!("it has the extra field {id:#06x}"));
    }
}
