//! The two headers of a zip entry (APPNOTE 4.3.7, 4.3.12, 4.5.3).

/// Size of a central header before its name, in bytes.
pub(super) const CENTRAL_BYTES: usize = 46;
/// Size of a local header before its name, in bytes.
pub(super) const LOCAL_BYTES: usize = 30;
pub(super) const CENTRAL: &[u8; 4] = b"PK\x01\x02";
pub(super) const LOCAL: &[u8; 4] = b"PK\x03\x04";
/// Value of a 32-bit field whose number is in the zip64 field instead.
pub(super) const IN_ZIP64: u64 = 0xffff_ffff;
const ZIP64: u16 = 0x0001;
const UNICODE_PATH: u16 = 0x7075;

/// Fields that both headers of an entry have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) flags: u16,
    /// Compression method: 0 is stored, 8 is deflated.
    pub(crate) method: u16,
    /// DOS time and date.
    pub(crate) time: (u16, u16),
    pub(crate) crc: u32,
    pub(crate) packed_bytes: u64,
    pub(crate) size_bytes: u64,
}

impl Header {
    /// True if the content, or the header itself, is encrypted.
    pub(crate) fn is_encrypted(&self) -> bool {
        self.flags & 0x2041 != 0
    }

    /// True if CRC and sizes follow the content.
    pub(crate) fn has_descriptor(&self) -> bool {
        self.flags & 8 != 0
    }

    /// True if the name is UTF-8; otherwise it is code page 437.
    pub(crate) fn says_utf8(&self) -> bool {
        self.flags & 0x800 != 0
    }
}

/// Header of the central directory.
#[derive(Debug, Clone, Copy)]
pub(super) struct Central {
    pub(super) header: Header,
    /// System that wrote the entry; 3 is Unix.
    pub(super) system: u8,
    /// External attributes; on Unix, the upper half is the mode.
    pub(super) attributes: u32,
    pub(super) has_comment: bool,
    pub(super) disk: u16,
    /// Offset of the local header, as written.
    pub(super) offset: u64,
}

/// Problem of the extra fields of a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ExtraProblem {
    /// Readers agree on the entry in spite of it.
    Form(&'static str),
    /// Readers may use different names, sizes or offsets because of it.
    Ambiguous(&'static str),
}

/// Parts of the extra fields that affect the entry.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Extra<'a> {
    pub(super) zip64: Option<&'a [u8]>,
    /// Id of the first field other than zip64.
    pub(super) other: Option<u16>,
    pub(super) problem: Option<ExtraProblem>,
}

impl<'a> Extra<'a> {
    /// Splits the extra fields of a header whose name is `name`.
    pub(super) fn parse(mut bytes: &'a [u8], name: &[u8]) -> Self {
        let mut extra = Self::default();
        let mut seen: Vec<u16> = Vec::new();
        while let Some((head, rest)) = bytes.split_first_chunk::<4>() {
            let (id, length) = (le16(head, 0), usize::from(le16(head, 2)));
            let Some((field, behind)) = rest.split_at_checked(length) else { break };
            if seen.contains(&id) {
                let why = "an extra field is there twice";
                extra.note(if matches!(id, ZIP64 | UNICODE_PATH) {
                    ExtraProblem::Ambiguous(why)
                } else {
                    ExtraProblem::Form(why)
                });
            }
            match id {
                ZIP64 => extra.zip64 = Some(field),
                // One byte of version, the CRC of the other name, the name.
                UNICODE_PATH => extra.note(if field.get(5..) == Some(name) {
                    ExtraProblem::Form("its name is repeated in its extra fields")
                } else {
                    ExtraProblem::Ambiguous("another name is in its extra fields")
                }),
                _ => {}
            }
            if id != ZIP64 {
                extra.other = extra.other.or(Some(id));
            }
            // A valid header has a few fields; the rest is ignored.
            if seen.len() < 64 {
                seen.push(id);
            }
            bytes = behind;
        }
        if !bytes.is_empty() {
            extra.note(ExtraProblem::Form("its extra fields are cut short"));
        }
        extra
    }

