//! Facts of an ELF file (System V gABI; LSB for symbol versions).
//!
//! All facts come from the program headers and the dynamic segment, as the loader reads them.
//! Section headers are hints that a file may omit and that may be wrong. If a dynamic entry occurs
//! twice, the last one counts, as for ld.so.

#[cfg(feature = "audit")]
mod extent;
mod file;
mod headers;
mod labels;
mod notes;
#[cfg(feature = "build")]
mod relocations;
#[cfg(feature = "project")]
mod sections;
mod symbols;
mod versions;

use std::collections::{BTreeMap, BTreeSet};

use goblin::container::Endian;
use goblin::elf::Elf as Goblin;
use goblin::elf::dynamic;
use goblin::elf::header::{self, Header};
use goblin::elf::program_header;
use serde::Serialize;

#[cfg(feature = "audit")]
pub(crate) use self::extent::extent;
use self::file::{Dynamic, File, Strings};
#[cfg(feature = "build")]
pub(crate) use self::headers::{Headers, file_offset};
use self::notes::Notes;
#[cfg(feature = "build")]
pub(crate) use self::relocations::fixed_address;
#[cfg(feature = "project")]
pub(crate) use self::sections::sections;
use self::symbols::SymbolTable;
use super::symbols::Symbols;
use super::{Content, Error};
use crate::name::Arch;

/// Kind of an ELF file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ElfKind"))]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Program that the kernel starts through a loader.
    Program,
    /// Program that the kernel starts without a loader.
    StaticProgram,
    /// Library that is loaded into a process.
    SharedLibrary,
    /// Object file that is not linked yet.
    Object,
    /// Core dump, or another type.
    Other,
}

/// Extent to which relocated data is read-only after loading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Relro {
    /// Not at all (no PT_GNU_RELRO).
    None,
    /// All data except the addresses of functions, which are resolved at their first call.
    Partial,
    /// All data: functions are resolved while loading (DT_BIND_NOW, DF_BIND_NOW, DF_1_NOW).
    Full,
}

/// Registers in which functions receive floating-point arguments. Files that differ in this cannot
/// be linked to each other or loaded into one process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum FloatAbi {
    /// Integer registers.
    Soft,
    /// Floating-point registers for 32 bits.
    Single,
    /// Floating-point registers for 64 bits; named `hard` on Arm.
    Double,
    /// Floating-point registers for 128 bits.
    Quad,
}

/// Facts of an ELF file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[allow(clippy::struct_excessive_bools, reason = "the headers are a set of flags")]
pub struct Elf {
    /// Kind of the file.
    pub kind: Kind,
    /// Processor; `None` for one that no platform tag names.
    pub arch: Option<Arch>,
    /// `e_machine`, for messages about an unknown processor.
    pub machine: u16,
    /// Registers for floating-point arguments, on processors with a choice (Arm, RISC-V,
    /// LoongArch); `None` if the file does not state them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub float_abi: Option<FloatAbi>,
    /// True if addresses have 64 bits.
    pub is_64_bit: bool,
    /// True if numbers are little-endian.
    pub is_little_endian: bool,
    /// Requested loader (PT_INTERP).
    pub interpreter: Option<String>,
    /// DT_SONAME.
    pub soname: Option<String>,
    /// DT_NEEDED, in order.
    pub needed: Vec<String>,
    /// DT_RPATH, split at `:`.
    pub rpath: Vec<String>,
    /// DT_RUNPATH, split at `:`.
    pub runpath: Vec<String>,
    /// Needed symbol versions, by library (DT_VERNEED): `libc.so.6` -> `GLIBC_2.17`.
    pub needed_versions: BTreeMap<String, BTreeSet<String>>,
    /// Defined symbol versions (DT_VERDEF), without the one that names the file itself.
    pub defined_versions: BTreeSet<String>,
    /// True if the stack is executable (PT_GNU_STACK); `None` if the file does not state it.
    pub executable_stack: Option<bool>,
    /// True if the loader must write into the code (DT_TEXTREL, DF_TEXTREL).
    pub text_relocations: bool,
    /// True if the file has packed relocations (DT_RELR), which loaders apply from glibc 2.36, musl
    /// 1.2.4 and Android 11 on.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(feature = "schema", schemars(default))]
    pub packed_relocations: bool,
    /// Extent to which relocated data is read-only after loading.
    pub relro: Relro,
    /// True if the file is a program that can be loaded at any address.
    pub is_pie: bool,
    /// Digest written by the linker (NT_GNU_BUILD_ID), in hex digits.
    pub build_id: Option<String>,
    /// x86-64 level that the loader requires of the processor, 2 to 4 (psABI, "x86-64-v2";
    /// GNU_PROPERTY_X86_ISA_1_NEEDED); `None` for the baseline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub x86_64_level: Option<u8>,
    /// Android API level that the file was built for (`.note.android.ident`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub android_api: Option<u32>,
    /// Smallest and largest alignment of the loaded segments, in bytes; `None` if there is no
    /// loaded segment.
    pub alignment_bytes: Option<(u64, u64)>,
    /// Number of bytes at the end of the file that the loader never reads, without the section
    /// headers: symbols for the linker, debug information, or appended data.
    pub unloaded_bytes: u64,
    /// True if the file has section headers. Some tools need them; the loader does not.
    pub has_section_headers: bool,
    /// Functions of a static glibc program that load libraries: `getaddrinfo`, `getpwnam`. Also
    /// empty if the names of the functions were stripped. `dlopen` if a static program of musl has
    /// it; that of glibc is never listed, because every such program has it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub static_openers: Vec<String>,
    #[serde(skip)]
    symbols: Option<SymbolTable>,
}

