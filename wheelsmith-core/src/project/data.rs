//! Files that a wheel installs beside its packages: commands, headers, others.

use std::path::PathBuf;

use super::tree::Tree;
use super::{Error, Project, python_files};
use crate::build::inputs::literal_prefix;
use crate::config::{DataFiles, Scheme, Wheel};
use crate::sys::Host;

/// File below `.data`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DataFile {
    /// Key of the entry that names it.
    pub(super) key: String,
    /// Path below `.data`: `headers/demo/demo.h`.
    pub(super) to: String,
    /// Path relative to the project.
    pub(super) relative: String,
    /// Path on disk.
    pub(super) path: PathBuf,
    /// True if only a pattern with wildcards names it, and git does not track it.
    pub(super) is_untracked: bool,
}

/// Returns every file that the lists of `wheel` name.
///
/// # Errors
/// Returns an error if a pattern matches no file, or a file that cannot be in an archive.
pub(super) fn files(project: &Project, wheel: &Wheel, host: &Host) -> Result<Vec<DataFile>, Error> {
    let is_sdist = project.is_unpacked_sdist(host)?;
    let tree = Tree::new(&project.dir, &project.dir, is_sdist, host);
    let config = &project.config;
    let mut files = Vec::new();
    for list in &wheel.data {
        let pattern = &list.from.path;
        let takes = matcher(project, list)?;
        let listing = tree.candidates(pattern)?;
        let ends = ["", "/x"];
        let mut gaps = listing.gaps.iter();
        if let Some(gap) =
            gaps.find(|gap| ends.iter().any(|end| takes(&format!("{}{end}", gap.relative))))
        {
            let message = format!("`{}` {}", gap.relative, gap.reason);
            return Err(config.problem(&list.key, message, Some(gap.help.to_owned())).into());
        }
        let before = files.len();
        for file in listing.files.iter().filter(|file| takes(&file.relative)) {
            files.push(DataFile {
                key: list.key.clone(),
                to: place(list, &file.relative),
                relative: file.relative.clone(),
                path: file.path.clone(),
                is_untracked: file.is_untracked,
            });
        }
        if files.len() == before {
            let message =
                format!("`{}` names no file below `{}`", list.from, project.dir.display());
            let help = "`*` stays in one directory, `**` does not; files that version control \
                        ignores are named without a pattern";
            return Err(config.problem(&list.key, message, Some(help.to_owned())).into());
        }
    }
    Ok(files)
}

/// Returns a function that is true for the paths that `list` names.
pub(super) fn matcher(
    project: &Project,
    list: &DataFiles,
) -> Result<impl Fn(&str) -> bool + use<>, Error> {
    let pattern = list.from.path.clone();
    let glob = python_files::glob(&project.config, &list.key, &pattern)?;
    let is_glob = list.from.is_glob();
    Ok(move |path: &str| {
        if is_glob {
            glob.is_match(path) && python_files::names(&pattern, path)
        } else {
            path == pattern
        }
    })
}

/// Returns the path of the file below `.data`: commands are in one directory, others keep their
/// path below the directory in which the pattern begins.
fn place(list: &DataFiles, relative: &str) -> String {
    let pattern = &list.from.path;
    let base = if list.from.is_glob() {
        literal_prefix(pattern)
    } else {
        pattern.rsplit_once('/').map_or("", |(dir, _)| dir)
    };
    let below = relative.strip_prefix(base).unwrap_or(relative).trim_start_matches('/');
    let below = match list.scheme {
        Scheme::Scripts => below.rsplit('/').next().unwrap_or(below),
        Scheme::Headers | Scheme::Data => below,
    };
    let to = list.to.as_ref().map(|to| format!("{to}/")).unwrap_or_default();
    format!("{}/{to}{below}", list.scheme.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_has_its_place() {
        let check = |scheme: Scheme, from: &str, to: Option<&str>, file: &str, expected: &str| {
            let (from, to) = (from.parse().unwrap(), to.map(|to| to.parse().unwrap()));
            let list = DataFiles { key: String::new(), scheme, from, to };
            assert_eq!(place(&list, file), expected, "{file}");
        };
        check(Scheme::Scripts, "tools/*", None, "tools/run", "scripts/run");
        check(Scheme::Scripts, "**/*.sh", None, "a/b/c.sh", "scripts/c.sh");
        check(Scheme::Headers, "inc/**/*.h", None, "inc/a/b.h", "headers/a/b.h");
        check(Scheme::Headers, "inc/a/b.h", None, "inc/a/b.h", "headers/b.h");
        check(Scheme::Data, "*.1", Some("share/man/man1"), "d.1", "data/share/man/man1/d.1");
        check(Scheme::Data, "files/**", None, "files/etc/d.conf", "data/etc/d.conf");
        check(Scheme::Data, "files/{a,b}/*", None, "files/a/x", "data/a/x");
    }
}
