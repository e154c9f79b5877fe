//! What goes into a wheel beside its `.dist-info`.

use std::io;
use std::path::PathBuf;

use super::Error;
use crate::name::WheelPath;
use crate::sys;

/// One file of a wheel.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Where it lies: below the import root, or `{name}-{version}.data/scripts/…`.
    pub path: WheelPath,
    /// Whether installers make it a program.
    pub executable: bool,
    /// Where its bytes come from.
    pub source: Source,
}

/// Where the bytes of an entry come from.
#[derive(Debug, Clone)]
pub enum Source {
    /// These bytes.
    Bytes(Vec<u8>),
    /// A file on disk, read while the wheel is written.
    File {
        /// The file.
        path: PathBuf,
        /// How long it was when the wheel was planned; another length by then is an error.
        size_bytes: u64,
    },
}

impl Entry {
    /// A plain file with these bytes.
    pub fn bytes(path: WheelPath, bytes: impl Into<Vec<u8>>) -> Self {
        Self { path, executable: false, source: Source::Bytes(bytes.into()) }
    }

    /// The length of its content.
    pub fn size_bytes(&self) -> u64 {
        match &self.source {
            Source::Bytes(bytes) => bytes.len() as u64,
            Source::File { size_bytes, .. } => *size_bytes,
        }
    }

    /// Puts the bytes from `offset` on into `buffer`, all of it.
    pub(super) fn read(&self, offset: u64, buffer: &mut [u8]) -> Result<(), Error> {
        self.open()?.read(offset, buffer)
    }

    /// Opens it for reading; its file must still be as long as it was.
    pub(super) fn open(&self) -> Result<OpenEntry<'_>, Error> {
        let content = match &self.source {
            Source::Bytes(bytes) => Content::Bytes(bytes),
            Source::File { path, size_bytes } => {
                let error = |e| self.unreadable(e);
                let file = sys::fs::open(path).map_err(error)?;
                if file.metadata().map_err(error)?.len() != *size_bytes {
                    return Err(self.changed());
                }
                Content::File(file)
            }
        };
        Ok(OpenEntry { entry: self, content })
    }

    /// Hands its bytes from `offset` on, `size` of them, to `take`, a few at a time.
    pub(super) fn read_through<E: From<Error>>(
        &self,
        offset: u64,
        size: u64,
        mut take: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let open = self.open()?;
        let mut buffer = vec![0; usize::try_from(size).unwrap_or(READ).min(READ)];
        let end = offset + size;
        let mut at = offset;
        while at < end {
            let part = usize::try_from(end - at).unwrap_or(READ).min(READ);
            open.read(at, &mut buffer[..part])?;
            take(&buffer[..part])?;
            at += part as u64;
        }
        Ok(())
    }

    fn unreadable(&self, source: io::Error) -> Error {
        Error::Read { path: self.path.clone(), file: self.file(), source }
    }

    /// Its file; an empty path when it has none.
    fn file(&self) -> PathBuf {
        match &self.source {
            Source::File { path, .. } => path.clone(),
            Source::Bytes(_) => PathBuf::new(),
        }
    }

    /// The error that its file is another one by now.
    pub(super) fn changed(&self) -> Error {
        Error::Changed { path: self.path.clone(), file: self.file() }
    }
}

/// How many bytes are read at once where all of them pass through: few enough for the processor's
/// second-level cache.
const READ: usize = 128 << 10;

/// An entry that can be read.
pub(super) struct OpenEntry<'a> {
    entry: &'a Entry,
    content: Content<'a>,
}

enum Content<'a> {
    Bytes(&'a [u8]),
    File(std::fs::File),
}

impl OpenEntry<'_> {
    /// Puts the bytes from `offset` on into `buffer`, all of it.
    fn read(&self, offset: u64, buffer: &mut [u8]) -> Result<(), Error> {
        match &self.content {
            Content::Bytes(bytes) => {
                let start = usize::try_from(offset).unwrap_or(usize::MAX);
                let part = bytes.get(start..).and_then(|rest| rest.get(..buffer.len()));
                buffer.copy_from_slice(part.ok_or_else(|| self.entry.changed())?);
                Ok(())
            }
            Content::File(file) => {
                let mut done = 0;
                while done < buffer.len() {
                    let read = sys::fs::read_at(file, &mut buffer[done..], offset + done as u64);
                    match read {
                        Ok(0) => return Err(self.entry.changed()),
                        Ok(n) => done += n,
                        Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                        Err(e) => return Err(self.entry.unreadable(e)),
                    }
                }
                Ok(())
            }
        }
    }
}
