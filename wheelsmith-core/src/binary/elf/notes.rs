//! Notes: small records that tools write for the loader, each with an owner, a type and content.

use std::fmt::Write as _;

use goblin::container::Endian;
use scroll::Pread as _;

/// Maximum size of a segment of notes, in bytes. Real ones are smaller.
pub(super) const LARGEST: u64 = 65_536;
const NT_GNU_ABI_TAG: u32 = 1;
const NT_GNU_BUILD_ID: u32 = 3;
const NT_GNU_PROPERTY_TYPE_0: u32 = 5;
const NT_ANDROID_VERSION: u32 = 1;
const GNU_PROPERTY_X86_ISA_1_NEEDED: u32 = 0xc000_8002;

/// Content of the notes of a file.
#[derive(Default)]
pub(super) struct Notes {
    /// Digest written by the linker, in hex digits.
    pub(super) build_id: Option<String>,
    /// Required levels of x86-64 as a bit set; the lowest bit is the baseline.
    pub(super) x86_levels: Option<u32>,
    /// Android API level.
    pub(super) android_api: Option<u32>,
    /// True if the file contains the start files of glibc.
    pub(super) has_abi_tag: bool,
}

impl Notes {
    /// Adds the notes of a segment. Notes are hints: reading stops at a broken one without an
    /// error, because the loader still loads the file. A note consists of three words (sizes of
    /// owner and content, type), the owner, and the content, both padded to the alignment of the
    /// segment (gABI; 8 for properties, else 4).
    pub(super) fn read(&mut self, segment: &[u8], alignment: u64, endian: Endian) {
        let padding = if alignment == 8 { 8 } else { 4 };
        let mut rest = segment;
        while let Some((owner, kind, content, next)) = first(rest, padding, endian) {
            match (owner, kind) {
                (b"GNU\0", NT_GNU_BUILD_ID) if self.build_id.is_none() => {
                    self.build_id = build_id(content);
                }
                (b"GNU\0", NT_GNU_ABI_TAG) => self.has_abi_tag = true,
                (b"GNU\0", NT_GNU_PROPERTY_TYPE_0) => self.properties(content, padding, endian),
                (b"Android\0", NT_ANDROID_VERSION) => {
                    self.android_api = content.pread_with(0, endian).ok();
                }
                _ => {}
            }
            rest = next;
        }
    }

    /// Reads properties: type and size (32 bits each), and the content, padded (Linux ABI
    /// extensions, "Program Property").
    fn properties(&mut self, mut rest: &[u8], padding: usize, endian: Endian) {
        while let (Ok(kind), Ok(size)) =
            (rest.pread_with::<u32>(0, endian), rest.pread_with::<u32>(4, endian))
        {
            let Some(content) = rest.get(8..).and_then(|rest| rest.get(..size as usize)) else {
                return;
            };
            if kind == GNU_PROPERTY_X86_ISA_1_NEEDED {
                self.x86_levels = content.pread_with(0, endian).ok();
            }
            let end = (8 + size as usize).next_multiple_of(padding);
            rest = rest.get(end..).unwrap_or_default();
        }
    }
}

/// Owner, type and content of a note, and the bytes after it.
type Note<'b> = (&'b [u8], u32, &'b [u8], &'b [u8]);

fn first(bytes: &[u8], padding: usize, endian: Endian) -> Option<Note<'_>> {
    let word = |i: usize| bytes.pread_with::<u32>(4 * i, endian).ok();
    let (owner_size, size, kind) = (word(0)? as usize, word(1)? as usize, word(2)?);
    let owner_end = 12_usize.checked_add(owner_size)?;
    let content = owner_end.checked_next_multiple_of(padding)?;
    let end = content.checked_add(size)?;
    let next = bytes.get(end.checked_next_multiple_of(padding)?..).unwrap_or_default();
    Some((bytes.get(12..owner_end)?, kind, bytes.get(content..end)?, next))
}

/// Formats a build id: usually 20 bytes, never more than 64.
fn build_id(digest: &[u8]) -> Option<String> {
    if digest.is_empty() || digest.len() > 64 {
        return None;
    }
    let mut text = String::new();
    for byte in digest {
        _ = write!(text, "{byte:02x}");
    }
    Some(text)
}
