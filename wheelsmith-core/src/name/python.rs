//! Pythons and ABIs that extension modules are compiled for, and the file names that follow.

use std::fmt;
use std::str::FromStr;

use super::{
    Arch, Libc, Os, ParseError, PlatformTag, PlatformVersion, PythonTag, Target, serde_by_text,
};

/// First CPython that distinguishes musl from glibc in file names.
pub(crate) const FIRST_TO_TELL_MUSL: PlatformVersion = PlatformVersion::new(3, 11);

/// First CPython with the free-threaded stable ABI (PEP 803).
#[cfg_attr(
    not(any(feature = "audit", feature = "build")),
    allow(dead_code, reason = "only the configuration and the audit use it")
)]
pub(crate) const FIRST_WITH_ABI3T: PlatformVersion = PlatformVersion::new(3, 15);

/// First CPython with free-threaded builds (PEP 703).
const FIRST_FREE_THREADED: PlatformVersion = PlatformVersion::new(3, 13);

/// Release of an implementation of Python, in one build variant: `3.13`, `3.13t`, `pypy3.11`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PythonVersion {
    /// True for PyPy, false for CPython.
    pub is_pypy: bool,
    /// Release: 3.13.
    pub version: PlatformVersion,
    /// True if it has no global interpreter lock.
    pub free_threaded: bool,
}

impl PythonVersion {
    /// Returns the Python tag: `cp313`, `pp311`.
    pub fn python_tag(&self) -> String {
        let PlatformVersion { major, minor, .. } = self.version;
        format!("{}{major}{minor}", if self.is_pypy { "pp" } else { "cp" })
    }

    /// Returns the ABI tag: `cp313`, `cp313t`, `pypy311_pp73`.
    pub fn abi_tag(&self) -> String {
        let PlatformVersion { major, minor, .. } = self.version;
        if self.is_pypy {
            return format!("pypy{major}{minor}_pp73");
        }
        let flag = match (self.free_threaded, minor) {
            (true, _) => "t",
            // Until 3.7 the ABI of CPython ended in `m`.
            (false, ..8) => "m",
            (false, _) => "",
        };
        format!("cp{major}{minor}{flag}")
    }

    /// Returns the name with which its headers and libraries end: `3.13t`.
    pub fn library_version(&self) -> String {
        format!("{}{}", self.version, if self.free_threaded { "t" } else { "" })
    }
}

impl fmt::Display for PythonVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = if self.is_pypy { "pypy" } else { "" };
        write!(f, "{name}{}", self.library_version())
    }
}

impl FromStr for PythonVersion {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let error = || ParseError::new(text, "a Python (such as `3.12`, `3.13t` or `pypy3.11`)");
        let (is_pypy, rest) = match text.strip_prefix("pypy") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (numbers, free_threaded) = match rest.strip_suffix('t') {
            Some(numbers) => (numbers, true),
            None => (rest, false),
        };
        let version: PlatformVersion = numbers.parse().map_err(|_| error())?;
        let is_known = version.major == 3 && version.to_string() == numbers;
        if !is_known || (free_threaded && (is_pypy || version < FIRST_FREE_THREADED)) {
            return Err(error());
        }
        Ok(Self { is_pypy, version, free_threaded })
    }
}

serde_by_text!(PythonVersion);

/// ABI that an extension module is compiled for. Its text is the pair of wheel tags: `cp39-abi3`,
/// `cp315-abi3.abi3t`, `cp313-cp313t`, `pp311-pypy311_pp73`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PythonAbi {
    /// Stable ABI from a release on (PEP 384): CPython with a global interpreter lock.
    Abi3(PlatformVersion),
    /// Stable ABI of free-threaded builds from a release on, which other builds support as well
    /// (PEP 803).
    Abi3t(PlatformVersion),
    /// One release.
    Version(PythonVersion),
}

impl PythonAbi {
    /// Returns the Python and ABI tags of wheels.
    pub fn tag(&self) -> PythonTag {
        let stable = |from: &PlatformVersion, abis: &[&str]| PythonTag {
            python: vec![format!("cp{}{}", from.major, from.minor)],
            abi: abis.iter().map(|abi| (*abi).to_owned()).collect(),
        };
        match self {
            Self::Abi3(from) => stable(from, &["abi3"]),
            Self::Abi3t(from) => stable(from, &["abi3", "abi3t"]),
            Self::Version(python) => {
                PythonTag { python: vec![python.python_tag()], abi: vec![python.abi_tag()] }
            }
        }
    }

