//! Names and places of the sections of a file, for reports.

use std::ops::Range;

use goblin::container::Ctx;
use goblin::elf::Elf;
use goblin::elf::section_header::{SHF_COMPRESSED, SHT_NOBITS, SectionHeader};
use scroll::Pread as _;

/// Section with content in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Section {
    /// Name; empty if it cannot be read.
    pub(crate) name: String,
    /// Range of the file, in bytes.
    pub(crate) range: Range<u64>,
    /// True if the content is compressed.
    pub(crate) is_compressed: bool,
}

/// Returns the sections of an ELF file. Section headers are only hints, so the list is empty if they
/// are broken or absent.
pub(crate) fn sections(bytes: &[u8]) -> Vec<Section> {
    read(bytes).unwrap_or_default()
}

fn read(bytes: &[u8]) -> Option<Vec<Section>> {
    let head = Elf::parse_header(bytes).ok()?;
    let ctx = Ctx::new(head.container().ok()?, head.endianness().ok()?);
    let start = usize::try_from(head.e_shoff).ok()?;
    let size = SectionHeader::size(ctx);
    let header = |i: usize| -> Option<SectionHeader> {
        bytes.get(start.checked_add(i.checked_mul(size)?)?..)?.pread_with(0, ctx).ok()
    };
    let names = header(head.e_shstrndx.into())?;
    let name = |at: usize| -> Option<String> {
        let start = usize::try_from(names.sh_offset).ok()?.checked_add(at)?;
        let text = bytes.get(start..)?.split(|&b| b == 0).next()?;
        // Names are short; a broken table could repeat a large file.
        Some(String::from_utf8_lossy(&text[..text.len().min(64)]).into_owned())
    };
    let headers = (0..head.e_shnum.into()).filter_map(header);
    let section = |header: SectionHeader| Section {
        name: name(header.sh_name).unwrap_or_default(),
        range: header.sh_offset..header.sh_offset.saturating_add(header.sh_size),
        is_compressed: header.sh_flags & u64::from(SHF_COMPRESSED) != 0,
    };
    Some(headers.filter(|h| h.sh_type != SHT_NOBITS && h.sh_size > 0).map(section).collect())
}
