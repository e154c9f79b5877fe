//! Paths and globs in the configuration.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::name::{ParseError, serde_by_text};

/// Path or glob with `/` between its parts: relative to the root of a component's source, or, after
/// `{project}/`, to the directory of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SourcePath {
    /// True if it is relative to the directory of the configuration.
    pub from_project: bool,
    /// Path or glob.
    pub path: String,
}

const PROJECT: &str = "{project}/";

impl SourcePath {
    /// Returns the path on this machine.
    pub fn resolve(&self, source: &Path, project: &Path) -> PathBuf {
        let root = self.root(source, project);
        if self.path == "." { root.to_owned() } else { root.join(&self.path) }
    }

    /// Returns the directory that it is relative to.
    pub fn root<'a>(&self, source: &'a Path, project: &'a Path) -> &'a Path {
        if self.from_project { project } else { source }
    }

    /// True if it is a pattern rather than a path.
    pub fn is_glob(&self) -> bool {
        self.path.contains(['*', '?', '[', '{'])
    }
}

impl fmt::Display for SourcePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.from_project { PROJECT } else { "" }, self.path)
    }
}

impl FromStr for SourcePath {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let (from_project, path) = match text.strip_prefix(PROJECT) {
            Some(rest) => (true, rest),
            None if text == PROJECT.trim_end_matches('/') => (true, "."),
            None => (false, text),
        };
        let absolute = path.starts_with('/') || path.as_bytes().get(1) == Some(&b':');
        if path.is_empty() || absolute || path.contains('\\') {
            return Err(ParseError {
                text: text.to_owned(),
                expected: "a relative path with `/` between its parts",
                suggestion: path.contains('\\').then(|| path.replace('\\', "/")),
            });
        }
        Ok(Self { from_project, path: path.trim_end_matches('/').to_owned() })
    }
}

serde_by_text!(SourcePath);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_start_at_the_source_or_at_the_project() {
        let check = |text: &str, path: &str| {
            let parsed: SourcePath = text.parse().unwrap();
            let resolved = parsed.resolve(Path::new("/source"), Path::new("/project"));
            assert_eq!(resolved, Path::new(path));
        };
        check("src/*.c", "/source/src/*.c");
        check(".", "/source");
        check("{project}/native", "/project/native");
        check("{project}", "/project");
        check("lib/", "/source/lib");
        for bad in ["", "/etc", "C:/x", "a\\b", "{project}/"] {
            bad.parse::<SourcePath>().unwrap_err();
        }
    }
}
