//! Test helper that reads files in pieces.

use super::{Content, Pieces};

/// Returns the result of `read` for `bytes` whose missing ranges are added in granules, and the
/// number of attempts.
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
