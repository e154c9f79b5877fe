//! Models of the zip readers of installers: Python's `zipfile`, which pip uses, and a reader of the
//! stream of local headers, as uv has it.
//!
//! They follow those readers check by check, including what they do not check. A test of
//! `wheelsmith-core` compares the first model with the `zipfile` of the Python at hand.

use flate2::{Crc, Decompress, FlushDecompress, Status};

/// Entry as a reader sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadEntry {
    /// Name of the file to which it is unpacked.
    pub name: String,
    /// Content; `None` if the reader refuses the entry.
    pub content: Option<Vec<u8>>,
    /// True if the content is packed by a method whose unpacking is not modelled.
    pub is_other_method: bool,
}

/// Differences between releases of Python.
#[derive(Debug, Clone, Copy)]
pub struct Python {
    /// True if an entry that reaches into the next one is refused (3.11.4 and later).
    pub refuses_overlaps: bool,
    /// True if the field 0x7075 replaces the name (3.13 and later).
    pub reads_unicode_path: bool,
}

/// Limit of the bytes that one entry is unpacked to.
const MOST_UNPACKED: usize = 16 << 20;
const LOCAL: &[u8] = b"PK\x03\x04";
const CENTRAL: &[u8] = b"PK\x01\x02";
const END: &[u8] = b"PK\x05\x06";
const END_BYTES: usize = 22;
const END64_BYTES: usize = 56;
const LOCATOR_BYTES: usize = 20;
const IN_ZIP64: u64 = 0xffff_ffff;
/// Characters of code page 437 from 0x80 on.
const CP437: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";

/// End record, and the zip64 record before it if there is one.
struct EndRecord {
    /// Offset of the end record.
    at: usize,
    size_bytes: u64,
    offset: u64,
    is_zip64: bool,
}

/// Entry of the directory.
struct Entry {
    /// Name as written.
    raw_name: String,
    /// Name of the file.
    name: String,
    flags: u16,
    method: u16,
    crc: u32,
    packed_bytes: u64,
    size_bytes: u64,
    /// Offset of the local header, which may be outside the file.
    start: i128,
    /// Offset of the next entry or of the directory.
    end: i128,
}

/// Reads an archive as `ZipFile(path)` does, and each entry as `archive.read(info)` does. Returns
/// `None` if the archive is refused.
pub fn python(bytes: &[u8], python: Python) -> Option<Vec<ReadEntry>> {
    let end = end_record(bytes)?;
    let records = if end.is_zip64 { END64_BYTES + LOCATOR_BYTES } else { 0 };
    let start = end.at as i128 - i128::from(end.size_bytes) - records as i128;
    let shift = start - i128::from(end.offset);
    let start = usize::try_from(start).ok()?;
    let size = usize::try_from(end.size_bytes).ok()?;
    let mut directory = bytes.get(start..)?;
    directory = &directory[..size.min(directory.len())];
    let mut entries = Vec::new();
    let mut total = 0;
    while total < size {
        let fixed = directory.get(..46).filter(|fixed| fixed.starts_with(CENTRAL))?;
        let lengths = [28, 30, 32].map(|at| usize::from(le16(fixed, at)));
        total += 46 + lengths.iter().sum::<usize>();
        directory = &directory[46..];
        // What is cut short here is not refused.
        let [name, extra, _] = lengths.map(|length| {
            let (part, rest) = directory.split_at(length.min(directory.len()));
            directory = rest;
            part
        });
        let mut entry = central(fixed, name)?;
        zip64(&mut entry, extra, name, python)?;
        entry.start += shift;
        entries.push(entry);
    }
    let mut order: Vec<usize> = (0..entries.len()).collect();
    // Python sorts in reverse, and keeps the order of equal offsets.
    order.sort_by_key(|&at| std::cmp::Reverse(entries[at].start));
    let mut end = start as i128;
    for at in order {
        entries[at].end = end;
        end = entries[at].start;
    }
    let seen = entries.iter().map(|entry| ReadEntry {
        name: entry.name.clone(),
        content: content(bytes, entry, python),
        is_other_method: !matches!(entry.method, 0 | 8),
    });
    Some(seen.collect())
}

