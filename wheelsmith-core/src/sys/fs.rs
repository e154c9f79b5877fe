//! Files. Errors name the path.
#![allow(clippy::disallowed_methods, reason = "sys is the module that reads and writes files")]

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::name::{Digest, portability_problem};

pub use fs_err::{
    copy, create_dir_all, hard_link, metadata, read, read_link, read_to_string, remove_dir_all,
    remove_file, rename, symlink_metadata, write,
};

#[cfg(feature = "run")]
pub use super::unfinished::{
    Unfinished, UnfinishedDir, sweep, temp_dir, temp_dir_in, write_atomic, write_program,
    write_whole,
};

/// Returns the absolute path without links. On Windows it has no prefix `\\\\?\\`, which most programs
/// do not understand, if the path means the same without it.
pub fn canonicalize(path: impl AsRef<Path>) -> io::Result<PathBuf> {
    let real = fs_err::canonicalize(path.as_ref())?;
    let plain = real.to_str().filter(|_| cfg!(windows)).and_then(without_verbatim);
    Ok(plain.map_or(real.clone(), PathBuf::from))
}

/// Returns a path of Windows without its prefix `\\\\?\\`; `None` if it has none, or if Windows
/// interprets the rest, such as a reserved name or `..`.
fn without_verbatim(path: &str) -> Option<&str> {
    /// Longest path of programs that do not know longer ones, in UTF-16 code units.
    const MOST: usize = 259;
    let plain = path.strip_prefix(r"\\?\")?;
    let (drive, rest) = plain.split_once(r":\")?;
    let is_drive = drive.len() == 1 && drive.as_bytes()[0].is_ascii_alphabetic();
    let is_literal = |part: &str| {
        part.is_empty() || part != "." && part != ".." && portability_problem(part).is_none()
    };
    let is_short = plain.encode_utf16().count() <= MOST;
    let is_plain = !rest.contains('/') && rest.split('\\').all(is_literal);
    (is_drive && is_short && is_plain).then_some(plain)
}

/// Start of the names of temporary files and directories.
pub(super) const TEMPORARY: &str = "wheelsmith-tmp-";

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
        /// True if it is executable.
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
            // Sockets, devices and pipes are not sources.
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
    digest_of(&mut fs_err::File::open(path)?)
}

/// Computes the digest and the size, in bytes, of the rest of a file.
pub fn digest_of(file: &mut impl Read) -> io::Result<(Digest, u64)> {
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

/// Opens a file for reading. Returns an error for a pipe, a socket and a device, because reading them
/// may never end.
pub fn open(path: &Path) -> io::Result<std::fs::File> {
    let kind = metadata(path)?.file_type();
    if !kind.is_file() && !kind.is_dir() {
        let what = format!("`{}` is a pipe, a socket or a device", path.display());
        return Err(io::Error::new(io::ErrorKind::InvalidInput, what));
    }
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

/// Creates a file without a name, which is deleted with the value. Uses only the standard library,
/// so that programs that only judge wheels need no further crate.
pub fn nameless() -> io::Result<std::fs::File> {
    use std::hash::{BuildHasher as _, RandomState};
    let mut options = fs_err::OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    {
        use fs_err::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    #[cfg(windows)]
    {
        use fs_err::os::windows::fs::OpenOptionsExt as _;
        const DELETE_ON_CLOSE: u32 = 0x0400_0000;
        options.share_mode(0).custom_flags(DELETE_ON_CLOSE);
    }
    let mut attempts = 0;
    loop {
        let random = RandomState::new().hash_one(attempts);
        let path = std::env::temp_dir().join(format!("{TEMPORARY}{random:016x}"));
        match options.open(&path) {
            Ok(file) => {
                #[cfg(not(windows))]
                remove_file(&path)?;
                return Ok(file.into_file());
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && attempts < 16 => {
                attempts += 1;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Writes the entries of a directory to disk. Has no effect on Windows, which does it itself.
pub fn sync_dir(dir: &Path) -> io::Result<()> {
    if cfg!(windows) {
        return Ok(());
    }
    fs_err::File::open(dir)?.sync_all()
}

/// Creates or truncates a file that may remain incomplete, such as one below an unfinished
/// directory.
pub fn create(path: &Path) -> io::Result<std::fs::File> {
    Ok(fs_err::File::create(path)?.into_file())
}

/// Appends `bytes` to a file, which is created if absent.
pub fn append(path: &Path, bytes: &[u8]) -> io::Result<()> {
    use std::io::Write as _;
    fs_err::OpenOptions::new().create(true).append(true).open(path)?.write_all(bytes)
}

/// Appends `bytes` to a file, which is created if absent, and waits until they are on disk.
pub fn append_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    use std::io::Write as _;
    let mut file = fs_err::OpenOptions::new().create(true).append(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_data()
}

/// True if a file is executable: by its mode, on Windows by its name.
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

/// Returns the identity of a file that has further names; `None` if this is its only name, or the
/// system does not report it.
pub fn shared_identity(metadata: &std::fs::Metadata) -> Option<(u64, u64)> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        (metadata.nlink() > 1).then(|| (metadata.dev(), metadata.ino()))
    }
    #[cfg(not(unix))]
    {
        let _ = metadata;
        None
    }
}

/// True if a program gets the rights of its owner or group when it starts.
pub fn is_setuid(metadata: &std::fs::Metadata) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        metadata.is_file() && metadata.permissions().mode() & 0o6000 != 0
    }
    #[cfg(not(unix))]
    {
        let _ = metadata;
        false
    }
}

/// Allows or forbids writing to everything below `dir`, links not followed. Files keep their execute
/// bits. Has no effect on Windows.
#[cfg(feature = "run")]
pub fn set_writable(dir: &Path, writable: bool) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |base: u32| if writable { base } else { base & !0o222 };
        let set = |path: &Path, base: u32| {
            fs_err::set_permissions(path, std::fs::Permissions::from_mode(mode(base)))
        };
        // The directory first if it becomes writable, so that its entries can be listed.
        set(dir, 0o755)?;
        for (walked, node) in tree(dir, &|_| false)? {
            match node {
                Node::Dir | Node::File { executable: true } => set(&walked.path, 0o755)?,
                Node::File { executable: false } => set(&walked.path, 0o644)?,
                Node::Link(_) => {}
            }
        }
    }
    #[cfg(not(unix))]
    {
        let _ = (dir, writable);
    }
    Ok(())
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

/// Returns the modification time of a file, in seconds since 1970.
pub fn modified(metadata: &std::fs::Metadata) -> Option<u64> {
    let since = metadata.modified().ok()?.duration_since(std::time::UNIX_EPOCH);
    since.ok().map(|since| since.as_secs())
}

/// Sets the modification time of a file to now, if the system permits it.
pub fn touch(file: &std::fs::File) {
    let _ = file.set_modified(std::time::SystemTime::now());
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

/// Removes a link made by [`link_dir`]. On systems with links, a directory is not removed.
pub fn unlink(path: &Path) -> io::Result<()> {
    match symlink_metadata(path) {
        Ok(found) if found.is_symlink() => remove_file(path),
        Ok(_) if cfg!(windows) => remove_dir_all(path),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Seek as _, Write as _};

    use super::*;

    #[test]
    fn paths_of_windows_lose_a_prefix_that_means_nothing() {
        let check = |path: &str, expected: Option<&str>| {
            assert_eq!(without_verbatim(path), expected, "{path}");
        };
        check(r"\\?\C:\a b\ü.dll", Some(r"C:\a b\ü.dll"));
        check(r"\\?\z:\", Some(r"z:\"));
        check(r"C:\a", None);
        check(r"\\?\UNC\server\share\a", None);
        check(r"\\?\Volume{0}\a", None);
        for literal in [r"\\?\C:\a\..\b", r"\\?\C:\aux.txt", r"\\?\C:\a.", r"\\?\C:\a/b"] {
            check(literal, None);
        }
        check(&format!(r"\\?\C:\{}", "a\\".repeat(200)), None);
    }

    #[test]
    fn a_nameless_file_is_read_and_written() {
        let [mut file, other] = [nameless().unwrap(), nameless().unwrap()];
        file.write_all(b"abc").unwrap();
        file.rewind().unwrap();
        assert_eq!(io::read_to_string(file).unwrap(), "abc");
        assert_eq!(other.metadata().unwrap().len(), 0);
    }
}
