//! What files are judged for: a target, or a platform tag that somebody claims.

use std::fmt;

use crate::binary::Format;
use crate::name::{Arch, Floor, Libc, Os, PlatformTag, PlatformVersion, TARGETS, Target};

/// What the files of a wheel must keep.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// How messages call it.
    name: String,
    pub(super) system: System,
}

#[derive(Debug, Clone)]
pub(crate) enum System {
    Linux { target: Target, libc: Libc },
    MacOs(MacOs),
    Windows(Windows),
}

/// What a macOS tag says.
#[derive(Debug, Clone)]
pub(crate) struct MacOs {
    /// `x86_64`, `arm64` or `universal2`.
    pub(crate) name: &'static str,
    pub(crate) floor: PlatformVersion,
}

impl MacOs {
    /// The processors that every file must be for.
    pub(crate) fn arches(&self) -> &'static [Arch] {
        match self.name {
            "universal2" => &[Arch::X86_64, Arch::Aarch64],
            "arm64" => &[Arch::Aarch64],
            _ => &[Arch::X86_64],
        }
    }
}

/// What a Windows tag says.
#[derive(Debug, Clone)]
pub(crate) struct Windows {
    /// `win32`, `win_amd64` or `win_arm64`.
    pub(crate) name: &'static str,
}

impl Windows {
    pub(crate) fn arch(&self) -> Arch {
        match self.name {
            "win32" => Arch::I686,
            "win_arm64" => Arch::Aarch64,
            _ => Arch::X86_64,
        }
    }
}

impl Wanted {
    /// What a target asks for: its processor, its C library and its floor.
    pub fn by_target(target: Target) -> Self {
        let system = match (target.os(), target.wanted_tag(), target.floor()) {
            (Os::Linux(libc), ..) => System::Linux { target, libc },
            (_, PlatformTag::MacOs { arch, .. }, Floor::MacOs(floor)) => {
                System::MacOs(MacOs { name: arch, floor })
            }
            (_, PlatformTag::Windows { name }, _) => System::Windows(Windows { name }),
            (os, tag, _) => unreachable!("{tag} is no tag of {os:?}"),
        };
        Self { name: target.triple().to_owned(), system }
    }

    /// What a platform tag promises; nothing for tags that promise nothing, or of which nothing is known.
    pub fn by_tag(tag: &PlatformTag) -> Option<Self> {
        let system = match tag.perennial() {
            PlatformTag::MacOs { min, arch } => System::MacOs(MacOs { name: arch, floor: min }),
            PlatformTag::Windows { name } => System::Windows(Windows { name }),
            PlatformTag::Manylinux { glibc, arch } => {
                let row = TARGETS
                    .iter()
                    .find(|row| row.arch == arch && row.os == Os::Linux(Libc::Glibc))?;
                let target = format!("{}.{glibc}", row.triple).parse().ok()?;
                System::Linux { target, libc: Libc::Glibc }
            }
            PlatformTag::Musllinux { arch, .. } => {
                let row = TARGETS
                    .iter()
                    .find(|row| row.arch == arch && row.os == Os::Linux(Libc::Musl))?;
                System::Linux { target: row.triple.parse().ok()?, libc: Libc::Musl }
            }
            _ => return None,
        };
        Some(Self { name: tag.to_string(), system })
    }

    pub(crate) fn system(&self) -> &System {
        &self.system
    }

    /// The kind of files that the system loads.
    pub(super) fn format(&self) -> Format {
        match self.system {
            System::Linux { .. } => Format::Elf,
            System::MacOs(_) => Format::MachO,
            System::Windows(_) => Format::Pe,
        }
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}
