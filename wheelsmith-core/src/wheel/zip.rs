//! Writes the structure of the archive (APPNOTE 6.3.10) with only the required fields.
//!
//! There are no data descriptors, because package indexes compare local headers with the central
//! directory and refuse archives that omit sizes. The only extra field is zip64, and only for
//! numbers that do not fit otherwise.

use std::io::{self, BufWriter, Seek, SeekFrom, Write};

use super::time::EntryTime;

/// Limits of the fields of the plain format.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    /// Sizes and offsets from this value on use zip64 fields.
    pub(super) bytes: u64,
    /// Number of entries from which on the zip64 end record is needed.
    pub(super) entries: u64,
}

/// 0xFFFFFFFF and 0xFFFF themselves mean "see zip64".
pub(super) const LIMITS: Limits = Limits { bytes: 0xffff_ffff, entries: 0xffff };

/// Fields that both headers of an entry contain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header<'a> {
    pub(super) name: &'a str,
    pub(super) executable: bool,
    pub(super) deflated: bool,
    pub(super) crc: u32,
    pub(super) packed: u64,
    pub(super) size: u64,
}

/// Archive that is being written, from the start of `out`.
pub(super) struct Archive<W: Write + Seek> {
    out: BufWriter<W>,
    at: u64,
    time: EntryTime,
    limits: Limits,
    central: Vec<u8>,
    entries: u64,
}

/// Entry that is being written.
pub(super) struct Open<'a> {
    header: Header<'a>,
    start: u64,
    data: u64,
}

const LOCAL: u32 = 0x0403_4b50;
const CENTRAL: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;
const END_64: u32 = 0x0606_4b50;
const END_64_LOCATOR: u32 = 0x0706_4b50;
const ZIP64: u16 = 1;
const PLAIN_VERSION: u16 = 20;
const ZIP64_VERSION: u16 = 45;
const MADE_BY_UNIX: u16 = 3 << 8;

impl<W: Write + Seek> Archive<W> {
    pub(super) fn new(out: W, time: EntryTime, limits: Limits) -> Self {
        let out = BufWriter::with_capacity(1 << 16, out);
        Self { out, at: 0, time, limits, central: Vec::new(), entries: 0 }
    }

    /// Begins an entry. Its size is final; CRC, method and packed size may change until
    /// [`Self::close`].
    pub(super) fn open<'a>(&mut self, header: Header<'a>) -> io::Result<Open<'a>> {
        let start = self.at;
        let bytes = self.local(&header);
        self.write(&bytes)?;
        Ok(Open { header, start, data: self.at })
    }

    /// Writes data of the entry.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)?;
        self.at += bytes.len() as u64;
        Ok(())
    }

    /// Returns the number of data bytes that were written for the entry.
    pub(super) fn written(&self, open: &Open<'_>) -> u64 {
        self.at - open.data
    }

    /// Seeks back to the start of the entry's data. The caller must write at least as many bytes
    /// again.
    pub(super) fn rewind(&mut self, open: &Open<'_>) -> io::Result<()> {
        self.at = open.data;
        self.out.seek(SeekFrom::Start(self.at)).map(drop)
    }

    /// Ends the entry and writes its final header.
    pub(super) fn close(&mut self, open: &Open<'_>, header: &Header<'_>) -> io::Result<()> {
        if *header != open.header {
            let bytes = self.local(header);
            self.out.seek(SeekFrom::Start(open.start))?;
            self.out.write_all(&bytes)?;
            self.out.seek(SeekFrom::Start(self.at))?;
        }
        self.list(header, open.start);
        self.entries += 1;
        Ok(())
    }

    /// Writes the central directory and returns the size of the archive.
    pub(super) fn finish(mut self) -> io::Result<u64> {
        let (start, size) = (self.at, self.central.len() as u64);
        let central = std::mem::take(&mut self.central);
        self.write(&central)?;
        let Limits { bytes, entries } = self.limits;
        let mut end = Vec::new();
        if start >= bytes || size >= bytes || self.entries >= entries {
            let end_64 = self.at;
            put32(&mut end, END_64);
            put64(&mut end, 44);
            put16(&mut end, MADE_BY_UNIX | ZIP64_VERSION);
            put16(&mut end, ZIP64_VERSION);
            put64(&mut end, 0);
            for value in [self.entries, self.entries, size, start] {
                put64(&mut end, value);
            }
            put32(&mut end, END_64_LOCATOR);
            put32(&mut end, 0);
            put64(&mut end, end_64);
            put32(&mut end, 1);
        }
        put32(&mut end, END);
        put32(&mut end, 0);
        let count = if self.entries >= entries { u16::MAX } else { low16(self.entries) };
        put16(&mut end, count);
        put16(&mut end, count);
        put32(&mut end, if size >= bytes { u32::MAX } else { low32(size) });
        put32(&mut end, if start >= bytes { u32::MAX } else { low32(start) });
        put16(&mut end, 0);
        self.write(&end)?;
        self.out.flush()?;
        Ok(self.at)
    }

    /// True if the sizes need a zip64 field. Depends on the unpacked size only, so that the header
    /// has the same length for every compression. Packed data are never larger.
    fn is_long(&self, header: &Header<'_>) -> bool {
        header.size >= self.limits.bytes
    }

    fn local(&self, header: &Header<'_>) -> Vec<u8> {
        let long = self.is_long(header);
        let mut out = Vec::with_capacity(50 + header.name.len());
        put32(&mut out, LOCAL);
        put16(&mut out, if long { ZIP64_VERSION } else { PLAIN_VERSION });
        self.common(&mut out, header, if long { 20 } else { 0 });
        out.extend(header.name.as_bytes());
        if long {
            zip64(&mut out, &[header.size, header.packed]);
        }
        out
    }

    fn list(&mut self, header: &Header<'_>, start: u64) {
        let long = self.is_long(header);
        let far = start >= self.limits.bytes;
        let mut fields = Vec::new();
        if long {
            fields.extend([header.size, header.packed]);
        }
        if far {
            fields.push(start);
        }
        let version = if fields.is_empty() { PLAIN_VERSION } else { ZIP64_VERSION };
        let extra = if fields.is_empty() { 0 } else { 4 + 8 * low16(fields.len() as u64) };
        let mut out = std::mem::take(&mut self.central);
        put32(&mut out, CENTRAL);
        put16(&mut out, MADE_BY_UNIX | version);
        put16(&mut out, version);
        self.common(&mut out, header, extra);
        // No comment, first disk, no internal attributes.
        out.extend([0; 6]);
        put32(&mut out, if header.executable { 0o100_755 } else { 0o100_644 } << 16);
        put32(&mut out, if far { u32::MAX } else { low32(start) });
        out.extend(header.name.as_bytes());
        if !fields.is_empty() {
            zip64(&mut out, &fields);
        }
        self.central = out;
    }

    /// Writes the fields that local and central headers share.
    fn common(&self, out: &mut Vec<u8>, header: &Header<'_>, extra: u16) {
        let long = self.is_long(header);
        // Flag 11 marks the name as UTF-8. ASCII needs none.
        put16(out, if header.name.is_ascii() { 0 } else { 1 << 11 });
        put16(out, if header.deflated { 8 } else { 0 });
        put16(out, self.time.time);
        put16(out, self.time.date);
        put32(out, header.crc);
        for size in [header.packed, header.size] {
            put32(out, if long { u32::MAX } else { low32(size) });
        }
        put16(out, low16(header.name.len() as u64));
        put16(out, extra);
    }
}

