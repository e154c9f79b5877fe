//! Files of a wheel outside its `.dist-info` directory.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::Error;
#[cfg(feature = "audit")]
use crate::archive::Limits;
use crate::archive::error::MemberError;
use crate::archive::source::Buffers;
use crate::archive::{Blob, PackedContent};
use crate::metadata::recorded_digest::Algorithm;
use crate::name::{Digest, WheelPath};
use crate::sys;
#[cfg(feature = "audit")]
use crate::{audit, binary::NativeFile};

/// File of a wheel.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Path in the wheel: below the import root, or `{name}-{version}.data/scripts/…`.
    pub path: WheelPath,
    /// True if installers set the execute bits.
    pub executable: bool,
    /// Source of the bytes.
    pub source: Source,
}

/// Source of the bytes of an entry.
#[derive(Debug, Clone)]
pub enum Source {
    /// Bytes in memory.
    Bytes(Vec<u8>),
    /// File on disk, read while the wheel is written.
    File {
        /// Path of the file.
        path: PathBuf,
        /// Size when the wheel was planned, in bytes; a different size when it is read is an error.
        size_bytes: u64,
    },
    /// Entry of another wheel. Reading unpacks it; writing copies the compressed bytes.
    Packed(PackedContent),
}

impl Entry {
    /// Creates a file without execute bits that contains `bytes`.
    pub fn bytes(path: WheelPath, bytes: impl Into<Vec<u8>>) -> Self {
        Self { path, executable: false, source: Source::Bytes(bytes.into()) }
    }

    /// Returns the size of the content in bytes.
    pub fn size_bytes(&self) -> u64 {
        match &self.source {
            Source::Bytes(bytes) => bytes.len() as u64,
            Source::File { size_bytes, .. } => *size_bytes,
            Source::Packed(content) => content.size_bytes(),
        }
    }

    /// Returns the whole content.
    ///
    /// # Errors
    /// Returns an error if the content cannot be read or is damaged.
    pub fn load(&self) -> io::Result<Vec<u8>> {
        match &self.source {
            Source::Bytes(bytes) => Ok(bytes.clone()),
            Source::File { path, .. } => sys::fs::read(path),
            Source::Packed(content) => content.load().map_err(MemberError::into_io),
        }
    }

    /// Returns the first `size` bytes, or the whole content if it is shorter.
    ///
    /// # Errors
    /// Returns an error if the content cannot be read.
    pub fn first(&self, size: usize) -> io::Result<Vec<u8>> {
        match &self.source {
            Source::Bytes(bytes) => Ok(bytes[..bytes.len().min(size)].to_vec()),
            Source::File { path, .. } => Blob::new(sys::fs::open(path)?)?.first(size),
            Source::Packed(content) => {
                let mut buffers = Buffers::new();
                let mut source = content.open(&mut buffers).map_err(MemberError::into_io)?;
                let end = source.size().min(size as u64);
                source.bytes(&(0..end)).map_err(MemberError::into_io)
            }
        }
    }

    /// Writes the content to a file at `place` and sets the execute bits if the entry has them. The
    /// directory must exist.
    ///
    /// # Errors
    /// Returns an error if the content cannot be read or is damaged, or the file cannot be written.
    pub fn write_to(&self, place: &Path) -> io::Result<()> {
        match &self.source {
            Source::Bytes(bytes) => sys::fs::write(place, bytes)?,
            Source::File { path, .. } => sys::fs::copy(path, place).map(drop)?,
            Source::Packed(content) => {
                let mut file = sys::fs::create(place)?;
                let read = content.read(&mut Buffers::new(), &mut |part| file.write_all(part));
                read.map_err(MemberError::into_io)?;
            }
        }
        sys::fs::set_executable(place, self.executable)
    }

    /// Parses the content as a native file; returns `None` if it is not one.
    ///
    /// # Errors
    /// Returns an error if the content cannot be read.
    #[cfg(feature = "audit")]
    pub fn native_file(&self, limits: &Limits) -> io::Result<Option<NativeFile>> {
        match &self.source {
            Source::Bytes(bytes) => Ok(NativeFile::read(&self.path, bytes)),
            Source::File { path, .. } => audit::native_file(&self.path, path, limits),
            Source::Packed(content) => audit::native_packed(&self.path, content, limits),
        }
    }

    /// Computes the SHA-256 of the content.
    pub(super) fn digest(&self, buffers: &mut Buffers) -> Result<Digest, Error> {
        let digest = self.digest_by(Algorithm::Sha256, buffers)?;
        let digest = <[u8; 32]>::try_from(&*digest).expect("SHA-256 has 32 bytes");
        Ok(Digest::from_bytes(digest))
    }

    /// Computes the digest of the content by `algorithm`.
    pub(super) fn digest_by(
        &self,
        algorithm: Algorithm,
        buffers: &mut Buffers,
    ) -> Result<Box<[u8]>, Error> {
        let mut sha = algorithm.hasher();
        if let Source::Packed(content) = &self.source {
            let read = content.read(buffers, &mut |part| {
                sha.update(part);
                Ok(())
            });
            read.map_err(|e| self.unreadable(e.into_io()))?;
        } else {
            self.read_through(0, self.size_bytes(), |part| {
                sha.update(part);
                Ok::<(), Error>(())
            })?;
        }
        Ok(sha.finalize())
    }

    /// Fills `buffer` with the bytes from `offset` on.
    pub(super) fn read(&self, offset: u64, buffer: &mut [u8]) -> Result<(), Error> {
        self.open()?.read(offset, buffer)
    }

    /// Opens the content for reading. Returns an error if the size of the file on disk changed.
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
            // Packed entries are copied as they are; only their writer reads parts of them.
            Source::Packed(content) => {
                Content::Loaded(content.load().map_err(|e| self.unreadable(e.into_io()))?)
            }
        };
        Ok(OpenEntry { entry: self, content })
    }

    /// Calls `take` with consecutive parts of the `size` bytes from `offset` on.
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

    pub(super) fn unreadable(&self, source: io::Error) -> Error {
        Error::Read { path: self.path.clone(), file: self.file(), source }
    }

    /// Returns the path of the file on disk; empty if the content comes from elsewhere.
    fn file(&self) -> PathBuf {
        match &self.source {
            Source::File { path, .. } => path.clone(),
            Source::Bytes(_) | Source::Packed(_) => PathBuf::new(),
        }
    }

    /// Returns the error for a file that changed on disk.
    pub(super) fn changed(&self) -> Error {
        Error::Changed { path: self.path.clone(), file: self.file() }
    }
}

/// Size of the parts in which content is read, in bytes. A part fits into the processor's
/// second-level cache.
const READ: usize = 128 << 10;

/// Entry that is open for reading.
pub(super) struct OpenEntry<'a> {
    entry: &'a Entry,
    content: Content<'a>,
}

enum Content<'a> {
    Bytes(&'a [u8]),
    Loaded(Vec<u8>),
    File(std::fs::File),
}

impl OpenEntry<'_> {
    /// Fills `buffer` with the bytes from `offset` on.
    fn read(&self, offset: u64, buffer: &mut [u8]) -> Result<(), Error> {
        match &self.content {
            Content::Loaded(_) | Content::Bytes(_) => {
                let bytes = match &self.content {
                    Content::Loaded(bytes) => bytes,
                    Content::Bytes(bytes) => *bytes,
                    Content::File(_) => &[],
                };
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
