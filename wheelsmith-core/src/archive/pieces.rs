//! Runs a parser on the available parts of a file, and again with more until it has all that it
//! reads.

use std::ops::Range;

use super::Limits;
use super::error::MemberError;
use super::source::Source;
use crate::binary::Pieces;

/// Alignment of the parts, in bytes.
const GRANULE: u64 = 64 << 10;
/// Number of runs after which the size of the parts doubles. A parser that follows a linked list
/// would otherwise run once for each link.
const PATIENCE: u32 = 16;
/// Number of first bytes of a member, which show whether it is native.
pub(crate) const FIRST: u64 = 4096;

/// Returns the first bytes of a member, and an error if they are fewer than expected.
pub(crate) fn first(source: &mut Source<'_>) -> (Vec<u8>, Option<MemberError>) {
    let mut bytes = Vec::new();
    let range = 0..FIRST.min(source.size());
    let trouble = source.visit(&range, &mut |part| bytes.extend_from_slice(part)).err();
    (bytes, trouble)
}

/// Runs `reader` on the member whose first bytes are `first`, and returns its result. If bytes
/// cannot be read, the result is that for the bytes that could, together with the error.
pub(crate) fn drive<T>(
    source: &mut Source<'_>,
    first: Vec<u8>,
    limits: &Limits,
    reader: impl Fn(&Pieces) -> T,
) -> (T, Option<MemberError>) {
    let mut pieces = Pieces::new(source.size());
    pieces.add(0, first);
    for starts in 0_u32.. {
        let answer = reader(&pieces);
        let missing = pieces.take_missing();
        if missing.is_empty() {
            return (answer, None);
        }
        let granule = GRANULE << (starts / PATIENCE).min(24);
        if let Err(trouble) = bring(source, &mut pieces, &missing, granule, limits) {
            // Runs without the missing bytes, as if the file ended before them.
            return (reader(&pieces), Some(trouble));
        }
    }
    unreachable!("each start has more of the file than the one before")
}

fn bring(
    source: &mut Source<'_>,
    pieces: &mut Pieces,
    missing: &[Range<u64>],
    granule: u64,
    limits: &Limits,
) -> Result<(), MemberError> {
    let mut wanted: Vec<Range<u64>> = Vec::new();
    for range in missing {
        let aligned = range.start / granule * granule;
        let start = source.begin(range.start, aligned).min(range.start);
        let end = range.end.next_multiple_of(granule).min(source.size());
        match wanted.last_mut() {
            Some(last) if last.end >= start => last.end = last.end.max(end),
            _ => wanted.push(start..end),
        }
    }
    let more: u64 = wanted.iter().map(|range| range.end - range.start).sum();
    if pieces.held_bytes().saturating_add(more) > limits.held_bytes {
        return Err(MemberError::OverLimit(format!(
            "its tables take more than {} MiB",
            limits.held_bytes >> 20
        )));
    }
    for range in wanted {
        let bytes = source.bytes(&range)?;
        pieces.add(range.start, bytes);
    }
    Ok(())
}
