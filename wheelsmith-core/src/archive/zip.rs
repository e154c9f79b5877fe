//! The directory of a zip archive (PKWARE's APPNOTE), as far as an audit needs it.
//!
//! The `zip` crate gives each name once, and so hides what an attacker would hide: two members of
//! one name, members that share their bytes, names that differ between directory and member.

use super::blob::Blob;
use super::error::MemberError;
use super::members::{Gather, Location, Stated};
use crate::finding::{Code, Finding};

const END: &[u8; 4] = b"PK\x05\x06";
const END_64: &[u8; 4] = b"PK\x06\x06";
const LOCATOR_64: &[u8; 4] = b"PK\x06\x07";
const ENTRY: &[u8; 4] = b"PK\x01\x02";
const LOCAL: &[u8; 4] = b"PK\x03\x04";
const END_SIZE: u64 = 22;
const ENTRY_SIZE: usize = 46;
const LOCAL_SIZE: u64 = 30;
/// The directory is read in parts of this many bytes; an entry has at most three times 64 KiB.
const PART: usize = 256 << 10;

/// Where a member lies, and how.
#[derive(Debug, Clone)]
pub(crate) struct Packed {
    /// Of its local header.
    header_at: u64,
    stored_bytes: u64,
    pub(crate) size_bytes: u64,
    method: u16,
    is_encrypted: bool,
    name: Box<[u8]>,
}

/// How a member's bytes lie in the archive.
pub(crate) enum Bytes {
    Stored(Blob),
    Deflated(Blob),
}

/// Where the directory lies in the archive, in bytes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Directory {
    start: u64,
    size: u64,
    /// What stands in front of the archive: a program that unpacks itself, as a rule nothing.
    pub(crate) shift: u64,
}

impl Directory {
    /// The directory to which the record at the end of `blob` points.
    pub(crate) fn find(blob: &Blob) -> Result<Self, String> {
        let text = |e: std::io::Error| e.to_string();
        // Behind the record there is a comment of up to 65535 bytes.
        let tail_size = blob.size().min(END_SIZE + 0xffff);
        let tail_at = blob.size() - tail_size;
        let mut tail = vec![0; usize::try_from(tail_size).unwrap_or_default()];
        blob.fill_at(tail_at, &mut tail).map_err(text)?;
        let mut candidates = memchr::memmem::rfind_iter(&tail, END).take(64);
        let end = candidates
            .find(|&at| {
                let comment = number(&tail, at + 20, 2);
                comment.is_some_and(|size| at as u64 + END_SIZE + size <= tail_size)
            })
            .ok_or("it has no end record; it may be cut short")?;
        Self::of(blob, tail_at + end as u64)
    }

    /// The directory to which the end record at `end` points.
    pub(crate) fn of(blob: &Blob, end: u64) -> Result<Self, String> {
        const OUTSIDE: &str = "its directory lies outside the file; it may be cut short";
        let text = |e: std::io::Error| e.to_string();
        let record = blob.array_at::<22>(end).map_err(text)?;
        let mut size = number(&record, 12, 4).unwrap_or_default();
        let mut offset = number(&record, 16, 4).unwrap_or_default();
        let mut behind = end;
        let locator = end.checked_sub(20).and_then(|at| blob.array_at::<20>(at).ok());
        if let Some(locator) = locator.filter(|locator| locator.starts_with(LOCATOR_64)) {
            // Where the record lies follows from the locator, which lies right behind it.
            let stated = number(&locator, 8, 8).unwrap_or_default();
            let near = end.saturating_sub(20 + 56);
            let found = [stated, near].into_iter().find_map(|at| {
                let record = blob.array_at::<56>(at).ok()?;
                record.starts_with(END_64).then_some((at, record))
            });
            let (at, record) = found.ok_or(OUTSIDE)?;
            size = number(&record, 40, 8).unwrap_or_default();
            offset = number(&record, 48, 8).unwrap_or_default();
            behind = at;
        }
        let start = behind.checked_sub(size).ok_or(OUTSIDE)?;
        let shift = start.checked_sub(offset).ok_or(OUTSIDE)?;
        Ok(Self { start, size, shift })
    }
}

/// Adds the members of an archive to `gather`.
pub(crate) fn list(blob: &Blob, gather: &mut Gather<'_>) -> Result<(), String> {
    let directory = Directory::find(blob)?;
    let mut places: Vec<(u64, u64)> = Vec::new();
    let (at, left) = (directory.start, directory.size);
    let mut entries = Entries { blob, at, left, part: Vec::new(), used: 0 };
    while let Some(entry) = entries.next()? {
        if !gather.may_go_on() {
            return Ok(());
        }
        let name = &entry.name;
        if name.ends_with(b"/") {
            continue;
        }
        let is_encrypted = entry.flags & 1 != 0;
        let header_at = entry.header_at.saturating_add(directory.shift);
        // The upper half holds the mode where the archive was made on Unix.
        let executable = entry.made_by >> 8 == 3 && (entry.attributes >> 16) & 0o111 != 0;
        places.push((header_at, entry.packed_bytes));
        let stated = Stated {
            name,
            size_bytes: entry.size_bytes,
            packed_bytes: entry.packed_bytes,
            executable,
        };
        let packed = Packed {
            header_at,
            stored_bytes: entry.packed_bytes,
            size_bytes: entry.size_bytes,
            method: entry.method,
            is_encrypted,
            name: entry.name.clone().into(),
        };
        if !gather.add(&stated, Location::Zip(blob.clone(), packed)) {
            return Ok(());
        }
    }
    places.sort_unstable();
    let shared = places.windows(2).filter(|pair| {
        let end = pair[0].0.saturating_add(LOCAL_SIZE).saturating_add(pair[0].1);
        end > pair[1].0
    });
    let shared = shared.count();
    if shared > 0 {
        let message = format!("{shared} of its members share bytes with the next one");
        gather.note(Finding::whole(Code::AmbiguousMember, message));
    }
    Ok(())
}

