//! Headers of a file that is edited. Files whose tables could not be written again are refused.

use goblin::container::{Container, Ctx};
use goblin::elf::header::{self, Header};
use goblin::elf::program_header::{self as ph, ProgramHeader};
use goblin::elf::section_header::{self as sh, SectionHeader};
use scroll::Pread as _;

use crate::binary::Error as Unreadable;
use crate::binary::elf::{self, Headers};
use crate::patch::Error;

/// PN_XNUM: the number of program headers is in another field.
const PN_XNUM: u16 = 0xffff;

/// ELF file with its headers.
pub(super) struct Image<'b> {
    pub(super) bytes: &'b [u8],
    pub(super) ctx: Ctx,
    pub(super) header: Header,
    pub(super) segments: Vec<ProgramHeader>,
    /// Section headers; empty if the file has none, because loaders need none.
    pub(super) sections: Vec<SectionHeader>,
}

/// Loaded part of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) offset: u64,
    pub(super) address: u64,
    pub(super) size: u64,
}

impl Span {
    pub(super) fn end(self) -> u64 {
        self.offset.saturating_add(self.size)
    }

    pub(super) fn has_address(self, address: u64) -> bool {
        address >= self.address && address - self.address < self.size
    }
}

pub(super) fn outside(what: &'static str) -> Error {
    Unreadable::Outside { what }.into()
}

pub(super) fn malformed(what: &'static str) -> Error {
    Unreadable::Malformed { what }.into()
}

pub(super) fn unsupported(reason: impl Into<String>) -> Error {
    Error::Unsupported(reason.into())
}

/// Converts a number of the file to an index.
pub(super) fn index(value: u64, what: &'static str) -> Result<usize, Error> {
    usize::try_from(value).map_err(|_| outside(what))
}

impl<'b> Image<'b> {
    pub(super) fn read(bytes: &'b [u8]) -> Result<Self, Error> {
        let headers = Headers::read(bytes.into())?;
        let header = headers.file;
        if header.e_phnum == PN_XNUM || (header.e_shnum == 0 && header.e_shoff != 0) {
            return Err(unsupported("it has more headers than its file header can count"));
        }
        let entry = |size: u16, expected: usize, count: u16, what| match count {
            0 => Ok(()),
            _ if usize::from(size) == expected => Ok(()),
            _ => Err(malformed(what)),
        };
        let ctx = headers.ctx;
        entry(header.e_phentsize, ProgramHeader::size(ctx), header.e_phnum, "program headers")?;
        entry(header.e_shentsize, SectionHeader::size(ctx), header.e_shnum, "section headers")?;
        let sections = headers.sections(bytes.into())?;
        let segments = headers.segments;
        Ok(Self { bytes, ctx, header, segments, sections })
    }

    pub(super) fn is_64_bit(&self) -> bool {
        self.ctx.container == Container::Big
    }

    /// Returns the size of an address, in bytes.
    pub(super) fn word(&self) -> u64 {
        if self.is_64_bit() { 8 } else { 4 }
    }

    pub(super) fn slice(
        &self,
        start: u64,
        size: u64,
        what: &'static str,
    ) -> Result<&'b [u8], Error> {
        let end = start.checked_add(size).ok_or_else(|| outside(what))?;
        self.bytes.get(index(start, what)?..index(end, what)?).ok_or_else(|| outside(what))
    }

    pub(super) fn u16(&self, at: u64, what: &'static str) -> Result<u16, Error> {
        self.bytes.pread_with(index(at, what)?, self.ctx.le).map_err(|_| outside(what))
    }

    pub(super) fn u32(&self, at: u64, what: &'static str) -> Result<u32, Error> {
        self.bytes.pread_with(index(at, what)?, self.ctx.le).map_err(|_| outside(what))
    }

    /// Returns the offset of the byte that is loaded at `address`.
    pub(super) fn offset(&self, address: u64, what: &'static str) -> Result<u64, Error> {
        elf::file_offset(&self.segments, address)
            .filter(|&offset| offset < self.bytes.len() as u64)
            .ok_or_else(|| outside(what))
    }

    /// Returns the PT_LOAD segments with their numbers.
    pub(super) fn loads(&self) -> impl DoubleEndedIterator<Item = (usize, &ProgramHeader)> {
        self.segments.iter().enumerate().filter(|(_, segment)| segment.p_type == ph::PT_LOAD)
    }

    /// Returns the range of the program headers.
    pub(super) fn program_headers(&self) -> std::ops::Range<u64> {
        let size = u64::from(self.header.e_phnum) * u64::from(self.header.e_phentsize);
        self.header.e_phoff..self.header.e_phoff.saturating_add(size)
    }

    /// Returns the range of the section headers.
    pub(super) fn section_headers(&self) -> std::ops::Range<u64> {
        let size = u64::from(self.header.e_shnum) * u64::from(self.header.e_shentsize);
        self.header.e_shoff..self.header.e_shoff.saturating_add(size)
    }

    /// Returns the name of a section; empty if it cannot be read.
    pub(super) fn section_name(&self, section: &SectionHeader) -> String {
        let name = || {
            let names = self.sections.get(usize::from(self.header.e_shstrndx))?;
            let names = self.slice(names.sh_offset, names.sh_size, "section names").ok()?;
            let rest = names.get(section.sh_name..)?;
            let end = rest.iter().take(256).position(|&byte| byte == 0)?;
            Some(String::from_utf8_lossy(&rest[..end]).into_owned())
        };
        name().unwrap_or_default()
    }

    /// True for programs: files with PT_INTERP, or loaded at a fixed address.
    pub(super) fn is_program(&self) -> bool {
        self.header.e_type == header::ET_EXEC
            || self.segments.iter().any(|segment| segment.p_type == ph::PT_INTERP)
    }
}

pub(super) fn is_loaded(section: &SectionHeader) -> bool {
    section.sh_flags & u64::from(sh::SHF_ALLOC) != 0
}

/// Returns the range of a section in the file; empty for SHT_NOBITS.
pub(super) fn span(section: &SectionHeader) -> Span {
    let size = if section.sh_type == sh::SHT_NOBITS { 0 } else { section.sh_size };
    Span { offset: section.sh_offset, address: section.sh_addr, size }
}
