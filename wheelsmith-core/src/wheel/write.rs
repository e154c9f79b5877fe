//! Writes a wheel.

use std::io::{Seek, Write};

use super::cache::Chunks;
use super::pack::{self, How, Packed, Piece, Sums};
use super::time::EntryTime;
use super::zip::{Archive, Header, LIMITS, Limits, Open};
use super::{Compression, Entry, Error, Source, Wheel};
use crate::archive::PackedContent;
use crate::archive::source::Buffers;
use crate::metadata::Record;
use crate::sys::Cancel;

/// Options of writing a wheel. Only `compression` and `time` change its bytes.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    /// Compression level.
    pub compression: Compression,
    /// Timestamp of all entries.
    pub time: EntryTime,
    /// Number of compressing threads; it does not change the wheel.
    pub threads: usize,
    /// Cache of compressed pieces; it does not change the wheel.
    pub cache: Option<&'a Chunks>,
    /// Called with the number of content bytes that were added to the archive.
    pub advance: &'a dyn Fn(u64),
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self {
            compression: Compression::default(),
            time: EntryTime::default(),
            threads: 1,
            cache: None,
            advance: &|_| {},
        }
    }
}

/// Result of writing a wheel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// Size of the archive in bytes.
    pub size_bytes: u64,
    /// Size of the content in bytes.
    pub unpacked_bytes: u64,
}

/// Writes `wheel` to `out`, which must be empty.
///
/// # Errors
/// Returns an error if a file cannot be read or changes meanwhile, if `out` cannot be written, or
/// if `cancel` is set. The contents of `out` are then unusable.
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
    let mut record = Record::default();
    add(&mut archive, wheel.entries(), options, cancel, &mut record)?;
    let path = wheel.record_path();
    let record = record.finish(path);
    let unpacked_bytes: u64 = wheel.entries().iter().map(Entry::size_bytes).sum();
    let unpacked_bytes = unpacked_bytes + record.len() as u64;
    let last = [Entry::bytes(path.clone(), record)];
    // One thread: `RECORD` is long if there are many files, which need the memory.
    let options = &Options { threads: 1, ..*options };
    add(&mut archive, &last, options, cancel, &mut Record::default())?;
    let size_bytes = archive.finish()?;
    if let Some(cache) = options.cache {
        cache.sweep();
    }
    Ok(Written { size_bytes, unpacked_bytes })
}

/// Adds entries and their rows: copies those of another wheel as packed, and compresses the others
/// on threads.
pub(super) fn add<W: Write + Seek>(
    archive: &mut Archive<W>,
    entries: &[Entry],
    options: &Options<'_>,
    cancel: &Cancel,
    record: &mut Record,
) -> Result<(), Error> {
    let mut buffers = None;
    let is_packed = |entry: &Entry| matches!(entry.source, Source::Packed(_));
    for run in entries.chunk_by(|a, b| !is_packed(a) && !is_packed(b)) {
        if let [entry] = run
            && let Source::Packed(content) = &entry.source
        {
            if cancel.is_cancelled() {
                return Err(Error::Cancelled);
            }
            let buffers = buffers.get_or_insert_with(Buffers::new);
            copy(archive, entry, content, buffers, record)?;
            (options.advance)(entry.size_bytes());
        } else {
            compress(archive, run, options, cancel, record)?;
        }
    }
    Ok(())
}

/// Adds an entry of another wheel as it is packed.
fn copy<W: Write + Seek>(
    archive: &mut Archive<W>,
    entry: &Entry,
    content: &PackedContent,
    buffers: &mut Buffers,
    record: &mut Record,
) -> Result<(), Error> {
    let digest = entry.digest(buffers)?;
    let packed = content.packed();
    let header = Header {
        name: entry.path.as_str(),
        executable: entry.executable,
        deflated: content.is_deflated(),
        crc: content.crc(),
        packed: packed.size(),
        size: content.size_bytes(),
    };
    let open = archive.open(header.clone())?;
    packed.visit(|part| archive.write(part))?;
    archive.close(&open, &header)?;
    record.add(&entry.path, &digest, header.size);
    Ok(())
}

