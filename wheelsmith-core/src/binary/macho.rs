//! What a Mach-O file says of itself (Apple's `mach-o/loader.h`, `mach-o/fat.h`).
//!
//! Read are the load commands, one after the other, the code signature that they point to, and the
//! symbols when somebody asks for them.

mod commands;
mod cpu;
mod nlist;
mod pages;
mod signature;
mod trie;

use scroll::BE;
use serde::Serialize;

pub use nlist::{Origin, SliceSymbols, symbols};
pub use pages::{PageCheck, Pages};
pub use signature::Signature;

use super::bytes::Bytes;
use super::{Content, Error};
use crate::name::{Arch, PlatformVersion};

/// What a Mach-O file says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MachO {
    /// Whether it is a container of slices, even of a single one.
    pub is_universal: bool,
    /// What it is for each processor, in the order of the file.
    pub slices: Vec<Slice>,
}

/// What a Mach-O file is for one processor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[allow(clippy::struct_excessive_bools, reason = "the header is a set of flags")]
pub struct Slice {
    /// What it is for.
    pub kind: Kind,
    /// Its processor; nothing for one that no platform tag names, `arm64e` and `x86_64h` among them:
    /// not every process of that family can load those.
    pub arch: Option<Arch>,
    /// Its processor in Apple's words: `x86_64`, `arm64`, `arm64e`.
    pub cpu: String,
    /// Whether addresses have 64 bits.
    pub is_64_bit: bool,
    /// Whether numbers have their low byte first.
    pub is_little_endian: bool,
    /// The name under which others load it (LC_ID_DYLIB).
    pub install_name: Option<String>,
    /// The libraries that it loads, in order.
    pub needed: Vec<Needed>,
    /// Where `@rpath` may lie (LC_RPATH), in order.
    pub rpaths: Vec<String>,
    /// The systems that it is built for (LC_BUILD_VERSION, LC_VERSION_MIN_*). Files for macOS and
    /// Mac Catalyst at once have two; old files have none.
    pub builds: Vec<Build>,
    /// Whether it can be loaded at any address (MH_PIE); only programs say so.
    pub position_independent: bool,
    /// Whether its stack may hold code (MH_ALLOW_STACK_EXECUTION).
    pub executable_stack: bool,
    /// Its code signature.
    pub signature: Option<Signature>,
}

/// What a slice is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "MachOKind"))]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Started by the kernel through dyld.
    Program,
    /// Loaded into a process, by dyld or by name (MH_DYLIB).
    SharedLibrary,
    /// Loaded into a process by name only (MH_BUNDLE), as most extension modules are.
    Bundle,
    /// An object file, not linked yet.
    Object,
    /// Debug information without code (MH_DSYM).
    DebugInfo,
    /// A static library inside a universal file.
    Archive,
    /// What the format leaves open.
    Other,
}

impl Kind {
    /// Whether a system maps it into a process.
    pub const fn is_loaded(self) -> bool {
        matches!(self, Self::Program | Self::SharedLibrary | Self::Bundle)
    }
}

/// A library that a slice loads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Needed {
    /// Its install name: `/usr/lib/libSystem.B.dylib`, `@rpath/libz.dylib`.
    pub name: String,
    /// How it is loaded.
    pub kind: Load,
}

/// How a library is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Load {
    /// With the file; loading fails without it.
    Required,
    /// With the file, which works without it as well.
    Weak,
    /// With the file, which offers the library's symbols as its own.
    Reexport,
    /// With the file, which the library needs in turn.
    Upward,
    /// When it is used first.
    Lazy,
}

/// A system that a slice is built for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Build {
    /// Which.
    pub platform: Platform,
    /// The oldest release of it; the third part of the number is left out.
    pub minimum: PlatformVersion,
    /// The SDK; nothing where the linker wrote no number.
    pub sdk: Option<PlatformVersion>,
}

/// A system of Apple's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Platform {
    /// macOS.
    MacOs,
    /// Programs of iOS inside macOS.
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
    /// A simulator of any of them.
    Simulator,
    /// Firmware, or what came later.
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
/// A universal file whose offsets have 64 bits; goblin has no name for it.
const FAT_MAGIC_64: u32 = 0xcafe_babf;
/// No real file has more; `Format::of` draws the same line.
const MOST_SLICES: u32 = 39;
/// Headers and commands of most files are smaller, in bytes.
const MOST_HEADERS: u64 = 4096;
/// What a static library begins with.
const ARCHIVE: &[u8] = b"!<arch>\n";

impl MachO {
    /// Reads the facts of a file.
    ///
    /// A file that is at hand as a whole is compared with its signatures at once. Of one in pieces
    /// the pages are not asked for: see [`MachO::page_checks`].
    ///
    /// # Errors
    /// A file that is cut short, or whose parts point outside it.
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
        // No linker lets slices share bytes; a file that does would be read many times over.
        let mut ranges: Vec<_> = places.iter().map(|p| (p.offset, p.offset + p.size)).collect();
        ranges.sort_unstable();
        if ranges.windows(2).any(|pair| pair[1].0 < pair[0].1) {
            return Err(Error::Malformed { what: WHAT });
        }
        // All of them before the first error: then it is known at once what is missing of each.
        let slices: Vec<_> = places.iter().map(|place| place.slice(file)).collect();
        Ok(Self { is_universal: true, slices: slices.into_iter().collect::<Result<_, Error>>()? })
    }

    /// What has to be compared with the signatures still: nothing of a file that was read as a whole.
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

    /// Notes what a comparison of the slice with that number has shown.
    pub fn set_pages(&mut self, slice: usize, pages: Pages) {
        let slice = self.slices.get_mut(slice);
        if let Some(signature) = slice.and_then(|slice| slice.signature.as_mut()) {
            signature.set_pages(pages);
        }
    }

    /// What the file is for `arch`.
    pub fn slice(&self, arch: Arch) -> Option<&Slice> {
        self.slices.iter().find(|slice| slice.arch == Some(arch))
    }

    /// Its processors in Apple's words: `x86_64, arm64`.
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
        // fat_arch: cputype, cpusubtype, offset, size, align; the two in the middle have 64 bits in
        // fat_arch_64, with a spare word behind them.
        let at = 8 + index * if is_wide { 32 } else { 20 };
        let cpu = (file.u32(at, WHAT)?, file.u32(at + 4, WHAT)?);
        let offset = file.word(at + 8, is_wide, WHAT)?;
        let size = file.word(at + if is_wide { 16 } else { 12 }, is_wide, WHAT)?;
        file.holds(offset, size, "slice")?;
        Ok(Self { cpu, offset, size })
    }

    fn slice(&self, file: Bytes<'_>) -> Result<Slice, Error> {
        let bytes = file.window(self.offset, self.size, "slice")?;
        let slice = if bytes.up_to(0, 8, "slice")? == ARCHIVE {
            Slice::empty(Kind::Archive, self.cpu)
        } else {
            Slice::read(bytes, self.offset)?
        };
        // dyld chooses by the list and then refuses a slice that is another.
        if slice.cpu != cpu::cpu_name(self.cpu) {
            return Err(Error::Malformed { what: "list of slices" });
        }
        Ok(slice)
    }
}

#[cfg(test)]
#[path = "macho_tests.rs"]
mod tests;
