//! Many files, each whole or absent.
#![allow(clippy::disallowed_methods, reason = "this is the door")]

use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::Stamp;
use super::fs::UNFINISHED;
use crate::name::Digest;

/// Writes files beside their places and then gives them their names. Who has one holds the lock under
/// which the files are written.
///
/// A killed process leaves at most one file that is not whole, under a name that follows from its
/// place: to write there again takes it away, and so does [`Staging::clean`].
///
/// Against a killed process a file is whole or absent; against a machine that loses its power, only
/// one that is written as durable is: each costs a turn of the disk.
#[derive(Debug, Default)]
pub struct Staging {
    /// How many more changes to the disk succeed: the tests' way to kill us.
    #[cfg(test)]
    pub(crate) lives: Option<u32>,
}

impl Staging {
    /// Removes what a killed process left of the file at `path`.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn clean(&mut self, path: &Path) -> io::Result<()> {
        let unfinished = unfinished(path)?;
        if unfinished.symlink_metadata().is_ok() { self.remove(&unfinished) } else { Ok(()) }
    }

    /// Writes `bytes` to `path`, whose directory must be there, and gives the stamp of the file.
    ///
    /// # Errors
    /// When the disk does not take them; `path` is as it was then.
    pub fn put(&mut self, path: &Path, bytes: &[u8], durable: bool) -> io::Result<Stamp> {
        let (temporary, mut file) = self.create(path)?;
        file.write_all(bytes)?;
        if durable {
            file.sync_all()?;
        }
        let stamp = Stamp::from(&file.metadata()?);
        drop(file);
        self.rename(&temporary, path)?;
        Ok(stamp)
    }

    /// Writes `bytes` to `path`, in a directory that nobody looks into before it is whole and gets
    /// its name by [`Staging::rename`].
    ///
    /// # Errors
    /// When the disk does not take them.
    pub fn write(&mut self, path: &Path, bytes: &[u8]) -> io::Result<Stamp> {
        self.step()?;
        let mut file = fs_err::File::create(path)?;
        file.write_all(bytes)?;
        Ok(Stamp::from(&file.metadata()?))
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
        let (temporary, mut file) = self.create(path)?;
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

    /// Removes a directory with all that is in it; one that is not there is no error.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn remove_tree(&mut self, path: &Path) -> io::Result<()> {
        self.step()?;
        match fs_err::remove_dir_all(path) {
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

    /// Gives a file or directory its name.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        self.step()?;
        fs_err::rename(from, to)
    }

    fn create(&mut self, path: &Path) -> io::Result<(PathBuf, fs_err::File)> {
        self.step()?;
        let temporary = unfinished(path)?;
        // What others may read follows from the umask, as for every file that a program writes.
        let mut options = fs_err::OpenOptions::new();
        let file = options.write(true).create(true).truncate(true).open(&temporary)?;
        Ok((temporary, file))
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

/// What a file is called before it is whole.
fn unfinished(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| io::Error::other("the file has no name"))?;
    Ok(path.with_file_name(format!("{UNFINISHED}{name}")))
}
