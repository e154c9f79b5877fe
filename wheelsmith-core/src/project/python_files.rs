//! Python files of a wheel: those below its source directory that match its patterns.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use globset::{Glob, GlobBuilder, GlobMatcher, GlobSet, GlobSetBuilder};

use super::packages::PythonFile;
use super::tree::{MissingPath, Tree, TreeFile, is_junk, is_never};
use super::{Error, Project, packages};
use crate::config::{Config, Wheel};
use crate::name::{ParseError, WheelPath};
use crate::sys::{self, Host};

/// Returns the files of `wheel` below its source directory; none if it has no such directory.
pub(super) fn files(
    project: &Project,
    wheel: &Wheel,
    host: &Host,
) -> Result<Vec<PythonFile>, Error> {
    let Some(root) = source(project, wheel)? else { return Ok(Vec::new()) };
    let patterns = Patterns::new(project, wheel, &root)?;
    // The root may be the whole project, so only the directories that patterns name are read.
    let tree = Tree::new(&root, &project.dir, project.is_unpacked_sdist(host)?, host);
    let mut candidates: BTreeMap<String, TreeFile> = BTreeMap::new();
    for pattern in &patterns.include {
        let listing = tree.candidates(pattern)?;
        if let Some(gap) = listing.gaps.iter().find(|gap| patterns.names_gap(gap)) {
            let message = format!("`{}` {}", gap.relative, gap.reason);
            return Err(problem(project, wheel, "include", message, Some(gap.help)));
        }
        for file in &listing.files {
            let known = candidates.entry(file.relative.clone()).or_insert_with(|| file.clone());
            known.is_untracked &= file.is_untracked;
        }
    }
    let mut files = Vec::new();
    let (mut used, mut excluded) = (BTreeSet::new(), BTreeSet::new());
    for file in candidates.into_values() {
        used.extend(patterns.include_set.matches(&file.relative));
        excluded.extend(patterns.exclude_set.matches(&file.relative));
        if !patterns.takes(&file.relative) {
            continue;
        }
        let bad = |e: ParseError| problem(project, wheel, "python-source", e.to_string(), None);
        let path = file.relative.parse::<WheelPath>().map_err(bad)?;
        let executable = sys::fs::is_executable(&file.path)
            .map_err(|e| Error::io("read the Python files", e))?;
        let is_untracked = file.is_untracked;
        files.push(PythonFile { path, file: file.path, executable, is_untracked });
    }
    let warn = |key: &str, pattern: &String| {
        let (file, root) = (&project.config.file, root.display());
        let mut text = format!("`{file}`: `{pattern}` of `{key}` names no file below `{root}`");
        if key == "include" && is_glob(pattern) {
            text += "; files that git ignores must be named without a pattern";
        }
        host.warn(text);
    };
    if wheel.include.is_some() {
        let unused = (0..patterns.include.len()).filter(|i| !used.contains(i));
        unused.for_each(|i| warn("include", &patterns.include[i]));
    }
    let unused = (0..wheel.exclude.len()).filter(|i| !excluded.contains(i));
    unused.for_each(|i| warn("exclude", &wheel.exclude[i]));
    Ok(files)
}

/// Patterns that select the files of a wheel below its source directory.
pub(super) struct Patterns {
    include: Vec<String>,
    include_set: GlobSet,
    exclude_set: GlobSet,
    /// Directories in which development builds of other targets may have left files.
    stale: [String; 3],
}

impl Patterns {
    /// Compiles the patterns of `wheel`; without `include`, its package.
    pub(super) fn new(project: &Project, wheel: &Wheel, root: &Path) -> Result<Self, Error> {
        let default = || packages::patterns(root, &wheel.name).unwrap_or_default();
        let include = wheel.include.clone().unwrap_or_else(default);
        Ok(Self {
            include_set: globs(project, wheel, "include", &include)?,
            exclude_set: globs(project, wheel, "exclude", &wheel.exclude)?,
            stale: ["bin", "lib", "share"].map(|dir| format!("{}/{dir}/", wheel.into)),
            include,
        })
    }

