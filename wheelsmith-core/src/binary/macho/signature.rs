//! Code signatures: what each page must be, and whether it is (Apple's `kern/cs_blobs.h`).
//!
//! Who signed is not looked at; an ad-hoc signature has no signer at all. What counts is that the
//! kernel of arm64 kills a process whose pages are not those that were signed.

use scroll::BE;
use serde::Serialize;
use sha2::{Digest as _, Sha256, Sha384};

use crate::binary::Error;
use crate::binary::bytes::Bytes;

/// A code signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Signature {
    /// The name that was signed.
    pub identifier: Option<String>,
    /// Whether it has no signer (CS_ADHOC).
    pub ad_hoc: bool,
    /// Whether the linker made it, for others to replace (CS_LINKER_SIGNED).
    pub linker_signed: bool,
    /// Whether the file is what was signed.
    pub pages: Pages,
}

/// Whether a file's pages are those that were signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Pages {
    /// Each one is.
    Right,
    /// Some are not.
    Wrong {
        /// How many.
        count: u64,
        /// Where the first of them begins, counted from the start of the slice.
        first: u64,
    },
    /// Their hashes are SHA-1, which is not computed here.
    NotChecked,
    /// The signature makes no sense.
    Unreadable,
}

const SUPER_BLOB: u32 = 0xfade_0cc0;
const CODE_DIRECTORY: u32 = 0xfade_0c02;
const CS_ADHOC: u32 = 2;
const CS_LINKER_SIGNED: u32 = 0x2_0000;
/// The first code directory, and the alternatives with other hashes.
const DIRECTORY_SLOTS: [u32; 6] = [0, 0x1000, 0x1001, 0x1002, 0x1003, 0x1004];
/// No real signature has more parts.
const MOST_BLOBS: u32 = 64;
/// The versions that brought the 64-bit limit.
const WITH_WIDE_LIMIT: u32 = 0x2_0300;
const WHAT: &str = "code signature";

impl Signature {
    /// Reads `blob`, the signature at `start` of `slice`, and hashes what it covers, which must
    /// reach as far as the code does.
    pub(super) fn check(slice: &[u8], start: u64, blob: &[u8], code_end: u64) -> Self {
        let unreadable = Self {
            identifier: None,
            ad_hoc: false,
            linker_signed: false,
            pages: Pages::Unreadable,
        };
        let Ok(directories) = directories(blob) else { return unreadable };
        let Some(first) = directories.first() else { return unreadable };
        let signed = slice.get(..usize::try_from(start).unwrap_or(usize::MAX)).unwrap_or(slice);
        let pages: Vec<Pages> = directories
            .iter()
            .map(|directory| directory.compare(signed, code_end).unwrap_or(Pages::Unreadable))
            .collect();
        let wrong = |pages: &&Pages| matches!(pages, Pages::Unreadable | Pages::Wrong { .. });
        let right = |pages: &&Pages| matches!(pages, Pages::Right);
        Self {
            identifier: first.identifier(),
            ad_hoc: first.flags & CS_ADHOC != 0,
            linker_signed: first.flags & CS_LINKER_SIGNED != 0,
            // Systems differ in the directory that they go by: none may be wrong.
            pages: pages
                .iter()
                .find(wrong)
                .or(pages.iter().find(right))
                .copied()
                .unwrap_or(Pages::NotChecked),
        }
    }
}

/// The hashes of every page, of one kind.
struct CodeDirectory<'b> {
    blob: Bytes<'b>,
    flags: u32,
}

/// The code directories of a signature, the main one first.
fn directories(blob: &[u8]) -> Result<Vec<CodeDirectory<'_>>, Error> {
    let malformed = Error::Malformed { what: WHAT };
    let all = Bytes::new(blob, BE);
    // SuperBlob: magic, length, count; then type and offset of each blob.
    let count = all.u32(8, WHAT)?;
    if all.u32(0, WHAT)? != SUPER_BLOB || count > MOST_BLOBS {
        return Err(malformed);
    }
    let mut found = Vec::new();
    for i in 0..u64::from(count) {
        let slot = all.u32(12 + 8 * i, WHAT)?;
        if !DIRECTORY_SLOTS.contains(&slot) {
            continue;
        }
        let offset = all.u32(16 + 8 * i, WHAT)?.into();
        let length = all.u32(u64::saturating_add(offset, 4), WHAT)?;
        let blob = Bytes::new(all.slice(offset, length.into(), WHAT)?, BE);
        if blob.u32(0, WHAT)? != CODE_DIRECTORY {
            return Err(malformed);
        }
        found.push((slot, CodeDirectory { blob, flags: blob.u32(12, WHAT)? }));
    }
    found.sort_by_key(|(slot, _)| *slot);
    let is_twice = found.windows(2).any(|pair| pair[0].0 == pair[1].0);
    if is_twice || found.first().is_none_or(|(slot, _)| *slot != 0) {
        return Err(malformed);
    }
    Ok(found.into_iter().map(|(_, directory)| directory).collect())
}

impl CodeDirectory<'_> {
    fn identifier(&self) -> Option<String> {
        let name = self.blob.name(self.blob.u32(20, WHAT).ok()?.into(), WHAT).ok()?;
        Some(String::from_utf8_lossy(name).into_owned())
    }

    /// Hashes the pages of `signed`.
    fn compare(&self, signed: &[u8], code_end: u64) -> Result<Pages, Error> {
        const MALFORMED: Error = Error::Malformed { what: WHAT };
        // CodeDirectory: magic, length, version, flags, offsets of hashes and of the identifier,
        // numbers of special and of code hashes, limit, then four bytes: size and type of a hash,
        // platform, page size as a power of two.
        let number = |at| self.blob.u32(at, WHAT);
        let mut limit = u64::from(number(32)?);
        if number(8)? >= WITH_WIDE_LIMIT {
            limit = match self.blob.u64(56, WHAT)? {
                0 => limit,
                wide => wide,
            };
        }
        let [hash_size, hash_type, _, page_bits] = number(36)?.to_be_bytes();
        let hash: fn(&[u8]) -> Vec<u8> = match (hash_type, hash_size) {
            (1, 20) => return Ok(Pages::NotChecked),
            (2, 32) => |page| Sha256::digest(page).to_vec(),
            (3, 20) => |page| Sha256::digest(page)[..20].to_vec(),
            (4, 48) => |page| Sha384::digest(page).to_vec(),
            _ => return Err(MALFORMED),
        };
        // The kernel takes its own pages and those of 4 KiB.
        if page_bits != 12 && page_bits != 14 {
            return Err(MALFORMED);
        }
        let page_size = 1_usize << page_bits;
        let covered = usize::try_from(limit).ok().and_then(|limit| signed.get(..limit));
        let covered = covered.ok_or(MALFORMED)?;
        let count = covered.len().div_ceil(page_size) as u64;
        if u64::from(number(28)?) != count || limit < code_end {
            return Err(MALFORMED);
        }
        let wanted =
            self.blob.slice(number(16)?.into(), count.saturating_mul(hash_size.into()), WHAT)?;
        let pages = covered.chunks(page_size).zip(wanted.chunks(hash_size.into()));
        let mut wrong = pages.enumerate().filter(|(_, (page, wanted))| hash(page) != *wanted);
        Ok(match wrong.next() {
            None => Pages::Right,
            Some((first, _)) => {
                Pages::Wrong { count: 1 + wrong.count() as u64, first: (first * page_size) as u64 }
            }
        })
    }
}
