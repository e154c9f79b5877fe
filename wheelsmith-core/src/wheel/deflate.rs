//! How hard to compress, and one piece of a file compressed.

use libdeflater::{CompressionLvl, Compressor};

use super::Compression;
use super::pack::PIECE;
use super::splice;

/// What compresses, and in which version: part of the names in the cache, since what another one
/// made must not be found under the same name.
pub(super) const CODEC: &str = "libdeflate-sys 1.26.1";

impl Compression {
    pub(super) fn level(self) -> Option<u8> {
        match self {
            Self::Store => None,
            Self::Fast => Some(4),
            Self::Default => Some(5),
            Self::Best => Some(12),
        }
    }
}

/// A compressor with its tables.
pub(super) struct Deflater {
    compressor: Option<Compressor>,
}

impl Deflater {
    pub(super) fn new(compression: Compression) -> Self {
        let level = compression.level().and_then(|l| CompressionLvl::new(i32::from(l)).ok());
        Self { compressor: level.map(Compressor::new) }
    }

    /// Puts `raw` into `out` as a piece of a deflate stream, and says how long that is; unless it
    /// is the `last` piece, another can follow. 0 when nothing is to be compressed. Gives nothing
    /// when the stream cannot be joined.
    pub(super) fn piece(&mut self, raw: &[u8], last: bool, out: &mut Space) -> Option<usize> {
        let Some(compressor) = &mut self.compressor else { return Some(0) };
        let size = compressor.deflate_compress(raw, &mut out.0).ok()?;
        if last { Some(size) } else { splice::open_end(&mut out.0, size) }
    }
}

/// Room for one compressed piece. Its pages are touched only as far as pieces need them, so it is
/// reused and never cleared.
pub(super) struct Space(Vec<u8>);

impl Space {
    pub(super) fn new(compression: Compression) -> Self {
        // Incompressible data grows by 5 bytes in 5000, and joining takes 5 more.
        let size = if compression == Compression::Store { 0 } else { PIECE + PIECE / 512 + 64 };
        Self(vec![0; size])
    }

    pub(super) fn get(&self, size: usize) -> &[u8] {
        &self.0[..size]
    }

    pub(super) fn get_mut(&mut self, size: usize) -> Option<&mut [u8]> {
        self.0.get_mut(..size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codec_is_the_one_that_is_pinned() {
        let manifest = include_str!("../../../Cargo.toml");
        let (name, version) = CODEC.split_once(' ').unwrap();
        assert!(manifest.contains(&format!("{name} = \"={version}\"")), "{CODEC}");
    }

    #[test]
    fn there_is_room_for_what_does_not_shrink() {
        for compression in [Compression::Fast, Compression::Default, Compression::Best] {
            let level = i32::from(compression.level().unwrap());
            let mut compressor = Compressor::new(CompressionLvl::new(level).unwrap());
            let bound = compressor.deflate_compress_bound(PIECE);
            assert!(bound + 5 <= Space::new(compression).0.len(), "{bound}");
        }
    }
}
