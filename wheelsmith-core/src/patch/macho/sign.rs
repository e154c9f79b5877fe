//! Ad-hoc code signatures: a hash of every page and no signer (Apple's `kern/cs_blobs.h`).
//!
//! The kernel kills an arm64 process whose pages differ from the signature, so every edit ends with
//! signing.

use scroll::BE;
use sha2::{Digest as _, Sha256};

use crate::binary::Error;
use crate::patch::numbers::{Numbers, part};

const SUPER_BLOB: u32 = 0xfade_0cc0;
const CODE_DIRECTORY: u32 = 0xfade_0c02;
/// Version of the code directory with fields for the executable segment: the newest that an ad-hoc
/// signature needs.
const VERSION: u32 = 0x2_0400;
const HEAD_SIZE: usize = 88;
const CS_ADHOC: u32 = 2;
/// CS_EXECSEG_MAIN_BINARY.
const MAIN_PROGRAM: u64 = 1;
const HASH_SIZE: usize = 32;
const SHA256: u8 = 2;
/// Pages of signatures have 4 KiB even where the system's have 16, as with Apple's own tools.
const PAGE_BITS: u8 = 12;
const PAGE_SIZE: usize = 1 << PAGE_BITS;
/// Alignment of the signature, in bytes.
pub(super) const ALIGNMENT: u64 = 16;
/// Slots of entitlements, as a property list and in DER. They belong to the program, unlike
/// requirements, which refer to a signer.
const ENTITLEMENTS: [u32; 2] = [5, 7];
/// Limit of blobs in a signature; real ones stay far below.
const MOST_BLOBS: u32 = 64;
const LONGEST_IDENTIFIER: usize = 1024;
const WHAT: &str = "code signature";

/// Parts of the old signature that the new one keeps.
#[derive(Default)]
pub(super) struct KeptBlobs<'b> {
    pub(super) identifier: Option<&'b str>,
    /// Slot and blob of each, in order.
    entitlements: Vec<(u32, &'b [u8])>,
    program_flags: u64,
}

/// Contents to sign.
pub(super) struct SignedContent<'b> {
    pub(super) identifier: &'b str,
    pub(super) kept: &'b KeptBlobs<'b>,
    /// Range of the segment with the code, in the file.
    pub(super) code: (u64, u64),
    pub(super) is_program: bool,
}

impl<'b> KeptBlobs<'b> {
    /// Parses a signature. No part of a malformed one is kept.
    pub(super) fn read(blob: &'b [u8]) -> Self {
        let mut kept = Self::default();
        let numbers = Numbers(BE);
        let number = |at| numbers.u32(blob, at, WHAT);
        if number(0) != Ok(SUPER_BLOB) {
            return kept;
        }
        for i in 0..number(8).unwrap_or_default().min(MOST_BLOBS) as usize {
            let (Ok(slot), Ok(offset)) = (number(12 + 8 * i), number(16 + 8 * i)) else { break };
            let Ok(size) = number((offset as usize).saturating_add(4)) else { break };
            let Ok(part) = part(blob, offset.into(), size.into(), WHAT) else { break };
            if slot == 0 {
                let (identifier, flags) = describe(part);
                (kept.identifier, kept.program_flags) = (identifier, flags);
            } else if ENTITLEMENTS.contains(&slot) {
                kept.entitlements.push((slot, part));
            }
        }
        kept.entitlements.sort_by_key(|(slot, _)| *slot);
        kept.entitlements.dedup_by_key(|(slot, _)| *slot);
        kept
    }
}

/// Identifier and executable-segment flags of a code directory.
fn describe(directory: &[u8]) -> (Option<&str>, u64) {
    let number = |at| Numbers(BE).u32(directory, at, WHAT).unwrap_or_default();
    if number(0) != CODE_DIRECTORY {
        return (None, 0);
    }
    let name = directory.get(number(20) as usize..).and_then(|rest| {
        let end = rest.iter().take(LONGEST_IDENTIFIER).position(|&b| b == 0)?;
        std::str::from_utf8(&rest[..end]).ok().filter(|name| !name.is_empty())
    });
    let has_flags = number(8) >= VERSION;
    let flags = if has_flags { Numbers(BE).word(directory, 80, true, WHAT) } else { Ok(0) };
    (name, flags.unwrap_or_default())
}

