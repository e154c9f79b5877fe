//! Platform tags (PEP 425, 513, 571, 599, 600, 656) and the Python and ABI tags before them.

use std::fmt;
use std::str::FromStr;

use super::{Arch, Libc, ParseError, PlatformVersion, serde_by_text};

/// The last part of a wheel's tags: where it runs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PlatformTag {
    /// `any`: no native code.
    Any,
    /// `linux_x86_64`: some Linux, nothing promised; indexes refuse it.
    Linux {
        /// Its processor.
        arch: Arch,
    },
    /// `manylinux_2_28_x86_64`: needs at least this glibc (PEP 600).
    Manylinux {
        /// The oldest glibc that suffices.
        glibc: PlatformVersion,
        /// Its processor.
        arch: Arch,
    },
    /// `manylinux1_x86_64`, `manylinux2010_x86_64`, `manylinux2014_x86_64`: the older names of
    /// three of the above (PEP 513, 571, 599).
    LegacyManylinux {
        /// 1, 2010 or 2014.
        year: u16,
        /// Its processor.
        arch: Arch,
    },
    /// `musllinux_1_2_x86_64`: needs at least this musl (PEP 656).
    Musllinux {
        /// The oldest musl that suffices.
        musl: PlatformVersion,
        /// Its processor.
        arch: Arch,
    },
    /// `android_24_arm64_v8a`: needs at least this API level (PEP 738).
    Android {
        /// The lowest API level that suffices.
        api: u16,
        /// `arm64_v8a`, `armeabi_v7a`, `x86` or `x86_64`.
        abi: &'static str,
    },
    /// `macosx_11_0_arm64`: needs at least this macOS.
    MacOs {
        /// The oldest macOS that suffices.
        min: PlatformVersion,
        /// `x86_64`, `arm64` or `universal2`.
        arch: &'static str,
    },
    /// `win_amd64`.
    Windows {
        /// `win32`, `win_amd64` or `win_arm64`.
        name: &'static str,
    },
    /// Anything else that may stand there: lower-case letters, digits and `_`.
    Other(String),
}

/// glibc versions that have an older name as well.
const LEGACY: [(u16, PlatformVersion); 3] = [
    (1, PlatformVersion::new(2, 5)),
    (2010, PlatformVersion::new(2, 12)),
    (2014, PlatformVersion::new(2, 17)),
];
const MAC_ARCHES: [&str; 3] = ["arm64", "universal2", "x86_64"];
/// What Android calls its processors.
const ANDROID: [(&str, Arch); 4] = [
    ("arm64_v8a", Arch::Aarch64),
    ("armeabi_v7a", Arch::Armv7l),
    ("x86", Arch::I686),
    ("x86_64", Arch::X86_64),
];
const WINDOWS: [&str; 3] = ["win32", "win_amd64", "win_arm64"];

/// From macOS 11 on, installers know tags with minor 0 only.
fn taggable(min: PlatformVersion) -> PlatformVersion {
    if min.major >= 11 { PlatformVersion::new(min.major, 0) } else { min }
}

impl PlatformTag {
    /// The macOS tag of a thin binary.
    pub fn macos(min: PlatformVersion, arch: Arch) -> Self {
        let arch = if arch == Arch::Aarch64 { "arm64" } else { "x86_64" };
        Self::MacOs { min: taggable(min), arch }
    }

    /// The macOS tag of binaries that have a slice for each processor.
    pub fn universal2(min: PlatformVersion) -> Self {
        Self::MacOs { min: taggable(min), arch: "universal2" }
    }

    /// The Android tag for `arch`; nothing for processors that Android does not run on.
    pub fn android(api: u16, arch: Arch) -> Option<Self> {
        let (abi, _) = ANDROID.into_iter().find(|(_, known)| *known == arch)?;
        Some(Self::Android { api, abi })
    }

    /// The Windows tag for `arch`.
    pub fn windows(arch: Arch) -> Self {
        Self::Windows {
            name: match arch {
                Arch::I686 => "win32",
                Arch::Aarch64 => "win_arm64",
                _ => "win_amd64",
            },
        }
    }

    /// The processor of a Linux or Android tag.
    pub fn arch(&self) -> Option<Arch> {
        match self {
            Self::Linux { arch }
            | Self::Manylinux { arch, .. }
            | Self::LegacyManylinux { arch, .. }
            | Self::Musllinux { arch, .. } => Some(*arch),
            Self::Android { abi, .. } => {
                ANDROID.into_iter().find(|(known, _)| known == abi).map(|(_, arch)| arch)
            }
            _ => None,
        }
    }

