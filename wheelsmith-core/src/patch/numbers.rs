//! Numbers at offsets of a file, read and written in its byte order.

use scroll::{Endian, Pread as _, Pwrite as _};

use crate::binary::Error;

/// Byte order of a file. Every access names its purpose for error messages.
#[derive(Debug, Clone, Copy)]
pub(super) struct Numbers(pub(super) Endian);

impl Numbers {
    pub(super) fn u16(self, bytes: &[u8], at: usize, what: &'static str) -> Result<u16, Error> {
        bytes.pread_with(at, self.0).map_err(|_| Error::Outside { what })
    }

    pub(super) fn u32(self, bytes: &[u8], at: usize, what: &'static str) -> Result<u32, Error> {
        bytes.pread_with(at, self.0).map_err(|_| Error::Outside { what })
    }

    /// Accesses a number as wide as an address.
    pub(super) fn word(
        self,
        bytes: &[u8],
        at: usize,
        is_wide: bool,
        what: &'static str,
    ) -> Result<u64, Error> {
        if is_wide {
            bytes.pread_with(at, self.0).map_err(|_| Error::Outside { what })
        } else {
            self.u32(bytes, at, what).map(u64::from)
        }
    }

    pub(super) fn set_u16(
        self,
        bytes: &mut [u8],
        at: usize,
        value: u16,
        what: &'static str,
    ) -> Result<(), Error> {
        bytes.pwrite_with(value, at, self.0).map(drop).map_err(|_| Error::Outside { what })
    }

    pub(super) fn set_u32(
        self,
        bytes: &mut [u8],
        at: usize,
        value: u32,
        what: &'static str,
    ) -> Result<(), Error> {
        bytes.pwrite_with(value, at, self.0).map(drop).map_err(|_| Error::Outside { what })
    }

    /// Accesses a number as wide as an address.
    pub(super) fn set_word(
        self,
        bytes: &mut [u8],
        at: usize,
        value: u64,
        is_wide: bool,
        what: &'static str,
    ) -> Result<(), Error> {
        if is_wide {
            bytes.pwrite_with(value, at, self.0).map(drop).map_err(|_| Error::Outside { what })
        } else {
            let value = u32::try_from(value).map_err(|_| Error::Outside { what })?;
            self.set_u32(bytes, at, value, what)
        }
    }
}

/// Returns the bytes of a range that the file itself gives.
pub(super) fn part<'b>(
    bytes: &'b [u8],
    start: u64,
    size: u64,
    what: &'static str,
) -> Result<&'b [u8], Error> {
    let start = usize::try_from(start).ok();
    let range = start.zip(usize::try_from(size).ok()).and_then(|(start, size)| {
        let end = start.checked_add(size)?;
        bytes.get(start..end)
    });
    range.ok_or(Error::Outside { what })
}

/// Returns the next multiple of `step`, a power of two; `None` on overflow.
pub(super) fn align_up(value: u64, step: u64) -> Option<u64> {
    value.checked_next_multiple_of(step)
}
