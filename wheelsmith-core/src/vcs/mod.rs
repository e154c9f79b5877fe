//! Files and tags of a git repository, as the `git` program reports them.
//!
//! A directory is in no repository, in one that git can read, or in one that git refuses to read.
//! The third case is an error: a file list without git could contain files that git ignores.

use std::path::{Path, PathBuf};

use crate::sys::{self, Command, Env, Host, ProcessError};

/// Why the repository of a directory cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no git program.
    #[error("cannot read the git repository `{}`: there is no `git` on PATH", root.display())]
    NoGit {
        /// Directory that contains `.git`.
        root: PathBuf,
    },
    /// git reports an error.
    #[error("cannot read the git repository `{}`: {reason}", root.display())]
    Refused {
        /// Directory that contains `.git`.
        root: PathBuf,
        /// Last line of git's report.
        reason: String,
    },
    /// The user stopped the command.
    #[error("stopped")]
    Cancelled,
}

impl Error {
    /// Returns what the user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoGit { .. } => Some("install git, or copy the project without `.git`".into()),
            Self::Refused { root, reason } if reason.contains("dubious ownership") => {
                let root = root.display();
                Some(format!(
                    "if you trust its owner: `git config --global --add safe.directory {root}`"
                ))
            }
            Self::Refused { .. } => {
                Some("repair the repository, or copy the project without `.git`".into())
            }
            Self::Cancelled => None,
        }
    }
}

/// A directory in a git repository.
#[derive(Debug, Clone)]
pub struct Repository {
    /// Root of the work tree.
    pub root: PathBuf,
    /// git in the directory.
    git: Command,
    /// Files that git tracks below the directory, sorted by path.
    tracked: Vec<Tracked>,
}

/// An entry of git's index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tracked {
    /// Path relative to the directory that was opened.
    pub path: FilePath,
    /// True if the entry is the commit of another repository: a submodule.
    pub is_repository: bool,
    /// True if a sparse checkout leaves the file out of the work tree.
    pub is_sparse: bool,
}

/// A path with `/` between its parts; `Err` with a readable form if it is not UTF-8.
pub type FilePath = Result<String, String>;

impl Repository {
    /// Opens the repository to which `dir` belongs; `None` if there is none, or if it ignores `dir`
    /// and tracks nothing below it.
    ///
    /// # Errors
    /// There is no git program, or git cannot or will not read the repository.
    pub fn open(dir: &Path, host: &Host) -> Result<Option<Self>, Error> {
        let Some(repository) = Self::around(dir, host)? else { return Ok(None) };
        let is_root = sys::fs::canonicalize(dir).is_ok_and(|dir| dir == repository.root);
        let is_ignored = || repository.run(&["check-ignore", "-q", "."], host).is_ok();
        let is_foreign = repository.tracked.is_empty() && !is_root && is_ignored();
        Ok(Some(repository).filter(|_| !is_foreign))
    }

    /// Opens the repository around `dir`, even if it ignores `dir`.
    ///
    /// # Errors
    /// As [`Repository::open`].
    pub fn around(dir: &Path, host: &Host) -> Result<Option<Self>, Error> {
        let Some((root, env)) = locate(dir, &host.env) else { return Ok(None) };
        let program = host.env.find_program("git");
        let program = program.ok_or_else(|| Error::NoGit { root: root.clone() })?;
        let git = Command::new(program, dir, &env);
        let mut repository = Self { root, git, tracked: Vec::new() };
        let root = repository.run(&["rev-parse", "--show-toplevel"], host)?;
        let listed = repository.run(&["ls-files", "-z", "-t", "--stage"], host)?;
        let mut tracked: Vec<Tracked> = names(&listed).filter_map(entry).collect();
        tracked.sort_by(|a, b| a.path.cmp(&b.path));
        // A file with a merge conflict is listed once for each side.
        tracked.dedup_by(|a, b| a.path == b.path);
        repository.tracked = tracked;
        repository.root = String::from_utf8_lossy(&root).trim_end_matches('\n').into();
        Ok(Some(repository))
    }

