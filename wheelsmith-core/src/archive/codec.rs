//! Unpacks files that are compressed as a whole: gzip, xz, bzip2 and zstd.
//!
//! The format is recognised by the first bytes, never by the name of the file. The unpacked size,
//! the ratio of the sizes and the dictionary are limited.

use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Read};
use std::rc::Rc;

use super::Limits;

/// Largest dictionary or window of a compressed file, in bytes. `xz -9` uses 64 MiB, and
/// `zstd --ultra -22` 128 MiB.
#[cfg(feature = "decompress")]
const DICTIONARY_LIMIT: u64 = 128 << 20;

/// Compression format of a whole file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Codec {
    Gzip,
    Xz,
    Bzip2,
    Zstd,
}

impl Codec {
    /// Number of first bytes that identify a format.
    pub(crate) const TELLING: usize = 6;

    /// Returns the format of a file with these first bytes; `None` if it is not compressed.
    pub(crate) fn of(first: &[u8]) -> Option<Self> {
        match first {
            [0x1f, 0x8b, ..] => Some(Self::Gzip),
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some(Self::Xz),
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => Some(Self::Bzip2),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Self::Zstd),
            _ => None,
        }
    }

    /// Returns the name of the format in messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Xz => "xz",
            Self::Bzip2 => "bzip2",
            Self::Zstd => "zstd",
        }
    }

    /// Returns a reader of the unpacked bytes of `packed`. Reading returns an error if the bytes are
    /// damaged or beyond `limits`, or if this build of the library does not unpack the format.
    pub(crate) fn unpack<'r>(self, packed: impl Read + 'r, limits: &Limits) -> Box<dyn Read + 'r> {
        let packed_bytes = Rc::new(Cell::new(0));
        let counted = Counted { inner: packed, count: Rc::clone(&packed_bytes) };
        let packed = BufReader::with_capacity(64 << 10, counted);
        let limits = limits.clone();
        let inner = self.decoder(packed);
        Box::new(Limited { inner, codec: self, packed_bytes, unpacked_bytes: 0, limits })
    }

    fn decoder<'r>(self, packed: impl BufRead + 'r) -> Box<dyn Read + 'r> {
        match self {
            Self::Gzip => Box::new(super::gzip::all_streams(packed)),
            #[cfg(feature = "decompress")]
            Self::Xz => {
                // The decoder adds its own few KiB to the dictionary.
                let limit_kib = (DICTIONARY_LIMIT >> 10) + 1024;
                let limit_kib = u32::try_from(limit_kib).unwrap_or(u32::MAX);
                Box::new(lzma_rust2::XzReader::new_mem_limit(packed, true, limit_kib))
            }
            #[cfg(feature = "decompress")]
            Self::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(packed)),
            #[cfg(feature = "decompress")]
            Self::Zstd => Box::new(Zstd::new(packed)),
            #[cfg(not(feature = "decompress"))]
            _ => Box::new(Missing),
        }
    }
}

/// Reader of a format that this build of the library does not unpack.
#[cfg(not(feature = "decompress"))]
struct Missing;

#[cfg(not(feature = "decompress"))]
impl Read for Missing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other(
            "this program was built without the feature `decompress` of wheelsmith-core: enable it, \
             or pack the source as `.tar.gz` or `.zip`",
        ))
    }
}

/// Reader that counts the bytes that were read from it.
struct Counted<R> {
    inner: R,
    count: Rc<Cell<u64>>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.count.set(self.count.get() + n as u64);
        Ok(n)
    }
}

