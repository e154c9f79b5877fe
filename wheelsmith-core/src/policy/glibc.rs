//! Functions that later releases of glibc added.
//!
//! The table is data, generated from the symbol lists of zig by `scripts/glibc-symbols.py`. It is
//! for symbols without a version: others name the release by themselves.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use serde::Deserialize;

use crate::name::PlatformVersion;

#[derive(Deserialize)]
struct Table {
    added: BTreeMap<PlatformVersion, Vec<String>>,
}

/// Returns the release of glibc that added `function`; `None` if 2.17 has it, or if it is not a
/// function of glibc.
pub(crate) fn first_release(function: &str) -> Option<PlatformVersion> {
    static RELEASES: LazyLock<HashMap<String, PlatformVersion>> = LazyLock::new(|| {
        let table: Table = serde_json::from_str(include_str!("data/glibc.json"))
            .expect("a test reads the committed table");
        let rows = table.added.into_iter();
        rows.flat_map(|(release, names)| names.into_iter().map(move |name| (name, release)))
            .collect()
    });
    RELEASES.get(function).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_and_their_releases() {
        let check = |function: &str, expected: Option<(u16, u16)>| {
            let expected = expected.map(|(major, minor)| PlatformVersion::new(major, minor));
            assert_eq!(first_release(function), expected, "{function}");
        };
        check("strlcpy", Some((2, 38)));
        check("gettid", Some((2, 30)));
        // A static part of older releases.
        check("stat", Some((2, 33)));
        // Older functions, and those that moved to another library of glibc.
        check("memcpy", None);
        check("pthread_create", None);
        check("res_search", None);
        check("my_function", None);
    }
}