/// `_EndRecData`.
fn end_record(bytes: &[u8]) -> Option<EndRecord> {
    let last = bytes.len().checked_sub(END_BYTES)?;
    let is_plain = bytes[last..].starts_with(END) && bytes.ends_with(&[0, 0]);
    let at = if is_plain {
        last
    } else {
        let first = bytes.len().saturating_sub((1 << 16) + END_BYTES);
        first + find_last(&bytes[first..], END)?
    };
    let record = bytes.get(at..at + END_BYTES)?;
    let (size_bytes, offset) = (le32(record, 12).into(), le32(record, 16).into());
    let plain = EndRecord { at, size_bytes, offset, is_zip64: false };
    let Some(start) = at.checked_sub(LOCATOR_BYTES) else { return Some(plain) };
    let locator = &bytes[start..at];
    if !locator.starts_with(b"PK\x06\x07") {
        return Some(plain);
    }
    if le32(locator, 4) != 0 || le32(locator, 16) > 1 {
        return None;
    }
    let start = start.checked_sub(END64_BYTES)?;
    let record = &bytes[start..start + END64_BYTES];
    if !record.starts_with(b"PK\x06\x06") {
        return Some(plain);
    }
    let (size_bytes, offset) = (le64(record, 40), le64(record, 48));
    Some(EndRecord { at, size_bytes, offset, is_zip64: true })
}

fn find_last(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).rposition(|window| window == part)
}

fn central(fixed: &[u8], name: &[u8]) -> Option<Entry> {
    let flags = le16(fixed, 8);
    let raw_name = decode(name, flags)?;
    // The newest version of the format that Python knows is 6.3.
    if fixed[6] > 63 {
        return None;
    }
    Some(Entry {
        name: until_zero(&raw_name).to_owned(),
        raw_name,
        flags,
        method: le16(fixed, 10),
        crc: le32(fixed, 16),
        packed_bytes: le32(fixed, 20).into(),
        size_bytes: le32(fixed, 24).into(),
        start: le32(fixed, 42).into(),
        end: 0,
    })
}

/// `ZipInfo._decodeExtra`.
fn zip64(entry: &mut Entry, mut extra: &[u8], name: &[u8], python: Python) -> Option<()> {
    while extra.len() >= 4 {
        let (id, length) = (le16(extra, 0), usize::from(le16(extra, 2)));
        let field = extra.get(4..4 + length)?;
        if id == 1 {
            let mut rest = field;
            if matches!(entry.size_bytes, IN_ZIP64 | u64::MAX) {
                entry.size_bytes = take_u64(&mut rest)?;
            }
            if entry.packed_bytes == IN_ZIP64 {
                entry.packed_bytes = take_u64(&mut rest)?;
            }
            if entry.start == i128::from(IN_ZIP64) {
                entry.start = take_u64(&mut rest)?.into();
            }
        }
        if id == 0x7075 && python.reads_unicode_path {
            let (version, crc) = (*field.first()?, field.get(1..5)?);
            if version == 1 && le32(crc, 0) == crc_of(name) {
                let other = std::str::from_utf8(&field[5..]).ok()?;
                if !other.is_empty() {
                    until_zero(other).clone_into(&mut entry.name);
                }
            }
        }
        extra = &extra[4 + length..];
    }
    Some(())
}

/// `ZipFile.open` and `ZipExtFile.read`.
fn content(bytes: &[u8], entry: &Entry, python: Python) -> Option<Vec<u8>> {
    let start = usize::try_from(entry.start).ok()?;
    let fixed =
        bytes.get(start..start.checked_add(30)?).filter(|fixed| fixed.starts_with(LOCAL))?;
    let [name, extra] = [26, 28].map(|at| usize::from(le16(fixed, at)));
    let rest = &bytes[start + 30..];
    let (name, rest) = rest.split_at(name.min(rest.len()));
    let rest = &rest[extra.min(rest.len())..];
    // Patched data, strong encryption, and encryption.
    if entry.flags & 0x61 != 0 || decode(name, le16(fixed, 6))? != entry.raw_name {
        return None;
    }
    let at = (bytes.len() - rest.len()) as i128;
    if python.refuses_overlaps && at + i128::from(entry.packed_bytes) > entry.end {
        return None;
    }
    let packed_bytes = usize::try_from(entry.packed_bytes).ok()?;
    let size = usize::try_from(entry.size_bytes).unwrap_or(usize::MAX);
    let packed = &rest[..packed_bytes.min(rest.len())];
    let is_cut = packed.len() < packed_bytes;
    let (mut content, is_complete) = match entry.method {
        0 => (packed.to_vec(), false),
        8 => {
            let inflated = inflate(packed)?;
            (inflated.bytes, inflated.is_complete)
        }
        _ => return None,
    };
    // A read at the end of the file is an error, and ends with the content.
    if is_cut && (packed.is_empty() || (!is_complete && content.len() < size)) {
        return None;
    }
    content.truncate(size);
    (crc_of(&content) == entry.crc).then_some(content)
}

