//! Reads numbers and names at offsets that the file itself gives.

use scroll::{Endian, Pread as _};

use super::{Content, Error};

/// Maximum length of a name or path, in bytes. Real files have shorter ones.
pub(super) const LONGEST_STRING: u64 = 65_536;
/// Number of bytes that are read at a time while searching the end of a name, so that few extra
/// bytes have to be fetched.
const STEP: u64 = 256;

/// Bytes with a byte order. Every read takes a description of its purpose, for errors.
#[derive(Clone, Copy)]
pub(super) struct Bytes<'b> {
    content: Content<'b>,
    pub(super) endian: Endian,
    /// Base of all offsets.
    start: u64,
    /// Number of bytes; reads beyond them fail.
    size: u64,
}

impl<'b> Bytes<'b> {
    pub(super) fn new(content: impl Into<Content<'b>>, endian: Endian) -> Self {
        let content = content.into();
        Self { content, endian, start: 0, size: content.size() }
    }

    /// Returns a part as a file of its own. The part does not have to be in memory.
    pub(super) fn window(self, start: u64, size: u64, what: &'static str) -> Result<Self, Error> {
        self.check_range(start, size, what)?;
        Ok(Self { start: self.start + start, size, ..self })
    }

    /// Returns the same bytes with another byte order.
    pub(super) fn with_endian(self, endian: Endian) -> Self {
        Self { endian, ..self }
    }

    pub(super) fn size(self) -> u64 {
        self.size
    }

    /// True if the whole content is in memory.
    pub(super) fn is_whole(self) -> bool {
        matches!(self.content, Content::Whole(_))
    }

    /// Returns an error if a part is outside the file. The part does not have to be in memory.
    pub(super) fn check_range(
        self,
        start: u64,
        size: u64,
        what: &'static str,
    ) -> Result<(), Error> {
        let end = start.checked_add(size).filter(|end| *end <= self.size);
        end.map(|_| ()).ok_or(Error::Outside { what })
    }

    /// Marks these bytes, up to the end of the file, as needed, so that they are fetched together
    /// with the next missing range.
    pub(super) fn want(self, at: u64, size: u64) {
        _ = self.up_to(at, size, "part");
    }

    /// Returns the bytes from `at` on, at most `most` and up to the end of the file.
    pub(super) fn up_to(self, at: u64, most: u64, what: &'static str) -> Result<&'b [u8], Error> {
        let end = at.saturating_add(most).min(self.size);
        self.slice(at, end.checked_sub(at).ok_or(Error::Outside { what })?, what)
    }

    pub(super) fn u16(self, at: u64, what: &'static str) -> Result<u16, Error> {
        let bytes = self.slice(at, 2, what)?;
        bytes.pread_with(0, self.endian).map_err(|_| Error::Outside { what })
    }

    pub(super) fn u32(self, at: u64, what: &'static str) -> Result<u32, Error> {
        let bytes = self.slice(at, 4, what)?;
        bytes.pread_with(0, self.endian).map_err(|_| Error::Outside { what })
    }

    pub(super) fn u64(self, at: u64, what: &'static str) -> Result<u64, Error> {
        let bytes = self.slice(at, 8, what)?;
        bytes.pread_with(0, self.endian).map_err(|_| Error::Outside { what })
    }

    /// Reads a number of the size of an address.
    pub(super) fn word(self, at: u64, is_wide: bool, what: &'static str) -> Result<u64, Error> {
        if is_wide { self.u64(at, what) } else { self.u32(at, what).map(u64::from) }
    }

    pub(super) fn slice(
        self,
        start: u64,
        size: u64,
        what: &'static str,
    ) -> Result<&'b [u8], Error> {
        self.check_range(start, size, what)?;
        let start = self.start + start;
        self.content.get(start..start + size).ok_or(Error::Outside { what })
    }

    /// Returns the bytes from `at` up to the zero byte that ends a name.
    pub(super) fn name(self, at: u64, what: &'static str) -> Result<&'b [u8], Error> {
        let mut most = STEP;
        loop {
            let rest = self.up_to(at, most, what)?;
            if let Some(end) = rest.iter().position(|&b| b == 0) {
                return Ok(&rest[..end]);
            }
            if most >= LONGEST_STRING || (rest.len() as u64) < most {
                return Err(Error::Malformed { what });
            }
            most *= 16;
        }
    }
}
