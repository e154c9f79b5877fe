//! What an ELF file says of itself (System V gABI; LSB for symbol versions).
//!
//! Everything comes from the program headers and the dynamic segment, as the loader reads them:
//! section headers are hints that a file need not have, and may lie.

use std::collections::{BTreeMap, BTreeSet};

use goblin::container::{Container, Ctx, Endian};
use goblin::elf::Elf as Goblin;
use goblin::elf::dynamic::{self, Dyn};
use goblin::elf::header::{self, Header};
use goblin::elf::program_header::{self, ProgramHeader};
use goblin::elf::sym::{self, Sym};
use serde::Serialize;

use super::Error;
use crate::name::Arch;

/// What an ELF file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Started by the kernel through a loader.
    Program,
    /// Started by the kernel alone.
    StaticProgram,
    /// Loaded into a process.
    SharedLibrary,
    /// An object file, not linked yet.
    Object,
    /// A core dump, or what the format leaves open.
    Other,
}

/// What an ELF file says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Elf {
    /// What it is for.
    pub kind: Kind,
    /// Its processor; nothing for one that no platform tag names.
    pub arch: Option<Arch>,
    /// `e_machine`, for messages about the former.
    pub machine: u16,
    /// Whether addresses have 64 bits.
    pub is_64_bit: bool,
    /// Whether numbers have their low byte first.
    pub is_little_endian: bool,
    /// The loader that it asks for (PT_INTERP).
    pub interpreter: Option<String>,
    /// DT_SONAME.
    pub soname: Option<String>,
    /// DT_NEEDED, in order.
    pub needed: Vec<String>,
    /// DT_RPATH, split at `:`.
    pub rpath: Vec<String>,
    /// DT_RUNPATH, split at `:`.
    pub runpath: Vec<String>,
    /// The symbol versions that it asks for, by library (DT_VERNEED): `libc.so.6` -> `GLIBC_2.17`.
    pub needed_versions: BTreeMap<String, BTreeSet<String>>,
    /// Whether its stack may hold code (PT_GNU_STACK); nothing when it does not say.
    pub executable_stack: Option<bool>,
    /// Whether the loader must write into its code (DT_TEXTREL).
    pub text_relocations: bool,
    #[serde(skip)]
    symbols: Option<SymbolTable>,
}

/// A symbol that a library takes from another one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Undefined {
    /// Its name.
    pub name: String,
    /// Its version, such as `GLIBC_2.17`, and the library that is to have it.
    pub version: Option<(String, String)>,
    /// Whether the loader goes on without it.
    pub weak: bool,
}

/// Where the dynamic symbols are, in file offsets.
#[derive(Debug, Clone, PartialEq, Eq)]
struct SymbolTable {
    symbols: usize,
    count: usize,
    versions: Option<usize>,
    strings: (usize, usize),
    /// Version number -> version and library.
    names: BTreeMap<u16, (String, String)>,
}

/// No real file has more program headers; the format allows 65535.
const MOST_PROGRAM_HEADERS: u64 = 4096;
/// No real file needs more versions of more libraries.
const MOST_VERSIONS: usize = 65_536;
/// No real file has a longer name or path in its dynamic segment, in bytes.
const LONGEST_STRING: usize = 65_536;
/// DF_TEXTREL in DT_FLAGS.
const DF_TEXTREL: u64 = 4;
/// DF_1_PIE in DT_FLAGS_1.
const DF_1_PIE: u64 = 0x0800_0000;
const EF_ARM_EABI_MASK: u32 = 0xff00_0000;
const EF_ARM_EABI_5: u32 = 0x0500_0000;
const EF_ARM_SOFT_FLOAT: u32 = 0x0000_0200;
const EF_ARM_HARD_FLOAT: u32 = 0x0000_0400;