/// Reads the entries in the order of the file, without the directory, as uv does while it
/// downloads a wheel. Returns `None` if the archive is refused.
pub fn stream(bytes: &[u8]) -> Option<Vec<ReadEntry>> {
    let mut rest = bytes;
    let mut entries = Vec::new();
    while let Some(after) = rest.strip_prefix(LOCAL) {
        let fixed = after.get(..26)?;
        let (flags, method) = (le16(fixed, 2), le16(fixed, 4));
        let [name, extra] = [22, 24].map(|at| usize::from(le16(fixed, at)));
        let (name, after) = after[26..].split_at_checked(name)?;
        let (mut extra, after) = after.split_at_checked(extra)?;
        let [mut packed_bytes, mut size_bytes] = [14, 18].map(|at| u64::from(le32(fixed, at)));
        let mut has_zip64 = false;
        while extra.len() >= 4 {
            let (id, length) = (le16(extra, 0), usize::from(le16(extra, 2)));
            let mut field = extra.get(4..4 + length)?;
            extra = &extra[4 + length..];
            if id == 1 {
                has_zip64 = true;
                if size_bytes == IN_ZIP64 {
                    size_bytes = take_u64(&mut field)?;
                }
                if packed_bytes == IN_ZIP64 {
                    packed_bytes = take_u64(&mut field)?;
                }
            }
        }
        if flags & 1 != 0 {
            return None;
        }
        let mut crc = le32(fixed, 10);
        let content = if flags & 8 != 0 {
            // Without a size only a deflated stream shows where it ends.
            let inflated = (method == 8).then(|| inflate(after))??;
            if !inflated.is_complete {
                return None;
            }
            rest = &after[inflated.packed_bytes..];
            rest = rest.strip_prefix(b"PK\x07\x08").unwrap_or(rest);
            crc = le32(rest.get(..4)?, 0);
            rest = rest.get(4 + if has_zip64 { 16 } else { 8 }..)?;
            inflated.bytes
        } else {
            let (packed, after) = after.split_at_checked(usize::try_from(packed_bytes).ok()?)?;
            rest = after;
            match method {
                0 => packed.to_vec(),
                8 => inflate(packed).filter(|inflated| inflated.is_complete)?.bytes,
                _ => return None,
            }
        };
        if crc_of(&content) != crc {
            return None;
        }
        let name = String::from_utf8(name.to_vec()).ok()?;
        entries.push(ReadEntry { name, content: Some(content), is_other_method: false });
    }
    (rest.starts_with(CENTRAL) || rest.starts_with(END)).then_some(entries)
}

struct Inflated {
    bytes: Vec<u8>,
    /// True if the stream has its end.
    is_complete: bool,
    /// Number of packed bytes up to the end.
    packed_bytes: usize,
}

/// Inflates a stream that may be cut short. Returns `None` if it is damaged, or has more bytes than
/// a test should have.
fn inflate(packed: &[u8]) -> Option<Inflated> {
    let mut inflater = Decompress::new(false);
    let mut bytes = Vec::new();
    loop {
        let used = usize::try_from(inflater.total_in()).ok()?;
        let before = bytes.len();
        bytes.reserve(64 << 10);
        let status = inflater.decompress_vec(&packed[used..], &mut bytes, FlushDecompress::None);
        let packed_bytes = usize::try_from(inflater.total_in()).ok()?;
        if status.ok()? == Status::StreamEnd {
            return Some(Inflated { bytes, is_complete: true, packed_bytes });
        }
        if packed_bytes == used && bytes.len() == before {
            return Some(Inflated { bytes, is_complete: false, packed_bytes });
        }
        if bytes.len() > MOST_UNPACKED {
            return None;
        }
    }
}

fn decode(name: &[u8], flags: u16) -> Option<String> {
    if flags & 0x800 != 0 {
        return String::from_utf8(name.to_vec()).ok();
    }
    let high: Vec<char> = CP437.chars().collect();
    let decoded = name.iter().map(|&byte| match byte {
        0..0x80 => char::from(byte),
        _ => high[usize::from(byte) - 0x80],
    });
    Some(decoded.collect())
}

fn until_zero(text: &str) -> &str {
    text.split('\0').next().unwrap_or_default()
}

fn crc_of(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}

fn take_u64(bytes: &mut &[u8]) -> Option<u64> {
    let (number, rest) = bytes.split_first_chunk::<8>()?;
    *bytes = rest;
    Some(u64::from_le_bytes(*number))
}

fn le16(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn le32(bytes: &[u8], at: usize) -> u32 {
    u32::from(le16(bytes, at)) | u32::from(le16(bytes, at + 2)) << 16
}

fn le64(bytes: &[u8], at: usize) -> u64 {
    u64::from(le32(bytes, at)) | u64::from(le32(bytes, at + 4)) << 32
}
