//! Content to store.

use std::io::{self, Cursor, Read, Seek as _};
use std::path::Path;

use crate::name::Digest;
use crate::sys;

/// Content to store: bytes or a file, which can be opened again for another try.
#[derive(Debug, Clone, Copy)]
pub struct Body<'a> {
    source: Source<'a>,
    /// Size in bytes.
    pub size_bytes: u64,
    /// Sha256 of the content. Engines refuse a content that has another one when it is sent.
    pub sha256: Digest,
}

#[derive(Debug, Clone, Copy)]
enum Source<'a> {
    Bytes(&'a [u8]),
    File(&'a Path),
    /// Part of a file from this offset.
    Part(&'a Path, u64),
}

impl<'a> Body<'a> {
    /// Returns a body with these bytes.
    pub fn bytes(bytes: &'a [u8]) -> Self {
        let source = Source::Bytes(bytes);
        Self { source, size_bytes: bytes.len() as u64, sha256: Digest::of(bytes) }
    }

    /// Returns a body with the content of a file, which must have this digest and size.
    pub fn file(path: &'a Path, sha256: Digest, size_bytes: u64) -> Self {
        Self { source: Source::File(path), size_bytes, sha256 }
    }

    /// Returns a body with the `size_bytes` bytes of a file from `offset`.
    pub fn part(path: &'a Path, offset: u64, sha256: Digest, size_bytes: u64) -> Self {
        Self { source: Source::Part(path, offset), size_bytes, sha256 }
    }

    /// Opens the content.
    ///
    /// # Errors
    /// Returns an error if the file cannot be opened.
    pub fn open(&self) -> io::Result<Box<dyn Read + Send + 'a>> {
        Ok(match self.source {
            Source::Bytes(bytes) => Box::new(Cursor::new(bytes)),
            Source::File(path) => Box::new(sys::fs::open(path)?),
            Source::Part(path, offset) => {
                let mut file = sys::fs::open(path)?;
                file.seek(io::SeekFrom::Start(offset))?;
                Box::new(file.take(self.size_bytes))
            }
        })
    }
}
