//! Reads the whole content of a zip entry, part by part, and compares it with its header.

use super::blob::Blob;
use super::error::MemberError;
use super::inflate::inflate;
use super::source::{Buffers, Source};
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

    /// Returns its packed size in bytes, as its header states it.
    pub(crate) fn packed_bytes(&self) -> u64 {
        self.header.packed_bytes
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

    /// Opens the unpacked bytes to read parts of them. Sizes and CRC are not compared with the
    /// header; [`Self::read`] does that.
    pub(crate) fn open<'w>(&self, buffers: &'w mut Buffers) -> Result<Source<'w>, MemberError> {
        let (packed, size) = (self.packed.clone(), self.header.size_bytes);
        Ok(if self.is_stored()? {
            Source::stored(buffers, packed)
        } else {
            Source::deflated(buffers, packed, size)
        })
    }

    /// Returns true if the content is stored, false if it is deflated, or an error if it cannot be
    /// read.
    fn is_stored(&self) -> Result<bool, MemberError> {
        match self.header.method {
            _ if self.header.is_encrypted() => Err(MemberError::unreadable("it is encrypted")),
            0 if self.packed.size() != self.header.size_bytes => {
                let why = "it is stored with another size than that of its header";
                Err(MemberError::unreadable(why))
            }
            0 => Ok(true),
            8 => Ok(false),
            _ => Err(MemberError::unreadable("it is packed by a method that wheels do not have")),
        }
    }

    /// Unpacks the content and calls `take` with each part. Returns the number of packed bytes
    /// after the end of the stream, which are unused.
    ///
    /// Returns an error if the content cannot be unpacked, or if its size or CRC differ from the
    /// header. `take` was called with some of the parts by then.
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
        let unused = if self.is_stored()? {
            stored(&self.packed, buffers, &mut more)?;
            0
        } else {
            self.packed.size() - inflate(&self.packed, buffers, &mut more)?
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
