//! What files are judged for: a target, or a platform tag that somebody claims.

use std::fmt;

use super::{NativeFile, macho};
use crate::binary::Format;
use crate::name::{
    Arch, Floor, MacArch, Os, PlatformTag, PlatformVersion, Target, WheelPath, WindowsArch,
};

/// What the files of a wheel must keep.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// How messages call it.
    name: String,
    pub(super) system: System,
}

#[derive(Debug, Clone)]
pub(crate) enum System {
    Linux(Linux),
    MacOs(MacOs),
    Windows(Windows),
}

/// What a Linux or Android tag says.
#[derive(Debug, Clone)]
pub(crate) enum Linux {
    Gnu { arch: Arch, floor: PlatformVersion },
    Musl { arch: Arch, tag: PlatformTag },
    Android { arch: Arch, api: u16 },
}

impl Linux {
    /// The processor that every file must be for.
    pub(crate) fn arch(&self) -> Arch {
        match self {
            Self::Gnu { arch, .. } | Self::Musl { arch, .. } | Self::Android { arch, .. } => *arch,
        }
    }

    /// True for Android, whose linker has its own rules.
    #[cfg(feature = "repair")]
    pub(crate) fn is_android(&self) -> bool {
        matches!(self, Self::Android { .. })
    }

    /// The tag that is wanted.
    pub(super) fn tag(&self) -> PlatformTag {
        match self {
            Self::Gnu { arch, floor } => PlatformTag::Manylinux { glibc: *floor, arch: *arch },
            Self::Musl { tag, .. } => tag.clone(),
            Self::Android { arch, api } => {
                PlatformTag::android(*api, *arch).unwrap_or(PlatformTag::Linux { arch: *arch })
            }
        }
    }
}

/// What a macOS tag says.
#[derive(Debug, Clone)]
pub(crate) struct MacOs {
    pub(crate) arch: MacArch,
    pub(crate) floor: PlatformVersion,
}

impl MacOs {
    /// The processors that every file must be for.
    pub(crate) fn arches(&self) -> &'static [Arch] {
        self.arch.arches()
    }
}

/// What a Windows tag says.
#[derive(Debug, Clone)]
pub(crate) struct Windows {
    pub(crate) arch: WindowsArch,
}

impl Windows {
    pub(crate) fn arch(&self) -> Arch {
        self.arch.arch()
    }
}

impl Wanted {
    /// What a target asks for: its processor, its C library and its floor.
    pub fn by_target(target: Target) -> Self {
        let arch = target.arch();
        let system = match (target.os(), target.wanted_tag(), target.floor()) {
            (Os::Linux(_), _, Floor::Glibc(floor)) => System::Linux(Linux::Gnu { arch, floor }),
            (Os::Linux(_), tag, _) => System::Linux(Linux::Musl { arch, tag }),
            (_, PlatformTag::MacOs { arch, .. }, Floor::MacOs(floor)) => {
                System::MacOs(MacOs { arch, floor })
            }
            (_, PlatformTag::Windows { arch }, _) => System::Windows(Windows { arch }),
            (os, tag, _) => unreachable!("{tag} is no tag of {os:?}"),
        };
        Self { name: target.triple().to_owned(), system }
    }

    /// What a platform tag promises; nothing for tags that promise nothing, or of which nothing is known.
    pub fn by_tag(tag: &PlatformTag) -> Option<Self> {
        let system = match tag.modern() {
            PlatformTag::MacOs { min, arch } => System::MacOs(MacOs { arch, floor: min }),
            PlatformTag::Windows { arch } => System::Windows(Windows { arch }),
            PlatformTag::Manylinux { glibc, arch } => {
                System::Linux(Linux::Gnu { arch, floor: glibc })
            }
            tag @ PlatformTag::Musllinux { arch, .. } => System::Linux(Linux::Musl { arch, tag }),
            tag @ PlatformTag::Android { api, .. } => {
                System::Linux(Linux::Android { arch: tag.arch()?, api })
            }
            _ => return None,
        };
        Some(Self { name: tag.to_string(), system })
    }

    /// What `files` ask for when that is a newer macOS than this: the tag, and which of them ask for it.
    pub fn raised(&self, files: &[NativeFile]) -> Option<(PlatformTag, Vec<WheelPath>)> {
        let System::MacOs(wanted) = &self.system else { return None };
        let too_new = macho::too_new(files, wanted);
        let newest = too_new.iter().map(|(_, minimum)| *minimum).max()?;
        let arch = wanted.arches().first().filter(|_| wanted.arches().len() == 1);
        let tag = match arch {
            Some(arch) => PlatformTag::macos(newest, *arch),
            None => PlatformTag::universal2(newest),
        };
        let by = too_new.into_iter().filter(|(_, minimum)| *minimum == newest);
        Some((tag, by.map(|(path, _)| path).collect()))
    }

    pub(crate) fn system(&self) -> &System {
        &self.system
    }

    /// The kind of files that the system loads.
    pub(super) fn format(&self) -> Format {
        match self.system {
            System::Linux(_) => Format::Elf,
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
