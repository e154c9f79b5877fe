//! Scans all bytes of a member once, for embedded files and for paths of the build machine.

use std::collections::BTreeSet;

use memchr::memmem::Finder;

use crate::archive::open::{Container, TELLING};
use crate::finding::{Code, Finding};
use crate::name::WheelPath;

/// Number of bytes that are searched at a time.
const WINDOW: usize = 256 << 10;
/// Length of the longest path that is recognized, in bytes. At least this many bytes after a match
/// are in memory.
const AHEAD: usize = 1024;
/// Maximum number of hits in one file. Real files have fewer, and most hits are chance.
const MOST_HITS: usize = 1 << 16;
/// Maximum number of paths that are reported.
const MOST_PATHS: usize = 5;

/// Kind of file that a magic number indicates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Magic {
    Elf,
    MachO,
    /// PE header; the file begins before it.
    Pe,
    Archive,
    Gzip,
    /// End of central directory record; the archive begins before it.
    ZipEnd,
    /// Magic of the first header, at byte 257.
    Tar,
}

const MAGICS: &[(&[u8], Magic)] = &[
    (b"\x7fELF", Magic::Elf),
    (b"\xcf\xfa\xed\xfe", Magic::MachO),
    (b"\xce\xfa\xed\xfe", Magic::MachO),
    (b"\xca\xfe\xba\xbe\0\0\0", Magic::MachO),
    (b"PE\0\0", Magic::Pe),
    (b"!<arch>\n", Magic::Archive),
    (b"\x1f\x8b\x08", Magic::Gzip),
    (b"PK\x05\x06", Magic::ZipEnd),
    (b"ustar", Magic::Tar),
];

/// Prefixes of directories where people and machines build. Two more components must follow,
/// because programs use paths such as `/tmp/x` themselves.
const BUILD_PLACES: &[&[u8]] =
    &[b"/home/", b"/Users/", b"/build/", b"/tmp/", b"/root/", b"C:\\Users\\"];

/// A scan over bytes that arrive in parts.
pub(super) struct Scan {
    magics: Vec<(Finder<'static>, Magic)>,
    places: Vec<Finder<'static>>,
    window: Vec<u8>,
    /// Offset of the window in the member.
    base: u64,
    /// Number of bytes of the window that have been searched.
    searched: usize,
    found: Found,
}

/// Results of a scan.
#[derive(Default)]
pub(super) struct Found {
    /// First bytes of the member.
    pub(super) first: Vec<u8>,
    /// Offset and kind of each hit, ordered by offset.
    pub(super) hits: Vec<(u64, Magic)>,
    pub(super) has_too_many: bool,
    paths: Vec<String>,
    distinct: BTreeSet<u64>,
    path_count: u64,
}

impl Scan {
    /// Creates a scan. It searches for paths only in native files, because sources and scripts may
    /// name any path.
    pub(super) fn new(is_native: bool) -> Self {
        let places = if is_native { BUILD_PLACES } else { &[] };
        Self {
            magics: MAGICS.iter().map(|(bytes, magic)| (Finder::new(bytes), *magic)).collect(),
            places: places.iter().map(Finder::new).collect(),
            window: Vec::with_capacity(WINDOW + 2 * AHEAD),
            base: 0,
            searched: 0,
            found: Found::default(),
        }
    }

    /// Scans the next bytes.
    pub(super) fn take(&mut self, mut part: &[u8]) {
        let first = &mut self.found.first;
        first.extend_from_slice(&part[..part.len().min(TELLING - first.len())]);
        while !part.is_empty() {
            let room = (WINDOW + 2 * AHEAD).saturating_sub(self.window.len()).min(part.len());
            self.window.extend_from_slice(&part[..room]);
            part = &part[room..];
            if self.window.len() >= WINDOW {
                self.search(self.window.len() - AHEAD);
                // The preceding byte shows whether a path begins at a match.
                let keep = self.searched.saturating_sub(1);
                self.window.drain(..keep);
                self.base += keep as u64;
                self.searched -= keep;
            }
        }
    }

    /// Searches the remaining bytes and returns the results.
    pub(super) fn finish(mut self) -> Found {
        self.search(self.window.len());
        self.found.hits.sort_unstable();
        self.found
    }

