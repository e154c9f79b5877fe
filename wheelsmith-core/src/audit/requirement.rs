//! Requirement that files are judged by: a platform tag, and the libraries that are allowed beyond
//! it.

use std::fmt;

use super::{Allowances, macho};
use crate::binary::{Format, NativeFile};
use crate::name::{Arch, Floor, Libc, MacArch, PlatformTag, PlatformVersion, Target, WheelPath};
use crate::policy::{self, Policy};

/// A platform tag with its floor, and the libraries that are allowed beyond its policy.
#[derive(Debug, Clone)]
pub struct Requirement {
    /// Target or tag, for messages.
    name: String,
    /// Tag; never a legacy name, `any` or a tag without rules.
    tag: PlatformTag,
    allowances: Allowances,
}

impl Requirement {
    /// Returns the requirement of a build target: its processor, C library and floor.
    pub fn for_target(target: Target) -> Self {
        let tag = match (target.wanted_tag(), target.floor()) {
            (PlatformTag::Manylinux { arch, .. }, Floor::Glibc(glibc)) => {
                PlatformTag::Manylinux { glibc, arch }
            }
            (PlatformTag::MacOs { arch, .. }, Floor::MacOs(min)) => {
                PlatformTag::MacOs { min, arch }
            }
            (tag, _) => tag,
        };
        Self { name: target.triple().to_owned(), tag, allowances: Allowances::default() }
    }

    /// Returns the requirement of a platform tag; `None` for `any` and for tags without rules.
    pub fn for_tag(tag: &PlatformTag) -> Option<Self> {
        if matches!(tag, PlatformTag::Any | PlatformTag::Other(_)) {
            return None;
        }
        Some(Self { name: tag.to_string(), tag: tag.modern(), allowances: Allowances::default() })
    }

    /// Returns the requirement for files that claim no tag: the newest policy of their system.
    /// `None` if no file is for a system with rules.
    pub fn for_files(files: &[NativeFile]) -> Option<Self> {
        super::guess::guess(files, None).and_then(|tag| Self::for_tag(&tag))
    }

    /// Returns the same requirement with allowances.
    #[must_use]
    pub fn allowing(self, allowances: Allowances) -> Self {
        Self { allowances, ..self }
    }

    /// Returns the tag, never under a legacy name.
    pub fn tag(&self) -> &PlatformTag {
        &self.tag
    }

    /// Returns the libraries that are allowed beyond the policy.
    pub fn allowances(&self) -> &Allowances {
        &self.allowances
    }

    /// Returns the macOS tag that `files` need if that is newer than this one, and the files that
    /// need it.
    pub fn raised(&self, files: &[NativeFile]) -> Option<(PlatformTag, Vec<WheelPath>)> {
        let PlatformTag::MacOs { min, arch } = self.tag else { return None };
        let too_new = macho::too_new(files, min, arch);
        let newest = too_new.iter().map(|(_, minimum)| *minimum).max()?;
        let tag = match arch {
            MacArch::Universal2 => PlatformTag::universal2(newest),
            MacArch::Arm64 => PlatformTag::macos(newest, Arch::Aarch64),
            MacArch::X86_64 => PlatformTag::macos(newest, Arch::X86_64),
        };
        let by = too_new.into_iter().filter(|(_, minimum)| *minimum == newest);
        Some((tag, by.map(|(path, _)| path).collect()))
    }

    /// Returns the format that the system loads.
    pub(super) fn format(&self) -> Format {
        match self.tag {
            PlatformTag::MacOs { .. } | PlatformTag::Ios { .. } => Format::MachO,
            PlatformTag::Windows { .. } => Format::Pe,
            PlatformTag::Wasm { .. } => Format::Wasm,
            _ => Format::Elf,
        }
    }

    /// Returns the C library of a Linux tag; `None` for Android, which has its own, and for
    /// `linux_*`.
    pub(super) fn libc(&self) -> Option<Libc> {
        self.tag.libc()
    }

    pub(super) fn libc_name(&self) -> String {
        self.libc().map_or_else(|| "Android's".to_owned(), |libc| libc.to_string())
    }

    pub(super) fn is_android(&self) -> bool {
        matches!(self.tag, PlatformTag::Android { .. })
    }

    /// True if `policy` guarantees `library`. On Android this includes the library of Python, which
    /// extension modules link to (PEP 738).
    pub(super) fn allows_library(&self, policy: &Policy, library: &str) -> bool {
        policy.allows_library(library) || self.is_android() && policy::is_libpython(library)
    }

    /// Returns the policies of the processor, the most compatible first.
    pub(super) fn policies(&self) -> &'static [Policy] {
        match (self.libc(), self.tag.arch()) {
            (_, None) => &[],
            (Some(libc), Some(arch)) => policy::policies(arch, libc),
            (None, Some(arch)) => policy::android::policies(arch),
        }
    }

    /// Returns the newest policy within the floor.
    pub(super) fn reference(&self) -> Option<&'static Policy> {
        let floor = match self.tag {
            PlatformTag::Manylinux { glibc, .. } => Some(glibc),
            PlatformTag::Android { api, .. } => Some(PlatformVersion::new(api, 0)),
            _ => None,
        };
        newest_within(self.policies(), floor)
    }
}

/// Returns the newest policy that the floor includes, or else the oldest policy.
fn newest_within(policies: &[Policy], floor: Option<PlatformVersion>) -> Option<&Policy> {
    let included = |policy: &&Policy| match (&policy.tag, floor) {
        (PlatformTag::Manylinux { glibc, .. }, Some(floor)) => *glibc <= floor,
        (PlatformTag::Android { api, .. }, Some(floor)) => *api <= floor.major,
        _ => true,
    };
    policies.iter().rev().find(included).or(policies.first())
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}
