//! The whole content of a zip entry, part by part, compared with its header.

use flate2::{FlushDecompress, Status};

use super::blob::Blob;
use super::error::MemberError;
use super::source::Buffers;
use super::zip::Entry;

/// Reads the content of `entry` and hands it to `take`, part by part. Returns the packed bytes
/// after its end, which belong to nothing.
///
/// Fails if the content cannot be unpacked, or has another size or CRC than its header says. Parts
/// were taken by then.
pub(crate) fn read(
    archive: &Blob,
    entry: &Entry,
    buffers: &mut Buffers,
    take: &mut dyn FnMut(&[u8]) -> std::io::Result<()>,
) -> Result<u64, MemberError> {
    let header = &entry.header;
    let damaged = |why: &str| MemberError::Damaged(why.to_owned());
    if header.is_encrypted() {
        return Err(MemberError::unreadable("it is encrypted"));
    }
    let packed = entry.packed(archive);
    let packed = packed.ok_or_else(|| damaged("its content is not where the archive says"))?;
    let mut crc = crc32fast::Hasher::new();
    let mut size = 0_u64;
    let mut more = |part: &[u8]| -> Result<(), MemberError> {
        size += part.len() as u64;
        if size > header.size_bytes {
            let why =
                format!("it unpacks to more than the {} bytes of its header", header.size_bytes);
            return Err(damaged(&why));
        }
        crc.update(part);
        Ok(take(part)?)
    };
    let unused = match header.method {
        0 => {
            stored(&packed, buffers, &mut more)?;
            0
        }
        8 => packed.size() - inflate(&packed, buffers, &mut more)?,
        method => {
            let why = format!("it is packed by method {method}: wheels are stored or deflated");
            return Err(MemberError::unreadable(why));
        }
    };
    if size < header.size_bytes {
        let why = format!("it unpacks to less than the {} bytes of its header", header.size_bytes);
        return Err(damaged(&why));
    }
    if crc.finalize() != header.crc {
        return Err(damaged("its CRC is not that of its header"));
    }
    Ok(unused)
}

fn stored(
    packed: &Blob,
    buffers: &mut Buffers,
    more: &mut dyn FnMut(&[u8]) -> Result<(), MemberError>,
) -> Result<(), MemberError> {
    let mut at = 0;
    loop {
        let n = packed.read_at(at, &mut buffers.unpacked)?;
        if n == 0 {
            return Ok(());
        }
        more(&buffers.unpacked[..n])?;
        at += n as u64;
    }
}

/// Inflates a stream (RFC 1951) and returns how many packed bytes it has.
fn inflate(
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
