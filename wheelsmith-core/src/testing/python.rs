//! A Python interpreter, and the wheels that it accepts.

use std::path::PathBuf;

use pep440_rs::Version;

use super::Request;
use crate::name::{Arch, Libc, MacArch, PlatformTag, PlatformVersion, WheelFilename};

/// A Python that can run here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Python {
    /// Path of the program.
    pub program: PathBuf,
    /// Command that starts it: an emulator or a loader. Empty for a native one.
    pub runner: Vec<String>,
    /// Version: 3, 12, 1.
    pub version: [u32; 3],
    /// Implementation: `cpython`, `pypy`.
    pub implementation: String,
    /// True if it was built without the global lock.
    pub free_threaded: bool,
    /// Platform.
    pub platform: Platform,
    /// Other paths by which it was found, such as that of a virtual environment.
    pub aliases: Vec<PathBuf>,
    /// Path of a pip that it can run: a directory, or one inside a wheel.
    pub pip: Option<PathBuf>,
}

/// Platform of a Python.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Platform {
    /// Linux.
    Linux {
        /// Processor.
        arch: Arch,
        /// C library.
        libc: Libc,
        /// Version of the C library, if known.
        version: Option<PlatformVersion>,
    },
    /// Any other platform, as `sysconfig.get_platform()` names it: `macosx-11.0-arm64`,
    /// `win-amd64`.
    Other(String),
}

impl Platform {
    /// Returns a short name: `x86_64`, `aarch64-musl`, `macosx-11.0-arm64`.
    pub fn label(&self) -> String {
        match self {
            Self::Linux { arch, libc: Libc::Glibc, .. } => arch.to_string(),
            Self::Linux { arch, libc, .. } => format!("{arch}-{libc}"),
            Self::Other(text) => text.clone(),
        }
    }

    /// True if files with this tag are for this platform, however old its C library is.
    pub fn is_of(&self, tag: &PlatformTag) -> bool {
        match (self, tag) {
            (_, PlatformTag::Any) => true,
            (Self::Linux { arch, .. }, PlatformTag::Linux { arch: wanted }) => arch == wanted,
            (
                Self::Linux { arch, libc, .. },
                PlatformTag::Manylinux { .. }
                | PlatformTag::LegacyManylinux { .. }
                | PlatformTag::Musllinux { .. },
            ) => tag.arch() == Some(*arch) && tag.libc() == Some(*libc),
            (Self::Other(text), PlatformTag::MacOs { arch, .. }) => {
                text.starts_with("macosx-")
                    && (*arch == MacArch::Universal2
                        || text.ends_with(arch.as_str())
                        || text.ends_with("universal2"))
            }
            (Self::Other(text), PlatformTag::Windows { arch }) => {
                text.replace('-', "_") == arch.as_str()
            }
            (Self::Other(text), tag) => text.replace(['-', '.'], "_") == tag.to_string(),
            _ => false,
        }
    }

    /// True if its C library is new enough for the tag.
    fn is_new_enough(&self, tag: &PlatformTag) -> bool {
        let Self::Linux { version: Some(version), .. } = self else { return true };
        match tag.modern() {
            PlatformTag::Manylinux { glibc: wanted, .. }
            | PlatformTag::Musllinux { musl: wanted, .. } => *version >= wanted,
            _ => true,
        }
    }
}

impl Python {
    /// Returns the version as users write it: `3.12`, `3.13t`, `pypy3.10`.
    pub fn label(&self) -> String {
        let [major, minor, _] = self.version;
        let name = if self.implementation == "cpython" { "" } else { &self.implementation };
        let threads = if self.free_threaded { "t" } else { "" };
        format!("{name}{major}.{minor}{threads}")
    }

    /// Returns the Python tag of its extension modules: `cp312`, `cp313t`, `pp310`.
    pub fn tag(&self) -> String {
        let [major, minor, _] = self.version;
        let threads = if self.free_threaded { "t" } else { "" };
        let name = match self.implementation.as_str() {
            "cpython" => "cp",
            "pypy" => "pp",
            other => other,
        };
        format!("{name}{major}{minor}{threads}")
    }

    /// Returns the reason why an installer refuses the wheel for this Python; `None` if it does
    /// not.
    pub fn refuses(
        &self,
        wheel: &WheelFilename,
        requires: Option<&crate::metadata::Specifiers>,
    ) -> Option<String> {
        let here = self.platform.label();
        let mut kind = wheel.platforms.iter().filter(|tag| self.platform.is_of(tag)).peekable();
        if kind.peek().is_none() {
            return Some(format!("the wheel is not for {here}"));
        }
        if !kind.any(|tag| self.platform.is_new_enough(tag)) {
            let Platform::Linux { libc, version: Some(version), .. } = &self.platform else {
                return Some(format!("the wheel is not for {here}"));
            };
            return Some(format!("the wheel needs a newer {libc} than {version}"));
        }
        let mut tags = wheel.python.python.iter();
        if !tags.any(|python| wheel.python.abi.iter().any(|abi| self.takes(python, abi))) {
            return Some(format!("its tag `{}` is not for Python {}", wheel.python, self.label()));
        }
        let [major, minor, patch] = self.version.map(u64::from);
        let version = Version::new([major, minor, patch]);
        match requires {
            Some(requires) if !requires.contains(&version) => {
                Some(format!("the wheel requires Python {requires}"))
            }
            _ => None,
        }
    }

    /// True if an installer of this Python accepts this pair of tags (PEP 425, 703).
    fn takes(&self, python: &str, abi: &str) -> bool {
        let [major, minor, _] = self.version;
        let split = python.find(|c: char| c.is_ascii_digit()).unwrap_or(python.len());
        let (name, digits) = python.split_at(split);
        let Some(tag_major) = digits.get(..1).and_then(|d| d.parse::<u32>().ok()) else {
            return false;
        };
        let tag_minor = digits[1..].parse::<u32>().ok();
        if tag_major != major {
            return false;
        }
        let own = self.tag();
        let own_name = &own[..own.find(|c: char| c.is_ascii_digit()).unwrap_or(own.len())];
        match (name, abi) {
            ("py", "none") => tag_minor.is_none_or(|wanted| wanted <= minor),
            (name, "none") => name == own_name && tag_minor.is_none_or(|wanted| wanted == minor),
            ("cp", "abi3") => {
                own_name == "cp"
                    && !self.free_threaded
                    && tag_minor.is_some_and(|wanted| wanted <= minor)
            }
            (name, abi) => {
                let exact = name == own_name && tag_minor == Some(minor);
                // Until 3.7 the ABI of CPython ended in `m`.
                let old = major == 3 && minor < 8 && abi == format!("{own}m");
                let foreign = own_name != "cp" && abi.starts_with(&self.implementation);
                exact && (abi == own || old || foreign)
            }
        }
    }
}

impl Request {
    /// True if `python` meets the request. Paths are compared without resolving links.
    pub fn is_met_by(&self, python: &Python) -> bool {
        match self {
            Self::Version { implementation, version, free_threaded } => {
                *implementation == python.implementation
                    && python.version.starts_with(version)
                    && *free_threaded == python.free_threaded
            }
            Self::Path(path) => *path == python.program || python.aliases.contains(path),
        }
    }
}
