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

/// Writes the contents of `parts`, one after the other, as one gzip stream.
///
/// # Errors
/// Returns an error if a file cannot be read or changes meanwhile, if `out` cannot be written, or
/// if `cancel` is set.
pub(crate) fn gzip(
    parts: &[Entry],
    mut out: impl Write,
    options: &Options<'_>,
    cancel: &Cancel,
) -> Result<(), Error> {
    out.write_all(&GZIP_HEADER).map_err(Error::Write)?;
    // Gzip has no form without compression that is made of pieces.
    let compression = match options.compression {
        Compression::Store => Compression::Fast,
        compression => compression,
    };
    let how =
        How { compression, threads: options.threads, chunks: options.cache, is_one_stream: true };
    let (mut whole, mut size) = (crc32fast::Hasher::new(), 0_u64);
    let mut current = crc32fast::Hasher::new();
    pack::in_order(parts, how, cancel, |piece, packed| {
        out.write_all(packed.deflated).map_err(Error::Write)?;
        size += piece.len as u64;
        whole.combine(&packed.crc);
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
    })?;
    if let Some(cache) = options.cache {
        cache.sweep();
    }
    out.write_all(&EMPTY_BLOCK).map_err(Error::Write)?;
    out.write_all(&whole.finalize().to_le_bytes()).map_err(Error::Write)?;
    // The size modulo 2^32.
    out.write_all(&size.to_le_bytes()[..4]).map_err(Error::Write)?;
    out.flush().map_err(Error::Write)
}

/// Writes the contents of `parts`, one after the other, as one zstd frame (RFC 8878).
///
/// # Errors
/// Returns the errors of [`gzip`].
#[cfg(feature = "project")]
pub(crate) fn zstd(
    parts: &[Entry],
    out: impl Write,
    options: &Options<'_>,
    cancel: &Cancel,
) -> Result<(), Error> {
    let level = match options.compression {
        Compression::Store => 1,
        Compression::Fast => 3,
        Compression::Default => 9,
        Compression::Best => 19,
    };
    let mut encoder = ::zstd::Encoder::new(out, level).map_err(Error::Write)?;
    encoder.include_checksum(true).map_err(Error::Write)?;
    for part in parts {
        part.read_through(0, part.size_bytes(), |bytes| {
            if cancel.is_cancelled() {
                return Err(Error::Cancelled);
            }
            (options.advance)(bytes.len() as u64);
            encoder.write_all(bytes).map_err(Error::Write)
        })?;
    }
    encoder.finish().and_then(|mut out| out.flush()).map_err(Error::Write)
}

/// Writes `entries` as a zip archive, without a `RECORD`.
///
/// # Errors
/// Returns the errors of [`gzip`].
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
        let make = |threads, cache| {
            let mut out = Vec::new();
            let options = Options { threads, cache, ..Options::default() };
            gzip(&parts, &mut out, &options, &Cancel::default()).unwrap();
            out
        };
        let one = make(1, None);
        let mut unpacked = Vec::new();
        flate2::read::GzDecoder::new(&one[..]).read_to_end(&mut unpacked).unwrap();
        assert!(unpacked == [&b"first"[..], &large, b"last"].concat());
        assert!(one == make(3, None), "threads");
        assert!(one == make(2, Some(&chunks)) && one == make(2, Some(&chunks)), "cache");
        // A file that changes while it is packed is an error.
        sys::fs::write(&file, &large[1..]).unwrap();
        let result = gzip(&parts, &mut Vec::new(), &Options::default(), &Cancel::default());
        assert!(result.unwrap_err().to_string().contains("large"));
    }
}
