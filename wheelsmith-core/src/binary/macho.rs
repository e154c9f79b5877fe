//! What a Mach-O file says of itself (Apple's `mach-o/loader.h`, `mach-o/fat.h`).
//!
//! Only the load commands are read, one after the other, and the code signature that they point to.
//! Export tries, which a hostile file can tie into knots, are left alone.

mod nlist;
mod signature;

use goblin::mach::constants::cputype;
use goblin::mach::header as mh;
use goblin::mach::load_command as lc;
use scroll::{BE, Endian, LE};
use serde::Serialize;

pub use nlist::{Origin, SliceSymbols, symbols};
pub use signature::{Pages, Signature};

use super::bytes::Bytes;
use super::{Error, Format};
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
/// What `dylib_use_command` has where others have a timestamp, and then flags of its own.
const DYLIB_USE_MARKER: u32 = 0x1a74_1800;
const DYLIB_USE_FLAGS_AT: u32 = 28;
const LC_SEGMENT_SPLIT: [u32; 2] = [lc::LC_SEGMENT, lc::LC_SEGMENT_64];
const VM_PROT_EXECUTE: u32 = 4;

impl MachO {
    /// Reads the facts of a whole file, and compares its pages with its signatures.
    ///
    /// # Errors
    /// A file that is cut short, or whose parts point outside it.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        const WHAT: &str = "list of slices";
        let file = Bytes::new(bytes, BE);
        let magic = file.u32(0, "file header")?;
        if magic != FAT_MAGIC && magic != FAT_MAGIC_64 {
            return Ok(Self { is_universal: false, slices: vec![Slice::parse(bytes)?] });
        }
        let count = file.u32(4, WHAT)?;
        if count > MOST_SLICES {
            return Err(Error::TooMany { what: "slices", count: count.into() });
        }
        let is_wide = magic == FAT_MAGIC_64;
        let mut places = Vec::new();
        let mut slices = Vec::new();
        for i in 0..u64::from(count) {
            // fat_arch: cputype, cpusubtype, offset, size, align; the two in the middle have 64
            // bits in fat_arch_64, with a spare word behind them.
            let at = 8 + i * if is_wide { 32 } else { 20 };
            let cpu = (file.u32(at, WHAT)?, file.u32(at + 4, WHAT)?);
            let offset = file.word(at + 8, is_wide, WHAT)?;
            let size = file.word(at + if is_wide { 16 } else { 12 }, is_wide, WHAT)?;
            let slice = file.slice(offset, size, "slice")?;
            places.push((offset, offset.saturating_add(size)));
            let slice = match Format::of(slice) {
                Some(Format::Archive) => Slice::empty(Kind::Archive, cpu),
                _ => Slice::parse(slice)?,
            };
            // dyld chooses by the list and then refuses a slice that is another.
            if slice.cpu != cpu_name(cpu) {
                return Err(Error::Malformed { what: WHAT });
            }
            slices.push(slice);
        }
        // No linker lets slices share bytes; a file that does would be read many times over.
        places.sort_unstable();
        if places.windows(2).any(|pair| pair[1].0 < pair[0].1) {
            return Err(Error::Malformed { what: WHAT });
        }
        Ok(Self { is_universal: true, slices })
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

/// What the load commands say beyond the facts.
#[derive(Default)]
struct Layout {
    /// The end of the last segment that holds code, as a file offset.
    code_end: u64,
    /// Offset and size of the code signature.
    signature: Option<(u64, u64)>,
}

impl Slice {
    fn empty(kind: Kind, cpu: (u32, u32)) -> Self {
        Self {
            kind,
            arch: arch(cpu),
            cpu: cpu_name(cpu),
            is_64_bit: cpu.0 & cputype::CPU_ARCH_ABI64 != 0,
            is_little_endian: true,
            install_name: None,
            needed: Vec::new(),
            rpaths: Vec::new(),
            builds: Vec::new(),
            position_independent: false,
            executable_stack: false,
            signature: None,
        }
    }

