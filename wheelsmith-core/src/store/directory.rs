//! Engine for a directory. Objects are written once by a hard link, which fails if the name exists.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::body::Body;
use super::engine::{Content, Engine, Entry, Put};
use super::error::Error;
use super::key::Key;
use crate::name::Digest;
use crate::sys::{self, Cancel, Lock, fs::Unfinished};

/// Directory of unfinished files. Keys do not begin with a dot.
const UNFINISHED: &str = ".unfinished";
/// File that is locked while a channel is changed.
const LOCK: &str = ".lock";
/// File that writers share, and a garbage collection locks.
const WRITERS: &str = ".writers";

#[derive(Debug)]
pub(super) struct Directory {
    root: PathBuf,
    cancel: Cancel,
}

impl Directory {
    pub(super) fn new(root: &Path, cancel: &Cancel) -> Self {
        Self { root: root.to_owned(), cancel: cancel.clone() }
    }

    fn path(&self, key: &Key) -> PathBuf {
        self.root.join(key.as_str())
    }

    /// Writes the entry of an object to disk.
    fn sync(&self, key: &Key) -> Result<(), Error> {
        let path = self.path(key);
        let synced = sys::fs::sync_dir(path.parent().unwrap_or(&self.root));
        synced.map_err(|source| Error::Io { action: "write", key: key.to_string(), source })
    }

    /// Writes the content to an unfinished file that becomes the object `key`.
    fn unfinished(&self, key: &Key, body: &Body<'_>) -> Result<Unfinished, Error> {
        let error = |source| Error::Io { action: "write", key: key.to_string(), source };
        make_parents(&self.path(key)).map_err(error)?;
        let mut file =
            Unfinished::create_in(&self.root.join(UNFINISHED), &self.path(key)).map_err(error)?;
        let mut from = body.open().map_err(error)?;
        let (digest, size) = copy(&mut from, file.file(), &self.cancel).map_err(error)?;
        if self.cancel.is_cancelled() {
            return Err(Error::Cancelled);
        }
        if (digest, size) != (body.sha256, body.size_bytes) {
            let changed = "the file changed while it was stored: its sha256 was";
            let text = format!("{changed} {}, and is {digest}", body.sha256);
            return Err(error(io::Error::other(text)));
        }
        Ok(file)
    }
}

/// Creates the directories above an object, and writes their entries to disk.
fn make_parents(path: &Path) -> io::Result<()> {
    let new: Vec<&Path> = path.ancestors().skip(1).take_while(|dir| !dir.is_dir()).collect();
    let Some(parent) = path.parent() else { return Ok(()) };
    sys::fs::create_dir_all(parent)?;
    // The parent of a relative path of one part is empty.
    let above = new.iter().filter_map(|dir| dir.parent()).filter(|dir| !dir.as_os_str().is_empty());
    above.into_iter().try_for_each(sys::fs::sync_dir)
}

/// Copies everything and computes its digest and size.
pub(super) fn copy(
    from: &mut dyn Read,
    to: &mut dyn Write,
    cancel: &Cancel,
) -> io::Result<(Digest, u64)> {
    let (mut hasher, mut size) = (Sha256::new(), 0);
    let mut buffer = vec![0; 1 << 18];
    while !cancel.is_cancelled() {
        let read = match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        hasher.update(&buffer[..read]);
        to.write_all(&buffer[..read])?;
        size += read as u64;
    }
    Ok((Digest::from_bytes(hasher.finalize().into()), size))
}

