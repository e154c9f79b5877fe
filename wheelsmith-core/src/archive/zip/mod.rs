//! Reads zip archives (PKWARE's APPNOTE).
//!
//! Own code, because the `zip` crate lists each name once and uses the central directory alone.
//! Installers differ in the header that they use, so this reader compares both. An archive that two
//! installers could read differently has an *ambiguity*, and every command refuses it.

mod end;
#[cfg(test)]
pub(crate) mod forge;
mod header;
mod names;

use std::collections::BTreeMap;

pub(crate) use self::end::Directory;
pub(crate) use self::header::Header;
use self::header::{CENTRAL, CENTRAL_BYTES, Extra, ExtraProblem, LOCAL, LOCAL_BYTES};
use super::Limits;
use super::blob::Blob;
use super::error::MemberError;
use super::inflate::inflate;
use super::safe_path::safe_path;
use super::source::Buffers;
use crate::finding::{Code, Finding};
use crate::name::WheelPath;
use crate::sys::Cancel;

/// Size of the parts in which the directory and unused bytes are read.
const PART: usize = 256 << 10;
/// Limit of findings with the same code.
const MOST_OF_ONE: usize = 50;
const UNIX: u8 = 3;

/// A zip archive whose headers were read and compared. Its content was not.
#[derive(Debug)]
pub(crate) struct Zip {
    /// Entries in the order of their content, including directories.
    pub(crate) entries: Vec<Entry>,
    /// Directory; `None` if readers would find different ones, or it exceeds a limit.
    pub(crate) directory: Option<Directory>,
    /// Reasons to refuse the archive: above all, two installers could read it differently.
    pub(crate) refusals: Vec<Finding>,
    /// Deviations that readers agree on.
    pub(crate) deviations: Vec<Finding>,
    has_zip64: bool,
}

/// Returns the size of the central header that begins `bytes`.
#[cfg(feature = "wheel")]
pub(crate) fn central_size(bytes: &[u8]) -> Option<usize> {
    let fixed = bytes.get(..CENTRAL_BYTES)?;
    Some(CENTRAL_BYTES + header::central_lengths(fixed).iter().sum::<usize>())
}

/// Entry of a zip archive.
#[derive(Debug)]
pub(crate) struct Entry {
    /// Path. Characters that no path may contain are escaped.
    pub(crate) path: WheelPath,
    /// Name as written; `None` if it is equal to the path.
    raw_name: Option<Box<[u8]>>,
    /// Central header; the local one is equal, or there is an ambiguity.
    pub(crate) header: Header,
    pub(crate) system: u8,
    pub(crate) attributes: u32,
    pub(crate) has_comment: bool,
    /// Position of its header in the directory.
    pub(crate) index: u32,
    /// Size of its local header in bytes.
    local_bytes: u32,
    /// Offset of its local header in the file.
    pub(crate) start: u64,
    /// Offset of the first byte after its content and data descriptor.
    pub(crate) end: u64,
    /// False if its local header is missing, or its bytes overlap another entry.
    is_readable: bool,
}

impl Entry {
    /// Returns the name as written in the archive.
    pub(crate) fn name(&self) -> &[u8] {
        self.raw_name.as_deref().unwrap_or(self.path.as_str().as_bytes())
    }

    /// Returns the offset of its content in the file.
    pub(crate) fn content_at(&self) -> u64 {
        self.start + u64::from(self.local_bytes)
    }

    /// True if it is a directory: its name ends with `/`.
    pub(crate) fn is_dir(&self) -> bool {
        self.name().ends_with(b"/")
    }

    /// Returns its type and permissions; `None` if it was not written on Unix.
    pub(crate) fn mode(&self) -> Option<u32> {
        (self.system == UNIX).then_some(self.attributes >> 16)
    }

    /// True if its mode has an execute bit.
    pub(crate) fn is_executable(&self) -> bool {
        self.mode().is_some_and(|mode| mode & 0o111 != 0)
    }

    /// Returns its packed content; `None` if that is not found.
    pub(crate) fn part(&self, archive: &Blob) -> Option<Blob> {
        let part = archive.part(self.content_at(), self.header.packed_bytes)?;
        self.is_readable.then_some(part)
    }
}