    fn parse(bytes: &[u8]) -> Result<Self, Error> {
        const WHAT: &str = "file header";
        let magic = Bytes::new(bytes, BE).u32(0, WHAT)?;
        let (endian, is_64_bit): (Endian, bool) = match magic {
            mh::MH_MAGIC => (BE, false),
            mh::MH_MAGIC_64 => (BE, true),
            mh::MH_CIGAM => (LE, false),
            mh::MH_CIGAM_64 => (LE, true),
            _ => return Err(Error::Malformed { what: WHAT }),
        };
        let file = Bytes::new(bytes, endian);
        // mach_header: magic, cputype, cpusubtype, filetype, ncmds, sizeofcmds, flags; one spare
        // word more with 64 bits.
        let kind = match file.u32(12, WHAT)? {
            mh::MH_EXECUTE => Kind::Program,
            mh::MH_DYLIB => Kind::SharedLibrary,
            mh::MH_BUNDLE => Kind::Bundle,
            mh::MH_OBJECT => Kind::Object,
            mh::MH_DSYM => Kind::DebugInfo,
            _ => Kind::Other,
        };
        let flags = file.u32(24, WHAT)?;
        let mut slice = Self {
            is_64_bit,
            is_little_endian: endian == LE,
            position_independent: flags & mh::MH_PIE != 0,
            executable_stack: flags & mh::MH_ALLOW_STACK_EXECUTION != 0,
            ..Self::empty(kind, (file.u32(4, WHAT)?, file.u32(8, WHAT)?))
        };
        let start = if is_64_bit { 32 } else { 28 };
        let commands = file.slice(start, file.u32(20, WHAT)?.into(), "list of load commands")?;
        let layout = slice.read_commands(file, commands, file.u32(16, WHAT)?)?;
        if let Some((start, size)) = layout.signature {
            let blob = file.slice(start, size, "code signature")?;
            slice.signature = Some(Signature::check(bytes, start, blob, layout.code_end));
        }
        Ok(slice)
    }

    fn read_commands(
        &mut self,
        file: Bytes<'_>,
        mut rest: &[u8],
        count: u32,
    ) -> Result<Layout, Error> {
        const WHAT: &str = "list of load commands";
        let mut layout = Layout::default();
        for _ in 0..count {
            let head = Bytes::new(rest, file.endian);
            let size = head.u32(4, WHAT)?;
            // Each one takes at least its own head, so that `count` cannot run away.
            if size < 8 {
                return Err(Error::Malformed { what: WHAT });
            }
            let command = Bytes::new(head.slice(0, size.into(), WHAT)?, file.endian);
            self.read_command(file, command, &mut layout)?;
            rest = &rest[usize::try_from(command.size()).unwrap_or(rest.len())..];
        }
        Ok(layout)
    }

