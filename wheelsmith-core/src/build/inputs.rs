//! Expands globs to files.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};

use crate::config::{Config, Error, SourcePath};
use crate::sys;

/// File that a pattern names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Input {
    /// Path relative to the root of its pattern, `/` between the parts.
    pub(crate) relative: String,
    /// Path.
    pub(crate) path: PathBuf,
}

/// Returns the files that `patterns` name and `exclude` does not, sorted, each once.
///
/// # Errors
/// Returns an error with the line of the configuration if a pattern names no file or is invalid:
/// `key` is the key of the list of patterns.
pub(crate) fn expand(
    config: &Config,
    key: &str,
    patterns: &[SourcePath],
    exclude: &[SourcePath],
    source: &Path,
    project: &Path,
) -> Result<Vec<Input>, Error> {
    let excluded = exclude
        .iter()
        .map(|pattern| Ok((pattern.from_project, matcher(config, key, &pattern.path)?)))
        .collect::<Result<Vec<_>, Error>>()?;
    let mut found = BTreeSet::new();
    for (i, pattern) in patterns.iter().enumerate() {
        let root = pattern.root(source, project);
        let glob = matcher(config, &format!("{key}[{i}]"), &pattern.path)?;
        let mut any = false;
        // A directory that does not exist has no files.
        for file in candidates(root, &pattern.path).unwrap_or_default() {
            if pattern.is_glob() && !glob.is_match(&file.relative) {
                continue;
            }
            any = true;
            let is_excluded = excluded.iter().any(|(from_project, glob)| {
                *from_project == pattern.from_project && glob.is_match(&file.relative)
            });
            if is_excluded {
                continue;
            }
            // Rules of make and lists of arguments cannot hold such a name.
            if file.relative.contains(char::is_control) {
                let message = format!(
                    "`{pattern}` names the file `{}`, whose name has a control character",
                    file.relative.escape_debug()
                );
                let help = "rename the file, or exclude it".to_owned();
                return Err(config.problem(&format!("{key}[{i}]"), message, Some(help)));
            }
            found.insert(Input { relative: file.relative, path: file.path });
        }
        if !any {
            return Err(config.problem(
                &format!("{key}[{i}]"),
                format!("`{pattern}` names no file below `{}`", root.display()),
                Some("`*` stays in one directory, `**` does not".to_owned()),
            ));
        }
    }
    Ok(found.into_iter().collect())
}

/// Returns the directories below which a new file could match one of `patterns`.
pub(super) fn dirs(patterns: &[SourcePath], source: &Path, project: &Path) -> Vec<PathBuf> {
    let globs = patterns.iter().filter(|pattern| pattern.is_glob());
    globs.map(|glob| glob.root(source, project).join(literal_prefix(&glob.path))).collect()
}

/// Returns the file that `path` names.
pub(crate) fn file(
    config: &Config,
    key: &str,
    path: &SourcePath,
    source: &Path,
    project: &Path,
) -> Result<PathBuf, Error> {
    let place = path.resolve(source, project);
    if place.is_file() {
        return Ok(place);
    }
    Err(config.problem(key, format!("there is no file `{}`", place.display()), None))
}

fn matcher(config: &Config, key: &str, pattern: &str) -> Result<GlobMatcher, Error> {
    let glob = GlobBuilder::new(pattern).literal_separator(true).build();
    let glob = glob.map_err(|e| config.problem(key, format!("no pattern: {}", e.kind()), None))?;
    Ok(glob.compile_matcher())
}

/// Returns the files below `root` that may match `pattern`: the file of that name, or all below its
/// literal directories.
///
/// # Errors
/// Returns an error if a directory cannot be read.
pub(crate) fn candidates(root: &Path, pattern: &str) -> io::Result<Vec<sys::fs::Walked>> {
    if !pattern.contains(['*', '?', '[', '{']) {
        let file = sys::fs::Walked { relative: pattern.to_owned(), path: root.join(pattern) };
        return Ok(if file.path.is_file() { vec![file] } else { Vec::new() });
    }
    let base = literal_prefix(pattern);
    if base.is_empty() {
        return sys::fs::walk(root);
    }
    let mut files = sys::fs::walk(&root.join(base))?;
    for file in &mut files {
        file.relative = format!("{base}/{}", file.relative);
    }
    Ok(files)
}

/// Returns the literal directories in front of the first part with a wildcard.
pub(crate) fn literal_prefix(pattern: &str) -> &str {
    let Some(special) = pattern.find(['*', '?', '[', '{']) else { return "" };
    pattern[..special].rfind('/').map_or("", |slash| &pattern[..slash])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_name_files() {
        let dir = sys::fs::temp_dir().unwrap();
        for name in ["a.c", "a.h", "d/b.c", "d/e/c.c", "p/x.c"] {
            sys::fs::write_atomic(&dir.path().join(name), b"").unwrap();
        }
        let config = crate::config::parse("demo.toml", "").unwrap();
        let paths = |texts: &[&str]| -> Vec<SourcePath> {
            texts.iter().map(|text| text.parse().unwrap()).collect()
        };
        let project = dir.path().join("p");
        let run = |patterns: &[&str], exclude: &[&str]| {
            expand(&config, "k", &paths(patterns), &paths(exclude), dir.path(), &project)
        };
        let check = |patterns: &[&str], exclude: &[&str], expected: &[&str]| {
            let found = run(patterns, exclude).unwrap();
            let found: Vec<&str> = found.iter().map(|f| f.relative.as_str()).collect();
            assert_eq!(found, expected, "{patterns:?}");
        };
        check(&["*.c"], &[], &["a.c"]);
        check(&["d/**/*.c"], &[], &["d/b.c", "d/e/c.c"]);
        check(&["**/*.c"], &["d/**"], &["a.c", "p/x.c"]);
        check(&["a.h", "*.{c,h}"], &[], &["a.c", "a.h"]);
        check(&["{project}/*.c"], &[], &["x.c"]);
        // No list of files or arguments can hold such a name.
        #[cfg(unix)]
        {
            sys::fs::write_atomic(&dir.path().join("n/a\nb.c"), b"").unwrap();
            let error = run(&["n/*.c"], &[]).unwrap_err().to_string();
            assert!(error.contains(r"`n/a\nb.c`, whose name has a control character"), "{error}");
        }
        let error = run(&["a.c", "*.cpp"], &[]).unwrap_err().to_string();
        assert!(error.contains("`k[1]`: `*.cpp` names no file"), "{error}");
    }
}
