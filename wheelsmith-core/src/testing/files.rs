//! Copies files into a cell: those of the project, and those of a wheel.

use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use super::Error;
use crate::sys;
use crate::wheel::Existing;

/// Directories without test files, which may be large.
const LEFT_OUT: [&str; 3] = [".git", "node_modules", "__pycache__"];

/// Returns the files below `project` that `globs` name, relative to it. A glob that names a
/// directory selects all files in it.
///
/// # Errors
/// A glob is invalid or names no file.
pub(super) fn find(project: &Path, globs: &[String]) -> Result<Vec<PathBuf>, Error> {
    let mut matchers = Vec::new();
    for glob in globs {
        matchers.push((glob, matcher(glob)?, false));
    }
    let mut found = Vec::new();
    if globs.is_empty() {
        return Ok(found);
    }
    let mut open = vec![PathBuf::new()];
    while let Some(dir) = open.pop() {
        let paths = sys::fs::list(&project.join(&dir)).map_err(Error::io("look for test files"))?;
        for path in paths {
            let name = path.file_name().unwrap_or_default();
            let relative = dir.join(name);
            let is_link = sys::fs::symlink_metadata(&path).is_ok_and(|m| m.is_symlink());
            if path.is_dir() {
                let is_cache = path.join("CACHEDIR.TAG").is_file();
                if !is_link && !is_cache && !LEFT_OUT.iter().any(|left_out| name == *left_out) {
                    open.push(relative);
                }
                continue;
            }
            let mut is_wanted = false;
            for (_, set, used) in &mut matchers {
                if set.is_match(&relative) {
                    *used = true;
                    is_wanted = true;
                }
            }
            if is_wanted {
                found.push(relative);
            }
        }
    }
    if let Some((glob, ..)) = matchers.iter().find(|(.., used)| !used) {
        let why = format!("it names no file below `{}`", project.display());
        return Err(Error::Pattern { pattern: (*glob).clone(), why });
    }
    found.sort();
    Ok(found)
}

fn matcher(glob: &str) -> Result<GlobSet, Error> {
    let mut set = GlobSetBuilder::new();
    let trimmed = glob.trim_end_matches('/');
    for pattern in [trimmed.to_owned(), format!("{trimmed}/**")] {
        let built = GlobBuilder::new(&pattern).literal_separator(true).build();
        set.add(
            built.map_err(|e| Error::Pattern {
                pattern: glob.to_owned(),
                why: e.kind().to_string(),
            })?,
        );
    }
    set.build().map_err(|e| Error::Pattern { pattern: glob.to_owned(), why: e.kind().to_string() })
}

/// Copies `files` of `project` into `to`.
pub(super) fn copy(project: &Path, files: &[PathBuf], to: &Path) -> std::io::Result<()> {
    for file in files {
        let target = to.join(file);
        if let Some(parent) = target.parent() {
            sys::fs::create_dir_all(parent)?;
        }
        sys::fs::copy(project.join(file), target)?;
    }
    Ok(())
}

/// Unpacks a wheel into `dir`.
///
/// # Errors
/// The wheel cannot be read, or a file cannot be written.
pub(super) fn unpack(wheel: &Path, dir: &Path) -> Result<(), Error> {
    let wheel = Existing::open(wheel)?;
    for entry in wheel.entries.values() {
        let path = dir.join(entry.path.as_str());
        let write = || -> std::io::Result<()> {
            if let Some(parent) = path.parent() {
                sys::fs::create_dir_all(parent)?;
            }
            entry.write_to(&path)
        };
        write().map_err(Error::io("unpack the wheel"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_name_files_and_directories() {
        let dir = sys::fs::temp_dir().unwrap();
        let cached = ["target/CACHEDIR.TAG", "target/tests/b.py"];
        let files = ["tests/a.py", "tests/data/x.bin", "tests/target/c.py", "src/demo/__init__.py"];
        for name in files.into_iter().chain(cached) {
            sys::fs::write_atomic(&dir.path().join(name), b"").unwrap();
        }
        let check = |globs: &[&str], expected: Option<&[&str]>| {
            let globs: Vec<String> = globs.iter().map(|&glob| glob.to_owned()).collect();
            let found = find(dir.path(), &globs).ok();
            let expected = expected.map(|names| names.iter().map(PathBuf::from).collect());
            assert_eq!(found, expected, "{globs:?}");
        };
        check(&[], Some(&[]));
        check(&["tests"], Some(&["tests/a.py", "tests/data/x.bin", "tests/target/c.py"]));
        check(&["tests/*.py"], Some(&["tests/a.py"]));
        check(&["**/*.bin"], Some(&["tests/data/x.bin"]));
        check(&["test"], None);
        check(&["target"], None);
        check(&["a{"], None);
    }
}