impl Elf {
    /// Reads the facts of a whole file.
    ///
    /// # Errors
    /// A file that is cut short, or whose parts point outside it.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let malformed = |what| move |_| Error::Malformed { what };
        let head = Goblin::parse_header(bytes).map_err(malformed("file header"))?;
        let file = File::new(bytes, &head)?;
        let mut elf = Self {
            kind: Kind::Other,
            arch: arch(&head),
            machine: head.e_machine,
            is_64_bit: file.ctx.container == Container::Big,
            is_little_endian: file.ctx.le == Endian::Little,
            interpreter: None,
            soname: None,
            needed: Vec::new(),
            rpath: Vec::new(),
            runpath: Vec::new(),
            needed_versions: BTreeMap::new(),
            executable_stack: None,
            text_relocations: false,
            symbols: None,
        };
        for segment in &file.segments {
            match segment.p_type {
                program_header::PT_INTERP => {
                    let (start, size) = (segment.p_offset, segment.p_filesz);
                    let path = file.slice(start, size, "interpreter")?;
                    elf.interpreter = Some(text(path, "interpreter")?);
                }
                program_header::PT_GNU_STACK => {
                    elf.executable_stack = Some(segment.p_flags & program_header::PF_X != 0);
                }
                _ => {}
            }
        }
        let dynamic = file.dynamic()?;
        if let Some(dynamic) = &dynamic {
            elf.read_dynamic(&file, dynamic)?;
        }
        let flags_1 = dynamic.as_ref().and_then(|d| d.get(dynamic::DT_FLAGS_1)).unwrap_or_default();
        elf.kind = match (head.e_type, &elf.interpreter) {
            (header::ET_EXEC | header::ET_DYN, Some(_)) if elf.soname.is_none() => Kind::Program,
            (header::ET_EXEC, None) => Kind::StaticProgram,
            (header::ET_DYN, None) if flags_1 & DF_1_PIE != 0 => Kind::StaticProgram,
            // libc.so.6 is a library that can be started as well.
            (header::ET_DYN, _) => Kind::SharedLibrary,
            (header::ET_REL, _) => Kind::Object,
            _ => Kind::Other,
        };
        Ok(elf)
    }

    fn read_dynamic(&mut self, file: &File<'_>, dynamic: &Dynamic) -> Result<(), Error> {
        let Some(strings) = file.strings(dynamic)? else { return Ok(()) };
        let string = |offset: u64, what| file.string(strings, offset, what);
        let paths = |offset: u64, what| -> Result<Vec<String>, Error> {
            Ok(string(offset, what)?.split(':').map(str::to_owned).collect())
        };
        for &(tag, value) in &dynamic.0 {
            match tag {
                dynamic::DT_NEEDED => self.needed.push(string(value, "needed library")?),
                dynamic::DT_SONAME => self.soname = Some(string(value, "SONAME")?),
                dynamic::DT_RPATH => self.rpath = paths(value, "RPATH")?,
                dynamic::DT_RUNPATH => self.runpath = paths(value, "RUNPATH")?,
                dynamic::DT_TEXTREL => self.text_relocations = true,
                dynamic::DT_FLAGS if value & DF_TEXTREL != 0 => self.text_relocations = true,
                _ => {}
            }
        }
        let names = self.read_versions(file, dynamic, strings)?;
        self.symbols = file.symbol_table(dynamic, strings, names)?;
        Ok(())
    }

    /// The versions in DT_VERNEED, and what the numbers in DT_VERSYM stand for.
    fn read_versions(
        &mut self,
        file: &File<'_>,
        dynamic: &Dynamic,
        strings: (usize, usize),
    ) -> Result<BTreeMap<u16, (String, String)>, Error> {
        const WHAT: &str = "list of needed versions";
        let mut names = BTreeMap::new();
        let Some(address) = dynamic.get(dynamic::DT_VERNEED) else { return Ok(names) };
        let mut at = file.offset(address, WHAT)?;
        let mut left = MOST_VERSIONS;
        loop {
            // Elf_Verneed: version, count (16 bits each), file, first aux, next (32 bits each).
            let count = file.u16(at + 2, WHAT)?;
            let library = file.string(strings, file.u32(at + 4, WHAT)?.into(), WHAT)?;
            let mut aux = at.saturating_add(file.u32(at + 8, WHAT)? as usize);
            for _ in 0..count {
                left = left.checked_sub(1).ok_or(Error::TooMany {
                    what: "needed versions",
                    count: MOST_VERSIONS as u64,
                })?;
                // Elf_Vernaux: hash (32), flags, other (16 each), name, next (32 each).
                let other = file.u16(aux.saturating_add(6), WHAT)?;
                let name = file.u32(aux.saturating_add(8), WHAT)?;
                let name = file.string(strings, name.into(), WHAT)?;
                names.insert(other & 0x7fff, (name.clone(), library.clone()));
                self.needed_versions.entry(library.clone()).or_default().insert(name);
                match file.u32(aux.saturating_add(12), WHAT)? {
                    0 => break,
                    next => aux = aux.saturating_add(next as usize),
                }
            }
            left = left.checked_sub(1).ok_or(Error::Malformed { what: WHAT })?;
            match file.u32(at.saturating_add(12), WHAT)? {
                0 => return Ok(names),
                next => at = at.saturating_add(next as usize),
            }
        }
    }

    /// The symbols that it takes from others, sorted. `bytes` is the file that was parsed.
    ///
    /// # Errors
    /// A symbol table that points outside the file.
    pub fn undefined_symbols(&self, bytes: &[u8]) -> Result<Vec<Undefined>, Error> {
        let mut found = Vec::new();
        self.each_symbol(bytes, |name, symbol, version| {
            if symbol.st_shndx == 0 && !name.is_empty() {
                found.push(Undefined {
                    name: name.to_owned(),
                    version: version.cloned(),
                    weak: sym::st_bind(symbol.st_info) == sym::STB_WEAK,
                });
            }
        })?;
        found.sort();
        Ok(found)
    }

    /// The names that it offers to others, sorted. `bytes` is the file that was parsed.
    ///
    /// # Errors
    /// A symbol table that points outside the file.
    pub fn exported_symbols(&self, bytes: &[u8]) -> Result<BTreeSet<String>, Error> {
        let mut found = BTreeSet::new();
        self.each_symbol(bytes, |name, symbol, _| {
            let bind = sym::st_bind(symbol.st_info);
            if symbol.st_shndx != 0 && bind != sym::STB_LOCAL && !name.is_empty() {
                found.insert(name.to_owned());
            }
        })?;
        Ok(found)
    }

    fn each_symbol(
        &self,
        bytes: &[u8],
        mut visit: impl FnMut(&str, &Sym, Option<&(String, String)>),
    ) -> Result<(), Error> {
        use goblin::container::Ctx;
        use scroll::Pread as _;

        const WHAT: &str = "symbol table";
        let Some(table) = &self.symbols else { return Ok(()) };
        let container = if self.is_64_bit { Container::Big } else { Container::Little };
        let endian = if self.is_little_endian { Endian::Little } else { Endian::Big };
        let ctx = Ctx::new(container, endian);
        let size = Sym::size(container);
        for i in 0..table.count {
            let at = table.symbols.saturating_add(i.saturating_mul(size));
            let symbol: Sym =
                bytes.pread_with(at, ctx).map_err(|_| Error::Outside { what: WHAT })?;
            let Ok(name) = string(bytes, table.strings, symbol.st_name as u64, WHAT) else {
                continue;
            };
            let version = table.versions.and_then(|versions| {
                let at = versions.saturating_add(2 * i);
                let number: u16 = bytes.pread_with(at, endian).ok()?;
                table.names.get(&(number & 0x7fff))
            });
            visit(name, &symbol, version);
        }
        Ok(())
    }
}

