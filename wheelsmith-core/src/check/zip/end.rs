//! The end of a zip archive: where its directory lies (APPNOTE 4.3.14 to 4.3.16).

use std::io::{self, Read, Seek, SeekFrom};

use crate::check::findings::Findings;
use crate::check::header::{le16, le32, le64};
use crate::finding::Code;

const END_BYTES: u64 = 22;
const LOCATOR_BYTES: u64 = 20;
const END64_BYTES: u64 = 56;
/// The longest comment behind the end.
const COMMENT_BYTES: u64 = 0xffff;

/// Where the directory lies.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Directory {
    /// Its first byte.
    pub(super) at: u64,
    pub(super) size_bytes: u64,
    /// Entries, as the end counts them.
    pub(super) count: u64,
    /// Bytes before the archive, which its offsets leave out.
    pub(super) base: u64,
    /// All bytes of the file.
    pub(super) file_bytes: u64,
}

/// Finds the directory, and says what is wrong with the end of the archive.
pub(super) fn find<R: Read + Seek>(
    reader: &mut R,
    out: &mut Findings,
) -> io::Result<Option<Directory>> {
    let file_bytes = reader.seek(SeekFrom::End(0))?;
    let tail_bytes = file_bytes.min(END_BYTES + COMMENT_BYTES + LOCATOR_BYTES + END64_BYTES);
    let tail_at = file_bytes - tail_bytes;
    reader.seek(SeekFrom::Start(tail_at))?;
    let mut tail = Vec::new();
    reader.by_ref().take(tail_bytes).read_to_end(&mut tail)?;
    let Some(at) = end_record(&tail) else {
        out.whole(Code::Unreadable, "it is no zip archive, or it is cut short");
        return Ok(None);
    };
    let record = &tail[at..];
    let comment = usize::from(le16(record, 20));
    let behind = record.len() - 22;
    if comment > 0 {
        out.whole(Code::ArchiveComment, format!("the archive has a comment of {comment} bytes"));
    }
    if behind > comment {
        let message = format!("{} bytes lie behind the archive", behind - comment);
        out.whole(Code::StrayBytes, message);
    }
    let mut disks = [le16(record, 4), le16(record, 6)].map(u64::from);
    let mut counts = [le16(record, 8), le16(record, 10)].map(u64::from);
    let (mut size_bytes, mut offset) = (u64::from(le32(record, 12)), u64::from(le32(record, 16)));
    let mut directory_end = tail_at + at as u64;
    let locator = at.checked_sub(20).map(|locator| &tail[locator..at]);
    if let Some(locator) = locator.filter(|locator| locator.starts_with(b"PK\x06\x07")) {
        let record64_at = directory_end - LOCATOR_BYTES;
        let Some(start) = at.checked_sub(76) else {
            out.whole(Code::Unreadable, "its zip64 end is cut short");
            return Ok(None);
        };
        let record64 = &tail[start..start + 56];
        if !record64.starts_with(b"PK\x06\x06") || le64(record64, 4) != 44 {
            // Data between its fields and the locator is for other programs than installers.
            out.whole(Code::HeaderMismatch, "its zip64 end has more or less than its fields");
            return Ok(None);
        }
        directory_end = record64_at - END64_BYTES;
        disks = [le32(record64, 16), le32(record64, 20)].map(u64::from);
        let own = [le64(record64, 24), le64(record64, 32)];
        let sizes = (le64(record64, 40), le64(record64, 48));
        let fits = |small: u64, mark: u64, large: u64| small == mark || small == large;
        if !fits(counts[1], 0xffff, own[1])
            || !fits(size_bytes, 0xffff_ffff, sizes.0)
            || !fits(offset, 0xffff_ffff, sizes.1)
        {
            out.whole(Code::HeaderMismatch, "its two ends differ");
        }
        counts = own;
        (size_bytes, offset) = sizes;
        let base = directory_end.saturating_sub(offset.saturating_add(size_bytes));
        if le64(locator, 8).saturating_add(base) != directory_end {
            out.whole(Code::HeaderMismatch, "its zip64 end is not where the archive says");
        }
    }
    if disks != [0, 0] || counts[0] != counts[1] {
        out.whole(Code::HeaderMismatch, "it claims to be one part of several");
    }
    let Some(at) = directory_end.checked_sub(size_bytes).filter(|at| *at >= offset) else {
        out.whole(Code::Unreadable, "its directory is larger than the file, or behind its end");
        return Ok(None);
    };
    let base = at - offset;
    if base > 0 {
        let message = format!("{base} bytes lie before the archive or its directory");
        out.whole(Code::StrayBytes, message);
    }
    Ok(Some(Directory { at, size_bytes, count: counts[1], base, file_bytes }))
}

/// The last end record whose comment fits, or the last at all.
fn end_record(tail: &[u8]) -> Option<usize> {
    let mut found = memchr::memmem::rfind_iter(tail, b"PK\x05\x06")
        .filter(|at| tail.len() - at >= 22)
        // An archive may hold others; the end of each is found by its last signature only.
        .take(64);
    let last = found.next()?;
    let fits = |at: &usize| tail.len() - at - 22 == usize::from(le16(&tail[*at..], 20));
    if fits(&last) { Some(last) } else { found.find(fits).or(Some(last)) }
}
