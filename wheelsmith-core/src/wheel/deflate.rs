//! How hard to compress, and one piece of a file compressed.

use std::sync::OnceLock;

use libdeflater::{CompressionLvl, Compressor};

use super::Compression;
use super::splice;

/// How much of a file is compressed at once. Pieces know nothing of each other: against 4 MiB, a
/// runtime of 214 MB grows by 0.34 % at 512 KiB, 0.14 % at 1 MiB, 0.08 % at 1.5 MiB, 0.05 % at 2 MiB.
pub(super) const PIECE: usize = 3 << 19;

/// Returns a name for the compressor at `level` that follows from what it makes of a sample. It is
/// part of the names in the cache, because another version may compress to other bytes.
pub(super) fn codec(level: u8) -> &'static str {
    static CODECS: OnceLock<[String; 13]> = OnceLock::new();
    let codecs = CODECS.get_or_init(|| {
        let sample: Vec<u8> =
            (0..20_000_u32).flat_map(|i| (i * i % 251 * i).to_le_bytes()).collect();
        std::array::from_fn(|level| {
            let level = i32::try_from(level).ok().and_then(|level| CompressionLvl::new(level).ok());
            let mut out = vec![0; 2 * sample.len()];
            let size = level
                .and_then(|level| Compressor::new(level).deflate_compress(&sample, &mut out).ok());
            let hash = blake3::hash(&out[..size.unwrap_or_default()]).to_hex();
            format!("libdeflate {}", &hash[..16])
        })
    });
    codecs.get(usize::from(level)).map_or("", String::as_str)
}

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

    /// Levels differ in what they make of the sample, or the sample shows too little.
    #[test]
    fn codecs_have_names_of_their_own() {
        let names: std::collections::BTreeSet<&str> = [4, 5, 12].map(codec).into();
        assert_eq!(names.len(), 3, "{names:?}");
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
