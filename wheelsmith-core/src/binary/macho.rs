//! Facts of a Mach-O file (Apple's `mach-o/loader.h`, `mach-o/fat.h`).
//!
//! Reads the load commands in order, the code signature that they point to, and, on request, the
//! symbols.

mod commands;
mod cpu;
#[cfg(feature = "audit")]
mod extent;
mod nlist;
mod pages;
mod signature;
mod trie;

use scroll::BE;
use serde::Serialize;

#[cfg(feature = "audit")]
pub(crate) use extent::{extent, slice_offsets};
pub use nlist::{Origin, SliceSymbols, symbols};
pub use pages::{PageCheck, Pages};
pub use signature::Signature;

use super::bytes::Bytes;
use super::{Content, Error};
use crate::name::{Arch, PlatformVersion};

/// Facts of a Mach-O file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MachO {
    /// True if the file is a container of slices, even of a single one.
    pub is_universal: bool,
    /// Facts for each processor, in the order of the file.
    pub slices: Vec<Slice>,
}

/// Facts of a Mach-O file for one processor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[allow(clippy::struct_excessive_bools, reason = "the header is a set of flags")]
pub struct Slice {
    /// Kind of the slice.
    pub kind: Kind,
    /// Processor; `None` for one that no platform tag names. This includes `arm64e` and `x86_64h`,
    /// because not every process of the family can load them.
    pub arch: Option<Arch>,
    /// Processor in Apple's terms: `x86_64`, `arm64`, `arm64e`.
    pub cpu: String,
    /// True if addresses have 64 bits.
    pub is_64_bit: bool,
    /// True if numbers are little-endian.
    pub is_little_endian: bool,
    /// Name under which other files load it (LC_ID_DYLIB).
    pub install_name: Option<String>,
    /// Libraries that it loads, in order.
    pub needed: Vec<Needed>,
    /// Directories that `@rpath` stands for (LC_RPATH), in order.
    pub rpaths: Vec<String>,
    /// Systems that it is built for (LC_BUILD_VERSION, LC_VERSION_MIN_*). Files for both macOS and
    /// Mac Catalyst have two; old files have none.
    pub builds: Vec<Build>,
    /// True if it can be loaded at any address (MH_PIE); only programs have this flag.
    pub position_independent: bool,
    /// True if its stack is executable (MH_ALLOW_STACK_EXECUTION).
    pub executable_stack: bool,
    /// Code signature.
    pub signature: Option<Signature>,
}

/// Kind of a slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "MachOKind"))]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Program that the kernel starts through dyld.
    Program,
    /// Library that is loaded into a process, by dyld or by name (MH_DYLIB).
    SharedLibrary,
    /// Library that is loaded into a process only by name (MH_BUNDLE), like most extension modules.
    Bundle,
    /// Object file that is not linked yet.
    Object,
    /// Debug information without code (MH_DSYM).
    DebugInfo,
    /// A static library inside a universal file.
    Archive,
    /// Another type.
    Other,
}

impl Kind {
    /// True if a system maps it into a process.
    pub const fn is_loaded(self) -> bool {
        matches!(self, Self::Program | Self::SharedLibrary | Self::Bundle)
    }
}

/// A library that a slice loads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Needed {
    /// Install name: `/usr/lib/libSystem.B.dylib`, `@rpath/libz.dylib`.
    pub name: String,
    /// Way in which it is loaded.
    pub kind: Load,
}

/// Way in which a library is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Load {
    /// Together with the file; loading fails without it (`LC_LOAD_DYLIB`).
    Required,
    /// Together with the file, which also works without it (`LC_LOAD_WEAK_DYLIB`).
    Weak,
    /// Re-exported library (`LC_REEXPORT_DYLIB`).
    Reexport,
    /// Upward dependency: the library needs the file in turn (`LC_LOAD_UPWARD_DYLIB`).
    Upward,
    /// On first use (`LC_LAZY_LOAD_DYLIB`).
    Lazy,
}

/// A system that a slice is built for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Build {
    /// System.
    pub platform: Platform,
    /// Oldest release of the system, without the third part of the version.
    pub minimum: PlatformVersion,
    /// Version of the SDK; `None` if the linker did not record it.
    pub sdk: Option<PlatformVersion>,
}

/// Apple system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Platform {
    /// macOS.
    MacOs,
    /// Mac Catalyst: iOS programs inside macOS.
    MacCatalyst,
    /// iOS and iPadOS.
    Ios,
    /// tvOS.
    TvOs,
    /// watchOS.
    WatchOs,
    /// visionOS.
    VisionOs,
    /// Drivers of macOS.
    DriverKit,
    /// Simulator of any of these systems.
    Simulator,
    /// Firmware, or a newer system.
    Other,
}

impl std::fmt::Display for Platform {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::MacOs => "macOS",
            Self::MacCatalyst => "Mac Catalyst",
            Self::Ios => "iOS",
            Self::TvOs => "tvOS",
            Self::WatchOs => "watchOS",
            Self::VisionOs => "visionOS",
            Self::DriverKit => "DriverKit",
            Self::Simulator => "a simulator",
            Self::Other => "another system of Apple's",
        })
    }
}