impl Packed {
    /// The member's bytes as they lie in the archive.
    pub(crate) fn bytes(&self, archive: &Blob) -> Result<Bytes, MemberError> {
        let outside = || MemberError::unreadable("it lies outside the archive");
        if self.is_encrypted {
            return Err(MemberError::unreadable("it is encrypted"));
        }
        let header = archive.part(self.header_at, LOCAL_SIZE).ok_or_else(outside)?;
        let header = header.array_at::<30>(0)?;
        if !header.starts_with(LOCAL) {
            return Err(MemberError::unreadable("there is no member where the directory says"));
        }
        let name_size = number(&header, 26, 2).unwrap_or_default();
        let extra_size = number(&header, 28, 2).unwrap_or_default();
        let name_at = self.header_at + LOCAL_SIZE;
        let name = archive.part(name_at, name_size).ok_or_else(outside)?.first(0xffff)?;
        if *name != *self.name {
            let name = name.escape_ascii();
            return Err(MemberError::Ambiguous(format!("where it lies, it is called `{name}`")));
        }
        let method = number(&header, 8, 2).unwrap_or_default();
        if method != u64::from(self.method) {
            return Err(MemberError::Ambiguous(
                "where it lies, it is packed in another way than the directory says".into(),
            ));
        }
        let start = name_at + name_size + extra_size;
        let blob = archive.part(start, self.stored_bytes).ok_or_else(outside)?;
        match self.method {
            0 if self.stored_bytes == self.size_bytes => Ok(Bytes::Stored(blob)),
            0 => Err(MemberError::unreadable("it is not packed, and yet its two sizes differ")),
            8 => Ok(Bytes::Deflated(blob)),
            method => Err(MemberError::unreadable(format!(
                "it is packed by method {method}: wheels are stored or deflated"
            ))),
        }
    }
}

/// An entry of the directory.
struct Entry {
    made_by: u16,
    flags: u16,
    method: u16,
    packed_bytes: u64,
    size_bytes: u64,
    attributes: u32,
    header_at: u64,
    name: Vec<u8>,
}

/// Reads the directory part by part.
struct Entries<'b> {
    blob: &'b Blob,
    /// Of what is read next.
    at: u64,
    left: u64,
    part: Vec<u8>,
    /// Of the part, how much was read.
    used: usize,
}

impl Entries<'_> {
    fn next(&mut self) -> Result<Option<Entry>, String> {
        const SHORT: &str = "its directory is cut short";
        if self.used == self.part.len() && self.left == 0 {
            return Ok(None);
        }
        self.want(ENTRY_SIZE)?;
        let head = &self.part[self.used..];
        if head.len() < ENTRY_SIZE {
            return Err(SHORT.into());
        }
        if !head.starts_with(ENTRY) {
            return Err("its directory holds something that is no entry".into());
        }
        let short = |at| u16::try_from(number(head, at, 2).unwrap_or_default()).unwrap_or_default();
        let long = |at| number(head, at, 4).unwrap_or_default();
        let sizes = [28, 30, 32].map(|at| usize::from(short(at)));
        let mut entry = Entry {
            made_by: short(4),
            flags: short(8),
            method: short(10),
            packed_bytes: long(20),
            size_bytes: long(24),
            attributes: u32::try_from(long(38)).unwrap_or_default(),
            header_at: long(42),
            name: Vec::new(),
        };
        let size = ENTRY_SIZE + sizes.iter().sum::<usize>();
        self.want(size)?;
        let rest = self.part[self.used..].get(ENTRY_SIZE..size).ok_or(SHORT)?;
        let (name, rest) = rest.split_at(sizes[0]);
        entry.name = name.to_vec();
        entry.widen(&rest[..sizes[1]]);
        self.used += size;
        Ok(Some(entry))
    }

    /// Brings at least `size` bytes, if there are as many.
    fn want(&mut self, size: usize) -> Result<(), String> {
        if self.part.len() - self.used >= size || self.left == 0 {
            return Ok(());
        }
        self.part.drain(..self.used);
        self.used = 0;
        let more = usize::try_from(self.left).unwrap_or(PART).min(PART);
        let held = self.part.len();
        self.part.resize(held + more, 0);
        self.blob.fill_at(self.at, &mut self.part[held..]).map_err(|e| e.to_string())?;
        self.at += more as u64;
        self.left -= more as u64;
        Ok(())
    }
}

impl Entry {
    /// Takes the numbers that need 64 bits from the extra field 1, where they stand in this order.
    fn widen(&mut self, mut extra: &[u8]) {
        while let (Some(id), Some(size)) = (number(extra, 0, 2), number(extra, 2, 2)) {
            let Some(field) = extra.get(4..4 + usize::try_from(size).unwrap_or(usize::MAX)) else {
                return;
            };
            extra = &extra[4 + field.len()..];
            if id != 1 {
                continue;
            }
            let mut at = 0;
            for value in [&mut self.size_bytes, &mut self.packed_bytes, &mut self.header_at] {
                if *value == 0xffff_ffff
                    && let Some(wide) = number(field, at, 8)
                {
                    *value = wide;
                    at += 8;
                }
            }
            return;
        }
    }
}

/// The little-endian number of `size` bytes at `at`.
fn number(bytes: &[u8], at: usize, size: usize) -> Option<u64> {
    let bytes = bytes.get(at..at.checked_add(size)?)?;
    Some(bytes.iter().rev().fold(0, |value, &byte| value << 8 | u64::from(byte)))
}
