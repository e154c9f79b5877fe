//! Symbols of the stable ABI of CPython and the releases that added them (PEP 384, PEP 652).
//!
//! The table is data, generated from that of abi3info by `scripts/stable-abi.py`. The free-threaded
//! stable ABI (PEP 803) has the same functions; it differs in the layout of structures, which no
//! symbol shows.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use serde::Deserialize;

use crate::name::PlatformVersion;

/// Membership of a symbol in the stable ABI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Membership {
    /// Member since this release.
    Since(PlatformVersion),
    /// Member, but missing in Python on this system; the text names the Pythons that have it.
    Elsewhere(&'static str),
    /// Not a member.
    Not,
}

/// Returns the membership of `symbol` in the stable ABI.
///
/// ```
/// use wheelsmith_core::name::PlatformVersion;
/// use wheelsmith_core::policy::stable_abi::{Membership, membership};
///
/// let since = |minor| Membership::Since(PlatformVersion::new(3, minor));
/// assert_eq!(membership("PyLong_FromLong", false), since(2));
/// assert_eq!(membership("PyUnicode_AsUTF8AndSize", false), since(10));
/// assert_eq!(membership("_PyObject_GetDictPtr", false), Membership::Not);
/// ```
pub fn membership(symbol: &str, on_windows: bool) -> Membership {
    static SYMBOLS: LazyLock<HashMap<&'static str, (PlatformVersion, Option<&'static str>)>> =
        LazyLock::new(|| table().into_symbols());
    match SYMBOLS.get(symbol) {
        None => Membership::Not,
        Some((since, option)) => match option.and_then(|option| owner(option, on_windows)) {
            Some(owner) => Membership::Elsewhere(owner),
            None => Membership::Since(*since),
        },
    }
}

/// Returns the symbols of the stable ABI that CPython `release` has, sorted.
pub fn symbols(release: PlatformVersion, on_windows: bool) -> Vec<&'static str> {
    let all = table().into_symbols().into_iter();
    let mut names: Vec<&str> = all
        .filter(|(_, (since, _))| *since <= release)
        .filter(|(_, (_, option))| option.and_then(|option| owner(option, on_windows)).is_none())
        .map(|(name, _)| name)
        .collect();
    names.sort_unstable();
    names
}

/// Returns the Pythons that have the symbols of a CPython build option; `None` if all Pythons on
/// this system have them.
fn owner(option: &str, on_windows: bool) -> Option<&'static str> {
    match option {
        "MS_WINDOWS" | "USE_STACKCHECK" if !on_windows => Some("Python for Windows"),
        "HAVE_FORK" if on_windows => Some("Python for other systems than Windows"),
        "Py_REF_DEBUG" | "Py_TRACE_REFS" => Some("debug builds of Python"),
        _ => None,
    }
}

fn table() -> Table<'static> {
    serde_json::from_str(include_str!("data/stable-abi.json"))
        .expect("a test reads the committed table")
}

#[derive(Deserialize)]
struct Table<'t> {
    /// Symbols that each release added.
    #[serde(borrow)]
    added: BTreeMap<PlatformVersion, Vec<&'t str>>,
    /// Symbols that Python lacks without a build option, by option.
    #[serde(borrow)]
    only: BTreeMap<&'t str, Vec<&'t str>>,
}

impl<'t> Table<'t> {
    fn into_symbols(self) -> HashMap<&'t str, (PlatformVersion, Option<&'t str>)> {
        let mut symbols = HashMap::new();
        for (since, names) in self.added {
            symbols.extend(names.into_iter().map(|name| (name, (since, None))));
        }
        for (option, names) in self.only {
            for name in names {
                symbols.entry(name).and_modify(|entry| entry.1 = Some(option));
            }
        }
        symbols
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_have_their_release_and_system() {
        let check = |symbol: &str, on_windows: bool, expected: Membership| {
            assert_eq!(membership(symbol, on_windows), expected, "{symbol}");
        };
        let since = |minor| Membership::Since(PlatformVersion::new(3, minor));
        check("PyExc_ValueError", false, since(2));
        check("_Py_Dealloc", true, since(2));
        check("PyObject_Vectorcall", false, since(12));
        check("PyThread_get_thread_native_id", false, since(2));
        check("PyErr_SetFromWindowsErr", true, since(7));
        check("PyErr_SetFromWindowsErr", false, Membership::Elsewhere("Python for Windows"));
        check("PyOS_AfterFork_Child", false, since(7));
        check(
            "PyOS_AfterFork_Child",
            true,
            Membership::Elsewhere("Python for other systems than Windows"),
        );
        check("_Py_RefTotal", false, Membership::Elsewhere("debug builds of Python"));
        check("PyUnicode_AsUTF8", true, Membership::Not);
        check("", false, Membership::Not);
    }

    #[test]
    fn a_release_has_the_symbols_of_earlier_ones() {
        let check = |symbol: &str, minor: u16, on_windows: bool, expected: bool| {
            let names = symbols(PlatformVersion::new(3, minor), on_windows);
            assert!(names.is_sorted());
            assert_eq!(names.contains(&symbol), expected, "{symbol} 3.{minor}");
        };
        check("PyLong_FromLong", 9, true, true);
        check("PyUnicode_AsUTF8AndSize", 9, true, false);
        check("PyUnicode_AsUTF8AndSize", 10, true, true);
        check("PyErr_SetFromWindowsErr", 9, true, true);
        check("PyErr_SetFromWindowsErr", 9, false, false);
    }

    #[test]
    fn each_symbol_was_added_once_and_each_option_is_known() {
        let table = table();
        let names: Vec<&str> = table.added.values().flatten().copied().collect();
        let only: Vec<&str> = table.only.values().flatten().copied().collect();
        for option in table.only.keys() {
            let is_known = *option == "PY_HAVE_THREAD_NATIVE_ID"
                || [true, false].into_iter().any(|windows| owner(option, windows).is_some());
            assert!(is_known, "{option}");
        }
        assert!(only.iter().all(|name| names.contains(name)));
        let count = names.len();
        assert_eq!(table.into_symbols().len(), count);
    }
}
