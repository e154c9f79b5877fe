//! Symbols of Python that a native file uses or defines.

use super::macho::{Origin, SliceSymbols};
use super::pe::Pe;
use super::symbols::Symbols;

/// Symbols of the Python C API that a file uses or exports; only names, sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PythonSymbols {
    /// Functions that start an extension module of Python 3: `PyInit_demo`. For a universal file,
    /// only those that every slice has.
    pub starts: Vec<String>,
    /// Symbols of Python that the file uses: `PyLong_FromLong`. Weak symbols are omitted, and those
    /// that the file imports from a named other library.
    pub used: Vec<String>,
    /// Exported names that look like those of Python. Empty for ELF files; use [`Symbols::exports`]
    /// for them.
    pub offered: Vec<String>,
}

/// Prefixes of the functions that start a module (PEP 3121, 489, 793; that of PyPy for modules of
/// cffi).
const STARTS: [&str; 5] =
    ["PyInit_", "PyInitU_", "PyModExport_", "PyModExportU_", "_cffi_pypyinit_"];

/// True if a name looks like a symbol of Python.
fn is_python_name(name: &str) -> bool {
    name.starts_with("Py") || name.starts_with("_Py")
}

/// True for the libraries of Python on Windows: `python3.dll`, `python312.dll`, `python313t.dll`,
/// `python312_d.dll`, `libpypy3.11-c.dll`.
fn is_python_dll(library: &str) -> bool {
    let name = library.to_ascii_lowercase();
    let Some(stem) = name.strip_suffix(".dll") else { return false };
    if stem.strip_prefix("libpypy3").is_some_and(|rest| rest.ends_with("-c")) {
        return true;
    }
    let Some(rest) = stem.strip_prefix("python") else { return false };
    let digits = rest.trim_end_matches("_d").trim_end_matches('t');
    !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
}

impl PythonSymbols {
    pub(super) fn of_elf(symbols: &Symbols) -> Self {
        // Symbols of Python have no versions: a symbol with a version belongs to another library.
        let used = symbols.undefined.iter().filter(|s| !s.weak && s.version.is_none());
        let used = python_names(used.map(|symbol| symbol.name.as_str()));
        let starts = symbols.exports.python_starts().to_vec();
        Self { starts, used, offered: Vec::new() }.sorted()
    }

    pub(super) fn of_pe(pe: &Pe) -> Self {
        let imports = pe.imports.iter().filter(|import| is_python_dll(&import.library));
        let used = python_names(imports.flat_map(|i| i.symbols.iter().map(String::as_str)));
        let mut found = Self { used, ..Self::default() };
        pe.exports.iter().for_each(|name| found.offer(name));
        found.sorted()
    }

    pub(super) fn of_macho(slices: &[SliceSymbols]) -> Self {
        let mut found = Self::default();
        for symbols in slices {
            let mut slice = Self::default();
            symbols.exported.iter().for_each(|name| slice.offer(name));
            found.starts.append(&mut slice.starts);
            found.offered.append(&mut slice.offered);
            let used = symbols.undefined.iter();
            let used = used.filter(|(_, origin)| *origin != Origin::OtherLibrary);
            found.used.append(&mut python_names(used.map(|(name, _)| name.as_str())));
        }
        found.starts.sort();
        let same = found.starts.chunk_by(|a, b| a == b).filter(|same| same.len() == slices.len());
        found.starts = same.map(|same| same[0].clone()).collect();
        found.sorted()
    }

    fn sorted(mut self) -> Self {
        for names in [&mut self.starts, &mut self.used, &mut self.offered] {
            names.sort();
            names.dedup();
        }
        self
    }

    fn offer(&mut self, name: &str) {
        if STARTS.iter().any(|start| name.starts_with(start)) {
            self.starts.push(name.to_owned());
        } else if is_python_name(name) {
            self.offered.push(name.to_owned());
        }
    }
}

fn python_names<'n>(names: impl Iterator<Item = &'n str>) -> Vec<String> {
    names.filter(|name| is_python_name(name)).map(str::to_owned).collect()
}
