//! Removal of debug information from relocatable objects. Sections and symbols keep their numbers,
//! so nothing that refers to them changes: removed ones become null entries.

use goblin::elf::header;
use goblin::elf::reloc::Reloc;
use goblin::elf::section_header::{self as sh, SectionHeader};
use goblin::elf::sym::Sym;
use scroll::{Pread as _, Pwrite as _};

use super::image::{Image, index, outside, span, unsupported};
use super::strip::is_debug;
use crate::patch::{Error, buffer};

/// Returns the object without debug information (DWARF). Other sections stay, such as the type
/// information of BPF objects (`.BTF`, `.BTF.ext`) and their relocations.
///
/// # Errors
/// Returns an error if the file cannot be parsed, is no relocatable object, or uses a symbol of its
/// debug information elsewhere.
pub fn strip_object(bytes: &[u8]) -> Result<Vec<u8>, Error> {
    let image = Image::read(bytes)?;
    if image.header.e_type != header::ET_REL {
        return Err(unsupported("it is no relocatable object"));
    }
    let removed = removed(&image);
    if !removed.contains(&true) {
        return Ok(bytes.to_vec());
    }
    let mut order: Vec<usize> = (1..image.sections.len()).filter(|&at| !removed[at]).collect();
    order.sort_by_key(|&at| (image.sections[at].sh_offset, at));
    let mut sections: Vec<SectionHeader> = image.sections.clone();
    for (section, _) in sections.iter_mut().zip(&removed).filter(|(_, removed)| **removed) {
        *section = SectionHeader::default();
        section.sh_addralign = 0;
    }
    let mut out = buffer::with_capacity(bytes.len());
    out.extend_from_slice(image.slice(0, image.header.e_ehsize.into(), "file header")?);
    for at in order {
        let bytes = span(&image.sections[at]);
        let align = image.sections[at].sh_addralign.clamp(1, 4096).next_power_of_two();
        out.resize(index((out.len() as u64).next_multiple_of(align), "section")?, 0);
        sections[at].sh_offset = out.len() as u64;
        out.extend_from_slice(image.slice(bytes.offset, bytes.size, "section")?);
    }
    clear_symbols(&image, &sections, &removed, &mut out)?;
    let size = SectionHeader::size(image.ctx);
    let start = index((out.len() as u64).next_multiple_of(image.word()), "section headers")?;
    out.resize(start + size * sections.len(), 0);
    for (number, section) in sections.into_iter().enumerate() {
        let at = start + number * size;
        out.pwrite_with(section, at, image.ctx).map_err(|_| outside("section headers"))?;
    }
    let mut head = image.header;
    head.e_shoff = start as u64;
    out.pwrite_with(head, 0, image.ctx.le).map_err(|_| outside("file header"))?;
    Ok(out)
}

/// Returns true for each section that is removed: debug information and its relocations.
fn removed(image: &Image<'_>) -> Vec<bool> {
    let is_debug = |section: &SectionHeader| is_debug(&image.section_name(section));
    let mut removed: Vec<bool> = image.sections.iter().map(is_debug).collect();
    for (number, section) in image.sections.iter().enumerate() {
        let target = removed.get(section.sh_info as usize).copied().unwrap_or(false);
        if matches!(section.sh_type, sh::SHT_REL | sh::SHT_RELA) && target {
            removed[number] = true;
        }
    }
    removed
}

/// Replaces the symbols of removed sections by null symbols.
fn clear_symbols(
    image: &Image<'_>,
    sections: &[SectionHeader],
    removed: &[bool],
    out: &mut [u8],
) -> Result<(), Error> {
    const WHAT: &str = "symbol table";
    let size = Sym::size(image.ctx.container);
    let mut cleared = Vec::new();
    for table in sections.iter().filter(|section| section.sh_type == sh::SHT_SYMTAB) {
        let start = index(table.sh_offset, WHAT)?;
        for number in 0..index(table.sh_size, WHAT)? / size {
            let at = start + number * size;
            let symbol: Sym = out.pread_with(at, image.ctx).map_err(|_| outside(WHAT))?;
            if removed.get(symbol.st_shndx).copied().unwrap_or(false) {
                out[at..at + size].fill(0);
                cleared.push(number);
            }
        }
    }
    let is_kept = |(number, section): &(usize, &SectionHeader)| {
        !removed[*number] && matches!(section.sh_type, sh::SHT_REL | sh::SHT_RELA)
    };
    for (_, section) in image.sections.iter().enumerate().filter(is_kept) {
        let is_rela = section.sh_type == sh::SHT_RELA;
        let ctx = (is_rela, image.ctx);
        let bytes = image.slice(section.sh_offset, section.sh_size, "relocations")?;
        for entry in bytes.chunks_exact(Reloc::size(is_rela, image.ctx)) {
            let reloc: Reloc = entry.pread_with(0, ctx).map_err(|_| outside("relocations"))?;
            if cleared.contains(&reloc.r_sym) {
                return Err(unsupported("its code refers to its debug information"));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(bytes: &[u8]) -> Vec<String> {
        let image = Image::read(bytes).unwrap();
        image.sections.iter().map(|section| image.section_name(section)).collect()
    }

    #[test]
    fn debug_information_goes_and_types_stay() {
        let check = |bytes: &[u8]| {
            let stripped = strip_object(bytes).unwrap();
            assert!(stripped.len() < bytes.len());
            assert!(names(bytes).iter().any(|name| name == ".debug_info"));
            let after = names(&stripped);
            assert!(!after.iter().any(|name| name.contains("debug")), "{after:?}");
            for name in ["socket", ".maps", ".BTF", ".BTF.ext", ".rel.BTF.ext", "license"] {
                assert!(after.iter().any(|other| other == name), "{name} is not in {after:?}");
            }
            assert_eq!(after.len(), names(bytes).len(), "sections keep their numbers");
            // The bytes of the others are the same.
            let (old, new) = (Image::read(bytes).unwrap(), Image::read(&stripped).unwrap());
            for (old_section, new_section) in old.sections.iter().zip(&new.sections) {
                let name = old.section_name(old_section);
                if name.contains("debug") || name == ".symtab" {
                    continue;
                }
                let of = |image: &Image<'_>, section: &SectionHeader| {
                    let bytes = span(section);
                    image.slice(bytes.offset, bytes.size, "section").unwrap().to_vec()
                };
                assert!(of(&old, old_section) == of(&new, new_section), "{name}");
            }
            assert_eq!(strip_object(&stripped).unwrap(), stripped);
        };
        check(include_bytes!("../../../../testdata/elf/bpf-debug.o"));
        check(include_bytes!("../../../../testdata/elf/bpf-debug-be.o"));
    }

    #[test]
    fn other_files_and_short_ones_are_refused() {
        let library = include_bytes!("../../../../testdata/elf/musl.so");
        assert!(strip_object(library).is_err());
        let object = include_bytes!("../../../../testdata/elf/bpf-debug.o");
        for size in (0..object.len()).step_by(37) {
            let _ = strip_object(&object[..size]);
        }
    }
}
