//! Writes entries as one gzip stream, as one zstd stream, or as a plain zip, for other packages than
//! wheels.
//!
//! A gzip stream consists of the same pieces as a wheel, so that a file that both contain is
//! compressed once: the pieces are in the same cache.

use std::io::{Seek, Write};

use super::pack::{self, How};
use super::write::{Options, add};
use super::zip::{Archive, LIMITS};
use super::{Compression, Entry, Error};
use crate::metadata::Record;
use crate::sys::Cancel;

/// Magic number, deflate, no flags, no time, no hint, unknown system (RFC 1952).
const GZIP_HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

/// Last block of a deflate stream, without content.
const EMPTY_BLOCK: [u8; 2] = [3, 0];

/// Stream to which parts are added, one after the other.
pub(crate) trait Stream {
    /// Writes the contents of `parts`.
    ///
    /// # Errors
    /// Returns an error if a file cannot be read or changes meanwhile, if the stream cannot be written,
    /// or if the user cancels.
    fn add(&mut self, parts: &[Entry]) -> Result<(), Error>;

    /// Ends the stream.
    ///
    /// # Errors
    /// Returns an error if it cannot be written.
    fn finish(self: Box<Self>) -> Result<(), Error>;
}

/// One gzip stream. Its bytes are the same for any number of threads and any groups of parts.
pub(crate) struct Gzip<'o, W> {
    out: W,
    options: &'o Options<'o>,
    cancel: &'o Cancel,
    crc: crc32fast::Hasher,
    size: u64,
}

impl<'o, W: Write> Gzip<'o, W> {
    /// Starts the stream.
    ///
    /// # Errors
    /// Returns an error if it cannot be written.
    pub(crate) fn new(
        mut out: W,
        options: &'o Options<'o>,
        cancel: &'o Cancel,
    ) -> Result<Self, Error> {
        out.write_all(&GZIP_HEADER).map_err(Error::Write)?;
        Ok(Self { out, options, cancel, crc: crc32fast::Hasher::new(), size: 0 })
    }
}

impl<W: Write> Stream for Gzip<'_, W> {
    fn add(&mut self, parts: &[Entry]) -> Result<(), Error> {
        let options = self.options;
        // Gzip has no form without compression that is made of pieces.
        let compression = match options.compression {
            Compression::Store => Compression::Fast,
            compression => compression,
        };
        let how = How {
            compression,
            threads: options.threads,
            chunks: options.cache,
            is_one_stream: true,
        };
        let mut current = crc32fast::Hasher::new();
        pack::in_order(parts, how, self.cancel, |piece, packed| {
            self.out.write_all(packed.deflated).map_err(Error::Write)?;
            self.size += piece.len as u64;
            self.crc.combine(&packed.crc);
            current.combine(&packed.crc);
            if piece.last {
                let crc = std::mem::take(&mut current).finalize();
                // The digest comes from another reading of the file than the data.
                if packed.whole.is_none_or(|sums| sums.crc.is_some_and(|again| again != crc)) {
                    return Err(parts[piece.entry].changed());
                }
            }
            (options.advance)(piece.len as u64);
            Ok(())
        })
    }

    fn finish(mut self: Box<Self>) -> Result<(), Error> {
        if let Some(cache) = self.options.cache {
            cache.sweep();
        }
        self.out.write_all(&EMPTY_BLOCK).map_err(Error::Write)?;
        self.out.write_all(&self.crc.finalize().to_le_bytes()).map_err(Error::Write)?;
        // The size modulo 2^32.
        self.out.write_all(&self.size.to_le_bytes()[..4]).map_err(Error::Write)?;
        self.out.flush().map_err(Error::Write)
    }
}

/// One zstd frame (RFC 8878).
#[cfg(feature = "project")]
pub(crate) struct Zstd<'o, W: Write> {
    encoder: ::zstd::Encoder<'static, W>,
    options: &'o Options<'o>,
    cancel: &'o Cancel,
}