const FAT_MAGIC: u32 = 0xcafe_babe;
/// Magic number of a universal file with 64-bit offsets, for which goblin has no name.
const FAT_MAGIC_64: u32 = 0xcafe_babf;
/// Maximum number of slices; `Format::of` uses the same limit.
const MOST_SLICES: u32 = 39;
/// Size of the first read, in bytes. Headers and commands of most files are smaller.
const MOST_HEADERS: u64 = 4096;
/// First bytes of a static library.
const ARCHIVE: &[u8] = b"!<arch>\n";

impl MachO {
    /// Reads the facts of a file.
    ///
    /// A file that is in memory as a whole is compared with its signatures immediately. The pages
    /// of a file in pieces are not requested: see [`MachO::page_checks`].
    ///
    /// # Errors
    /// Returns an error if the file is truncated or its parts point outside it.
    pub fn parse<'b>(content: impl Into<Content<'b>>) -> Result<Self, Error> {
        const WHAT: &str = "list of slices";
        let file = Bytes::new(content, BE);
        file.want(0, MOST_HEADERS);
        let magic = file.u32(0, "file header")?;
        if magic != FAT_MAGIC && magic != FAT_MAGIC_64 {
            return Ok(Self { is_universal: false, slices: vec![Slice::read(file, 0)?] });
        }
        let count = file.u32(4, WHAT)?;
        if count > MOST_SLICES {
            return Err(Error::TooMany { what: "slices", count: count.into() });
        }
        let places = (0..count.into())
            .map(|index| Place::read(file, magic == FAT_MAGIC_64, index))
            .collect::<Result<Vec<Place>, Error>>()?;
        // Linkers never let slices share bytes; such a file would be read many times over.
        let mut ranges: Vec<_> = places.iter().map(|p| (p.offset, p.offset + p.size)).collect();
        ranges.sort_unstable();
        if ranges.windows(2).any(|pair| pair[1].0 < pair[0].1) {
            return Err(Error::Malformed { what: WHAT });
        }
        // Read all slices before the first error, so that the missing ranges of each are recorded
        // at once.
        let slices: Vec<_> = places.iter().map(|place| place.slice(file)).collect();
        Ok(Self { is_universal: true, slices: slices.into_iter().collect::<Result<_, Error>>()? })
    }

    /// Returns the comparisons with the signatures that are still to be made; empty for a file that
    /// was read as a whole.
    ///
    /// ```
    /// # use wheelsmith_core::binary::macho::MachO;
    /// # fn compare(file: &[u8], macho: &mut MachO) {
    /// for mut check in macho.page_checks() {
    ///     let range = check.range();
    ///     for part in file[range.start as usize..range.end as usize].chunks(65_536) {
    ///         check.update(part);
    ///     }
    ///     macho.set_pages(check.slice(), check.finish());
    /// }
    /// # }
    /// ```
    pub fn page_checks(&self) -> Vec<PageCheck> {
        let signatures = self.slices.iter().map(|slice| slice.signature.as_ref());
        let checks = signatures.enumerate().filter_map(|(i, signature)| signature?.page_check(i));
        checks.collect()
    }

    /// Stores the result of the comparison for the slice at index `slice`.
    pub fn set_pages(&mut self, slice: usize, pages: Pages) {
        let slice = self.slices.get_mut(slice);
        if let Some(signature) = slice.and_then(|slice| slice.signature.as_mut()) {
            signature.set_pages(pages);
        }
    }

    /// Returns the slice for `arch`.
    pub fn slice(&self, arch: Arch) -> Option<&Slice> {
        self.slices.iter().find(|slice| slice.arch == Some(arch))
    }

    /// Returns the processors in Apple's terms: `x86_64, arm64`.
    pub fn cpus(&self) -> String {
        self.slices.iter().map(|slice| slice.cpu.as_str()).collect::<Vec<_>>().join(", ")
    }
}

/// An entry of the list of slices.
struct Place {
    cpu: (u32, u32),
    offset: u64,
    size: u64,
}

impl Place {
    fn read(file: Bytes<'_>, is_wide: bool, index: u64) -> Result<Self, Error> {
        const WHAT: &str = "list of slices";
        // fat_arch: cputype, cpusubtype, offset, size, align. In fat_arch_64, offset and size have
        // 64 bits, and a reserved word follows.
        let at = 8 + index * if is_wide { 32 } else { 20 };
        let cpu = (file.u32(at, WHAT)?, file.u32(at + 4, WHAT)?);
        let offset = file.word(at + 8, is_wide, WHAT)?;
        let size = file.word(at + if is_wide { 16 } else { 12 }, is_wide, WHAT)?;
        file.check_range(offset, size, "slice")?;
        Ok(Self { cpu, offset, size })
    }

    fn slice(&self, file: Bytes<'_>) -> Result<Slice, Error> {
        let bytes = file.window(self.offset, self.size, "slice")?;
        let slice = if bytes.up_to(0, 8, "slice")? == ARCHIVE {
            Slice::empty(Kind::Archive, self.cpu)
        } else {
            Slice::read(bytes, self.offset)?
        };
        // dyld selects a slice by the list and then refuses it if its own header differs.
        if slice.cpu != cpu::cpu_name(self.cpu) {
            return Err(Error::Malformed { what: "list of slices" });
        }
        Ok(slice)
    }
}

#[cfg(test)]
#[path = "macho_tests.rs"]
mod tests;
