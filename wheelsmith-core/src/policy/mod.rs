//! Guarantees of a platform tag: libraries that are present, and the symbol versions that they
//! define.
//!
//! The tables are data, generated from those of auditwheel by `scripts/policy-tables.py` (PEP 600,
//! PEP 656).

pub mod android;
#[cfg(feature = "audit")]
pub(crate) mod glibc;
pub mod stable_abi;
pub mod windows;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde::Deserialize;

use crate::name::{Arch, Libc, PlatformTag, PlatformVersion};

/// Guarantees of one platform tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Tag.
    pub tag: PlatformTag,
    /// Libraries that are present.
    pub allowed_libraries: BTreeSet<String>,
    /// Symbols that a library may lack although its versions do not show that, by library.
    pub forbidden_symbols: BTreeMap<String, BTreeSet<String>>,
    /// Guaranteed versions in each namespace: `GLIBC` -> `2.2.5`, `2.3`, … Namespaces that are not
    /// listed are unrestricted.
    pub symbol_versions: BTreeMap<String, BTreeSet<String>>,
}

impl Policy {
    /// True if `library` is guaranteed. The dynamic loader always is.
    pub fn allows_library(&self, library: &str) -> bool {
        is_loader(library) || self.allowed_libraries.contains(library)
    }

    /// True if a symbol version, such as `GLIBC_2.14`, is guaranteed. Versions in namespaces that
    /// no policy lists are guaranteed; others only if they are listed, whatever their order
    /// (`GLIBC_PRIVATE` never is).
    pub fn allows_version(&self, version: &str) -> bool {
        let Some((namespace, number)) = version.split_once('_') else { return true };
        self.symbol_versions.get(namespace).is_none_or(|versions| versions.contains(number))
    }
}

/// True if `library` is the library of Python: `libpython3.12.so.1.0`, `libpython3.so`.
///
/// ```
/// use wheelsmith_core::policy::is_libpython;
///
/// assert!(is_libpython("libpython3.13t.so.1.0"));
/// assert!(!is_libpython("libpython_helper.so"));
/// ```
pub fn is_libpython(library: &str) -> bool {
    let Some(rest) = library.strip_prefix("libpython") else { return false };
    let Some((version, _)) = rest.split_once(".so") else { return false };
    let version = version.trim_end_matches(['d', 'm', 't', 'u']);
    !version.is_empty() && version.bytes().all(|b| b.is_ascii_digit() || b == b'.')
}

/// True if `library` is the dynamic loader, which is present wherever a dynamic program starts.
pub fn is_loader(library: &str) -> bool {
    is_glibc_loader(library) || library.starts_with("ld-musl-")
}

fn is_glibc_loader(library: &str) -> bool {
    library.starts_with("ld-linux") || library.starts_with("ld64.so.")
}

/// Returns the C library that a file of this name is or belongs to; `None` for other files.
///
/// ```
/// use wheelsmith_core::name::Libc;
/// use wheelsmith_core::policy::libc_of;
///
/// assert_eq!(libc_of("libc.so.6"), Some(Libc::Glibc));
/// assert_eq!(libc_of("ld-musl-aarch64.so.1"), Some(Libc::Musl));
/// assert_eq!(libc_of("libm.so.6"), None);
/// ```
pub fn libc_of(library: &str) -> Option<Libc> {
    if library == "libc.so.6" || is_glibc_loader(library) {
        return Some(Libc::Glibc);
    }
    let is_musl = library == "libc.so"
        || library.starts_with("libc.musl-")
        || library.starts_with("ld-musl-");
    is_musl.then_some(Libc::Musl)
}

/// Returns the policies for `arch` and `libc`, the most compatible first; empty if no index accepts
/// such wheels.
pub fn policies(arch: Arch, libc: Libc) -> &'static [Policy] {
    static TABLES: LazyLock<BTreeMap<(Arch, Libc), Vec<Policy>>> = LazyLock::new(|| {
        let mut tables = BTreeMap::new();
        for arch in Arch::ALL {
            let glibc = load(include_str!("data/manylinux.json"), arch, Libc::Glibc);
            tables.insert((arch, Libc::Glibc), glibc);
            let musl = load(include_str!("data/musllinux.json"), arch, Libc::Musl);
            tables.insert((arch, Libc::Musl), musl);
        }
        tables
    });
    TABLES.get(&(arch, libc)).map_or(&[], Vec::as_slice)
}

