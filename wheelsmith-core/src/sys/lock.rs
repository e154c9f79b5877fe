//! File locks: one writer at a time.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;
use std::time::Duration;

use super::Cancel;

/// Lock on a file, held until dropped. The system releases it when a process dies, so
/// there are no stale locks; the empty file remains.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Result of [`Lock::try_acquire`].
#[derive(Debug)]
pub enum Locked {
    /// This process holds the lock.
    Ours(Lock),
    /// Another process holds it.
    Busy,
}

impl Lock {
    /// Tries once to acquire the lock.
    pub fn try_acquire(path: &Path) -> io::Result<Locked> {
        let file = open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Locked::Ours(Self { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(Locked::Busy),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Waits for a shared lock: several processes may hold one, and none while another holds the
    /// exclusive lock. Returns `None` if the user cancels the operation first.
    pub fn acquire_shared(path: &Path, cancel: &Cancel) -> io::Result<Option<Self>> {
        let file = open(path)?;
        while !cancel.is_cancelled() {
            match file.try_lock_shared() {
                Ok(()) => return Ok(Some(Self { _file: file })),
                Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(50)),
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Waits for the lock. Returns `None` if the user cancels the operation first.
    pub fn acquire(path: &Path, cancel: &Cancel) -> io::Result<Option<Self>> {
        while !cancel.is_cancelled() {
            if let Locked::Ours(lock) = Self::try_acquire(path)? {
                return Ok(Some(lock));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(None)
    }
}

fn open(path: &Path) -> io::Result<File> {
    if let Some(parent) = path.parent() {
        super::fs::create_dir_all(parent)?;
    }
    let options = fs_err::OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(path)?;
    Ok(options.into_file())
}