/// DT_RELRSZ and DT_RELR, for which goblin has no names.
const DT_RELRSZ: u64 = 35;
const DT_RELR: u64 = 36;
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
/// Float ABI in the flags of RISC-V: 0 soft, 2 single, 4 double, 6 quad.
const EF_RISCV_FLOAT_ABI: u32 = 6;
/// ABI in the flags of LoongArch: 1 soft, 2 single, 3 double.
const EF_LOONGARCH_ABI: u32 = 7;
/// Machine number of LoongArch, for which goblin has no name.
const EM_LOONGARCH: u16 = 258;

impl Elf {
    /// Reads the facts of a file.
    ///
    /// # Errors
    /// Returns an error if the file is truncated or its parts point outside it.
    pub fn parse<'b>(content: impl Into<Content<'b>>) -> Result<Self, Error> {
        let file = File::new(content.into())?;
        let head = &file.headers.file;
        let mut elf = Self {
            kind: Kind::Other,
            arch: arch(head),
            machine: head.e_machine,
            float_abi: float_abi(head),
            is_64_bit: file.headers.is_64_bit(),
            is_little_endian: file.headers.ctx.le == Endian::Little,
            interpreter: None,
            soname: None,
            needed: Vec::new(),
            rpath: Vec::new(),
            runpath: Vec::new(),
            needed_versions: BTreeMap::new(),
            defined_versions: BTreeSet::new(),
            executable_stack: None,
            text_relocations: false,
            packed_relocations: false,
            relro: Relro::None,
            is_pie: false,
            build_id: None,
            x86_64_level: None,
            android_api: None,
            alignment_bytes: None,
            unloaded_bytes: unloaded_bytes(&file),
            has_section_headers: head.e_shnum != 0,
            static_openers: Vec::new(),
            symbols: None,
        };
        let notes = elf.read_segments(&file)?;
        let dynamic = file.dynamic()?;
        if let Some(dynamic) = &dynamic {
            elf.read_dynamic(&file, dynamic)?;
        }
        let is_pie = dynamic.is_some_and(|d| d.has_flag(dynamic::DT_FLAGS_1, DF_1_PIE));
        elf.kind = match (head.e_type, &elf.interpreter) {
            (header::ET_EXEC | header::ET_DYN, Some(_)) if elf.soname.is_none() => Kind::Program,
            (header::ET_EXEC, None) => Kind::StaticProgram,
            (header::ET_DYN, None) if is_pie => Kind::StaticProgram,
            // libc.so.6 is a library that can also be started.
            (header::ET_DYN, _) => Kind::SharedLibrary,
            (header::ET_REL, _) => Kind::Object,
            _ => Kind::Other,
        };
        let is_program = matches!(elf.kind, Kind::Program | Kind::StaticProgram);
        elf.is_pie = is_program && head.e_type == header::ET_DYN;
        if elf.kind == Kind::StaticProgram && notes.has_abi_tag {
            elf.static_openers = labels::openers(&file).unwrap_or_default();
        } else if elf.kind == Kind::StaticProgram && labels::has_dlopen_of_musl(&file) {
            elf.static_openers.push("dlopen".to_owned());
        }
        Ok(elf)
    }

    /// Returns the undefined and exported symbols. `content` is the file that was parsed.
    ///
    /// # Errors
    /// Returns an error if the symbol table points outside the file, or if the total length of its
    /// names exceeds the limit for its size.
    pub fn symbols<'b>(&self, content: impl Into<Content<'b>>) -> Result<Symbols, Error> {
        self.symbols.as_ref().map_or_else(|| Ok(Symbols::default()), |s| s.read(content.into()))
    }

    fn read_segments(&mut self, file: &File<'_>) -> Result<Notes, Error> {
        let mut notes = Notes::default();
        for segment in &file.headers.segments {
            match segment.p_type {
                // The kernel uses the first one.
                program_header::PT_INTERP if self.interpreter.is_none() => {
                    const WHAT: &str = "interpreter";
                    let size = segment.p_filesz;
                    if size > file::LONGEST_STRING as u64 {
                        return Err(Error::Malformed { what: WHAT });
                    }
                    let path = file.bytes.slice(segment.p_offset, size, WHAT)?;
                    self.interpreter = Some(file::text(path, WHAT)?);
                }
                program_header::PT_GNU_STACK => {
                    self.executable_stack = Some(segment.p_flags & program_header::PF_X != 0);
                }
                program_header::PT_GNU_RELRO => self.relro = Relro::Partial,
                program_header::PT_LOAD => {
                    let align = segment.p_align.max(1);
                    let (least, most) = self.alignment_bytes.unwrap_or((align, align));
                    self.alignment_bytes = Some((least.min(align), most.max(align)));
                }
                program_header::PT_NOTE => {
                    let size = segment.p_filesz.min(notes::LARGEST);
                    if let Ok(bytes) = file.bytes.slice(segment.p_offset, size, "notes") {
                        notes.read(bytes, segment.p_align, file.headers.ctx.le);
                    }
                }
                _ => {}
            }
        }
        self.build_id = notes.build_id.take();
        self.android_api = notes.android_api;
        let levels = notes.x86_levels.filter(|_| self.arch == Some(Arch::X86_64));
        let level = levels.and_then(|levels| (2..=4).rfind(|n| levels >> (n - 1) & 1 != 0));
        self.x86_64_level = level;
        Ok(notes)
    }

    fn read_dynamic(&mut self, file: &File<'_>, dynamic: &Dynamic) -> Result<(), Error> {
        self.text_relocations = dynamic.get(dynamic::DT_TEXTREL).is_some()
            || dynamic.has_flag(dynamic::DT_FLAGS, DF_TEXTREL);
        self.packed_relocations =
            dynamic.get(DT_RELR).is_some() && dynamic.get(DT_RELRSZ).is_some_and(|size| size > 0);
        let binds_now = dynamic.get(dynamic::DT_BIND_NOW).is_some()
            || dynamic.has_flag(dynamic::DT_FLAGS, DF_BIND_NOW)
            || dynamic.has_flag(dynamic::DT_FLAGS_1, DF_1_NOW);
        if binds_now && self.relro == Relro::Partial {
            self.relro = Relro::Full;
        }
        let Some(place) = file.strings(dynamic)? else { return Ok(()) };
        file.want_tables(dynamic);
        let strings = Strings::new(file.bytes, place)?;
        let string = |offset: u64, what| strings.get(offset, what).map(str::to_owned);
        // The loader ignores an empty list; an empty entry between colons stands for the current
        // directory of the process.
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

/// Returns the number of bytes after all segments, without the section headers.
fn unloaded_bytes(file: &File<'_>) -> u64 {
    let head = &file.headers.file;
    let ends = file.headers.segments.iter().map(|s| s.p_offset.saturating_add(s.p_filesz));
    let Some(end) = ends.max() else { return 0 };
    let rest = file.bytes.size().saturating_sub(end);
    let headers = u64::from(head.e_shnum) * u64::from(head.e_shentsize);
    let is_behind = head.e_shoff >= end && head.e_shoff < file.bytes.size();
    rest.saturating_sub(if is_behind { headers } else { 0 })
}

fn float_abi(head: &Header) -> Option<FloatAbi> {
    let flags = head.e_flags;
    match head.e_machine {
        header::EM_ARM => match (flags & EF_ARM_SOFT_FLOAT, flags & EF_ARM_HARD_FLOAT) {
            (_, 1..) => Some(FloatAbi::Double),
            (1.., 0) => Some(FloatAbi::Soft),
            // A hard-float library has a flag. Libraries without any flag pass no floating-point
            // arguments at their interface, such as those written by Go and Rust.
            (0, 0) => None,
        },
        header::EM_RISCV => match flags & EF_RISCV_FLOAT_ABI {
            0 => Some(FloatAbi::Soft),
            2 => Some(FloatAbi::Single),
            4 => Some(FloatAbi::Double),
            _ => Some(FloatAbi::Quad),
        },
        EM_LOONGARCH => match flags & EF_LOONGARCH_ABI {
            1 => Some(FloatAbi::Soft),
            2 => Some(FloatAbi::Single),
            3 => Some(FloatAbi::Double),
            _ => None,
        },
        _ => None,
    }
}

/// Returns `e_machine` and the processor that it stands for, from the header at the start of
/// `head`.
pub(super) fn machine(head: &[u8]) -> Option<(u16, Option<Arch>)> {
    let head = Goblin::parse_header(head).ok()?;
    Some((head.e_machine, arch(&head)))
}

fn arch(head: &Header) -> Option<Arch> {
    let is_64 = head.e_ident[header::EI_CLASS] == header::ELFCLASS64;
    let is_little = head.e_ident[header::EI_DATA] == header::ELFDATA2LSB;
    match (head.e_machine, is_64, is_little) {
        (header::EM_X86_64, true, true) => Some(Arch::X86_64),
        (header::EM_386, false, true) => Some(Arch::I686),
        (header::EM_AARCH64, true, true) => Some(Arch::Aarch64),
        (header::EM_ARM, false, true) => {
            (head.e_flags & EF_ARM_EABI_MASK == EF_ARM_EABI_5).then_some(Arch::Armv7l)
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