    /// Returns what git tracks below the directory.
    pub fn tracked(&self) -> &[Tracked] {
        &self.tracked
    }

    /// True if git tracks the file at `path`, relative to the directory.
    pub fn tracks(&self, path: &str) -> bool {
        let found = self.tracked.binary_search_by(|entry| match &entry.path {
            Ok(own) => own.as_str().cmp(path),
            Err(_) => std::cmp::Ordering::Greater,
        });
        found.is_ok()
    }

    /// Lists the files below the directory that git neither tracks nor ignores. A path that ends
    /// in `/` is another repository.
    ///
    /// # Errors
    /// git reports an error.
    pub fn untracked(&self, host: &Host) -> Result<Vec<FilePath>, Error> {
        let listed = self.run(&["ls-files", "-z", "--others", "--exclude-standard"], host);
        Ok(names(&listed?).map(file_path).collect())
    }

    /// Runs git in the directory, and returns its output.
    ///
    /// # Errors
    /// git reports an error.
    pub fn run(&self, args: &[&str], host: &Host) -> Result<Vec<u8>, Error> {
        match self.git.clone().args(args.iter().copied()).run(host) {
            Ok(said) => Ok(said.stdout),
            Err(ProcessError::Cancelled) => Err(Error::Cancelled),
            Err(error) => Err(Error::Refused { root: self.root.clone(), reason: reason(&error) }),
        }
    }
}

/// Origin of the files of a project directory.
#[derive(Debug)]
pub enum Checkout {
    /// Unpacked from a source distribution: every file belongs to the project.
    Sdist,
    /// Checked out from a repository that tracks the configuration.
    Repository(Repository),
    /// In a repository that does not track the configuration.
    Untracked(Repository),
    /// In no repository.
    Plain,
    /// In a repository that git cannot read.
    Unreadable(Error),
}

impl Checkout {
    /// Returns how the files in `dir` came there. `config` is the name of the configuration file in
    /// `dir`; `has_pkg_info` is true if `dir` has a `PKG-INFO` of the same project, which a
    /// repository may track as well.
    ///
    /// # Errors
    /// The user stopped the command.
    pub fn of(dir: &Path, config: &str, has_pkg_info: bool, host: &Host) -> Result<Self, Error> {
        Ok(match Repository::open(dir, host) {
            Ok(Some(repository)) if repository.tracks(config) => Self::Repository(repository),
            Ok(_) if has_pkg_info => Self::Sdist,
            Ok(Some(repository)) => Self::Untracked(repository),
            Ok(None) => Self::Plain,
            Err(Error::Cancelled) => return Err(Error::Cancelled),
            // Unpacked below an unrelated repository, on a machine that cannot read that one.
            Err(_) if has_pkg_info && !dir.join(".git").exists() => Self::Sdist,
            Err(error) => Self::Unreadable(error),
        })
    }
}

/// Finds the directory whose `.git` applies to `dir`, and the environment in which git reads it.
fn locate(dir: &Path, env: &Env) -> Option<(PathBuf, Env)> {
    let mut own = env.clone();
    own.set("LC_ALL", "C");
    own.set("GIT_OPTIONAL_LOCKS", "0");
    for top in dir.ancestors() {
        let Ok(about) = sys::fs::symlink_metadata(top.join(".git")) else { continue };
        // Package managers put an empty file there to end git's search for a repository.
        if about.is_file() && about.len() == 0 {
            return None;
        }
        sys::git::forget_repository(&mut own);
        return Some((top.to_owned(), own));
    }
    // Without `.git`, a work tree must be named together with its repository.
    let tree = env.path("GIT_WORK_TREE").filter(|_| env.get("GIT_DIR").is_some())?;
    let tree = sys::fs::canonicalize(&tree).ok()?;
    dir.starts_with(&tree).then_some((tree, own))
}

