//! What a PE file says of itself (Microsoft's "PE Format").
//!
//! Addresses become file offsets through the section table, as the loader maps them. Read are the
//! headers, the imports, the exports and the first bytes of the load configuration; resources,
//! relocations and debug information are left alone.

mod exports;
mod image;
mod imports;

use goblin::pe::header as coff;
use serde::Serialize;

pub use imports::Import;

use self::image::Image;
use super::{Content, Error};
use crate::name::{Arch, PlatformVersion};

/// What a PE file says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[allow(clippy::struct_excessive_bools, reason = "the header is a set of flags")]
pub struct Pe {
    /// What it is for.
    pub kind: Kind,
    /// Whose processes can load it; nothing for one that no platform tag names. ARM64EC is none:
    /// neither x86-64 machines nor native processes of Arm machines take it.
    pub arch: Option<Arch>,
    /// `Machine` of the file header, for messages about the former.
    pub machine: u16,
    /// Whether it holds code for two processors.
    pub hybrid: Option<Hybrid>,
    /// Whether addresses have 64 bits (PE32+).
    pub is_64_bit: bool,
    /// What it runs on: 2 and 3 for Windows with and without windows, 1 for drivers, 10 to 13 for
    /// firmware.
    pub subsystem: u16,
    /// The oldest Windows by its internal number: `6.0` for Vista.
    pub subsystem_version: PlatformVersion,
    /// The name under which it exports (its own, as the linker knew it).
    pub export_name: Option<String>,
    /// The libraries that it loads, in order.
    pub imports: Vec<Import>,
    /// The names that it exports, sorted.
    #[serde(skip)]
    pub exports: Vec<String>,
    /// How many of its exports are another library's.
    pub forwarders: usize,
    /// Whether its data cannot be run (NX_COMPAT).
    pub no_execute: bool,
    /// Whether it can be loaded at any address: it allows that (DYNAMIC_BASE), and still has what it
    /// takes (no IMAGE_FILE_RELOCS_STRIPPED).
    pub dynamic_base: bool,
    /// Whether that address may have more than 32 bits (HIGH_ENTROPY_VA).
    pub high_entropy: bool,
    /// Whether indirect calls are checked (GUARD_CF).
    pub control_flow_guard: bool,
    /// Whether its libraries may come from the directory of Windows alone (`/DEPENDENTLOADFLAG`).
    pub system_libraries_only: bool,
    /// Whether it carries a signature. Nobody looked whether that is right.
    pub is_signed: bool,
    /// Whether its code is for .NET.
    pub is_dotnet: bool,
}

/// What a PE file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "PeKind"))]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Started by Windows.
    Program,
    /// Loaded into a process: `.dll` and `.pyd`.
    SharedLibrary,
    /// Drivers, firmware, and what the format leaves open.
    Other,
}

/// Code for two processors in one file (CHPE metadata).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Hybrid {
    /// For emulated x86-64 processes of Arm machines.
    Arm64Ec,
    /// For those, and for native processes of Arm machines.
    Arm64X,
}

/// Indexes into the data directories.
mod directory {
    pub(super) const EXPORTS: usize = 0;
    pub(super) const IMPORTS: usize = 1;
    pub(super) const SIGNATURE: usize = 4;
    pub(super) const LOAD_CONFIG: usize = 10;
    pub(super) const DELAY_IMPORTS: usize = 13;
    pub(super) const DOTNET: usize = 14;
}

const IMAGE_FILE_RELOCS_STRIPPED: u16 = 1;
const IMAGE_FILE_EXECUTABLE_IMAGE: u16 = 2;
const IMAGE_FILE_DLL: u16 = 0x2000;
const HIGH_ENTROPY_VA: u16 = 0x20;
const DYNAMIC_BASE: u16 = 0x40;
const NX_COMPAT: u16 = 0x100;
const GUARD_CF: u16 = 0x4000;
/// LOAD_LIBRARY_SEARCH_SYSTEM32.
const SEARCH_SYSTEM32: u16 = 0x800;
/// The subsystems of programs: windows, console, and the old POSIX one.
const FOR_USERS: [u16; 3] = [2, 3, 7];

