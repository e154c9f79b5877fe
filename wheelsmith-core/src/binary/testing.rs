//! Reads files as whoever has only pieces of them does.

use super::{Content, Pieces};

/// What `read` says of `bytes` of which each missing range is brought in granules, and how often it
/// was asked.
pub(super) fn in_pieces<T>(
    bytes: &[u8],
    granule: u64,
    read: impl Fn(Content<'_>) -> T,
) -> (T, usize) {
    let size = bytes.len() as u64;
    let mut pieces = Pieces::new(size);
    for round in 1.. {
        let found = read((&pieces).into());
        let missing = pieces.take_missing();
        if missing.is_empty() {
            return (found, round);
        }
        for range in missing {
            let start = range.start / granule * granule;
            let end = range.end.next_multiple_of(granule).min(size);
            let part = start.try_into().unwrap()..end.try_into().unwrap();
            pieces.add(start, bytes[part].to_vec());
        }
    }
    unreachable!("every round brings what was missing")
}
