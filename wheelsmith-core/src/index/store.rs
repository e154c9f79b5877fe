//! Directory of distributions, sorted by digest.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use super::layout::stored_in;
use super::{Distribution, Error, State};
use crate::sys::{self, Staging};

/// Puts a distribution, its metadata and its provenance into `store`. Files that are already right
/// stay.
pub(super) fn put(
    store: &Path,
    staging: &mut Staging,
    distribution: &Distribution,
) -> Result<(), Error> {
    let dir = store.join(stored_in(&distribution.sha256));
    let path = dir.join(distribution.name.to_string());
    let Distribution { sha256, size_bytes, .. } = distribution;
    if !dir.is_dir() {
        staging.make_dir(&dir).map_err(|e| Error::write(&dir, e))?;
    }
    let beside = |suffix: &str| {
        let mut name = path.clone().into_os_string();
        name.push(suffix);
        PathBuf::from(name)
    };
    for (suffix, bytes) in
        [(".metadata", &distribution.metadata), (".provenance", &distribution.provenance)]
    {
        let place = beside(suffix);
        if let Some(bytes) = bytes
            && !sys::fs::read(&place).is_ok_and(|old| old == *bytes)
        {
            staging.put(&place, bytes, false).map_err(|e| Error::write(&place, e))?;
        }
    }
    let is_there = sys::fs::metadata(&path).is_ok_and(|m| m.len() == *size_bytes)
        && sys::fs::digest(&path).is_ok_and(|(old, _)| old == *sha256);
    if is_there {
        return Ok(());
    }
    let accept = |copied: &_, size| (copied, size) == (sha256, *size_bytes);
    let copied = staging.copy(&distribution.path, &path, accept);
    if copied.map_err(|e| Error::write(&path, e))? {
        Ok(())
    } else {
        Err(Error::corrupt(&distribution.path, "another process changed it while it was read"))
    }
}

/// Returns the expected content of a store: file names by directory.
pub(super) fn wanted(state: &State) -> BTreeMap<String, BTreeSet<String>> {
    let mut wanted: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, file) in state.files().filter(|(_, file)| file.url.is_none()) {
        let names = wanted.entry(stored_in(&file.sha256)).or_default();
        names.insert(name.to_owned());
        for (suffix, digest) in
            [("metadata", &file.metadata_sha256), ("provenance", &file.provenance_sha256)]
        {
            if digest.is_some() {
                names.insert(format!("{name}.{suffix}"));
            }
        }
    }
    wanted
}

/// Returns the content of a store that is in no state: directories, and with `deep` files too.
pub(super) fn strays(store: &Path, state: &State, deep: bool) -> Result<Vec<PathBuf>, Error> {
    let read = |e| Error::read(store, e);
    if !store.is_dir() {
        return Ok(Vec::new());
    }
    let used: HashSet<&[u8]> = (state.files())
        .filter(|(_, file)| file.url.is_none())
        .map(|(_, file)| &file.sha256.as_bytes()[..8])
        .collect();
    let wanted = if deep { wanted(state) } else { BTreeMap::new() };
    let mut strays = Vec::new();
    for name in sys::fs::dir_names(store).map_err(read)? {
        let Some(digest) = digest_of(&name) else { continue };
        let dir = store.join(&name);
        let names = wanted.get(&name);
        if deep || !used.contains(&digest[..]) {
            let is_stray = |path: &PathBuf| {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                names.is_none_or(|names| !names.contains(&*name))
            };
            let files = sys::fs::list(&dir).map_err(read)?;
            strays.extend(files.into_iter().filter(is_stray));
        }
    }
    Ok(strays)
}

/// Removes strays, and their directories if those are empty.
pub(super) fn prune(
    store: &Path,
    staging: &mut Staging,
    state: &State,
    deep: bool,
) -> Result<(), Error> {
    for path in strays(store, state, deep)? {
        staging.remove(&path).map_err(|e| Error::write(&path, e))?;
        if let Some(dir) = path.parent() {
            staging.remove_dir(dir).map_err(|e| Error::write(dir, e))?;
        }
    }
    Ok(())
}

/// Returns the first bytes of the digest in a directory name of [`stored_in`].
fn digest_of(name: &str) -> Option<[u8; 8]> {
    let is_ours = name.len() == 16 && name.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    is_ours.then(|| u64::from_str_radix(name, 16).ok()).flatten().map(u64::to_be_bytes)
}
