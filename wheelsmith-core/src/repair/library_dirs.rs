//! Search for libraries in directories of this machine.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::library::file_name;
use super::{Library, LibrarySearch};
use crate::archive::Limits;
use crate::audit::NativeFile;
use crate::sys;

/// Directories of libraries, in the order in which they are searched.
#[derive(Debug)]
pub struct LibraryDirs {
    dirs: Vec<PathBuf>,
    /// Files that were read, by path with links resolved.
    read: RefCell<BTreeMap<PathBuf, Option<Library>>>,
}

impl LibraryDirs {
    /// Creates a search in these directories.
    pub fn new(dirs: Vec<PathBuf>) -> Self {
        Self { dirs, read: RefCell::default() }
    }

    /// Returns the directories.
    pub fn dirs(&self) -> &[PathBuf] {
        &self.dirs
    }

    /// Reads the library in a file; `None` if it is not a native file.
    fn read(&self, path: &Path) -> Option<Library> {
        // Several links may point to one file.
        let real = sys::fs::canonicalize(path).ok().filter(|real| real.is_file())?;
        if let Some(known) = self.read.borrow().get(&real) {
            return known.clone();
        }
        let library = read(&real);
        self.read.borrow_mut().insert(real, library.clone());
        library
    }

    /// Returns the library called `name` in `dir` for which `fits` is true.
    fn find_in(
        &self,
        dir: &Path,
        name: &str,
        fits: &dyn Fn(&NativeFile) -> bool,
    ) -> Option<Library> {
        let fitting = |path: &Path| self.read(path).filter(|library| fits(&library.file));
        let exact = names(name).into_iter().find_map(|name| fitting(&dir.join(name)));
        // Windows and its linkers treat case differently.
        exact.or_else(|| {
            fitting(&case_twin(dir, file_name(name))?).filter(|l| l.file.pe().is_some())
        })
    }
}

fn read(path: &Path) -> Option<Library> {
    let (sha256, _) = sys::fs::digest(path).ok()?;
    // Paths of this machine do not exist in a wheel: only the file name counts.
    let name = path.file_name()?.to_str()?.parse().ok()?;
    let file = crate::audit::native_file(&name, path, &Limits::default()).ok()??;
    Some(Library { path: path.to_owned(), sha256, file: file.without_symbols() })
}

/// Returns the paths below a directory at which a library called `name` may be: its file name, and
/// for a framework the path from the bundle on (`Foo.framework/Versions/A/Foo`).
///
/// Names are untrusted; none may leave the directory on any system.
fn names(name: &str) -> Vec<String> {
    let base = file_name(name);
    let mut names = vec![base.to_owned()];
    let parts: Vec<&str> = name.split('/').collect();
    let bundle = format!("{base}.framework");
    if let Some(at) = parts.iter().rposition(|part| *part == bundle) {
        names.insert(0, format!("{bundle}/{base}"));
        names.insert(0, parts[at..].join("/"));
    }
    names.retain(|name| {
        name.split('/').all(|part| !matches!(part, "" | "." | ".."))
            && !name.contains(['\\', ':', '\0'])
    });
    names
}

impl LibrarySearch for LibraryDirs {
    fn find(
        &self,
        name: &str,
        from: Option<&Library>,
        fits: &dyn Fn(&NativeFile) -> bool,
    ) -> Option<Library> {
        let home = from.and_then(|from| from.path.parent());
        let mut dirs: Vec<PathBuf> = Vec::new();
        if let (Some(from), Some(home)) = (from, home) {
            let elf = from.file.elf();
            let entries = elf.into_iter().flat_map(|elf| elf.rpath.iter().chain(&elf.runpath));
            let macho =
                from.file.macho().into_iter().flat_map(|m| &m.slices).flat_map(|s| &s.rpaths);
            for entry in entries.chain(macho) {
                let rest = ["$ORIGIN", "${ORIGIN}", "@loader_path"];
                let rest = rest.into_iter().find_map(|origin| entry.strip_prefix(origin));
                dirs.extend(rest.map(|rest| home.join(rest.trim_start_matches('/'))));
            }
        }
        dirs.extend(self.dirs.iter().cloned());
        // Libraries that are installed together are in one directory.
        dirs.extend(home.map(Path::to_owned));
        dirs.iter().find_map(|dir| self.find_in(dir, name, fits))
    }
}

/// Returns the file of `dir` that differs from `name` in case only, if `name` is that of a DLL.
fn case_twin(dir: &Path, name: &str) -> Option<PathBuf> {
    if !name.to_ascii_lowercase().ends_with(".dll") {
        return None;
    }
    let is_twin = |path: &PathBuf| {
        path.file_name().and_then(|n| n.to_str()).is_some_and(|n| n.eq_ignore_ascii_case(name))
    };
    sys::fs::list(dir).ok()?.into_iter().filter(is_twin).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_below_the_directory() {
        let check = |name: &str, expected: &[&str]| assert_eq!(names(name), expected, "{name}");
        check("libfoo.so.1", &["libfoo.so.1"]);
        check("@rpath/libfoo.dylib", &["libfoo.dylib"]);
        check("/opt/lib/libfoo.dylib", &["libfoo.dylib"]);
        check(
            "@rpath/Foo.framework/Versions/A/Foo",
            &["Foo.framework/Versions/A/Foo", "Foo.framework/Foo", "Foo"],
        );
        check("@rpath/Foo.framework/Foo", &["Foo.framework/Foo", "Foo.framework/Foo", "Foo"]);
        check("Foo.framework/../../Foo", &["Foo.framework/Foo", "Foo"]);
        for hostile in ["..", "a/..", "..\\foo.dll", "C:foo.dll", "C:\\foo.dll", "", "a/"] {
            check(hostile, &[]);
        }
    }
}
