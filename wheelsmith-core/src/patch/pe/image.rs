//! Offsets of the fields of a PE file that an edit changes.

use scroll::LE;

use crate::binary::Error;
use crate::patch::numbers::{Numbers, part};

pub(super) const LITTLE: Numbers = Numbers(LE);
/// Limit of sections; Windows itself accepts 96.
pub(super) const MOST_SECTIONS: usize = 96;
pub(super) const SECTION_HEADER_SIZE: usize = 40;
const MOST_DIRECTORIES: u32 = 16;
const PE32: u16 = 0x10b;
const PE32_PLUS: u16 = 0x20b;
const WHAT: &str = "file header";

/// Indexes into the data directories.
pub(super) mod directory {
    pub(in super::super) const EXPORTS: usize = 0;
    pub(in super::super) const IMPORTS: usize = 1;
    pub(in super::super) const SIGNATURE: usize = 4;
    pub(in super::super) const LOAD_CONFIG: usize = 10;
    pub(in super::super) const BOUND_IMPORTS: usize = 11;
    pub(in super::super) const DELAY_IMPORTS: usize = 13;
    pub(in super::super) const DOTNET: usize = 14;
}

/// Headers of a PE file.
pub(super) struct Image {
    /// Offset of the file header, after its signature.
    pub(super) file_header: usize,
    /// Offset of the optional header.
    pub(super) optional_header: usize,
    pub(super) is_64_bit: bool,
    pub(super) base: u64,
    pub(super) section_alignment: u32,
    pub(super) file_alignment: u32,
    /// Size in memory, in bytes.
    pub(super) size: u32,
    pub(super) headers_size: u32,
    pub(super) dll_characteristics: u16,
    /// Offset and number of COFF symbols; both 0 if there are none.
    pub(super) symbols: (u32, u32),
    directories: Vec<(u32, u32)>,
    pub(super) sections: Vec<Section>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Section {
    /// Offset of its header.
    pub(super) header: usize,
    pub(super) address: u32,
    /// Size in memory, in bytes.
    pub(super) memory_size: u32,
    pub(super) offset: u32,
    /// Size in the file, in bytes.
    pub(super) size: u32,
    pub(super) flags: u32,
}

impl Image {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let malformed = Error::Malformed { what: WHAT };
        let mark = LITTLE.u32(bytes, 0x3c, WHAT)?;
        if part(bytes, mark.into(), 4, WHAT)? != b"PE\0\0" {
            return Err(malformed);
        }
        let file_header = mark as usize + 4;
        let optional_header = file_header + 20;
        let half = |at: usize| LITTLE.u16(bytes, at, WHAT);
        let number = |at: usize| LITTLE.u32(bytes, at, WHAT);
        let is_64_bit = match half(optional_header)? {
            PE32 => false,
            PE32_PLUS => true,
            _ => return Err(malformed),
        };
        let section_count = half(file_header + 2)?.into();
        if section_count > MOST_SECTIONS {
            return Err(Error::TooMany { what: "sections", count: section_count as u64 });
        }
        let optional_size = usize::from(half(file_header + 16)?);
        let directories_at = optional_header + directories_offset(is_64_bit);
        let count = number(directories_at - 4)?.min(MOST_DIRECTORIES);
        if directories_at + 8 * count as usize > optional_header + optional_size {
            return Err(malformed);
        }
        let directories = (0..count as usize)
            .map(|i| Ok((number(directories_at + 8 * i)?, number(directories_at + 8 * i + 4)?)));
        let table = optional_header + optional_size;
        let sections = (0..section_count).map(|i| {
            let header = table + SECTION_HEADER_SIZE * i;
            let section = Section {
                header,
                memory_size: number(header + 8)?,
                address: number(header + 12)?,
                size: number(header + 16)?,
                offset: number(header + 20)?,
                flags: number(header + 36)?,
            };
            if section.size > 0 {
                part(bytes, section.offset.into(), section.in_file().into(), "section")?;
            }
            Ok(section)
        });
        let base = optional_header + if is_64_bit { 24 } else { 28 };
        Ok(Self {
            file_header,
            optional_header,
            is_64_bit,
            base: LITTLE.word(bytes, base, is_64_bit, WHAT)?,
            section_alignment: number(optional_header + 32)?,
            file_alignment: number(optional_header + 36)?,
            size: number(optional_header + 56)?,
            headers_size: number(optional_header + 60)?,
            dll_characteristics: half(optional_header + 70)?,
            symbols: (number(file_header + 8)?, number(file_header + 12)?),
            directories: directories.collect::<Result<_, Error>>()?,
            sections: sections.collect::<Result<_, Error>>()?,
        })
    }

    /// Returns address and size of a data directory; both 0 if it is absent.
    pub(super) fn directory(&self, index: usize) -> (u32, u32) {
        self.directories.get(index).copied().unwrap_or_default()
    }

    /// Returns the offset of a data directory's fields, if the header has them.
    pub(super) fn directory_place(&self, index: usize) -> Option<usize> {
        let start = self.optional_header + directories_offset(self.is_64_bit);
        (index < self.directories.len()).then_some(start + 8 * index)
    }

    pub(super) fn checksum_place(&self) -> usize {
        self.optional_header + 64
    }

    /// Returns the end of the section table.
    pub(super) fn table_end(&self) -> usize {
        let table = self.optional_header + directories_offset(self.is_64_bit);
        let end = self.sections.last().map(|section| section.header + SECTION_HEADER_SIZE);
        end.unwrap_or(table + 8 * self.directories.len())
    }

    /// Returns the offset of the byte that is loaded at `address`.
    pub(super) fn offset(&self, address: u32, what: &'static str) -> Result<usize, Error> {
        let inside = |s: &&Section| address >= s.address && address - s.address < s.in_file();
        match self.sections.iter().find(inside) {
            Some(section) => Ok(section.offset as usize + (address - section.address) as usize),
            None if address < self.headers_size => Ok(address as usize),
            None => Err(Error::Outside { what }),
        }
    }

    /// Returns the text at `address`, up to its zero byte.
    pub(super) fn text<'b>(
        &self,
        bytes: &'b [u8],
        address: u32,
        what: &'static str,
    ) -> Result<&'b [u8], Error> {
        /// Longest name that any system accepts, in bytes.
        const LONGEST: usize = 4096;
        let rest = bytes.get(self.offset(address, what)?..).ok_or(Error::Outside { what })?;
        let end = rest.iter().take(LONGEST).position(|&b| b == 0);
        Ok(&rest[..end.ok_or(Error::Malformed { what })?])
    }

    /// Returns the end of the last section in the file; the rest is not loaded.
    pub(super) fn contents_end(&self) -> u64 {
        let ends = self.sections.iter().filter(|s| s.size > 0).map(Section::end);
        ends.max().unwrap_or_default().max(self.headers_size.into())
    }
}

impl Section {
    /// Returns how many bytes in memory come from the file.
    pub(super) fn in_file(&self) -> u32 {
        if self.memory_size == 0 { self.size } else { self.size.min(self.memory_size) }
    }

    /// Returns its end in the file.
    pub(super) fn end(&self) -> u64 {
        u64::from(self.offset) + u64::from(self.size)
    }
}

/// Offset of the data directories in the optional header.
const fn directories_offset(is_64_bit: bool) -> usize {
    if is_64_bit { 112 } else { 96 }
}
