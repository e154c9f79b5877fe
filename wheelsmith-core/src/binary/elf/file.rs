//! A file with its program headers: maps addresses to bytes and offsets to names.

use std::cell::Cell;

use goblin::elf::dynamic::{self, Dyn};
use goblin::elf::program_header::{self, ProgramHeader};
use goblin::elf::section_header::SectionHeader;
use scroll::Pread as _;

use super::headers::{self, Headers};
use crate::binary::bytes::Bytes;
use crate::binary::{Content, Error};

/// Maximum size of the dynamic entries, in bytes. Most files have less than one page.
const LARGEST_DYNAMIC: u64 = 1 << 20;
/// Size of the first read of dynamic entries, in bytes.
const DYNAMIC_STEP: u64 = 4096;
/// Maximum size of a string table, in bytes. Those of the largest C++ libraries have a few dozen
/// megabytes.
const LARGEST_TABLE: u64 = 256 << 20;
/// Maximum length of a name or path, in bytes. Real files have shorter ones.
pub(super) const LONGEST_STRING: usize = 65_536;
/// Maximum ratio of the total length of names to the size of their table. Names may share bytes, so
/// a small table could expand to any amount of text. Linkers share only suffixes, so real files
/// stay well below this.
const MOST_NAMES_PER_BYTE: usize = 4;

pub(super) struct File<'b> {
    pub(super) bytes: Bytes<'b>,
    pub(super) headers: Headers,
    content: Content<'b>,
}

impl<'b> File<'b> {
    pub(super) fn new(content: Content<'b>) -> Result<Self, Error> {
        let headers = Headers::read(content)?;
        Ok(Self { bytes: Bytes::new(content, headers.ctx.le), headers, content })
    }

    /// Reads the section headers.
    pub(super) fn sections(&self) -> Result<Vec<SectionHeader>, Error> {
        self.headers.sections(self.content)
    }

    /// Returns the file offset from which the loader maps `address`. If segments overlap, the last
    /// one wins.
    pub(super) fn offset(&self, address: u64, what: &'static str) -> Result<u64, Error> {
        let offset = headers::file_offset(&self.headers.segments, address);
        offset.filter(|offset| *offset < self.bytes.size()).ok_or(Error::Outside { what })
    }

    pub(super) fn dynamic(&self) -> Result<Option<Dynamic>, Error> {
        const WHAT: &str = "dynamic segment";
        let is_dynamic = |segment: &&ProgramHeader| segment.p_type == program_header::PT_DYNAMIC;
        let Some(segment) = self.headers.segments.iter().rfind(is_dynamic) else { return Ok(None) };
        // The loader uses the address and reads up to DT_NULL, whatever the size of the segment is.
        let (start, end) = match self.mapped(segment.p_vaddr) {
            Some(range) => range,
            // Separate debug files contain the header but not the bytes.
            None if segment.p_filesz == 0 => return Ok(None),
            None => (segment.p_offset, segment.p_offset.saturating_add(segment.p_filesz)),
        };
        self.bytes.check_range(start, segment.p_filesz, WHAT)?;
        let size = if self.headers.is_64_bit() { 16 } else { 8 };
        let mut most = segment.p_filesz.clamp(DYNAMIC_STEP, LARGEST_DYNAMIC).min(end - start);
        loop {
            let bytes = self.bytes.slice(start, most, WHAT)?;
            let mut entries = Vec::new();
            for entry in bytes.chunks_exact(size) {
                let entry: Dyn = entry
                    .pread_with(0, self.headers.ctx)
                    .map_err(|_| Error::Malformed { what: WHAT })?;
                if entry.d_tag == dynamic::DT_NULL {
                    return Ok(Some(Dynamic(entries)));
                }
                entries.push((entry.d_tag, entry.d_val));
            }
            // Memory after the bytes of the file is zero, which is DT_NULL.
            if most >= end - start {
                return Ok(Some(Dynamic(entries)));
            }
            if most >= LARGEST_DYNAMIC {
                return Err(Error::TooMany { what: "bytes of dynamic entries", count: most });
            }
            most = (most * 16).min(LARGEST_DYNAMIC).min(end - start);
        }
    }

