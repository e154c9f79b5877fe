//! Unpacks each entry of a wheel once and compares it with its header.

use std::io;

use sha2::{Digest as _, Sha256};

use super::Limits;
use super::findings::Findings;
use crate::archive::blob::Blob;
use crate::archive::source::Buffers;
use crate::archive::zip::{Entry, Unreadable, Zip};
use crate::archive::{self, PackedContent, tar};
use crate::finding::{Code, Finding, Severity};
use crate::metadata::recorded_digest::Algorithm;
use crate::name::Digest;
use crate::sys::Cancel;

/// Number of first bytes that are kept: enough to recognise native files and the first line of
/// scripts.
const HEAD_BYTES: usize = 64;

/// Entry and its content.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) entry: Entry,
    /// Content; `None` if it is damaged, overlaps another entry, or exceeds a limit.
    pub(super) content: Option<Content>,
}

/// Facts about a content.
#[derive(Debug)]
pub(super) struct Content {
    /// SHA-256 of all bytes.
    pub(super) digest: Digest,
    /// Bytes that are kept, of few of the files.
    kept: Option<Box<Kept>>,
}

#[derive(Debug, Default)]
struct Kept {
    /// First bytes of native files and of scripts.
    head: Vec<u8>,
    /// All bytes of metadata files.
    whole: Option<Vec<u8>>,
}

impl Content {
    /// Returns the first bytes of a native file or a script; empty for other files.
    pub(super) fn head(&self) -> &[u8] {
        self.kept.as_ref().map_or(&[], |kept| &kept.head)
    }

    /// Returns the digest of all bytes by `algorithm`; `None` if they cannot be read again.
    pub(super) fn digest_by(
        &self,
        archive: &Blob,
        entry: &Entry,
        algorithm: Algorithm,
    ) -> Option<Vec<u8>> {
        if algorithm == Algorithm::Sha256 {
            return Some(self.digest.as_bytes().to_vec());
        }
        // Rare, so that the bytes are not hashed by every algorithm when they are read first.
        let mut hasher = algorithm.hasher();
        let packed = PackedContent::of(archive, entry)?;
        let read = packed.read(&mut Buffers::new(), &mut |part| {
            hasher.update(part);
            Ok(())
        });
        read.is_ok().then(|| hasher.finalize().into_vec())
    }
}

impl Member {
    /// True if it is a directory: its name ends with `/`.
    pub(super) fn is_dir(&self) -> bool {
        self.entry.is_dir()
    }

    /// Returns all bytes of a metadata file.
    pub(super) fn kept(&self) -> Option<&[u8]> {
        self.content.as_ref()?.kept.as_ref()?.whole.as_deref()
    }
}

/// Reads the archive. Returns its entries in the order of their content, or `None` if they cannot
/// be listed.
pub(super) fn read(
    blob: &Blob,
    limits: &Limits,
    cancel: &Cancel,
    out: &mut Findings,
) -> io::Result<Option<Vec<Member>>> {
    let stopped = || io::Error::new(io::ErrorKind::Interrupted, "stopped");
    let most = archive::Limits {
        members: limits.entries as u64,
        directory_bytes: limits.directory_bytes,
        ..archive::Limits::default()
    };
    let zip = match Zip::open(blob, &most, cancel) {
        Ok(zip) => zip,
        Err(Unreadable::Format(why)) => {
            out.whole(Code::Unreadable, why);
            return Ok(None);
        }
        Err(Unreadable::Io(error)) => return Err(error),
        Err(Unreadable::Cancelled) => return Err(stopped()),
    };
    zip.refusals.into_iter().chain(zip.deviations).for_each(|finding| out.push(finding));
    let Some(directory) = zip.directory else { return Ok(None) };
    if directory.comment_bytes > 0 {
        let message = format!("the archive has a comment of {} bytes", directory.comment_bytes);
        let finding = Finding::whole(Code::ArchiveComment, message);
        // The index and installers accept it; comments of entries are refused.
        out.push(Finding { severity: Severity::Warning, ..finding });
    }
    if blob.array_at::<512>(0).is_ok_and(|first| tar::is_header(&first)) {
        out.whole(Code::TarPolyglot, "its first bytes are a header of a tar archive");
    }
    let sizes = zip.entries.iter().map(|entry| entry.header.size_bytes);
    let total = sizes.fold(0_u64, u64::saturating_add);
    let ratio = total / blob.size().max(1);
    if total > limits.ratio_from_bytes && ratio > limits.ratio {
        let message = format!("it unpacks to {} MiB, {ratio} times its size", total >> 20);
        out.whole(Code::CompressionRatio, message);
    }
    let mut contents = Contents {
        blob,
        limits,
        buffers: Buffers::new(),
        // Limit for all files together: as much as a good archive can unpack to.
        left: limits.ratio_from_bytes.max(blob.size().saturating_mul(limits.ratio)),
        held: 0,
    };
    let mut members = Vec::with_capacity(zip.entries.len());
    for entry in zip.entries {
        if cancel.is_cancelled() {
            return Err(stopped());
        }
        let content = contents.read(&entry, out)?;
        members.push(Member { entry, content });
    }
    Ok(Some(members))
}

