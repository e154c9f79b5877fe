//! Files and directories that are created completely or not at all, and temporary ones.
#![allow(clippy::disallowed_methods, reason = "sys is the module that reads and writes files")]

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::fs::{
    TEMPORARY, create_dir_all, is_executable, metadata, read, remove_dir_all, remove_file, rename,
    set_executable,
};

/// Start of the names of unfinished files. [`sweep`] removes those of killed processes.
pub(super) const UNFINISHED: &str = ".wheelsmith-unfinished-";

/// Writes a file completely or not at all: to a temporary file beside it, then fsync and rename. A
/// file that already contains these bytes is not written. Returns true if it wrote.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> io::Result<bool> {
    if has_content(path, bytes) {
        return Ok(false);
    }
    let mut unfinished = Unfinished::create(path)?;
    unfinished.file().write_all(bytes).map_err(|error| at("write", path, &error))?;
    unfinished.finish()?;
    Ok(true)
}

/// Like [`write_atomic`], for a program: it has mode 0755 as soon as it exists under its name,
/// because another process may run it at once.
pub fn write_program(path: &Path, bytes: &[u8]) -> io::Result<bool> {
    if has_content(path, bytes) && is_executable(path)? {
        return Ok(false);
    }
    let mut unfinished = Unfinished::create(path)?;
    unfinished.file().write_all(bytes).map_err(|error| at("write", path, &error))?;
    set_executable(unfinished.temporary.path(), true)?;
    unfinished.finish()?;
    Ok(true)
}

/// Writes the concatenation of `parts` to a file atomically. The file may be lost or damaged if the
/// machine stops: for caches.
pub fn write_whole(path: &Path, parts: &[&[u8]]) -> io::Result<()> {
    let mut unfinished = Unfinished::create(path)?;
    for part in parts {
        unfinished.file().write_all(part).map_err(|error| at("write", path, &error))?;
    }
    unfinished.temporary.persist(path).map_err(|error| at("write", path, &error.error))?;
    Ok(())
}

fn has_content(path: &Path, bytes: &[u8]) -> bool {
    metadata(path).is_ok_and(|m| m.len() == bytes.len() as u64)
        && read(path).is_ok_and(|old| old == bytes)
}

/// File that gets its name when [`Unfinished::finish`] is called, and is removed if dropped before.
#[derive(Debug)]
pub struct Unfinished {
    temporary: NamedTempFile,
    path: PathBuf,
}

impl Unfinished {
    /// Creates the file that becomes `path`, and its directory.
    pub fn create(path: &Path) -> io::Result<Self> {
        let dir = match path.parent() {
            Some(dir) if !dir.as_os_str().is_empty() => dir,
            _ => Path::new("."),
        };
        Self::create_in(dir, path)
    }

    /// Creates the file in `dir`, which is on the same file system as `path`, and `dir`.
    pub fn create_in(dir: &Path, path: &Path) -> io::Result<Self> {
        create_dir_all(dir)?;
        let mut builder = tempfile::Builder::new();
        let prefix = super::owner::prefix(UNFINISHED);
        builder.prefix(&prefix);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            builder.permissions(std::fs::Permissions::from_mode(0o644));
        }
        let temporary = builder.tempfile_in(dir).map_err(|e| at("create a file in", dir, &e))?;
        Ok(Self { temporary, path: path.to_owned() })
    }

    /// Returns the file to write to.
    pub fn file(&mut self) -> &mut std::fs::File {
        self.temporary.as_file_mut()
    }

    /// Returns its temporary path.
    pub fn path(&self) -> &Path {
        self.temporary.path()
    }

    /// Writes the file to disk and renames it, replacing a file of that name.
    pub fn finish(self) -> io::Result<()> {
        let Self { temporary, path } = self;
        temporary.as_file().sync_all().map_err(|error| at("write", &path, &error))?;
        temporary.persist(&path).map_err(|error| at("write", &path, &error.error))?;
        Ok(())
    }

    /// Like [`Unfinished::finish`], for a file that can be made again: it may be lost or damaged if the
    /// machine stops.
    pub fn finish_unsynced(self) -> io::Result<()> {
        let Self { temporary, path } = self;
        temporary.persist(&path).map_err(|error| at("write", &path, &error.error))?;
        Ok(())
    }

    /// Writes the file to disk and gives it its name, unless a file of that name exists. Of several
    /// processes exactly one succeeds. Returns true if this one did.
    pub fn finish_new(self) -> io::Result<bool> {
        let Self { temporary, path } = self;
        temporary.as_file().sync_all().map_err(|error| at("write", &path, &error))?;
        match fs_err::hard_link(temporary.path(), &path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// Directory that gets its name when [`UnfinishedDir::finish`] is called, and is removed if dropped
/// before.
#[derive(Debug)]
pub struct UnfinishedDir {
    temporary: tempfile::TempDir,
    path: PathBuf,
}

impl UnfinishedDir {
    /// Creates the directory that becomes `path`, and its parent.
    pub fn create(path: &Path) -> io::Result<Self> {
        let parent = path.parent().unwrap_or(Path::new("."));
        create_dir_all(parent)?;
        let temporary = tempfile::Builder::new()
            .prefix(&super::owner::prefix(UNFINISHED))
            .tempdir_in(parent)
            .map_err(|error| at("create a directory in", parent, &error))?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            fs_err::set_permissions(temporary.path(), std::fs::Permissions::from_mode(0o755))?;
        }
        Ok(Self { temporary, path: path.to_owned() })
    }

    /// Returns its temporary path.
    pub fn path(&self) -> &Path {
        self.temporary.path()
    }

    /// Renames the directory, replacing one of that name.
    pub fn finish(self) -> io::Result<()> {
        let Self { temporary, path } = self;
        if path.exists() {
            remove_dir_all(&path)?;
        }
        let from = temporary.keep();
        rename(&from, &path).inspect_err(|_| {
            let _ = remove_dir_all(&from);
        })
    }
}

/// Removes the unfinished files of killed processes in `dir`; those of running processes are kept.
///
/// # Errors
/// Returns an error if one cannot be removed.
pub fn sweep(dir: &Path) -> io::Result<()> {
    remove_abandoned(dir, UNFINISHED)
}

/// Removes entries of `dir` that begin with `start` and belong to no running process.
fn remove_abandoned(dir: &Path, start: &str) -> io::Result<()> {
    let Ok(entries) = fs_err::read_dir(dir) else { return Ok(()) };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let Some(name) = name.to_str().filter(|name| name.starts_with(start)) else { continue };
        let written = entry.metadata().and_then(|metadata| metadata.modified());
        let age = written.ok().and_then(|written| written.elapsed().ok()).unwrap_or_default();
        if !super::owner::is_abandoned(&name[start.len()..], age) {
            continue;
        }
        let result = if entry.file_type()?.is_dir() {
            remove_dir_all(entry.path())
        } else {
            remove_file(entry.path())
        };
        match result {
            // Another process may have removed it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            result => result?,
        }
    }
    Ok(())
}

