//! Which files of a project are its own: not what version control ignores, unless it tracks it.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use ignore::WalkBuilder;

use crate::sys::Host;
use crate::sys::fs::Walked;
use crate::vcs::{self, Which};

/// The files below a directory, as far as they are the project's.
pub(super) struct Tree<'a> {
    /// What paths are relative to.
    root: &'a Path,
    /// The project: its ignore files count below the root as well.
    top: &'a Path,
    /// In an unpacked source distribution every file is the project's.
    takes_all: bool,
    in_repository: bool,
    /// Files that are tracked although an ignore file names them, relative to the root.
    tracked: BTreeSet<String>,
}

/// What is nobody's source, whether or not something ignores it.
const NEVER: [&str; 2] = [".git", "__pycache__"];

/// Files by which directories say that they are no source: caches (build directories, those of
/// linters) and virtual environments.
const MARKS: [&str; 2] = ["CACHEDIR.TAG", "pyvenv.cfg"];

impl<'a> Tree<'a> {
    /// The tree at `root` in the project at `top`; `takes_all` where ignore files do not count.
    pub(super) fn new(root: &'a Path, top: &'a Path, takes_all: bool, host: &Host) -> Self {
        let top = if root.starts_with(top) { top } else { root };
        let in_repository = !takes_all && vcs::is_inside(root);
        let tracked = in_repository.then(|| vcs::files(Which::TrackedAndIgnored, root, host));
        let tracked = tracked.flatten().unwrap_or_default();
        Self { root, top, takes_all, in_repository, tracked }
    }

    /// The files that `pattern` may name. Named without a pattern, a file is there even when it is
    /// ignored.
    ///
    /// # Errors
    /// A directory that cannot be read.
    pub(super) fn candidates(&self, pattern: &str) -> io::Result<Vec<Walked>> {
        let Some(special) = pattern.find(['*', '?', '[', '{']) else {
            let path = self.root.join(pattern);
            let is_there = path.is_file();
            return Ok(Vec::from_iter(
                is_there.then(|| Walked { relative: pattern.to_owned(), path }),
            ));
        };
        self.below(pattern[..special].rfind('/').map_or("", |slash| &pattern[..slash]))
    }

    /// Every file below `dir`, which is relative to the root.
    ///
    /// # Errors
    /// A directory that cannot be read.
    pub(super) fn below(&self, dir: &str) -> io::Result<Vec<Walked>> {
        let start = self.root.join(dir);
        if !start.is_dir() {
            return Ok(Vec::new());
        }
        let mut files: BTreeMap<String, PathBuf> = BTreeMap::new();
        for entry in self.walk(&start).build() {
            let entry = entry.map_err(io::Error::other)?;
            let path = entry.path();
            if path.starts_with(&start) && path.is_file() {
                files.insert(relative(path, self.root)?, path.to_owned());
            }
        }
        let prefix = if dir.is_empty() { String::new() } else { format!("{dir}/") };
        for name in self.tracked.iter().filter(|name| name.starts_with(&prefix)) {
            let path = self.root.join(name);
            if path.is_file() {
                files.insert(name.clone(), path);
            }
        }
        Ok(files.into_iter().map(|(relative, path)| Walked { relative, path }).collect())
    }

    /// A walk that heeds the ignore files of the repository and no setting of the machine.
    fn walk(&self, start: &Path) -> WalkBuilder {
        let mut walk = WalkBuilder::new(self.top);
        let start = start.to_owned();
        let heeds = !self.takes_all;
        walk.hidden(false)
            .ignore(false)
            .git_global(false)
            .git_exclude(false)
            .git_ignore(heeds)
            .parents(heeds && self.in_repository)
            .require_git(heeds && self.in_repository)
            .follow_links(false)
            .filter_entry(move |entry| {
                let path = entry.path();
                if !path.starts_with(&start) && !start.starts_with(path) {
                    return false;
                }
                let name = entry.file_name();
                let has = |mark: &&str| path.join(mark).is_file();
                let is_marked = || entry.depth() > 0 && MARKS.iter().any(has);
                !NEVER.iter().any(|never| name == *never) && !is_marked()
            });
        walk
    }
}

fn relative(path: &Path, root: &Path) -> io::Result<String> {
    let inside = path.strip_prefix(root).map_err(io::Error::other)?;
    let parts = inside.iter().map(|part| {
        part.to_str().ok_or_else(|| {
            let text = format!("the file name `{}` is not UTF-8", path.display());
            io::Error::new(io::ErrorKind::InvalidData, text)
        })
    });
    Ok(parts.collect::<io::Result<Vec<_>>>()?.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::{self, Env};

    #[test]
    fn ignored_files_are_not_the_projects() {
        let dir = sys::fs::temp_dir().unwrap();
        let write = |path: &str, text: &str| {
            sys::fs::write_atomic(&dir.path().join(path), text.as_bytes()).unwrap();
        };
        write("p/.gitignore", "*.log\n/out/\n");
        for path in ["a.py", "a.log", "d/b.py", "d/b.log", "out/c.py", "__pycache__/a.pyc"] {
            write(&format!("p/{path}"), "");
        }
        write("p/cache/CACHEDIR.TAG", "");
        write("p/venv/pyvenv.cfg", "");
        // Not a repository: this file is somebody else's.
        write(".gitignore", "*.py\n");
        let host = Host::quiet(Env::from_process());
        let root = dir.path().join("p");
        let check = |takes_all: bool, pattern: &str, expected: &[&str]| {
            let found = Tree::new(&root, &root, takes_all, &host).candidates(pattern).unwrap();
            let found: Vec<&str> = found.iter().map(|file| file.relative.as_str()).collect();
            assert_eq!(found, expected, "{pattern}");
        };
        check(false, "**", &[".gitignore", "a.py", "d/b.py"]);
        check(false, "d/*", &["d/b.py"]);
        check(false, "d/b.log", &["d/b.log"]);
        check(false, "nowhere/*", &[]);
        let below = root.join("d");
        let found = Tree::new(&below, &root, false, &host).candidates("**").unwrap();
        let found: Vec<&str> = found.iter().map(|file| file.relative.as_str()).collect();
        assert_eq!(found, ["b.py"]);
        check(true, "**", &[".gitignore", "a.log", "a.py", "d/b.log", "d/b.py", "out/c.py"]);

        let Some(git) = vcs::git(dir.path(), &host) else { return };
        let run = |args: &[&str]| git.clone().args(args.iter().copied()).run(&host).unwrap();
        run(&["init", "-q"]);
        check(false, "**", &[".gitignore"]);
        run(&["add", "-f", "p/d/b.py", "p/a.log"]);
        check(false, "**", &[".gitignore", "a.log", "d/b.py"]);
    }
}
