//! Files. Errors name the path; a written file is complete or absent.
#![allow(clippy::disallowed_methods, reason = "sys is the module that reads and writes files")]

use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;

use crate::name::Digest;

pub use fs_err::{
    canonicalize, copy, create_dir_all, hard_link, metadata, read, read_link, read_to_string,
    remove_dir_all, remove_file, rename, symlink_metadata, write,
};

/// Start of the names of unfinished files. [`sweep`] removes those of killed processes.
pub(super) const UNFINISHED: &str = ".wheelsmith-unfinished-";
/// Start of the names of temporary directories.
const TEMPORARY: &str = "wheelsmith-tmp-";

/// File or directory below a root.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Walked {
    /// Relative path with `/` on every host.
    pub relative: String,
    /// Its path.
    pub path: PathBuf,
}

/// Returns every regular file below `root`, sorted by relative path. Links to files are included,
/// links to directories are not followed.
pub fn walk(root: &Path) -> io::Result<Vec<Walked>> {
    let mut files = Vec::new();
    visit(root, "", &mut files)?;
    files.sort();
    Ok(files)
}

fn visit(dir: &Path, prefix: &str, files: &mut Vec<Walked>) -> io::Result<()> {
    for entry in fs_err::read_dir(dir)? {
        let entry = entry?;
        let name = utf8_name(&entry.path(), &entry.file_name())?;
        let relative = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
        let kind = entry.file_type()?;
        if kind.is_dir() {
            visit(&entry.path(), &relative, files)?;
        } else if kind.is_file() || (kind.is_symlink() && entry.path().is_file()) {
            files.push(Walked { relative, path: entry.path() });
        }
    }
    Ok(())
}

fn utf8_name(path: &Path, name: &std::ffi::OsStr) -> io::Result<String> {
    name.to_str().map(str::to_owned).ok_or_else(|| {
        let text = format!("the file name `{}` is not UTF-8", path.display());
        io::Error::new(io::ErrorKind::InvalidData, text)
    })
}

/// Kind of a directory entry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Node {
    /// A directory.
    Dir,
    /// A file.
    File {
        /// Whether it is executable.
        executable: bool,
    },
    /// A symbolic link, with its target as written.
    Link(PathBuf),
}

/// Returns every entry below `root` whose relative path `skip` does not accept, sorted by relative
/// path: directories before their entries, links not followed.
pub fn tree(root: &Path, skip: &dyn Fn(&str) -> bool) -> io::Result<Vec<(Walked, Node)>> {
    let mut nodes = Vec::new();
    grow(root, "", skip, &mut nodes)?;
    nodes.sort();
    Ok(nodes)
}

fn grow(
    dir: &Path,
    prefix: &str,
    skip: &dyn Fn(&str) -> bool,
    nodes: &mut Vec<(Walked, Node)>,
) -> io::Result<()> {
    for entry in fs_err::read_dir(dir)? {
        let entry = entry?;
        let name = utf8_name(&entry.path(), &entry.file_name())?;
        let relative = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
        if skip(&relative) {
            continue;
        }
        let path = entry.path();
        let kind = entry.file_type()?;
        let node = if kind.is_dir() {
            grow(&path, &relative, skip, nodes)?;
            Node::Dir
        } else if kind.is_symlink() {
            Node::Link(read_link(&path)?)
        } else if kind.is_file() {
            Node::File { executable: is_executable(&path)? }
        } else {
            // Sockets, devices and pipes are no sources.
            continue;
        };
        nodes.push((Walked { relative, path }, node));
    }
    Ok(())
}

/// Copies a file with its modification time, which makefiles compare. The copy is writable.
pub fn copy_with_time(from: &Path, to: &Path, executable: bool) -> io::Result<()> {
    let modified = metadata(from)?.modified()?;
    copy(from, to)?;
    set_executable(to, executable)?;
    fs_err::OpenOptions::new().write(true).open(to)?.file().set_modified(modified)
}

/// Returns the sha256 and the size of a file, which is read in pieces.
pub fn digest(path: &Path) -> io::Result<(Digest, u64)> {
    let mut file = BufReader::with_capacity(1 << 16, fs_err::File::open(path)?);
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    let mut size = 0;
    loop {
        let n = file.read(&mut buffer)?;
        if n == 0 {
            return Ok((Digest::from_bytes(hasher.finalize().into()), size));
        }
        hasher.update(&buffer[..n]);
        size += n as u64;
    }
}

/// Opens a file for reading.
pub fn open(path: &Path) -> io::Result<std::fs::File> {
    Ok(fs_err::File::open(path)?.into_file())
}

/// Reads into `buffer` from offset `at`, in bytes, and returns the number of bytes read: 0 at the
/// end. Several threads may read one file.
pub fn read_at(file: &std::fs::File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    #[cfg(unix)]
    {
        std::os::unix::fs::FileExt::read_at(file, buffer, at)
    }
    #[cfg(windows)]
    {
        std::os::windows::fs::FileExt::seek_read(file, buffer, at)
    }
}

