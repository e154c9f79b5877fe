//! Finds the end record of a zip archive, and with it the directory (APPNOTE 4.3.14 to 4.3.16).

use super::header::{le16, le32, le64};
use super::{Findings, Unreadable};
use crate::archive::blob::Blob;
use crate::finding::Code;

pub(super) const END: &[u8; 4] = b"PK\x05\x06";
const END_BYTES: usize = 22;
pub(super) const END64: &[u8; 4] = b"PK\x06\x06";
const END64_BYTES: usize = 56;
const LOCATOR: &[u8; 4] = b"PK\x06\x07";
const LOCATOR_BYTES: usize = 20;
/// Size of the longest comment after the end record.
const COMMENT_BYTES: usize = 0xffff;

/// Position of the central directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Directory {
    /// Offset of its first byte in the file.
    pub(crate) start: u64,
    pub(crate) size_bytes: u64,
    /// Number of entries in the end record.
    pub(crate) count: u64,
    /// Bytes before the archive that its offsets leave out.
    pub(crate) shift: u64,
    /// Offset of the comment after the end record.
    pub(crate) comment_at: u64,
    /// Size of that comment.
    pub(crate) comment_bytes: usize,
}

impl Directory {
    /// True if an archive ends `blob`, even one that readers disagree on.
    pub(crate) fn is_at_end(blob: &Blob) -> bool {
        find(blob, &mut Findings::default()).is_ok()
    }

    /// Finds the directory of the archive that ends `blob`; `None` if it has none, or several.
    pub(crate) fn find(blob: &Blob) -> Option<Self> {
        find(blob, &mut Findings::default()).ok().flatten()
    }
}

/// Finds the directory of the archive that ends `blob`. Returns `None` if readers would find
/// different ones, and adds a finding with the reason.
pub(super) fn find(blob: &Blob, findings: &mut Findings) -> Result<Option<Directory>, Unreadable> {
    let most = (END_BYTES + COMMENT_BYTES + LOCATOR_BYTES + END64_BYTES) as u64;
    let tail_at = blob.size().saturating_sub(most);
    let mut tail = vec![0; usize::try_from(blob.size() - tail_at).unwrap_or_default()];
    blob.fill_at(tail_at, &mut tail).map_err(Unreadable::io)?;
    let marks: Vec<usize> = memchr::memmem::find_iter(&tail, END).collect();
    let whole = |at: &&usize| tail.len() - **at >= END_BYTES;
    let Some(&at) = marks.iter().rev().find(whole) else {
        return Err(Unreadable::new("it has no end record; it may be cut short"));
    };
    let comment = |at: usize| usize::from(le16(&tail, at + 20));
    let behind = |at: usize| tail.len() - at - END_BYTES;
    if marks.iter().any(|mark| *mark > at) {
        findings.refuse(Code::HeaderMismatch, "its comment has the mark of an end record");
        return Ok(None);
    }
    if marks.iter().any(|mark| *mark < at && comment(*mark) == behind(*mark)) {
        findings.refuse(Code::HeaderMismatch, "it has two end records that reach to its end");
        return Ok(None);
    }
    if comment(at) > behind(at) {
        findings.refuse(Code::HeaderMismatch, "the comment at its end is cut short");
        return Ok(None);
    }
    if comment(at) < behind(at) {
        let message = format!("{} bytes lie behind the archive", behind(at) - comment(at));
        findings.note(Code::StrayBytes, message);
    }
    directory(&tail, tail_at, at, blob, findings)
}

