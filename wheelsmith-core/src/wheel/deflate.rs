//! How hard to compress, and one piece of a file compressed.

use libdeflater::{CompressionLvl, Compressor};

use super::splice;

/// How much work goes into a smaller wheel. Sizes and speeds are of a 206 MB runtime, one core.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compression {
    /// Not at all: for local tests.
    Store,
    /// About 200 MB/s, 81 MB.
    Fast,
    /// About 110 MB/s, 75 MB: smaller than what CPython's zlib makes, at a third of its time.
    #[default]
    Default,
    /// About 5 MB/s, 72 MB: for releases.
    Best,
}

impl Compression {
    fn level(self) -> Option<CompressionLvl> {
        let level = match self {
            Self::Store => return None,
            Self::Fast => 1,
            Self::Default => 5,
            Self::Best => 12,
        };
        CompressionLvl::new(level).ok()
    }
}

/// A compressor with the space that it works in.
pub(super) struct Deflater {
    compressor: Option<Compressor>,
    space: Vec<u8>,
}

impl Deflater {
    pub(super) fn new(compression: Compression) -> Self {
        Self { compressor: compression.level().map(Compressor::new), space: Vec::new() }
    }

    /// `raw` as a piece of a deflate stream; unless it is the `last` piece, another can follow.
    /// Empty when nothing is to be compressed. Gives nothing when the stream cannot be joined.
    pub(super) fn piece(&mut self, raw: &[u8], last: bool) -> Option<Vec<u8>> {
        let Some(compressor) = &mut self.compressor else { return Some(Vec::new()) };
        self.space.resize(compressor.deflate_compress_bound(raw.len()), 0);
        let size = compressor.deflate_compress(raw, &mut self.space).ok()?;
        // Room for what `open_end` puts behind it.
        let mut packed = Vec::with_capacity(size + 5);
        packed.extend_from_slice(&self.space[..size]);
        if !last {
            splice::open_end(&mut packed)?;
        }
        Some(packed)
    }
}
