//! Compressed pieces that were made before, by the content that they were made from.
//!
//! A wheel comes out the same with the cache and without: what lies under a name is what the
//! compressor of that name makes of that content. Nothing that goes wrong here is an error, since
//! everything can be compressed again. Several processes may use the same directory: files appear
//! whole, may vanish at any time, and are checked when read.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use super::Compression;
use super::deflate::{Space, codec};
use crate::sys::{self, Env};

/// How much is kept, in bytes, unless a [`Chunks`] is told otherwise.
const MOST_BYTES: u64 = 1 << 30;

/// Smaller pieces are compressed again in less time than a file takes to be opened and checked.
pub(super) const LEAST: usize = 4 << 10;

/// A file is told to be in use again when it was not for so long, in seconds.
const STALE: u64 = 3600;

/// The length of the checksum in front of a file's content.
const CHECK: usize = 32;

/// A directory of compressed pieces.
#[derive(Debug)]
pub struct Chunks {
    dir: PathBuf,
    most_bytes: u64,
    /// Whether something was added since the last look at the whole size.
    has_grown: AtomicBool,
}

/// The name of a compressed piece.
pub(super) struct Key(blake3::Hash);

impl Key {
    /// The name of what `compression` makes of `raw`, at the end of a file or before it. Nothing
    /// when nothing is compressed.
    pub(super) fn new(raw: &[u8], compression: Compression, last: bool) -> Option<Self> {
        let level = compression.level()?;
        // What decides the bytes, in front of the content; its length keeps the two apart.
        let maker = format!("{} level {level} last {last}\n", codec(level));
        let mut hasher = blake3::Hasher::new();
        hasher.update(&(maker.len() as u64).to_le_bytes()).update(maker.as_bytes()).update(raw);
        Some(Self(hasher.finalize()))
    }
}

impl Chunks {
    /// The pieces kept in `dir`, which need not be there yet.
    pub fn new(dir: PathBuf) -> Self {
        Self { dir, most_bytes: MOST_BYTES, has_grown: AtomicBool::new(false) }
    }

    /// Those of this user; nothing when it is not known where this user's caches are.
    pub fn of_user(env: &Env) -> Option<Self> {
        Some(Self::new(env.cache_dir()?.join("chunks")))
    }

    /// Keeps so many bytes at the most.
    #[must_use]
    pub fn limited(mut self, most_bytes: u64) -> Self {
        self.most_bytes = most_bytes;
        self
    }

    /// Whether a piece of so many plain bytes is kept.
    pub(super) fn is_worth_it(size: usize) -> bool {
        size >= LEAST
    }

    /// Puts the piece into `space` and says how long it is; nothing when it is not there or damaged.
    pub(super) fn get(&self, key: &Key, space: &mut Space) -> Option<usize> {
        let mut file = sys::fs::open(&self.path(key)).ok()?;
        let metadata = file.metadata().ok()?;
        let size = usize::try_from(metadata.len()).ok()?.checked_sub(CHECK)?;
        let (mut check, content) = ([0; CHECK], space.get_mut(size)?);
        file.read_exact(&mut check).ok()?;
        file.read_exact(content).ok()?;
        if check != *blake3::hash(content).as_bytes() {
            return None;
        }
        // Not on each use: that would be a write for each read.
        let used = sys::fs::modified(&metadata);
        if used.zip(sys::now()).is_none_or(|(used, now)| used + STALE < now) {
            sys::fs::touch(&file);
        }
        Some(size)
    }

    /// Keeps a piece.
    pub(super) fn put(&self, key: &Key, content: &[u8]) {
        let check = blake3::hash(content);
        // A full disk, or a directory that is not ours: then there is no cache.
        if sys::fs::write_whole(&self.path(key), &[check.as_bytes(), content]).is_ok() {
            self.has_grown.store(true, Ordering::Relaxed);
        }
    }

    /// Removes the pieces that were not used for the longest time, if there are too many bytes of
    /// them. To be called when something was written.
    pub(super) fn sweep(&self) {
        if !self.has_grown.swap(false, Ordering::Relaxed) {
            return;
        }
        let mut files = Vec::new();
        for dir in sys::fs::list(&self.dir).unwrap_or_default() {
            files.extend(sys::fs::list(&dir).unwrap_or_default());
        }
        let about = |path: PathBuf| {
            let metadata = sys::fs::metadata(&path).ok()?;
            Some((sys::fs::modified(&metadata).unwrap_or(0), metadata.len(), path))
        };
        let mut files: Vec<(u64, u64, PathBuf)> = files.into_iter().filter_map(about).collect();
        let mut total: u64 = files.iter().map(|(_, size, _)| size).sum();
        if total <= self.most_bytes {
            return;
        }
        files.sort();
        // Somewhat more than needed, so that it is not needed again at once.
        let goal = self.most_bytes / 4 * 3;
        for (_, size, path) in files {
            if total <= goal {
                break;
            }
            // Another process may have been here as well.
            let _ = sys::fs::remove_file(&path);
            total -= size;
        }
    }