    /// Returns the end of the file name of an extension module, from the first dot on:
    /// `.abi3.so`, `.cpython-313-aarch64-linux-gnu.so`, `.cp313-win_amd64.pyd`.
    ///
    /// Source: `importlib.machinery.EXTENSION_SUFFIXES`; PEP 3149, PEP 803.
    pub fn suffix(&self, target: &Target) -> String {
        let os = target.os();
        let end = if os == Os::Windows { "pyd" } else { "so" };
        let python = match self {
            // Pythons on Windows look for no ABI of several releases.
            Self::Abi3(_) | Self::Abi3t(_) if os == Os::Windows => return format!(".{end}"),
            Self::Abi3(_) => return format!(".abi3.{end}"),
            Self::Abi3t(_) => return format!(".abi3t.{end}"),
            Self::Version(python) => python,
        };
        let system = system(target, python.version);
        let abi = python.abi_tag();
        if python.is_pypy {
            return format!(".{}-{system}.{end}", abi.replace('_', "-"));
        }
        if os == Os::Windows {
            return format!(".{}-{system}.{end}", abi.trim_end_matches('m'));
        }
        format!(".cpython-{}-{system}.{end}", abi.trim_start_matches("cp"))
    }

    /// True if every Python that accepts wheels tagged `wheel` can import a module of this ABI.
    pub fn serves(&self, wheel: &Self) -> bool {
        let has_lock = |python: &PythonVersion| !python.is_pypy && !python.free_threaded;
        match (self, wheel) {
            (own, wheel) if own == wheel => true,
            (Self::Abi3(from), Self::Abi3(wanted))
            | (Self::Abi3t(from), Self::Abi3t(wanted) | Self::Abi3(wanted)) => from <= wanted,
            (Self::Abi3(from), Self::Version(python)) => {
                has_lock(python) && *from <= python.version
            }
            (Self::Abi3t(from), Self::Version(python)) => {
                !python.is_pypy && *from <= python.version
            }
            _ => false,
        }
    }

    /// Returns the oldest release that it is for.
    pub fn oldest(&self) -> PlatformVersion {
        match self {
            Self::Abi3(from) | Self::Abi3t(from) => *from,
            Self::Version(python) => python.version,
        }
    }

    /// True if it is for free-threaded builds.
    pub fn is_free_threaded(&self) -> bool {
        match self {
            Self::Abi3(_) => false,
            Self::Abi3t(_) => true,
            Self::Version(python) => python.free_threaded,
        }
    }

    /// True if it is for several releases.
    pub fn is_stable(&self) -> bool {
        !matches!(self, Self::Version(_))
    }
}

impl fmt::Display for PythonAbi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.tag().fmt(f)
    }
}

impl FromStr for PythonAbi {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let error =
            || ParseError::new(text, "the tags of an extension module (such as `cp39-abi3`)");
        let (python, abi) = text.split_once('-').ok_or_else(error)?;
        let (is_pypy, digits) = match (python.strip_prefix("cp"), python.strip_prefix("pp")) {
            (Some(digits), _) => (false, digits),
            (_, Some(digits)) => (true, digits),
            _ => return Err(error()),
        };
        let (major, minor) = digits.split_at_checked(1).ok_or_else(error)?;
        let version = format!("{major}.{minor}").parse().map_err(|_| error())?;
        let parsed = match abi {
            "abi3" => Self::Abi3(version),
            "abi3.abi3t" => Self::Abi3t(version),
            abi => {
                Self::Version(PythonVersion { is_pypy, version, free_threaded: abi.ends_with('t') })
            }
        };
        if parsed.to_string() == text { Ok(parsed) } else { Err(error()) }
    }
}

serde_by_text!(PythonAbi);

/// Returns the name of a target's system in the names of extension modules.
fn system(target: &Target, python: PlatformVersion) -> String {
    match target.os() {
        Os::Linux(libc) => {
            let libc = if python < FIRST_TO_TELL_MUSL { Libc::Glibc } else { libc };
            linux_systems(target.arch(), libc).swap_remove(0)
        }
        Os::MacOs => "darwin".to_owned(),
        Os::Windows => PlatformTag::windows(target.arch()).to_string(),
    }
}