/// Reader of unpacked bytes that ends with an error at the limits.
struct Limited<R> {
    inner: R,
    codec: Codec,
    packed_bytes: Rc<Cell<u64>>,
    unpacked_bytes: u64,
    limits: Limits,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer).map_err(|error| {
            let reason = match error.kind() {
                io::ErrorKind::OutOfMemory => "its dictionary is larger than 128 MiB".to_owned(),
                io::ErrorKind::UnexpectedEof => "it is cut short".to_owned(),
                _ => error.to_string(),
            };
            io::Error::new(error.kind(), format!("{}: {reason}", self.codec.name()))
        })?;
        self.unpacked_bytes += n as u64;
        let (limits, packed) = (&self.limits, self.packed_bytes.get().max(1));
        if self.unpacked_bytes > limits.total_bytes {
            let kind = io::ErrorKind::FileTooLarge;
            return Err(io::Error::new(kind, "it is too large when unpacked"));
        }
        if self.unpacked_bytes > limits.ratio_from_bytes
            && self.unpacked_bytes / packed > limits.ratio
        {
            let message = format!(
                "it has more than {} MiB when unpacked, of {packed} packed bytes",
                self.unpacked_bytes >> 20
            );
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
        }
        Ok(n)
    }
}

/// Message about a zstd file; the errors of the decoder are in terms of its code.
#[cfg(feature = "decompress")]
const DAMAGED: &str = "the zstd data is damaged or cut short";

/// Decoder of all frames of a zstd file (RFC 8878). Skippable frames are skipped.
#[cfg(feature = "decompress")]
struct Zstd<R> {
    packed: R,
    decoder: ruzstd::decoding::FrameDecoder,
    is_in_frame: bool,
}

#[cfg(feature = "decompress")]
impl<R: BufRead> Zstd<R> {
    fn new(packed: R) -> Self {
        let mut decoder = ruzstd::decoding::FrameDecoder::new();
        decoder.set_max_window_size(DICTIONARY_LIMIT);
        Self { packed, decoder, is_in_frame: false }
    }

    /// Reads the header of the next frame. Returns false at the end of the file.
    fn begin(&mut self) -> io::Result<bool> {
        use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
        while !self.packed.fill_buf()?.is_empty() {
            match self.decoder.reset(&mut self.packed) {
                Ok(()) => {
                    self.is_in_frame = true;
                    return Ok(true);
                }
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => {
                    let length = u64::from(length);
                    let skipped = io::copy(&mut self.packed.by_ref().take(length), &mut io::sink());
                    if skipped? < length {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                }
                Err(FrameDecoderError::WindowSizeTooBig { .. }) => {
                    return Err(io::ErrorKind::OutOfMemory.into());
                }
                Err(_) => return Err(io::Error::other(DAMAGED)),
            }
        }
        Ok(false)
    }
}

#[cfg(feature = "decompress")]
impl<R: BufRead> Read for Zstd<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        use ruzstd::decoding::BlockDecodingStrategy::UptoBlocks;
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            if !self.is_in_frame && !self.begin()? {
                return Ok(0);
            }
            if self.decoder.can_collect() > 0 {
                return self.decoder.read(buffer);
            }
            if self.decoder.is_finished() {
                let expected = self.decoder.get_checksum_from_data();
                if expected.is_some() && expected != self.decoder.get_calculated_checksum() {
                    return Err(io::Error::other("its checksum does not match"));
                }
                self.is_in_frame = false;
                continue;
            }
            self.decoder
                .decode_blocks(&mut self.packed, UptoBlocks(1))
                .map_err(|_| io::Error::other(DAMAGED))?;
        }
    }
}

#[cfg(test)]
#[cfg(feature = "decompress")]
pub(crate) mod tests {
    use std::io::Write as _;

    use super::*;

    pub(crate) fn pack(codec: Codec, bytes: &[u8]) -> Vec<u8> {
        match codec {
            Codec::Gzip => {
                let mut writer =
                    flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                writer.write_all(bytes).unwrap();
                writer.finish().unwrap()
            }
            Codec::Xz => {
                let options = lzma_rust2::XzOptions::with_preset(1);
                let mut writer = lzma_rust2::XzWriter::new(Vec::new(), options).unwrap();
                writer.write_all(bytes).unwrap();
                writer.finish().unwrap()
            }
            Codec::Bzip2 => {
                let mut writer =
                    bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
                writer.write_all(bytes).unwrap();
                writer.finish().unwrap()
            }
            Codec::Zstd => {
                let level = ruzstd::encoding::CompressionLevel::Fastest;
                ruzstd::encoding::compress_to_vec(bytes, level)
            }
        }
    }

