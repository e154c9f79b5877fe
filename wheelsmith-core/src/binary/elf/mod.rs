//! What an ELF file says of itself (System V gABI; LSB for symbol versions).
//!
//! Everything comes from the program headers and the dynamic segment, as the loader reads them:
//! section headers are hints that a file need not have, and may lie. Where an entry stands twice,
//! the last one counts, as it does for ld.so.

mod file;
mod symbols;
mod versions;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use goblin::container::{Container, Endian};
use goblin::elf::Elf as Goblin;
use goblin::elf::dynamic;
use goblin::elf::header::{self, Header};
use goblin::elf::program_header;
use serde::Serialize;

pub use symbols::Undefined;

use self::file::{Dynamic, File, Strings};
use self::symbols::SymbolTable;
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

/// How much of what the loader fills in is read-only afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Relro {
    /// Nothing (no PT_GNU_RELRO).
    None,
    /// All but the addresses of functions, which are found when first called.
    Partial,
    /// Everything: functions are found while loading (DT_BIND_NOW, DF_BIND_NOW, DF_1_NOW).
    Full,
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
    /// The symbol versions that it offers (DT_VERDEF), without the one that is its own name.
    pub defined_versions: BTreeSet<String>,
    /// Whether its stack may hold code (PT_GNU_STACK); nothing when it does not say.
    pub executable_stack: Option<bool>,
    /// Whether the loader must write into its code (DT_TEXTREL, DF_TEXTREL).
    pub text_relocations: bool,
    /// How much is read-only once it is loaded.
    pub relro: Relro,
    /// The linker's digest (NT_GNU_BUILD_ID), in hex digits.
    pub build_id: Option<String>,
    #[serde(skip)]
    symbols: Option<SymbolTable>,
}

