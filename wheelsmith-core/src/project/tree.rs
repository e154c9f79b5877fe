//! Files on disk that belong to a project: those that git tracks, or at least does not ignore.
//!
//! Links to directories are followed, because Python imports through them. A file that should exist
//! and cannot be listed is a [`MissingPath`]; the caller reports it if a pattern matches it.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use ignore::WalkBuilder;

use super::Error;
use crate::sys::{self, Host};
use crate::vcs::{self, FilePath, Repository};

/// Files below a directory.
pub(super) struct Tree<'a> {
    /// Directory that paths are relative to.
    root: &'a Path,
    /// Directory of the project; its ignore files apply below the root too.
    top: &'a Path,
    /// True if ignore files are not applied: in an unpacked source distribution.
    takes_all: bool,
    host: &'a Host,
    listings: RefCell<BTreeMap<String, Rc<Listing>>>,
    /// True if the repository around the project ignores the project.
    is_foreign: OnceCell<bool>,
}

/// File that belongs to the project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TreeFile {
    /// Path relative to the root, with `/` between the parts.
    pub(super) relative: String,
    /// Path on disk.
    pub(super) path: PathBuf,
    /// True if git neither tracks nor ignores it.
    pub(super) is_untracked: bool,
}

/// Path below which the project should have files, but none can be listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MissingPath {
    /// Path relative to the root.
    pub(super) relative: String,
    /// Reason, to be read after the path.
    pub(super) reason: &'static str,
    /// Remedy.
    pub(super) help: &'static str,
    /// True if git does not track it.
    pub(super) is_untracked: bool,
}

/// Files below a directory, sorted by path, and those that cannot be listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Listing {
    pub(super) files: Vec<TreeFile>,
    pub(super) gaps: Vec<MissingPath>,
}

/// Directories that never contain sources: data of version control and of editors, byte code.
const NEVER: [&str; 8] =
    [".git", ".hg", ".svn", ".jj", "__pycache__", ".ipynb_checkpoints", ".idea", ".vscode"];

/// Files that mark a directory as no source: caches, virtual environments, CMake's build
/// directories.
const MARKS: [&str; 3] = ["CACHEDIR.TAG", "pyvenv.cfg", "CMakeCache.txt"];

impl<'a> Tree<'a> {
    /// Creates the tree at `root` in the project at `top`. Ignore files are not applied if
    /// `takes_all` is true.
    pub(super) fn new(root: &'a Path, top: &'a Path, takes_all: bool, host: &'a Host) -> Self {
        let (listings, is_foreign) = (RefCell::default(), OnceCell::new());
        Self { root, top, takes_all, host, listings, is_foreign }
    }

    /// Returns the files that may match `pattern`. A pattern without wildcards matches its file
    /// even if git ignores it.
    ///
    /// # Errors
    /// Returns an error if a directory or a repository cannot be read.
    pub(super) fn candidates(&self, pattern: &str) -> Result<Rc<Listing>, Error> {
        let Some(special) = pattern.find(['*', '?', '[', '{']) else {
            let path = self.root.join(pattern);
            if !path.is_file() {
                return Ok(Rc::default());
            }
            let relative = pattern.to_owned();
            let file = TreeFile { relative, path, is_untracked: false };
            return Ok(Rc::new(Listing { files: vec![file], gaps: Vec::new() }));
        };
        self.below(pattern[..special].rfind('/').map_or("", |slash| &pattern[..slash]))
    }