    /// Records a problem, unless a worse one is recorded.
    fn note(&mut self, problem: ExtraProblem) {
        if !matches!(self.problem, Some(ExtraProblem::Ambiguous(_))) {
            self.problem = Some(problem);
        }
    }
}

/// Returns the lengths of name, extra fields and comment of a central header.
pub(super) fn central_lengths(fixed: &[u8]) -> [usize; 3] {
    [28, 30, 32].map(|at| usize::from(le16(fixed, at)))
}

/// Returns the lengths of name and extra fields of a local header.
pub(super) fn local_lengths(fixed: &[u8]) -> [usize; 2] {
    [26, 28].map(|at| usize::from(le16(fixed, at)))
}

/// Parses a central header.
pub(super) fn central(fixed: &[u8], extra: &mut Extra<'_>) -> Central {
    let mut values = [24, 20, 42].map(|at| u64::from(le32(fixed, at)));
    if let Some(field) = extra.zip64 {
        // Contains only the numbers that do not fit into the header, in this order.
        let mut rest = field;
        let mut is_marked = false;
        for value in values.iter_mut().filter(|value| **value == IN_ZIP64) {
            is_marked = true;
            if let Some((first, behind)) = rest.split_first_chunk::<8>() {
                *value = u64::from_le_bytes(*first);
                rest = behind;
            } else {
                extra.problem = Some(ExtraProblem::Ambiguous("its zip64 field is too short"));
            }
        }
        // Some readers take numbers by position, whether they are needed or not.
        let by_position = field.chunks_exact(8).map(|number| le64(number, 0));
        let has_more = rest.len() >= 8 || (!is_marked && !field.is_empty());
        if has_more && by_position.zip(values).any(|(other, value)| other != value) {
            extra.problem = Some(ExtraProblem::Ambiguous(
                "its zip64 field has numbers that differ from its header",
            ));
        }
    } else if values.contains(&IN_ZIP64) {
        extra.problem = Some(ExtraProblem::Ambiguous("its zip64 field is missing"));
    }
    let header = Header {
        flags: le16(fixed, 8),
        method: le16(fixed, 10),
        time: (le16(fixed, 12), le16(fixed, 14)),
        crc: le32(fixed, 16),
        size_bytes: values[0],
        packed_bytes: values[1],
    };
    Central {
        header,
        system: fixed.get(5).copied().unwrap_or_default(),
        attributes: le32(fixed, 38),
        has_comment: le16(fixed, 32) != 0,
        disk: le16(fixed, 34),
        offset: values[2],
    }
}

/// Parses a local header as the strictest reader does: both sizes of the zip64 field count.
pub(super) fn local(fixed: &[u8], extra: &mut Extra<'_>) -> Header {
    let (mut packed_bytes, mut size_bytes) =
        (u64::from(le32(fixed, 18)), u64::from(le32(fixed, 22)));
    let method = le16(fixed, 8);
    match extra.zip64 {
        Some([]) if packed_bytes == IN_ZIP64 || size_bytes == IN_ZIP64 => {
            let why = "its zip64 field is empty, and its sizes should be there";
            extra.problem = Some(ExtraProblem::Ambiguous(why));
        }
        None | Some([]) => {}
        Some(field) if field.len() == 8 => {
            if method != 0 {
                let why = "its zip64 field has one size, and the entry is compressed";
                extra.problem = Some(ExtraProblem::Ambiguous(why));
            }
            packed_bytes = le64(field, 0);
            size_bytes = if size_bytes == IN_ZIP64 { packed_bytes } else { size_bytes };
        }
        Some(field) if matches!(field.len(), 16 | 24 | 28) => {
            size_bytes = if size_bytes == IN_ZIP64 { le64(field, 0) } else { size_bytes };
            packed_bytes = le64(field, 8);
        }
        Some(_) => {
            let why = "its zip64 field has a length that no reader knows";
            extra.problem = Some(ExtraProblem::Ambiguous(why));
        }
    }
    Header {
        flags: le16(fixed, 6),
        method,
        time: (le16(fixed, 10), le16(fixed, 12)),
        crc: le32(fixed, 14),
        packed_bytes,
        size_bytes,
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