/// DF_BIND_NOW in DT_FLAGS.
const DF_BIND_NOW: u64 = 8;
/// DF_TEXTREL in DT_FLAGS.
const DF_TEXTREL: u64 = 4;
/// DF_1_NOW in DT_FLAGS_1.
const DF_1_NOW: u64 = 1;
/// DF_1_PIE in DT_FLAGS_1.
const DF_1_PIE: u64 = 0x0800_0000;
const EF_ARM_EABI_MASK: u32 = 0xff00_0000;
const EF_ARM_EABI_5: u32 = 0x0500_0000;
const EF_ARM_SOFT_FLOAT: u32 = 0x0000_0200;
const EF_ARM_HARD_FLOAT: u32 = 0x0000_0400;
const NT_GNU_BUILD_ID: u32 = 3;
/// LoongArch, which goblin has no name for.
const EM_LOONGARCH: u16 = 258;

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
            defined_versions: BTreeSet::new(),
            executable_stack: None,
            text_relocations: false,
            relro: Relro::None,
            build_id: None,
            symbols: None,
        };
        elf.read_segments(&file)?;
        let dynamic = file.dynamic()?;
        if let Some(dynamic) = &dynamic {
            elf.read_dynamic(&file, dynamic)?;
        }
        let is_pie = dynamic.is_some_and(|d| d.has_flag(dynamic::DT_FLAGS_1, DF_1_PIE));
        elf.kind = match (head.e_type, &elf.interpreter) {
            (header::ET_EXEC | header::ET_DYN, Some(_)) if elf.soname.is_none() => Kind::Program,
            (header::ET_EXEC, None) => Kind::StaticProgram,
            (header::ET_DYN, None) if is_pie => Kind::StaticProgram,
            // libc.so.6 is a library that can be started as well.
            (header::ET_DYN, _) => Kind::SharedLibrary,
            (header::ET_REL, _) => Kind::Object,
            _ => Kind::Other,
        };
        Ok(elf)
    }

    /// The symbols that it takes from others, sorted. `bytes` is the file that was parsed.
    ///
    /// # Errors
    /// A symbol table that points outside the file, or whose names take more room than it.
    pub fn undefined_symbols(&self, bytes: &[u8]) -> Result<Vec<Undefined>, Error> {
        self.symbols.as_ref().map_or(Ok(Vec::new()), |table| table.undefined(bytes))
    }

    /// The names that it offers to others, sorted. `bytes` is the file that was parsed.
    ///
    /// # Errors
    /// A symbol table that points outside the file, or whose names take more room than it.
    pub fn exported_symbols(&self, bytes: &[u8]) -> Result<BTreeSet<String>, Error> {
        self.symbols.as_ref().map_or(Ok(BTreeSet::new()), |table| table.exported(bytes))
    }

    fn read_segments(&mut self, file: &File<'_>) -> Result<(), Error> {
        for segment in &file.segments {
            match segment.p_type {
                program_header::PT_INTERP => {
                    let path = file.slice(segment.p_offset, segment.p_filesz, "interpreter")?;
                    self.interpreter = Some(file::text(path, "interpreter")?);
                }
                program_header::PT_GNU_STACK => {
                    self.executable_stack = Some(segment.p_flags & program_header::PF_X != 0);
                }
                program_header::PT_GNU_RELRO => self.relro = Relro::Partial,
                // Notes are hints: broken ones keep nobody from loading the file.
                program_header::PT_NOTE if self.build_id.is_none() => {
                    let notes = file.slice(segment.p_offset, segment.p_filesz, "notes");
                    self.build_id = notes.ok().and_then(|notes| build_id(notes, file.ctx.le));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn read_dynamic(&mut self, file: &File<'_>, dynamic: &Dynamic) -> Result<(), Error> {
        self.text_relocations = dynamic.get(dynamic::DT_TEXTREL).is_some()
            || dynamic.has_flag(dynamic::DT_FLAGS, DF_TEXTREL);
        let binds_now = dynamic.get(dynamic::DT_BIND_NOW).is_some()
            || dynamic.has_flag(dynamic::DT_FLAGS, DF_BIND_NOW)
            || dynamic.has_flag(dynamic::DT_FLAGS_1, DF_1_NOW);
        if binds_now && self.relro == Relro::Partial {
            self.relro = Relro::Full;
        }
        let Some(place) = file.strings(dynamic)? else { return Ok(()) };
        let strings = Strings::new(file.bytes, place);
        let string = |offset: u64, what| strings.get(offset, what).map(str::to_owned);
        // An empty list is no list to the loader; an empty entry between colons is the directory
        // that the process happens to be in.
        let paths = |offset: u64, what| -> Result<Vec<String>, Error> {
            let text = strings.get(offset, what)?;
            Ok(text.split(':').filter(|_| !text.is_empty()).map(str::to_owned).collect())
        };
        for &(tag, value) in dynamic.entries() {
            match tag {
                dynamic::DT_NEEDED => self.needed.push(string(value, "needed library")?),
                dynamic::DT_SONAME => self.soname = Some(string(value, "SONAME")?),
                dynamic::DT_RPATH => self.rpath = paths(value, "RPATH")?,
                dynamic::DT_RUNPATH => self.runpath = paths(value, "RUNPATH")?,
                _ => {}
            }
        }
        let needed = versions::needed(file, dynamic, &strings)?;
        self.needed_versions = needed.by_library;
        self.defined_versions = versions::defined(file, dynamic, &strings)?;
        self.symbols = SymbolTable::find(file, dynamic, place, needed.by_number)?;
        Ok(())
    }
}

/// The digest in a segment of notes, each with three words (sizes of name and content, type), the
/// name, and the content, both padded to four bytes.
fn build_id(notes: &[u8], endian: Endian) -> Option<String> {
    use scroll::Pread as _;
    let mut at = 0_usize;
    loop {
        let word = |i: usize| notes.pread_with::<u32>(at.checked_add(4 * i)?, endian).ok();
        let (name_size, size, kind) = (word(0)? as usize, word(1)? as usize, word(2)?);
        let name = at.checked_add(12)?;
        let content = name.checked_add(name_size.checked_next_multiple_of(4)?)?;
        let end = content.checked_add(size)?;
        if kind == NT_GNU_BUILD_ID && notes.get(name..)?.starts_with(b"GNU\0") {
            // Twenty bytes as a rule; nobody's are more than 64.
            let digest = notes.get(content..end).filter(|d| !d.is_empty() && d.len() <= 64)?;
            let mut text = String::new();
            for byte in digest {
                _ = write!(text, "{byte:02x}");
            }
            return Some(text);
        }
        at = end.checked_next_multiple_of(4)?;
    }
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

#[cfg(test)]
mod tests;
