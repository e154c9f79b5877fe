//! Globs to files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};

use crate::config::{Config, Error, SourcePath};
use crate::sys;

/// A file that a pattern names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Input {
    /// Relative to the root of its pattern, `/` between the parts.
    pub(crate) relative: String,
    /// Where it is.
    pub(crate) path: PathBuf,
}

/// The files that `patterns` name and `exclude` does not, sorted; each once.
///
/// # Errors
/// A pattern that names no file, or that is no pattern, with its line in the configuration: `key`
/// is that of the list of patterns.
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
    let mut walks: BTreeMap<PathBuf, Vec<sys::fs::Walked>> = BTreeMap::new();
    let mut found = BTreeSet::new();
    for (i, pattern) in patterns.iter().enumerate() {
        let root = pattern.root(source, project);
        let mut any = false;
        let mut take = |relative: String, path: PathBuf| {
            any = true;
            let is_excluded = excluded.iter().any(|(from_project, glob)| {
                *from_project == pattern.from_project && glob.is_match(&relative)
            });
            if !is_excluded {
                found.insert(Input { relative, path });
            }
        };
        if pattern.is_glob() {
            let glob = matcher(config, &format!("{key}[{i}]"), &pattern.path)?;
            let base = literal_prefix(&pattern.path);
            let dir = if base.is_empty() { root.to_owned() } else { root.join(base) };
            let files =
                walks.entry(dir.clone()).or_insert_with(|| sys::fs::walk(&dir).unwrap_or_default());
            for file in files {
                let relative = if base.is_empty() {
                    file.relative.clone()
                } else {
                    format!("{base}/{}", file.relative)
                };
                if glob.is_match(&relative) {
                    take(relative, file.path.clone());
                }
            }
        } else {
            let path = root.join(&pattern.path);
            if path.is_file() {
                take(pattern.path.clone(), path);
            }
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

/// The one file that `path` names.
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

/// The directories before the first part that is a pattern: all that must be walked.
fn literal_prefix(pattern: &str) -> &str {
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
        let error = run(&["a.c", "*.cpp"], &[]).unwrap_err().to_string();
        assert!(error.contains("`k[1]`: `*.cpp` names no file"), "{error}");
    }
}
