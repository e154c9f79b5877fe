//! Libraries that are part of Windows, and other libraries that may be present.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde::Deserialize;

/// Origin of a library, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Part of every desktop Windows from 10 on.
    System,
    /// The part of the Visual C++ runtime that every Python for Windows contains.
    PythonsCRuntime,
    /// The rest of the Visual C++ runtime, which has to be installed.
    CRuntime,
    /// Python itself: `python3.dll`, `python312.dll`.
    Python,
    /// Unknown origin.
    Unknown,
}

/// Returns the origin of the library that an import calls `name`, ignoring case.
///
/// ```
/// use wheelsmith_core::policy::windows::{Origin, origin};
///
/// assert_eq!(origin("KERNEL32.dll"), Origin::System);
/// assert_eq!(origin("python312.dll"), Origin::Python);
/// assert_eq!(origin("zlib1.dll"), Origin::Unknown);
/// ```
pub fn origin(name: &str) -> Origin {
    static TABLE: LazyLock<Table> = LazyLock::new(|| {
        serde_json::from_str(include_str!("data/windows.json"))
            .expect("a test reads the committed table")
    });
    let name = with_suffix(name);
    if TABLE.system.contains(&name) || TABLE.system_prefixes.iter().any(|p| name.starts_with(p)) {
        Origin::System
    } else if TABLE.c_runtime_of_python.contains(&name) {
        Origin::PythonsCRuntime
    } else if TABLE.c_runtime.contains(&name) {
        Origin::CRuntime
    } else if is_python(&name) {
        Origin::Python
    } else {
        Origin::Unknown
    }
}

/// Returns the name in lower case. Adds `.dll` to a name without a suffix, as Windows does.
pub fn with_suffix(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    if name.contains('.') { name } else { name + ".dll" }
}

/// True for `python3.dll`, `python312.dll`, `python313t.dll`, and `libpypy3.11-c.dll` of PyPy.
/// Excludes libraries of debug builds (`python312_d.dll`), which users do not have.
fn is_python(name: &str) -> bool {
    let numbers = |text: &str| text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let within = |start, end| {
        let middle = name.strip_prefix(start).and_then(|rest| rest.strip_suffix(end));
        middle.is_some_and(|middle: &str| !middle.is_empty() && numbers(middle))
    };
    within("python", ".dll") || within("python", "t.dll") || within("libpypy", "-c.dll")
}

#[derive(Deserialize)]
struct Table {
    system_prefixes: Vec<String>,
    system: BTreeSet<String>,
    c_runtime: BTreeSet<String>,
    c_runtime_of_python: BTreeSet<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_told_by_name() {
        let check = |name: &str, expected| assert_eq!(origin(name), expected, "{name}");
        check("ADVAPI32.dll", Origin::System);
        check("ws2_32", Origin::System);
        check("WINSPOOL.DRV", Origin::System);
        check("api-ms-win-crt-runtime-l1-1-0.dll", Origin::System);
        check("ucrtbase.dll", Origin::System);
        check("msvcrt.dll", Origin::System);
        check("ucrtbased.dll", Origin::Unknown);
        check("VCRUNTIME140.dll", Origin::PythonsCRuntime);
        check("MSVCP140.dll", Origin::CRuntime);
        check("MSVCP140D.dll", Origin::Unknown);
        check("python3.dll", Origin::Python);
        check("python313t.dll", Origin::Python);
        check("libpypy3.11-c.dll", Origin::Python);
        check("python312_d.dll", Origin::Unknown);
        check("python.dll", Origin::Unknown);
        check("libgcc_s_seh-1.dll", Origin::Unknown);
        check("", Origin::Unknown);
    }

    #[test]
    fn the_table_is_in_small_letters() {
        let table: Table = serde_json::from_str(include_str!("data/windows.json")).unwrap();
        let names = table.system.iter().chain(&table.c_runtime);
        for name in names.chain(&table.c_runtime_of_python) {
            assert_eq!(*name, with_suffix(name));
            assert!(name.contains('.'), "{name}");
        }
        assert!(table.c_runtime_of_python.is_subset(&table.c_runtime));
        assert!(table.system.is_disjoint(&table.c_runtime));
    }
}
