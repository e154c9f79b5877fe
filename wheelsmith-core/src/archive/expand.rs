//! Expands patterns to paths.

use std::path::{Path, PathBuf};

use globset::GlobBuilder;

use super::Error;
use crate::sys;

const SPECIAL: [char; 4] = ['*', '?', '[', '{'];

/// Returns the files and directories that match `patterns`, each once: sorted within a pattern, in
/// the order of the patterns. `*` matches inside one directory, `**` across directories. An
/// argument that exists as a path is not expanded, whatever characters it contains.
///
/// # Errors
/// Returns an error if a pattern is invalid or matches no file.
pub fn expand<S: AsRef<str>>(patterns: &[S]) -> Result<Vec<PathBuf>, Error> {
    let mut paths: Vec<PathBuf> = Vec::new();
    for pattern in patterns {
        let pattern = pattern.as_ref();
        let error = |why: String| Error::Pattern { pattern: pattern.to_owned(), why };
        if sys::fs::symlink_metadata(Path::new(pattern)).is_ok() {
            paths.push(pattern.into());
            continue;
        }
        if !pattern.contains(SPECIAL) {
            return Err(error("there is no such file or directory".into()));
        }
        let glob = GlobBuilder::new(pattern).literal_separator(true).build();
        let glob = glob.map_err(|e| error(e.kind().to_string()))?.compile_matcher();
        let special = pattern.find(SPECIAL).unwrap_or_default();
        let base = pattern[..special].rfind('/').map_or("", |slash| &pattern[..=slash]);
        let mut found = Vec::new();
        let is_deep = pattern.contains("**");
        let depth = pattern[base.len()..].matches('/').count();
        let mut open = vec![(PathBuf::from(base), 0)];
        while let Some((dir, level)) = open.pop() {
            let place = if dir.as_os_str().is_empty() { Path::new(".") } else { &dir };
            // A directory that cannot be read has no matches.
            for path in sys::fs::list(place).unwrap_or_default() {
                let path = dir.join(path.file_name().unwrap_or_default());
                let is_dir = sys::fs::symlink_metadata(&path).is_ok_and(|m| m.is_dir());
                if glob.is_match(&path) {
                    found.push(path.clone());
                }
                if is_dir && (is_deep || level < depth) {
                    open.push((path, level + 1));
                }
            }
        }
        if found.is_empty() {
            return Err(error("no file matches".into()));
        }
        found.sort();
        paths.extend(found);
    }
    let mut seen = std::collections::HashSet::new();
    paths.retain(|path| seen.insert(path.clone()));
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_name_paths() {
        let dir = sys::fs::temp_dir().unwrap();
        for name in ["b.whl", "a.whl", "c.txt", "d/e.whl", "d/f/g.whl", "[x].whl"] {
            sys::fs::write_atomic(&dir.path().join(name), b"").unwrap();
        }
        let at = |name: &str| format!("{}/{name}", dir.path().display());
        let check = |patterns: &[&str], expected: Result<&[&str], &str>| {
            let patterns: Vec<String> = patterns.iter().map(|name| at(name)).collect();
            match (expand(&patterns), expected) {
                (Ok(found), Ok(names)) => {
                    let names: Vec<PathBuf> = names.iter().map(|name| at(name).into()).collect();
                    assert_eq!(found, names, "{patterns:?}");
                }
                (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}"),
                (got, _) => panic!("{patterns:?}: {got:?}"),
            }
        };
        check(&["a.whl"], Ok(&["a.whl"]));
        check(&["?.whl", "a.whl"], Ok(&["a.whl", "b.whl"]));
        check(&["**/*.whl"], Ok(&["[x].whl", "a.whl", "b.whl", "d/e.whl", "d/f/g.whl"]));
        check(&["*/*.whl"], Ok(&["d/e.whl"]));
        check(&["[x].whl"], Ok(&["[x].whl"]));
        check(&["d"], Ok(&["d"]));
        check(&["no.whl"], Err("no such file"));
        check(&["*.zip"], Err("names nothing"));
        check(&["*{.zip"], Err("alternate"));
    }
}
