//! Changes the name and tags of a wheel, and copies all other bytes of its archive.

use std::io::{self, Write};
use std::path::Path;

use super::deflate::PIECE;
use super::deflate::{Deflater, Space};
use super::{Error, Existing, MadeFile, Packing, save};
use crate::archive::Blob;
use crate::archive::zip::{self, Zip};
use crate::metadata::Record;
use crate::metadata::rows::Rows;
use crate::name::{Digest, WheelFilename};
use crate::sys::Host;

/// Size of a central header before its name, in bytes.
const CENTRAL_BYTES: usize = 46;
/// Size of a local header before its name. Its fields begin two bytes earlier than the central
/// ones.
const LOCAL_BYTES: usize = 30;
/// Size from which an archive may need zip64 fields, in bytes.
const LARGEST_PLAIN: u64 = 0xff00_0000;
/// Number of entries from which an archive needs zip64 fields.
const MOST_PLAIN: usize = 0xffff;

impl Existing {
    /// Writes the wheel under `filename`. `WHEEL` and its row in `RECORD` change; all other bytes
    /// are copied. Signatures of `RECORD` are left out.
    ///
    /// # Errors
    /// Returns the errors of [`save()`].
    pub fn retag(
        self,
        filename: WheelFilename,
        path: &Path,
        packing: Packing,
        host: &Host,
    ) -> Result<MadeFile, Error> {
        if !self.is_archive {
            return save(self.into_wheel(filename)?, path, packing, host);
        }
        self.check_stem(&filename)?;
        super::layout::check_tags(&filename)?;
        match self.copied(&filename, path, packing)? {
            Some(made) => Ok(made),
            None => save(self.into_wheel(filename)?, path, packing, host),
        }
    }

    /// Writes a copy of the archive with the changes; returns `None` if its structure must be
    /// written anew.
    fn copied(
        &self,
        filename: &WheelFilename,
        path: &Path,
        packing: Packing,
    ) -> Result<Option<MadeFile>, Error> {
        if self.entries.len() >= MOST_PLAIN {
            return Ok(None);
        }
        let Some(changes) = self.changes(filename, packing)? else { return Ok(None) };
        let (blob, zip) = super::existing::open_zip(&self.path)?;
        let is_plain = blob.size() < LARGEST_PLAIN
            && zip.directory.is_some_and(|directory| directory.comment_at >= 22)
            && zip.entries.len() < MOST_PLAIN
            && !zip.has_zip64();
        if !is_plain {
            return Ok(None);
        }
        save::replace(path, |out| rewrite(&blob, &zip, &changes, out)).map(Some)
    }

    /// Returns the new contents of `WHEEL` and `RECORD`; `None` if `RECORD` does not list `WHEEL`.
    fn changes(
        &self,
        filename: &WheelFilename,
        packing: Packing,
    ) -> Result<Option<Vec<Change>>, Error> {
        let dist_info = format!("{}.dist-info/", self.stem());
        let find = |name: &str| self.file(&format!("{dist_info}{name}"));
        let (Some(wheel), Some(record)) = (find("WHEEL"), find("RECORD")) else { return Ok(None) };
        let text = self.header.with_tags_of(filename).into_bytes();
        let rows = record.load().map_err(|e| record.unreadable(e))?;
        let Ok(rows) = String::from_utf8(rows) else { return Ok(None) };
        let mut row = Record::default();
        row.add(&wheel.path, &Digest::of(&text), text.len() as u64);
        let row = row.finish(&wheel.path);
        let row = (wheel.path.as_str(), row.lines().next().unwrap_or_default());
        let Some(rows) = with_row(&rows, row, &dist_info) else { return Ok(None) };
        let mut changes = vec![
            Change::new(wheel.path.as_str(), &text, packing)?,
            Change::new(record.path.as_str(), rows.as_bytes(), packing)?,
        ];
        changes.extend(
            ["RECORD.jws", "RECORD.p7s"]
                .map(|name| Change { path: format!("{dist_info}{name}"), content: None }),
        );
        Ok(Some(changes))
    }
}

