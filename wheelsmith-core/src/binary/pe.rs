//! Facts of a PE file (Microsoft's "PE Format").
//!
//! Addresses are converted to file offsets through the section table, as the loader maps them.
//! Reads the headers, the imports, the exports and the first bytes of the load configuration, but
//! not resources, relocations and debug information.

mod exports;
#[cfg(feature = "audit")]
mod extent;
mod image;
mod imports;

use goblin::pe::header as coff;
use serde::Serialize;

#[cfg(feature = "audit")]
pub(crate) use extent::{extent, start};
pub use imports::Import;

use self::image::Image;
use super::{Content, Error};
use crate::name::{Arch, PlatformVersion};

/// Facts of a PE file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[allow(clippy::struct_excessive_bools, reason = "the header is a set of flags")]
pub struct Pe {
    /// Kind of the file.
    pub kind: Kind,
    /// Processor whose processes can load it; `None` for one that no platform tag names. ARM64EC is
    /// `None`, because neither x86-64 machines nor native processes of Arm machines load it.
    pub arch: Option<Arch>,
    /// `Machine` of the file header, for messages about an unknown processor.
    pub machine: u16,
    /// Type of hybrid if the file contains code for two processors.
    pub hybrid: Option<Hybrid>,
    /// True if addresses have 64 bits (PE32+).
    pub is_64_bit: bool,
    /// Environment that it needs: 2 for Windows programs with a graphical interface, 3 for console
    /// programs, 1 for drivers, 10 to 13 for firmware.
    pub subsystem: u16,
    /// Oldest supported Windows, by internal version number: `6.0` for Vista.
    pub subsystem_version: PlatformVersion,
    /// Name in the export table: the file name that the linker used.
    pub export_name: Option<String>,
    /// Libraries that it loads, in order.
    pub imports: Vec<Import>,
    /// Exported names, sorted.
    #[serde(skip)]
    pub exports: Vec<String>,
    /// Number of exports that are forwarded to another library.
    pub forwarders: usize,
    /// True if its data cannot be executed (NX_COMPAT).
    pub no_execute: bool,
    /// True if it can be loaded at any address: it has DYNAMIC_BASE, and its relocations were not
    /// stripped (no IMAGE_FILE_RELOCS_STRIPPED).
    pub dynamic_base: bool,
    /// True if that address may exceed 32 bits (HIGH_ENTROPY_VA).
    pub high_entropy: bool,
    /// True if indirect calls are checked (GUARD_CF).
    pub control_flow_guard: bool,
    /// True if its libraries may come only from the system directory of Windows
    /// (`/DEPENDENTLOADFLAG`).
    pub system_libraries_only: bool,
    /// True if it has a signature. The signature is not verified.
    pub is_signed: bool,
    /// True if its code is for .NET.
    pub is_dotnet: bool,
}

/// Kind of a PE file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "PeKind"))]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Program that Windows starts.
    Program,
    /// Library that is loaded into a process: `.dll` and `.pyd`.
    SharedLibrary,
    /// Driver, firmware, or another type.
    Other,
}

/// Type of file with code for two processors (CHPE metadata).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Hybrid {
    /// For emulated x86-64 processes of Arm machines.
    Arm64Ec,
    /// For emulated x86-64 processes and for native processes of Arm machines.
    Arm64X,
}

/// Indices of the data directories.
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
/// Subsystems of programs: graphical, console, and the old POSIX one.
const FOR_USERS: [u16; 3] = [2, 3, 7];

impl Pe {
    /// Reads the facts of a file.
    ///
    /// # Errors
    /// Returns an error if the file is truncated or its parts point outside it.
    pub fn parse<'b>(content: impl Into<Content<'b>>) -> Result<Self, Error> {
        let image = Image::new(content.into())?;
        // Read all tables before the first error, so that the missing ranges of each are recorded
        // at once.
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
            // The only directory that is addressed by file offset.
            image.file.check_range(signature.into(), size.into(), "signature")?;
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

    /// Returns the name of the processor: `x86`, `x64`, `arm64`, `ARM64EC`.
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

/// Parts of the load configuration that a verdict needs.
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
        // The structure has grown with Windows releases; its first word gives its size.
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