    /// The C library that the tag promises to be there.
    pub fn libc(&self) -> Option<Libc> {
        match self {
            Self::Manylinux { .. } | Self::LegacyManylinux { .. } => Some(Libc::Glibc),
            Self::Musllinux { .. } => Some(Libc::Musl),
            _ => None,
        }
    }

    /// The PEP 600 name of a legacy tag; every other tag unchanged.
    ///
    /// ```
    /// use wheelsmith_core::name::PlatformTag;
    ///
    /// let tag: PlatformTag = "manylinux2014_aarch64".parse().unwrap();
    /// assert_eq!(tag.perennial().to_string(), "manylinux_2_17_aarch64");
    /// ```
    #[must_use]
    pub fn perennial(&self) -> Self {
        let Self::LegacyManylinux { year, arch } = self else { return self.clone() };
        let found = LEGACY.iter().find(|(y, _)| y == year);
        found.map_or_else(|| self.clone(), |&(_, glibc)| Self::Manylinux { glibc, arch: *arch })
    }

    /// The older name of the same promise, where there is one that indexes take for its
    /// architecture: `manylinux1` and `manylinux2010` were defined for x86 only.
    pub fn legacy_alias(&self) -> Option<Self> {
        let Self::Manylinux { glibc, arch } = self else { return None };
        let &(year, _) = LEGACY.iter().find(|(_, version)| version == glibc)?;
        let defined = match arch {
            Arch::X86_64 | Arch::I686 => true,
            Arch::Aarch64 | Arch::Armv7l | Arch::Ppc64 | Arch::Ppc64le | Arch::S390x => {
                year == 2014
            }
            Arch::Riscv64 | Arch::Loongarch64 => false,
        };
        defined.then_some(Self::LegacyManylinux { year, arch: *arch })
    }

    /// The tag and its alias, in the order in which a file name has them.
    pub fn with_aliases(&self) -> Vec<Self> {
        self.legacy_alias().into_iter().chain([self.clone()]).collect()
    }
}

impl fmt::Display for PlatformTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any"),
            Self::Linux { arch } => write!(f, "linux_{arch}"),
            Self::Manylinux { glibc: v, arch } => {
                write!(f, "manylinux_{}_{}_{arch}", v.major, v.minor)
            }
            Self::LegacyManylinux { year, arch } => write!(f, "manylinux{year}_{arch}"),
            Self::Musllinux { musl: v, arch } => {
                write!(f, "musllinux_{}_{}_{arch}", v.major, v.minor)
            }
            Self::Android { api, abi } => write!(f, "android_{api}_{abi}"),
            Self::MacOs { min: v, arch } => write!(f, "macosx_{}_{}_{arch}", v.major, v.minor),
            Self::Windows { name } => f.write_str(name),
            Self::Other(text) => f.write_str(text),
        }
    }
}

impl FromStr for PlatformTag {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        if text.is_empty() || !text.bytes().all(word) {
            return Err(ParseError::new(text, "a platform tag (such as `manylinux_2_17_x86_64`)"));
        }
        let versioned = |prefix: &str| {
            let (major, rest) = text.strip_prefix(prefix)?.split_once('_')?;
            let (minor, arch) = rest.split_once('_')?;
            Some((format!("{major}.{minor}").parse::<PlatformVersion>().ok()?, arch))
        };
        let known = || {
            if text == "any" {
                return Some(Self::Any);
            }
            if let Some(name) = WINDOWS.into_iter().find(|&name| name == text) {
                return Some(Self::Windows { name });
            }
            if let Some((min, arch)) = versioned("macosx_") {
                let arch = MAC_ARCHES.into_iter().find(|&known| known == arch)?;
                return Some(Self::MacOs { min, arch });
            }
            if let Some(rest) = text.strip_prefix("android_") {
                let (api, abi) = rest.split_once('_')?;
                let (abi, _) = ANDROID.into_iter().find(|&(known, _)| known == abi)?;
                // One way to write a number, so that tags print as they were read.
                let api = api.parse().ok().filter(|n: &u16| n.to_string() == api)?;
                return Some(Self::Android { api, abi });
            }
            if let Some((glibc, arch)) = versioned("manylinux_") {
                return Some(Self::Manylinux { glibc, arch: arch.parse().ok()? });
            }
            if let Some((musl, arch)) = versioned("musllinux_") {
                return Some(Self::Musllinux { musl, arch: arch.parse().ok()? });
            }
            if let Some(arch) = text.strip_prefix("linux_") {
                return Some(Self::Linux { arch: arch.parse().ok()? });
            }
            let (year, arch) = text.strip_prefix("manylinux")?.split_once('_')?;
            let (year, _) = LEGACY.into_iter().find(|(y, _)| y.to_string() == year)?;
            Some(Self::LegacyManylinux { year, arch: arch.parse().ok()? })
        };
        Ok(known().unwrap_or_else(|| Self::Other(text.to_owned())))
    }
}