/// Returns `RECORD` with the row of `path` replaced and without signatures; `None` if it does not
/// list that file.
fn with_row(record: &str, (path, row): (&str, &str), dist_info: &str) -> Option<String> {
    let mut out = String::with_capacity(record.len() + 8);
    let mut rows = Rows(record);
    let mut is_found = false;
    while !rows.0.is_empty() {
        let before = rows.0;
        let fields = rows.next_row()?.ok()?;
        let line = &before[..before.len() - rows.0.len()];
        let name = fields.first().map(AsRef::as_ref).unwrap_or_default();
        let end = line.strip_suffix("\r\n").map_or("\n", |_| "\r\n");
        if name == path {
            is_found = true;
            out.push_str(row);
            out.push_str(end);
        } else if !["RECORD.jws", "RECORD.p7s"].iter().any(|s| name == format!("{dist_info}{s}")) {
            out.push_str(line);
        }
    }
    is_found.then_some(out)
}

/// Change of one entry.
struct Change {
    path: String,
    /// New content; `None` if the entry is left out.
    content: Option<Content>,
}

struct Content {
    packed: Vec<u8>,
    method: u16,
    crc: u32,
    size: u32,
}

impl Change {
    fn new(path: &str, bytes: &[u8], packing: Packing) -> Result<Self, Error> {
        let too_large = |_| io::Error::other("a file of its metadata is too large");
        let size = u32::try_from(bytes.len()).map_err(too_large)?;
        let mut deflater = Deflater::new(packing.compression);
        let mut space = Space::new(packing.compression);
        let mut stream = Vec::new();
        let count = bytes.len().div_ceil(PIECE).max(1);
        for at in 0..count {
            let piece = &bytes[at * PIECE..bytes.len().min((at + 1) * PIECE)];
            let codec = || io::Error::other("cannot join compressed pieces");
            let size = deflater.piece(piece, at + 1 == count, &mut space).ok_or_else(codec)?;
            stream.extend_from_slice(space.get(size));
        }
        let is_smaller = super::write::shrinks(stream.len() as u64, bytes.len() as u64);
        let is_deflated = !stream.is_empty() && is_smaller;
        let content = Content {
            packed: if is_deflated { stream } else { bytes.to_vec() },
            method: if is_deflated { 8 } else { 0 },
            crc: crc32fast::hash(bytes),
            size,
        };
        Ok(Self { path: path.to_owned(), content: Some(content) })
    }
}

/// Copies an archive and applies the changes. Its headers have 32-bit fields only.
fn rewrite(blob: &Blob, zip: &Zip, changes: &[Change], out: &mut dyn Write) -> io::Result<()> {
    let lost = || io::Error::new(io::ErrorKind::InvalidData, "its directory changed");
    let directory = zip.directory.ok_or_else(lost)?;
    let small = |value: u64| u32::try_from(value).map_err(|_| lost());
    let mut at = 0_u64;
    // Entry and new offset by position in the directory; `None` for entries that are left out.
    let mut offsets: Vec<Option<(&zip::Entry, u64)>> = vec![None; zip.entries.len()];
    for entry in &zip.entries {
        let change = changes.iter().find(|change| change.path.as_bytes() == entry.name());
        let offset = offsets.get_mut(entry.index as usize).ok_or_else(lost)?;
        match change {
            Some(Change { content: None, .. }) => {}
            None => {
                *offset = Some((entry, at));
                let bytes = blob.part(entry.start, entry.end - entry.start).ok_or_else(lost)?;
                bytes.visit(|part| out.write_all(part))?;
                at += bytes.size();
            }
            Some(Change { content: Some(content), .. }) => {
                *offset = Some((entry, at));
                let size = entry.content_at() - entry.start;
                let header = blob.part(entry.start, size).ok_or_else(lost)?;
                let mut header = header.first(usize::MAX)?;
                content.put(&mut header[..LOCAL_BYTES], 6)?;
                out.write_all(&header)?;
                out.write_all(&content.packed)?;
                at += (header.len() + content.packed.len()) as u64;
            }
        }
    }
    let start = at;
    let central = blob.part(directory.start, directory.size_bytes).ok_or_else(lost)?;
    let mut central = &mut central.first(usize::MAX)?[..];
    let mut count = 0_u16;
    for offset in &offsets {
        let size = zip::central_size(central).filter(|size| *size <= central.len());
        let (record, rest) = central.split_at_mut(size.ok_or_else(lost)?);
        central = rest;
        let Some((entry, offset)) = offset else { continue };
        let change = changes.iter().find(|change| change.path.as_bytes() == entry.name());
        if let Some(content) = change.and_then(|change| change.content.as_ref()) {
            content.put(&mut record[..CENTRAL_BYTES], 8)?;
        }
        record[42..46].copy_from_slice(&small(*offset)?.to_le_bytes());
        out.write_all(record)?;
        at += record.len() as u64;
        count += 1;
    }
    let end = blob.part(directory.comment_at - 22, 22 + directory.comment_bytes as u64);
    let mut end = end.ok_or_else(lost)?.first(usize::MAX)?;
    end[8..10].copy_from_slice(&count.to_le_bytes());
    end[10..12].copy_from_slice(&count.to_le_bytes());
    end[12..16].copy_from_slice(&small(at - start)?.to_le_bytes());
    end[16..20].copy_from_slice(&small(start)?.to_le_bytes());
    out.write_all(&end)
}