#[derive(Deserialize)]
struct Table {
    policies: Vec<Row>,
}

/// A row of the table, which adds to the preceding rows of the same architecture.
#[derive(Deserialize)]
struct Row {
    version: PlatformVersion,
    allowed_libraries: BTreeSet<String>,
    forbidden_symbols: BTreeMap<String, BTreeSet<String>>,
    adds: BTreeMap<String, BTreeMap<String, BTreeSet<String>>>,
}

fn load(text: &str, arch: Arch, libc: Libc) -> Vec<Policy> {
    let table: Table = serde_json::from_str(text).expect("a test reads the committed tables");
    let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut policies = Vec::new();
    for mut row in table.policies {
        let Some(added) = row.adds.remove(arch.as_str()) else { continue };
        for (namespace, numbers) in added {
            versions.entry(namespace).or_default().extend(numbers);
        }
        if libc == Libc::Musl {
            // The tables list `libc.so`, the name that the linker of musl uses and that files
            // linked by zig need. Other files need this name of the loader, which is the same file.
            // Both are allowed.
            row.allowed_libraries.insert(format!("libc.musl-{}.so.1", musl_arch(arch)));
        }
        let tag = match libc {
            Libc::Glibc => PlatformTag::Manylinux { glibc: row.version, arch },
            Libc::Musl => PlatformTag::Musllinux { musl: row.version, arch },
        };
        policies.push(Policy {
            tag,
            allowed_libraries: row.allowed_libraries,
            forbidden_symbols: row.forbidden_symbols,
            symbol_versions: versions.clone(),
        });
    }
    policies
}

/// Returns the name of an architecture in the file name of the loader of musl.
fn musl_arch(arch: Arch) -> &'static str {
    match arch {
        Arch::I686 => "x86",
        Arch::Armv7l => "armv7",
        Arch::Ppc64 => "powerpc64",
        Arch::Ppc64le => "powerpc64le",
        other => other.as_str(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(arch: Arch, libc: Libc) -> Vec<String> {
        policies(arch, libc).iter().map(|policy| policy.tag.to_string()).collect()
    }

    #[test]
    fn every_architecture_has_its_policies() {
        let check = |arch: Arch, libc: Libc, count: usize, first: &str, last: &str| {
            let names = names(arch, libc);
            assert_eq!(names.len(), count, "{names:?}");
            assert_eq!((names[0].as_str(), names[count - 1].as_str()), (first, last));
        };
        check(Arch::X86_64, Libc::Glibc, 16, "manylinux_2_5_x86_64", "manylinux_2_41_x86_64");
        check(Arch::Aarch64, Libc::Glibc, 14, "manylinux_2_17_aarch64", "manylinux_2_41_aarch64");
        check(Arch::Riscv64, Libc::Glibc, 9, "manylinux_2_31_riscv64", "manylinux_2_41_riscv64");
        check(Arch::Aarch64, Libc::Musl, 2, "musllinux_1_1_aarch64", "musllinux_1_2_aarch64");
    }

    #[test]
    fn newer_policies_allow_what_older_ones_did() {
        for arch in Arch::ALL {
            for libc in [Libc::Glibc, Libc::Musl] {
                for pair in policies(arch, libc).windows(2) {
                    let (old, new) = (&pair[0], &pair[1]);
                    assert!(old.allowed_libraries.is_subset(&new.allowed_libraries), "{}", new.tag);
                    for (library, symbols) in &new.forbidden_symbols {
                        let older = &old.forbidden_symbols[library];
                        assert!(symbols.is_subset(older), "{} {library}", new.tag);
                    }
                    for (namespace, versions) in &old.symbol_versions {
                        assert!(versions.is_subset(&new.symbol_versions[namespace]), "{}", new.tag);
                    }
                }
            }
        }
    }

    #[test]
    fn versions_must_be_listed() {
        let policy = &policies(Arch::X86_64, Libc::Glibc)[2];
        assert_eq!(policy.tag.to_string(), "manylinux_2_17_x86_64");
        let check = |version: &str, expected: bool| {
            assert_eq!(policy.allows_version(version), expected, "{version}");
        };
        check("GLIBC_2.2.5", true);
        check("GLIBC_2.17", true);
        check("GLIBC_2.18", false);
        check("GLIBC_PRIVATE", false);
        check("GLIBCXX_3.4.19", true);
        check("GLIBCXX_3.4.29", false);
        check("OPENSSL_3.0.0", true);
        check("nameless", true);
    }
}