serde_by_text!(PlatformTag);

/// The first two tags of a wheel, each a set: `py3-none`, `cp39-abi3`, `py2.py3-none`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PythonTag {
    /// Python tags, sorted: `cp39`, `py3`.
    pub python: Vec<String>,
    /// ABI tags, sorted: `abi3`, `none`.
    pub abi: Vec<String>,
}

impl fmt::Display for PythonTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.python.join("."), self.abi.join("."))
    }
}

impl FromStr for PythonTag {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let error = || ParseError::new(text, "a Python and ABI tag (such as `py3-none`)");
        let (python, abi) = text.split_once('-').ok_or_else(error)?;
        let set = |part: &str| {
            let mut tags: Vec<String> = part.split('.').map(str::to_owned).collect();
            tags.sort();
            tags.dedup();
            let word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
            tags.iter().all(|t| !t.is_empty() && t.bytes().all(word)).then_some(tags)
        };
        let (python, abi) = (set(python).ok_or_else(error)?, set(abi).ok_or_else(error)?);
        // A digit there would be read as a build tag.
        if python[0].starts_with(|c: char| c.is_ascii_digit()) {
            return Err(error());
        }
        Ok(Self { python, abi })
    }
}

serde_by_text!(PythonTag);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_read_as_they_print() {
        for text in [
            "any",
            "linux_x86_64",
            "manylinux_2_28_aarch64",
            "manylinux1_i686",
            "manylinux2010_x86_64",
            "manylinux2014_s390x",
            "musllinux_1_2_armv7l",
            "android_21_arm64_v8a",
            "android_24_x86_64",
            "macosx_10_12_universal2",
            "macosx_11_0_arm64",
            "win32",
            "win_arm64",
        ] {
            let tag: PlatformTag = text.parse().unwrap();
            assert!(!matches!(tag, PlatformTag::Other(_)), "{text}");
            assert_eq!(tag.to_string(), text);
        }
        for text in [
            "manylinux_2_28_toaster",
            "manylinux2015_x86_64",
            "macosx_10_6_intel",
            "ios_1",
            "android_021_x86",
        ] {
            let tag: PlatformTag = text.parse().unwrap();
            assert_eq!(tag, PlatformTag::Other(text.to_owned()));
        }
        for text in ["", "Linux", "a-b", "a.b"] {
            text.parse::<PlatformTag>().unwrap_err();
        }
    }

    #[test]
    fn only_defined_aliases_are_given() {
        let check = |text: &str, all: &str| {
            let tags = text.parse::<PlatformTag>().unwrap().with_aliases();
            let tags: Vec<String> = tags.iter().map(PlatformTag::to_string).collect();
            assert_eq!(tags.join("."), all);
            assert!(tags.is_sorted());
        };
        check("manylinux_2_5_x86_64", "manylinux1_x86_64.manylinux_2_5_x86_64");
        check("manylinux_2_17_aarch64", "manylinux2014_aarch64.manylinux_2_17_aarch64");
        check("manylinux_2_12_aarch64", "manylinux_2_12_aarch64");
        check("manylinux_2_17_riscv64", "manylinux_2_17_riscv64");
        check("manylinux_2_28_x86_64", "manylinux_2_28_x86_64");
        check("win_amd64", "win_amd64");
    }

    #[test]
    fn python_tags_are_sorted_sets() {
        let check = |text: &str, tag: &str| {
            assert_eq!(text.parse::<PythonTag>().unwrap().to_string(), tag);
        };
        check("py3-none", "py3-none");
        check("py3.py2-none", "py2.py3-none");
        check("cp39-abi3", "cp39-abi3");
        for bad in ["", "py3", "py3-", "3-none", "Py3-none", "py3-none-any"] {
            bad.parse::<PythonTag>().unwrap_err();
        }
    }
}
