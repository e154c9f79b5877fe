//! Libraries in directories on disk.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{Library, LibrarySearch};
use crate::archive::Limits;
use crate::audit::NativeFile;
use crate::sys;

/// Directories of libraries, in the order in which they are searched.
#[derive(Debug)]
pub struct LibraryDirs {
    dirs: Vec<PathBuf>,
    /// What was read before, by its real path.
    read: RefCell<BTreeMap<PathBuf, Option<Library>>>,
}

impl LibraryDirs {
    /// Searches these directories.
    pub fn new(dirs: Vec<PathBuf>) -> Self {
        Self { dirs, read: RefCell::default() }
    }

    /// The directories.
    pub fn dirs(&self) -> &[PathBuf] {
        &self.dirs
    }

    /// The library in a file; nothing when there is none.
    fn read(&self, path: &Path) -> Option<Library> {
        // One copy of a file, whatever links lead to it.
        let real = sys::fs::canonicalize(path).ok().filter(|real| real.is_file())?;
        if let Some(known) = self.read.borrow().get(&real) {
            return known.clone();
        }
        let library = read(&real);
        self.read.borrow_mut().insert(real, library.clone());
        library
    }
}

fn read(path: &Path) -> Option<Library> {
    let (sha256, _) = sys::fs::digest(path).ok()?;
    // A path of this machine is no path in a wheel; the name is all that is asked of it.
    let name = path.file_name()?.to_str()?.parse().ok()?;
    let file = crate::audit::native_file(&name, path, &Limits::default()).ok()??;
    let source = path.to_str()?.to_owned();
    Some(Library { source, sha256, file })
}

impl LibrarySearch for LibraryDirs {
    fn find(
        &self,
        name: &str,
        from: Option<&Library>,
        fits: &dyn Fn(&NativeFile) -> bool,
    ) -> Option<Library> {
        let mut dirs: Vec<PathBuf> = Vec::new();
        if let Some(from) = from {
            let home = Path::new(&from.source).parent().unwrap_or(Path::new("/"));
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
        if let Some(from) = from {
            // Libraries that are installed together lie together.
            dirs.extend(Path::new(&from.source).parent().map(Path::to_owned));
        }
        dirs.iter().find_map(|dir| {
            let exact = self.read(&dir.join(name)).filter(|library| fits(&library.file));
            // Windows and its linkers do not agree on capitals.
            exact.or_else(|| {
                let folded = named_alike(dir, name)?;
                self.read(&folded)
                    .filter(|library| library.file.pe().is_some() && fits(&library.file))
            })
        })
    }
}

fn named_alike(dir: &Path, name: &str) -> Option<PathBuf> {
    if !name.to_ascii_lowercase().ends_with(".dll") {
        return None;
    }
    let mut found: Vec<PathBuf> = (sys::fs::list(dir).ok()?.into_iter())
        .filter(|path| {
            path.file_name().and_then(|n| n.to_str()).is_some_and(|n| n.eq_ignore_ascii_case(name))
        })
        .collect();
    found.sort();
    found.into_iter().next()
}