/// Reason why a file cannot be read as a zip archive.
#[derive(Debug)]
pub(crate) enum Unreadable {
    Format(String),
    Io(std::io::Error),
    Cancelled,
}

impl Unreadable {
    fn new(why: &str) -> Self {
        Self::Format(why.to_owned())
    }

    fn io(error: std::io::Error) -> Self {
        Self::Io(error)
    }

    pub(crate) fn into_text(self) -> String {
        match self {
            Self::Format(why) => why,
            Self::Io(error) => error.to_string(),
            Self::Cancelled => "stopped".to_owned(),
        }
    }
}

/// Findings about an archive, with a limit for each code.
#[derive(Debug, Default)]
struct Findings {
    has_zip64: bool,
    refusals: Vec<Finding>,
    deviations: Vec<Finding>,
    counts: BTreeMap<(bool, Code), usize>,
}

impl Findings {
    fn push(&mut self, is_refused: bool, finding: Finding) {
        let count = self.counts.entry((is_refused, finding.code)).or_default();
        *count += 1;
        if *count < MOST_OF_ONE {
            let list = if is_refused { &mut self.refusals } else { &mut self.deviations };
            list.push(finding);
        }
    }

    fn refuse(&mut self, code: Code, message: &str) {
        self.push(true, Finding::whole(code, message));
    }

    fn refuse_entry(&mut self, code: Code, entry: &WheelPath, message: impl Into<String>) {
        self.push(true, Finding::new(code, entry, message));
    }

    fn note(&mut self, code: Code, message: String) {
        self.push(false, Finding::whole(code, message));
    }

    fn note_entry(&mut self, code: Code, entry: &WheelPath, message: impl Into<String>) {
        self.push(false, Finding::new(code, entry, message));
    }

    /// Returns reasons to refuse, and deviations.
    fn finish(mut self) -> (Vec<Finding>, Vec<Finding>) {
        for ((is_refused, code), count) in self.counts {
            if let Some(more) = count.checked_sub(MOST_OF_ONE - 1).filter(|more| *more > 0) {
                let finding = Finding::whole(code, format!("and {more} more of these"));
                let list = if is_refused { &mut self.refusals } else { &mut self.deviations };
                list.push(finding);
            }
        }
        (self.refusals, self.deviations)
    }
}

impl Zip {
    /// Reads the directory and every local header of the archive that ends `blob`.
    pub(crate) fn open(blob: &Blob, limits: &Limits, cancel: &Cancel) -> Result<Self, Unreadable> {
        let mut findings = Findings::default();
        let mut directory = end::find(blob, &mut findings)?;
        let entries = match &directory {
            Some(directory) => list(blob, directory, limits, &mut findings)?,
            None => None,
        };
        // Without reliable entries, the position of the directory is of no use.
        directory = directory.filter(|_| entries.is_some());
        let mut entries = entries.unwrap_or_default();
        if let Some(directory) = &directory {
            let left = limits.ratio_from_bytes.max(blob.size().saturating_mul(limits.ratio));
            let inflated = Inflated { buffers: None, left };
            let mut walk = Walk { blob, directory, at: 0, inflated, findings: &mut findings };
            for entry in &mut entries {
                if cancel.is_cancelled() {
                    return Err(Unreadable::Cancelled);
                }
                walk.entry(entry)?;
            }
            walk.gap(directory.start, None)?;
            names::compare(&entries, &mut findings);
        }
        let has_zip64 = findings.has_zip64;
        let (refusals, deviations) = findings.finish();
        Ok(Self { entries, directory, refusals, deviations, has_zip64 })
    }
}

impl Zip {
    /// Returns the first reason to refuse the archive, with its code.
    pub(crate) fn refusal(&self) -> Option<String> {
        refusal(&self.refusals)
    }

    /// True if a header has a zip64 field.
    #[cfg(feature = "wheel")]
    pub(crate) fn has_zip64(&self) -> bool {
        self.has_zip64
    }
}

