//! Writes a wheel.

use std::io::{Seek, Write};

use sha2::{Digest as _, Sha256};

use super::pack::{self, PIECE, Packed, Piece};
use super::time::EntryTime;
use super::zip::{Archive, Header, LIMITS, Limits, Open};
use super::{Compression, Entry, Error, Record, Row, Wheel};
use crate::name::Digest;
use crate::sys::Cancel;

/// How to write a wheel. Only the first two change its bytes.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    /// How hard to compress.
    pub compression: Compression,
    /// The time of every entry.
    pub time: EntryTime,
    /// How many threads compress; the wheel is the same for any number.
    pub threads: usize,
    /// Told how many more bytes of content are in the archive.
    pub advance: &'a dyn Fn(u64),
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self {
            compression: Compression::default(),
            time: EntryTime::default(),
            threads: 1,
            advance: &|_| {},
        }
    }
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The files of the wheel, as its `RECORD` lists them.
    pub record: Record,
    /// The size of the archive.
    pub size_bytes: u64,
    /// The size of its content.
    pub unpacked_bytes: u64,
}

/// Writes `wheel` to `out`, which is empty.
///
/// # Errors
/// When a file cannot be read or changes meanwhile, when `out` cannot be written, or when `cancel`
/// is set. What is in `out` by then is of no use.
pub fn write<W: Write + Seek>(
    wheel: &Wheel,
    out: W,
    options: &Options<'_>,
    cancel: &Cancel,
) -> Result<Written, Error> {
    write_within(wheel, out, options, cancel, LIMITS)
}

fn write_within<W: Write + Seek>(
    wheel: &Wheel,
    out: W,
    options: &Options<'_>,
    cancel: &Cancel,
    limits: Limits,
) -> Result<Written, Error> {
    let mut archive = Archive::new(out, options.time, limits);
    let rows = add(&mut archive, wheel.entries(), options, cancel)?;
    let record = Record { rows, path: wheel.record_path().clone() };
    let last = [Entry::bytes(record.path.clone(), record.render())];
    add(&mut archive, &last, options, cancel)?;
    let unpacked_bytes = wheel.entries().iter().chain(&last).map(Entry::size_bytes).sum();
    Ok(Written { record, size_bytes: archive.finish()?, unpacked_bytes })
}

fn add<W: Write + Seek>(
    archive: &mut Archive<W>,
    entries: &[Entry],
    options: &Options<'_>,
    cancel: &Cancel,
) -> Result<Vec<Row>, Error> {
    let mut rows = Vec::with_capacity(entries.len());
    let mut current: Option<Member<'_>> = None;
    let Options { compression, threads, advance, .. } = *options;
    pack::in_order(entries, compression, threads, cancel, |piece, packed| {
        let mut member = match current.take() {
            Some(member) => member,
            None => Member::open(archive, &entries[piece.entry], piece, &packed)?,
        };
        member.add(archive, piece, &packed)?;
        advance(piece.len as u64);
        if piece.last {
            rows.push(member.close(archive, &packed)?);
        } else {
            current = Some(member);
        }
        Ok(())
    })?;
    Ok(rows)
}

/// An entry between its first and its last piece.
struct Member<'a> {
    entry: &'a Entry,
    open: Open<'a>,
    header: Header<'a>,
    crc: crc32fast::Hasher,
    digest: Sha256,
}

/// Whether compression is worth it: at least one percent.
fn shrinks(packed: u64, size: u64) -> bool {
    // In two steps, so that no size overflows.
    packed <= size - size.div_ceil(100)
}

impl<'a> Member<'a> {
    fn open<W: Write + Seek>(
        archive: &mut Archive<W>,
        entry: &'a Entry,
        piece: Piece,
        packed: &Packed,
    ) -> Result<Self, Error> {
        let size = entry.size_bytes();
        let deflated = packed.deflated.len() as u64;
        let mut header = Header {
            name: entry.path.as_str(),
            executable: entry.executable,
            deflated: deflated != 0 && shrinks(deflated, size),
            crc: 0,
            packed: 0,
            size,
        };
        if piece.last {
            // All is known, so the header need not be written again.
            header.crc = packed.crc.clone().finalize();
            header.packed = if header.deflated { deflated } else { size };
        }
        let open = archive.open(header.clone())?;
        Ok(Self { entry, open, header, crc: crc32fast::Hasher::new(), digest: Sha256::new() })
    }

    fn add<W: Write + Seek>(
        &mut self,
        archive: &mut Archive<W>,
        piece: Piece,
        packed: &Packed,
    ) -> Result<(), Error> {
        let ahead = archive.written(&self.open) + packed.deflated.len() as u64;
        if self.header.deflated && !shrinks(ahead, self.header.size) {
            // Known before more is written than the plain bytes take, so going back leaves nothing.
            self.store_from_start(archive, piece.offset)?;
        }
        if packed.digest.is_none() {
            self.digest.update(&packed.raw);
        }
        self.crc.combine(&packed.crc);
        let data = if self.header.deflated { &packed.deflated } else { &packed.raw };
        Ok(archive.write(data)?)
    }

    /// Writes the first `size` bytes again, as they are.
    fn store_from_start<W: Write + Seek>(
        &mut self,
        archive: &mut Archive<W>,
        size: u64,
    ) -> Result<(), Error> {
        self.header.deflated = false;
        archive.rewind(&self.open)?;
        let mut crc = crc32fast::Hasher::new();
        let mut buffer = vec![0; PIECE];
        for offset in (0..size).step_by(PIECE) {
            self.entry.read(offset, &mut buffer)?;
            crc.update(&buffer);
            archive.write(&buffer)?;
        }
        if crc.finalize() == self.crc.clone().finalize() {
            Ok(())
        } else {
            Err(self.entry.changed())
        }
    }

    fn close<W: Write + Seek>(
        mut self,
        archive: &mut Archive<W>,
        packed: &Packed,
    ) -> Result<Row, Error> {
        self.header.crc = self.crc.finalize();
        self.header.packed = archive.written(&self.open);
        let size_bytes = self.header.size;
        archive.close(&self.open, &self.header)?;
        let whole = || Digest::from_bytes(self.digest.finalize().into());
        let digest = packed.digest.unwrap_or_else(whole);
        Ok(Row { path: self.entry.path.clone(), digest, size_bytes })
    }
}

#[cfg(test)]
mod tests;
