//! A part of an open file, read by position: threads share it, and nothing is held in memory.

use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;

use crate::sys;

/// A part of an open file.
#[derive(Debug, Clone)]
pub(crate) struct Blob {
    file: Arc<File>,
    start: u64,
    size: u64,
}

impl Blob {
    /// All of a file.
    pub(crate) fn new(file: File) -> io::Result<Self> {
        let size = file.metadata()?.len();
        Ok(Self { file: Arc::new(file), start: 0, size })
    }

    /// How many bytes it has.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// A part of it; nothing when that reaches beyond the end.
    pub(crate) fn part(&self, start: u64, size: u64) -> Option<Self> {
        let end = start.checked_add(size)?;
        (end <= self.size).then(|| Self {
            file: Arc::clone(&self.file),
            start: self.start + start,
            size,
        })
    }

    /// Reads from `at` on and says how many bytes there were: 0 at the end.
    pub(crate) fn read_at(&self, at: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.size.saturating_sub(at);
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        if most == 0 {
            return Ok(0);
        }
        loop {
            match sys::fs::read_at(&self.file, &mut buffer[..most], self.start + at) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }

    /// Fills `buffer` from `at` on.
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

    /// Up to `N` bytes at `at`, as many as there are.
    pub(crate) fn array_at<const N: usize>(&self, at: u64) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.fill_at(at, &mut bytes)?;
        Ok(bytes)
    }

    /// The first bytes, up to `most`.
    pub(crate) fn first(&self, most: usize) -> io::Result<Vec<u8>> {
        let size = usize::try_from(self.size).unwrap_or(usize::MAX).min(most);
        let mut bytes = vec![0; size];
        self.fill_at(0, &mut bytes)?;
        Ok(bytes)
    }

    /// Reads it from its start.
    pub(crate) fn reader(&self) -> Reader {
        Reader { blob: self.clone(), at: 0 }
    }
}

/// Reads a [`Blob`] from its start to its end.
pub(crate) struct Reader {
    blob: Blob,
    at: u64,
}

impl Reader {
    /// How many bytes were read.
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