/// Returns the first of the reasons to refuse an archive, with its code.
pub(crate) fn refusal(refusals: &[Finding]) -> Option<String> {
    let first = refusals.first()?;
    let file = first.file.as_ref().map_or_else(String::new, |file| format!("`{file}`: "));
    let more = match refusals.len() - 1 {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    Some(format!("{file}{} [{}]{more}", first.message, first.code))
}

/// Reads the directory. Returns its entries sorted by the offset of their local headers, or `None`
/// if they exceed a limit.
fn list(
    blob: &Blob,
    directory: &Directory,
    limits: &Limits,
    findings: &mut Findings,
) -> Result<Option<Vec<Entry>>, Unreadable> {
    if directory.size_bytes > limits.directory_bytes {
        let message = format!("its directory has {} MiB", directory.size_bytes >> 20);
        findings.refuse(Code::OverLimit, &message);
        return Ok(None);
    }
    let mut entries = Vec::new();
    let (at, left) = (directory.start, directory.size_bytes);
    let mut records = Records { blob, at, left, part: Vec::new(), used: 0 };
    loop {
        let (fixed, name, extra) = match records.next()? {
            Record::Header(fixed, name, extra) => (fixed, name, extra),
            Record::End => break,
            Record::Other => {
                let message = "its directory has something that is no header, or is cut short";
                findings.refuse(Code::HeaderMismatch, message);
                break;
            }
        };
        if entries.len() as u64 == limits.members {
            let message = format!("it has more than {} entries", limits.members);
            findings.refuse(Code::OverLimit, &message);
            return Ok(None);
        }
        let mut extra = Extra::parse(extra, name);
        let central = header::central(fixed, &mut extra);
        findings.has_zip64 |= extra.zip64.is_some();
        let shown = name.strip_suffix(b"/").unwrap_or(name);
        let (path, is_same) = safe_path(&shown[..shown.len().min(limits.path_bytes)]);
        let is_same = is_same && shown.len() <= limits.path_bytes;
        let is_path = is_same && !name.ends_with(b"/");
        let start = central.offset.saturating_add(directory.shift);
        let entry = Entry {
            path,
            raw_name: (!is_path).then(|| name.into()),
            header: central.header,
            system: central.system,
            attributes: central.attributes,
            has_comment: central.has_comment,
            index: u32::try_from(entries.len()).unwrap_or(u32::MAX),
            local_bytes: 0,
            start,
            end: start,
            is_readable: false,
        };
        names::judge(&entry, is_same, limits, findings);
        if central.disk != 0 {
            let message = "it claims to be in another file";
            findings.refuse_entry(Code::HeaderMismatch, &entry.path, message);
        }
        note_extra(&entry.path, &extra, findings);
        entries.push(entry);
    }
    if entries.len() as u64 != directory.count {
        let message = format!(
            "its end record counts {} entries, its directory has {}",
            directory.count,
            entries.len()
        );
        findings.refuse(Code::HeaderMismatch, &message);
    }
    entries.shrink_to_fit();
    // The sort is stable: of entries with the same bytes, the first in the directory owns them.
    entries.sort_by_key(|entry: &Entry| entry.start);
    Ok(Some(entries))
}

fn note_extra(path: &WheelPath, extra: &Extra<'_>, findings: &mut Findings) {
    match extra.problem {
        Some(ExtraProblem::Ambiguous(why)) => {
            findings.refuse_entry(Code::Zip64Extra, path, why);
        }
        Some(ExtraProblem::Form(why)) => findings.note_entry(Code::Zip64Extra, path, why),
        None => {}
    }
    if let Some(id) = extra.other {
        findings.note_entry(Code::ZipExtra, path, format!("it has the extra field {id:#06x}"));
    }
}

/// Reads the directory part by part.
struct Records<'b> {
    blob: &'b Blob,
    /// Offset of the bytes that are read next.
    at: u64,
    left: u64,
    part: Vec<u8>,
    /// Number of bytes of the part that were returned.
    used: usize,
}

/// Next record of the directory.
enum Record<'r> {
    /// Fixed part, name and extra fields of a header.
    Header(&'r [u8], &'r [u8], &'r [u8]),
    /// Something else.
    Other,
    End,
}