    /// Returns every file below `dir`, which is relative to the root.
    ///
    /// # Errors
    /// Returns an error if a directory or a repository cannot be read.
    pub(super) fn below(&self, dir: &str) -> Result<Rc<Listing>, Error> {
        if let Some(listing) = self.listings.borrow().get(dir) {
            return Ok(listing.clone());
        }
        let mut list = List { tree: self, files: BTreeMap::new(), gaps: Vec::new() };
        let start = self.root.join(dir);
        if let Ok(real) = sys::fs::canonicalize(&start)
            && real.is_dir()
        {
            let is_untracked = false;
            // A link that leaves the project is followed only if the configuration names it.
            list.add_dir(&Dir { shown: dir, real: &real, is_untracked, outer: &[] })?;
        }
        let mut gaps = list.gaps;
        gaps.sort_by(|a, b| a.relative.cmp(&b.relative));
        let listing = Rc::new(Listing { files: list.files.into_values().collect(), gaps });
        self.listings.borrow_mut().insert(dir.to_owned(), listing.clone());
        Ok(listing)
    }
}

impl Tree<'_> {
    /// True if `repository` is around the project, and the project does not belong to it.
    fn is_foreign(&self, repository: &Repository) -> bool {
        let is_foreign = || matches!(Repository::open(self.top, self.host), Ok(None));
        let is_around = self.top != repository.root && self.top.starts_with(&repository.root);
        is_around && *self.is_foreign.get_or_init(is_foreign)
    }
}

/// Names of junk that a listing without git would contain: backups of editors, byte code, and
/// secrets that tools read from files with fixed names.
pub(super) fn is_junk(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    path.split('/').any(|part| NEVER.contains(&part) || part.ends_with(".egg-info"))
        || name.ends_with('~')
        || (name.starts_with('#') && name.ends_with('#'))
        || name.starts_with(".#")
        || matches!(name.rsplit_once('.'), Some((_, "pyc" | "pyo" | "swp" | "swo")))
        || matches!(name, ".DS_Store" | "Thumbs.db" | ".env" | ".netrc" | ".pypirc" | ".envrc")
        || name.starts_with(".env.") && !matches!(name, ".env.example" | ".env.template")
}

/// Directory to list.
#[derive(Clone, Copy)]
struct Dir<'d> {
    /// Path relative to the root, possibly through links.
    shown: &'d str,
    /// Path on disk, without links.
    real: &'d Path,
    /// True if git does not track the link or the repository through which it was reached.
    is_untracked: bool,
    /// Directories through whose links it was reached.
    outer: &'d [&'d Path],
}

impl Dir<'_> {
    fn join(&self, name: &str) -> String {
        if self.shown.is_empty() { name.to_owned() } else { format!("{}/{name}", self.shown) }
    }
}

/// Listing under construction.
struct List<'t> {
    tree: &'t Tree<'t>,
    files: BTreeMap<String, TreeFile>,
    gaps: Vec<MissingPath>,
}

