//! Code signatures: the expected hash of each page (Apple's `kern/cs_blobs.h`).
//!
//! The signer is not checked; an ad-hoc signature has none. The hashes matter because the kernel of
//! arm64 kills a process whose pages differ from the signed ones.

use scroll::BE;
use serde::Serialize;

use super::pages::{Hash, PageCheck, Pages, Signed};
use crate::binary::Error;
use crate::binary::bytes::Bytes;

/// A code signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Signature {
    /// Name that was signed.
    pub identifier: Option<String>,
    /// True if it has no signer (CS_ADHOC).
    pub ad_hoc: bool,
    /// True if the linker made it, to be replaced by other tools (CS_LINKER_SIGNED).
    pub linker_signed: bool,
    /// Result of comparing the pages of the file with the signature.
    pub pages: Pages,
    /// Expected hashes of the pages, until they have been compared.
    #[serde(skip)]
    unchecked: Option<Signed>,
}

const SUPER_BLOB: u32 = 0xfade_0cc0;
const CODE_DIRECTORY: u32 = 0xfade_0c02;
const CS_ADHOC: u32 = 2;
const CS_LINKER_SIGNED: u32 = 0x2_0000;
/// Slots of the first code directory and of the alternatives with other hashes.
const DIRECTORY_SLOTS: [u32; 6] = [0, 0x1000, 0x1001, 0x1002, 0x1003, 0x1004];
/// Maximum number of parts of a signature. Real ones have fewer.
const MOST_BLOBS: u32 = 64;
/// First version of the code directory with the 64-bit limit.
const WITH_WIDE_LIMIT: u32 = 0x2_0300;
const WHAT: &str = "code signature";
const MALFORMED: Error = Error::Malformed { what: WHAT };

impl Signature {
    /// Reads `blob`, the signature at `at` of `slice`. The signature must cover the slice up to
    /// `code_end`. The slice begins at `start` of the file.
    pub(super) fn read(slice: Bytes<'_>, start: u64, at: u64, blob: &[u8], code_end: u64) -> Self {
        let mut signature = Self {
            identifier: None,
            ad_hoc: false,
            linker_signed: false,
            pages: Pages::Unreadable,
            unchecked: None,
        };
        let Ok(directories) = directories(blob) else { return signature };
        let Some(first) = directories.first() else { return signature };
        signature.identifier = first.identifier();
        signature.ad_hoc = first.flags & CS_ADHOC != 0;
        signature.linker_signed = first.flags & CS_LINKER_SIGNED != 0;
        // Systems differ in the directory that they use, so all of them must be right.
        let hashes: Result<Vec<_>, Error> =
            directories.iter().map(|directory| directory.hashes(at, code_end)).collect();
        let Ok(hashes) = hashes else { return signature };
        let hashes: Vec<Hash> = hashes.into_iter().flatten().collect();
        signature.pages = Pages::NotChecked;
        if !hashes.is_empty() {
            signature.unchecked = Some(Signed { start, hashes });
        }
        if slice.is_whole()
            && let Some(mut check) = signature.page_check(0)
        {
            let size = check.range().end - start;
            check.update(slice.slice(0, size, WHAT).unwrap_or_default());
            signature.set_pages(check.finish());
        }
        signature
    }

    /// True if its pages can still be compared.
    pub fn is_unchecked(&self) -> bool {
        self.unchecked.is_some()
    }

    pub(super) fn page_check(&self, slice: usize) -> Option<PageCheck> {
        self.unchecked.as_ref().map(|signed| PageCheck::new(slice, signed))
    }

    pub(super) fn set_pages(&mut self, pages: Pages) {
        self.pages = pages;
        self.unchecked = None;
    }
}

/// Hashes of all pages, by one algorithm.
struct CodeDirectory<'b> {
    blob: Bytes<'b>,
    flags: u32,
}

/// Returns the code directories of a signature, the main one first.
fn directories(blob: &[u8]) -> Result<Vec<CodeDirectory<'_>>, Error> {
    let all = Bytes::new(blob, BE);
    // SuperBlob: magic, length, count; then type and offset of each blob.
    let count = all.u32(8, WHAT)?;
    if all.u32(0, WHAT)? != SUPER_BLOB || count > MOST_BLOBS {
        return Err(MALFORMED);
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
            return Err(MALFORMED);
        }
        found.push((slot, CodeDirectory { blob, flags: blob.u32(12, WHAT)? }));
    }
    found.sort_by_key(|(slot, _)| *slot);
    let is_twice = found.windows(2).any(|pair| pair[0].0 == pair[1].0);
    if is_twice || found.first().is_none_or(|(slot, _)| *slot != 0) {
        return Err(MALFORMED);
    }
    Ok(found.into_iter().map(|(_, directory)| directory).collect())
}

impl CodeDirectory<'_> {
    fn identifier(&self) -> Option<String> {
        let name = self.blob.name(self.blob.u32(20, WHAT).ok()?.into(), WHAT).ok()?;
        Some(String::from_utf8_lossy(name).into_owned())
    }

    /// Returns the expected hash of each page; `None` if the hashes are SHA-1.
    fn hashes(&self, signature_at: u64, code_end: u64) -> Result<Option<Hash>, Error> {
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
        let [size, kind, _, page_bits] = number(36)?.to_be_bytes();
        // The kernel accepts pages of its own size and of 4 KiB.
        if page_bits != 12 && page_bits != 14 {
            return Err(MALFORMED);
        }
        let page_size = 1_u64 << page_bits;
        let count = limit.div_ceil(page_size);
        if u64::from(number(28)?) != count || limit < code_end || limit > signature_at {
            return Err(MALFORMED);
        }
        let wanted =
            self.blob.slice(number(16)?.into(), count.saturating_mul(size.into()), WHAT)?;
        Hash::new(kind, size, page_size, limit, wanted)
    }
}
