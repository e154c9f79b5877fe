//! Lets a reader start again until it has all that it asks for.

use std::ops::Range;

use super::Limits;
use super::error::MemberError;
use super::source::Source;
use crate::binary::Pieces;

/// Bytes are brought in parts that begin and end at multiples of this.
const GRANULE: u64 = 64 << 10;
/// After so many starts the parts double, and again after as many: a reader that goes through a
/// list link by link would start for each of them.
const PATIENCE: u32 = 16;
/// The first bytes of every member, which say whether it is native.
pub(crate) const FIRST: u64 = 4096;

/// The first bytes of a member, and why they are not as many as they should be.
pub(crate) fn first(source: &mut Source<'_>) -> (Vec<u8>, Option<MemberError>) {
    let mut bytes = Vec::new();
    let range = 0..FIRST.min(source.size());
    let trouble = source.visit(&range, &mut |part| bytes.extend_from_slice(part)).err();
    (bytes, trouble)
}

/// What `reader` says of the member whose first bytes are `first`. With trouble, it is what the
/// reader says of what there is.
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
            // Without the missing bytes, as at the end of the file.
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
