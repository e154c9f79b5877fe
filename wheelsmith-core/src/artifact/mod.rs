//! What is audited: a wheel or another zip archive, a tar archive, a directory, a single file.
//!
//! An [`Artifact`] lists its members without unpacking them, and reads what native files say of
//! themselves: of a large file, only the parts that a loader looks at. Nothing is trusted. What
//! is wrong with one member is a finding, and the others are judged; only what cannot be opened at
//! all is an [`Error`]. How much is read is bounded by [`Limits`].
//!
//! ```no_run
//! use wheelsmith_core::archive::Limits;
//! use wheelsmith_core::artifact::{Artifact, Inspect};
//! use wheelsmith_core::sys::{Env, Host};
//!
//! let host = Host::quiet(Env::default());
//! let wheel = Artifact::open("demo-1.0-py3-none-any.whl".as_ref(), &Limits::default(), &host)?;
//! let (files, findings) = wheel.native_files(&Inspect::default(), &host)?;
//! # Ok::<(), wheelsmith_core::artifact::Error>(())
//! ```

mod embedded;
mod extent;
mod inspect;
mod report;
mod scan;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

#[cfg(feature = "repair")]
pub(crate) use report::audit_as;
pub use report::{libraries, report};

use crate::archive::members::Members;
use crate::archive::source::Buffers;
use crate::archive::{Error, Limits, Member, blob, error, open, pieces, source};
use crate::audit::{Kind, NativeFile};
use crate::finding::Finding;
use crate::name::WheelPath;
use crate::sys::Host;

/// An input, opened: its members are known, and none is unpacked.
#[derive(Debug)]
pub struct Artifact {
    path: PathBuf,
    kind: Kind,
    members: Members,
    limits: Limits,
}

/// How closely to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Inspect {
    /// Also look for native files inside other files and archives, and for paths of the machine
    /// that built them. Everything is unpacked then.
    pub deep: bool,
}

impl Artifact {
    /// Opens `path`; archives are told by their first bytes. A packed tar archive (`.tar.gz`) is
    /// unpacked to a file without a name, which goes with the value.
    ///
    /// # Errors
    /// What is not there, cannot be read, or is an archive that is cut short.
    pub fn open(path: &Path, limits: &Limits, host: &Host) -> Result<Self, Error> {
        let (kind, members) = open::open(path, limits, &host.cancel)?;
        let kind = Kind::from(kind);
        Ok(Self { path: path.to_owned(), kind, members, limits: limits.clone() })
    }

    /// What it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Its files, by path; directories are none.
    pub fn members(&self) -> &[Member] {
        &self.members.list
    }

    /// All of a member, when it has no more than `most_bytes`.
    ///
    /// # Errors
    /// A member that is not there, is larger, or is damaged.
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

    /// Its native files by path, and what is wrong with its members and with itself. Both are the
    /// same for any number of jobs.
    ///
    /// The calling thread works along, and counts as one job of which the caller takes care: who
    /// audits several artifacts at once holds a token of `host.jobs` for each. Helpers take tokens
    /// that are free.
    ///
    /// # Errors
    /// When the user asks to stop.
    pub fn native_files(
        &self,
        inspect: &Inspect,
        host: &Host,
    ) -> Result<(Vec<NativeFile>, Vec<Finding>), Error> {
        inspect::native_files(&self.members, *inspect, &self.limits, host)
    }

    /// What one member says of itself; nothing when it is not native.
    ///
    /// # Errors
    /// A member that is not there, or that cannot be read as far as its facts reach.
    pub fn native_file(&self, path: &WheelPath, host: &Host) -> Result<Option<NativeFile>, Error> {
        let at = self.at(path)?;
        let context = inspect::Context {
            inspect: Inspect::default(),
            limits: &self.limits,
            cancel: &host.cancel,
        };
        let mut seen = inspect::Seen::default();
        let (mut buffers, place) = (Buffers::new(), &self.members.locations[at]);
        inspect::look(&context, &mut buffers, path, place, 0, &mut seen);
        match (seen.files.pop(), seen.findings.pop()) {
            (file, None) => Ok(file),
            (_, Some(finding)) => Err(Error::Member {
                path: self.path.clone(),
                member: path.clone(),
                why: finding.message,
            }),
        }
    }

    /// Where a member stands in the list.
    fn at(&self, path: &WheelPath) -> Result<usize, Error> {
        let at = self.members.list.binary_search_by(|member| member.path.cmp(path));
        at.map_err(|_| Error::NoMember { path: self.path.clone(), member: path.clone() })
    }
}

/// What the file at `file` says of itself, under the name `path`; nothing when it is not native.
///
/// # Errors
/// What the system gives no bytes of.
pub fn native_file(
    path: &WheelPath,
    file: &Path,
    limits: &Limits,
) -> std::io::Result<Option<NativeFile>> {
    let blob = blob::Blob::new(crate::sys::fs::open(file)?)?;
    let mut buffers = Buffers::new();
    let mut source = source::Source::stored(&mut buffers, blob);
    let to_io = |trouble: error::MemberError| std::io::Error::other(trouble.into_text());
    let (first, trouble) = pieces::first(&mut source);
    if let Some(trouble) = trouble {
        return Err(to_io(trouble));
    }
    if !inspect::may_be_native(&first) {
        return Ok(None);
    }
    let reader = |pieces: &crate::binary::Pieces| NativeFile::read(path, pieces);
    match pieces::drive(&mut source, first, limits, reader) {
        (_, Some(trouble @ error::MemberError::Unreadable(_))) => Err(to_io(trouble)),
        // What goes beyond a limit is read up to there, and is then a problem of the file.
        (mut file, _) => {
            if let Some(macho) = file.as_mut().and_then(|file| file.macho.as_mut()) {
                inspect::compare_pages(&mut source, macho).map_err(to_io)?;
            }
            Ok(file)
        }
    }
}
