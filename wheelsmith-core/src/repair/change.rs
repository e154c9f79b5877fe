//! Executes a plan on the entries of a wheel.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use super::{Error, Graft, MovedScript, RepairPlan, launcher};
use crate::audit::NativeFile;
use crate::name::{Digest, WheelPath};
use crate::patch::{self, buffer};
use crate::sys;
use crate::wheel::{Entry, Source};

/// Options of the execution.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ChangeOptions<'a> {
    /// True if symbols for debuggers are removed.
    pub(super) strip: bool,
    /// Directory for large files; if `None`, they stay in memory until the wheel is written.
    pub(super) scratch: Option<&'a Path>,
}

/// Size from which files are stored in the scratch directory, in bytes.
const LARGEST_IN_MEMORY: usize = 1 << 20;

/// Executes `plan` on the entries of a wheel of the project `name`.
pub(super) fn change(
    entries: &mut BTreeMap<WheelPath, Entry>,
    name: &str,
    plan: &RepairPlan,
    files: &[NativeFile],
    options: &ChangeOptions<'_>,
) -> Result<(), Error> {
    for Graft { into, source, .. } in &plan.grafts {
        let new = edited(read_file(source)?, into, plan, options.strip)?;
        // As linkers write libraries: the mode on this machine depends on who installed the library.
        options.put(entries, into, new.bytes, true)?;
    }
    let is_grafted = |path: &WheelPath| plan.grafts.iter().any(|graft| graft.into == *path);
    let changed = files.iter().map(|file| &file.path);
    let changed = changed.filter(|path| plan.edits.contains_key(*path) || options.strip);
    for path in changed.filter(|path| !is_grafted(path)) {
        let Some(entry) = entries.get(path) else { continue };
        let executable = entry.executable;
        let new = edited(bytes(entry)?, path, plan, options.strip)?;
        if new.is_changed {
            options.put(entries, path, new.bytes, executable)?;
        }
    }
    for MovedScript { from, to } in &plan.scripts {
        let Some(mut entry) = entries.remove(from) else { continue };
        entry.path = to.clone();
        entries.insert(to.clone(), entry);
        let text = launcher::script(name, to.as_str());
        put(entries, from, text.into_bytes(), true);
    }
    for (path, hook) in &plan.hooks {
        let old = match entries.get(path) {
            Some(entry) => bytes(entry)?,
            None => Vec::new(),
        };
        let new = patch::hook::insert(&old, hook.depth, &plan.libraries)
            .map_err(|source| Error::Patch { file: path.clone(), source })?;
        put(entries, path, new, false);
    }
    Ok(())
}

fn put(
    entries: &mut BTreeMap<WheelPath, Entry>,
    path: &WheelPath,
    bytes: Vec<u8>,
    executable: bool,
) {
    let entry = Entry { executable, ..Entry::bytes(path.clone(), bytes) };
    entries.insert(path.clone(), entry);
}

impl ChangeOptions<'_> {
    /// Stores a changed file, on disk if it is large.
    fn put(
        &self,
        entries: &mut BTreeMap<WheelPath, Entry>,
        path: &WheelPath,
        bytes: Vec<u8>,
        executable: bool,
    ) -> Result<(), Error> {
        let Some(dir) = self.scratch.filter(|_| bytes.len() > LARGEST_IN_MEMORY) else {
            put(entries, path, bytes, executable);
            return Ok(());
        };
        // Files of the wheel itself have numbers as names in that directory.
        let file: PathBuf = dir.join(format!("changed-{}", Digest::of(path.as_str()).short()));
        let size_bytes = bytes.len() as u64;
        let written = sys::fs::create(&file).and_then(|mut out| out.write_all(&bytes));
        written.map_err(Error::Scratch)?;
        let source = Source::File { path: file, size_bytes };
        entries.insert(path.clone(), Entry { path: path.clone(), executable, source });
        Ok(())
    }
}

/// File after its edit.
struct Edited {
    bytes: Vec<u8>,
    is_changed: bool,
}

/// Strips and edits a file. At most two copies of it are in memory at once.
fn edited(
    bytes: Vec<u8>,
    path: &WheelPath,
    plan: &RepairPlan,
    strip: bool,
) -> Result<Edited, Error> {
    let error = |source| Error::Patch { file: path.clone(), source };
    let mut edited = Edited { bytes, is_changed: false };
    let replace = |edited: &mut Edited, new: Vec<u8>| {
        edited.is_changed |= new != edited.bytes;
        edited.bytes = new;
    };
    if strip {
        // Strip before the names change: other strip tools do not support edited files.
        let new = patch::strip(&edited.bytes).map_err(error)?;
        replace(&mut edited, new);
    }
    if let Some(edit) = plan.edits.get(path) {
        let new = patch::apply(&edited.bytes, edit).map_err(error)?;
        replace(&mut edited, new);
    }
    Ok(edited)
}

fn bytes(entry: &Entry) -> Result<Vec<u8>, Error> {
    match &entry.source {
        Source::File { path, .. } => read_file(path),
        Source::Bytes(_) | Source::Packed(_) => {
            let path = || entry.path.as_str().into();
            entry.load().map_err(|source| Error::Read { path: path(), source })
        }
    }
}

/// Reads a whole file into a buffer that takes no memory once it is freed.
fn read_file(path: &Path) -> Result<Vec<u8>, Error> {
    let read = || {
        let mut file = sys::fs::open(path)?;
        let size = usize::try_from(file.metadata()?.len()).unwrap_or_default();
        let mut bytes = buffer::with_capacity(size);
        file.read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    read().map_err(|source| Error::Read { path: path.to_owned(), source })
}