impl SignedContent<'_> {
    /// Returns the size of the signature for `signed_size` bytes.
    pub(super) fn size(&self, signed_size: u64) -> Option<u64> {
        let hashes = signed_size.div_ceil(PAGE_SIZE as u64).checked_mul(HASH_SIZE as u64)?;
        let fixed = self.directory_offset() + HEAD_SIZE + self.identifier.len() + 1;
        let special = self.special_count() * HASH_SIZE;
        let blobs: usize = self.kept.entitlements.iter().map(|(_, blob)| blob.len()).sum();
        hashes.checked_add((fixed + special + blobs) as u64)?.checked_next_multiple_of(ALIGNMENT)
    }

    /// Signs everything before the signature.
    pub(super) fn sign(&self, signed: &[u8]) -> Result<Vec<u8>, Error> {
        let directory = self.directory(signed)?;
        let mut blobs = vec![(0, directory.as_slice())];
        blobs.extend(&self.kept.entitlements);
        let mut out = Vec::new();
        let total =
            self.directory_offset() + blobs.iter().map(|(_, blob)| blob.len()).sum::<usize>();
        push(&mut out, &[SUPER_BLOB, number(total)?, number(blobs.len())?]);
        let mut at = self.directory_offset();
        for (slot, blob) in &blobs {
            push(&mut out, &[*slot, number(at)?]);
            at += blob.len();
        }
        for (_, blob) in &blobs {
            out.extend_from_slice(blob);
        }
        out.resize(out.len().next_multiple_of(usize::try_from(ALIGNMENT).unwrap_or(16)), 0);
        Ok(out)
    }

    fn directory(&self, signed: &[u8]) -> Result<Vec<u8>, Error> {
        let special = self.special_count();
        let hashes_at = HEAD_SIZE + self.identifier.len() + 1 + special * HASH_SIZE;
        let pages = signed.len().div_ceil(PAGE_SIZE);
        let flags = self.kept.program_flags | if self.is_program { MAIN_PROGRAM } else { 0 };
        let mut out = Vec::with_capacity(hashes_at + pages * HASH_SIZE);
        let length = hashes_at + pages * HASH_SIZE;
        push(&mut out, &[CODE_DIRECTORY, number(length)?, VERSION, CS_ADHOC]);
        push(&mut out, &[number(hashes_at)?, number(HEAD_SIZE)?]);
        push(&mut out, &[number(special)?, number(pages)?, number(signed.len())?]);
        let hash_size = u8::try_from(HASH_SIZE).unwrap_or(32);
        out.extend([hash_size, SHA256, 0, PAGE_BITS]);
        // Spare, scatter, team, spare; then the 64-bit limit, which the one above makes
        // unnecessary.
        push(&mut out, &[0; 6]);
        for number in [self.code.0, self.code.1, flags] {
            out.extend(number.to_be_bytes());
        }
        out.extend(self.identifier.as_bytes());
        out.push(0);
        // Special slots count downwards from the first page; absent ones have zeros as hash.
        for slot in (1..=special).rev() {
            let kept = self.kept.entitlements.iter().find(|(kept, _)| *kept as usize == slot);
            out.extend(kept.map_or([0; HASH_SIZE], |(_, blob)| Sha256::digest(blob).into()));
        }
        for page in signed.chunks(PAGE_SIZE) {
            out.extend(Sha256::digest(page));
        }
        Ok(out)
    }

    fn directory_offset(&self) -> usize {
        12 + 8 * (1 + self.kept.entitlements.len())
    }

    fn special_count(&self) -> usize {
        self.kept.entitlements.last().map_or(0, |(slot, _)| *slot as usize)
    }
}

fn number(number: usize) -> Result<u32, Error> {
    u32::try_from(number).map_err(|_| Error::Outside { what: WHAT })
}

fn push(out: &mut Vec<u8>, numbers: &[u32]) {
    out.extend(numbers.iter().flat_map(|number| number.to_be_bytes()));
}
