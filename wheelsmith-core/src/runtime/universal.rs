//! Merges the runtimes of several processors into a universal one.

use std::collections::BTreeMap;
use std::path::Path;

use super::{Content, Error, FileEntry, Identity, Manifest, Runtime, write};
use crate::name::{Arch, Digest, WheelPath};
use crate::patch::macho;
use crate::sys;

/// Lays the files of `slices` out in `dir`, each native one as a universal file of all of them.
/// A current directory is not written again.
///
/// Files that are the same in all of them (headers, licences, data) are included once, and so are files that only one
/// of them has.
///
/// # Errors
/// Returns an error if a file differs and cannot be fused, or cannot be read or written.
pub fn create_universal(
    identity: &Identity<'_>,
    slices: &[(Arch, &Runtime)],
    dir: &Path,
) -> Result<Runtime, Error> {
    let mut paths: BTreeMap<&WheelPath, Vec<(Arch, &Runtime, &FileEntry)>> = BTreeMap::new();
    for &(arch, runtime) in slices {
        for file in &runtime.manifest.files {
            paths.entry(&file.path).or_default().push((arch, runtime, file));
        }
    }
    let mut files = Vec::new();
    let mut contents = BTreeMap::new();
    for (path, all) in paths {
        let (_, runtime, first) = all[0];
        if all.iter().all(|(_, _, file)| file.sha256 == first.sha256) {
            files.push(first.clone());
            contents.insert(path.clone(), Content::File(runtime.path(path)));
            continue;
        }
        let mut parts = Vec::new();
        for (arch, runtime, file) in &all {
            let bytes = sys::fs::read(runtime.path(&file.path));
            parts.push((*arch, bytes.map_err(|e| Error::io("read what was built", e))?));
        }
        let parts: Vec<(Arch, &[u8])> =
            parts.iter().map(|(arch, bytes)| (*arch, bytes.as_slice())).collect();
        let merged = macho::create_universal(&parts).map_err(|source| Error::Universal {
            path: path.to_string(),
            component: first.component.clone(),
            source,
        })?;
        files.push(FileEntry {
            sha256: Digest::of(&merged),
            size_bytes: merged.len() as u64,
            native: None,
            ..first.clone()
        });
        contents.insert(path.clone(), Content::Bytes(merged));
    }
    let components = slices.first().map(|(_, runtime)| runtime.manifest.components.clone());
    let manifest = Manifest::described(identity, components.unwrap_or_default(), files);
    write(Runtime { dir: dir.to_owned(), manifest }, &contents)
}
