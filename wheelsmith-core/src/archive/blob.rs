//! Bytes that are read by position, so that threads can share them.

use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;

use crate::sys;

/// Size of the parts that [`Blob::visit`] passes on, in bytes.
const PART: usize = 128 << 10;

/// Part of an open file, or of bytes in memory.
#[derive(Debug, Clone)]
pub struct Blob {
    bytes: Arc<Bytes>,
    start: u64,
    size: u64,
}

#[derive(Debug)]
enum Bytes {
    File(File),
    Memory(Arc<[u8]>),
}

impl Blob {
    /// Creates a blob of a whole open file.
    ///
    /// # Errors
    /// Returns an error if the size of the file cannot be determined.
    pub fn new(file: File) -> io::Result<Self> {
        let size = file.metadata()?.len();
        Ok(Self { bytes: Arc::new(Bytes::File(file)), start: 0, size })
    }

    /// Creates a blob of bytes in memory.
    pub fn from_bytes(bytes: impl Into<Arc<[u8]>>) -> Self {
        let bytes = bytes.into();
        let size = bytes.len() as u64;
        Self { bytes: Arc::new(Bytes::Memory(bytes)), start: 0, size }
    }

    /// Returns its size in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Returns a part; `None` if it extends beyond the end.
    pub(crate) fn part(&self, start: u64, size: u64) -> Option<Self> {
        let end = start.checked_add(size)?;
        (end <= self.size).then(|| Self {
            bytes: self.bytes.clone(),
            start: self.start + start,
            size,
        })
    }

    /// Reads from `at` on and returns the number of bytes read: 0 at the end.
    pub(crate) fn read_at(&self, at: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.size.saturating_sub(at);
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        if most == 0 {
            return Ok(0);
        }
        let at = self.start + at;
        let file = match &*self.bytes {
            Bytes::File(file) => file,
            Bytes::Memory(bytes) => {
                let at = usize::try_from(at).unwrap_or(usize::MAX);
                buffer[..most].copy_from_slice(&bytes[at..at + most]);
                return Ok(most);
            }
        };
        loop {
            match sys::fs::read_at(file, &mut buffer[..most], at) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }

    /// Fills `buffer` with the bytes from `at` on. Returns an error if there are too few.
    pub(crate) fn fill_at(&self, mut at: u64, mut buffer: &mut [u8]) -> io::Result<()> {
        while !buffer.is_empty() {
            let n = self.read_at(at, buffer)?;
            if n == 0 {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file ends early"));
            }
            at += n as u64;
            buffer = &mut buffer[n..];
        }
        Ok(())
    }

    /// Calls `take` with all of the bytes, part by part.
    pub(crate) fn visit(&self, mut take: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        let mut buffer = vec![0; usize::try_from(self.size).unwrap_or(PART).min(PART)];
        let mut at = 0;
        while at < self.size {
            let n = self.read_at(at, &mut buffer)?;
            if n == 0 {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file ends early"));
            }
            take(&buffer[..n])?;
            at += n as u64;
        }
        Ok(())
    }

    /// Returns `N` bytes from `at` on, or an error if there are fewer.
    pub(crate) fn array_at<const N: usize>(&self, at: u64) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.fill_at(at, &mut bytes)?;
        Ok(bytes)
    }

    /// Returns the first `most` bytes, or all if there are fewer.
    pub(crate) fn first(&self, most: usize) -> io::Result<Vec<u8>> {
        let size = usize::try_from(self.size).unwrap_or(usize::MAX).min(most);
        let mut bytes = vec![0; size];
        self.fill_at(0, &mut bytes)?;
        Ok(bytes)
    }

    /// Returns a reader from the start.
    pub(crate) fn reader(&self) -> Reader {
        Reader { blob: self.clone(), at: 0 }
    }
}

/// Reader of a [`Blob`] from its start to its end.
pub(crate) struct Reader {
    blob: Blob,
    at: u64,
}

impl Reader {
    /// Skips up to `size` bytes, and returns the number of bytes skipped.
    pub(crate) fn advance(&mut self, size: u64) -> u64 {
        let size = size.min(self.blob.size.saturating_sub(self.at));
        self.at += size;
        size
    }

    /// Returns the number of bytes that were read.
    pub(crate) fn position(&self) -> u64 {
        self.at
    }
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.blob.read_at(self.at, buffer)?;
        self.at += n as u64;
        Ok(n)
    }
}