impl Records<'_> {
    fn next(&mut self) -> Result<Record<'_>, Unreadable> {
        if self.used == self.part.len() && self.left == 0 {
            return Ok(Record::End);
        }
        self.fetch(CENTRAL_BYTES)?;
        let head = &self.part[self.used..];
        if head.len() < CENTRAL_BYTES || !head.starts_with(CENTRAL) {
            return Ok(Record::Other);
        }
        let [name, extra, comment] = header::central_lengths(head);
        let size = CENTRAL_BYTES + name + extra + comment;
        self.fetch(size)?;
        let start = self.used;
        let Some(record) = self.part.get(start..start + size) else { return Ok(Record::Other) };
        self.used += size;
        let (fixed, rest) = record.split_at(CENTRAL_BYTES);
        let (name, rest) = rest.split_at(name);
        Ok(Record::Header(fixed, name, &rest[..extra]))
    }

    /// Loads at least `size` bytes if there are as many.
    fn fetch(&mut self, size: usize) -> Result<(), Unreadable> {
        if self.part.len() - self.used >= size || self.left == 0 {
            return Ok(());
        }
        self.part.drain(..self.used);
        self.used = 0;
        let more = usize::try_from(self.left).unwrap_or(PART).min(PART);
        let held = self.part.len();
        self.part.resize(held + more, 0);
        self.blob.fill_at(self.at, &mut self.part[held..]).map_err(Unreadable::io)?;
        self.at += more as u64;
        self.left -= more as u64;
        Ok(())
    }
}

/// Position while the local headers are read from the first to the last.
struct Walk<'a> {
    blob: &'a Blob,
    directory: &'a Directory,
    /// Offset up to which all bytes are judged.
    at: u64,
    inflated: Inflated,
    findings: &'a mut Findings,
}

/// State of inflating the entries that are followed by a data descriptor.
struct Inflated {
    /// Buffers, if there was such an entry.
    buffers: Option<Buffers>,
    /// Number of bytes that may still be inflated.
    left: u64,
}

