//! Targets: one table of them, and a target with its floor.

use std::fmt;
use std::str::FromStr;

use super::{ParseError, PlatformVersion, serde_by_text};

/// Processor architecture, as in platform tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Arch {
    /// 64-bit Arm; `arm64` in macOS and Windows tags.
    Aarch64,
    /// 32-bit Arm, EABI5 with hardware floating point.
    Armv7l,
    /// 32-bit x86.
    I686,
    /// 64-bit LoongArch.
    Loongarch64,
    /// 64-bit POWER, big-endian.
    Ppc64,
    /// 64-bit POWER, little-endian.
    Ppc64le,
    /// 64-bit RISC-V with the `gc` extensions.
    Riscv64,
    /// IBM Z.
    S390x,
    /// 64-bit x86.
    X86_64,
}

impl Arch {
    /// All architectures.
    pub const ALL: [Self; 9] = [
        Self::Aarch64,
        Self::Armv7l,
        Self::I686,
        Self::Loongarch64,
        Self::Ppc64,
        Self::Ppc64le,
        Self::Riscv64,
        Self::S390x,
        Self::X86_64,
    ];

    /// True if numbers are big-endian.
    pub const fn is_big_endian(self) -> bool {
        matches!(self, Self::Ppc64 | Self::S390x)
    }

    /// Returns the name in Linux platform tags.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Aarch64 => "aarch64",
            Self::Armv7l => "armv7l",
            Self::I686 => "i686",
            Self::Loongarch64 => "loongarch64",
            Self::Ppc64 => "ppc64",
            Self::Ppc64le => "ppc64le",
            Self::Riscv64 => "riscv64",
            Self::S390x => "s390x",
            Self::X86_64 => "x86_64",
        }
    }
}

impl fmt::Display for Arch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Arch {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let found = Self::ALL.into_iter().find(|arch| arch.as_str() == text);
        found.ok_or_else(|| ParseError::new(text, "an architecture (such as `x86_64`)"))
    }
}

serde_by_text!(Arch);

/// A C library of Linux.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Libc {
    /// The GNU C library.
    Glibc,
    /// musl.
    Musl,
}

impl fmt::Display for Libc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Glibc => "glibc",
            Self::Musl => "musl",
        })
    }
}

/// Operating system of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Os {
    /// Linux with this C library.
    Linux(Libc),
    /// macOS.
    MacOs,
    /// Windows.
    Windows,
}

impl Os {
    /// Returns the word for `os` lists of the configuration: `linux`, `macos`, `windows`.
    pub const fn family(self) -> &'static str {
        match self {
            Self::Linux(_) => "linux",
            Self::MacOs => "macos",
            Self::Windows => "windows",
        }
    }

    /// Returns the suffix of shared libraries without a version.
    pub const fn shared_library_suffix(self) -> &'static str {
        match self {
            Self::Linux(_) => ".so",
            Self::MacOs => ".dylib",
            Self::Windows => ".dll",
        }
    }

    /// Returns the suffix of programs.
    pub const fn program_suffix(self) -> &'static str {
        match self {
            Self::Windows => ".exe",
            _ => "",
        }
    }
}

/// Row of the table of targets.
#[derive(Debug, PartialEq, Eq)]
pub struct TargetRow {
    /// Triple, as in Rust and clang.
    pub triple: &'static str,
    /// Processor.
    pub arch: Arch,
    /// Operating system.
    pub os: Os,
    /// Name of the target in zig, without a version.
    pub zig: &'static str,
    /// Prefix of a distribution's cross compiler, before `-gcc`; `None` if distributions have none.
    pub gnu_prefix: Option<&'static str>,
    /// Default floor: oldest glibc or macOS that a build aims at.
    pub default_floor: Option<PlatformVersion>,
    /// Triples of the slices that are merged into it; `arch` and `zig` are those of the first. Only the
    /// slices are compiled.
    pub slices: &'static [&'static str],
}

#[allow(clippy::unnecessary_wraps, reason = "keeps the table narrow")]
const fn v(major: u16, minor: u16) -> Option<PlatformVersion> {
    Some(PlatformVersion::new(major, minor))
}

const fn row(
    triple: &'static str,
    arch: Arch,
    os: Os,
    zig: &'static str,
    gnu_prefix: Option<&'static str>,
    default_floor: Option<PlatformVersion>,
) -> TargetRow {
    TargetRow { triple, arch, os, zig, gnu_prefix, default_floor, slices: &[] }
}

