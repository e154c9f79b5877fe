//! What a native file takes from Python, and the functions by which Python starts it.

use super::name::ModuleName;
use super::start;
use crate::audit::NativeFile;
use crate::binary::macho::Origin;
use crate::binary::{self, Content, macho};
use crate::name::WheelPath;

/// What a native file and Python have to do with each other: names only, sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Symbols {
    /// The functions by which Python starts a module: `PyInit_demo`. Of a universal file those that
    /// every slice has.
    pub starts: Vec<String>,
    /// Python's symbols that it uses: `PyLong_FromLong`. Those without which it can be loaded are
    /// left out, and those that it takes from another library by name.
    pub used: Vec<String>,
    /// What it offers under names such as Python's; for ELF files [`NativeFile::exports`] says that.
    pub offered: Vec<String>,
}

/// What they begin with in Python 3 (PEP 3121, 489, 793), and in PyPy for modules made by cffi.
const STARTS: [&str; 5] =
    ["PyInit_", "PyInitU_", "PyModExport_", "PyModExportU_", "_cffi_pypyinit_"];

/// Whether a name looks like one of Python's own.
pub(super) fn is_python_name(name: &str) -> bool {
    name.starts_with("Py") || name.starts_with("_Py")
}

impl Symbols {
    /// Collects them from a file whose other facts are read.
    pub(in crate::audit) fn read(
        file: &NativeFile,
        content: Content<'_>,
    ) -> Result<Self, binary::Error> {
        let mut found = Self::default();
        let own = own_starts(&file.path);
        if file.elf.is_some() {
            // Python's symbols have no versions: what has one is another library's.
            let used = file.undefined.iter().filter(|symbol| !symbol.weak);
            let used = used.filter(|symbol| symbol.version.is_none());
            found.used = python_names(used.map(|symbol| symbol.name.as_str()));
            let own = own.iter().filter(|name| file.exports.contains(name));
            found.starts = file.exports.python_starts().iter().chain(own).cloned().collect();
        }
        if let Some(pe) = &file.pe {
            let imports = pe.imports.iter().filter(|i| super::dll::release(&i.library).is_some());
            found.used = python_names(imports.flat_map(|i| i.symbols.iter().map(String::as_str)));
            for name in &pe.exports {
                found.offer(name, &own);
            }
        }
        if let Some(image) = &file.macho {
            let mut slices = 0;
            let mut starts: Vec<String> = Vec::new();
            for symbols in macho::symbols(image, content)? {
                slices += 1;
                let mut slice = Self::default();
                for name in &symbols.exported {
                    slice.offer(name, &own);
                }
                starts.append(&mut slice.starts);
                found.offered.append(&mut slice.offered);
                let used = symbols.undefined.iter();
                let used = used.filter(|(_, origin)| *origin != Origin::OtherLibrary);
                found.used.append(&mut python_names(used.map(|(name, _)| name.as_str())));
            }
            starts.sort();
            found.starts = starts
                .chunk_by(|a, b| a == b)
                .filter(|same| same.len() == slices)
                .map(|same| same[0].clone())
                .collect();
        }
        for names in [&mut found.starts, &mut found.used, &mut found.offered] {
            names.sort();
            names.dedup();
        }
        Ok(found)
    }

    /// Whether a file offers `name`, which looks like one of Python's.
    pub(super) fn is_offered_by(file: &NativeFile, name: &str) -> bool {
        let offered = &file.python.offered;
        file.exports.contains(name) || offered.binary_search_by(|n| (**n).cmp(name)).is_ok()
    }

    fn offer(&mut self, name: &str, own: &[String]) {
        if STARTS.iter().any(|start| name.starts_with(start)) || own.iter().any(|n| n == name) {
            self.starts.push(name.to_owned());
        } else if is_python_name(name) {
            self.offered.push(name.to_owned());
        }
    }
}

/// The functions that start the module, if the file is one. That of Python 2 is among them: too
/// many others begin with `init` to keep them all.
fn own_starts(path: &WheelPath) -> Vec<String> {
    let name = ModuleName::parse(path.file_name());
    let wanted = name.map(|name| start::wanted(path, name.module)).unwrap_or_default();
    wanted.into_iter().map(|(_, name)| name).collect()
}

fn python_names<'n>(names: impl Iterator<Item = &'n str>) -> Vec<String> {
    names.filter(|name| is_python_name(name)).map(str::to_owned).collect()
}
