//! Reads and compresses entries in pieces on several threads, and returns the pieces in order.
//!
//! Pieces begin at multiples of [`PIECE`], so the bytes of a wheel do not depend on the number of
//! threads. A digest cannot be computed from pieces: files of several pieces are read a second time
//! for it. The largest of them come first, before any compression, so that no digest is missing at
//! the end.
//!
//! The numbers of threads and of [`Space`]s limit the memory, because pieces are compressed only
//! into spaces. Plain bytes stay in their thread: a caller that requires them reads the file again,
//! usually from the page cache.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};

use sha2::{Digest as _, Sha256};

use super::cache::{Chunks, Key};
use super::deflate::{Deflater, PIECE, Space};
use super::{Compression, Entry, Error};
use crate::name::Digest;
use crate::sys::Cancel;

/// Memory limit of threads and spaces, in bytes. The limit of the whole program is 32 MiB, of which
/// 5 MiB are used without them.
const MEMORY: usize = 25 << 20;

/// Size of libdeflate's tables at the levels that search hash chains, in bytes.
const TABLES: usize = 700 << 10;

/// Number of spaces beyond one for each thread, for pieces that wait for earlier ones.
const SPARE: usize = 2;

/// Returns the number of threads that fit into the memory limit. At the best level, the tables of
/// one thread take 9 MB; the limit does not apply there, because fewer threads would take hours.
fn limited(threads: usize, compression: Compression) -> usize {
    let most = match compression {
        Compression::Best => usize::MAX,
        _ => (MEMORY - SPARE * PIECE) / (2 * PIECE + TABLES),
    };
    threads.clamp(1, most)
}

/// Part of an entry.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece {
    /// Index of the entry.
    pub(super) entry: usize,
    /// Offset in the entry.
    pub(super) offset: u64,
    /// Size in bytes.
    pub(super) len: usize,
    /// True if it is the last piece of its entry.
    pub(super) last: bool,
}

impl Piece {
    /// True if it is the only piece of its entry.
    fn is_whole(&self) -> bool {
        self.last && self.offset == 0
    }
}

/// Piece that was read and compressed.
pub(super) struct Packed<'a> {
    /// Compressed bytes; empty if entries are stored without compression.
    pub(super) deflated: &'a [u8],
    /// CRC of its plain bytes.
    pub(super) crc: crc32fast::Hasher,
    /// Sums of the whole entry; `Some` with its last piece.
    pub(super) whole: Option<Sums>,
}

/// Sums over all bytes of an entry.
#[derive(Debug, Clone)]
pub(super) struct Sums {
    pub(super) digest: Digest,
    /// CRC of the second reading; `None` if the entry was read once.
    pub(super) crc: Option<u32>,
}

/// Returns the pieces of all entries, in order. An empty entry has one piece.
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

/// Returns the entries of several pieces, the largest first.
fn long(entries: &[Entry]) -> Vec<usize> {
    let is_long = |&i: &usize| entries[i].size_bytes() > PIECE as u64;
    let mut long: Vec<usize> = (0..entries.len()).filter(is_long).collect();
    long.sort_by_key(|&i| std::cmp::Reverse(entries[i].size_bytes()));
    long
}

/// State of a worker thread.
struct Worker<'a> {
    entries: &'a [Entry],
    chunks: Option<&'a Chunks>,
    compression: Compression,
    is_one_stream: bool,
    deflater: Deflater,
    raw: Vec<u8>,
}

/// Piece in its space.
struct Filled {
    space: Space,
    size: usize,
    crc: crc32fast::Hasher,
    digest: Option<Digest>,
}

impl<'a> Worker<'a> {
    fn new(entries: &'a [Entry], how: How<'a>) -> Self {
        let How { compression, chunks, is_one_stream, .. } = how;
        let deflater = Deflater::new(compression);
        Self { entries, chunks, compression, is_one_stream, deflater, raw: vec![0; PIECE] }
    }

    fn pack(&mut self, piece: Piece, mut space: Space) -> Result<Filled, Error> {
        let entry = &self.entries[piece.entry];
        entry.read(piece.offset, &mut self.raw[..piece.len])?;
        let raw = &self.raw[..piece.len];
        let mut crc = crc32fast::Hasher::new();
        crc.update(raw);
        let digest = piece.is_whole().then(|| Digest::of(raw));
        let ends = piece.last && !self.is_one_stream;
        let chunks = self.chunks.filter(|_| Chunks::is_worth_it(raw.len()));
        let key = chunks.and_then(|_| Key::new(raw, self.compression, ends));
        let known = chunks.zip(key.as_ref()).and_then(|(chunks, key)| chunks.get(key, &mut space));
        if let Some(size) = known {
            return Ok(Filled { space, size, crc, digest });
        }
        let size = self
            .deflater
            .piece(raw, ends, &mut space)
            .ok_or_else(|| Error::Codec { path: entry.path.clone() })?;
        if let (Some(chunks), Some(key)) = (chunks, key) {
            chunks.put(&key, space.get(size));
        }
        Ok(Filled { space, size, crc, digest })
    }
}

/// Computes the digest and CRC of a whole entry.
fn sums(entry: &Entry, cancel: &Cancel) -> Result<Sums, Error> {
    let (mut digest, mut crc) = (Sha256::new(), crc32fast::Hasher::new());
    entry.read_through(0, entry.size_bytes(), |bytes| {
        if cancel.is_cancelled() {
            return Err(Error::Cancelled);
        }
        digest.update(bytes);
        crc.update(bytes);
        Ok(())
    })?;
    Ok(Sums { digest: Digest::from_bytes(digest.finalize().into()), crc: Some(crc.finalize()) })
}

