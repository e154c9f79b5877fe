//! Many files, each whole or absent.
#![allow(clippy::disallowed_methods, reason = "this is the door")]

use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::fs::{UNFINISHED, sweep};
use crate::name::Digest;

/// A directory in which files are written before they get their names in the same file system. Who
/// has one holds the lock under which it is used.
///
/// Against a killed process a file is whole or absent; against a machine that loses its power, only
/// one that is written as durable is: each costs a turn of the disk.
#[derive(Debug)]
pub struct Staging {
    dir: PathBuf,
    next: u64,
    /// How many more changes to the disk succeed: the tests' way to kill us.
    #[cfg(test)]
    pub(crate) lives: Option<u32>,
}

impl Staging {
    /// Opens `dir`, and removes what a killed process left there.
    ///
    /// # Errors
    /// When it can be neither made nor read.
    pub fn open(dir: &Path) -> io::Result<Self> {
        fs_err::create_dir_all(dir)?;
        sweep(dir)?;
        Ok(Self {
            dir: dir.to_owned(),
            next: 0,
            #[cfg(test)]
            lives: None,
        })
    }

    /// Writes `bytes` to `path`, whose directory must be there.
    ///
    /// # Errors
    /// When the disk does not take them; `path` is as it was then.
    pub fn put(&mut self, path: &Path, bytes: &[u8], durable: bool) -> io::Result<()> {
        let (temporary, mut file) = self.create()?;
        file.write_all(bytes)?;
        if durable {
            file.sync_all()?;
        }
        drop(file);
        self.rename(&temporary, path)
    }

    /// Copies `from` to `path`, whose directory must be there, if `accept` takes the digest and size
    /// of what was copied; says whether it did.
    ///
    /// # Errors
    /// When one cannot be read or the other not be written; `path` is as it was then.
    pub fn copy(
        &mut self,
        from: &Path,
        path: &Path,
        accept: impl FnOnce(&Digest, u64) -> bool,
    ) -> io::Result<bool> {
        let mut source = fs_err::File::open(from)?;
        let (temporary, mut file) = self.create()?;
        let mut hasher = Sha256::new();
        let mut buffer = vec![0; 1 << 16];
        let mut size = 0;
        loop {
            let n = source.read(&mut buffer)?;
            if n == 0 {
                break;
            }
            hasher.update(&buffer[..n]);
            file.write_all(&buffer[..n])?;
            size += n as u64;
        }
        drop(file);
        if !accept(&Digest::from_bytes(hasher.finalize().into()), size) {
            fs_err::remove_file(&temporary)?;
            return Ok(false);
        }
        self.rename(&temporary, path)?;
        Ok(true)
    }

    /// Makes a directory with its parents.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn make_dir(&mut self, path: &Path) -> io::Result<()> {
        self.step()?;
        fs_err::create_dir_all(path)
    }

    /// Removes a file; one that is not there is no error.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn remove(&mut self, path: &Path) -> io::Result<()> {
        self.step()?;
        match fs_err::remove_file(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            result => result,
        }
    }

    /// Removes a directory if it is empty.
    ///
    /// # Errors
    /// When it could not be looked at.
    pub fn remove_dir(&mut self, path: &Path) -> io::Result<()> {
        self.step()?;
        match fs_err::remove_dir(path) {
            Err(error) => match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::DirectoryNotEmpty => Ok(()),
                _ => Err(error),
            },
            Ok(()) => Ok(()),
        }
    }

    fn create(&mut self) -> io::Result<(PathBuf, fs_err::File)> {
        self.step()?;
        let path = self.dir.join(format!("{UNFINISHED}{}", self.next));
        self.next += 1;
        // What others may read follows from the umask, as for every file that a program writes.
        let file = fs_err::OpenOptions::new().write(true).create_new(true).open(&path)?;
        Ok((path, file))
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        self.step()?;
        fs_err::rename(from, to)
    }

    #[cfg(test)]
    fn step(&mut self) -> io::Result<()> {
        match &mut self.lives {
            Some(0) => Err(io::Error::other("killed")),
            Some(lives) => {
                *lives -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    #[cfg(not(test))]
    #[allow(clippy::unnecessary_wraps, clippy::unused_self, reason = "tests have more here")]
    fn step(&mut self) -> io::Result<()> {
        Ok(())
    }
}
