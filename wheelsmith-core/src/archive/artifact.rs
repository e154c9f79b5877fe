//! Opened archives, directories and single files. Members are listed and read without unpacking the
//! whole.

use std::path::{Path, PathBuf};

use super::error::MemberError;
use super::members::{Location, Members};
use super::open::{self, Kind};
use super::source::Buffers;
use super::{Error, Limits, Member};
use crate::finding::Finding;
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

    /// Returns the problems of the archive itself: above all, why two installers could read it
    /// differently. An archive that has any must not be trusted.
    pub fn findings(&self) -> &[Finding] {
        &self.members.findings
    }

    /// Reads a member of at most `most_bytes`, and compares it with the size and the CRC in its
    /// header if it has them.
    ///
    /// # Errors
    /// Returns an error if the member does not exist, is larger, or is damaged.
    pub fn read(&self, path: &WheelPath, most_bytes: u64) -> Result<Vec<u8>, Error> {
        let at = self.at(path)?;
        let error = |why| Error::Member { path: self.path.clone(), member: path.clone(), why };
        let most = |size: u64| match size {
            size if size > most_bytes => {
                Err(error(format!("it has {size} bytes, more than {most_bytes}")))
            }
            size => Ok(size),
        };
        if let Location::Packed(content) = &self.members.locations[at] {
            most(content.size_bytes())?;
            return content.load().map_err(|trouble| error(trouble.into_text()));
        }
        let mut buffers = Buffers::new();
        let source = self.members.locations[at].open(&mut buffers);
        let mut source = source.map_err(|trouble| error(trouble.into_text()))?;
        let size = most(source.size())?;
        source.bytes(&(0..size)).map_err(|trouble| error(trouble.into_text()))
    }

    /// Calls `take` with each part of the member at index `at`. The content of a zip entry is
    /// compared with the size and the CRC in its header.
    ///
    /// # Errors
    /// Returns an error if the member is damaged; `take` was called with some of the parts by then.
    pub(crate) fn visit(
        &self,
        at: usize,
        buffers: &mut Buffers,
        take: &mut dyn FnMut(&[u8]),
    ) -> Result<(), Error> {
        let mut visit = || -> Result<(), MemberError> {
            if let Location::Packed(content) = &self.members.locations[at] {
                let mut taken = |part: &[u8]| {
                    take(part);
                    Ok(())
                };
                return content.read(buffers, &mut taken).map(|_| ());
            }
            let mut source = self.members.locations[at].open(buffers)?;
            let whole = 0..source.size();
            source.visit(&whole, take)
        };
        visit().map_err(|trouble| Error::Member {
            path: self.path.clone(),
            member: self.members.list[at].path.clone(),
            why: trouble.into_text(),
        })
    }

    /// Returns the packed size of the member at index `at` in bytes; `None` if the archive is
    /// compressed as a whole, or not at all.
    pub(crate) fn packed_bytes(&self, at: usize) -> Option<u64> {
        match &self.members.locations[at] {
            Location::Packed(content) => Some(content.packed_bytes()),
            _ => None,
        }
    }

    /// Returns the index of a member.
    pub(crate) fn at(&self, path: &WheelPath) -> Result<usize, Error> {
        let at = self.members.list.binary_search_by(|member| member.path.cmp(path));
        at.map_err(|_| Error::NoMember { path: self.path.clone(), member: path.clone() })
    }
}
