//! Reads the bytes of one member, range by range.
//!
//! A stored member is read in place. A deflated one can only be inflated from its start: it is
//! inflated up to the end of the requested range, its first part is kept in memory, and skipped
//! bytes are inflated again if they are requested later. The parts of a native file that a loader
//! reads are near its start, with a few pages near its end, so that little is inflated twice.
//!
//! The checksum covers the whole member, so it is not verified here.

use std::ops::Range;

use flate2::{Decompress, FlushDecompress, Status};

use super::blob::Blob;
use super::error::MemberError;

/// Size of the first part of a deflated member that is kept in memory, in bytes. It usually
/// contains the symbol tables.
const HEAD: usize = 4 << 20;
/// Size of the parts in which packed bytes are read and unpacked bytes skipped.
const PACKED: usize = 64 << 10;
const UNPACKED: usize = 128 << 10;
/// Limit of restarts. A reader that needs more reads the file backwards.
const MOST_RESTARTS: u32 = 24;

/// Buffers of one thread for inflating, reused for each member.
pub(crate) struct Buffers {
    pub(crate) inflater: Decompress,
    pub(crate) packed: Vec<u8>,
    pub(crate) unpacked: Vec<u8>,
    head: Vec<u8>,
}

impl Buffers {
    pub(crate) fn new() -> Self {
        let (packed, unpacked) = (vec![0; PACKED], vec![0; UNPACKED]);
        Self { inflater: Decompress::new(false), packed, unpacked, head: Vec::new() }
    }
}

/// Bytes of one member.
pub(crate) struct Source<'w> {
    buffers: &'w mut Buffers,
    blob: Blob,
    /// Unpacked size in bytes.
    size: u64,
    deflated: Option<Deflated>,
}

/// State of inflating a member.
#[derive(Default)]
struct Deflated {
    /// Number of unpacked bytes so far.
    position: u64,
    /// Offset of the packed bytes that are read next.
    packed_at: u64,
    /// Range of the buffer that is not inflated yet.
    ready: Range<usize>,
    restarts: u32,
    /// Number of bytes to read next; small at first, because of most members only the first bytes
    /// are read.
    step: usize,
}

impl<'w> Source<'w> {
    /// Creates the source of a stored member.
    pub(crate) fn stored(buffers: &'w mut Buffers, blob: Blob) -> Self {
        let size = blob.size();
        Self { buffers, blob, size, deflated: None }
    }

    /// Creates the source of a deflated member (RFC 1951) with `size` unpacked bytes.
    pub(crate) fn deflated(buffers: &'w mut Buffers, blob: Blob, size: u64) -> Self {
        buffers.inflater.reset(false);
        buffers.head.clear();
        let deflated = Deflated { step: 4096, ..Deflated::default() };
        Self { buffers, blob, size, deflated: Some(deflated) }
    }

    /// Returns the blob of a stored member; `None` if it is deflated.
    pub(crate) fn stored_blob(&self) -> Option<Blob> {
        self.deflated.is_none().then(|| self.blob.clone())
    }

    /// Returns the unpacked size in bytes.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Returns the offset, at least `earliest`, from which a read that begins at `start` can begin
    /// without more work.
    pub(crate) fn begin(&self, start: u64, earliest: u64) -> u64 {
        match &self.deflated {
            Some(deflated) if start >= deflated.position => earliest.max(deflated.position),
            _ => earliest,
        }
    }

    /// Returns the bytes of a range inside the member.
    pub(crate) fn bytes(&mut self, range: &Range<u64>) -> Result<Vec<u8>, MemberError> {
        let mut bytes = Vec::new();
        self.visit(range, &mut |part: &[u8]| bytes.extend_from_slice(part))?;
        Ok(bytes)
    }

    /// Calls `take` with the bytes of a range, part by part.
    pub(crate) fn visit(
        &mut self,
        range: &Range<u64>,
        take: &mut dyn FnMut(&[u8]),
    ) -> Result<(), MemberError> {
        let Some(deflated) = &mut self.deflated else {
            let mut at = range.start;
            while at < range.end {
                let most = usize::try_from(range.end - at).unwrap_or(UNPACKED).min(UNPACKED);
                self.blob.fill_at(at, &mut self.buffers.unpacked[..most])?;
                take(&self.buffers.unpacked[..most]);
                at += most as u64;
            }
            return Ok(());
        };
        let mut start = range.start;
        let kept = self.buffers.head.len() as u64;
        if start < kept {
            let end = kept.min(range.end);
            take(&self.buffers.head[offset(start)..offset(end)]);
            start = end;
        }
        if start >= range.end {
            return Ok(());
        }
        if start < deflated.position {
            deflated.restart(&mut self.buffers.inflater)?;
        }
        while deflated.position < range.end {
            let before = deflated.position;
            // Skipped parts need not end at `start`: fewer and larger steps are faster.
            let border = if before < start { start } else { range.end };
            let most = usize::try_from(border - before).unwrap_or(UNPACKED).min(UNPACKED);
            let n = deflated.inflate(&self.blob, self.buffers, most)?;
            if n == 0 {
                return Err(MemberError::unreadable(format!(
                    "it ends after {} of {} bytes",
                    deflated.position, self.size
                )));
            }
            let part = &self.buffers.unpacked[..n];
            let head = &mut self.buffers.head;
            if head.len() as u64 == before && head.len() < HEAD {
                head.extend_from_slice(&part[..n.min(HEAD - head.len())]);
            }
            if before >= start {
                take(part);
            }
        }
        Ok(())
    }
}

impl Deflated {
    fn restart(&mut self, inflater: &mut Decompress) -> Result<(), MemberError> {
        if self.restarts == MOST_RESTARTS {
            return Err(MemberError::OverLimit(
                "its parts lie in no order that a linker makes".into(),
            ));
        }
        inflater.reset(false);
        *self = Self { restarts: self.restarts + 1, step: PACKED, ..Self::default() };
        Ok(())
    }

    /// Inflates up to `most` bytes into the buffer and returns their number: 0 at the end.
    fn inflate(
        &mut self,
        blob: &Blob,
        buffers: &mut Buffers,
        most: usize,
    ) -> Result<usize, MemberError> {
        let Buffers { inflater, packed, unpacked, .. } = buffers;
        let mut done = 0;
        while done < most {
            if self.ready.is_empty() {
                let step = self.step.min(PACKED);
                self.ready = 0..blob.read_at(self.packed_at, &mut packed[..step])?;
                self.packed_at += self.ready.len() as u64;
                self.step = step.saturating_mul(4);
            }
            let (read_before, made_before) = (inflater.total_in(), inflater.total_out());
            let (from, to) = (&packed[self.ready.clone()], &mut unpacked[done..most]);
            let status = match inflater.decompress(from, to, FlushDecompress::None) {
                Ok(status) => status,
                // The bytes before the damage may identify the file; the next call fails again.
                Err(_) if done > 0 => break,
                Err(_) => return Err(MemberError::unreadable(self.broken(blob))),
            };
            let read = offset(inflater.total_in() - read_before);
            let made = offset(inflater.total_out() - made_before);
            self.ready.start += read;
            self.position += made as u64;
            done += made;
            if status == Status::StreamEnd || (read == 0 && made == 0) {
                break;
            }
        }
        Ok(done)
    }

    fn broken(&self, blob: &Blob) -> String {
        format!(
            "its packed bytes make no sense after {} unpacked ones ({} packed in all)",
            self.position,
            blob.size()
        )
    }
}

/// Converts an offset that the caller has compared with the size of a slice.
fn offset(at: u64) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}