#[cfg(feature = "project")]
impl<'o, W: Write> Zstd<'o, W> {
    /// Starts the frame.
    ///
    /// # Errors
    /// Returns an error if it cannot be written.
    pub(crate) fn new(out: W, options: &'o Options<'o>, cancel: &'o Cancel) -> Result<Self, Error> {
        let level = match options.compression {
            Compression::Store => 1,
            Compression::Fast => 3,
            Compression::Default => 9,
            Compression::Best => 19,
        };
        let mut encoder = ::zstd::Encoder::new(out, level).map_err(Error::Write)?;
        encoder.include_checksum(true).map_err(Error::Write)?;
        Ok(Self { encoder, options, cancel })
    }
}

#[cfg(feature = "project")]
impl<W: Write> Stream for Zstd<'_, W> {
    fn add(&mut self, parts: &[Entry]) -> Result<(), Error> {
        for part in parts {
            part.read_through(0, part.size_bytes(), |bytes| {
                if self.cancel.is_cancelled() {
                    return Err(Error::Cancelled);
                }
                (self.options.advance)(bytes.len() as u64);
                self.encoder.write_all(bytes).map_err(Error::Write)
            })?;
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<(), Error> {
        self.encoder.finish().and_then(|mut out| out.flush()).map_err(Error::Write)
    }
}

/// Writes `entries` as a zip archive, without a `RECORD`.
///
/// # Errors
/// Returns the errors of [`Stream::add`].
pub(crate) fn zip<W: Write + Seek>(
    entries: &[Entry],
    out: W,
    options: &Options<'_>,
    cancel: &Cancel,
) -> Result<(), Error> {
    let mut archive = Archive::new(out, options.time, LIMITS);
    add(&mut archive, entries, options, cancel, &mut Record::default())?;
    if let Some(cache) = options.cache {
        cache.sweep();
    }
    archive.finish().map(drop).map_err(Error::Write)
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;
    use crate::sys;

    #[test]
    fn a_gzip_stream_has_the_same_bytes_for_any_threads_and_cache() {
        let dir = sys::fs::temp_dir().unwrap();
        let large: Vec<u8> = (0..5_000_000_u32).flat_map(|i| (i / 7).to_le_bytes()).collect();
        let file = dir.path().join("large");
        sys::fs::write(&file, &large).unwrap();
        let size_bytes = large.len() as u64;
        let path = || "large".parse().unwrap();
        let source = super::super::Source::File { path: file.clone(), size_bytes };
        let parts = [
            Entry::bytes("a".parse().unwrap(), b"first".to_vec()),
            Entry { path: path(), executable: false, source },
            Entry::bytes("b".parse().unwrap(), Vec::new()),
            Entry::bytes("c".parse().unwrap(), b"last".to_vec()),
        ];
        let chunks = super::super::Chunks::new(dir.path().join("chunks"));
        let make = |threads, cache, group| {
            let mut out = Vec::new();
            let options = Options { threads, cache, ..Options::default() };
            let cancel = Cancel::default();
            let mut stream = Box::new(Gzip::new(&mut out, &options, &cancel).unwrap());
            for parts in parts.chunks(group) {
                stream.add(parts).unwrap();
            }
            stream.finish().unwrap();
            out
        };
        let one = make(1, None, 4);
        let mut unpacked = Vec::new();
        flate2::read::GzDecoder::new(&one[..]).read_to_end(&mut unpacked).unwrap();
        assert!(unpacked == [&b"first"[..], &large, b"last"].concat());
        assert!(one == make(3, None, 4), "threads");
        assert!(one == make(2, None, 1) && one == make(1, None, 3), "groups");
        let chunks = Some(&chunks);
        assert!(one == make(2, chunks, 4) && one == make(2, chunks, 4), "cache");
        // A file that changes while it is packed is an error.
        sys::fs::write(&file, &large[1..]).unwrap();
        let (options, cancel) = (Options::default(), Cancel::default());
        let result = Gzip::new(Vec::new(), &options, &cancel).unwrap().add(&parts);
        assert!(result.unwrap_err().to_string().contains("large"));
    }
}
