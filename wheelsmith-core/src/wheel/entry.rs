//! What goes into a wheel beside its `.dist-info`.

use std::io::{Read as _, Seek as _, SeekFrom};
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
        match &self.source {
            Source::Bytes(bytes) => {
                let start = usize::try_from(offset).unwrap_or(usize::MAX);
                let part = bytes.get(start..).and_then(|rest| rest.get(..buffer.len()));
                buffer.copy_from_slice(part.unwrap_or_default());
                Ok(())
            }
            Source::File { path: file, size_bytes } => {
                let error =
                    |source| Error::Read { path: self.path.clone(), file: file.clone(), source };
                let mut open = sys::fs::open(file).map_err(error)?;
                if open.metadata().map_err(error)?.len() != *size_bytes {
                    return Err(self.changed());
                }
                open.seek(SeekFrom::Start(offset)).map_err(error)?;
                open.read_exact(buffer).map_err(error)
            }
        }
    }

    /// The error that its file is another one by now.
    pub(super) fn changed(&self) -> Error {
        let file = match &self.source {
            Source::File { path, .. } => path.clone(),
            Source::Bytes(_) => PathBuf::new(),
        };
        Error::Changed { path: self.path.clone(), file }
    }
}
