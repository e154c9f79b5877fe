//! Reads gzip files (RFC 1952), which have one or more streams.
//!
//! Some readers take a second stream for the continuation of the first, and others stop there.
//! Callers that judge a file read the first stream, and refuse a file that has more bytes. Sources
//! are pinned by their digest and are read whole, as `gzip -d` does.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::{GzDecoder, MultiGzDecoder};

use super::blob::{self, Blob};

/// Reader of the unpacked bytes of the first stream.
pub(crate) struct Gzip(GzDecoder<BufReader<blob::Reader>>);

impl Gzip {
    pub(crate) fn new(packed: &Blob) -> Self {
        Self(GzDecoder::new(BufReader::with_capacity(64 << 10, packed.reader())))
    }

    /// Returns the number of packed bytes that the stream has used so far.
    pub(crate) fn packed_bytes(&self) -> u64 {
        let buffer = self.0.get_ref();
        buffer.get_ref().position() - buffer.buffer().len() as u64
    }

    /// True if there are bytes after the stream, which must have been read to its end.
    pub(crate) fn has_more(&mut self) -> io::Result<bool> {
        Ok(!self.0.get_mut().fill_buf()?.is_empty())
    }
}

impl Read for Gzip {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

/// Returns a reader of the unpacked bytes of all streams.
pub(crate) fn all_streams(packed: impl BufRead) -> impl Read {
    MultiGzDecoder::new(packed)
}