    /// Returns the file range that the loader maps from `address` on. It reaches to the end of the
    /// segment, or of its last page if the segment requests no zeroed memory after it.
    fn mapped(&self, address: u64) -> Option<(u64, u64)> {
        const SMALLEST_PAGE: u64 = 4096;
        let inside = |segment: &&ProgramHeader| {
            segment.p_type == program_header::PT_LOAD
                && address >= segment.p_vaddr
                && address - segment.p_vaddr < segment.p_filesz
        };
        let segment = self.headers.segments.iter().rfind(inside)?;
        let start = segment.p_offset.checked_add(address - segment.p_vaddr)?;
        let mut end = segment.p_offset.checked_add(segment.p_filesz)?;
        if segment.p_memsz <= segment.p_filesz {
            end = end.checked_next_multiple_of(SMALLEST_PAGE)?;
        }
        let end = end.min(self.bytes.size());
        (start < end).then_some((start, end))
    }

    /// Returns offset and size of the dynamic string table.
    pub(super) fn strings(&self, dynamic: &Dynamic) -> Result<Option<(u64, u64)>, Error> {
        let Some(address) = dynamic.get(dynamic::DT_STRTAB) else { return Ok(None) };
        let start = self.offset(address, "string table")?;
        Ok(Some((start, dynamic.get(dynamic::DT_STRSZ).unwrap_or_default())))
    }

    /// Marks the tables for symbols and versions as needed. Their sizes are not known yet, but they
    /// are usually adjacent, so a guessed size covers most of them.
    pub(super) fn want_tables(&self, dynamic: &Dynamic) {
        const GUESS: u64 = 65_536;
        const TABLES: [u64; 6] = [
            dynamic::DT_SYMTAB,
            dynamic::DT_VERSYM,
            dynamic::DT_VERNEED,
            dynamic::DT_VERDEF,
            dynamic::DT_HASH,
            dynamic::DT_GNU_HASH,
        ];
        for address in TABLES.iter().filter_map(|&tag| dynamic.get(tag)) {
            if let Ok(at) = self.offset(address, "table") {
                self.bytes.want(at, GUESS);
            }
        }
    }
}

/// Dynamic entries up to DT_NULL, as tag and value.
pub(super) struct Dynamic(Vec<(u64, u64)>);

impl Dynamic {
    pub(super) fn entries(&self) -> &[(u64, u64)] {
        &self.0
    }

    pub(super) fn get(&self, tag: u64) -> Option<u64> {
        self.0.iter().rfind(|(t, _)| *t == tag).map(|&(_, value)| value)
    }

    pub(super) fn has_flag(&self, tag: u64, flag: u64) -> bool {
        self.get(tag).is_some_and(|value| value & flag != 0)
    }
}

/// A string table; each name ends with a zero byte.
pub(super) struct Strings<'b> {
    table: &'b [u8],
    /// Maximum number of bytes that may be read in total; `left` is the remainder.
    most: usize,
    left: Cell<usize>,
}

impl<'b> Strings<'b> {
    /// Reads the table at the given offset and size of `file`.
    pub(super) fn new(file: Bytes<'b>, (start, size): (u64, u64)) -> Result<Self, Error> {
        if size > LARGEST_TABLE {
            return Err(Error::TooMany { what: "bytes of names", count: size });
        }
        let table = file.slice(start, size, "string table")?;
        let most = table.len().saturating_mul(MOST_NAMES_PER_BYTE).saturating_add(LONGEST_STRING);
        Ok(Self { table, most, left: Cell::new(most) })
    }

    pub(super) fn bytes(&self, offset: u64, what: &'static str) -> Result<&'b [u8], Error> {
        let rest = usize::try_from(offset).ok().and_then(|offset| self.table.get(offset..));
        let rest = rest.ok_or(Error::Outside { what })?;
        let rest = &rest[..rest.len().min(LONGEST_STRING)];
        let end = rest.iter().position(|&b| b == 0);
        // A search for a missing end costs as much.
        let read = end.unwrap_or(rest.len()) + 1;
        let left = self.left.get().checked_sub(read);
        let too_many = Error::TooMany { what: "bytes of names", count: self.most as u64 };
        self.left.set(left.ok_or(too_many)?);
        end.map(|end| &rest[..end]).ok_or(Error::Malformed { what })
    }

    pub(super) fn get(&self, offset: u64, what: &'static str) -> Result<&'b str, Error> {
        std::str::from_utf8(self.bytes(offset, what)?).map_err(|_| Error::Malformed { what })
    }
}

/// Returns the text of a segment up to its zero byte.
pub(super) fn text(bytes: &[u8], what: &'static str) -> Result<String, Error> {
    let end = bytes.iter().position(|&b| b == 0).unwrap_or(bytes.len());
    if end > LONGEST_STRING {
        return Err(Error::Malformed { what });
    }
    let text = std::str::from_utf8(&bytes[..end]).map_err(|_| Error::Malformed { what })?;
    Ok(text.to_owned())
}