/// The dynamic entries up to DT_NULL.
struct Dynamic(Vec<(u64, u64)>);

impl Dynamic {
    fn get(&self, tag: u64) -> Option<u64> {
        self.0.iter().find(|(t, _)| *t == tag).map(|&(_, value)| value)
    }
}

/// A file with its program headers: addresses to bytes.
struct File<'b> {
    bytes: &'b [u8],
    ctx: Ctx,
    segments: Vec<ProgramHeader>,
}

impl<'b> File<'b> {
    fn new(bytes: &'b [u8], head: &Header) -> Result<Self, Error> {
        const WHAT: &str = "program headers";
        let malformed = |_| Error::Malformed { what: WHAT };
        let container = head.container().map_err(malformed)?;
        let endian = head.endianness().map_err(malformed)?;
        let ctx = Ctx::new(container, endian);
        let count = u64::from(head.e_phnum);
        if count > MOST_PROGRAM_HEADERS {
            return Err(Error::TooMany { what: WHAT, count });
        }
        let start = usize::try_from(head.e_phoff).map_err(|_| Error::Outside { what: WHAT })?;
        let segments = if count == 0 {
            Vec::new()
        } else {
            let size = ProgramHeader::size(ctx);
            let end = start.checked_add(size * usize::from(head.e_phnum));
            if end.is_none_or(|end| end > bytes.len()) {
                return Err(Error::Outside { what: WHAT });
            }
            ProgramHeader::parse(bytes, start, usize::from(head.e_phnum), ctx).map_err(malformed)?
        };
        Ok(Self { bytes, ctx, segments })
    }

