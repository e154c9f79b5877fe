//! The dynamic symbols of a native file.

use serde::Serialize;

/// What the functions by which Python starts extension modules begin with, after `init` of
/// Python 2, which other functions begin with as well.
const PYTHON_STARTS: [&str; 4] = ["PyInit_", "PyInitU_", "PyModExport_", "_cffi_pypyinit_"];

/// A symbol that a file takes from another one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Undefined {
    /// Its name.
    pub name: String,
    /// Its version, such as `GLIBC_2.17`, and the library that is to have it.
    pub version: Option<(String, String)>,
    /// Whether the loader goes on without it.
    pub weak: bool,
}

/// What a file takes from others, and what it offers to them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Symbols {
    /// What it takes, sorted.
    pub undefined: Vec<Undefined>,
    /// What it offers.
    pub exports: Exports,
}

/// The names that a file offers. Libraries offer hundreds of thousands, so that only their digests
/// are kept: what is said to be here is, but for one chance in 2^64.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exports {
    /// Sorted.
    digests: Vec<u64>,
    python: Vec<String>,
}

impl Exports {
    /// Whether `name` is among them.
    pub fn contains(&self, name: &str) -> bool {
        self.contains_digest(Self::digest(name))
    }

    /// Whether the name of this digest is among them.
    pub(crate) fn contains_digest(&self, digest: u64) -> bool {
        self.digests.binary_search(&digest).is_ok()
    }

    /// What stands for `name`.
    pub(crate) fn digest(name: &str) -> u64 {
        digest(name.as_bytes())
    }

    /// Collects names.
    pub(super) fn of<'n>(names: impl IntoIterator<Item = &'n str>) -> Self {
        let mut exports = Self::default();
        names.into_iter().for_each(|name| exports.add(name.as_bytes(), false));
        exports.finish();
        exports
    }

    /// Returns the names that are in both.
    pub(super) fn common(mut self, other: &Self) -> Self {
        self.digests.retain(|digest| other.contains_digest(*digest));
        self
    }

    pub(super) fn add(&mut self, name: &[u8], is_function: bool) {
        self.digests.push(digest(name));
        if is_function && PYTHON_STARTS.iter().any(|s| name.starts_with(s.as_bytes())) {
            self.python.push(String::from_utf8_lossy(name).into_owned());
        }
    }

    /// Sorts what was added.
    pub(super) fn finish(&mut self) {
        self.digests.sort_unstable();
        self.digests.dedup();
        self.python.sort();
        self.python.dedup();
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.digests.len()
    }

    /// The functions by which Python 3 starts extension modules, sorted: `PyInit_demo`.
    pub fn python_starts(&self) -> &[String] {
        &self.python
    }
}

/// FNV-1a with 64 bits: the same on every machine.
fn digest(name: &[u8]) -> u64 {
    name.iter().fold(0xcbf2_9ce4_8422_2325, |digest, &byte| {
        (digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
