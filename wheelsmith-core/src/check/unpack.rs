//! The content of an entry in one pass: length, CRC, digest, and its bytes where they are wanted.

use std::io::{self, BufRead, Read};

use sha2::{Digest as _, Sha256};

use crate::name::Digest;

/// What of each content is kept, in bytes: enough to know native files and the first line of
/// scripts.
const HEAD_BYTES: usize = 64;

/// What is known of a content.
#[derive(Debug)]
pub(super) struct Content {
    /// Of all bytes.
    pub(super) digest: Digest,
    /// How many there are.
    pub(super) size_bytes: u64,
    /// Of all bytes, as zip archives have it.
    pub(super) crc: u32,
    /// The first bytes.
    pub(super) head: Vec<u8>,
    /// All bytes, of files that were to be kept.
    pub(super) kept: Option<Vec<u8>>,
}

/// What may be read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Want {
    /// More is not unpacked.
    pub(super) most_bytes: u64,
    /// Whether the bytes are kept.
    pub(super) keep: bool,
}

/// A place for what is unpacked, used for one entry after the other.
pub(super) struct Buffer(Vec<u8>);

impl Buffer {
    pub(super) fn new() -> Self {
        Self(vec![0; 256 << 10])
    }
}

/// Reads deflated bytes; the second answer is how many packed bytes that took.
pub(super) fn inflate(
    input: impl BufRead,
    want: Want,
    buffer: &mut Buffer,
) -> Result<(Content, u64), io::Error> {
    let mut decoder = flate2::bufread::DeflateDecoder::new(input);
    let content = read(&mut decoder, want, buffer)?;
    Ok((content, decoder.total_in()))
}

/// Reads bytes to their end, or to one beyond `want.most_bytes`.
pub(super) fn read(
    input: &mut impl Read,
    want: Want,
    buffer: &mut Buffer,
) -> Result<Content, io::Error> {
    let (mut sha, mut crc) = (Sha256::new(), crc32fast::Hasher::new());
    let (mut head, mut size_bytes) = (Vec::new(), 0);
    // As much as was stated, which the limits hold: growing would take twice of it.
    let room = usize::try_from(want.most_bytes).unwrap_or_default();
    let mut kept = want.keep.then(|| Vec::with_capacity(room));
    while size_bytes <= want.most_bytes {
        let room = want.most_bytes.saturating_sub(size_bytes).saturating_add(1);
        let room = usize::try_from(room).unwrap_or(usize::MAX).min(buffer.0.len());
        let n = match input.read(&mut buffer.0[..room]) {
            Ok(0) => break,
            Ok(n) => n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let bytes = &buffer.0[..n];
        sha.update(bytes);
        crc.update(bytes);
        size_bytes += n as u64;
        if head.len() < HEAD_BYTES {
            head.extend_from_slice(&bytes[..n.min(HEAD_BYTES - head.len())]);
        }
        if let Some(kept) = &mut kept {
            kept.extend_from_slice(bytes);
        }
    }
    Ok(Content {
        digest: Digest::from_bytes(sha.finalize().into()),
        size_bytes,
        crc: crc.finalize(),
        head,
        kept,
    })
}