/// State of unpacking the entries.
struct Contents<'a> {
    blob: &'a Blob,
    limits: &'a Limits,
    buffers: Buffers,
    /// Number of bytes that may still be unpacked.
    left: u64,
    /// Number of metadata bytes in memory.
    held: u64,
}

impl Contents<'_> {
    fn read(&mut self, entry: &Entry, out: &mut Findings) -> io::Result<Option<Content>> {
        let (path, stated) = (&entry.path, &entry.header);
        if stated.is_encrypted() || !matches!(stated.method, 0 | 8) {
            return Ok(None);
        }
        let Some(packed) = PackedContent::of(self.blob, entry) else { return Ok(None) };
        // The unpacked size may differ from the one in the header.
        if stated.size_bytes > self.left || (self.left == 0 && stated.packed_bytes > 0) {
            let message = format!("it has {} MiB, and was not unpacked", stated.size_bytes >> 20);
            out.file(Code::OverLimit, path, message);
            return Ok(None);
        }
        let top = path.as_str().split('/').next().unwrap_or_default();
        let is_metadata = top.ends_with(".dist-info");
        let keep = is_metadata
            && stated.size_bytes <= self.limits.metadata_bytes
            && self.held + stated.size_bytes <= self.limits.held_bytes;
        if is_metadata && !keep {
            out.file(Code::OverLimit, path, "it is too large for a file of metadata");
        }
        let room = usize::try_from(stated.size_bytes).unwrap_or_default();
        let whole = keep.then(|| Vec::with_capacity(room));
        let mut kept = Kept { head: Vec::new(), whole };
        let (mut sha, mut size_bytes) = (Sha256::new(), 0);
        let is_data = super::place::in_data(path).is_some();
        let read = packed.read(&mut self.buffers, &mut |part| {
            if size_bytes == 0 && (is_data || super::place::begins_native(part)) {
                kept.head.extend_from_slice(&part[..part.len().min(HEAD_BYTES)]);
            }
            sha.update(part);
            size_bytes += part.len() as u64;
            if let Some(whole) = &mut kept.whole {
                whole.extend_from_slice(part);
            }
            Ok(())
        });
        self.left = self.left.saturating_sub(size_bytes);
        match read {
            Ok(0) => {}
            Ok(unused) => {
                let message = format!("{unused} bytes after its content belong to no entry");
                out.file(Code::StrayBytes, path, message);
            }
            Err(archive::error::MemberError::Io(error)) => return Err(error),
            Err(error) => {
                out.push(error.finding(path));
                return Ok(None);
            }
        }
        self.held += kept.whole.as_ref().map_or(0, |whole| whole.len() as u64);
        let digest = Digest::from_bytes(sha.finalize().into());
        let is_kept = kept.whole.is_some() || !kept.head.is_empty();
        let kept = is_kept.then(|| Box::new(kept));
        Ok(Some(Content { digest, kept }))
    }
}