/// Splits output of `-z`.
fn names(output: &[u8]) -> impl Iterator<Item = &[u8]> {
    output.split(|byte| *byte == 0).filter(|name| !name.is_empty())
}

fn file_path(name: &[u8]) -> FilePath {
    String::from_utf8(name.to_vec()).map_err(|_| String::from_utf8_lossy(name).into_owned())
}

/// Parses `H 100644 4bcf… 0<TAB>path` of `ls-files -t --stage`.
fn entry(line: &[u8]) -> Option<Tracked> {
    let tab = line.iter().position(|byte| *byte == b'\t')?;
    let mut words = line[..tab].split(|byte| *byte == b' ');
    let (tag, mode) = (words.next()?, words.next()?);
    Some(Tracked {
        path: file_path(&line[tab + 1..]),
        is_repository: mode == b"160000",
        is_sparse: tag == b"S",
    })
}

/// Returns git's own words for an error: the line that begins with `fatal:`, else the last one.
fn reason(error: &ProcessError) -> String {
    let text = match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    };
    let fatal = text.lines().find_map(|line| line.trim().strip_prefix("fatal: "));
    fatal.or_else(|| text.lines().last()).unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn index_entries_are_parsed() {
        let check = |line: &[u8], path: &str, is_repository: bool, is_sparse: bool| {
            let expected = Tracked { path: Ok(path.to_owned()), is_repository, is_sparse };
            assert_eq!(entry(line), Some(expected));
        };
        check(b"H 100644 e69de29 0\ta b/c", "a b/c", false, false);
        check(b"S 100755 e69de29 0\ta", "a", false, true);
        check(b"H 160000 e69de29 0\tlib", "lib", true, false);
        assert_eq!(entry(b"nothing"), None);
        assert!(entry(b"H 100644 e 0\t\xff").unwrap().path.is_err());
    }

    #[test]
    fn a_repository_that_git_cannot_read_is_an_error() {
        let dir = sys::fs::temp_dir().unwrap();
        let top = sys::fs::canonicalize(dir.path()).unwrap();
        let project = top.join("p");
        sys::fs::write_atomic(&project.join("a.py"), b"").unwrap();
        let host = Host::quiet(Env::from_process());
        let open = |host: &Host| Repository::open(&project, host);
        if host.env.find_program("git").is_none() {
            return;
        }
        assert!(open(&host).unwrap().is_none());
        let git = |args: &[&str]| {
            let program = host.env.find_program("git").unwrap();
            Command::new(program, &top, &host.env).args(args.iter().copied()).run(&host).unwrap();
        };
        git(&["init", "-q"]);
        assert_eq!(open(&host).unwrap().unwrap().root, top);
        // The variables of another repository do not count.
        let mut env = host.env.clone();
        env.set("GIT_DIR", "/nowhere");
        env.set("GIT_INDEX_FILE", "/nowhere/index");
        assert!(open(&Host::quiet(env)).unwrap().is_some());
        let mut env = host.env.clone();
        env.set("PATH", "/nowhere");
        let error = open(&Host::quiet(env)).unwrap_err();
        assert!(matches!(error, Error::NoGit { .. }), "{error}");
        // What the repository ignores as a whole is not part of it.
        sys::fs::write(top.join(".gitignore"), "/p/\n").unwrap();
        assert!(open(&host).unwrap().is_none());
        sys::fs::write(top.join(".gitignore"), "").unwrap();
        sys::fs::write(top.join(".git/index"), "broken").unwrap();
        let error = open(&host).unwrap_err();
        assert!(matches!(error, Error::Refused { .. }), "{error}");
        assert!(error.hint().unwrap().contains("without `.git`"));
        sys::fs::remove_dir_all(top.join(".git")).unwrap();
        sys::fs::write(top.join(".git"), "gitdir: /nowhere\n").unwrap();
        assert!(matches!(open(&host).unwrap_err(), Error::Refused { .. }));
        sys::fs::write(top.join(".git"), "").unwrap();
        assert!(open(&host).unwrap().is_none());
    }
}