/// Returns the names of a Linux in the names of extension modules, the usual one first.
///
/// Source: CPython's `configure` (PLATFORM_TRIPLET).
pub(crate) fn linux_systems(arch: Arch, libc: Libc) -> Vec<String> {
    let libc = if libc == Libc::Musl { "musl" } else { "gnu" };
    let (cpus, float): (&[&str], &str) = match arch {
        Arch::X86_64 => (&["x86_64"], ""),
        Arch::I686 => (&["i386", "i686"], ""),
        Arch::Aarch64 => (&["aarch64"], ""),
        Arch::Armv7l => (&["arm"], "eabihf"),
        Arch::Ppc64 => (&["powerpc64"], ""),
        Arch::Ppc64le => (&["powerpc64le"], ""),
        Arch::S390x => (&["s390x"], ""),
        Arch::Riscv64 => (&["riscv64"], ""),
        Arch::Loongarch64 => (&["loongarch64"], ""),
    };
    cpus.iter().map(|cpu| format!("{cpu}-linux-{libc}{float}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pythons_print_as_they_parse() {
        let check = |text: &str, python: &str, abi: &str| {
            let parsed: PythonVersion = text.parse().unwrap();
            assert_eq!(parsed.to_string(), text);
            assert_eq!((&*parsed.python_tag(), &*parsed.abi_tag()), (python, abi), "{text}");
        };
        check("3.7", "cp37", "cp37m");
        check("3.10", "cp310", "cp310");
        check("3.13t", "cp313", "cp313t");
        check("pypy3.11", "pp311", "pypy311_pp73");
        for bad in ["", "3", "3.12t", "2.7", "3.12.1", "pypy3.13t", "cp312", "3.x", "3.012"] {
            bad.parse::<PythonVersion>().unwrap_err();
        }
    }

    #[test]
    fn abis_print_as_they_parse() {
        let tags = ["cp39-abi3", "cp315-abi3.abi3t", "cp313-cp313t", "cp37-cp37m", "cp310-cp310"];
        for text in tags.iter().chain(&["pp311-pypy311_pp73"]) {
            assert_eq!(text.parse::<PythonAbi>().unwrap().to_string(), *text);
            text.parse::<PythonTag>().unwrap();
        }
        for bad in ["py3-none", "cp39", "cp39-cp310", "pp39-abi3", "cp315-abi3t", "cp312-cp312t-x"]
        {
            bad.parse::<PythonAbi>().unwrap_err();
        }
    }

    #[test]
    fn file_names_are_those_that_pythons_look_for() {
        let check = |abi: &str, triple: &str, suffix: &str| {
            let abi: PythonAbi = abi.parse().unwrap();
            assert_eq!(abi.suffix(&triple.parse().unwrap()), suffix, "{abi} {triple}");
        };
        let (linux, mac, windows) =
            ("aarch64-unknown-linux-gnu", "aarch64-apple-darwin", "x86_64-pc-windows-gnu");
        check("cp39-abi3", linux, ".abi3.so");
        check("cp39-abi3", mac, ".abi3.so");
        check("cp39-abi3", windows, ".pyd");
        check("cp315-abi3.abi3t", linux, ".abi3t.so");
        check("cp315-abi3.abi3t", windows, ".pyd");
        check("cp313-cp313", linux, ".cpython-313-aarch64-linux-gnu.so");
        check("cp313-cp313t", mac, ".cpython-313t-darwin.so");
        check("cp313-cp313t", windows, ".cp313t-win_amd64.pyd");
        check("cp37-cp37m", linux, ".cpython-37m-aarch64-linux-gnu.so");
        check("cp37-cp37m", windows, ".cp37-win_amd64.pyd");
        check("cp312-cp312", "x86_64-unknown-linux-musl", ".cpython-312-x86_64-linux-musl.so");
        check("cp310-cp310", "x86_64-unknown-linux-musl", ".cpython-310-x86_64-linux-gnu.so");
        check("cp312-cp312", "i686-unknown-linux-gnu", ".cpython-312-i386-linux-gnu.so");
        let arm = ".cpython-312-arm-linux-gnueabihf.so";
        check("cp312-cp312", "armv7-unknown-linux-gnueabihf", arm);
        check("pp311-pypy311_pp73", linux, ".pypy311-pp73-aarch64-linux-gnu.so");
        check("pp311-pypy311_pp73", windows, ".pypy311-pp73-win_amd64.pyd");
    }

    #[test]
    fn a_module_serves_the_pythons_of_a_wheel() {
        let check = |module: &str, wheels: &str, others: &str| {
            let module: PythonAbi = module.parse().unwrap();
            for (list, expected) in [(wheels, true), (others, false)] {
                for wheel in list.split_whitespace() {
                    assert_eq!(
                        module.serves(&wheel.parse().unwrap()),
                        expected,
                        "{module} {wheel}"
                    );
                }
            }
        };
        check(
            "cp39-abi3",
            "cp39-abi3 cp310-abi3 cp312-cp312",
            "cp38-abi3 cp38-cp38 cp313-cp313t pp311-pypy311_pp73 cp315-abi3.abi3t",
        );
        check(
            "cp315-abi3.abi3t",
            "cp315-abi3.abi3t cp316-abi3 cp315-cp315 cp315-cp315t",
            "cp314-abi3 cp314-cp314t",
        );
        check("cp313-cp313t", "cp313-cp313t", "cp313-cp313 cp314-cp314t cp39-abi3");
    }
}
