//! Headers and sections: maps addresses to bytes.

use std::cell::Cell;

use scroll::LE;

use crate::binary::bytes::{Bytes, LONGEST_STRING};
use crate::binary::{Content, Error};
use crate::name::PlatformVersion;

/// Maximum number of sections; Windows itself accepts no more.
const MOST_SECTIONS: u16 = 96;
const MOST_DIRECTORIES: u32 = 16;
/// Size of the first read, in bytes. The headers of most files are smaller.
const MOST_HEADERS: u64 = 4096;
const PE32: u16 = 0x10b;
const PE32_PLUS: u16 = 0x20b;
/// Maximum ratio of the total length of names to the size of the file. Names may share bytes, so a
/// small table could expand to any amount of text. Real files stay below this.
const MOST_NAMES_PER_BYTE: u64 = 4;
const SPARE_NAMES: u64 = 65_536;

/// A file with its sections.
pub(super) struct Image<'b> {
    pub(super) file: Bytes<'b>,
    pub(super) machine: u16,
    pub(super) characteristics: u16,
    pub(super) is_64_bit: bool,
    pub(super) base: u64,
    pub(super) subsystem: u16,
    pub(super) subsystem_version: PlatformVersion,
    pub(super) dll_characteristics: u16,
    /// Size of the headers, which are mapped unchanged.
    headers_size: u32,
    directories: Vec<(u32, u32)>,
    sections: Vec<Section>,
    /// Number of bytes of names that may still be read.
    names_left: Cell<u64>,
}

struct Section {
    address: u32,
    /// Number of bytes of the section that come from the file.
    size: u32,
    offset: u32,
}

impl<'b> Image<'b> {
    pub(super) fn new(content: Content<'b>) -> Result<Self, Error> {
        const WHAT: &str = "file header";
        let malformed = Error::Malformed { what: WHAT };
        let file = Bytes::new(content, LE);
        file.want(0, MOST_HEADERS);
        let pe: u64 = file.u32(0x3c, WHAT)?.into();
        if !file.slice(0, 2, WHAT)?.starts_with(b"MZ") || file.slice(pe, 4, WHAT)? != b"PE\0\0" {
            return Err(malformed);
        }
        // After the signature: machine, number of sections (16 bits each), date, symbols, their
        // number (32 each), size of the optional header, characteristics (16 each).
        let machine = file.u16(pe + 4, WHAT)?;
        let section_count = file.u16(pe + 6, WHAT)?;
        let optional_size = file.u16(pe + 20, WHAT)?;
        let characteristics = file.u16(pe + 22, WHAT)?;
        if section_count > MOST_SECTIONS {
            return Err(Error::TooMany { what: "sections", count: section_count.into() });
        }
        let optional = file.slice(pe + 24, optional_size.into(), WHAT)?;
        let optional = Bytes::new(optional, LE);
        let is_64_bit = match optional.u16(0, WHAT)? {
            PE32 => false,
            PE32_PLUS => true,
            _ => return Err(malformed),
        };
        let base_at = if is_64_bit { 24 } else { 28 };
        let count_at = if is_64_bit { 108 } else { 92 };
        let directory_count = optional.u32(count_at, WHAT)?.min(MOST_DIRECTORIES);
        let mut directories = Vec::new();
        for i in 0..u64::from(directory_count) {
            let at = count_at + 4 + 8 * i;
            directories.push((optional.u32(at, WHAT)?, optional.u32(at + 4, WHAT)?));
        }
        let sections = sections(file, pe + 24 + u64::from(optional_size), section_count)?;
        Ok(Self {
            file,
            machine,
            characteristics,
            is_64_bit,
            base: optional.word(base_at, is_64_bit, WHAT)?,
            subsystem: optional.u16(68, WHAT)?,
            subsystem_version: PlatformVersion::new(
                optional.u16(48, WHAT)?,
                optional.u16(50, WHAT)?,
            ),
            dll_characteristics: optional.u16(70, WHAT)?,
            headers_size: optional.u32(60, WHAT)?,
            directories,
            sections,
            names_left: Cell::new(
                file.size().saturating_mul(MOST_NAMES_PER_BYTE).saturating_add(SPARE_NAMES),
            ),
        })
    }

    /// Returns address and size of a data directory; both are 0 for a missing one.
    pub(super) fn directory(&self, index: usize) -> (u32, u32) {
        self.directories.get(index).copied().unwrap_or_default()
    }

    /// Returns the file offset from which the loader maps `address`.
    pub(super) fn offset(&self, address: u32, what: &'static str) -> Result<u64, Error> {
        let inside = |s: &&Section| address >= s.address && address - s.address < s.size;
        match self.sections.iter().find(inside) {
            Some(section) => Ok(u64::from(section.offset) + u64::from(address - section.address)),
            None if address < self.headers_size => Ok(address.into()),
            None => Err(Error::Outside { what }),
        }
    }

    /// Returns the name at `address`. Bytes that are not UTF-8 become `U+FFFD`.
    pub(super) fn name(&self, address: u32, what: &'static str) -> Result<String, Error> {
        let name = self.file.name(self.offset(address, what)?, what);
        let read = match &name {
            Ok(name) => name.len() as u64 + 1,
            // A search for a missing end costs the most.
            Err(Error::Malformed { .. }) => LONGEST_STRING,
            Err(_) => 0,
        };
        let left = self.names_left.get().checked_sub(read);
        let count = self.file.size();
        self.names_left.set(left.ok_or(Error::TooMany { what: "bytes of names", count })?);
        Ok(String::from_utf8_lossy(name?).into_owned())
    }

    /// Returns the names at `addresses`. Reads all of them before the first error, so that all
    /// missing ranges are recorded at once.
    pub(super) fn names(
        &self,
        addresses: impl IntoIterator<Item = u32>,
        what: &'static str,
    ) -> Result<Vec<String>, Error> {
        let mut names = Ok(Vec::new());
        for address in addresses {
            match (self.name(address, what), &mut names) {
                (Ok(name), Ok(names)) => names.push(name),
                (Err(error @ Error::TooMany { .. }), _) => return Err(error),
                (Err(error), Ok(_)) => names = Err(error),
                (_, Err(_)) => {}
            }
        }
        names
    }

    /// Reads `count` words at `address`.
    pub(super) fn words(
        &self,
        address: u32,
        count: u32,
        what: &'static str,
    ) -> Result<Vec<u32>, Error> {
        if count == 0 {
            return Ok(Vec::new());
        }
        // A table inside the file is no larger than the file.
        let table = self.file.slice(self.offset(address, what)?, 4 * u64::from(count), what)?;
        let table = Bytes::new(table, LE);
        (0..u64::from(count)).map(|i| table.u32(4 * i, what)).collect()
    }
}

fn sections(file: Bytes<'_>, start: u64, count: u16) -> Result<Vec<Section>, Error> {
    const WHAT: &str = "section";
    let mut sections = Vec::new();
    for i in 0..u64::from(count) {
        // Name (8 bytes), size in memory, address, size in the file, offset.
        let at = start + 40 * i;
        let memory_size = file.u32(at + 8, WHAT)?;
        let file_size = file.u32(at + 16, WHAT)?;
        let offset = file.u32(at + 20, WHAT)?;
        let size = if memory_size == 0 { file_size } else { file_size.min(memory_size) };
        if size > 0 {
            file.check_range(offset.into(), size.into(), WHAT)?;
        }
        sections.push(Section { address: file.u32(at + 12, WHAT)?, size, offset });
    }
    Ok(sections)
}