impl List<'_> {
    fn add_dir(&mut self, dir: &Dir<'_>) -> Result<(), Error> {
        if self.tree.takes_all {
            return self.walk(dir, Ignores::None);
        }
        match Repository::around(dir.real, self.tree.host) {
            Ok(Some(repository)) if self.tree.is_foreign(&repository) => {
                self.walk(dir, Ignores::Project)
            }
            Ok(Some(repository)) => self.add_repository(dir, &repository),
            Ok(None) => self.walk(dir, Ignores::Project),
            Err(vcs::Error::Cancelled) => Err(vcs::Error::Cancelled.into()),
            Err(error) => {
                // The ignore files can be read without git; the list of tracked files cannot.
                let text = "files that ignore files name are left out, even if git tracks them";
                self.tree.host.warn(format!("{error}: {text}"));
                self.walk(dir, Ignores::Repository)
            }
        }
    }

    fn add_repository(&mut self, dir: &Dir<'_>, repository: &Repository) -> Result<(), Error> {
        for entry in repository.tracked() {
            let Some(name) = self.readable(dir, &entry.path, dir.is_untracked) else { continue };
            let path = dir.real.join(name);
            if entry.is_repository {
                let is_there = path.join(".git").exists();
                let dir = Dir { shown: &dir.join(name), real: &path, ..*dir };
                if is_there {
                    self.add_dir(&dir)?;
                } else {
                    self.gap(dir.shown, SUBMODULE, dir.is_untracked);
                }
            } else if sys::fs::symlink_metadata(&path).is_ok() {
                self.add(dir, name, &path, dir.is_untracked, &repository.root)?;
            } else if entry.is_sparse {
                self.gap(&dir.join(name), SPARSE, dir.is_untracked);
            }
        }
        let untracked = repository.untracked(self.tree.host)?;
        let mut marked: BTreeMap<PathBuf, bool> = BTreeMap::new();
        for path in &untracked {
            let Some(name) = self.readable(dir, path, true) else { continue };
            let path = dir.real.join(name);
            if self.is_result(&path) || is_never(name) || is_below_mark(dir.real, name, &mut marked)
            {
                continue;
            }
            match name.strip_suffix('/') {
                Some(name) => {
                    let shown = dir.join(name);
                    let real = dir.real.join(name);
                    self.add_dir(&Dir { shown: &shown, real: &real, is_untracked: true, ..*dir })?;
                }
                None => self.add(dir, name, &path, true, &repository.root)?,
            }
        }
        Ok(())
    }

    /// Lists `dir` without git.
    fn walk(&mut self, dir: &Dir<'_>, ignores: Ignores) -> Result<(), Error> {
        let inside = dir.real.starts_with(self.tree.top);
        let top = if inside { self.tree.top } else { dir.real };
        let start = dir.real.to_owned();
        let mut walk = WalkBuilder::new(top);
        walk.hidden(false)
            .ignore(false)
            .git_global(ignores == Ignores::Repository)
            .git_exclude(ignores == Ignores::Repository)
            .git_ignore(ignores != Ignores::None)
            .parents(ignores == Ignores::Repository)
            .require_git(false)
            .follow_links(false)
            .filter_entry(move |entry| {
                let path = entry.path();
                if !path.starts_with(&start) && !start.starts_with(path) {
                    return false;
                }
                let has = |mark: &&str| path.join(mark).is_file();
                let is_marked = || path.starts_with(&start) && MARKS.iter().any(has);
                let is_never = NEVER.iter().any(|never| entry.file_name() == *never);
                path == start || entry.depth() == 0 || !(is_never || is_marked())
            });
        let unread = |e| Error::io("read the sources", std::io::Error::other(e));
        for entry in walk.build() {
            let entry = entry.map_err(unread)?;
            let path = entry.path();
            let Ok(inside) = path.strip_prefix(dir.real) else { continue };
            if entry.file_type().is_none_or(|kind| kind.is_dir()) || self.is_result(path) {
                continue;
            }
            let name = inside.to_str().map(|name| name.replace('\\', "/"));
            let name: FilePath = name.ok_or_else(|| inside.to_string_lossy().into_owned());
            let Some(name) = self.readable(dir, &name, dir.is_untracked) else { continue };
            self.add(dir, name, path, dir.is_untracked, top)?;
        }
        Ok(())
    }

    /// Adds the file or link `name` of `dir`. `boundary` is the directory that links may not leave.
    fn add(
        &mut self,
        dir: &Dir<'_>,
        name: &str,
        path: &Path,
        is_untracked: bool,
        boundary: &Path,
    ) -> Result<(), Error> {
        let relative = dir.join(name);
        let is_link = sys::fs::symlink_metadata(path).is_ok_and(|about| about.is_symlink());
        let stays = |target: &Path| {
            [boundary, self.tree.top, dir.real].iter().any(|outer| target.starts_with(outer))
        };
        if path.is_file() {
            if is_link && !sys::fs::canonicalize(path).is_ok_and(|target| stays(&target)) {
                self.gap(&relative, OUTSIDE_FILE, is_untracked);
                return Ok(());
            }
            let file = TreeFile { relative: relative.clone(), path: path.to_owned(), is_untracked };
            self.files.insert(relative, file);
            return Ok(());
        }
        if !is_link {
            // Directories of a walk are listed by themselves.
            if !path.is_dir() {
                self.gap(&relative, SPECIAL, is_untracked);
            }
            return Ok(());
        }
        let Ok(target) = sys::fs::canonicalize(path) else {
            self.gap(&relative, DANGLING, is_untracked);
            return Ok(());
        };
        if !target.is_dir() {
            self.gap(&relative, SPECIAL, is_untracked);
            return Ok(());
        }
        let mut outer = dir.outer.to_vec();
        outer.push(dir.real);
        let parent = path.parent().unwrap_or(path);
        if outer.iter().any(|outer| *outer == target) || parent.starts_with(&target) {
            self.gap(&relative, CIRCULAR, is_untracked);
        } else if target.starts_with(boundary) || target.starts_with(self.tree.top) {
            self.add_dir(&Dir { shown: &relative, real: &target, is_untracked, outer: &outer })?;
        } else {
            self.gap(&relative, OUTSIDE, is_untracked);
        }
        Ok(())
    }

    fn gap(&mut self, relative: &str, (reason, help): Reason, is_untracked: bool) {
        self.gaps.push(MissingPath { relative: relative.to_owned(), reason, help, is_untracked });
    }

    /// Returns the path, or records a gap if it is not UTF-8, which paths in archives must be.
    fn readable<'p>(
        &mut self,
        dir: &Dir<'_>,
        path: &'p FilePath,
        is_untracked: bool,
    ) -> Option<&'p str> {
        match path {
            Ok(path) => Some(path),
            Err(lossy) => {
                self.gap(&dir.join(lossy), ENCODING, is_untracked);
                None
            }
        }
    }

    /// True if `path` is a distribution in the usual output directory.
    fn is_result(&self, path: &Path) -> bool {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_distribution = [".whl", ".tar.gz", ".tar.gz.sha256"];
        path.parent() == Some(&self.tree.top.join("dist"))
            && is_distribution.iter().any(|end| name.ends_with(end))
    }
}

