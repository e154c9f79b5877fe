//! Dynamic symbols of a native file.

use serde::Serialize;

/// Prefixes of the functions by which Python starts extension modules. `init` of Python 2 is
/// omitted, because other functions begin with it too.
const PYTHON_STARTS: [&str; 4] = ["PyInit_", "PyInitU_", "PyModExport_", "_cffi_pypyinit_"];

/// A symbol that a file imports.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Undefined {
    /// Name.
    pub name: String,
    /// Version, such as `GLIBC_2.17`, and the library that must define it.
    pub version: Option<(String, String)>,
    /// True if the loader ignores a missing definition.
    pub weak: bool,
}

/// Imported and exported symbols of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Symbols {
    /// Imported symbols, sorted.
    pub undefined: Vec<Undefined>,
    /// Exported symbols.
    pub exports: Exports,
}

/// Set of exported names. Libraries export hundreds of thousands of names, so only their digests
/// are stored; a lookup is wrong with a probability of about 1 in 2^64 per name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exports {
    /// Digests of the names, sorted.
    digests: Vec<u64>,
    python: Vec<String>,
    has_cxx: bool,
}

impl Exports {
    /// True if the set contains `name`.
    pub fn contains(&self, name: &str) -> bool {
        self.contains_digest(Self::digest(name))
    }

    /// True if the set contains the name with this digest.
    pub(crate) fn contains_digest(&self, digest: u64) -> bool {
        self.digests.binary_search(&digest).is_ok()
    }

    /// Returns the digest of `name`.
    pub(crate) fn digest(name: &str) -> u64 {
        digest(name.as_bytes())
    }

    /// Collects names into a set.
    pub(crate) fn of<'n>(names: impl IntoIterator<Item = &'n str>) -> Self {
        let mut exports = Self::default();
        names.into_iter().for_each(|name| exports.add(name.as_bytes(), false));
        exports.finish();
        exports
    }

    /// Returns the names that are in both sets.
    pub(super) fn common(mut self, other: &Self) -> Self {
        self.digests.retain(|digest| other.contains_digest(*digest));
        self
    }

    pub(super) fn add(&mut self, name: &[u8], is_function: bool) {
        self.digests.push(digest(name));
        self.has_cxx |= name.starts_with(b"_Z");
        if is_function && PYTHON_STARTS.iter().any(|s| name.starts_with(s.as_bytes())) {
            self.python.push(String::from_utf8_lossy(name).into_owned());
        }
    }

    /// Sorts the added names.
    pub(super) fn finish(&mut self) {
        self.digests.sort_unstable();
        self.digests.dedup();
        self.python.sort();
        self.python.dedup();
    }

    /// Returns the number of names.
    pub fn count(&self) -> usize {
        self.digests.len()
    }

    /// True if a name is mangled as C++ compilers do.
    pub(super) fn has_cxx(&self) -> bool {
        self.has_cxx
    }

    /// Returns the functions by which Python 3 starts extension modules, sorted: `PyInit_demo`.
    pub fn python_starts(&self) -> &[String] {
        &self.python
    }
}

/// Computes the 64-bit FNV-1a hash, which is the same on every machine.
fn digest(name: &[u8]) -> u64 {
    name.iter().fold(0xcbf2_9ce4_8422_2325, |digest, &byte| {
        (digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