    /// Unpacks with limits that small inputs reach.
    fn unpack(codec: Codec, packed: &[u8]) -> Result<Vec<u8>, String> {
        let limits = Limits {
            total_bytes: 3 << 20,
            ratio: 50,
            ratio_from_bytes: 100 << 10,
            ..Limits::default()
        };
        let mut unpacked = Vec::new();
        let mut reader = codec.unpack(packed, &limits);
        reader.read_to_end(&mut unpacked).map_err(|error| error.to_string())?;
        Ok(unpacked)
    }

    pub(crate) const ALL: [Codec; 4] = [Codec::Gzip, Codec::Xz, Codec::Bzip2, Codec::Zstd];

    /// Bytes that no format compresses much.
    fn noise(size: usize) -> Vec<u8> {
        let mut state = 1_u32;
        let next = |_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        (0..size).map(next).collect()
    }

    #[test]
    fn formats_are_told_by_their_first_bytes() {
        for codec in ALL {
            let packed = pack(codec, b"text");
            assert_eq!(Codec::of(&packed[..Codec::TELLING]), Some(codec));
        }
        for other in [&b"text"[..], b"BZhello", b"PK\x03\x04..", b"", b"\x1f"] {
            assert_eq!(Codec::of(other), None, "{other:?}");
        }
    }

    #[test]
    fn streams_that_follow_each_other_are_one_file() {
        let (first, second) = (noise(70_000), b"second".repeat(100));
        for codec in ALL {
            let packed = [pack(codec, &first), pack(codec, &second)].concat();
            assert_eq!(unpack(codec, &packed).unwrap(), [&first[..], &second].concat());
        }
        let skippable =
            [&[0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3][..], &pack(Codec::Zstd, b"a")];
        assert_eq!(unpack(Codec::Zstd, &skippable.concat()).unwrap(), b"a");
    }

    #[test]
    fn damage_and_excess_are_refused() {
        let refused = |codec: Codec, packed: &[u8], part: &str| {
            let error = unpack(codec, packed).unwrap_err();
            assert!(error.contains(part), "{codec:?}: {error}");
        };
        for codec in ALL {
            let good = pack(codec, &noise(40_000));
            refused(codec, &good[..good.len() / 2], codec.name());
            refused(codec, &[&good[..], b"and more"].concat(), codec.name());
            let mut changed = good.clone();
            let at = changed.len() - 3;
            changed[at] ^= 1;
            refused(codec, &changed, codec.name());
            refused(codec, &pack(codec, &vec![0; 2 << 20]), "packed bytes");
            refused(codec, &pack(codec, &noise(4 << 20)), "too large when unpacked");
        }
        // A window of 2 GiB, by its header alone.
        refused(Codec::Zstd, &[0x28, 0xb5, 0x2f, 0xfd, 0, 0xa8, 1, 0, 0], "larger than 128 MiB");
        // xz with a dictionary of 1 GiB: the size has its own byte in the header of the block,
        // whose checksum follows.
        let mut packed = pack(Codec::Xz, b"text");
        let header = 12..12 + (usize::from(packed[12]) + 1) * 4;
        let size = packed[header.clone()].windows(2).position(|two| two == [0x21, 1]).unwrap() + 2;
        packed[header.start + size] = 36;
        let sum = header.end - 4..header.end;
        let mut crc = flate2::Crc::new();
        crc.update(&packed[header.start..sum.start]);
        packed[sum].copy_from_slice(&crc.sum().to_le_bytes());
        refused(Codec::Xz, &packed, "larger than 128 MiB");
    }
}