impl Content {
    /// Writes flags, method, CRC and sizes into a header whose flags are at `at`.
    fn put(&self, header: &mut [u8], at: usize) -> io::Result<()> {
        let packed = u32::try_from(self.packed.len());
        let packed = packed.map_err(|_| io::Error::other("a file of its metadata is too large"))?;
        // The sizes are in the header, so there is no data descriptor.
        header[at] &= !8;
        header[at + 2..at + 4].copy_from_slice(&self.method.to_le_bytes());
        let numbers = [self.crc, packed, self.size].map(u32::to_le_bytes).concat();
        header[at + 8..at + 20].copy_from_slice(&numbers);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::zip::forge;
    use crate::sys::{self, Env};

    #[test]
    fn every_other_byte_stays() {
        let info = "demo-1.0.dist-info";
        let about = "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n";
        let record = format!("{info}/WHEEL,sha256=x,9\r\n\"a,b\",,\r\n{info}/RECORD.jws,,\r\n");
        let entry = |name: &str, content: &str| forge::Entry {
            date: Some(0x5a21),
            mode: Some(0o100_664),
            deflate: true,
            ..forge::Entry::new(name, content)
        };
        let mut zip = forge::Zip {
            entries: vec![
                entry("z.py", &"z = 1\n".repeat(50)),
                entry(&format!("{info}/RECORD"), &record),
                entry(&format!("{info}/RECORD.jws"), "{}"),
                entry(&format!("{info}/WHEEL"), about),
                forge::Entry { flags: 8, ..entry("a/", "") },
                forge::Entry { flags: 8, comment: b"c".into(), ..entry("a/b.py", "b = 1\n") },
            ],
            comment: b"by hand".into(),
            ..forge::Zip::default()
        };
        zip.entries[4].deflate = false;
        let dir = sys::fs::temp_dir().unwrap();
        let path = dir.path().join("demo-1.0-py3-none-any.whl");
        sys::fs::write_atomic(&path, &zip.bytes()).unwrap();
        let wheel = Existing::open(&path).unwrap();
        let filename: WheelFilename = "demo-1.0-py3-none-win32.whl".parse().unwrap();
        let to = dir.path().join(filename.to_string());
        let host = Host::quiet(Env::default());
        let made = wheel.retag(filename, &to, Packing::default(), &host).unwrap();
        assert_eq!(made.size_bytes, sys::fs::metadata(&to).unwrap().len());

        let (blob, found) = super::super::existing::open_zip(&to).unwrap();
        let names: Vec<&str> = found.entries.iter().map(|entry| entry.path.as_str()).collect();
        let wheel_path = format!("{info}/WHEEL");
        assert_eq!(names, ["z.py", &format!("{info}/RECORD"), &wheel_path, "a", "a/b.py"]);
        let (old_blob, old) = super::super::existing::open_zip(&path).unwrap();
        let raw = |blob: &Blob, zip: &Zip, name: &str| {
            let entry = zip.entries.iter().find(|entry| entry.path.as_str() == name).unwrap();
            blob.part(entry.start, entry.end - entry.start).unwrap().first(usize::MAX).unwrap()
        };
        for name in ["z.py", "a", "a/b.py"] {
            assert_eq!(raw(&blob, &found, name), raw(&old_blob, &old, name), "{name}");
        }
        assert!(found.entries.iter().all(|entry| entry.header.time == (0, 0x5a21)));
        assert!(found.entries.iter().all(|entry| entry.mode() == Some(0o100_664)));
        assert_eq!(found.directory.unwrap().comment_bytes, 7);
        let again = Existing::open(&to).unwrap();
        let record = again.every_file().find(|e| e.path.file_name() == "RECORD").unwrap();
        let record = String::from_utf8(record.load().unwrap()).unwrap();
        let (first, rest) = record.split_once("\r\n").unwrap();
        assert!(first.starts_with("demo-1.0.dist-info/WHEEL,sha256="), "{first}");
        assert_eq!(rest, "\"a,b\",,\r\n");
    }
}
