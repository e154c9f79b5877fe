//! File attributes that show cheaply whether a file has changed.
#![allow(clippy::disallowed_methods, reason = "this is the door")]

use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Attributes of a file that change when it is written. Equal stamps are a reason not to read a
/// file again, never a proof of its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// Size.
    pub size_bytes: u64,
    /// Modification time, in nanoseconds since 1970.
    pub written_ns: u64,
    /// Inode number; 0 on systems without.
    pub inode: u64,
}

impl Stamp {
    /// Returns the stamp of a file.
    ///
    /// # Errors
    /// Returns an error if the file does not exist.
    pub fn of(path: &Path) -> io::Result<Self> {
        // Not by `fs_err`, which would copy the path: this is called for tens of thousands of
        // files.
        std::fs::metadata(path).map(|metadata| Self::from(&metadata))
    }
}

impl From<&Metadata> for Stamp {
    fn from(metadata: &Metadata) -> Self {
        let since = |time: std::time::SystemTime| time.duration_since(std::time::UNIX_EPOCH).ok();
        let written = metadata.modified().ok().and_then(since).unwrap_or_default();
        Self {
            size_bytes: metadata.len(),
            written_ns: u64::try_from(written.as_nanos()).unwrap_or(u64::MAX),
            inode: inode(metadata),
        }
    }
}

/// State of a file: changes whenever its content may have changed, even if the writer sets the time
/// of its last write back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileState {
    stamp: Stamp,
    /// Last change of content, name or attributes, in nanoseconds since 1970; of content on systems
    /// that have no other.
    changed_ns: i64,
}

impl FileState {
    /// Returns the state of the file at `path`.
    ///
    /// # Errors
    /// Returns an error if it does not exist.
    pub fn of(path: &Path) -> io::Result<Self> {
        let metadata = std::fs::metadata(path)?;
        let stamp = Stamp::from(&metadata);
        Ok(Self { stamp, changed_ns: changed(&metadata, stamp) })
    }

    /// True if this file was changed after `other`.
    pub fn is_after(&self, other: &Self) -> bool {
        self.changed_ns > other.changed_ns
    }
}

#[cfg(unix)]
fn changed(metadata: &Metadata, _: Stamp) -> i64 {
    use std::os::unix::fs::MetadataExt as _;
    metadata.ctime().saturating_mul(1_000_000_000).saturating_add(metadata.ctime_nsec())
}

#[cfg(not(unix))]
fn changed(_: &Metadata, stamp: Stamp) -> i64 {
    i64::try_from(stamp.written_ns).unwrap_or(i64::MAX)
}

#[cfg(unix)]
fn inode(metadata: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn inode(_: &Metadata) -> u64 {
    0
}

/// Files below a directory.
#[derive(Debug, Default)]
pub struct Stamped {
    /// Regular files, links to files included, with their stamps, sorted.
    pub files: Vec<(PathBuf, Stamp)>,
    /// Entries that were left out, sorted.
    pub others: Vec<(PathBuf, LeftOut)>,
}

/// Reason why an entry of a directory is no file of [`stamped`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeftOut {
    /// Its name begins with a dot.
    Hidden,
    /// Its name is not UTF-8.
    NotUtf8,
    /// It is a link to a directory.
    DirLink,
    /// It is a pipe, a socket or a device.
    NoFile,
}

/// Returns the files below `dir` whose names `wanted` accepts.
///
/// # Errors
/// Returns an error if a directory or a link cannot be read.
pub fn stamped(dir: &Path, wanted: impl Fn(&str) -> bool) -> io::Result<Stamped> {
    let Stamped { files: mut found, mut others } = Stamped::default();
    let mut dirs = vec![dir.to_owned()];
    while let Some(dir) = dirs.pop() {
        for entry in fs_err::read_dir(dir)? {
            let entry = entry?;
            let name = entry.file_name();
            let Some(name) = name.to_str() else {
                others.push((entry.path(), LeftOut::NotUtf8));
                continue;
            };
            if name.starts_with('.') {
                others.push((entry.path(), LeftOut::Hidden));
                continue;
            }
            let kind = entry.file_type()?;
            if kind.is_dir() {
                dirs.push(entry.path());
            } else if wanted(name) {
                let path = entry.path();
                let metadata =
                    if kind.is_symlink() { fs_err::metadata(&path) } else { entry.metadata() };
                let metadata = metadata?;
                if metadata.is_file() {
                    found.push((path, Stamp::from(&metadata)));
                } else {
                    let is_dir = metadata.is_dir();
                    others.push((path, if is_dir { LeftOut::DirLink } else { LeftOut::NoFile }));
                }
            }
        }
    }
    // Comparing paths component by component takes many times longer.
    found.sort_by(|a, b| a.0.as_os_str().cmp(b.0.as_os_str()));
    others.sort();
    Ok(Stamped { files: found, others })
}