/// Returns the paths directly in a directory, sorted.
pub fn list(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = fs_err::read_dir(dir)?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

/// Returns the names of the directories directly in `dir`, without those that are not UTF-8 or
/// begin with a dot.
pub fn dir_names(dir: &Path) -> io::Result<std::collections::BTreeSet<String>> {
    let mut names = std::collections::BTreeSet::new();
    for entry in fs_err::read_dir(dir)? {
        let entry = entry?;
        if entry.file_type()?.is_dir()
            && let Ok(name) = entry.file_name().into_string()
            && !name.starts_with('.')
        {
            names.insert(name);
        }
    }
    Ok(names)
}

/// Creates a file without a name, which is removed with the value.
pub fn nameless() -> io::Result<std::fs::File> {
    tempfile::tempfile()
}

/// Creates or truncates a file that may stay incomplete, such as one below an [`UnfinishedDir`].
pub fn create(path: &Path) -> io::Result<std::fs::File> {
    Ok(fs_err::File::create(path)?.into_file())
}

/// Appends `bytes` to a file, which is created if absent.
pub fn append(path: &Path, bytes: &[u8]) -> io::Result<()> {
    use std::io::Write as _;
    fs_err::OpenOptions::new().create(true).append(true).open(path)?.write_all(bytes)
}

/// Returns true if a file is executable: by its mode, on Windows by its name.
pub fn is_executable(path: &Path) -> io::Result<bool> {
    let metadata = metadata(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        Ok(metadata.permissions().mode() & 0o111 != 0)
    }
    #[cfg(not(unix))]
    {
        Ok(metadata.is_file() && path.extension().is_some_and(|e| e.eq_ignore_ascii_case("exe")))
    }
}

/// Sets the mode of a file to 0755 or 0644. Has no effect on Windows.
pub fn set_executable(path: &Path, executable: bool) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = if executable { 0o755 } else { 0o644 };
        fs_err::set_permissions(path, std::fs::Permissions::from_mode(mode))
    }
    #[cfg(not(unix))]
    {
        let _ = (path, executable);
        Ok(())
    }
}

/// Writes a file completely or not at all: to a temporary file beside it, then fsync and rename. A
/// file that already has these bytes is not written. Returns whether it wrote.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> io::Result<bool> {
    if holds(path, bytes) {
        return Ok(false);
    }
    let mut unfinished = Unfinished::create(path)?;
    unfinished.file().write_all(bytes).map_err(|error| at("write", path, &error))?;
    unfinished.finish()?;
    Ok(true)
}

/// As [`write_atomic`], for a program: it has mode 0755 from the moment at which it appears, since
/// another process may run it right then.
pub fn write_program(path: &Path, bytes: &[u8]) -> io::Result<bool> {
    if holds(path, bytes) && is_executable(path)? {
        return Ok(false);
    }
    let mut unfinished = Unfinished::create(path)?;
    unfinished.file().write_all(bytes).map_err(|error| at("write", path, &error))?;
    set_executable(unfinished.temporary.path(), true)?;
    unfinished.finish()?;
    Ok(true)
}

/// Writes `parts` one after the other into a file that appears complete, but may be lost or damaged
/// if the machine stops: for caches.
pub fn write_whole(path: &Path, parts: &[&[u8]]) -> io::Result<()> {
    let mut unfinished = Unfinished::create(path)?;
    for part in parts {
        unfinished.file().write_all(part).map_err(|error| at("write", path, &error))?;
    }
    unfinished.temporary.persist(path).map_err(|error| at("write", path, &error.error))?;
    Ok(())
}

/// Returns the modification time of a file, in seconds since 1970.
pub fn modified(metadata: &std::fs::Metadata) -> Option<u64> {
    let since = metadata.modified().ok()?.duration_since(std::time::UNIX_EPOCH);
    since.ok().map(|since| since.as_secs())
}

/// Sets the modification time of a file to now, if the system permits it.
pub fn touch(file: &std::fs::File) {
    let _ = file.set_modified(std::time::SystemTime::now());
}

fn holds(path: &Path, bytes: &[u8]) -> bool {
    metadata(path).is_ok_and(|m| m.len() == bytes.len() as u64)
        && read(path).is_ok_and(|old| old == bytes)
}

/// File that appears under its name when [`Unfinished::finish`] is called; dropped before that, it
/// is removed.
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
}

/// Directory that appears under its name when [`UnfinishedDir::finish`] is called; dropped before
/// that, it is removed.
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

/// Removes the unfinished files that killed processes left in `dir`; those of running processes stay.
///
/// # Errors
/// Returns an error if one cannot be removed.
pub fn sweep(dir: &Path) -> io::Result<()> {
    remove_abandoned(dir, UNFINISHED)
}

/// Removes what begins with `start` in `dir` and belongs to no running process.
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
            // Another process sweeps as well.
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
        // Other users share the directory; what cannot be removed is theirs.
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

/// Creates a symbolic link to `target` at `path`; on Windows a copy of the file.
pub fn symlink(target: &str, path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        fs_err::os::unix::fs::symlink(target, path)
    }
    #[cfg(not(unix))]
    {
        let from = path.parent().unwrap_or(Path::new(".")).join(target);
        copy(from, path).map(drop)
    }
}

/// Creates a link to the directory `target` at `path`; on Windows, where links need a privilege, a
/// copy.
pub fn link_dir(target: &Path, path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        fs_err::os::unix::fs::symlink(target, path)
    }
    #[cfg(not(unix))]
    {
        for file in walk(target)? {
            let to = path.join(&file.relative);
            create_dir_all(to.parent().unwrap_or(path))?;
            copy(&file.path, &to)?;
        }
        Ok(())
    }
}

/// Removes a link made by [`link_dir`]. On systems with links, a directory stays.
pub fn unlink(path: &Path) -> io::Result<()> {
    match symlink_metadata(path) {
        Ok(found) if found.is_symlink() => remove_file(path),
        Ok(_) if cfg!(windows) => remove_dir_all(path),
        _ => Ok(()),
    }
}

fn at(verb: &str, path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot {verb} `{}`: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

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

    /// A child is killed while it has unfinished files; the next process removes them, and leaves
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