/// Target for both processors of macOS. arm64 starts with macOS 11, so the floor is that of the other
/// slice.
const UNIVERSAL2: TargetRow = TargetRow {
    slices: &["x86_64-apple-darwin", "aarch64-apple-darwin"],
    ..row("universal2-apple-darwin", Arch::X86_64, Os::MacOs, "x86_64-macos", None, v(10, 12))
};

const GNU: Os = Os::Linux(Libc::Glibc);
const MUSL: Os = Os::Linux(Libc::Musl);

/// All targets, sorted by triple.
///
/// The floors are the oldest that both the policy tables and zig's C libraries support: the first policy
/// for riscv64 is `manylinux_2_31`, and zig has no glibc before 2.19 for powerpc64le.
#[rustfmt::skip]
pub static TARGETS: &[TargetRow] = &[
    row("aarch64-apple-darwin", Arch::Aarch64, Os::MacOs, "aarch64-macos", None, v(11, 0)),
    row("aarch64-pc-windows-gnu", Arch::Aarch64, Os::Windows, "aarch64-windows-gnu", None, None),
    row("aarch64-unknown-linux-gnu", Arch::Aarch64, GNU, "aarch64-linux-gnu", Some("aarch64-linux-gnu"), v(2, 17)),
    row("aarch64-unknown-linux-musl", Arch::Aarch64, MUSL, "aarch64-linux-musl", None, None),
    row("armv7-unknown-linux-gnueabihf", Arch::Armv7l, GNU, "arm-linux-gnueabihf", Some("arm-linux-gnueabihf"), v(2, 17)),
    row("armv7-unknown-linux-musleabihf", Arch::Armv7l, MUSL, "arm-linux-musleabihf", None, None),
    row("i686-unknown-linux-gnu", Arch::I686, GNU, "x86-linux-gnu", Some("i686-linux-gnu"), v(2, 17)),
    row("i686-unknown-linux-musl", Arch::I686, MUSL, "x86-linux-musl", None, None),
    row("powerpc64le-unknown-linux-gnu", Arch::Ppc64le, GNU, "powerpc64le-linux-gnu", Some("powerpc64le-linux-gnu"), v(2, 19)),
    row("powerpc64le-unknown-linux-musl", Arch::Ppc64le, MUSL, "powerpc64le-linux-musl", None, None),
    row("riscv64gc-unknown-linux-gnu", Arch::Riscv64, GNU, "riscv64-linux-gnu", Some("riscv64-linux-gnu"), v(2, 31)),
    row("riscv64gc-unknown-linux-musl", Arch::Riscv64, MUSL, "riscv64-linux-musl", None, None),
    row("s390x-unknown-linux-gnu", Arch::S390x, GNU, "s390x-linux-gnu", Some("s390x-linux-gnu"), v(2, 17)),
    row("s390x-unknown-linux-musl", Arch::S390x, MUSL, "s390x-linux-musl", None, None),
    UNIVERSAL2,
    row("x86_64-apple-darwin", Arch::X86_64, Os::MacOs, "x86_64-macos", None, v(10, 12)),
    row("x86_64-pc-windows-gnu", Arch::X86_64, Os::Windows, "x86_64-windows-gnu", Some("x86_64-w64-mingw32"), None),
    row("x86_64-unknown-linux-gnu", Arch::X86_64, GNU, "x86_64-linux-gnu", Some("x86_64-linux-gnu"), v(2, 17)),
    row("x86_64-unknown-linux-musl", Arch::X86_64, MUSL, "x86_64-linux-musl", None, None),
];

/// Oldest platform that a build must run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Floor {
    /// Version of glibc.
    Glibc(PlatformVersion),
    /// Version of macOS.
    MacOs(PlatformVersion),
    /// No floor (musl, Windows).
    None,
}

impl fmt::Display for Floor {
    /// Prints `glibc 2.17`, `macOS 11.0` or `none`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Glibc(version) => write!(f, "glibc {version}"),
            Self::MacOs(version) => write!(f, "macOS {version}"),
            Self::None => f.write_str("none"),
        }
    }
}

/// Target with an optional floor: `aarch64-unknown-linux-gnu.2.28`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Target {
    row: &'static TargetRow,
    floor: Option<PlatformVersion>,
}

