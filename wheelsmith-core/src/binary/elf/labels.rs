//! Names of the functions of a static program, if the linker kept them.

use goblin::container::Container;
use goblin::elf::header::Header;
use goblin::elf::section_header::{SHT_SYMTAB, SectionHeader};
use goblin::elf::sym::Sym;
use scroll::Pread as _;

use super::file::{File, Strings};

/// Maximum size of the tables of names, in bytes. Real programs have smaller ones.
const LARGEST: u64 = 64 << 20;
const MOST_SECTIONS: u16 = 4096;
/// Functions for which glibc loads libraries, such as name services and character encodings.
/// `dlopen` itself is no evidence: from 2.34 on every static program contains it, because `printf`
/// links it for `iconv`.
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

/// Message of musl's `dlopen` in static programs, where it always fails.
const DLOPEN_OF_MUSL: &[u8] = b"Dynamic loading not supported\0";

/// True if a static program contains the `dlopen` of musl. Its name may be stripped, its message not.
pub(super) fn has_dlopen_of_musl(file: &File<'_>) -> bool {
    let size = file.bytes.size();
    let bytes = if size <= LARGEST { file.bytes.slice(0, size, "program").ok() } else { None };
    bytes.is_some_and(|bytes| memchr::memmem::find(bytes, DLOPEN_OF_MUSL).is_some())
}

/// Returns the functions of glibc in a static program that load libraries, sorted; `None` if the
/// names of the functions were stripped. Section headers are only hints, so a broken one is not an
/// error.
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
