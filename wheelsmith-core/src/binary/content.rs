//! Bytes of a file, of which only some need to be in memory.
//!
//! A reader requests ranges. A range that is not in memory fails like the end of the file and is
//! recorded. The caller then adds the missing ranges and restarts the reader. So readers stay pure,
//! and a program of 300 MB is judged by the few pieces that the loader reads.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Range;

/// Bytes of a file, whole or in pieces.
#[derive(Debug, Clone, Copy)]
pub enum Content<'b> {
    /// All bytes.
    Whole(&'b [u8]),
    /// The bytes that have been added so far.
    Pieces(&'b Pieces),
}

impl<'b> From<&'b [u8]> for Content<'b> {
    fn from(bytes: &'b [u8]) -> Self {
        Self::Whole(bytes)
    }
}

impl<'b> From<&'b Vec<u8>> for Content<'b> {
    fn from(bytes: &'b Vec<u8>) -> Self {
        Self::Whole(bytes)
    }
}

impl<'b> From<&'b Pieces> for Content<'b> {
    fn from(pieces: &'b Pieces) -> Self {
        Self::Pieces(pieces)
    }
}

impl<'b> Content<'b> {
    /// Returns the size of the file in bytes.
    pub fn size(self) -> u64 {
        match self {
            Self::Whole(bytes) => bytes.len() as u64,
            Self::Pieces(pieces) => pieces.size,
        }
    }

    /// Returns the bytes of a range; `None` if it exceeds the file or is not in memory.
    pub fn get(self, range: Range<u64>) -> Option<&'b [u8]> {
        match self {
            Self::Whole(bytes) => {
                bytes.get(usize::try_from(range.start).ok()?..usize::try_from(range.end).ok()?)
            }
            Self::Pieces(pieces) => pieces.get(range),
        }
    }

    /// Returns the bytes from `at` on, at most `most` and up to the end of the file.
    pub fn up_to(self, at: u64, most: u64) -> Option<&'b [u8]> {
        self.get(at..at.saturating_add(most).min(self.size()))
    }
}

/// Pieces of a file.
#[derive(Debug, Default)]
pub struct Pieces {
    size: u64,
    /// Pieces by their offset; no two are adjacent or overlap.
    at: BTreeMap<u64, Vec<u8>>,
    missing: RefCell<Vec<Range<u64>>>,
}

impl Pieces {
    /// Returns an empty set of pieces of a file of `size` bytes.
    pub fn new(size: u64) -> Self {
        Self { size, ..Self::default() }
    }

    /// Adds the bytes at `start`. Bytes that are already present are kept.
    pub fn add(&mut self, start: u64, bytes: Vec<u8>) {
        let end = start.saturating_add(bytes.len() as u64);
        // The preceding piece if it reaches into this one, and those that begin inside or directly
        // after it.
        let before = self.at.range(..start).next_back();
        let before = before.filter(|(at, b)| *at + b.len() as u64 >= start).map(|(at, _)| *at);
        let touched: Vec<u64> =
            before.into_iter().chain(self.at.range(start..=end).map(|(at, _)| *at)).collect();
        let (mut first, mut joined) = (start, bytes);
        for at in touched {
            let old = self.at.remove(&at).unwrap_or_default();
            let old_end = at + old.len() as u64;
            if at < first {
                let tail_from =
                    usize::try_from(old_end.saturating_sub(first)).unwrap_or(usize::MAX);
                let tail = joined.get(tail_from..).unwrap_or_default().to_vec();
                joined = old;
                joined.extend_from_slice(&tail);
                first = at;
            } else {
                let joined_end = first + joined.len() as u64;
                if old_end > joined_end {
                    let from = usize::try_from(joined_end - at).unwrap_or(usize::MAX);
                    joined.extend_from_slice(old.get(from..).unwrap_or_default());
                }
            }
        }
        self.at.insert(first, joined);
    }

    /// Returns the ranges that were missing since the last call, sorted and merged.
    pub fn take_missing(&self) -> Vec<Range<u64>> {
        let mut missing = self.missing.take();
        missing.sort_by_key(|range| range.start);
        let mut joined: Vec<Range<u64>> = Vec::new();
        for range in missing {
            match joined.last_mut() {
                Some(last) if last.end >= range.start => last.end = last.end.max(range.end),
                _ => joined.push(range),
            }
        }
        joined
    }

    /// Returns the number of bytes in memory.
    pub fn held_bytes(&self) -> u64 {
        self.at.values().map(|bytes| bytes.len() as u64).sum()
    }

    fn get(&self, range: Range<u64>) -> Option<&[u8]> {
        if range.start > range.end || range.end > self.size {
            return None;
        }
        if range.is_empty() {
            return Some(&[]);
        }
        let found = self.at.range(..=range.start).next_back().and_then(|(at, bytes)| {
            let (start, end) = (range.start - at, range.end - at);
            bytes.get(usize::try_from(start).ok()?..usize::try_from(end).ok()?)
        });
        if found.is_none() {
            self.missing.borrow_mut().push(range);
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_not_at_hand_is_remembered() {
        let mut pieces = Pieces::new(100);
        assert_eq!(pieces.get(10..20), None);
        assert_eq!(pieces.get(15..30), None);
        assert_eq!(pieces.get(90..101), None, "beyond the end: nobody can bring it");
        let missing = pieces.take_missing();
        assert_eq!((missing.len(), &missing[0]), (1, &(10..30)));
        assert!(pieces.take_missing().is_empty());
        pieces.add(10, vec![7; 20]);
        assert_eq!(pieces.get(10..20), Some(&[7; 10][..]));
        assert_eq!(pieces.get(100..100), Some(&[][..]));
    }

    proptest! {
        #[test]
        fn pieces_are_the_file(
            file in prop::collection::vec(any::<u8>(), 1..200),
            parts in prop::collection::vec((0_usize..200, 0_usize..80), 0..12),
        ) {
            let mut pieces = Pieces::new(file.len() as u64);
            let mut has = vec![false; file.len()];
            for (start, size) in parts {
                let start = start.min(file.len());
                let end = (start + size).min(file.len());
                pieces.add(start as u64, file[start..end].to_vec());
                has[start..end].fill(true);
            }
            for start in 0..file.len() {
                for end in start + 1..=file.len().min(start + 9) {
                    let expected = has[start..end].iter().all(|h| *h).then(|| &file[start..end]);
                    prop_assert_eq!(pieces.get(start as u64..end as u64), expected);
                }
            }
        }
    }
}