impl Pe {
    /// Reads the facts of a file.
    ///
    /// # Errors
    /// A file that is cut short, or whose parts point outside it.
    pub fn parse<'b>(content: impl Into<Content<'b>>) -> Result<Self, Error> {
        let image = Image::new(content.into())?;
        // All of them before the first error: then it is known at once what is missing of each.
        let load = LoadConfig::read(&image);
        let exports = exports::read(&image);
        let imports = imports::read(&image)?;
        let (load, exports) = (load?, exports?);
        let hybrid = match image.machine {
            _ if !load.is_hybrid => None,
            coff::COFF_MACHINE_X86_64 => Some(Hybrid::Arm64Ec),
            coff::COFF_MACHINE_ARM64 => Some(Hybrid::Arm64X),
            _ => None,
        };
        let arch = match (image.machine, hybrid) {
            (_, Some(Hybrid::Arm64Ec)) => None,
            (coff::COFF_MACHINE_X86, _) => Some(Arch::I686),
            (coff::COFF_MACHINE_X86_64, _) => Some(Arch::X86_64),
            (coff::COFF_MACHINE_ARM64, _) => Some(Arch::Aarch64),
            _ => None,
        };
        let kind = match image.characteristics {
            flags if flags & IMAGE_FILE_EXECUTABLE_IMAGE == 0 => Kind::Other,
            flags if flags & IMAGE_FILE_DLL != 0 => Kind::SharedLibrary,
            _ if FOR_USERS.contains(&image.subsystem) => Kind::Program,
            _ => Kind::Other,
        };
        let has = |flag| image.dll_characteristics & flag != 0;
        let (signature, size) = image.directory(directory::SIGNATURE);
        if size > 0 {
            // The only directory that is a place in the file.
            image.file.holds(signature.into(), size.into(), "signature")?;
        }
        Ok(Self {
            kind,
            arch,
            machine: image.machine,
            hybrid,
            is_64_bit: image.is_64_bit,
            subsystem: image.subsystem,
            subsystem_version: image.subsystem_version,
            export_name: exports.library,
            imports,
            exports: exports.names,
            forwarders: exports.forwarders,
            no_execute: has(NX_COMPAT),
            dynamic_base: has(DYNAMIC_BASE)
                && image.characteristics & IMAGE_FILE_RELOCS_STRIPPED == 0,
            high_entropy: has(HIGH_ENTROPY_VA),
            control_flow_guard: has(GUARD_CF),
            system_libraries_only: load.dependent_load_flags == SEARCH_SYSTEM32,
            is_signed: size > 0,
            is_dotnet: image.directory(directory::DOTNET).1 > 0,
        })
    }

    /// Its processor in words: `x86`, `x64`, `arm64`, `ARM64EC`.
    pub fn machine_name(&self) -> String {
        match (self.machine, self.hybrid) {
            (_, Some(Hybrid::Arm64Ec)) => "ARM64EC".to_owned(),
            (coff::COFF_MACHINE_X86, _) => "x86".to_owned(),
            (coff::COFF_MACHINE_X86_64, _) => "x64".to_owned(),
            (coff::COFF_MACHINE_ARM64, _) => "arm64".to_owned(),
            (other, _) => format!("machine {other:#x}"),
        }
    }
}

/// The parts of the load configuration that a verdict needs.
#[derive(Default)]
struct LoadConfig {
    dependent_load_flags: u16,
    is_hybrid: bool,
}

impl LoadConfig {
    fn read(image: &Image<'_>) -> Result<Self, Error> {
        const WHAT: &str = "load configuration";
        let (address, directory_size) = image.directory(directory::LOAD_CONFIG);
        if address == 0 || directory_size == 0 {
            return Ok(Self::default());
        }
        let at = image.offset(address, WHAT)?;
        // The structure has grown with every Windows; its own first word says how far it goes.
        let size = image.file.u32(at, WHAT)?;
        let (flags_at, hybrid_at) = if image.is_64_bit { (0x4e, Some(0xc8)) } else { (0x36, None) };
        let mut found = Self::default();
        if size >= flags_at + 2 {
            found.dependent_load_flags = image.file.u16(at + u64::from(flags_at), WHAT)?;
        }
        if let Some(hybrid_at) = hybrid_at.filter(|hybrid_at| size >= hybrid_at + 8) {
            found.is_hybrid = image.file.u64(at + u64::from(hybrid_at), WHAT)? != 0;
        }
        Ok(found)
    }
}

#[cfg(test)]
#[path = "pe_tests.rs"]
mod tests;