    fn slice(&self, start: u64, size: u64, what: &'static str) -> Result<&'b [u8], Error> {
        let end = start.checked_add(size);
        let range =
            end.and_then(|end| Some(usize::try_from(start).ok()?..usize::try_from(end).ok()?));
        range.and_then(|range| self.bytes.get(range)).ok_or(Error::Outside { what })
    }

    /// Where in the file the loader finds `address`.
    fn offset(&self, address: u64, what: &'static str) -> Result<usize, Error> {
        let inside = |segment: &&ProgramHeader| {
            segment.p_type == program_header::PT_LOAD
                && address >= segment.p_vaddr
                && address - segment.p_vaddr < segment.p_filesz
        };
        let segment = self.segments.iter().find(inside).ok_or(Error::Outside { what })?;
        let offset = segment.p_offset.checked_add(address - segment.p_vaddr);
        offset
            .and_then(|offset| usize::try_from(offset).ok())
            .filter(|offset| *offset < self.bytes.len())
            .ok_or(Error::Outside { what })
    }

    fn u16(&self, at: usize, what: &'static str) -> Result<u16, Error> {
        use scroll::Pread as _;
        self.bytes.pread_with(at, self.ctx.le).map_err(|_| Error::Outside { what })
    }

    fn u32(&self, at: usize, what: &'static str) -> Result<u32, Error> {
        use scroll::Pread as _;
        self.bytes.pread_with(at, self.ctx.le).map_err(|_| Error::Outside { what })
    }

    fn dynamic(&self) -> Result<Option<Dynamic>, Error> {
        use scroll::Pread as _;
        const WHAT: &str = "dynamic segment";
        let is_dynamic = |segment: &&ProgramHeader| segment.p_type == program_header::PT_DYNAMIC;
        let Some(segment) = self.segments.iter().find(is_dynamic) else { return Ok(None) };
        // Separate debug files keep the header but not the bytes.
        if segment.p_filesz == 0 {
            return Ok(None);
        }
        let bytes = self.slice(segment.p_offset, segment.p_filesz, WHAT)?;
        let size = if self.ctx.container == Container::Big { 16 } else { 8 };
        let mut entries = Vec::new();
        for entry in bytes.chunks_exact(size) {
            let entry: Dyn =
                entry.pread_with(0, self.ctx).map_err(|_| Error::Malformed { what: WHAT })?;
            if entry.d_tag == dynamic::DT_NULL {
                break;
            }
            entries.push((entry.d_tag, entry.d_val));
        }
        Ok(Some(Dynamic(entries)))
    }

    /// Offset and size of the dynamic string table.
    fn strings(&self, dynamic: &Dynamic) -> Result<Option<(usize, usize)>, Error> {
        const WHAT: &str = "string table";
        let Some(address) = dynamic.get(dynamic::DT_STRTAB) else { return Ok(None) };
        let start = self.offset(address, WHAT)?;
        let size = dynamic.get(dynamic::DT_STRSZ).unwrap_or_default();
        self.slice(start as u64, size, WHAT)?;
        Ok(Some((start, usize::try_from(size).map_err(|_| Error::Outside { what: WHAT })?)))
    }

    fn string(
        &self,
        strings: (usize, usize),
        offset: u64,
        what: &'static str,
    ) -> Result<String, Error> {
        string(self.bytes, strings, offset, what).map(str::to_owned)
    }

    fn symbol_table(
        &self,
        dynamic: &Dynamic,
        strings: (usize, usize),
        names: BTreeMap<u16, (String, String)>,
    ) -> Result<Option<SymbolTable>, Error> {
        const WHAT: &str = "symbol table";
        let Some(address) = dynamic.get(dynamic::DT_SYMTAB) else { return Ok(None) };
        let symbols = self.offset(address, WHAT)?;
        let versions = dynamic
            .get(dynamic::DT_VERSYM)
            .map(|a| self.offset(a, "symbol versions"))
            .transpose()?;
        // Symbols end where the strings begin in every linker's layout.
        let unhashed = strings.0.saturating_sub(symbols) / Sym::size(self.ctx.container);
        let count = match (dynamic.get(dynamic::DT_HASH), dynamic.get(dynamic::DT_GNU_HASH)) {
            // Two words in front: buckets, and chains, of which each symbol has one. On s390x and
            // alpha the words have 64 bits; there the other table is used.
            (Some(hash), _) if self.has_small_hash() => {
                self.u32(self.offset(hash, WHAT)? + 4, WHAT)? as usize
            }
            (_, Some(hash)) => self.gnu_hash_count(hash, unhashed)?,
            _ => unhashed,
        };
        let room = (self.bytes.len() - symbols) / Sym::size(self.ctx.container);
        Ok(Some(SymbolTable { symbols, count: count.min(room), versions, strings, names }))
    }

    fn has_small_hash(&self) -> bool {
        let has_wide_words = self.ctx.container == Container::Big && self.ctx.le == Endian::Big;
        !has_wide_words
    }

    /// The number of symbols by the GNU hash table: the end of the chain that begins last.
    fn gnu_hash_count(&self, address: u64, unhashed: usize) -> Result<usize, Error> {
        const WHAT: &str = "hash table";
        let at = self.offset(address, WHAT)?;
        let buckets = self.u32(at, WHAT)? as usize;
        let first = self.u32(at + 4, WHAT)? as usize;
        let bloom = self.u32(at + 8, WHAT)? as usize;
        let word = if self.ctx.container == Container::Big { 8 } else { 4 };
        let table = at.saturating_add(16).saturating_add(bloom.saturating_mul(word));
        let chains = table.saturating_add(buckets.saturating_mul(4));
        if chains > self.bytes.len() {
            return Err(Error::Outside { what: WHAT });
        }
        let mut last = 0;
        for i in 0..buckets {
            last = last.max(self.u32(table + 4 * i, WHAT)? as usize);
        }
        if last < first {
            // Nothing is exported. GNU ld then writes 1 for the first, whatever is undefined.
            return Ok(first.max(unhashed));
        }
        loop {
            let at = chains.saturating_add(last.saturating_sub(first).saturating_mul(4));
            last += 1;
            if self.u32(at, WHAT)? & 1 != 0 {
                return Ok(last);
            }
        }
    }
}

fn string<'b>(
    bytes: &'b [u8],
    (start, size): (usize, usize),
    offset: u64,
    what: &'static str,
) -> Result<&'b str, Error> {
    let table = bytes.get(start..start.saturating_add(size)).ok_or(Error::Outside { what })?;
    let offset = usize::try_from(offset).map_err(|_| Error::Outside { what })?;
    let rest = table.get(offset..).ok_or(Error::Outside { what })?;
    let rest = &rest[..rest.len().min(LONGEST_STRING)];
    let end = rest.iter().position(|&b| b == 0).ok_or(Error::Malformed { what })?;
    std::str::from_utf8(&rest[..end]).map_err(|_| Error::Malformed { what })
}