/// Reads the directory to which the end record at `at` in `tail` points.
fn directory(
    tail: &[u8],
    tail_at: u64,
    at: usize,
    blob: &Blob,
    findings: &mut Findings,
) -> Result<Option<Directory>, Unreadable> {
    let outside = || Unreadable::new("its directory lies outside the file; it may be cut short");
    let record = &tail[at..at + END_BYTES];
    let mut disks = [le16(record, 4), le16(record, 6)].map(u64::from);
    let mut counts = [le16(record, 8), le16(record, 10)].map(u64::from);
    let (mut size_bytes, mut offset) = (u64::from(le32(record, 12)), u64::from(le32(record, 16)));
    let mut end = tail_at + at as u64;
    let locator = at.checked_sub(LOCATOR_BYTES).map(|start| &tail[start..at]);
    if let Some(locator) = locator.filter(|locator| locator.starts_with(LOCATOR)) {
        findings.has_zip64 = true;
        let start = at.checked_sub(LOCATOR_BYTES + END64_BYTES).ok_or_else(outside)?;
        let record64 = &tail[start..start + END64_BYTES];
        // Data between the end record and its locator would make readers use different offsets.
        if !record64.starts_with(END64) || le64(record64, 4) != (END64_BYTES - 12) as u64 {
            let message = "its zip64 end record is not right before its locator";
            findings.refuse(Code::HeaderMismatch, message);
            return Ok(None);
        }
        end = tail_at + start as u64;
        let wide = [32, 40, 48].map(|at| le64(record64, at));
        let fits = |small: u64, mark: u64, wide: u64| small == mark || small == wide;
        if !fits(counts[1], 0xffff, wide[0])
            || !fits(size_bytes, 0xffff_ffff, wide[1])
            || !fits(offset, 0xffff_ffff, wide[2])
        {
            findings.refuse(Code::HeaderMismatch, "its two end records differ");
        }
        disks = [le32(record64, 16), le32(record64, 20)].map(u64::from);
        counts = [le64(record64, 24), wide[0]];
        (size_bytes, offset) = (wide[1], wide[2]);
        let shift = end.checked_sub(size_bytes).and_then(|start| start.checked_sub(offset));
        let stated = shift.and_then(|shift| le64(locator, 8).checked_add(shift));
        if stated != Some(end) || le32(locator, 4) != 0 || le32(locator, 16) > 1 {
            let message = "its zip64 end record is not where its locator says";
            findings.refuse(Code::HeaderMismatch, message);
        }
    } else if size_bytes == 0xffff_ffff || offset == 0xffff_ffff {
        findings.refuse(Code::HeaderMismatch, "its zip64 end record is missing");
        return Ok(None);
    }
    if disks != [0, 0] || counts[0] != counts[1] {
        findings.refuse(Code::HeaderMismatch, "it claims to be one part of several");
    }
    let start = end.checked_sub(size_bytes).ok_or_else(outside)?;
    let shift = start.checked_sub(offset).ok_or_else(outside)?;
    if shift > 0 && size_bytes > 0 {
        // A reader that does not correct the offset must not find another directory there.
        let other = blob.array_at::<4>(offset).map_err(Unreadable::io)?;
        if other == *super::header::CENTRAL {
            findings.refuse(Code::HeaderMismatch, "it has two directories");
            return Ok(None);
        }
    }
    let comment_bytes = usize::from(le16(record, 20));
    let comment_at = tail_at + (at + END_BYTES) as u64;
    Ok(Some(Directory { start, size_bytes, count: counts[1], shift, comment_at, comment_bytes }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::zip::forge::Zip;

    #[test]
    fn archives_with_two_ends_are_ambiguous() {
        let check = |change: fn(&mut Zip), expected: Option<&str>| {
            let mut zip = Zip::new(&[("a", b"1")]);
            change(&mut zip);
            let mut findings = Findings::default();
            let blob = Blob::from_bytes(zip.bytes());
            let found = find(&blob, &mut findings).unwrap();
            let (ambiguous, _) = findings.finish();
            let messages: Vec<String> = ambiguous.into_iter().map(|f| f.message).collect();
            match expected {
                None => assert!(found.is_some() && messages.is_empty(), "{messages:?}"),
                Some(part) => assert!(messages.iter().any(|m| m.contains(part)), "{messages:?}"),
            }
        };
        check(|_| {}, None);
        check(|zip| zip.comment = b"made by hand".into(), None);
        check(|zip| zip.behind = b"more".into(), None);
        check(|zip| zip.before = b"#!/bin/sh\n".into(), None);
        check(|zip| zip.comment = b"PK\x05\x06".into(), Some("mark of an end"));
        check(|zip| zip.comment = Zip::new(&[("b", b"2")]).bytes(), Some("two end records"));
        check(|zip| (zip.before, zip.is_shifted) = (b"#!/bin/sh\n".into(), true), None);
        let marks = |zip: &mut Zip| {
            (zip.before, zip.is_shifted) = ([b'P', b'K', 1, 2].repeat(30), true);
        };
        check(marks, Some("two directories"));
        check(|zip| zip.comment_size = Some(9), Some("cut short"));
        check(|zip| zip.directory_size = Some(u32::MAX), Some("zip64 end record is missing"));
        check(|zip| zip.disk = 1, Some("one part of several"));
    }
}
