//! Universal files: slices for several processors after a common header (Apple's `mach-o/fat.h`).

use scroll::BE;

use crate::binary;
use crate::patch::Error;
use crate::patch::numbers::{Numbers, align_up, part};

const FAT_MAGIC: u32 = 0xcafe_babe;
const FAT_MAGIC_64: u32 = 0xcafe_babf;
/// Limit of slices; real files stay far below.
const MOST_SLICES: u32 = 39;
/// Largest alignment of linkers, as a power of two.
const MOST_ALIGNMENT: u32 = 15;
const WHAT: &str = "list of slices";

/// Slices of a universal file.
pub(super) struct Fat<'b> {
    is_wide: bool,
    pub(super) slices: Vec<FatSlice<'b>>,
}

pub(super) struct FatSlice<'b> {
    cpu: [u32; 2],
    alignment: u32,
    spare: u32,
    pub(super) bytes: &'b [u8],
}

impl<'b> Fat<'b> {
    /// Creates a header for slices, each with processor, alignment as a power of two, and bytes.
    pub(super) fn of(slices: &[([u32; 2], u32, &'b [u8])]) -> Self {
        let slice = |&(cpu, alignment, bytes): &_| FatSlice { cpu, alignment, spare: 0, bytes };
        Self { is_wide: false, slices: slices.iter().map(slice).collect() }
    }

    /// Parses a universal file; `None` for a file of one processor.
    pub(super) fn parse(bytes: &'b [u8]) -> Result<Option<Self>, Error> {
        let number = |at| Numbers(BE).u32(bytes, at, WHAT);
        let is_wide = match number(0)? {
            FAT_MAGIC => false,
            FAT_MAGIC_64 => true,
            _ => return Ok(None),
        };
        let count = number(4)?;
        if count > MOST_SLICES {
            return Err(binary::Error::TooMany { what: "slices", count: count.into() }.into());
        }
        let mut slices = Vec::new();
        let mut taken = vec![(0, 8 + u64::from(count) * entry_size(is_wide))];
        for i in 0..count {
            let at = 8 + i as usize * if is_wide { 32 } else { 20 };
            let word = |at| Numbers(BE).word(bytes, at, is_wide, WHAT);
            let offset = word(at + 8)?;
            let size = word(at + if is_wide { 16 } else { 12 })?;
            let alignment = number(at + if is_wide { 24 } else { 16 })?;
            if alignment > MOST_ALIGNMENT {
                return Err(binary::Error::Malformed { what: WHAT }.into());
            }
            slices.push(FatSlice {
                cpu: [number(at)?, number(at + 4)?],
                alignment,
                spare: if is_wide { number(at + 28)? } else { 0 },
                bytes: part(bytes, offset, size, "slice")?,
            });
            taken.push((offset, offset.saturating_add(size)));
        }
        check_gaps(bytes, taken)?;
        Ok(Some(Self { is_wide, slices }))
    }

    /// Returns the file with other slices, in the order of the header.
    pub(super) fn write(&self, slices: &[impl AsRef<[u8]>]) -> Result<Vec<u8>, Error> {
        const OUTSIDE: binary::Error = binary::Error::Outside { what: WHAT };
        let size: usize = slices.iter().map(|slice| slice.as_ref().len()).sum();
        let mut body = Vec::with_capacity(size + (slices.len() << MOST_ALIGNMENT));
        let magic = if self.is_wide { FAT_MAGIC_64 } else { FAT_MAGIC };
        let mut list = Vec::new();
        list.extend(magic.to_be_bytes());
        list.extend(u32::try_from(self.slices.len()).map_err(|_| OUTSIDE)?.to_be_bytes());
        body.resize(8 + self.slices.len() * if self.is_wide { 32 } else { 20 }, 0);
        for (slice, bytes) in self.slices.iter().zip(slices) {
            let bytes = bytes.as_ref();
            let start = align_up(body.len() as u64, 1 << slice.alignment).ok_or(OUTSIDE)?;
            body.resize(usize::try_from(start).map_err(|_| OUTSIDE)?, 0);
            body.extend_from_slice(bytes);
            list.extend(slice.cpu.iter().flat_map(|number| number.to_be_bytes()));
            for number in [start, bytes.len() as u64] {
                if self.is_wide {
                    list.extend(number.to_be_bytes());
                } else {
                    list.extend(u32::try_from(number).map_err(|_| OUTSIDE)?.to_be_bytes());
                }
            }
            list.extend(slice.alignment.to_be_bytes());
            if self.is_wide {
                list.extend(slice.spare.to_be_bytes());
            }
        }
        body[..list.len()].copy_from_slice(&list);
        Ok(body)
    }
}

const fn entry_size(is_wide: bool) -> u64 {
    if is_wide { 32 } else { 20 }
}

/// Checks that there is nothing between the slices: a new layout would lose such bytes, and
/// duplicate shared ones.
fn check_gaps(bytes: &[u8], mut taken: Vec<(u64, u64)>) -> Result<(), Error> {
    taken.sort_unstable();
    taken.push((bytes.len() as u64, bytes.len() as u64));
    for pair in taken.windows(2) {
        let Some(size) = pair[1].0.checked_sub(pair[0].1) else {
            return Err(binary::Error::Malformed { what: WHAT }.into());
        };
        if part(bytes, pair[0].1, size, WHAT)?.iter().any(|&byte| byte != 0) {
            return Err(Error::Unsupported("it has bytes between its slices".to_owned()));
        }
    }
    Ok(())
}
