//! Reads and compresses entries in pieces, on several threads, and hands the pieces over in order.
//!
//! Pieces begin at multiples of [`PIECE`] whatever the number of threads, so the bytes of a wheel do
//! not depend on it. How many are under way is limited by their bytes: memory does not grow with
//! the threads.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Mutex, PoisonError};

use super::deflate::Deflater;
use super::{Compression, Entry, Error};
use crate::name::Digest;
use crate::sys::Cancel;

/// How much of a file is compressed at once. Pieces know nothing of each other, which costs 0.45 %
/// of the size at 1 MiB, 0.25 % at 4 MiB and 1.0 % at 256 KiB.
pub(super) const PIECE: usize = 1 << 20;

/// How many bytes may be under way: enough for some 30 threads.
const WINDOW: usize = 64 * PIECE;

/// A part of an entry.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece {
    /// Which entry.
    pub(super) entry: usize,
    /// Where the part begins.
    pub(super) offset: u64,
    /// How long it is.
    pub(super) len: usize,
    /// Whether the entry ends with it.
    pub(super) last: bool,
}

/// A piece that has been read and compressed.
pub(super) struct Packed {
    pub(super) raw: Vec<u8>,
    /// Empty when nothing is to be compressed.
    pub(super) deflated: Vec<u8>,
    pub(super) crc: crc32fast::Hasher,
    /// Of the whole entry, when that is one piece.
    pub(super) digest: Option<Digest>,
}

/// Every piece of every entry, in order; an empty entry has one piece.
fn pieces(entries: &[Entry]) -> impl Iterator<Item = Piece> {
    entries.iter().enumerate().flat_map(|(entry, content)| {
        let size = content.size_bytes();
        let count = size.div_ceil(PIECE as u64).max(1);
        (0..count).map(move |i| {
            let offset = i * PIECE as u64;
            let len = usize::try_from(size - offset).map_or(PIECE, |rest| rest.min(PIECE));
            Piece { entry, offset, len, last: i + 1 == count }
        })
    })
}

/// What a thread works with.
struct Worker<'a> {
    entries: &'a [Entry],
    deflater: Deflater,
}

impl Worker<'_> {
    fn pack(&mut self, piece: Piece) -> Result<Packed, Error> {
        let entry = &self.entries[piece.entry];
        let mut raw = vec![0; piece.len];
        entry.read(piece.offset, &mut raw)?;
        let mut crc = crc32fast::Hasher::new();
        crc.update(&raw);
        let whole = piece.last && piece.offset == 0;
        let digest = whole.then(|| Digest::of(&raw));
        let deflated = self
            .deflater
            .piece(&raw, piece.last)
            .ok_or_else(|| Error::Codec { path: entry.path.clone() })?;
        Ok(Packed { raw, deflated, crc, digest })
    }
}

/// Hands every piece of `entries` to `take`, in order.
pub(super) fn in_order(
    entries: &[Entry],
    compression: Compression,
    threads: usize,
    cancel: &Cancel,
    mut take: impl FnMut(Piece, Packed) -> Result<(), Error>,
) -> Result<(), Error> {
    let worker = || Worker { entries, deflater: Deflater::new(compression) };
    let mut pieces = pieces(entries).peekable();
    // A thread costs more than a wheel of text modules.
    let total: u64 = entries.iter().map(Entry::size_bytes).sum();
    if threads <= 1 || total <= PIECE as u64 {
        let mut worker = worker();
        return pieces.try_for_each(|piece| {
            if cancel.is_cancelled() {
                return Err(Error::Cancelled);
            }
            let packed = worker.pack(piece)?;
            take(piece, packed)
        });
    }

    let (ask, asked) = channel::<(usize, Piece)>();
    let (give, given) = channel::<(usize, Piece, Result<Packed, Error>)>();
    let asked = Mutex::new(asked);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            let (asked, give, stop) = (&asked, give.clone(), &stop);
            scope.spawn(move || {
                let mut worker = worker();
                while let Some((number, piece)) = next(asked, stop) {
                    let packed = worker.pack(piece);
                    if give.send((number, piece, packed)).is_err() {
                        return;
                    }
                }
            });
        }
        // The threads hold the only senders: should all of them end, receiving ends as well.
        drop(give);
        let mut order = || {
            let mut waiting = BTreeMap::new();
            let (mut sent, mut taken, mut under_way) = (0, 0, 0);
            loop {
                while let Some(piece) = pieces.next_if(|piece| under_way + piece.len <= WINDOW) {
                    under_way += piece.len;
                    // Cannot fail while `asked` lives.
                    let _ = ask.send((sent, piece));
                    sent += 1;
                }
                if taken == sent {
                    return Ok(());
                }
                let Ok((number, piece, packed)) = given.recv() else {
                    return Err(Error::Cancelled);
                };
                waiting.insert(number, (piece, packed?));
                while let Some((piece, packed)) = waiting.remove(&taken) {
                    if cancel.is_cancelled() {
                        return Err(Error::Cancelled);
                    }
                    taken += 1;
                    under_way -= piece.len;
                    take(piece, packed)?;
                }
            }
        };
        let result = order();
        stop.store(true, Ordering::Relaxed);
        drop(ask);
        result
    })
}

/// The next piece to work on; none when the work is done or given up.
fn next(asked: &Mutex<Receiver<(usize, Piece)>>, stop: &AtomicBool) -> Option<(usize, Piece)> {
    let asked = asked.lock().unwrap_or_else(PoisonError::into_inner);
    let next = asked.recv().ok()?;
    (!stop.load(Ordering::Relaxed)).then_some(next)
}
