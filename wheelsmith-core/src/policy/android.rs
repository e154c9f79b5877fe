//! Guarantees of Android at each API level.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::{Policy, Row, Table};
use crate::name::{Arch, PlatformTag};

/// API level of symbols that no application may use.
pub const NEVER: u16 = u16::MAX;

/// Returns the policies for `arch`, the oldest level first; empty if Python does not support
/// Android on it. Each policy has a level at which libraries were added, and applies up to the next
/// one.
pub fn policies(arch: Arch) -> &'static [Policy] {
    static TABLES: LazyLock<BTreeMap<Arch, Vec<Policy>>> = LazyLock::new(|| {
        let load = |arch: Arch| -> Vec<Policy> {
            let table: Table = serde_json::from_str(include_str!("data/android.json"))
                .expect("a test reads the committed table");
            let rows =
                table.policies.into_iter().filter(|row| row.adds.contains_key(arch.as_str()));
            rows.filter_map(|row| policy(row, arch)).collect()
        };
        Arch::ALL.into_iter().map(|arch| (arch, load(arch))).collect()
    });
    TABLES.get(&arch).map_or(&[], Vec::as_slice)
}

fn policy(row: Row, arch: Arch) -> Option<Policy> {
    Some(Policy {
        tag: PlatformTag::android(row.version.major, arch)?,
        allowed_libraries: row.allowed_libraries,
        forbidden_symbols: row.forbidden_symbols,
        symbol_versions: BTreeMap::new(),
    })
}

/// Returns the API level that introduced a version of the symbols of the C library, or [`NEVER`]
/// for symbols reserved for the system; `None` for versions of other libraries. Bionic names the
/// versions by the letter of the release (`libc.map.txt`).
///
/// ```
/// use wheelsmith_core::policy::android::level;
///
/// assert_eq!(level("LIBC_N"), Some(24));
/// assert_eq!(level("LIBC"), None);
/// ```
pub fn level(version: &str) -> Option<u16> {
    Some(match version.strip_prefix("LIBC_")? {
        "N" => 24,
        "O" => 26,
        "OMR1" => 27,
        "P" => 28,
        "Q" => 29,
        "R" => 30,
        "S" => 31,
        "T" => 33,
        "U" => 34,
        "V" => 35,
        "B" => 36,
        "PRIVATE" | "PLATFORM" | "DEPRECATED" => NEVER,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_add_libraries() {
        let check = |arch: Arch, tags: &str| {
            let found: Vec<String> = policies(arch).iter().map(|p| p.tag.to_string()).collect();
            assert_eq!(found.join(" "), tags);
            for pair in policies(arch).windows(2) {
                assert!(pair[0].allowed_libraries.is_subset(&pair[1].allowed_libraries));
            }
        };
        check(
            Arch::Aarch64,
            "android_21_arm64_v8a android_24_arm64_v8a android_26_arm64_v8a android_27_arm64_v8a",
        );
        check(
            Arch::X86_64,
            "android_21_x86_64 android_24_x86_64 android_26_x86_64 android_27_x86_64",
        );
        check(Arch::S390x, "");
        assert!(policies(Arch::X86_64)[0].allows_library("libssl_python.so"));
    }
}
