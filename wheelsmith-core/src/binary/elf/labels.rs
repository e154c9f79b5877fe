//! The names of a static program's own functions, as far as the linker left them.

use goblin::container::Container;
use goblin::elf::header::Header;
use goblin::elf::section_header::{SHT_SYMTAB, SectionHeader};
use goblin::elf::sym::Sym;
use scroll::Pread as _;

use super::file::{File, Strings};

/// No real program has larger tables of names, in bytes.
const LARGEST: u64 = 64 << 20;
const MOST_SECTIONS: u16 = 4096;
/// What glibc opens libraries with, and what looks names up in the services that are libraries.
/// `_dl_open` alone says nothing: `printf` brings it in for the sake of `iconv`.
const OPENERS: [&str; 8] = [
    "dlmopen",
    "dlopen",
    "getaddrinfo",
    "getgrnam",
    "gethostbyname",
    "getpwnam",
    "getpwuid",
    "iconv_open",
];

/// Which of glibc's functions that load libraries are in a static program, sorted; nothing when the
/// program was stripped of their names. Section headers are hints: what is broken says nothing.
pub(super) fn openers(file: &File<'_>, head: &Header) -> Option<Vec<String>> {
    const WHAT: &str = "names";
    if head.e_shnum == 0 || head.e_shnum > MOST_SECTIONS {
        return None;
    }
    let is_64_bit = file.ctx.container == Container::Big;
    let (size, symbol_size) = if is_64_bit { (64, 24) } else { (40, 16) };
    let table = file.bytes.slice(head.e_shoff, size * u64::from(head.e_shnum), WHAT).ok()?;
    let section = |i: usize| -> Option<SectionHeader> {
        table.get(i * size as usize..)?.pread_with(0, file.ctx).ok()
    };
    let symbols = (0..head.e_shnum.into()).filter_map(section).find(|s| s.sh_type == SHT_SYMTAB)?;
    let names = section(symbols.sh_link as usize)?;
    if symbols.sh_size > LARGEST || names.sh_size > LARGEST {
        return None;
    }
    file.bytes.want(names.sh_offset, names.sh_size);
    let symbols = file.bytes.slice(symbols.sh_offset, symbols.sh_size, WHAT).ok()?;
    let names = Strings::new(file.bytes, (names.sh_offset, names.sh_size)).ok()?;
    let mut found = Vec::new();
    for entry in symbols.chunks_exact(symbol_size) {
        let symbol: Sym = entry.pread_with(0, file.ctx).ok()?;
        if symbol.st_shndx == 0 || !symbol.is_function() {
            continue;
        }
        let name = names.get(symbol.st_name as u64, WHAT).unwrap_or_default();
        if OPENERS.contains(&name) {
            found.push(name.to_owned());
        }
    }
    found.sort();
    found.dedup();
    Some(found)
}
