//! Compares the pages of a file with the signed hashes while its bytes are streamed.

use std::ops::Range;

use serde::Serialize;
use sha2::{Digest as _, Sha256, Sha384};

use crate::binary::Error;

/// Result of comparing the pages of a file with its signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Pages {
    /// All pages match.
    Right,
    /// Some pages do not match.
    Wrong {
        /// Number of pages that do not match.
        count: u64,
        /// Offset of the first of them from the start of the slice.
        first: u64,
    },
    /// The pages were not compared, because their hashes are SHA-1, which is not supported, or
    /// because the file was read in pieces ([`super::MachO::page_checks`]).
    NotChecked,
    /// The signature is malformed.
    Unreadable,
}

/// Signed hashes of the pages of a slice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Signed {
    /// Offset of the slice in the file.
    pub(super) start: u64,
    pub(super) hashes: Vec<Hash>,
}

/// Expected digests of the pages by one hash algorithm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hash {
    kind: Kind,
    page_size: u64,
    /// Number of bytes of the slice that are signed.
    limit: u64,
    /// Expected digests, concatenated.
    wanted: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Sha256,
    /// SHA-256, truncated to its first 20 bytes.
    Sha256Cut,
    Sha384,
}

impl Kind {
    /// Returns the size of a digest in bytes.
    fn size(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha256Cut => 20,
            Self::Sha384 => 48,
        }
    }

    fn hasher(self) -> Hasher {
        match self {
            Self::Sha256 | Self::Sha256Cut => Hasher::Sha256(Sha256::new()),
            Self::Sha384 => Hasher::Sha384(Sha384::new()),
        }
    }
}

impl Hash {
    /// Creates a hash from `kind` and `size` of a code directory. `None` for SHA-1.
    ///
    /// # Errors
    /// Returns an error for an unknown kind.
    pub(super) fn new(
        kind: u8,
        size: u8,
        page_size: u64,
        limit: u64,
        wanted: &[u8],
    ) -> Result<Option<Self>, Error> {
        let kind = match (kind, size) {
            (1, 20) => return Ok(None),
            (2, 32) => Kind::Sha256,
            (3, 20) => Kind::Sha256Cut,
            (4, 48) => Kind::Sha384,
            _ => return Err(Error::Malformed { what: "code signature" }),
        };
        Ok(Some(Self { kind, page_size, limit, wanted: wanted.to_vec() }))
    }
}

/// Comparison of one slice with its signature. Takes the bytes of [`PageCheck::range`] in order, in
/// parts of any size.
#[derive(Debug, Clone)]
pub struct PageCheck {
    slice: usize,
    range: Range<u64>,
    running: Vec<Running>,
}

impl PageCheck {
    pub(super) fn new(slice: usize, signed: &Signed) -> Self {
        let limit = signed.hashes.iter().map(|hash| hash.limit).max().unwrap_or_default();
        Self {
            slice,
            range: signed.start..signed.start.saturating_add(limit),
            running: signed.hashes.iter().map(Running::new).collect(),
        }
    }

    /// Returns the index of the slice, for [`super::MachO::set_pages`].
    pub fn slice(&self) -> usize {
        self.slice
    }

    /// Returns the range of the file that is to be compared.
    pub fn range(&self) -> Range<u64> {
        self.range.clone()
    }

    /// Compares the next bytes of the range. Bytes after its end are ignored.
    pub fn update(&mut self, bytes: &[u8]) {
        for running in &mut self.running {
            running.update(bytes);
        }
    }

    /// Returns the result of the comparison. Bytes that were not passed are not compared.
    pub fn finish(self) -> Pages {
        let pages: Vec<Pages> = self.running.into_iter().map(Running::finish).collect();
        let of = |wanted: fn(&Pages) -> bool| pages.iter().copied().find(wanted);
        of(|pages| matches!(pages, Pages::Wrong { .. }))
            .or_else(|| of(|pages| matches!(pages, Pages::NotChecked)))
            .or_else(|| of(|pages| matches!(pages, Pages::Right)))
            .unwrap_or(Pages::NotChecked)
    }
}

#[derive(Debug, Clone)]
enum Hasher {
    Sha256(Sha256),
    Sha384(Sha384),
}

impl Hasher {
    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(hasher) => hasher.update(bytes),
            Self::Sha384(hasher) => hasher.update(bytes),
        }
    }

    /// Returns the hash of the bytes since the last call.
    fn take(&mut self) -> Vec<u8> {
        match self {
            Self::Sha256(hasher) => hasher.finalize_reset().to_vec(),
            Self::Sha384(hasher) => hasher.finalize_reset().to_vec(),
        }
    }
}

#[derive(Debug, Clone)]
struct Running {
    hash: Hash,
    hasher: Hasher,
    position: u64,
    wrong: u64,
    first: u64,
}

impl Running {
    fn new(hash: &Hash) -> Self {
        let hash = hash.clone();
        Self { hasher: hash.kind.hasher(), hash, position: 0, wrong: 0, first: 0 }
    }

    fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && self.position < self.hash.limit {
            let page = self.position / self.hash.page_size;
            let end = ((page + 1) * self.hash.page_size).min(self.hash.limit);
            let left = usize::try_from(end - self.position).unwrap_or(usize::MAX);
            let (part, rest) = bytes.split_at(left.min(bytes.len()));
            self.hasher.update(part);
            self.position += part.len() as u64;
            bytes = rest;
            if self.position == end {
                self.compare(page);
            }
        }
    }

    fn compare(&mut self, page: u64) {
        let size = self.hash.kind.size();
        let found = self.hasher.take();
        let mut wanted = self.hash.wanted.chunks(size);
        let wanted = usize::try_from(page).ok().and_then(|page| wanted.nth(page));
        if found.get(..size) != wanted {
            if self.wrong == 0 {
                self.first = page * self.hash.page_size;
            }
            self.wrong += 1;
        }
    }

    fn finish(self) -> Pages {
        if self.position < self.hash.limit {
            Pages::NotChecked
        } else if self.wrong == 0 {
            Pages::Right
        } else {
            Pages::Wrong { count: self.wrong, first: self.first }
        }
    }
}