    /// Searches for matches that begin before `end`.
    fn search(&mut self, end: usize) {
        let Self { magics, places, window, base, searched, found } = self;
        for (finder, magic) in magics {
            for at in finder.find_iter(&window[*searched..]).map(|at| at + *searched) {
                if at >= end {
                    break;
                }
                if found.hits.len() == MOST_HITS {
                    found.has_too_many = true;
                    break;
                }
                found.hits.push((*base + at as u64, *magic));
            }
        }
        for finder in places {
            for at in finder.find_iter(&window[*searched..]).map(|at| at + *searched) {
                if at >= end {
                    break;
                }
                let before = at.checked_sub(1).map(|at| window[at]);
                let prefix = finder.needle().len();
                if let Some(path) = build_path(before, &window[at..], prefix) {
                    found.path(path);
                }
            }
        }
        *searched = end;
    }
}

/// Returns the path of a build machine at the start of `bytes`, whose first `prefix` bytes have
/// already been matched.
fn build_path(before: Option<u8>, bytes: &[u8], prefix: usize) -> Option<&str> {
    let is_end = |b: &u8| !(b' '..=b'~').contains(b) || b" \"'<>|:;,()*?`".contains(b);
    let rest = &bytes[prefix..bytes.len().min(AHEAD)];
    let end = rest.iter().position(is_end).unwrap_or(rest.len());
    let is_separator = |b: &u8| *b == b'/' || *b == b'\\';
    // Rust stores strings without separators: the next path does not belong to this one.
    let again = memchr::memmem::find(&rest[..end], &bytes[..prefix]);
    let end = again.unwrap_or(end);
    // Inside another path, it is only a directory with that name.
    let is_inside = |b: u8| b.is_ascii_alphanumeric() || b"/._-~%$}".contains(&b);
    let is_cargo = memchr::memmem::find(&rest[..end], b".cargo/").is_some();
    if before.is_some_and(is_inside) && !is_cargo {
        return None;
    }
    let parts = rest[..end].split(is_separator).filter(|part| !part.is_empty());
    // A `printf` pattern is a path that the program composes at run time.
    if rest[..end].contains(&b'%') || parts.count() < 2 {
        return None;
    }
    std::str::from_utf8(&bytes[..prefix + end]).ok()
}

impl Found {
    fn path(&mut self, path: &str) {
        use std::hash::{DefaultHasher, Hash as _, Hasher as _};
        self.path_count += 1;
        if self.paths.len() < MOST_PATHS {
            let mut hasher = DefaultHasher::new();
            path.hash(&mut hasher);
            if self.distinct.insert(hasher.finish()) {
                self.paths.push(path.to_owned());
            }
        }
    }

    /// True if the member may contain other files.
    pub(super) fn has_more(&self) -> bool {
        let begins_here = |hit: &(u64, Magic)| hit.0 == 0;
        self.container().is_some() || !self.hits.iter().all(begins_here)
    }

    /// Returns the container format of the member; `None` if it is not a container.
    pub(super) fn container(&self) -> Option<Container> {
        Container::of(&self.first)
    }

    /// Returns the finding about paths of a build machine.
    pub(super) fn build_paths(&self, path: &WheelPath) -> Option<Finding> {
        let message = match self.path_count {
            0 => return None,
            1 => "it contains a path of the build machine".to_owned(),
            count => format!("it contains {count} paths of the build machine"),
        };
        Some(Finding::new(Code::BuildPath, path, message).because(self.paths.iter().cloned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn build_paths_are_told_from_others() {
        let check = |text: &str, expected: &[&str]| {
            let mut scan = Scan::new(true);
            scan.take(text.as_bytes());
            assert_eq!(scan.finish().paths, expected, "{text:?}");
        };
        check("\0/home/u/src/a.c\0", &["/home/u/src/a.c"]);
        check("at /root/.cargo/registry/x.rs:12", &["/root/.cargo/registry/x.rs"]);
        check("C:\\Users\\u\\a.c\0", &["C:\\Users\\u\\a.c"]);
        let cargo = "/root/.cargo/a.rs";
        check(&format!("value{cargo}{cargo}x"), &[cargo, "/root/.cargo/a.rsx"]);
        check("/usr/home/u/x", &[]);
        check("/tmp/cache\0/tmp/%s/x\0/home/\0", &[]);
        check("/build/a/b\0/build/a/b\0", &["/build/a/b"]);
    }

    #[test]
    fn borders_of_windows_hide_nothing() {
        let mut bytes = vec![b'.'; 3 * WINDOW];
        let places: Vec<usize> =
            [1, 2, WINDOW - AHEAD - 2, WINDOW - 2, WINDOW + 5, 2 * WINDOW + 1].to_vec();
        for &at in &places {
            bytes[at..at + 4].copy_from_slice(b"\x7fELF");
        }
        for step in [bytes.len(), 4096, 100_001] {
            let mut scan = Scan::new(false);
            bytes.chunks(step).for_each(|part| scan.take(part));
            let found: Vec<usize> =
                scan.finish().hits.iter().map(|hit| usize::try_from(hit.0).unwrap()).collect();
            assert_eq!(found, [&places[1..2], &places[2..]].concat(), "{step}");
        }
    }
}
