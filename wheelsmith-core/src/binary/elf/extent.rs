//! Extent of an ELF file.

use goblin::container::Ctx;
use goblin::elf::Elf as Goblin;
use goblin::elf::header::{self, Header};
use goblin::elf::program_header::ProgramHeader;
use goblin::elf::section_header::{SHT_NOBITS, SectionHeader};
use scroll::Pread as _;

use crate::binary::extent::Probe;

/// Processors and virtual machines of the ELF registry.
const MACHINES: [u16; 18] =
    [3, 8, 20, 21, 22, 40, 43, 50, 62, 83, 94, 105, 183, 190, 224, 243, 247, 258];

/// Returns the offset of the last byte that the headers refer to, plus one; `None` if they are not
/// those of an object, program or library.
pub(crate) fn extent(probe: &Probe<'_>) -> Option<u64> {
    let ident = probe.array::<16>(0)?;
    let size = match ident[header::EI_CLASS] {
        header::ELFCLASS32 => 52,
        header::ELFCLASS64 => 64,
        _ => return None,
    };
    let is_ordered = matches!(ident[header::EI_DATA], header::ELFDATA2LSB | header::ELFDATA2MSB);
    if !is_ordered || ident[header::EI_VERSION] != 1 {
        return None;
    }
    let head = Goblin::parse_header(&probe.bytes(0, size)?).ok()?;
    let ctx = Ctx::new(head.container().ok()?, head.endianness().ok()?);
    let (program, section) = (ProgramHeader::size(ctx) as u64, SectionHeader::size(ctx) as u64);
    if !is_consistent(&head, size, program, section) {
        return None;
    }
    let mut end = size;
    let mut reach = |start: u64, size: u64| -> Option<()> {
        end = end.max(start.checked_add(size)?);
        Some(())
    };
    let programs = program * u64::from(head.e_phnum);
    reach(head.e_phoff, programs)?;
    if programs > 0 {
        let table = probe.bytes(head.e_phoff, programs)?;
        for segment in ProgramHeader::parse(&table, 0, head.e_phnum.into(), ctx).ok()? {
            reach(segment.p_offset, segment.p_filesz)?;
        }
    }
    let sections = section * u64::from(head.e_shnum);
    reach(head.e_shoff, sections)?;
    if sections > 0 {
        let table = probe.bytes(head.e_shoff, sections)?;
        for at in (0..table.len()).step_by(SectionHeader::size(ctx)) {
            let section: SectionHeader = table.pread_with(at, ctx).ok()?;
            if section.sh_type != SHT_NOBITS {
                reach(section.sh_offset, section.sh_size)?;
            }
        }
    }
    Some(end)
}

/// True if the file header states the sizes of its class, and has a table.
fn is_consistent(head: &Header, size: u64, program: u64, section: u64) -> bool {
    let is_entry = |count: u16, stated: u16, size: u64| count == 0 || u64::from(stated) == size;
    matches!(head.e_type, header::ET_REL | header::ET_EXEC | header::ET_DYN)
        && MACHINES.contains(&head.e_machine)
        && u64::from(head.e_ehsize) == size
        && is_entry(head.e_phnum, head.e_phentsize, program)
        && is_entry(head.e_shnum, head.e_shentsize, section)
        && (head.e_phnum > 0 || head.e_shnum > 0)
}
