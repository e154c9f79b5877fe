//! Opened archives, directories and single files. Members are listed and read without unpacking the
//! whole.

use std::path::{Path, PathBuf};

use super::members::Members;
use super::open::{self, Kind};
use super::source::Buffers;
use super::{Error, Limits, Member};
use crate::name::WheelPath;
use crate::sys::Host;

/// Opened archive, directory or file. Its members are listed; none is unpacked.
#[derive(Debug)]
pub struct Artifact {
    pub(crate) path: PathBuf,
    kind: Kind,
    pub(crate) members: Members,
    pub(crate) limits: Limits,
}

impl Artifact {
    /// Opens `path` and determines the kind from its first bytes. A `.tar.gz` is unpacked to a file
    /// without a name, which is deleted with this value.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read, or is a truncated archive.
    pub fn open(path: &Path, limits: &Limits, host: &Host) -> Result<Self, Error> {
        let (kind, members) = open::open(path, limits, &host.cancel)?;
        Ok(Self { path: path.to_owned(), kind, members, limits: limits.clone() })
    }

    /// Returns the kind.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Returns the files, by path, without directories.
    pub fn members(&self) -> &[Member] {
        &self.members.list
    }

    /// Reads a member of at most `most_bytes`.
    ///
    /// # Errors
    /// Returns an error if the member does not exist, is larger, or is damaged.
    pub fn read(&self, path: &WheelPath, most_bytes: u64) -> Result<Vec<u8>, Error> {
        let at = self.at(path)?;
        let error = |why| Error::Member { path: self.path.clone(), member: path.clone(), why };
        let mut buffers = Buffers::new();
        let source = self.members.locations[at].open(&mut buffers);
        let mut source = source.map_err(|trouble| error(trouble.into_text()))?;
        if source.size() > most_bytes {
            return Err(error(format!("it has {} bytes, more than {most_bytes}", source.size())));
        }
        let size = source.size();
        source.bytes(&(0..size)).map_err(|trouble| error(trouble.into_text()))
    }

    /// Returns the index of a member.
    pub(crate) fn at(&self, path: &WheelPath) -> Result<usize, Error> {
        let at = self.members.list.binary_search_by(|member| member.path.cmp(path));
        at.map_err(|_| Error::NoMember { path: self.path.clone(), member: path.clone() })
    }
}