    fn read_command(
        &mut self,
        file: Bytes<'_>,
        command: Bytes<'_>,
        layout: &mut Layout,
    ) -> Result<(), Error> {
        const LIBRARY: &str = "needed library";
        const BUILD: &str = "minimum version";
        let number = |at, what| command.u32(at, what);
        let which = number(0, "load command")?;
        match which {
            lc::LC_ID_DYLIB => self.install_name = Some(text(command, 8, "install name")?),
            lc::LC_LOAD_DYLIB
            | lc::LC_LOAD_WEAK_DYLIB
            | lc::LC_REEXPORT_DYLIB
            | lc::LC_LOAD_UPWARD_DYLIB
            | lc::LC_LAZY_LOAD_DYLIB => {
                let name = text(command, 8, LIBRARY)?;
                self.needed.push(Needed { name, kind: load(which, command)? });
            }
            lc::LC_RPATH => self.rpaths.push(text(command, 8, "rpath")?),
            lc::LC_BUILD_VERSION => self.builds.push(Build {
                platform: platform(number(8, BUILD)?),
                minimum: version(number(12, BUILD)?),
                sdk: sdk(number(16, BUILD)?),
            }),
            lc::LC_VERSION_MIN_MACOSX
            | lc::LC_VERSION_MIN_IPHONEOS
            | lc::LC_VERSION_MIN_TVOS
            | lc::LC_VERSION_MIN_WATCHOS => self.builds.push(Build {
                platform: match which {
                    lc::LC_VERSION_MIN_MACOSX => Platform::MacOs,
                    lc::LC_VERSION_MIN_IPHONEOS => Platform::Ios,
                    lc::LC_VERSION_MIN_TVOS => Platform::TvOs,
                    _ => Platform::WatchOs,
                },
                minimum: version(number(8, BUILD)?),
                sdk: sdk(number(12, BUILD)?),
            }),
            lc::LC_CODE_SIGNATURE => {
                let (start, size) = (number(8, "code signature")?, number(12, "code signature")?);
                layout.signature = Some((start.into(), size.into()));
            }
            segment if LC_SEGMENT_SPLIT.contains(&segment) => {
                self.read_segment(file, command, segment == lc::LC_SEGMENT_64, layout)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Sees that the segment is there: a file that is cut short still has all its commands.
    fn read_segment(
        &self,
        file: Bytes<'_>,
        command: Bytes<'_>,
        is_wide: bool,
        layout: &mut Layout,
    ) -> Result<(), Error> {
        const WHAT: &str = "segment";
        // segment_command: command, size, name (16 bytes), address, size, file offset, file size,
        // protections at most and at first.
        let (offset, size, protection) = if is_wide { (40, 48, 60) } else { (32, 36, 44) };
        let (offset, size) =
            (command.word(offset, is_wide, WHAT)?, command.word(size, is_wide, WHAT)?);
        // Debug information keeps the commands, but not the bytes.
        if self.kind == Kind::DebugInfo {
            return Ok(());
        }
        file.slice(offset, size, WHAT)?;
        if command.u32(protection, WHAT)? & VM_PROT_EXECUTE != 0 {
            layout.code_end = layout.code_end.max(offset + size);
        }
        Ok(())
    }
}

/// The text of a load command, whose offset stands at `at`.
fn text(command: Bytes<'_>, at: u64, what: &'static str) -> Result<String, Error> {
    let start = command.u32(at, what)?;
    let size = command.size();
    let bytes = command.slice(start.into(), size.saturating_sub(start.into()), what)?;
    let end = bytes.iter().position(|&b| b == 0).ok_or(Error::Malformed { what })?;
    let text = std::str::from_utf8(&bytes[..end]).map_err(|_| Error::Malformed { what })?;
    Ok(text.to_owned())
}

fn load(which: u32, command: Bytes<'_>) -> Result<Load, Error> {
    const WHAT: &str = "needed library";
    let has_flags = matches!(which, lc::LC_LOAD_DYLIB | lc::LC_LOAD_WEAK_DYLIB)
        && command.u32(12, WHAT)? == DYLIB_USE_MARKER
        && command.u32(8, WHAT)? == DYLIB_USE_FLAGS_AT;
    if has_flags {
        let flags = command.u32(24, WHAT)?;
        let known = [(1, Load::Weak), (2, Load::Reexport), (4, Load::Upward), (8, Load::Lazy)];
        let found = known.into_iter().find(|(bit, _)| flags & bit != 0);
        return Ok(found.map_or(Load::Required, |(_, load)| load));
    }
    Ok(match which {
        lc::LC_LOAD_WEAK_DYLIB => Load::Weak,
        lc::LC_REEXPORT_DYLIB => Load::Reexport,
        lc::LC_LOAD_UPWARD_DYLIB => Load::Upward,
        lc::LC_LAZY_LOAD_DYLIB => Load::Lazy,
        _ => Load::Required,
    })
}

/// `xxxx.yy.zz` in half a word and two bytes.
fn version(packed: u32) -> PlatformVersion {
    let [major_high, major_low, minor, _] = packed.to_be_bytes();
    PlatformVersion::new(u16::from_be_bytes([major_high, major_low]), minor.into())
}

fn sdk(packed: u32) -> Option<PlatformVersion> {
    (packed != 0).then(|| version(packed))
}

fn platform(number: u32) -> Platform {
    match number {
        lc::PLATFORM_MACOS => Platform::MacOs,
        lc::PLATFORM_MACCATALYST => Platform::MacCatalyst,
        lc::PLATFORM_IOS => Platform::Ios,
        lc::PLATFORM_TVOS => Platform::TvOs,
        lc::PLATFORM_WATCHOS => Platform::WatchOs,
        lc::PLATFORM_VISIONOS => Platform::VisionOs,
        lc::PLATFORM_DRIVERKIT => Platform::DriverKit,
        lc::PLATFORM_IOSSIMULATOR
        | lc::PLATFORM_TVOSSIMULATOR
        | lc::PLATFORM_WATCHOSSIMULATOR
        | lc::PLATFORM_VISIONOSSIMULATOR => Platform::Simulator,
        _ => Platform::Other,
    }
}

/// The high byte of the subtype holds capabilities, such as the version of pointer signing.
fn subtype(subtype: u32) -> u32 {
    subtype & !cputype::CPU_SUBTYPE_MASK
}

fn arch((cpu, sub): (u32, u32)) -> Option<Arch> {
    match (cpu, subtype(sub)) {
        (cputype::CPU_TYPE_X86_64, sub) if sub != cputype::CPU_SUBTYPE_X86_64_H => {
            Some(Arch::X86_64)
        }
        (cputype::CPU_TYPE_ARM64, sub) if sub != cputype::CPU_SUBTYPE_ARM64_E => {
            Some(Arch::Aarch64)
        }
        (cputype::CPU_TYPE_I386, _) => Some(Arch::I686),
        (cputype::CPU_TYPE_POWERPC64, _) => Some(Arch::Ppc64),
        _ => None,
    }
}

fn cpu_name((cpu, sub): (u32, u32)) -> String {
    let name = match (cpu, subtype(sub)) {
        (cputype::CPU_TYPE_X86_64, cputype::CPU_SUBTYPE_X86_64_H) => "x86_64h",
        (cputype::CPU_TYPE_X86_64, _) => "x86_64",
        (cputype::CPU_TYPE_ARM64, cputype::CPU_SUBTYPE_ARM64_E) => "arm64e",
        (cputype::CPU_TYPE_ARM64, _) => "arm64",
        (cputype::CPU_TYPE_ARM64_32, _) => "arm64_32",
        (cputype::CPU_TYPE_I386, _) => "i386",
        (cputype::CPU_TYPE_ARM, _) => "arm",
        (cputype::CPU_TYPE_POWERPC, _) => "ppc",
        (cputype::CPU_TYPE_POWERPC64, _) => "ppc64",
        (other, _) => return format!("CPU type {other:#x}"),
    };
    name.to_owned()
}

#[cfg(test)]
#[path = "macho_tests.rs"]
mod tests;
