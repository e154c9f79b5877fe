//! Reads bytes at any offset, to find out how far a native file extends that begins inside other
//! bytes. Magic numbers also occur by chance, so the numbers of all headers must be consistent.

/// Bytes that are read where they are needed. The first byte is that of the file.
pub(crate) struct Probe<'r> {
    read: &'r dyn Fn(u64, &mut [u8]) -> Option<()>,
}

impl<'r> Probe<'r> {
    /// Creates a probe. `read` fills the buffer from an offset on, and returns `None` beyond the end.
    pub(crate) fn new(read: &'r dyn Fn(u64, &mut [u8]) -> Option<()>) -> Self {
        Self { read }
    }

    pub(super) fn array<const N: usize>(&self, at: u64) -> Option<[u8; N]> {
        let mut bytes = [0; N];
        (self.read)(at, &mut bytes)?;
        Some(bytes)
    }

    pub(super) fn bytes(&self, at: u64, size: u64) -> Option<Vec<u8>> {
        let mut bytes = vec![0; usize::try_from(size).ok()?];
        (self.read)(at, &mut bytes)?;
        Some(bytes)
    }

    pub(super) fn u16(&self, at: u64) -> Option<u64> {
        self.array(at).map(|bytes| u16::from_le_bytes(bytes).into())
    }

    pub(super) fn u32(&self, at: u64) -> Option<u64> {
        self.array(at).map(|bytes| u32::from_le_bytes(bytes).into())
    }

    pub(super) fn u32_big(&self, at: u64) -> Option<u64> {
        self.array(at).map(|bytes| u32::from_be_bytes(bytes).into())
    }

    pub(super) fn u64(&self, at: u64) -> Option<u64> {
        self.array(at).map(u64::from_le_bytes)
    }

    pub(super) fn u64_big(&self, at: u64) -> Option<u64> {
        self.array(at).map(u64::from_be_bytes)
    }
}
