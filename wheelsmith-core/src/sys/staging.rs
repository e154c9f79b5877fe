//! Writes many files, each of which is complete or absent.
#![allow(clippy::disallowed_methods, reason = "this is the door")]

use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::Stamp;
use super::unfinished::UNFINISHED;
use crate::name::Digest;

/// Writer that writes files under temporary names and renames them. The caller holds a lock on the
/// files.
///
/// A killed process leaves at most one incomplete file, under a name that follows from its final
/// name; the next write there replaces it, and [`Staging::clean`] removes it.
///
/// If a process is killed, every file is complete or absent. If the machine loses power, only
/// durable files are; each of them costs a write to disk.
#[derive(Debug, Default)]
pub struct Staging {
    /// Number of changes after which tests simulate a killed process.
    #[cfg(test)]
    pub(crate) lives: Option<u32>,
}

impl Staging {
    /// Removes the incomplete file that a killed process left for `path`.
    ///
    /// # Errors
    /// Returns an error if it cannot be removed.
    pub fn clean(&mut self, path: &Path) -> io::Result<()> {
        let unfinished = unfinished(path)?;
        if unfinished.symlink_metadata().is_ok() { self.remove(&unfinished) } else { Ok(()) }
    }

    /// Writes `bytes` to `path`, whose directory must exist, and returns the stamp of the file.
    ///
    /// # Errors
    /// Returns an error if they cannot be written; `path` is unchanged then.
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

    /// Writes `bytes` to `path`, in a directory that others read only after [`Staging::rename`].
    ///
    /// # Errors
    /// Returns an error if they cannot be written.
    pub fn write(&mut self, path: &Path, bytes: &[u8]) -> io::Result<Stamp> {
        self.step()?;
        let mut file = fs_err::File::create(path)?;
        file.write_all(bytes)?;
        Ok(Stamp::from(&file.metadata()?))
    }

    /// Copies `from` to `path`, whose directory must exist, if `accept` returns true for digest and
    /// size of the copied bytes. Returns true if it did.
    ///
    /// # Errors
    /// Returns an error if one cannot be read or the other cannot be written; `path` is unchanged
    /// then.
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

    /// Creates a directory and its parents.
    ///
    /// # Errors
    /// Returns an error if it cannot be created.
    pub fn make_dir(&mut self, path: &Path) -> io::Result<()> {
        self.step()?;
        fs_err::create_dir_all(path)
    }

    /// Removes a file, if it exists.
    ///
    /// # Errors
    /// Returns an error if it cannot be removed.
    pub fn remove(&mut self, path: &Path) -> io::Result<()> {
        self.step()?;
        match fs_err::remove_file(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            result => result,
        }
    }

    /// Removes a directory and its content, if it exists.
    ///
    /// # Errors
    /// Returns an error if it cannot be removed.
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
    /// Returns an error if it cannot be read.
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

    /// Renames a file or directory.
    ///
    /// # Errors
    /// Returns an error if the system refuses.
    pub fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        self.step()?;
        fs_err::rename(from, to)
    }

    fn create(&mut self, path: &Path) -> io::Result<(PathBuf, fs_err::File)> {
        self.step()?;
        let temporary = unfinished(path)?;
        // The umask determines the permissions, as for all files that a program writes.
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

/// Returns the temporary name of a file.
fn unfinished(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| io::Error::other("the file has no name"))?;
    Ok(path.with_file_name(format!("{UNFINISHED}{name}")))
}
