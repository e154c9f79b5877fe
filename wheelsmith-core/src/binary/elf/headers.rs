//! File header, program headers and section headers.

use goblin::container::{Container, Ctx};
use goblin::elf::Elf as Goblin;
use goblin::elf::header::Header;
use goblin::elf::program_header::{PT_LOAD, ProgramHeader};
use goblin::elf::section_header::SectionHeader;
use scroll::Pread as _;
use scroll::ctx::{SizeWith, TryFromCtx};

use crate::binary::bytes::Bytes;
use crate::binary::{Content, Error};

/// Maximum number of program headers. Real files have fewer; the format allows 65535.
const MOST_SEGMENTS: u16 = 4096;

/// Headers of a file.
pub(crate) struct Headers {
    /// Word size and byte order.
    pub(crate) ctx: Ctx,
    /// File header.
    pub(crate) file: Header,
    /// Program headers.
    pub(crate) segments: Vec<ProgramHeader>,
}

impl Headers {
    /// Reads the file header and the program headers.
    ///
    /// # Errors
    /// Returns an error if they are truncated, malformed or too many.
    pub(crate) fn read(content: Content<'_>) -> Result<Self, Error> {
        const WHAT: &str = "file header";
        // The program headers usually follow the file header directly.
        let start = content.up_to(0, 4096).ok_or(Error::Outside { what: WHAT })?;
        let malformed = |_| Error::Malformed { what: WHAT };
        let file = Goblin::parse_header(start).map_err(malformed)?;
        let container = file.container().map_err(malformed)?;
        let ctx = Ctx::new(container, file.endianness().map_err(malformed)?);
        let mut headers = Self { ctx, file, segments: Vec::new() };
        let (what, count) = ("program headers", headers.file.e_phnum);
        if count > MOST_SEGMENTS {
            return Err(Error::TooMany { what, count: count.into() });
        }
        headers.segments = headers.table(content, what, headers.file.e_phoff, count)?;
        Ok(headers)
    }

    /// Reads the section headers, which loaders ignore.
    ///
    /// # Errors
    /// Returns an error if they are outside the file.
    pub(crate) fn sections(&self, content: Content<'_>) -> Result<Vec<SectionHeader>, Error> {
        self.table(content, "section headers", self.file.e_shoff, self.file.e_shnum)
    }

    /// True if addresses have 64 bits.
    pub(crate) fn is_64_bit(&self) -> bool {
        self.ctx.container == Container::Big
    }

    fn table<T>(
        &self,
        content: Content<'_>,
        what: &'static str,
        offset: u64,
        count: u16,
    ) -> Result<Vec<T>, Error>
    where
        T: SizeWith<Ctx> + for<'a> TryFromCtx<'a, Ctx, [u8], Error = goblin::error::Error>,
    {
        let size = T::size_with(&self.ctx);
        // The offset of an empty table is meaningless.
        let offset = if count == 0 { 0 } else { offset };
        let bytes = Bytes::new(content, self.ctx.le);
        let table = bytes.slice(offset, size as u64 * u64::from(count), what)?;
        let entries = table.chunks_exact(size);
        let malformed = |_| Error::Malformed { what };
        entries.map(|entry| entry.pread_with(0, self.ctx).map_err(malformed)).collect()
    }
}

/// Returns the file offset from which the loader maps `address`; `None` if it maps no byte of the
/// file there. If segments overlap, the last one wins.
pub(crate) fn file_offset(segments: &[ProgramHeader], address: u64) -> Option<u64> {
    let inside = |segment: &&ProgramHeader| {
        segment.p_type == PT_LOAD
            && address >= segment.p_vaddr
            && address - segment.p_vaddr < segment.p_filesz
    };
    let segment = segments.iter().rfind(inside)?;
    segment.p_offset.checked_add(address - segment.p_vaddr)
}