    /// True if the wheel contains the file at `path`, relative to the source directory.
    pub(super) fn takes(&self, path: &str) -> bool {
        let is_named = self.include_set.matches(path).into_iter().any(|i| {
            let pattern = &self.include[i];
            names(pattern, path) && (!is_glob(pattern) || !self.is_stale(path))
        });
        is_named && !self.exclude_set.is_match(path)
    }

    fn is_stale(&self, path: &str) -> bool {
        self.stale.iter().any(|dir| path.starts_with(dir))
    }

    /// True if the wheel would contain files at or below the path of `gap`.
    fn names_gap(&self, gap: &MissingPath) -> bool {
        let path = &gap.relative;
        ["", "/__init__.py", "/x.py", "/x"].iter().any(|end| self.takes(&format!("{path}{end}")))
    }
}

/// True if `pattern` has wildcards.
pub(super) fn is_glob(pattern: &str) -> bool {
    pattern.contains(['*', '?', '[', '{'])
}

/// True if `pattern`, which matches `path`, is meant to include it. Wildcards do not include hidden
/// files, byte code and backups, unless the pattern contains their mark, as `.*` and `*.pyc` do.
pub(super) fn names(pattern: &str, path: &str) -> bool {
    let is_meant = |part: &str| {
        pattern
            .split('/')
            .filter(|own| is_private(own))
            .any(|own| Glob::new(own).is_ok_and(|glob| glob.compile_matcher().is_match(part)))
    };
    let (dirs, name) = path.rsplit_once('/').unwrap_or(("", path));
    let private_dirs = dirs.split('/').filter(|part| is_never(part));
    let private = private_dirs.chain(Some(name).filter(|name| is_private(name)));
    !is_glob(pattern) || private.into_iter().all(is_meant)
}

/// True for names of files that wildcards exclude.
fn is_private(name: &str) -> bool {
    name.starts_with('.') || is_never(name) || is_junk(name)
}

/// Returns the directory of Python files: the configured one, else the first of the usual ones that
/// contains the package. A wheel may have none.
pub(super) fn source(project: &Project, wheel: &Wheel) -> Result<Option<PathBuf>, Error> {
    if let Some(dir) = &wheel.python_source {
        let root = project.dir.join(dir);
        if !root.is_dir() {
            let message = format!("`{}` is not a directory", root.display());
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

/// Compiles the pattern at `key`: `*` matches inside one directory.
pub(super) fn glob(config: &Config, key: &str, pattern: &str) -> Result<GlobMatcher, Error> {
    Ok(glob_of(config, key, pattern)?.compile_matcher())
}

fn glob_of(config: &Config, key: &str, pattern: &str) -> Result<Glob, Error> {
    let glob = GlobBuilder::new(pattern).literal_separator(true).build();
    let bad = |e: globset::Error| config.problem(key, format!("no pattern: {}", e.kind()), None);
    Ok(glob.map_err(bad)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_leave_private_files_out() {
        let check = |pattern: &str, path: &str, expected: bool| {
            assert_eq!(names(pattern, path), expected, "{pattern} {path}");
        };
        for private in [
            "demo/.env",
            "demo/.gitignore",
            "demo/a.pyc",
            "demo/__pycache__/a.cpython-312.pyc",
            "demo/__pycache__/a.txt",
            "demo/a.py~",
            "demo/#a.py#",
            "demo/.a.py.swp",
            "demo/.ipynb_checkpoints/a.py",
            "demo/.idea/workspace.xml",
        ] {
            check("demo/**", private, false);
            check(private, private, true);
        }
        check("demo/**", "demo/a.py", true);
        check("demo/**", "demo/.well-known/a.json", true);
        check("demo/.*", "demo/.gitignore", true);
        check("demo/**/.git*", "demo/tpl/.gitignore", true);
        check("demo/**/.git*", "demo/tpl/.env", false);
        check("demo/*.pyc", "demo/a.pyc", true);
        check("demo/__pycache__/*", "demo/__pycache__/a.pyc", false);
        check("demo/__pycache__/*.pyc", "demo/__pycache__/a.pyc", true);
    }
}