impl Walk<'_> {
    fn entry(&mut self, entry: &mut Entry) -> Result<(), Unreadable> {
        let (path, start) = (entry.path.clone(), entry.start);
        let Some((local, local_bytes, problem)) = self.local(entry)? else {
            let message = "there is no local header where the directory points";
            self.findings.refuse_entry(Code::HeaderMismatch, &path, message);
            return Ok(());
        };
        self.compare(entry, &local, &problem);
        if start > self.at {
            self.gap(start, Some(&path))?;
        }
        let end = self.directory.start;
        entry.local_bytes = local_bytes;
        let content_end = entry.content_at().saturating_add(entry.header.packed_bytes);
        entry.end = content_end;
        if start < self.at {
            let message = "its bytes are those of another entry as well";
            self.findings.refuse_entry(Code::OverlappingEntries, &path, message);
        } else if content_end > end {
            let message = "its content reaches into the directory";
            self.findings.refuse_entry(Code::OverlappingEntries, &path, message);
        } else {
            entry.is_readable = true;
            if local.has_descriptor() {
                self.descriptor(entry)?;
            }
        }
        self.at = self.at.max(entry.end.min(end));
        if self.directory.shift > 0 {
            self.unshifted(entry)?;
        }
        Ok(())
    }

    /// Reads the local header of `entry`, and returns it with its size in bytes.
    fn local(&mut self, entry: &Entry) -> Result<Option<(Header, u32, LocalTexts)>, Unreadable> {
        let room = self.directory.start.saturating_sub(entry.start);
        let likely = LOCAL_BYTES + entry.name().len() + 64;
        let mut bytes = vec![0; usize::try_from(room).unwrap_or(likely).min(likely)];
        self.blob.fill_at(entry.start, &mut bytes).map_err(Unreadable::io)?;
        if bytes.len() < LOCAL_BYTES || !bytes.starts_with(LOCAL) {
            return Ok(None);
        }
        let [name, extra] = header::local_lengths(&bytes);
        let size = LOCAL_BYTES + name + extra;
        if size as u64 > room {
            return Ok(None);
        }
        if size > bytes.len() {
            bytes.resize(size, 0);
            self.blob.fill_at(entry.start, &mut bytes).map_err(Unreadable::io)?;
        }
        let (fixed, rest) = bytes.split_at(LOCAL_BYTES);
        let (name, rest) = rest.split_at(name);
        let mut fields = Extra::parse(&rest[..extra], name);
        let local = header::local(fixed, &mut fields);
        self.findings.has_zip64 |= fields.zip64.is_some();
        let other_name = (name != entry.name()).then(|| name.escape_ascii().to_string());
        let texts = LocalTexts { other_name, problem: fields.problem, extra: fields.other };
        let local_bytes = u32::try_from(size).unwrap_or(u32::MAX);
        Ok(Some((local, local_bytes, texts)))
    }

    /// Compares the two headers of an entry.
    fn compare(&mut self, entry: &Entry, local: &Header, texts: &LocalTexts) {
        let (path, central) = (&entry.path, &entry.header);
        let mut differ = Vec::new();
        if let Some(name) = &texts.other_name {
            differ.push(format!("the name before its content is `{name}`"));
        }
        // A writer that cannot seek leaves zeros, or the marks of zip64.
        let unknown = |value: u64| value == 0 || value == header::IN_ZIP64;
        let is_same = |local_value: u64, central_value: u64| {
            local_value == central_value || (local.has_descriptor() && unknown(local_value))
        };
        if !is_same(local.packed_bytes, central.packed_bytes)
            || !is_same(local.size_bytes, central.size_bytes)
            || !is_same(local.crc.into(), central.crc.into())
        {
            differ.push("sizes or CRC differ".to_owned());
        }
        if central.method != local.method {
            differ.push("the compression differs".to_owned());
        }
        if central.is_encrypted() != local.is_encrypted()
            || central.has_descriptor() != local.has_descriptor()
            || central.says_utf8() != local.says_utf8()
        {
            differ.push("the flags differ".to_owned());
        }
        if central.method == 0
            && !central.is_encrypted()
            && central.packed_bytes != central.size_bytes
        {
            differ.push("it is stored, and has two sizes".to_owned());
        }
        if !differ.is_empty() {
            let message = format!("its headers differ: {}", differ.join("; "));
            self.findings.refuse_entry(Code::HeaderMismatch, path, message);
        }
        if central.is_encrypted() || local.is_encrypted() {
            self.findings.refuse_entry(Code::EncryptedEntry, path, "it is encrypted");
        }
        if local.has_descriptor() || central.has_descriptor() {
            let message = "its sizes stand behind its content";
            self.findings.note_entry(Code::DataDescriptor, path, message);
        }
        let extra = Extra { other: texts.extra, problem: texts.problem, ..Extra::default() };
        note_extra(path, &extra, self.findings);
    }

    /// Reads the data descriptor after the content of `entry`: a signature in most archives, the
    /// CRC, and two sizes of four or eight bytes.
    fn descriptor(&mut self, entry: &mut Entry) -> Result<(), Unreadable> {
        let room = usize::try_from(self.directory.start - entry.end).unwrap_or(24).min(24);
        let mut bytes = vec![0; room];
        self.blob.fill_at(entry.end, &mut bytes).map_err(Unreadable::io)?;
        let Header { crc, packed_bytes, size_bytes, .. } = entry.header;
        let short = [crc, low32(packed_bytes), low32(size_bytes)].map(u32::to_le_bytes).concat();
        let sizes = [packed_bytes, size_bytes].map(u64::to_le_bytes).concat();
        let long = [&crc.to_le_bytes()[..], &sizes].concat();
        let is_small = u32::try_from(packed_bytes.max(size_bytes)).is_ok();
        let signed = |fields: &[u8]| [b"PK\x07\x08", fields].concat();
        let forms = [signed(&long), signed(&short), long, short];
        let matching =
            forms.iter().find(|form| bytes.starts_with(form) && (is_small || form.len() >= 20));
        if let Some(form) = matching {
            self.stream_end(entry)?;
            entry.end += form.len() as u64;
        } else {
            let message = "its data descriptor differs from its header";
            self.findings.refuse_entry(Code::HeaderMismatch, &entry.path, message);
        }
        Ok(())
    }

    /// Compares the end of a deflated stream with the sizes in the header. A reader that has no
    /// directory yet takes the bytes after the stream for the data descriptor and further entries.
    fn stream_end(&mut self, entry: &Entry) -> Result<(), Unreadable> {
        let Header { packed_bytes, size_bytes, .. } = entry.header;
        let Some(packed) = entry.part(self.blob).filter(|_| entry.header.method == 8) else {
            return Ok(());
        };
        let buffers = self.inflated.buffers.get_or_insert_with(Buffers::new);
        let (mut size, left) = (0_u64, &mut self.inflated.left);
        let read = inflate(&packed, buffers, &mut |part| {
            size += part.len() as u64;
            *left = left.saturating_sub(part.len() as u64);
            match (size > size_bytes, *left) {
                (true, _) => Err(MemberError::Damaged(String::new())),
                (_, 0) => Err(MemberError::OverLimit(String::new())),
                _ => Ok(()),
            }
        });
        let (code, message) = match read {
            Ok(read) if read == packed_bytes && size == size_bytes => return Ok(()),
            Err(MemberError::Io(error)) => return Err(Unreadable::Io(error)),
            Err(MemberError::OverLimit(_)) => {
                (Code::OverLimit, "it unpacks to more than the size of the archive allows")
            }
            _ => (Code::HeaderMismatch, "its content does not end where its header says"),
        };
        self.findings.refuse_entry(code, &entry.path, message);
        Ok(())
    }

    /// Judges the bytes up to `end` that belong to no entry. `before` is the entry after them.
    fn gap(&mut self, end: u64, before: Option<&WheelPath>) -> Result<(), Unreadable> {
        let start = self.at;
        if start >= end {
            return Ok(());
        }
        self.at = end;
        let has_entry = if start == 0 {
            // A program may be in front and contain any bytes; a reader that does not search for
            // the directory begins with the first bytes.
            // An end record is an archive without entries.
            let first = self.blob.array_at::<4>(0).map_err(Unreadable::io)?;
            end >= 4 && [LOCAL, CENTRAL, end::END, end::END64].contains(&&first)
        } else {
            self.has_local(start, end)?
        };
        let size = end - start;
        let message = match before {
            Some(_) => format!("{size} bytes before it belong to nothing"),
            None => format!("{size} bytes lie between entries and directory"),
        };
        let finding = |message: String| match before {
            Some(path) => Finding::new(Code::StrayBytes, path, message),
            None => Finding::whole(Code::StrayBytes, message),
        };
        if has_entry {
            let message = if start == 0 {
                format!("{message}, and begin with a header that the directory does not list")
            } else {
                format!("{message}, with an entry that the directory does not list")
            };
            self.findings.push(true, finding(message));
        } else {
            self.findings.push(false, finding(message));
        }
        Ok(())
    }

    /// True if the signature of a local header is between `start` and `end`.
    fn has_local(&self, start: u64, end: u64) -> Result<bool, Unreadable> {
        let mut part = Vec::new();
        let mut at = start;
        while at < end {
            // The last three bytes of a part may begin a signature.
            part.drain(..part.len().saturating_sub(3));
            let held = part.len();
            let more = usize::try_from(end - at).unwrap_or(PART).min(PART);
            part.resize(held + more, 0);
            self.blob.fill_at(at, &mut part[held..]).map_err(Unreadable::io)?;
            if memchr::memmem::find(&part, LOCAL).is_some() {
                return Ok(true);
            }
            at += more as u64;
        }
        Ok(false)
    }

    /// Searches for a second header of `entry` at its uncorrected offset.
    fn unshifted(&mut self, entry: &Entry) -> Result<(), Unreadable> {
        let offset = entry.start - self.directory.shift;
        if self.blob.array_at::<4>(offset).map_err(Unreadable::io)? == *LOCAL {
            let message = "there is another local header where its offset points from the start";
            self.findings.refuse_entry(Code::HeaderMismatch, &entry.path, message);
        }
        Ok(())
    }
}

/// Parts of a local header that are not in [`Header`].
struct LocalTexts {
    /// Escaped name, if it differs from the one in the directory.
    other_name: Option<String>,
    problem: Option<ExtraProblem>,
    extra: Option<u16>,
}

#[allow(clippy::cast_possible_truncation, reason = "compared with fields that hold no more")]
fn low32(value: u64) -> u32 {
    value as u32
}