fn zip64(out: &mut Vec<u8>, fields: &[u64]) {
    put16(out, ZIP64);
    put16(out, low16(8 * fields.len() as u64));
    for field in fields {
        put64(out, *field);
    }
}

/// Returns the low 16 bits. Names are shorter, and larger numbers are in zip64 fields.
#[allow(clippy::cast_possible_truncation)]
fn low16(value: u64) -> u16 {
    value as u16
}

/// Returns the low 32 bits. See [`low16`].
#[allow(clippy::cast_possible_truncation)]
fn low32(value: u64) -> u32 {
    value as u32
}

fn put16(out: &mut Vec<u8>, value: u16) {
    out.extend(value.to_le_bytes());
}

fn put32(out: &mut Vec<u8>, value: u32) {
    out.extend(value.to_le_bytes());
}

fn put64(out: &mut Vec<u8>, value: u64) {
    out.extend(value.to_le_bytes());
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read as _};

    use super::*;

    fn archive(limits: Limits, files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut out = Cursor::new(Vec::new());
        let mut archive = Archive::new(&mut out, EntryTime::default(), limits);
        for (name, bytes) in files {
            let size = bytes.len() as u64;
            let mut header = Header {
                name,
                executable: name.ends_with('x'),
                deflated: true,
                crc: 0,
                packed: 0,
                size,
            };
            let open = archive.open(header.clone()).unwrap();
            archive.write(&bytes[..bytes.len() / 2]).unwrap();
            archive.rewind(&open).unwrap();
            archive.write(bytes).unwrap();
            header =
                Header { deflated: false, crc: crc32fast::hash(bytes), packed: size, ..header };
            assert_eq!(archive.written(&open), size);
            archive.close(&open, &header).unwrap();
        }
        assert_eq!(archive.finish().unwrap(), out.get_ref().len() as u64);
        out.into_inner()
    }

    #[test]
    fn small_archives_have_no_byte_too_many() {
        let bytes = archive(LIMITS, &[("a", b"hello"), ("ü/x", b"")]);
        assert_eq!(bytes.len(), (30 + 1 + 5) + (30 + 4) + (46 + 1) + (46 + 4) + 22);
        assert_eq!(bytes[4..8], [20, 0, 0, 0]);
        assert_eq!(bytes[36 + 4..36 + 8], [20, 0, 0, 8], "the UTF-8 flag");
    }

    #[test]
    fn zip64_is_used_where_a_number_does_not_fit() {
        let long = vec![b'x'; 2000];
        let files: Vec<(&str, &[u8])> =
            vec![("short", b"hello"), ("long", &long), ("far", b"away"), ("farx", &long)];
        let check = |limits: Limits, extra: usize| {
            let bytes = archive(limits, &files);
            let plain = archive(LIMITS, &files);
            assert_eq!(bytes.len() - plain.len(), extra);
            let mut zip = ::zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
            assert_eq!(zip.len(), 4);
            for (i, (name, content)) in files.iter().enumerate() {
                let mut file = zip.by_index(i).unwrap();
                let mut found = Vec::new();
                file.read_to_end(&mut found).unwrap();
                assert_eq!((file.name().unwrap().as_ref(), &found[..]), (*name, *content));
                let mode = if name.ends_with('x') { 0o100_755 } else { 0o100_644 };
                assert_eq!(file.unix_mode(), Some(mode));
            }
        };
        let end = 56 + 20;
        check(Limits { entries: 4, ..LIMITS }, end);
        check(Limits { entries: 5, ..LIMITS }, 0);
        // Both long files: 20 bytes in each local header; for distant ones 8 more in the central
        // header.
        check(Limits { bytes: 1000, ..LIMITS }, 20 + 20 + 20 + (4 + 8) + (20 + 8) + end);
    }
}
