//! Python files that go into a wheel: those below its source directory that its patterns name.

use std::collections::BTreeSet;
use std::path::PathBuf;

use globset::{Glob, GlobBuilder, GlobMatcher, GlobSet, GlobSetBuilder};

use super::tree::Tree;
use super::{Error, Project, packages};
use crate::config::{Config, Wheel};
use crate::name::{ParseError, WheelPath};
use crate::sys::{self, Host};

/// A Python file, or a data file beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PythonFile {
    /// Path in the wheel.
    pub(super) path: WheelPath,
    /// Path on disk.
    pub(super) file: PathBuf,
    pub(super) executable: bool,
}

/// Returns the files of `wheel` below its source directory; none if it has no such directory.
pub(super) fn files(
    project: &Project,
    wheel: &Wheel,
    host: &Host,
) -> Result<Vec<PythonFile>, Error> {
    let Some(root) = source(project, wheel)? else { return Ok(Vec::new()) };
    let default = packages::patterns(&root, &wheel.name).unwrap_or_default();
    let include = wheel.include.as_deref().unwrap_or(&default);
    let take = globs(project, wheel, "include", include)?;
    let leave = globs(project, wheel, "exclude", &wheel.exclude)?;
    // A development build for another target may have left files in the runtime's directories.
    let stale = ["bin", "lib", "share"].map(|dir| format!("{}/{dir}/", wheel.into));
    let mut used = vec![false; include.len()];
    let mut unused: BTreeSet<usize> = (0..wheel.exclude.len()).collect();
    // The root may be the whole project, so only the directories that patterns name are read.
    let mut candidates = BTreeSet::new();
    let tree = Tree::new(&root, &project.dir, project.is_unpacked_sdist(), host);
    for pattern in include {
        let found = tree.candidates(pattern);
        candidates.extend(found.map_err(|e| Error::io("read the Python files", e))?);
    }
    let mut files = Vec::new();
    for file in candidates {
        let matches = take.matches(&file.relative);
        for &i in &matches {
            used[i] = true;
        }
        let is_stale = stale.iter().any(|dir| file.relative.starts_with(dir));
        let left = leave.matches(&file.relative);
        for &i in &left {
            unused.remove(&i);
        }
        let is_left = !left.is_empty() || is_never(&file.relative);
        if matches.is_empty() || is_left || is_stale {
            continue;
        }
        let bad = |e: ParseError| problem(project, wheel, "python-source", e.to_string(), None);
        let path = file.relative.parse::<WheelPath>().map_err(bad)?;
        let executable = sys::fs::is_executable(&file.path)
            .map_err(|e| Error::io("read the Python files", e))?;
        files.push(PythonFile { path, file: file.path, executable });
    }
    let warn = |key: &str, pattern: &String| {
        let (file, root) = (&project.config.file, root.display());
        host.warn(format!("`{file}`: `{pattern}` of `{key}` names no file below `{root}`"));
    };
    if wheel.include.is_some() {
        let unused = include.iter().zip(&used).filter(|(_, used)| !**used);
        unused.for_each(|(pattern, _)| warn("include", pattern));
    }
    for i in unused {
        warn("exclude", &wheel.exclude[i]);
    }
    Ok(files)
}

/// Returns the directory of Python files: the configured one, else the first of the usual ones that
/// has the package. A wheel may have none.
pub(super) fn source(project: &Project, wheel: &Wheel) -> Result<Option<PathBuf>, Error> {
    if let Some(dir) = &wheel.python_source {
        let root = project.dir.join(dir);
        if !root.is_dir() {
            let message = format!("`{}` is no directory", root.display());
            return Err(problem(project, wheel, "python-source", message, None));
        }
        return Ok(Some(root));
    }
    let dirs = packages::USUAL_DIRS.map(|dir| project.dir.join(dir));
    let found = dirs.into_iter().find(|dir| packages::patterns(dir, &wheel.name).is_some());
    if found.is_none() && wheel.include.as_ref().is_some_and(|include| !include.is_empty()) {
        let package = wheel.name.escaped();
        let message = format!(
            "`include` needs a directory of Python files, and no package `{package}` was found"
        );
        return Err(problem(project, wheel, "include", message, Some("set `python-source`")));
    }
    Ok(found)
}

fn problem(
    project: &Project,
    wheel: &Wheel,
    key: &str,
    message: String,
    help: Option<&str>,
) -> Error {
    let key = format!("{}.{key}", wheel.key);
    project.config.problem(&key, message, help.map(str::to_owned)).into()
}

fn globs(
    project: &Project,
    wheel: &Wheel,
    key: &str,
    patterns: &[String],
) -> Result<GlobSet, Error> {
    let mut set = GlobSetBuilder::new();
    for (i, pattern) in patterns.iter().enumerate() {
        let key = format!("{}.{key}[{i}]", wheel.key);
        set.add(glob_of(&project.config, &key, pattern)?);
    }
    set.build().map_err(|e| problem(project, wheel, key, e.to_string(), None))
}

/// The pattern at `key`: `*` stays in one directory.
pub(super) fn glob(config: &Config, key: &str, pattern: &str) -> Result<GlobMatcher, Error> {
    Ok(glob_of(config, key, pattern)?.compile_matcher())
}

fn glob_of(config: &Config, key: &str, pattern: &str) -> Result<Glob, Error> {
    let glob = GlobBuilder::new(pattern).literal_separator(true).build();
    let bad = |e: globset::Error| config.problem(key, format!("no pattern: {}", e.kind()), None);
    Ok(glob.map_err(bad)?)
}

/// Whether no pattern takes the file.
pub(super) fn is_never(path: &str) -> bool {
    let is_hidden = path.rsplit('/').next().is_some_and(|name| name.starts_with('.'));
    let is_cached = path.split('/').any(|part| part == "__pycache__");
    let is_byte_code = matches!(path.rsplit_once('.'), Some((_, "pyc" | "pyo")));
    is_hidden || is_cached || is_byte_code
}
