//! The two headers of a zip entry, taken apart (APPNOTE 4.3.7, 4.3.12, 4.5.3).

/// Bytes of a header in the directory, before its name.
pub(super) const CENTRAL_BYTES: usize = 46;
/// Bytes of a header before the content, before its name.
pub(super) const LOCAL_BYTES: usize = 30;
/// Sizes that stand in the zip64 field instead.
pub(super) const ELSEWHERE: u64 = 0xffff_ffff;
pub(super) const ZIP64: u16 = 0x0001;
pub(super) const UNICODE_PATH: u16 = 0x7075;

/// What both headers say of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) flags: u16,
    pub(super) method: u16,
    /// DOS time and date.
    pub(super) time: (u16, u16),
    pub(super) crc: u32,
    pub(super) packed_bytes: u64,
    pub(super) size_bytes: u64,
    pub(super) name: Vec<u8>,
    /// The ids of its extra fields.
    pub(super) extras: Vec<u16>,
    /// What is wrong with its extra fields.
    pub(super) trouble: Option<&'static str>,
}

/// What only the directory says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Central {
    pub(super) header: Header,
    /// The system that made it; 3 is Unix.
    pub(super) system: u8,
    /// Type and permissions by `stat.h`, of a Unix system.
    pub(super) mode: u16,
    pub(super) has_comment: bool,
    pub(super) disk: u16,
    /// Where the other header lies.
    pub(super) offset: u64,
}

impl Header {
    pub(super) fn is_encrypted(&self) -> bool {
        self.flags & 1 != 0
    }

    pub(super) fn has_descriptor(&self) -> bool {
        self.flags & 8 != 0
    }

    pub(super) fn says_utf8(&self) -> bool {
        self.flags & 0x800 != 0
    }
}

/// Lengths of name, extra fields and comment of a header in the directory.
pub(super) fn central_lengths(fixed: &[u8; CENTRAL_BYTES]) -> [usize; 3] {
    [28, 30, 32].map(|at| usize::from(le16(fixed, at)))
}

/// Lengths of name and extra fields of the other header.
pub(super) fn local_lengths(fixed: &[u8; LOCAL_BYTES]) -> [usize; 2] {
    [26, 28].map(|at| usize::from(le16(fixed, at)))
}

/// The header in the directory whose parts are `fixed`, `name` and `extra`.
pub(super) fn central(fixed: &[u8; CENTRAL_BYTES], name: &[u8], extra: &[u8]) -> Central {
    let extra = Extra::read(extra);
    let mut sizes = [24, 20, 42].map(|at| u64::from(le32(fixed, at)));
    // Only what did not fit stands there, in this order.
    let mut rest = extra.zip64.unwrap_or_default();
    let mut trouble = extra.trouble;
    for size in sizes.iter_mut().filter(|size| **size == ELSEWHERE) {
        match rest.split_first_chunk::<8>() {
            Some((first, behind)) => {
                *size = u64::from_le_bytes(*first);
                rest = behind;
            }
            None => trouble = Some("its zip64 field is too short"),
        }
    }
    let header = Header {
        flags: le16(fixed, 8),
        method: le16(fixed, 10),
        time: (le16(fixed, 12), le16(fixed, 14)),
        crc: le32(fixed, 16),
        size_bytes: sizes[0],
        packed_bytes: sizes[1],
        name: name.to_vec(),
        extras: extra.ids,
        trouble,
    };
    Central {
        header,
        system: fixed[5],
        mode: le16(fixed, 40),
        has_comment: le16(fixed, 32) != 0,
        disk: le16(fixed, 34),
        offset: sizes[2],
    }
}

/// The header before the content whose parts are `fixed`, `name` and `extra`, as the strictest
/// reader of it takes it: both sizes of the zip64 field count.
pub(super) fn local(fixed: &[u8; LOCAL_BYTES], name: &[u8], extra: &[u8]) -> Header {
    let extra = Extra::read(extra);
    let (mut packed_bytes, mut size_bytes) =
        (u64::from(le32(fixed, 18)), u64::from(le32(fixed, 22)));
    let mut trouble = extra.trouble;
    let method = le16(fixed, 8);
    let number = |bytes: &[u8], at: usize| {
        bytes.get(at..at + 8).and_then(|b| b.try_into().ok()).map_or(0, u64::from_le_bytes)
    };
    match extra.zip64 {
        Some([]) if packed_bytes == ELSEWHERE || size_bytes == ELSEWHERE => {
            trouble = Some("its zip64 field is empty, and the sizes are to be there");
        }
        None | Some([]) => {}
        Some(field) if field.len() == 8 => {
            if method != 0 {
                trouble = Some("its zip64 field has one size, and the entry is compressed");
            }
            packed_bytes = number(field, 0);
            size_bytes = if size_bytes == ELSEWHERE { packed_bytes } else { size_bytes };
        }
        Some(field) if matches!(field.len(), 16 | 24 | 28) => {
            size_bytes = if size_bytes == ELSEWHERE { number(field, 0) } else { size_bytes };
            packed_bytes = number(field, 8);
        }
        Some(_) => trouble = Some("its zip64 field has a length that no reader knows"),
    }
    Header {
        flags: le16(fixed, 6),
        method,
        time: (le16(fixed, 10), le16(fixed, 12)),
        crc: le32(fixed, 14),
        packed_bytes,
        size_bytes,
        name: name.to_vec(),
        extras: extra.ids,
        trouble,
    }
}

struct Extra<'a> {
    ids: Vec<u16>,
    zip64: Option<&'a [u8]>,
    trouble: Option<&'static str>,
}

impl<'a> Extra<'a> {
    fn read(mut bytes: &'a [u8]) -> Self {
        let mut extra = Self { ids: Vec::new(), zip64: None, trouble: None };
        while let Some((head, rest)) = bytes.split_first_chunk::<4>() {
            let (id, length) = (le16(head, 0), usize::from(le16(head, 2)));
            let Some((field, behind)) = rest.split_at_checked(length) else { break };
            if extra.ids.contains(&id) {
                extra.trouble = Some("an extra field stands there twice");
            }
            if id == ZIP64 {
                extra.zip64 = Some(field);
            }
            if id == UNICODE_PATH {
                extra.trouble = Some("a second name stands in its extra fields");
            }
            extra.ids.push(id);
            bytes = behind;
        }
        if !bytes.is_empty() {
            extra.trouble = Some("its extra fields are cut short");
        }
        extra
    }
}

pub(super) fn le16(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..at + 2).and_then(|b| b.try_into().ok()).map_or(0, u16::from_le_bytes)
}

pub(super) fn le32(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|b| b.try_into().ok()).map_or(0, u32::from_le_bytes)
}

pub(super) fn le64(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..at + 8).and_then(|b| b.try_into().ok()).map_or(0, u64::from_le_bytes)
}
