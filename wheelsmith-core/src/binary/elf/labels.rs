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
/// What looks names and encodings up in libraries that glibc loads for it. `dlopen` itself says
/// nothing: from 2.34 on it is in every static program, because `printf` brings it in for `iconv`.
const OPENERS: [&str; 8] = [
    "getaddrinfo",
    "getgrgid",
    "getgrnam",
    "gethostbyname",
    "getpwnam",
    "getpwuid",
    "getservbyname",
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
    let (size, symbol_size) = if is_64_bit { (64_usize, 24) } else { (40, 16) };
    let table = file.bytes.slice(head.e_shoff, size as u64 * u64::from(head.e_shnum), WHAT).ok()?;
    let section = |i: usize| -> Option<SectionHeader> {
        table.get(i.checked_mul(size)?..)?.pread_with(0, file.ctx).ok()
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
