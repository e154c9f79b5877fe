//! Names of the functions of a static program, if the linker kept them.

use goblin::elf::section_header::SHT_SYMTAB;
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
pub(super) fn openers(file: &File<'_>) -> Option<Vec<String>> {
    const WHAT: &str = "names";
    let count = file.headers.file.e_shnum;
    if count == 0 || count > MOST_SECTIONS {
        return None;
    }
    let ctx = file.headers.ctx;
    let sections = file.sections().ok()?;
    let symbols = sections.iter().find(|section| section.sh_type == SHT_SYMTAB)?;
    let names = sections.get(symbols.sh_link as usize)?;
    if symbols.sh_size > LARGEST || names.sh_size > LARGEST {
        return None;
    }
    file.bytes.want(names.sh_offset, names.sh_size);
    let symbols = file.bytes.slice(symbols.sh_offset, symbols.sh_size, WHAT).ok()?;
    let names = Strings::new(file.bytes, (names.sh_offset, names.sh_size)).ok()?;
    let mut found = Vec::new();
    for entry in symbols.chunks_exact(Sym::size(ctx.container)) {
        let symbol: Sym = entry.pread_with(0, ctx).ok()?;
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