impl Target {
    /// Returns the triple without the floor.
    pub fn triple(&self) -> &'static str {
        self.row.triple
    }

    /// Returns the triple as part of names of variables: `AARCH64_UNKNOWN_LINUX_GNU`.
    pub fn env_name(&self) -> String {
        self.row.triple.to_uppercase().replace('-', "_")
    }

    /// Returns the GNU name for `configure` scripts: `aarch64-linux-gnu`, `x86_64-w64-mingw32`.
    pub fn gnu(&self) -> String {
        match (self.row.os, self.row.gnu_prefix) {
            (_, Some(prefix)) => prefix.to_owned(),
            (Os::Windows, _) => format!("{}-w64-mingw32", self.row.arch),
            (Os::MacOs, _) => self.row.triple.to_owned(),
            // zig omits the vendor too, and calls 32-bit x86 `x86`.
            (Os::Linux(_), _) => self.row.zig.replace("x86-", "i686-"),
        }
    }

    /// Returns the row of the table.
    pub fn row(&self) -> &'static TargetRow {
        self.row
    }

    /// Returns the processor.
    pub fn arch(&self) -> Arch {
        self.row.arch
    }

    /// Returns the operating system.
    pub fn os(&self) -> Os {
        self.row.os
    }

    /// Returns the targets that are merged into `universal2-apple-darwin`; empty for all others. They have
    /// its floor, or the oldest of their processor.
    pub fn slices(&self) -> Vec<Self> {
        let slice = |triple: &&str| -> Option<Self> {
            let Self { row, .. } = triple.parse().ok()?;
            let floor = self.floor.map(|floor| match row.arch {
                Arch::Aarch64 => floor.max(PlatformVersion::new(11, 0)),
                _ => floor,
            });
            Some(Self { row, floor })
        };
        self.row.slices.iter().filter_map(slice).collect()
    }

    /// Returns the targets that are compiled for this one: its slices, or itself.
    pub fn compiled(&self) -> Vec<Self> {
        let slices = self.slices();
        if slices.is_empty() { vec![*self] } else { slices }
    }

    /// Returns the floor after the triple, or that of the table.
    pub fn floor(&self) -> Floor {
        match (self.row.os, self.floor.or(self.row.default_floor)) {
            (Os::Linux(Libc::Glibc), Some(version)) => Floor::Glibc(version),
            (Os::MacOs, Some(version)) => Floor::MacOs(version),
            _ => Floor::None,
        }
    }

    /// Returns the floor after the triple.
    pub fn written_floor(&self) -> Option<PlatformVersion> {
        self.floor
    }

    /// Returns the target with `floor`, unless one follows the triple.
    #[must_use]
    pub fn or_floor(self, floor: Option<PlatformVersion>) -> Self {
        let floor = if self.row.default_floor.is_some() { floor } else { None };
        Self { floor: self.floor.or(floor), ..self }
    }

    /// Returns zig's name with the floor: `aarch64-linux-gnu.2.17`, `aarch64-macos.11.0-none`.
    pub fn zig(&self) -> String {
        match self.floor() {
            Floor::Glibc(floor) => format!("{}.{floor}", self.row.zig),
            Floor::MacOs(floor) => format!("{}.{floor}-none", self.row.zig),
            Floor::None => self.row.zig.to_owned(),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.row.triple)?;
        self.floor.map_or(Ok(()), |floor| write!(f, ".{floor}"))
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for Target {
    type Err = ParseError;

    /// ```
    /// use wheelsmith_core::name::Target;
    ///
    /// let target: Target = "aarch64-unknown-linux-gnu.2.28".parse().unwrap();
    /// assert_eq!(target.zig(), "aarch64-linux-gnu.2.28");
    /// assert_eq!(target.wanted_tag().to_string(), "manylinux_2_28_aarch64");
    /// ```
    fn from_str(text: &str) -> Result<Self, ParseError> {
        const EXPECTED: &str = "a target (a triple of the target table, such as `aarch64-unknown-linux-gnu` or, \
             with a libc floor, `aarch64-unknown-linux-gnu.2.28`)";
        let (triple, floor) = match text.split_once('.') {
            Some((triple, floor)) => (triple, Some(floor.parse::<PlatformVersion>())),
            None => (text, None),
        };
        let row = TARGETS.iter().find(|row| row.triple == triple).ok_or_else(|| ParseError {
            suggestion: nearest(triple),
            ..ParseError::new(text, EXPECTED)
        })?;
        match floor {
            None => Ok(Self { row, floor: None }),
            Some(Ok(floor)) if row.default_floor.is_some() => Ok(Self { row, floor: Some(floor) }),
            Some(Ok(_)) => Err(ParseError::new(
                text,
                "a target with a floor: only `-gnu` Linux and macOS targets have one",
            )),
            Some(Err(_)) => Err(ParseError::new(text, EXPECTED)),
        }
    }
}

serde_by_text!(Target);

/// Returns the target that is spelled most like `triple`. Only a library that reads configurations
/// suggests one.
#[cfg(not(feature = "build"))]
fn nearest(_: &str) -> Option<String> {
    None
}

/// Returns the target that is spelled most like `triple`.
#[cfg(feature = "build")]
fn nearest(triple: &str) -> Option<String> {
    let close = |row: &&TargetRow| strsim::jaro_winkler(row.triple, triple);
    let best = TARGETS.iter().max_by(|a, b| close(a).total_cmp(&close(b)))?;
    (close(&best) > 0.85).then(|| best.triple.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_knows_its_spellings() {
        let check = |text: &str, zig: &str, tag: &str| {
            let target: Target = text.parse().unwrap();
            assert_eq!(target.to_string(), text);
            assert_eq!(target.zig(), zig);
            assert_eq!(target.wanted_tag().to_string(), tag);
        };
        check("x86_64-unknown-linux-gnu", "x86_64-linux-gnu.2.17", "manylinux_2_17_x86_64");
        check("aarch64-unknown-linux-gnu.2.28", "aarch64-linux-gnu.2.28", "manylinux_2_28_aarch64");
        check("riscv64gc-unknown-linux-gnu", "riscv64-linux-gnu.2.31", "manylinux_2_31_riscv64");
        check("armv7-unknown-linux-musleabihf", "arm-linux-musleabihf", "musllinux_1_2_armv7l");
        check("aarch64-apple-darwin", "aarch64-macos.11.0-none", "macosx_11_0_arm64");
        check("x86_64-apple-darwin.13.0", "x86_64-macos.13.0-none", "macosx_13_0_x86_64");
        check("x86_64-pc-windows-gnu", "x86_64-windows-gnu", "win_amd64");
    }

    #[test]
    fn other_texts_are_not_targets() {
        let check = |text: &str, suggestion: Option<&str>| {
            assert_eq!(text.parse::<Target>().unwrap_err().suggestion.as_deref(), suggestion);
        };
        check("x86_64-unknown-linux-gun", Some("x86_64-unknown-linux-gnu"));
        check("aarch64-linux-gnu", Some("aarch64-unknown-linux-gnu"));
        check("", None);
        check("toaster", None);
        check("x86_64-unknown-linux-gnu.2", None);
        check("x86_64-unknown-linux-musl.1.2", None);
    }

    #[test]
    fn the_table_is_sorted_and_unique() {
        assert!(TARGETS.windows(2).all(|pair| pair[0].triple < pair[1].triple));
    }

    #[test]
    fn a_fused_target_is_made_of_others() {
        let check = |text: &str, tag: &str, slices: &[&str]| {
            let target: Target = text.parse().unwrap();
            assert_eq!(target.wanted_tag().to_string(), tag);
            let found: Vec<String> = target.slices().iter().map(Target::to_string).collect();
            assert_eq!(found, slices);
        };
        let (intel, arm) = ("x86_64-apple-darwin", "aarch64-apple-darwin");
        check("universal2-apple-darwin", "macosx_10_12_universal2", &[intel, arm]);
        let [intel, arm] = ["x86_64-apple-darwin.10.13", "aarch64-apple-darwin.11.0"];
        check("universal2-apple-darwin.10.13", "macosx_10_13_universal2", &[intel, arm]);
        let [intel, arm] = ["x86_64-apple-darwin.13.3", "aarch64-apple-darwin.13.3"];
        check("universal2-apple-darwin.13.3", "macosx_13_0_universal2", &[intel, arm]);
        check("x86_64-unknown-linux-gnu", "manylinux_2_17_x86_64", &[]);
        for row in TARGETS {
            let target: Target = row.triple.parse().unwrap();
            assert_eq!(target.slices().len(), row.slices.len(), "{}", row.triple);
            assert_eq!(target.compiled().len(), row.slices.len().max(1), "{}", row.triple);
        }
    }

    #[test]
    fn a_written_floor_wins() {
        let floor = Some(PlatformVersion::new(2, 34));
        let floor_of = |text: &str| text.parse::<Target>().unwrap().or_floor(floor).floor();
        let glibc = |major, minor| Floor::Glibc(PlatformVersion::new(major, minor));
        assert_eq!(floor_of("x86_64-unknown-linux-gnu"), glibc(2, 34));
        assert_eq!(floor_of("x86_64-unknown-linux-gnu.2.28"), glibc(2, 28));
        assert_eq!(floor_of("x86_64-unknown-linux-musl"), Floor::None);
    }
}
