//! Cache of compressed pieces, keyed by a digest of the plain bytes and the compressor.
//!
//! A wheel has the same bytes with and without the cache: the key names the compressor, and the
//! file under it contains that compressor's output. A failure of the cache is never an error,
//! because the piece can be compressed again. Several processes may share the directory: files are
//! written atomically, may be deleted at any time, and are verified when read.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use super::Compression;
use super::deflate::{Space, codec};
use crate::sys::{self, Env};

/// Default limit of the cache, in bytes.
const MOST_BYTES: u64 = 1 << 30;

/// Smallest piece that is cached, in bytes. Compressing a smaller one takes less time than opening
/// and verifying a file.
pub(super) const LEAST: usize = 4 << 10;

/// Age after which a cache hit updates the modification time of the file, in seconds.
const STALE: u64 = 3600;

/// Size of the checksum at the start of a file, in bytes.
const CHECK: usize = 32;

/// Cache directory of compressed pieces.
#[derive(Debug)]
pub struct Chunks {
    dir: PathBuf,
    most_bytes: u64,
    /// True if a piece was added since the size of the cache was last checked.
    has_grown: AtomicBool,
}

/// Key of a compressed piece.
pub(super) struct Key(blake3::Hash);

impl Key {
    /// Returns the key of the output of `compression` for `raw`; `last` is true for the last piece
    /// of a file. Returns `None` if entries are stored without compression.
    pub(super) fn new(raw: &[u8], compression: Compression, last: bool) -> Option<Self> {
        let level = compression.level()?;
        // Hashed before the content. The length of this text keeps the two hashes apart.
        let maker = format!("{} level {level} last {last}\n", codec(level));
        let mut hasher = blake3::Hasher::new();
        hasher.update(&(maker.len() as u64).to_le_bytes()).update(maker.as_bytes()).update(raw);
        Some(Self(hasher.finalize()))
    }
}

impl Chunks {
    /// Creates a cache in `dir`, which need not exist yet.
    pub fn new(dir: PathBuf) -> Self {
        Self { dir, most_bytes: MOST_BYTES, has_grown: AtomicBool::new(false) }
    }

    /// Returns the cache of the current user; `None` if that user's cache directory is unknown.
    pub fn of_user(env: &Env) -> Option<Self> {
        Some(Self::new(env.cache_dir()?.join("chunks")))
    }

    /// Sets the limit of the cache, in bytes.
    #[must_use]
    pub fn limited(mut self, most_bytes: u64) -> Self {
        self.most_bytes = most_bytes;
        self
    }

    /// True if a piece of `size` plain bytes is large enough to be cached.
    pub(super) fn is_worth_it(size: usize) -> bool {
        size >= LEAST
    }

    /// Reads the piece into `space` and returns its size. Returns `None` if it is missing or
    /// damaged.
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
        // Only for stale files: otherwise each read would cause a write.
        let used = sys::fs::modified(&metadata);
        if used.zip(sys::now()).is_none_or(|(used, now)| used + STALE < now) {
            sys::fs::touch(&file);
        }
        Some(size)
    }

    /// Stores a piece.
    pub(super) fn put(&self, key: &Key, content: &[u8]) {
        let check = blake3::hash(content);
        // Errors are ignored: with a full disk or a read-only directory there is no cache.
        if sys::fs::write_whole(&self.path(key), &[check.as_bytes(), content]).is_ok() {
            self.has_grown.store(true, Ordering::Relaxed);
        }
    }

    /// Deletes the least recently used pieces if the cache is over its limit. Call it after
    /// writing.
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
        // Deletes down to three quarters of the limit, so that the next sweep is not due at once.
        let goal = self.most_bytes / 4 * 3;
        for (_, size, path) in files {
            if total <= goal {
                break;
            }
            // Another process may have deleted the file already.
            let _ = sys::fs::remove_file(&path);
            total -= size;
        }
    }

    /// Returns the path of a piece. Directories by the first two hex digits keep each of them
    /// small.
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
        // The oldest piece is read, which makes it the newest.
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
