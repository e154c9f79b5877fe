//! Compression levels, and the compression of one piece of a file.

use std::sync::OnceLock;

use libdeflater::{CompressionLvl, Compressor};

use super::Compression;
use super::splice;

/// Size of the pieces, in bytes. Pieces are compressed independently: compared with 4 MiB, a
/// runtime of 214 MB grows by 0.34 % at 512 KiB, 0.14 % at 1 MiB, 0.08 % at 1.5 MiB, 0.05 % at 2
/// MiB.
pub(super) const PIECE: usize = 3 << 19;

/// Returns a name for the compressor at `level`, derived from its output for a sample. The name is
/// part of the cache keys, because another version may compress to other bytes.
pub(super) fn codec(level: u8) -> &'static str {
    // The compressor of the highest level needs 9 MiB, so only that of the used level is created.
    static CODECS: [OnceLock<String>; 13] = [const { OnceLock::new() }; 13];
    let Some(codec) = CODECS.get(usize::from(level)) else { return "" };
    codec.get_or_init(|| {
        let sample: Vec<u8> =
            (0..20_000_u32).flat_map(|i| (i * i % 251 * i).to_le_bytes()).collect();
        let mut out = vec![0; 2 * sample.len()];
        let level = CompressionLvl::new(i32::from(level)).ok();
        let size =
            level.and_then(|level| Compressor::new(level).deflate_compress(&sample, &mut out).ok());
        let hash = blake3::hash(&out[..size.unwrap_or_default()]).to_hex();
        format!("libdeflate {}", &hash[..16])
    })
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

/// Compressor with its tables.
pub(super) struct Deflater {
    compressor: Option<Compressor>,
}

impl Deflater {
    pub(super) fn new(compression: Compression) -> Self {
        let level = compression.level().and_then(|l| CompressionLvl::new(i32::from(l)).ok());
        Self { compressor: level.map(Compressor::new) }
    }

    /// Compresses `raw` into `out` and returns the compressed size. The result ends the deflate
    /// stream if `last` is true; otherwise another piece can follow. Returns 0 if compression is
    /// off, and `None` if the compressor's stream cannot be continued by another one.
    pub(super) fn piece(&mut self, raw: &[u8], last: bool, out: &mut Space) -> Option<usize> {
        let Some(compressor) = &mut self.compressor else { return Some(0) };
        let size = compressor.deflate_compress(raw, &mut out.0).ok()?;
        if last { Some(size) } else { splice::open_end(&mut out.0, size) }
    }
}

/// Reusable buffer for one compressed piece. It is never cleared, and the system allocates its
/// pages only as far as pieces use them.
pub(super) struct Space(Vec<u8>);

impl Space {
    pub(super) fn new(compression: Compression) -> Self {
        // Deflate adds 5 bytes for each 5000 bytes of incompressible data; joining adds up to 5
        // more.
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

    /// Fails if two levels compress the sample to the same bytes.
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
