//! Header and load commands of one slice.

use goblin::mach::constants::cputype;
use goblin::mach::header as mh;
use goblin::mach::load_command as lc;
use scroll::{BE, Endian, LE};

use super::signature::Signature;
use super::{Build, Kind, Load, MOST_HEADERS, Needed, Platform, Slice, cpu, nlist};
use crate::binary::Error;
use crate::binary::bytes::Bytes;
use crate::name::PlatformVersion;

/// Value that `dylib_use_command` has in place of the timestamp; separate flags follow.
const DYLIB_USE_MARKER: u32 = 0x1a74_1800;
const DYLIB_USE_FLAGS_AT: u32 = 28;
const VM_PROT_EXECUTE: u32 = 4;

/// Locations that the load commands give.
#[derive(Default)]
struct Layout {
    /// End of the last segment that contains code, as a file offset.
    code_end: u64,
    /// Offset and size of the code signature.
    signature: Option<(u64, u64)>,
}

impl Slice {
    pub(super) fn empty(kind: Kind, cpu: (u32, u32)) -> Self {
        Self {
            kind,
            arch: cpu::arch(cpu),
            cpu: cpu::cpu_name(cpu),
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

    /// Reads the slice that `file` consists of. `start` is its offset in the universal file.
    pub(super) fn read(file: Bytes<'_>, start: u64) -> Result<Self, Error> {
        const WHAT: &str = "file header";
        file.want(0, MOST_HEADERS);
        let (endian, is_64_bit): (Endian, bool) = match file.with_endian(BE).u32(0, WHAT)? {
            mh::MH_MAGIC => (BE, false),
            mh::MH_MAGIC_64 => (BE, true),
            mh::MH_CIGAM => (LE, false),
            mh::MH_CIGAM_64 => (LE, true),
            _ => return Err(Error::Malformed { what: WHAT }),
        };
        let file = file.with_endian(endian);
        // mach_header: magic, cputype, cpusubtype, filetype, ncmds, sizeofcmds, flags; one reserved
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
        let first = if is_64_bit { 32 } else { 28 };
        let commands = file.slice(first, file.u32(20, WHAT)?.into(), "list of load commands")?;
        let layout = slice.read_commands(file, commands, file.u32(16, WHAT)?)?;
        // Symbols precede the signature, so a caller that unpacks the file reads both in one pass.
        nlist::want(&slice, file);
        if let Some((at, size)) = layout.signature {
            let blob = file.slice(at, size, "code signature")?;
            slice.signature = Some(Signature::read(file, start, at, blob, layout.code_end));
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
            // Each command takes at least the size of its header, which bounds `count`.
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
            lc::LC_SEGMENT | lc::LC_SEGMENT_64 => {
                self.read_segment(file, command, which == lc::LC_SEGMENT_64, layout)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Returns an error if the segment is outside the file: a truncated file still has all its
    /// commands.
    fn read_segment(
        &self,
        file: Bytes<'_>,
        command: Bytes<'_>,
        is_wide: bool,
        layout: &mut Layout,
    ) -> Result<(), Error> {
        const WHAT: &str = "segment";
        // segment_command: command, size, name (16 bytes), address, size, file offset, file size,
        // maximum and initial protection.
        let (offset, size, protection) = if is_wide { (40, 48, 60) } else { (32, 36, 44) };
        let (offset, size) =
            (command.word(offset, is_wide, WHAT)?, command.word(size, is_wide, WHAT)?);
        // Debug information has the commands, but not the bytes.
        if self.kind == Kind::DebugInfo {
            return Ok(());
        }
        file.check_range(offset, size, WHAT)?;
        if command.u32(protection, WHAT)? & VM_PROT_EXECUTE != 0 {
            layout.code_end = layout.code_end.max(offset + size);
        }
        Ok(())
    }
}

/// Returns the text of a load command; the offset of the text is stored at `at`.
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

/// Parses a version: `xxxx.yy.zz` in 16 bits and two bytes.
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
