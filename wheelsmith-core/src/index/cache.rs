//! Cache of digests of distributions and of pages that are up to date.
//!
//! The file is next to the state and may be deleted at any time. No published text comes from it,
//! only the fact that a file has not changed.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::Path;

use crate::name::Digest;
use crate::sys::{self, Stamp};

/// First line of the file; its number grows when lines change their meaning.
const HEADER: &str = concat!("wheelsmith index cache 1 ", env!("CARGO_PKG_VERSION"));

/// Stamps of both forms of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PageStamp {
    /// Fingerprint of the data that the page shows.
    pub(super) fingerprint: u64,
    pub(super) files: [Stamp; 2],
}

#[derive(Debug, Default)]
pub(super) struct Cache {
    inputs: HashMap<String, (Stamp, Digest)>,
    pages: HashMap<String, PageStamp>,
    is_changed: bool,
}

impl Cache {
    /// Reads the cache; returns an empty one if the file is missing or was written by another
    /// version.
    pub(super) fn load(path: &Path) -> Self {
        let (Ok(stamp), Ok(text)) = (Stamp::of(path), sys::fs::read_to_string(path)) else {
            return Self::default();
        };
        Self::parse(&text, stamp.written_ns).unwrap_or_default()
    }

    /// Parses the text of a cache. Entries that are not older than the cache itself are dropped:
    /// such a file may have changed without a new stamp.
    fn parse(text: &str, written_ns: u64) -> Option<Self> {
        let (header, lines) = text.split_once('\n')?;
        if header != HEADER {
            return None;
        }
        // A line has a few hundred bytes.
        let mut cache = Self::default();
        cache.inputs.reserve(lines.len() / 200);
        cache.pages.reserve(lines.len() / 400);
        for line in lines.lines() {
            let mut words = line.split('\t');
            let (kind, name) = (words.next()?, words.next()?);
            let stamp = |words: &mut std::str::Split<'_, char>| {
                let mut number = || words.next()?.parse::<u64>().ok();
                Some(Stamp { size_bytes: number()?, written_ns: number()?, inode: number()? })
            };
            let first = stamp(&mut words)?;
            match kind {
                "input" => {
                    let digest = words.next()?.parse().ok()?;
                    if first.written_ns < written_ns {
                        cache.inputs.insert(name.to_owned(), (first, digest));
                    }
                }
                "page" => {
                    let files = [first, stamp(&mut words)?];
                    let fingerprint = words.next()?.parse().ok()?;
                    if files.iter().all(|stamp| stamp.written_ns < written_ns) {
                        cache.pages.insert(name.to_owned(), PageStamp { fingerprint, files });
                    }
                }
                _ => return None,
            }
        }
        Some(cache)
    }

    /// Returns the text of the cache; `None` if nothing changed.
    pub(super) fn render(&self) -> Option<String> {
        if !self.is_changed {
            return None;
        }
        let mut out = format!("{HEADER}\n");
        let stamp = |out: &mut String, stamp: &Stamp| {
            let Stamp { size_bytes, written_ns, inode } = stamp;
            let _ = write!(out, "\t{size_bytes}\t{written_ns}\t{inode}");
        };
        let is_plain = |name: &&String| !name.contains(['\t', '\n']);
        let mut names: Vec<&String> = self.inputs.keys().filter(is_plain).collect();
        names.sort_unstable();
        for name in names {
            let (file, digest) = &self.inputs[name];
            let _ = write!(out, "input\t{name}");
            stamp(&mut out, file);
            let _ = writeln!(out, "\t{digest}");
        }
        let mut names: Vec<&String> = self.pages.keys().collect();
        names.sort_unstable();
        for name in names {
            let page = &self.pages[name];
            let _ = write!(out, "page\t{name}");
            page.files.iter().for_each(|file| stamp(&mut out, file));
            let _ = writeln!(out, "\t{}", page.fingerprint);
        }
        Some(out)
    }

    /// Returns the digest of a file that has not changed since it was cached.
    pub(super) fn digest(&self, path: &str, stamp: &Stamp) -> Option<Digest> {
        let (old, digest) = self.inputs.get(path)?;
        (old == stamp).then_some(*digest)
    }

    pub(super) fn keep_digest(&mut self, path: String, stamp: Stamp, digest: Digest) {
        let new = (stamp, digest);
        self.is_changed |= self.inputs.insert(path, new) != Some(new);
    }

    pub(super) fn page(&self, name: &str) -> Option<&PageStamp> {
        self.pages.get(name)
    }

    pub(super) fn keep_page(&mut self, name: String, page: PageStamp) {
        self.is_changed |= self.pages.insert(name, page) != Some(page);
    }

    pub(super) fn forget_page(&mut self, name: &str) {
        self.is_changed |= self.pages.remove(name).is_some();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changed_in_the_same_moment_is_read_again() {
        let stamp = |written_ns| Stamp { size_bytes: 7, written_ns, inode: 3 };
        let mut cache = Cache::default();
        assert_eq!(cache.render(), None);
        let digest = Digest::of(b"x");
        cache.keep_digest("/d/old.whl".to_owned(), stamp(10), digest);
        cache.keep_digest("/d/new.whl".to_owned(), stamp(20), digest);
        let page = PageStamp { fingerprint: 9, files: [stamp(10), stamp(11)] };
        cache.keep_page("simple/a".to_owned(), page);
        let text = cache.render().unwrap();
        let cache = Cache::parse(&text, 20).unwrap();
        assert_eq!(cache.digest("/d/old.whl", &stamp(10)), Some(digest));
        assert_eq!(cache.digest("/d/old.whl", &stamp(11)), None);
        assert_eq!(cache.digest("/d/new.whl", &stamp(20)), None);
        assert_eq!(cache.page("simple/a"), Some(&page));
        assert_eq!(cache.render(), None);
        assert!(Cache::parse("other\n", 20).is_none());
        assert!(Cache::parse(&format!("{HEADER}\ninput\tx\t1"), 20).is_none());
    }
}
