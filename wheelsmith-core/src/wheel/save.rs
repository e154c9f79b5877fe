//! A wheel to a file that appears whole or not at all.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use super::{Chunks, Compression, EntryTime, Error, Options, Wheel, write};
use crate::name::Digest;
use crate::sys::{self, Host};

/// How wheels are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packing {
    /// How hard they are compressed.
    pub compression: Compression,
    /// Whether compressed pieces are looked for, and kept, in the user's cache.
    pub cache: bool,
}

impl Default for Packing {
    fn default() -> Self {
        Self { compression: Compression::default(), cache: true }
    }
}

/// A file that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeFile {
    /// Where it is.
    pub path: PathBuf,
    /// Its size.
    pub size_bytes: u64,
    /// Its digest.
    pub sha256: Digest,
}

/// Writes `wheel` beside `path` and moves it there. A file of the same bytes is left as it is. The
/// time of the entries is `SOURCE_DATE_EPOCH` where that is set.
///
/// # Errors
/// As [`write()`], and when the file cannot be created or moved. Nothing is left behind then.
pub fn save(wheel: &Wheel, path: &Path, packing: Packing, host: &Host) -> Result<MadeFile, Error> {
    save_if(wheel, path, packing, host, |_| Ok::<(), Error>(()))
}

/// As [`save`], after `judge` has seen the file in its temporary place and let it pass.
///
/// # Errors
/// As [`save`], and what `judge` says.
pub fn save_if<E: From<Error>>(
    wheel: &Wheel,
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
    let mut unfinished = sys::fs::Unfinished::create(path).map_err(Error::Write)?;
    write(wheel, unfinished.file(), &options, &host.cancel)?;
    finish(unfinished, path, judge)
}

/// Writes a file beside `path` and moves it there. A file of the same bytes is left as it is.
pub(super) fn replace(
    path: &Path,
    fill: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
) -> Result<MadeFile, Error> {
    let mut unfinished = sys::fs::Unfinished::create(path).map_err(Error::Write)?;
    let mut out = BufWriter::new(unfinished.file());
    fill(&mut out).and_then(|()| out.flush()).map_err(Error::Write)?;
    drop(out);
    finish(unfinished, path, |_| Ok(()))
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

/// Copies the wheel `from` to `path` byte for byte. An equal file is left as it is.
///
/// # Errors
/// Returns an error if `from` cannot be read or `path` cannot be written.
pub fn copy(from: &Path, path: &Path) -> Result<MadeFile, Error> {
    let io = Error::Write;
    let (sha256, size_bytes) = sys::fs::digest(from).map_err(io)?;
    if !is_there(path, size_bytes, sha256) {
        let mut unfinished = sys::fs::Unfinished::create(path).map_err(io)?;
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
