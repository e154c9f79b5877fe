//! Writer of invalid zip archives for tests.

use std::io::Write as _;

/// Entry. Fields that are set replace the value that follows from the content.
#[derive(Debug, Clone, Default)]
pub(crate) struct Entry {
    pub(crate) name: Vec<u8>,
    pub(crate) content: Vec<u8>,
    pub(crate) deflate: bool,
    /// Method in the headers.
    pub(crate) method: Option<u16>,
    /// Packed bytes.
    pub(crate) packed: Option<Vec<u8>>,
    /// Size in the headers.
    pub(crate) size: Option<u32>,
    pub(crate) crc: Option<u32>,
    pub(crate) flags: u16,
    /// Flags in the local header.
    pub(crate) local_flags: Option<u16>,
    /// Name in the local header.
    pub(crate) local_name: Option<Vec<u8>>,
    pub(crate) extra: Vec<u8>,
    pub(crate) comment: Vec<u8>,
    /// Type and permissions.
    pub(crate) mode: Option<u16>,
    /// DOS date; 1 January 1980 otherwise.
    pub(crate) date: Option<u16>,
    pub(crate) disk: u16,
    /// Unused bytes before it.
    pub(crate) gap: Vec<u8>,
    /// True if its offset in the directory is that of the first entry.
    pub(crate) overlaps: bool,
}

/// Zip archive.
#[derive(Debug, Clone, Default)]
pub(crate) struct Zip {
    pub(crate) entries: Vec<Entry>,
    pub(crate) before: Vec<u8>,
    pub(crate) behind: Vec<u8>,
    pub(crate) comment: Vec<u8>,
    /// Number that is added to the count of entries.
    pub(crate) miscount: u16,
    /// Size of the comment in the end record.
    pub(crate) comment_size: Option<u16>,
    /// Size of the directory in the end record.
    pub(crate) directory_size: Option<u32>,
    /// True if offsets leave out the bytes before the archive.
    pub(crate) is_shifted: bool,
    /// Disk number in the end record.
    pub(crate) disk: u16,
}

impl Zip {
    /// Creates an archive with these files.
    pub(crate) fn new(files: &[(&str, &[u8])]) -> Self {
        let entries = files.iter().map(|(name, content)| Entry::new(name, *content)).collect();
        Self { entries, ..Self::default() }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut out = self.before.clone();
        let shift = if self.is_shifted { out.len() } else { 0 };
        let mut directory = Vec::new();
        for entry in &self.entries {
            out.extend(&entry.gap);
            let offset = if entry.overlaps { 0 } else { out.len() - shift };
            let packed = entry.packed.clone().unwrap_or_else(|| entry.pack());
            let method = entry.method.unwrap_or(if entry.deflate { 8 } else { 0 });
            let crc = entry.crc.unwrap_or_else(|| {
                let mut crc = flate2::Crc::new();
                crc.update(&entry.content);
                crc.sum()
            });
            let size = entry.size.unwrap_or_else(|| u32::try_from(entry.content.len()).unwrap());
            let header = |flags: u16, name: &[u8]| {
                let mut header = Vec::new();
                header.extend(
                    [flags, method, 0, entry.date.unwrap_or(33)].map(u16::to_le_bytes).concat(),
                );
                header.extend(crc.to_le_bytes());
                header.extend(u32::try_from(packed.len()).unwrap().to_le_bytes());
                header.extend(size.to_le_bytes());
                let lengths = [name.len(), entry.extra.len()];
                header.extend(lengths.map(|n| u16::try_from(n).unwrap().to_le_bytes()).concat());
                header
            };
            let local_name = entry.local_name.as_ref().unwrap_or(&entry.name);
            out.extend(b"PK\x03\x04\x14\0");
            out.extend(header(entry.local_flags.unwrap_or(entry.flags), local_name));
            out.extend([local_name.as_slice(), &entry.extra, &packed].concat());
            if entry.flags & 8 != 0 {
                out.extend(b"PK\x07\x08");
                out.extend(
                    [crc, u32::try_from(packed.len()).unwrap(), size]
                        .map(u32::to_le_bytes)
                        .concat(),
                );
            }
            directory.extend(b"PK\x01\x02\x14\x03\x14\0");
            directory.extend(header(entry.flags, &entry.name));
            directory.extend(u16::try_from(entry.comment.len()).unwrap().to_le_bytes());
            directory.extend(entry.disk.to_le_bytes());
            directory.extend([0; 4]);
            directory.extend(entry.mode.unwrap_or(0o100_644).to_le_bytes());
            directory.extend(u32::try_from(offset).unwrap().to_le_bytes());
            directory.extend([entry.name.as_slice(), &entry.extra, &entry.comment].concat());
        }
        let at = out.len() - shift;
        let count = u16::try_from(self.entries.len()).unwrap().wrapping_add(self.miscount);
        out.extend(&directory);
        out.extend(b"PK\x05\x06");
        out.extend([self.disk, 0].map(u16::to_le_bytes).concat());
        out.extend([count, count].map(u16::to_le_bytes).concat());
        let size = self.directory_size.unwrap_or(u32::try_from(directory.len()).unwrap());
        out.extend([size, u32::try_from(at).unwrap()].map(u32::to_le_bytes).concat());
        let size = self.comment_size.unwrap_or(u16::try_from(self.comment.len()).unwrap());
        out.extend(size.to_le_bytes());
        out.extend(&self.comment);
        out.extend(&self.behind);
        out
    }
}

impl Entry {
    pub(crate) fn new(name: &str, content: impl Into<Vec<u8>>) -> Self {
        Self { name: name.into(), content: content.into(), ..Self::default() }
    }

    pub(crate) fn pack(&self) -> Vec<u8> {
        if !self.deflate {
            return self.content.clone();
        }
        let mut encoder =
            flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(&self.content).unwrap();
        encoder.finish().unwrap()
    }
}
