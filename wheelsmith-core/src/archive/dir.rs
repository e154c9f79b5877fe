//! Lists the files below a directory.

use std::path::{Path, PathBuf};

use super::members::{Collector, Location, Stated};
use super::safe_path::safe_path;
use super::{Error, Limits};
use crate::finding::{Code, Finding};
use crate::sys;

/// Adds the files below `root` to `collector`. A link to a file inside `root` is a file with its
/// own name, and so is a link to a wheel anywhere, as build tools leave them. Links to directories
/// are not followed, because their files are listed already.
pub(crate) fn list(
    root: &Path,
    limits: &Limits,
    collector: &mut Collector<'_>,
) -> Result<(), Error> {
    let root = sys::fs::canonicalize(root).map_err(|e| Error::read(root, e))?;
    let mut open: Vec<(PathBuf, Vec<u8>)> = vec![(root.clone(), Vec::new())];
    while let Some((dir, prefix)) = open.pop() {
        for path in sys::fs::list(&dir).map_err(|e| Error::read(&dir, e))? {
            if !collector.count() {
                return Ok(());
            }
            let mut name = prefix.clone();
            name.extend(path.file_name().unwrap_or_default().as_encoded_bytes());
            let kind = sys::fs::symlink_metadata(&path).map_err(|e| Error::read(&path, e))?;
            if kind.is_dir() {
                name.push(b'/');
                if name.len() > limits.path_bytes {
                    let (dir, _) = safe_path(&name[..limits.path_bytes]);
                    let message = "its path is longer than any real one";
                    collector.note(Finding::new(Code::OverLimit, &dir, message));
                } else {
                    open.push((path, name));
                }
                continue;
            }
            let mut place = path;
            let mut metadata = kind;
            let mut link = None;
            if metadata.is_symlink() {
                let target = sys::fs::canonicalize(&place).ok();
                let is_inside = |target: &PathBuf| target.starts_with(&root);
                if has_wheel_name(&place) && !target.as_ref().is_some_and(is_inside) {
                    let size_bytes = sys::fs::metadata(&place).map_or(0, |target| target.len());
                    let packed_bytes = size_bytes;
                    let stated = Stated {
                        name: &name,
                        size_bytes,
                        packed_bytes,
                        executable: false,
                        link: None,
                    };
                    // A link that leads nowhere cannot be opened, which is reported.
                    let location = Location::File(target.unwrap_or(place));
                    if !collector.add(&stated, location) {
                        return Ok(());
                    }
                    continue;
                }
                let Some(target) = target.filter(is_inside) else {
                    let (path, _) = safe_path(&name);
                    let message = "it is a link that leads out of the directory, or nowhere";
                    collector.note(Finding::new(Code::NotJudged, &path, message));
                    continue;
                };
                metadata = sys::fs::metadata(&target).map_err(|e| Error::read(&target, e))?;
                let parts: Vec<&[u8]> = target
                    .strip_prefix(&root)
                    .into_iter()
                    .flat_map(Path::components)
                    .map(|part| part.as_os_str().as_encoded_bytes())
                    .collect();
                link = Some(safe_path(&parts.join(&b'/')).0);
                place = target;
            }
            // Pipes and devices have no content to judge, and reading them may never end.
            if !metadata.is_file() {
                continue;
            }
            let executable = sys::fs::is_executable(&place).map_err(|e| Error::read(&place, e))?;
            let (size_bytes, packed_bytes) = (metadata.len(), metadata.len());
            let stated = Stated { name: &name, size_bytes, packed_bytes, executable, link };
            if !collector.add(&stated, Location::File(place)) {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// True if the name of a file ends in `.whl`.
pub(crate) fn has_wheel_name(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("whl"))
}
