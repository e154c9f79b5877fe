//! Writes wheels to files atomically.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use super::{Chunks, Compression, EntryTime, Error, Options, Wheel, write};
use crate::name::Digest;
use crate::sys::{self, Host};

/// Options of compression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packing {
    /// Compression level.
    pub compression: Compression,
    /// True if the user's cache of compressed pieces is used.
    pub cache: bool,
}

impl Default for Packing {
    fn default() -> Self {
        Self { compression: Compression::default(), cache: true }
    }
}

/// Written file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeFile {
    /// Path.
    pub path: PathBuf,
    /// Size in bytes.
    pub size_bytes: u64,
    /// SHA-256 of the file.
    pub sha256: Digest,
}

/// Writes `wheel` to a temporary file beside `path` and moves it there. An existing file with the
/// same bytes is not touched. `SOURCE_DATE_EPOCH`, if set, is the timestamp of the entries.
///
/// # Errors
/// Returns the errors of [`write()`], and an error if the file cannot be created or moved. The
/// temporary file is deleted then.
pub fn save(wheel: Wheel, path: &Path, packing: Packing, host: &Host) -> Result<MadeFile, Error> {
    save_if(wheel, path, packing, host, |_| Ok::<(), Error>(()))
}

/// Like [`save`], but calls `judge` with the temporary file first, and moves it only if that
/// succeeds. `wheel` is dropped before, because both need memory when there are many files.
///
/// # Errors
/// Returns the errors of [`save`] and those of `judge`.
pub fn save_if<E: From<Error>>(
    wheel: Wheel,
    path: &Path,
    packing: Packing,
    host: &Host,
    judge: impl FnOnce(&Path) -> Result<(), E>,
) -> Result<MadeFile, E> {
    let epoch = host.env.get("SOURCE_DATE_EPOCH").and_then(|seconds| seconds.parse().ok());
    let cache = if packing.cache { Chunks::of_user(&host.env) } else { None };
    let options = Options {
        compression: packing.compression,
        time: epoch.map_or_else(EntryTime::default, EntryTime::from_epoch),
        threads: host.jobs.count(),
        cache: cache.as_ref(),
        ..Options::default()
    };
    let mut unfinished = create(path)?;
    write(&wheel, unfinished.file(), &options, &host.cancel)?;
    drop(wheel);
    finish(unfinished, path, judge)
}

/// Writes a temporary file beside `path` and moves it there. An existing file with the same bytes
/// is not touched.
pub(super) fn replace(
    path: &Path,
    fill: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
) -> Result<MadeFile, Error> {
    let mut unfinished = create(path)?;
    let mut out = BufWriter::new(unfinished.file());
    fill(&mut out).and_then(|()| out.flush()).map_err(Error::Write)?;
    drop(out);
    finish(unfinished, path, |_| Ok(()))
}

/// Creates the file that becomes `path`, and removes those of killed runs in its directory.
fn create(path: &Path) -> Result<sys::fs::Unfinished, Error> {
    let unfinished = sys::fs::Unfinished::create(path).map_err(Error::Write)?;
    if let Some(dir) = unfinished.path().parent() {
        sys::fs::sweep(dir).map_err(Error::Write)?;
    }
    Ok(unfinished)
}

fn finish<E: From<Error>>(
    unfinished: sys::fs::Unfinished,
    path: &Path,
    judge: impl FnOnce(&Path) -> Result<(), E>,
) -> Result<MadeFile, E> {
    let io = Error::Write;
    let (sha256, size_bytes) = sys::fs::digest(unfinished.path()).map_err(io)?;
    judge(unfinished.path())?;
    if !is_there(path, size_bytes, sha256) {
        unfinished.finish().map_err(io)?;
    }
    Ok(MadeFile { path: path.to_owned(), size_bytes, sha256 })
}

/// Copies the wheel `from` to `path` byte for byte. An existing file with the same bytes is not
/// touched.
///
/// # Errors
/// Returns an error if `from` cannot be read or `path` cannot be written.
pub fn copy(from: &Path, path: &Path) -> Result<MadeFile, Error> {
    let io = Error::Write;
    let (sha256, size_bytes) = sys::fs::digest(from).map_err(io)?;
    if !is_there(path, size_bytes, sha256) {
        let mut unfinished = create(path)?;
        let mut source = sys::fs::open(from).map_err(io)?;
        std::io::copy(&mut source, unfinished.file()).map_err(io)?;
        if sys::fs::digest(unfinished.path()).map_err(io)? != (sha256, size_bytes) {
            let message = format!("`{}` changed while it was being copied", from.display());
            return Err(io(std::io::Error::other(message)));
        }
        unfinished.finish().map_err(io)?;
    }
    Ok(MadeFile { path: path.to_owned(), size_bytes, sha256 })
}

/// True if `path` is a file with this size and digest.
fn is_there(path: &Path, size_bytes: u64, sha256: Digest) -> bool {
    sys::fs::metadata(path).is_ok_and(|m| m.len() == size_bytes)
        && sys::fs::digest(path).is_ok_and(|(old, _)| old == sha256)
}