/// Ignore files that apply to a listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ignores {
    /// No ignore files.
    None,
    /// Ignore files in the project.
    Project,
    /// Ignore files of the repository, its parents and the user.
    Repository,
}

/// Reason for a gap, and its remedy.
type Reason = (&'static str, &'static str);

const SUBMODULE: Reason = (
    "is a git submodule that is not checked out",
    "run `git submodule update --init --recursive`, or exclude it",
);
const SPARSE: Reason = (
    "is tracked by git and left out of the work tree by a sparse checkout",
    "run `git sparse-checkout disable`, or exclude it",
);
const DANGLING: Reason = ("is a link to a file that does not exist", "remove or exclude it");
const CIRCULAR: Reason =
    ("is a link to a directory that contains it", "remove or exclude the link");
const OUTSIDE: Reason = (
    "is a link to a directory outside the project",
    "copy the directory into the project, or exclude the link",
);
const OUTSIDE_FILE: Reason = (
    "is a link to a file outside the project",
    "copy the file into the project, name it without a pattern, or exclude the link",
);
const SPECIAL: Reason =
    ("is neither a file nor a directory, such as a pipe or a socket", "remove or exclude it");
const ENCODING: Reason =
    ("has a name that is not UTF-8, as names in archives must be", "rename or exclude it");

/// True if a part of `path` is the name of a directory that never contains sources.
pub(super) fn is_never(path: &str) -> bool {
    path.split('/').any(|part| NEVER.contains(&part))
}

/// True if a directory between `root` and the file `name` has one of [`MARKS`].
fn is_below_mark(root: &Path, name: &str, known: &mut BTreeMap<PathBuf, bool>) -> bool {
    let parents: BTreeSet<&Path> = Path::new(name).ancestors().skip(1).collect();
    parents.into_iter().filter(|parent| !parent.as_os_str().is_empty()).any(|parent| {
        let is_marked = || MARKS.iter().any(|mark| root.join(parent).join(mark).is_file());
        *known.entry(parent.to_owned()).or_insert_with(is_marked)
    })
}
