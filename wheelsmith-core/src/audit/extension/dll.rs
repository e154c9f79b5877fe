//! Libraries of Python that Windows files load.

use super::tag_pair::{Abi, Release, version};
use crate::binary::NativeFile;
use crate::binary::pe::Kind;

/// Returns the ABI of a file that loads the library: `python3.dll`, `python312.dll`,
/// `python313t.dll`, `libpypy3.11-c.dll`. `None` for other libraries.
pub(super) fn release(library: &str) -> Option<Abi> {
    let name = library.to_ascii_lowercase();
    let stem = name.strip_suffix(".dll")?;
    if stem.strip_prefix("libpypy3").is_some_and(|rest| rest.ends_with("-c")) {
        // The name of the library does not name its binary interface.
        return Some(Abi::PyPy(None));
    }
    match stem.strip_prefix("python")?.replace("_d", "d").as_str() {
        "3" => Some(Abi::Stable { free_threaded: false }),
        "3t" => Some(Abi::Stable { free_threaded: true }),
        rest => {
            let digits = rest.trim_end_matches(['d', 't']);
            version(digits)?;
            Release::parse(rest).map(Abi::CPython)
        }
    }
}

/// Returns the libraries of Python that a file loads at startup, and the ABI that each indicates.
/// Programs are skipped, because they select their own Python.
pub(super) fn loaded(file: &NativeFile) -> impl Iterator<Item = (&str, Abi)> {
    let library = file.pe().filter(|pe| pe.kind == Kind::SharedLibrary);
    let imports = library.into_iter().flat_map(|pe| &pe.imports).filter(|i| !i.is_delayed);
    imports.filter_map(|import| Some((import.library.as_str(), release(&import.library)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_say_for_whom() {
        let check = |library: &str, expected: &str| {
            let found = match release(library) {
                Some(Abi::CPython(release)) => release.tag(),
                Some(Abi::Stable { free_threaded }) => {
                    if free_threaded { "abi3t" } else { "abi3" }.to_owned()
                }
                Some(Abi::PyPy(_)) => "pypy".to_owned(),
                _ => String::new(),
            };
            assert_eq!(found, expected, "{library}");
        };
        check("python3.dll", "abi3");
        check("PYTHON312.DLL", "cp312");
        check("python3t.dll", "abi3t");
        check("python313t.dll", "cp313t");
        check("python313_d.dll", "cp313d");
        check("python27.dll", "cp27");
        check("libpypy3.11-c.dll", "pypy");
        check("python.dll", "");
        check("pythoncom312.dll", "");
        check("python3", "");
        check("KERNEL32.dll", "");
    }
}