/// Creates a temporary directory, which is removed with the value. The first call of a process
/// removes those of killed processes.
///
/// # Errors
/// Returns an error if it cannot be created.
pub fn temp_dir() -> io::Result<tempfile::TempDir> {
    static SWEPT: std::sync::Once = std::sync::Once::new();
    SWEPT.call_once(|| {
        // Other users share the directory, and their entries cannot be removed.
        let _ = remove_abandoned(&std::env::temp_dir(), TEMPORARY);
    });
    tempfile::Builder::new().prefix(&super::owner::prefix(TEMPORARY)).tempdir()
}

/// Creates a directory below `dir`, which is removed with the value.
///
/// # Errors
/// Returns an error if it cannot be created.
pub fn temp_dir_in(dir: &Path) -> io::Result<tempfile::TempDir> {
    create_dir_all(dir)?;
    tempfile::Builder::new()
        .prefix(&super::owner::prefix(UNFINISHED))
        .tempdir_in(dir)
        .map_err(|e| at("create a directory in", dir, &e))
}

fn at(verb: &str, path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot {verb} `{}`: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::Digest;
    use crate::sys::fs::{digest, walk, write};

    #[test]
    fn unfinished_files_leave_nothing() {
        let dir = temp_dir().unwrap();
        let path = dir.path().join("a/b");
        drop(Unfinished::create(&path).unwrap());
        drop(UnfinishedDir::create(&dir.path().join("c")).unwrap());
        assert_eq!(walk(dir.path()).unwrap(), []);
        assert!(write_atomic(&path, b"one").unwrap());
        assert!(!write_atomic(&path, b"one").unwrap());
        assert!(write_atomic(&path, b"two").unwrap());
        assert_eq!(digest(&path).unwrap(), (Digest::of(b"two"), 3));
    }

    /// A child is killed while it has unfinished files. The next process removes them, and keeps
    /// those of a running one.
    #[test]
    #[cfg(target_os = "linux")]
    fn what_a_killed_process_left_is_swept() {
        let dir = temp_dir().unwrap();
        let place = |start: &str, owner: &str| dir.path().join(format!("{start}{owner}xyz"));
        #[allow(clippy::disallowed_methods, reason = "a process to kill")]
        let mut child = std::process::Command::new("sleep").arg("1000").spawn().unwrap();
        let theirs = super::super::owner::prefix_of(child.id(), "");
        let ours = super::super::owner::prefix("");
        for start in [UNFINISHED, TEMPORARY] {
            let [of_child, of_us] = [&theirs, &ours].map(|owner| place(start, owner));
            create_dir_all(of_child.join("d")).unwrap();
            write(of_child.join("d/file"), b"").unwrap();
            write(&of_us, b"").unwrap();
            remove_abandoned(dir.path(), start).unwrap();
            assert!(of_child.exists() && of_us.exists(), "both run");
        }
        child.kill().unwrap();
        child.wait().unwrap();
        for start in [UNFINISHED, TEMPORARY] {
            remove_abandoned(dir.path(), start).unwrap();
            assert!(!place(start, &theirs).exists() && place(start, &ours).exists());
        }
        sweep(&dir.path().join("nothing")).unwrap();
    }
}