/// Returns the entry of a file.
fn entry(key: Key, metadata: &std::fs::Metadata) -> Entry {
    Entry { key, size_bytes: metadata.len(), modified: sys::fs::modified(metadata) }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

impl Engine for Directory {
    fn get(&self, key: &Key) -> Result<Option<Content>, Error> {
        let error = |source| Error::Io { action: "read", key: key.to_string(), source };
        match sys::fs::open(&self.path(key)) {
            Ok(file) => {
                let size_bytes = file.metadata().map_err(error)?.len();
                Ok(Some(Content { size_bytes, reader: Box::new(file) }))
            }
            Err(cause) if is_absent(&cause) => Ok(None),
            Err(cause) => Err(error(cause)),
        }
    }

    fn put(&self, key: &Key, body: &Body<'_>) -> Result<Put, Error> {
        if self.path(key).exists() {
            return Ok(Put::Exists);
        }
        let created = self.unfinished(key, body)?.finish_new();
        let error = |source| Error::Io { action: "write", key: key.to_string(), source };
        let put = if created.map_err(error)? { Put::Created } else { Put::Exists };
        self.sync(key)?;
        Ok(put)
    }

    fn replace(&self, key: &Key, body: &Body<'_>) -> Result<(), Error> {
        let written = self.unfinished(key, body)?.finish();
        written.map_err(|source| Error::Io { action: "write", key: key.to_string(), source })?;
        self.sync(key)
    }

    fn refresh(&self, key: &Key) -> Result<(), Error> {
        // The file may be that of another user. The lock of writers keeps it anyway.
        if let Ok(file) = sys::fs::open(&self.path(key)) {
            sys::fs::touch(&file);
        }
        Ok(())
    }

    fn head(&self, key: &Key) -> Result<Option<Entry>, Error> {
        match sys::fs::metadata(self.path(key)) {
            Ok(metadata) => Ok(metadata.is_file().then(|| entry(key.clone(), &metadata))),
            Err(cause) if is_absent(&cause) => Ok(None),
            Err(source) => Err(Error::Io { action: "read", key: key.to_string(), source }),
        }
    }

    fn list(
        &self,
        prefix: &str,
        each: &mut dyn FnMut(Entry) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let error = |source| Error::Io { action: "list", key: prefix.to_owned(), source };
        let mut left = vec![prefix.rsplit_once('/').map_or("", |(dir, _)| dir).to_owned()];
        while let Some(dir) = left.pop() {
            let paths = match sys::fs::list(&self.root.join(&dir)) {
                Ok(paths) => paths,
                // Another process may have removed it.
                Err(cause) if is_absent(&cause) => continue,
                Err(cause) => return Err(error(cause)),
            };
            for path in paths {
                let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
                let name = if dir.is_empty() { name.to_owned() } else { format!("{dir}/{name}") };
                let is_above = prefix.starts_with(&format!("{name}/"));
                let Some(key) = Key::parse(&name) else { continue };
                if !is_above && !name.starts_with(prefix) {
                    continue;
                }
                let metadata = match sys::fs::symlink_metadata(&path) {
                    Ok(metadata) => metadata,
                    Err(cause) if is_absent(&cause) => continue,
                    Err(cause) => return Err(error(cause)),
                };
                if metadata.is_dir() {
                    left.push(name);
                } else if metadata.is_file() && !is_above {
                    each(entry(key, &metadata))?;
                }
            }
        }
        Ok(())
    }

    fn swap(&self, key: &Key, old: Option<&[u8]>, new: &[u8]) -> Result<bool, Error> {
        let error = |source| Error::Io { action: "write", key: key.to_string(), source };
        let lock = Lock::acquire(&self.root.join(LOCK), &self.cancel).map_err(error)?;
        let _lock = lock.ok_or(Error::Cancelled)?;
        let there = match sys::fs::read(self.path(key)) {
            Ok(bytes) => Some(bytes),
            Err(cause) if is_absent(&cause) => None,
            Err(cause) => return Err(error(cause)),
        };
        if there.as_deref() != old {
            return Ok(false);
        }
        self.replace(key, &Body::bytes(new)).map(|()| true)
    }

    fn hold(&self, exclusive: bool) -> Result<Option<Lock>, Error> {
        let error = |source| Error::Io { action: "write", key: WRITERS.to_owned(), source };
        let path = self.root.join(WRITERS);
        let lock = if exclusive {
            Lock::acquire(&path, &self.cancel)
        } else {
            Lock::acquire_shared(&path, &self.cancel)
        };
        let lock = lock.map_err(error)?.ok_or(Error::Cancelled)?;
        if exclusive {
            // Files of killed writers.
            sys::fs::sweep(&self.root.join(UNFINISHED)).map_err(error)?;
        }
        Ok(Some(lock))
    }

    fn delete(&self, key: &Key) -> Result<(), Error> {
        match sys::fs::remove_file(self.path(key)) {
            Err(cause) if is_absent(&cause) => Ok(()),
            result => result.map_err(|source| Error::Io {
                action: "delete",
                key: key.to_string(),
                source,
            }),
        }
    }
}