    /// In directories by the first two digits, so that none is very large.
    fn path(&self, key: &Key) -> PathBuf {
        let name = key.0.to_hex();
        let (dir, rest) = name.split_at(2);
        [&self.dir, Path::new(dir), Path::new(rest)].iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(chunks: &Chunks, raw: &[u8]) -> Key {
        let key = Key::new(raw, Compression::Default, false).unwrap();
        chunks.put(&key, raw);
        key
    }

    fn get(chunks: &Chunks, key: &Key) -> Option<Vec<u8>> {
        let mut space = Space::new(Compression::Default);
        let size = chunks.get(key, &mut space)?;
        Some(space.get(size).to_vec())
    }

    #[test]
    fn names_tell_everything_apart_that_changes_bytes() {
        let name = |raw: &[u8], compression, last| {
            Key::new(raw, compression, last).map(|key| key.0.to_hex().to_string())
        };
        let names = [
            name(b"a", Compression::Fast, false),
            name(b"a", Compression::Default, false),
            name(b"a", Compression::Best, false),
            name(b"a", Compression::Best, true),
            name(b"b", Compression::Best, true),
        ];
        let different: std::collections::BTreeSet<_> = names.iter().flatten().collect();
        assert_eq!(different.len(), names.len());
        assert_eq!(name(b"a", Compression::Store, true), None);
    }

    #[test]
    fn damaged_pieces_are_not_there() {
        let dir = sys::fs::temp_dir().unwrap();
        let chunks = Chunks::new(dir.path().join("chunks"));
        let content = b"compressed".repeat(100);
        let key = put(&chunks, &content);
        assert_eq!(get(&chunks, &key), Some(content.clone()));
        let path = chunks.path(&key);
        let whole = sys::fs::read(&path).unwrap();
        let check = |bytes: &[u8]| {
            sys::fs::write(&path, bytes).unwrap();
            assert_eq!(get(&chunks, &key), None, "{} bytes", bytes.len());
        };
        check(b"");
        check(&whole[..CHECK - 1]);
        check(&whole[..whole.len() - 1]);
        check(&[&whole[..], b"x"].concat());
        check(&vec![0; 64 << 20]);
        for at in [0, CHECK, whole.len() - 1] {
            let mut bytes = whole.clone();
            bytes[at] ^= 4;
            check(&bytes);
        }
        sys::fs::write(&path, &whole).unwrap();
        assert_eq!(get(&chunks, &key), Some(content));
    }

    #[test]
    fn the_oldest_go_when_there_are_too_many() {
        let dir = sys::fs::temp_dir().unwrap();
        let chunks = Chunks::new(dir.path().join("chunks")).limited(10 * 1000);
        let content = |i: u8| vec![i; 1000 - CHECK];
        let keys: Vec<Key> = (0..10).map(|i| put(&chunks, &content(i))).collect();
        for (age, key) in (1..).zip(&keys) {
            let file = std::fs::File::options().write(true).open(chunks.path(key)).unwrap();
            let long_ago = std::time::UNIX_EPOCH + std::time::Duration::from_secs(age);
            file.set_modified(long_ago).unwrap();
        }
        chunks.sweep();
        assert!(keys.iter().all(|key| chunks.path(key).is_file()), "as many as may be");
        // The oldest is used, which makes it the newest.
        assert_eq!(get(&chunks, &keys[0]), Some(content(0)));
        let new = put(&chunks, &content(10));
        chunks.sweep();
        let left: Vec<usize> =
            (0..keys.len()).filter(|&i| get(&chunks, &keys[i]).is_some()).collect();
        assert_eq!(left, [0, 5, 6, 7, 8, 9]);
        assert!(get(&chunks, &new).is_some());
    }

    #[test]
    fn no_directory_is_no_error() {
        let dir = sys::fs::temp_dir().unwrap();
        let file = dir.path().join("file");
        sys::fs::write(&file, b"").unwrap();
        let chunks = Chunks::new(file);
        let key = put(&chunks, b"x");
        assert_eq!(get(&chunks, &key), None);
        chunks.sweep();
    }
}
