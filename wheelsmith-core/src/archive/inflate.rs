//! Inflates a whole deflate stream, part by part.

use flate2::{FlushDecompress, Status};

use super::blob::Blob;
use super::error::MemberError;
use super::source::Buffers;

/// Inflates a stream (RFC 1951) and returns the number of packed bytes.
pub(super) fn inflate(
    packed: &Blob,
    buffers: &mut Buffers,
    more: &mut dyn FnMut(&[u8]) -> Result<(), MemberError>,
) -> Result<u64, MemberError> {
    let broken = || MemberError::Damaged("its content cannot be unpacked".to_owned());
    let Buffers { inflater, packed: input, unpacked: output, .. } = buffers;
    inflater.reset(false);
    let (mut at, mut ready) = (0_u64, 0..0);
    loop {
        if ready.is_empty() {
            ready = 0..packed.read_at(at, input)?;
            at += ready.len() as u64;
        }
        let (read_before, made_before) = (inflater.total_in(), inflater.total_out());
        let status = inflater
            .decompress(&input[ready.clone()], output, FlushDecompress::None)
            .map_err(|_| broken())?;
        let count = |now: u64, before: u64| usize::try_from(now - before).unwrap_or(usize::MAX);
        let (read, made) =
            (count(inflater.total_in(), read_before), count(inflater.total_out(), made_before));
        ready.start += read;
        more(&output[..made])?;
        match status {
            Status::StreamEnd => return Ok(inflater.total_in()),
            _ if read == 0 && made == 0 => return Err(broken()),
            _ => {}
        }
    }
}
