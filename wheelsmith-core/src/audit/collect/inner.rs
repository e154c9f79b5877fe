//! Recognizes native files and archives inside other bytes.

use super::scan::Magic;
use crate::archive::blob::Blob;
use crate::archive::open::{self, Container};
use crate::archive::{tar, zip};
use crate::binary::extent::Probe;
use crate::binary::{archive, elf, macho, pe};

/// A file inside another file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Inner {
    pub(super) start: u64,
    pub(super) size: u64,
    /// Kind of the container; `None` for a native file.
    pub(super) container: Option<Container>,
}

/// Returns the file that the magic number at offset `at` of `blob` belongs to, if its headers are
/// valid.
pub(super) fn find(blob: &Blob, at: u64, magic: Magic) -> Option<Inner> {
    let native = |start: u64, extent: &dyn Fn(&Probe<'_>) -> Option<u64>| {
        let read = |at: u64, bytes: &mut [u8]| blob.fill_at(start.checked_add(at)?, bytes).ok();
        let size = extent(&Probe::new(&read)).filter(|size| start + size <= blob.size())?;
        Some(Inner { start, size, container: None })
    };
    let from = |start: u64| blob.part(start, blob.size().checked_sub(start)?);
    let inner = |start, size, container| Inner { start, size, container: Some(container) };
    match magic {
        Magic::Elf => native(at, &elf::extent),
        Magic::MachO => native(at, &macho::extent),
        Magic::Archive => native(at, &archive::extent),
        Magic::Pe => {
            let start = pe::start(&Probe::new(&|at, bytes| blob.fill_at(at, bytes).ok()), at)?;
            native(start, &|probe| pe::extent(probe, at - start))
        }
        Magic::Gzip => {
            let rest = from(at)?;
            let first = open::gzip_first_bytes(&rest);
            let is_worth_it = Container::of(&first).is_some() || super::may_be_native(&first);
            is_worth_it.then(|| inner(at, rest.size(), Container::Gzip))
        }
        Magic::ZipEnd => {
            let comment = u64::from(u16::from_le_bytes(blob.array_at(at.checked_add(20)?).ok()?));
            let end = (at + 22 + comment).min(blob.size());
            let start = zip::Directory::find(&blob.part(0, end)?)?.shift;
            let first = blob.array_at::<4>(start).ok()?;
            let size = end.checked_sub(start)?;
            (Container::of(&first) == Some(Container::Zip))
                .then(|| inner(start, size, Container::Zip))
        }
        Magic::Tar => {
            let start = at.checked_sub(257)?;
            let size = tar::extent(&from(start)?);
            (size > 0).then(|| inner(start, size, Container::Tar))
        }
    }
}

/// Returns the offsets of the slices of a universal file; empty for other files.
pub(super) fn slices(blob: &Blob) -> Vec<u64> {
    macho::slice_offsets(&Probe::new(&|at, bytes| blob.fill_at(at, bytes).ok()))
}
