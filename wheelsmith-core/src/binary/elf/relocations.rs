//! Relocations of object files that no shared library can have.

use goblin::archive::Archive;
use goblin::elf::header::{EM_386, EM_AARCH64, EM_ARM, EM_X86_64};
use goblin::elf::section_header::{SHF_ALLOC, SHF_EXECINSTR};
use goblin::elf::sym::{STB_LOCAL, STV_DEFAULT};
use goblin::elf::{Elf, SectionHeader, reloc};

/// Returns the first object of an archive that was compiled for a fixed address, with the
/// relocation that proves it.
pub(crate) fn fixed_address(bytes: &[u8]) -> Option<String> {
    let archive = Archive::parse(bytes).ok()?;
    archive.members().into_iter().find_map(|name| {
        let object = archive.extract(name, bytes).ok()?;
        let (relocation, symbol) = fixed_object(object)?;
        let symbol = if symbol.is_empty() { String::new() } else { format!(" of `{symbol}`") };
        Some(format!("`{name}` has the relocation {relocation}{symbol}"))
    })
}

fn fixed_object(bytes: &[u8]) -> Option<(&'static str, String)> {
    let elf = Elf::parse(bytes).ok()?;
    for (index, relocations) in &elf.shdr_relocs {
        let section = elf.section_headers.get(*index)?;
        let Some(target) = elf.section_headers.get(section.sh_info as usize) else { continue };
        if target.sh_flags & u64::from(SHF_ALLOC) == 0 {
            continue;
        }
        for relocation in relocations {
            let symbol = elf.syms.get(relocation.r_sym)?;
            // A symbol that another library may replace is looked up at run time; a hidden or local
            // one is not.
            let replaceable =
                symbol.st_bind() != STB_LOCAL && symbol.st_visibility() == STV_DEFAULT;
            if is_fixed(elf.header.e_machine, relocation.r_type, target, replaceable) {
                let name = reloc::r_to_str(relocation.r_type, elf.header.e_machine);
                return Some((name, elf.strtab.get_at(symbol.st_name)?.to_owned()));
            }
        }
    }
    None
}

/// Returns true if no shared library can have this relocation, by the processors' ABI supplements:
/// it is absolute in less than a pointer's width, relative to the start of the program's
/// thread-local storage, or, in code, direct to a symbol that others may replace.
fn is_fixed(machine: u16, kind: u32, section: &SectionHeader, replaceable: bool) -> bool {
    use reloc::{
        R_386_32, R_386_TLS_LE, R_AARCH64_ADD_ABS_LO12_NC, R_AARCH64_ADR_PREL_PG_HI21,
        R_AARCH64_MOVW_SABS_G0, R_AARCH64_MOVW_UABS_G0, R_AARCH64_TLSLE_ADD_TPREL_HI12,
        R_AARCH64_TLSLE_MOVW_TPREL_G2, R_ARM_ABS32, R_ARM_MOVT_ABS, R_ARM_MOVW_ABS_NC, R_X86_64_8,
        R_X86_64_16, R_X86_64_32, R_X86_64_32S, R_X86_64_PC32, R_X86_64_TPOFF32,
    };
    let code = section.sh_flags & u64::from(SHF_EXECINSTR) != 0;
    match machine {
        EM_X86_64 => match kind {
            R_X86_64_32 | R_X86_64_32S | R_X86_64_16 | R_X86_64_8 | R_X86_64_TPOFF32 => true,
            R_X86_64_PC32 => code && replaceable,
            _ => false,
        },
        EM_AARCH64 => match kind {
            R_AARCH64_ADR_PREL_PG_HI21 | R_AARCH64_ADD_ABS_LO12_NC => code && replaceable,
            R_AARCH64_MOVW_UABS_G0..=R_AARCH64_MOVW_SABS_G0
            | R_AARCH64_TLSLE_MOVW_TPREL_G2..=R_AARCH64_TLSLE_ADD_TPREL_HI12 => true,
            _ => false,
        },
        EM_386 => code && matches!(kind, R_386_32 | R_386_TLS_LE),
        EM_ARM => code && matches!(kind, R_ARM_ABS32 | R_ARM_MOVW_ABS_NC | R_ARM_MOVT_ABS),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use goblin::elf::section_header::SHF_WRITE;

    use super::*;

    #[test]
    fn a_fixed_address_shows_in_relocations() {
        let text = u64::from(SHF_ALLOC | SHF_EXECINSTR);
        let data = u64::from(SHF_ALLOC | SHF_WRITE);
        let check = |machine, kind, flags, replaceable, expected| {
            let section = SectionHeader { sh_flags: flags, ..SectionHeader::new() };
            let found = is_fixed(machine, kind, &section, replaceable);
            assert_eq!(found, expected, "{}", reloc::r_to_str(kind, machine));
        };
        check(EM_X86_64, reloc::R_X86_64_32S, text, false, true);
        check(EM_X86_64, reloc::R_X86_64_PC32, text, true, true);
        check(EM_X86_64, reloc::R_X86_64_PC32, text, false, false);
        check(EM_X86_64, reloc::R_X86_64_PLT32, text, true, false);
        check(EM_X86_64, reloc::R_X86_64_64, data, true, false);
        check(EM_AARCH64, reloc::R_AARCH64_ADR_PREL_PG_HI21, text, true, true);
        check(EM_AARCH64, reloc::R_AARCH64_ADR_PREL_PG_HI21, text, false, false);
        check(EM_AARCH64, reloc::R_AARCH64_ADR_GOT_PAGE, text, true, false);
        check(EM_AARCH64, reloc::R_AARCH64_ABS64, data, true, false);
        check(EM_AARCH64, reloc::R_AARCH64_TLSLE_ADD_TPREL_HI12, text, false, true);
        check(EM_386, reloc::R_386_32, text, false, true);
        check(EM_386, reloc::R_386_32, data, false, false);
        check(EM_ARM, reloc::R_ARM_MOVW_ABS_NC, text, false, true);
    }

    #[test]
    fn what_is_no_archive_is_left_to_the_linker() {
        for bytes in [&b"!<arch>\n"[..], b"!<thin>\nx", b"", b"!<arch>\nshort"] {
            assert_eq!(fixed_address(bytes), None);
        }
    }
}