/// Options of reading and compressing entries.
#[derive(Clone, Copy)]
pub(super) struct How<'a> {
    pub(super) compression: Compression,
    pub(super) threads: usize,
    pub(super) chunks: Option<&'a Chunks>,
    /// True if the entries are parts of one stream: then no piece ends the stream.
    pub(super) is_one_stream: bool,
}

/// Calls `take` with each piece of `entries`, in order.
pub(super) fn in_order(
    entries: &[Entry],
    how: How<'_>,
    cancel: &Cancel,
    mut take: impl FnMut(Piece, Packed<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    let How { compression, threads, .. } = how;
    // Starting a thread takes longer than compressing a small wheel.
    let total: u64 = entries.iter().map(Entry::size_bytes).sum();
    let threads = if total <= PIECE as u64 { 1 } else { limited(threads, compression) };
    if threads > 1 {
        return on_threads(entries, How { threads, ..how }, cancel, take);
    }
    let mut worker = Worker::new(entries, how);
    let mut space = Space::new(compression);
    for piece in pieces(entries) {
        if cancel.is_cancelled() {
            return Err(Error::Cancelled);
        }
        let filled = worker.pack(piece, space)?;
        let whole = match filled.digest {
            Some(digest) => Some(Sums { digest, crc: None }),
            None if piece.last => Some(sums(&entries[piece.entry], cancel)?),
            None => None,
        };
        take(piece, Packed { deflated: filled.space.get(filled.size), crc: filled.crc, whole })?;
        space = filled.space;
    }
    Ok(())
}

/// Job of a worker thread.
enum Job {
    /// Compute the sums of this entry.
    Sums(usize),
    /// Compress a piece into a space; the number is its position among all pieces.
    Pack(usize, Piece, Space),
}

/// Result of a job.
enum Done {
    Sums(usize, Sums),
    Packed(usize, Piece, Filled),
}

fn on_threads(
    entries: &[Entry],
    how: How<'_>,
    cancel: &Cancel,
    take: impl FnMut(Piece, Packed<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    let How { compression, threads, .. } = how;
    let (ask, asked) = channel::<Job>();
    let (give, given) = channel::<Result<Done, Error>>();
    let asked = Mutex::new(asked);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            let (asked, give, stop) = (&asked, give.clone(), &stop);
            scope.spawn(move || {
                let mut worker = Worker::new(entries, how);
                while let Some(job) = next(asked, stop) {
                    let done = match job {
                        Job::Sums(entry) => {
                            sums(&entries[entry], cancel).map(|sums| Done::Sums(entry, sums))
                        }
                        Job::Pack(number, piece, space) => worker
                            .pack(piece, space)
                            .map(|filled| Done::Packed(number, piece, filled)),
                    };
                    if give.send(done).is_err() {
                        return;
                    }
                }
            });
        }
        // The threads own the only senders: if all of them end, receiving ends too.
        drop(give);
        let spaces = (0..threads + SPARE).map(|_| Space::new(compression)).collect();
        let mut order =
            Order { ask, given, spaces, waiting: BTreeMap::new(), sums: BTreeMap::new() };
        let result = order.run(entries, cancel, take);
        stop.store(true, Ordering::Relaxed);
        drop(order);
        result
    })
}

/// Sends jobs to the threads and sorts their results.
struct Order {
    ask: Sender<Job>,
    given: Receiver<Result<Done, Error>>,
    spaces: VecDeque<Space>,
    /// Pieces that were finished early, by number.
    waiting: BTreeMap<usize, (Piece, Filled)>,
    /// Sums by entry.
    sums: BTreeMap<usize, Sums>,
}

impl Order {
    fn run(
        &mut self,
        entries: &[Entry],
        cancel: &Cancel,
        mut take: impl FnMut(Piece, Packed<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        // Sending cannot fail, because the receiver exists as long as this function runs.
        for entry in long(entries) {
            let _ = self.ask.send(Job::Sums(entry));
        }
        let mut pieces = pieces(entries).enumerate();
        let (mut sent, mut taken) = (0, 0);
        loop {
            while let Some(space) = self.spaces.pop_front() {
                let Some((number, piece)) = pieces.next() else { break };
                let _ = self.ask.send(Job::Pack(number, piece, space));
                sent += 1;
            }
            if taken == sent {
                return Ok(());
            }
            match self.given.recv().map_err(|_| Error::Cancelled)?? {
                Done::Sums(entry, sums) => drop(self.sums.insert(entry, sums)),
                Done::Packed(number, piece, filled) => {
                    self.waiting.insert(number, (piece, filled));
                }
            }
            while let Some((piece, Filled { space, size, crc, digest })) = self.ready(taken) {
                if cancel.is_cancelled() {
                    return Err(Error::Cancelled);
                }
                taken += 1;
                let whole = match digest {
                    Some(digest) => Some(Sums { digest, crc: None }),
                    None if piece.last => self.sums.remove(&piece.entry),
                    None => None,
                };
                take(piece, Packed { deflated: space.get(size), crc, whole })?;
                self.spaces.push_back(space);
            }
        }
    }

    /// Returns the piece `number` if it and the sums that it requires are finished.
    fn ready(&mut self, number: usize) -> Option<(Piece, Filled)> {
        let (piece, _) = self.waiting.get(&number)?;
        let is_summed = !piece.last || piece.is_whole() || self.sums.contains_key(&piece.entry);
        if is_summed { self.waiting.remove(&number) } else { None }
    }
}

/// Returns the next job; `None` if there are no more, or if the work was stopped.
fn next(asked: &Mutex<Receiver<Job>>, stop: &AtomicBool) -> Option<Job> {
    let asked = asked.lock().unwrap_or_else(PoisonError::into_inner);
    let next = asked.recv().ok()?;
    (!stop.load(Ordering::Relaxed)).then_some(next)
}
