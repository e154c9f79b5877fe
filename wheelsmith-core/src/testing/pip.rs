//! Copies pip out of a Python into a directory of its own.
//!
//! From there it sees no other package of that Python. It is also compiled once instead of in every
//! cell, which takes most of a cell's time under an emulator.

use std::path::{Path, PathBuf};

use super::Error;
use super::files::unpack;
use crate::name::Digest;
use crate::sys::{self, Host, Lock};

/// Returns the directory of the copy in the cache; `pip` itself if there is no cache.
///
/// # Errors
/// It cannot be read or written.
pub(super) fn alone(pip: &Path, host: &Host) -> Result<PathBuf, Error> {
    let Some(cache) = host.env.cache_dir().map(|cache| cache.join("pips")) else {
        return Ok(pip.to_owned());
    };
    let Some(home) = pip.parent() else { return Ok(pip.to_owned()) };
    let is_wheel = home.is_file();
    let mark = || -> std::io::Result<Digest> {
        if is_wheel {
            return Ok(sys::fs::digest(home)?.0);
        }
        // The version of pip identifies the content of a Python's directory.
        let version = sys::fs::read(pip.join("__init__.py"))?;
        Ok(Digest::of([pip.to_string_lossy().as_bytes(), &version].concat()))
    };
    let mark = mark().map_err(Error::io("read the pip of a Python"))?;
    let place = cache.join(&mark.to_string()[..32]);
    let lock = Lock::acquire(&cache.join("lock"), &host.cancel);
    let lock = lock.map_err(Error::io("lock the cache of pips"))?;
    let _lock = lock.ok_or(Error::Cancelled)?;
    if !place.is_dir() {
        let made = sys::fs::UnfinishedDir::create(&place).map_err(Error::io("unpack pip"))?;
        if is_wheel {
            unpack(home, made.path())?;
        } else {
            copy(pip, &made.path().join("pip")).map_err(Error::io("copy pip"))?;
        }
        made.finish().map_err(Error::io("unpack pip"))?;
    }
    Ok(place.join("pip"))
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    for file in sys::fs::walk(from)? {
        if file.path.extension().is_some_and(|extension| extension == "pyc") {
            continue;
        }
        let target = to.join(&file.relative);
        if let Some(parent) = target.parent() {
            sys::fs::create_dir_all(parent)?;
        }
        sys::fs::copy(&file.path, target)?;
    }
    Ok(())
}
