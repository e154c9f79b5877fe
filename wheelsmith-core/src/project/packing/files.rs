//! Files of the project in packages: README, licences, and those that `include` names.

use std::path::Path;

use super::super::{Error, Project};
use crate::build::inputs::{self, literal_prefix};
use crate::config::{PackageFiles, SourcePath};
use crate::name::ParseError;
use crate::package::{self, Content, Files, PackageFile};
use crate::sys;
use crate::wheel::Source;

/// Names of a README in a project whose `[project]` table names none.
const READMES: [&str; 3] = ["README.md", "README.rst", "README"];

/// Adds the licences of the project and, if `readme` is true, its README.
///
/// # Errors
/// Returns an error if a file that `[project]` names does not exist.
pub(super) fn add_texts(project: &Project, files: &mut Files, readme: bool) -> Result<(), Error> {
    let config = &project.config;
    let table = config.project.as_ref();
    let (globs, must_match) = match table {
        Some(table) => table.license_globs(),
        None => (crate::metadata::project_table::DEFAULT_LICENSE_FILES.to_vec(), false),
    };
    for (i, glob) in globs.iter().enumerate() {
        let key = format!("project.license-files[{i}]");
        let pattern: SourcePath =
            glob.parse().map_err(|e: ParseError| config.problem(&key, e.to_string(), None))?;
        match expand(project, "project.license-files", &pattern) {
            Err(_) if !must_match => {}
            found => {
                for file in found? {
                    insert(project, &key, &file.relative, &file.path, files)?;
                }
            }
        }
    }
    if !readme {
        return Ok(());
    }
    if let Some(file) = table.and_then(|table| table.readme_file()) {
        let path = project.dir.join(file);
        if !path.is_file() {
            let message = format!("there is no file `{}`", path.display());
            return Err(config.problem("project.readme", message, None).into());
        }
        // Other names and directories are not shown by registries.
        let name = Path::new(file).file_name().unwrap_or_default().to_string_lossy();
        return insert(project, "project.readme", &name, &path, files);
    }
    if let Some(name) = READMES.iter().find(|name| project.dir.join(name).is_file()) {
        insert(project, "project.readme", name, &project.dir.join(name), files)?;
    }
    Ok(())
}

/// Adds the files that the lists at `key` name.
///
/// # Errors
/// Returns an error if a pattern names no file, or two files have the same path.
pub(super) fn add(
    project: &Project,
    key: &str,
    lists: &[PackageFiles],
    files: &mut Files,
) -> Result<(), Error> {
    for (i, list) in lists.iter().enumerate() {
        let key = format!("{key}[{i}]");
        let base = if list.from.is_glob() {
            literal_prefix(&list.from.path)
        } else {
            list.from.path.rsplit_once('/').map_or("", |(dir, _)| dir)
        };
        for file in expand(project, &key, &list.from)? {
            let to = match &list.to {
                None => file.relative.clone(),
                Some(to) => {
                    let below = file.relative.strip_prefix(base).unwrap_or(&file.relative);
                    format!("{to}/{}", below.trim_start_matches('/'))
                }
            };
            insert(project, &key, &to, &file.path, files)?;
        }
    }
    Ok(())
}

fn expand(project: &Project, key: &str, from: &SourcePath) -> Result<Vec<inputs::Input>, Error> {
    let dir = &project.dir;
    let found = inputs::expand(&project.config, key, std::slice::from_ref(from), &[], dir, dir);
    Ok(found?)
}

fn insert(
    project: &Project,
    key: &str,
    to: &str,
    path: &Path,
    files: &mut Files,
) -> Result<(), Error> {
    let problem = |message: String, help| Error::from(project.config.problem(key, message, help));
    let to = to.parse().map_err(|e: ParseError| problem(e.to_string(), None))?;
    let read = |e| Error::io("read a file to pack", e);
    let size_bytes = sys::fs::metadata(path).map_err(read)?.len();
    let source = Source::File { path: path.to_owned(), size_bytes };
    let executable = sys::fs::is_executable(path).map_err(read)?;
    let file = PackageFile { executable, content: Content::Bytes(source) };
    package::add(files, to, file).map_err(|found| problem(found.message, found.help))
}