/// Compresses entries on several threads, and adds them.
fn compress<W: Write + Seek>(
    archive: &mut Archive<W>,
    entries: &[Entry],
    options: &Options<'_>,
    cancel: &Cancel,
    record: &mut Record,
) -> Result<(), Error> {
    let mut current: Option<Member<'_>> = None;
    let Options { compression, threads, cache, advance, .. } = *options;
    let how = How { compression, threads, chunks: cache, is_one_stream: false };
    pack::in_order(entries, how, cancel, |piece, packed| {
        let mut member = match current.take() {
            Some(member) => member,
            None => Member::open(archive, &entries[piece.entry], piece, &packed)?,
        };
        member.add(archive, piece, &packed)?;
        advance(piece.len as u64);
        if piece.last {
            member.close(archive, packed.whole, record)?;
        } else {
            current = Some(member);
        }
        Ok(())
    })
}

/// Entry of which some pieces were written.
struct Member<'a> {
    entry: &'a Entry,
    open: Open<'a>,
    header: Header<'a>,
    crc: crc32fast::Hasher,
}

/// True if compression saves at least one percent.
pub(super) fn shrinks(packed: u64, size: u64) -> bool {
    // Written as a subtraction, so that no size overflows.
    packed <= size - size.div_ceil(100)
}

impl<'a> Member<'a> {
    fn open<W: Write + Seek>(
        archive: &mut Archive<W>,
        entry: &'a Entry,
        piece: Piece,
        packed: &Packed<'_>,
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
            // Digest and sizes are known, so the header is not written twice.
            header.crc = packed.crc.clone().finalize();
            header.packed = if header.deflated { deflated } else { size };
        }
        let open = archive.open(header.clone())?;
        Ok(Self { entry, open, header, crc: crc32fast::Hasher::new() })
    }

    fn add<W: Write + Seek>(
        &mut self,
        archive: &mut Archive<W>,
        piece: Piece,
        packed: &Packed<'_>,
    ) -> Result<(), Error> {
        let ahead = archive.written(&self.open) + packed.deflated.len() as u64;
        if self.header.deflated && !shrinks(ahead, self.header.size) {
            // Checked before more bytes are written than the plain content has, so none remain
            // after it.
            self.store_from_start(archive, piece.offset)?;
        }
        self.crc.combine(&packed.crc);
        if self.header.deflated {
            Ok(archive.write(packed.deflated)?)
        } else {
            self.store(archive, piece.offset, piece.len as u64, packed.crc.clone().finalize())
        }
    }

    /// Stores `size` bytes from `offset` on without compression. Returns an error if their CRC
    /// changed.
    fn store<W: Write + Seek>(
        &self,
        archive: &mut Archive<W>,
        offset: u64,
        size: u64,
        crc: u32,
    ) -> Result<(), Error> {
        let mut again = crc32fast::Hasher::new();
        self.entry.read_through(offset, size, |bytes| {
            again.update(bytes);
            archive.write(bytes).map_err(Error::Write)
        })?;
        if again.finalize() == crc { Ok(()) } else { Err(self.entry.changed()) }
    }

    /// Rewrites the first `size` bytes of the content without compression.
    fn store_from_start<W: Write + Seek>(
        &mut self,
        archive: &mut Archive<W>,
        size: u64,
    ) -> Result<(), Error> {
        self.header.deflated = false;
        archive.rewind(&self.open)?;
        self.store(archive, 0, size, self.crc.clone().finalize())
    }

    fn close<W: Write + Seek>(
        mut self,
        archive: &mut Archive<W>,
        whole: Option<Sums>,
        record: &mut Record,
    ) -> Result<(), Error> {
        self.header.crc = self.crc.finalize();
        self.header.packed = archive.written(&self.open);
        let size_bytes = self.header.size;
        archive.close(&self.open, &self.header)?;
        // The digest comes from another reading of the file than the data.
        let is_same = |sums: &Sums| sums.crc.is_none_or(|crc| crc == self.header.crc);
        let Sums { digest, .. } = whole.filter(is_same).ok_or_else(|| self.entry.changed())?;
        record.add(&self.entry.path, &digest, size_bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
