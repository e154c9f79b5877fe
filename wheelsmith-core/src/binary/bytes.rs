//! Numbers and names at places that the file itself gives.

use scroll::{Endian, Pread as _};

use super::Error;

/// No real file has a longer name or path, in bytes.
const LONGEST_STRING: usize = 65_536;

/// Bytes with the order of their numbers. Every read says what it was for.
#[derive(Clone, Copy)]
pub(super) struct Bytes<'b> {
    pub(super) all: &'b [u8],
    pub(super) endian: Endian,
}

impl<'b> Bytes<'b> {
    pub(super) fn new(all: &'b [u8], endian: Endian) -> Self {
        Self { all, endian }
    }

    pub(super) fn u16(&self, at: u64, what: &'static str) -> Result<u16, Error> {
        self.all.pread_with(place(at), self.endian).map_err(|_| Error::Outside { what })
    }

    pub(super) fn u32(&self, at: u64, what: &'static str) -> Result<u32, Error> {
        self.all.pread_with(place(at), self.endian).map_err(|_| Error::Outside { what })
    }

    pub(super) fn u64(&self, at: u64, what: &'static str) -> Result<u64, Error> {
        self.all.pread_with(place(at), self.endian).map_err(|_| Error::Outside { what })
    }

    /// A number as wide as an address.
    pub(super) fn word(&self, at: u64, is_wide: bool, what: &'static str) -> Result<u64, Error> {
        if is_wide { self.u64(at, what) } else { self.u32(at, what).map(u64::from) }
    }

    pub(super) fn slice(
        &self,
        start: u64,
        size: u64,
        what: &'static str,
    ) -> Result<&'b [u8], Error> {
        let end = start.checked_add(size).ok_or(Error::Outside { what })?;
        self.all.get(place(start)..place(end)).ok_or(Error::Outside { what })
    }

    /// The bytes at `at` up to the zero byte that ends a name.
    pub(super) fn name(&self, at: u64, what: &'static str) -> Result<&'b [u8], Error> {
        let rest = self.all.get(place(at)..).ok_or(Error::Outside { what })?;
        let rest = &rest[..rest.len().min(LONGEST_STRING)];
        let end = rest.iter().position(|&b| b == 0).ok_or(Error::Malformed { what })?;
        Ok(&rest[..end])
    }
}

/// An offset as an index. What does not fit lies outside every file.
fn place(at: u64) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}