fn text(bytes: &[u8], what: &'static str) -> Result<String, Error> {
    let end = bytes.iter().position(|&b| b == 0).unwrap_or(bytes.len());
    if end > LONGEST_STRING {
        return Err(Error::Malformed { what });
    }
    let text = std::str::from_utf8(&bytes[..end]).map_err(|_| Error::Malformed { what })?;
    Ok(text.to_owned())
}

fn arch(head: &Header) -> Option<Arch> {
    let is_64 = head.e_ident[header::EI_CLASS] == header::ELFCLASS64;
    let is_little = head.e_ident[header::EI_DATA] == header::ELFDATA2LSB;
    match (head.e_machine, is_64, is_little) {
        (header::EM_X86_64, true, true) => Some(Arch::X86_64),
        (header::EM_386, false, true) => Some(Arch::I686),
        (header::EM_AARCH64, true, true) => Some(Arch::Aarch64),
        (header::EM_ARM, false, true) => {
            // A hard-float library says so; one that says nothing passes no floats in registers
            // that matter, such as what Go and Rust write.
            let flags = head.e_flags;
            let is_eabi5 = flags & EF_ARM_EABI_MASK == EF_ARM_EABI_5;
            let is_soft = flags & EF_ARM_SOFT_FLOAT != 0 && flags & EF_ARM_HARD_FLOAT == 0;
            (is_eabi5 && !is_soft).then_some(Arch::Armv7l)
        }
        (header::EM_PPC64, true, true) => Some(Arch::Ppc64le),
        (header::EM_PPC64, true, false) => Some(Arch::Ppc64),
        (header::EM_S390, true, false) => Some(Arch::S390x),
        (header::EM_RISCV, true, true) => Some(Arch::Riscv64),
        (EM_LOONGARCH, true, true) => Some(Arch::Loongarch64),
        _ => None,
    }
}

/// LoongArch, which goblin has no name for.
const EM_LOONGARCH: u16 = 258;

#[cfg(test)]
#[path = "elf_tests.rs"]
mod tests;
