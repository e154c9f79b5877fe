//! Platform tags (PEP 425, 513, 571, 599, 600, 656, 730, 738, 783) and the Python and ABI tags
//! before them.
//!
//! Every value that can be constructed prints as a tag that parses back to the same value.

use std::fmt;
use std::str::FromStr;

use super::{Arch, Floor, Libc, Os, ParseError, PlatformVersion, Target, serde_by_text};

/// Defines an enum of words, each with its spelling in tags.
macro_rules! words {
    ($(#[doc = $doc:literal])+ $name:ident { $($(#[doc = $word_doc:literal])+ $variant:ident $text:literal,)+ }) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[doc = $word_doc])+ $variant,)+
        }

        impl $name {
            /// Every value.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Returns the spelling in tags.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }

            fn from_text(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|word| word.as_str() == text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words! {
    /// The processors of a macOS tag.
    MacArch {
        /// Apple silicon.
        Arm64 "arm64",
        /// Both, a slice for each.
        Universal2 "universal2",
        /// Intel.
        X86_64 "x86_64",
    }
}

words! {
    /// The processor of a Windows tag, which is the whole tag.
    WindowsArch {
        /// 32-bit Intel.
        X86 "win32",
        /// 64-bit Intel.
        Amd64 "win_amd64",
        /// 64-bit Arm.
        Arm64 "win_arm64",
    }
}

words! {
    /// The processor of an Android tag, by Android's name for its ABI (PEP 738).
    AndroidAbi {
        /// 64-bit Arm.
        Arm64V8a "arm64_v8a",
        /// 32-bit Arm.
        ArmeabiV7a "armeabi_v7a",
        /// 32-bit Intel.
        X86 "x86",
        /// 64-bit Intel.
        X86_64 "x86_64",
    }
}

words! {
    /// The processor and SDK of an iOS tag (PEP 730).
    IosSdk {
        /// Devices.
        Device "arm64_iphoneos",
        /// The simulator on Apple silicon.
        Arm64Simulator "arm64_iphonesimulator",
        /// The simulator on Intel.
        X86_64Simulator "x86_64_iphonesimulator",
    }
}

words! {
    /// The older names of three glibc floors (PEP 513, 571, 599).
    LegacyManylinux {
        /// glibc 2.5.
        Manylinux1 "manylinux1",
        /// glibc 2.12.
        Manylinux2010 "manylinux2010",
        /// glibc 2.17.
        Manylinux2014 "manylinux2014",
    }
}

impl MacArch {
    /// The processors that a file must have a slice for.
    pub const fn arches(self) -> &'static [Arch] {
        match self {
            Self::Arm64 => &[Arch::Aarch64],
            Self::Universal2 => &[Arch::X86_64, Arch::Aarch64],
            Self::X86_64 => &[Arch::X86_64],
        }
    }

    /// Returns the word for one processor; anything but arm64 is Intel.
    pub fn of(arch: Arch) -> Self {
        if arch == Arch::Aarch64 { Self::Arm64 } else { Self::X86_64 }
    }
}

impl WindowsArch {
    /// The processor.
    pub const fn arch(self) -> Arch {
        match self {
            Self::X86 => Arch::I686,
            Self::Amd64 => Arch::X86_64,
            Self::Arm64 => Arch::Aarch64,
        }
    }
}

impl AndroidAbi {
    /// The processor.
    pub const fn arch(self) -> Arch {
        match self {
            Self::Arm64V8a => Arch::Aarch64,
            Self::ArmeabiV7a => Arch::Armv7l,
            Self::X86 => Arch::I686,
            Self::X86_64 => Arch::X86_64,
        }
    }
}

impl IosSdk {
    /// The processor.
    pub const fn arch(self) -> Arch {
        match self {
            Self::Device | Self::Arm64Simulator => Arch::Aarch64,
            Self::X86_64Simulator => Arch::X86_64,
        }
    }

    /// True for the simulators.
    pub const fn is_simulator(self) -> bool {
        !matches!(self, Self::Device)
    }
}

impl LegacyManylinux {
    /// The oldest glibc that suffices.
    pub const fn glibc(self) -> PlatformVersion {
        match self {
            Self::Manylinux1 => PlatformVersion::new(2, 5),
            Self::Manylinux2010 => PlatformVersion::new(2, 12),
            Self::Manylinux2014 => PlatformVersion::new(2, 17),
        }
    }
}

/// The ABI of a WebAssembly tag: the platform of Pyodide (PEP 783), or the Emscripten that built it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WasmAbi {
    /// `pyodide_2025_0_wasm32`.
    Pyodide(PlatformVersion),
    /// `pyemscripten_2026_0_wasm32`, the later name of the same series.
    PyEmscripten(PlatformVersion),
    /// `emscripten_3_1_58_wasm32`.
    Emscripten(u16, u16, u16),
}

/// A tag that this program has no rules for: lower-case letters, digits and `_`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OtherTag(String);

impl OtherTag {
    /// Returns the tag as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The last part of a wheel's tags: the systems that it runs on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PlatformTag {
    /// `any`: no native code.
    Any,
    /// `linux_x86_64`: some Linux, without any guarantee; indexes refuse it.
    Linux {
        /// Processor.
        arch: Arch,
    },
    /// `manylinux_2_28_x86_64`: at least this glibc (PEP 600).
    Manylinux {
        /// The oldest glibc that suffices.
        glibc: PlatformVersion,
        /// Processor.
        arch: Arch,
    },
    /// `manylinux1_x86_64`, `manylinux2010_x86_64`, `manylinux2014_x86_64` (PEP 513, 571, 599).
    LegacyManylinux {
        /// Which of the three.
        name: LegacyManylinux,
        /// Processor.
        arch: Arch,
    },
    /// `musllinux_1_2_x86_64`: at least this musl (PEP 656).
    Musllinux {
        /// The oldest musl that suffices.
        musl: PlatformVersion,
        /// Processor.
        arch: Arch,
    },
    /// `android_24_arm64_v8a`: at least this API level (PEP 738).
    Android {
        /// The lowest API level that suffices.
        api: u16,
        /// Processor.
        abi: AndroidAbi,
    },
    /// `ios_13_0_arm64_iphoneos`: at least this iOS (PEP 730).
    Ios {
        /// The oldest iOS that suffices.
        min: PlatformVersion,
        /// Processor and SDK.
        sdk: IosSdk,
    },
    /// `macosx_11_0_arm64`: at least this macOS.
    MacOs {
        /// The oldest macOS that suffices.
        min: PlatformVersion,
        /// Processors.
        arch: MacArch,
    },
    /// `win_amd64`.
    Windows {
        /// Processor.
        arch: WindowsArch,
    },
    /// `pyodide_2025_0_wasm32`, `emscripten_3_1_58_wasm32`: WebAssembly (PEP 783).
    Wasm {
        /// Its ABI.
        abi: WasmAbi,
    },
    /// Any other tag.
    Other(OtherTag),
}

/// The version as installers know it: from macOS 11 on, with minor 0 only.
fn taggable(min: PlatformVersion) -> PlatformVersion {
    if min.major >= 11 { PlatformVersion::new(min.major, 0) } else { min }
}

impl PlatformTag {
    /// Returns the macOS tag of a thin binary.
    pub fn macos(min: PlatformVersion, arch: Arch) -> Self {
        Self::MacOs { min: taggable(min), arch: MacArch::of(arch) }
    }

    /// Returns the macOS tag of binaries with a slice for each processor.
    pub fn universal2(min: PlatformVersion) -> Self {
        Self::MacOs { min: taggable(min), arch: MacArch::Universal2 }
    }

    /// Returns the Android tag for `arch`; `None` for processors that Android does not run on.
    pub fn android(api: u16, arch: Arch) -> Option<Self> {
        let abi = AndroidAbi::ALL.iter().copied().find(|abi| abi.arch() == arch)?;
        Some(Self::Android { api, abi })
    }

    /// Returns the Windows tag for `arch`; anything but `i686` and `aarch64` is `win_amd64`.
    pub fn windows(arch: Arch) -> Self {
        let arch = match arch {
            Arch::I686 => WindowsArch::X86,
            Arch::Aarch64 => WindowsArch::Arm64,
            _ => WindowsArch::Amd64,
        };
        Self::Windows { arch }
    }

    /// Returns the processor of a Linux or Android tag.
    pub fn arch(&self) -> Option<Arch> {
        match self {
            Self::Linux { arch }
            | Self::Manylinux { arch, .. }
            | Self::LegacyManylinux { arch, .. }
            | Self::Musllinux { arch, .. } => Some(*arch),
            Self::Android { abi, .. } => Some(abi.arch()),
            _ => None,
        }
    }

    /// Returns the oldest glibc that the tag requires; `None` for the older names of such tags.
    #[cfg(feature = "audit")]
    pub(crate) fn glibc(&self) -> Option<PlatformVersion> {
        match self {
            Self::Manylinux { glibc, .. } => Some(*glibc),
            _ => None,
        }
    }

    /// Returns the C library that the tag guarantees.
    pub fn libc(&self) -> Option<Libc> {
        match self {
            Self::Manylinux { .. } | Self::LegacyManylinux { .. } => Some(Libc::Glibc),
            Self::Musllinux { .. } => Some(Libc::Musl),
            _ => None,
        }
    }

    /// Returns the PEP 600 name of a legacy tag; every other tag unchanged.
    ///
    /// ```
    /// use wheelsmith_core::name::PlatformTag;
    ///
    /// let tag: PlatformTag = "manylinux2014_aarch64".parse().unwrap();
    /// assert_eq!(tag.modern().to_string(), "manylinux_2_17_aarch64");
    /// ```
    #[must_use]
    pub fn modern(&self) -> Self {
        match self {
            Self::LegacyManylinux { name, arch } => {
                Self::Manylinux { glibc: name.glibc(), arch: *arch }
            }
            other => other.clone(),
        }
    }

    /// Returns the older name of the same tag, where indexes take one for its processor:
    /// `manylinux1` and `manylinux2010` were defined for x86 only.
    pub fn legacy_alias(&self) -> Option<Self> {
        let Self::Manylinux { glibc, arch } = self else { return None };
        let name = LegacyManylinux::ALL.iter().copied().find(|name| name.glibc() == *glibc)?;
        let defined = match arch {
            Arch::X86_64 | Arch::I686 => true,
            Arch::Aarch64 | Arch::Armv7l | Arch::Ppc64 | Arch::Ppc64le | Arch::S390x => {
                name == LegacyManylinux::Manylinux2014
            }
            Arch::Riscv64 | Arch::Loongarch64 => false,
        };
        defined.then_some(Self::LegacyManylinux { name, arch: *arch })
    }

    /// Returns the alias, if any, and the tag, in the order in which a file name has them.
    pub fn with_aliases(&self) -> Vec<Self> {
        self.legacy_alias().into_iter().chain([self.clone()]).collect()
    }
}

impl Target {
    /// Returns the platform tag for the floor. The audit decides whether the files qualify for it.
    pub fn wanted_tag(&self) -> PlatformTag {
        let arch = self.row().arch;
        match (self.row().os, self.floor()) {
            (Os::Linux(_), Floor::Glibc(glibc)) => PlatformTag::Manylinux { glibc, arch },
            (Os::MacOs, Floor::MacOs(min)) if self.row().slices.is_empty() => {
                PlatformTag::macos(min, arch)
            }
            (Os::MacOs, Floor::MacOs(min)) => PlatformTag::universal2(min),
            (Os::Windows, _) => PlatformTag::windows(arch),
            // The oldest musl for which indexes have wheels today.
            _ => PlatformTag::Musllinux { musl: PlatformVersion::new(1, 2), arch },
        }
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
            Self::LegacyManylinux { name, arch } => write!(f, "{name}_{arch}"),
            Self::Musllinux { musl: v, arch } => {
                write!(f, "musllinux_{}_{}_{arch}", v.major, v.minor)
            }
            Self::Android { api, abi } => write!(f, "android_{api}_{abi}"),
            Self::Ios { min: v, sdk } => write!(f, "ios_{}_{}_{sdk}", v.major, v.minor),
            Self::MacOs { min: v, arch } => write!(f, "macosx_{}_{}_{arch}", v.major, v.minor),
            Self::Windows { arch } => write!(f, "{arch}"),
            Self::Wasm { abi: WasmAbi::Pyodide(v) } => {
                write!(f, "pyodide_{}_{}_wasm32", v.major, v.minor)
            }
            Self::Wasm { abi: WasmAbi::PyEmscripten(v) } => {
                write!(f, "pyemscripten_{}_{}_wasm32", v.major, v.minor)
            }
            Self::Wasm { abi: WasmAbi::Emscripten(major, minor, patch) } => {
                write!(f, "emscripten_{major}_{minor}_{patch}_wasm32")
            }
            Self::Other(text) => f.write_str(text.as_str()),
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
        Ok(known(text).unwrap_or_else(|| Self::Other(OtherTag(text.to_owned()))))
    }
}

/// Parses a number in its only spelling, so that tags print as they were read.
fn number(text: &str) -> Option<u16> {
    text.parse().ok().filter(|n: &u16| n.to_string() == text)
}

fn known(text: &str) -> Option<PlatformTag> {
    let versioned = |prefix: &str| {
        let (major, rest) = text.strip_prefix(prefix)?.split_once('_')?;
        let (minor, rest) = rest.split_once('_')?;
        Some((PlatformVersion::new(number(major)?, number(minor)?), rest))
    };
    if text == "any" {
        return Some(PlatformTag::Any);
    }
    if let Some(arch) = WindowsArch::from_text(text) {
        return Some(PlatformTag::Windows { arch });
    }
    if let Some((min, arch)) = versioned("macosx_") {
        return Some(PlatformTag::MacOs { min, arch: MacArch::from_text(arch)? });
    }
    if let Some((min, sdk)) = versioned("ios_") {
        return Some(PlatformTag::Ios { min, sdk: IosSdk::from_text(sdk)? });
    }
    if let Some(rest) = text.strip_prefix("android_") {
        let (api, abi) = rest.split_once('_')?;
        return Some(PlatformTag::Android { api: number(api)?, abi: AndroidAbi::from_text(abi)? });
    }
    if let Some((version, "wasm32")) = versioned("pyodide_") {
        return Some(PlatformTag::Wasm { abi: WasmAbi::Pyodide(version) });
    }
    if let Some((version, "wasm32")) = versioned("pyemscripten_") {
        return Some(PlatformTag::Wasm { abi: WasmAbi::PyEmscripten(version) });
    }
    if let Some((version, rest)) = versioned("emscripten_") {
        let patch = number(rest.strip_suffix("_wasm32")?)?;
        let abi = WasmAbi::Emscripten(version.major, version.minor, patch);
        return Some(PlatformTag::Wasm { abi });
    }
    if let Some((glibc, arch)) = versioned("manylinux_") {
        return Some(PlatformTag::Manylinux { glibc, arch: arch.parse().ok()? });
    }
    if let Some((musl, arch)) = versioned("musllinux_") {
        return Some(PlatformTag::Musllinux { musl, arch: arch.parse().ok()? });
    }
    if let Some(arch) = text.strip_prefix("linux_") {
        return Some(PlatformTag::Linux { arch: arch.parse().ok()? });
    }
    let (name, arch) = text.split_once('_')?;
    let name = LegacyManylinux::from_text(name)?;
    Some(PlatformTag::LegacyManylinux { name, arch: arch.parse().ok()? })
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
            "ios_13_0_arm64_iphoneos",
            "ios_13_0_x86_64_iphonesimulator",
            "pyodide_2025_0_wasm32",
            "pyemscripten_2026_0_wasm32",
            "emscripten_3_1_58_wasm32",
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
            "ios_13_0_x86_64_iphoneos",
            "emscripten_3_1_wasm32",
            "manylinux_02_17_x86_64",
            "android_021_x86",
        ] {
            let tag: PlatformTag = text.parse().unwrap();
            assert!(matches!(tag, PlatformTag::Other(_)), "{text}");
            assert_eq!(tag.to_string(), text);
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
