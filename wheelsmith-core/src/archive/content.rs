//! Reads the whole content of a zip entry, part by part, and compares it with its header.

use flate2::{FlushDecompress, Status};

use super::blob::Blob;
use super::error::MemberError;
use super::members::Location;
use super::source::Buffers;
use super::zip::{Entry, Header};

/// Packed content of a zip entry.
#[derive(Debug, Clone)]
pub struct PackedContent {
    packed: Blob,
    header: Header,
}

impl PackedContent {
    /// Returns the content of `entry`; `None` if it is not at its stated offset, or overlaps
    /// another one.
    pub(crate) fn of(archive: &Blob, entry: &Entry) -> Option<Self> {
        Some(Self { packed: entry.part(archive)?, header: entry.header })
    }

    /// Returns its unpacked size in bytes, as its header states it.
    pub(crate) fn size_bytes(&self) -> u64 {
        self.header.size_bytes
    }

    /// Returns the CRC of the unpacked bytes, as its header states it.
    #[cfg(feature = "wheel")]
    pub(crate) fn crc(&self) -> u32 {
        self.header.crc
    }

    /// True if the content is deflated, false if it is stored.
    #[cfg(feature = "wheel")]
    pub(crate) fn is_deflated(&self) -> bool {
        self.header.method == 8
    }

    /// Returns the packed bytes.
    #[cfg(feature = "wheel")]
    pub(crate) fn packed(&self) -> &Blob {
        &self.packed
    }

    /// Returns the location of the bytes, to read parts of them.
    pub(crate) fn location(&self) -> Location {
        match self.header.method {
            _ if self.header.is_encrypted() => Location::Unreadable("it is encrypted"),
            0 => Location::Stored(self.packed.clone()),
            8 => Location::Deflated(self.packed.clone(), self.header.size_bytes),
            _ => Location::Unreadable("it is packed by a method that wheels do not have"),
        }
    }

    /// Unpacks the content and calls `take` with each part. Returns the number of packed bytes
    /// after the end of the stream, which are unused.
    ///
    /// Returns an error if the content cannot be unpacked, or if its size or CRC differ from the
    /// header. `take` was called with some of the parts by then.
    /// taken by then.
    pub(crate) fn read(
        &self,
        buffers: &mut Buffers,
        take: &mut dyn FnMut(&[u8]) -> std::io::Result<()>,
    ) -> Result<u64, MemberError> {
        let header = &self.header;
        let damaged = |why: String| MemberError::Damaged(why);
        let unpacks = |how: &str| {
            let size = header.size_bytes;
            damaged(format!("it unpacks to {how} than the {size} bytes of its header"))
        };
        let mut crc = flate2::Crc::new();
        let mut size = 0_u64;
        let mut more = |part: &[u8]| -> Result<(), MemberError> {
            size += part.len() as u64;
            if size > header.size_bytes {
                return Err(unpacks("more"));
            }
            crc.update(part);
            Ok(take(part)?)
        };
        let unused = match self.location() {
            Location::Stored(packed) => {
                stored(&packed, buffers, &mut more)?;
                0
            }
            Location::Deflated(packed, _) => packed.size() - inflate(&packed, buffers, &mut more)?,
            Location::Unreadable(why) => return Err(MemberError::unreadable(why)),
            Location::File(_) | Location::Refused => {
                return Err(MemberError::unreadable("it is no entry of an archive"));
            }
        };
        if size < header.size_bytes {
            return Err(unpacks("less"));
        }
        if crc.sum() != header.crc {
            return Err(damaged("its CRC is not that of its header".to_owned()));
        }
        Ok(unused)
    }

    /// Returns the whole unpacked content.
    pub(crate) fn load(&self) -> Result<Vec<u8>, MemberError> {
        // One deflated byte unpacks to at most 1032 bytes.
        let most = self.packed.size().saturating_mul(1032);
        let room = usize::try_from(self.header.size_bytes.min(most)).unwrap_or_default();
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(room).map_err(|e| MemberError::OverLimit(e.to_string()))?;
        self.read(&mut Buffers::new(), &mut |part| {
            bytes.extend_from_slice(part);
            Ok(())
        })?;
        Ok(bytes)
    }
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

/// Inflates a stream (RFC 1951) and returns the number of packed bytes.
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
