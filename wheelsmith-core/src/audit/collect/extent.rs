//! Recognizes native files and archives inside other bytes and computes where they end. Magic
//! numbers also occur by chance, so the numbers in the headers must be consistent.

use super::scan::Magic;
use crate::archive::blob::Blob;
use crate::archive::open::{self, Container};
use crate::archive::{tar, zip};

/// A file inside another file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Inner {
    pub(super) start: u64,
    pub(super) size: u64,
    /// Kind of the container; `None` for a native file.
    pub(super) container: Option<Container>,
}

/// Returns the file that the magic number at offset `at` of `blob` belongs to, if its headers are
/// valid.
pub(super) fn inner(blob: &Blob, at: u64, magic: Magic) -> Option<Inner> {
    let native = |start, size: Option<u64>| {
        let size = size.filter(|size| start + size <= blob.size())?;
        Some(Inner { start, size, container: None })
    };
    let from = |start: u64| blob.part(start, blob.size().checked_sub(start)?);
    match magic {
        Magic::Elf => native(at, elf(&from(at)?)),
        Magic::MachO => native(at, macho(&from(at)?)),
        Magic::Archive => native(at, archive(&from(at)?)),
        Magic::Pe => {
            let start = pe_start(blob, at)?;
            native(start, pe(&from(start)?, at - start))
        }
        Magic::Gzip => {
            let rest = from(at)?;
            let is_worth_it = {
                let first = open::gzip_first_bytes(&rest);
                Container::of(&first).is_some() || super::may_be_native(&first)
            };
            let container = Some(Container::Gzip);
            is_worth_it.then_some(Inner { start: at, size: rest.size(), container })
        }
        Magic::ZipEnd => {
            let comment = Numbers { blob, big: false }.u16(at.checked_add(20)?)?;
            let end = (at + 22 + comment).min(blob.size());
            let start = zip::Directory::find(&blob.part(0, end)?)?.shift;
            let first = blob.array_at::<4>(start).ok()?;
            let size = end.checked_sub(start)?;
            let container = Some(Container::Zip);
            (Container::of(&first) == container).then_some(Inner { start, size, container })
        }
        Magic::Tar => {
            let start = at.checked_sub(257)?;
            let size = tar::extent(&from(start)?);
            let container = Some(Container::Tar);
            (size > 0).then_some(Inner { start, size, container })
        }
    }
}

/// Numbers of the processors and virtual machines of ELF files in the ELF registry.
const ELF_MACHINES: [u64; 17] =
    [3, 8, 20, 21, 22, 40, 43, 50, 62, 83, 94, 105, 183, 190, 224, 243, 247];
const LOONGARCH: u64 = 258;

fn elf(blob: &Blob) -> Option<u64> {
    let ident = blob.array_at::<16>(0).ok()?;
    let (is_64, big, version) = (ident[4] == 2, ident[5] == 2, ident[6]);
    if !matches!(ident[4], 1 | 2) || !matches!(ident[5], 1 | 2) || version != 1 {
        return None;
    }
    let n = Numbers { blob, big };
    let word = |at| if is_64 { n.u64(at) } else { n.u32(at) };
    let (kind, machine) = (n.u16(16)?, n.u16(18)?);
    if !matches!(kind, 1..=3) || !(ELF_MACHINES.contains(&machine) || machine == LOONGARCH) {
        return None;
    }
    let (programs, sections, sizes) = if is_64 { (32, 40, 52) } else { (28, 32, 40) };
    let (programs, sections) = (word(programs)?, word(sections)?);
    let [header, program_size, program_count, section_size, section_count] =
        [0, 2, 4, 6, 8].map(|at| n.u16(sizes + at));
    let (header, program_count, section_count) = (header?, program_count?, section_count?);
    let sizes = if is_64 { (64, 56, 64) } else { (52, 32, 40) };
    let is_odd = |count, size, expected| count > 0 && size != Some(expected);
    if header != sizes.0
        || is_odd(program_count, program_size, sizes.1)
        || is_odd(section_count, section_size, sizes.2)
        || (program_count == 0 && section_count == 0)
    {
        return None;
    }
    let mut end = header;
    let mut reach = |start: u64, size: u64| -> Option<()> {
        end = end.max(start.checked_add(size)?);
        Some(())
    };
    reach(programs, program_count * sizes.1)?;
    for i in 0..program_count {
        let at = programs.checked_add(i * sizes.1)?;
        let (offset, size) = if is_64 { (8, 32) } else { (4, 16) };
        reach(word(at.checked_add(offset)?)?, word(at.checked_add(size)?)?)?;
    }
    reach(sections, section_count * sizes.2)?;
    for i in 0..section_count {
        const NO_BITS: u64 = 8;
        let at = sections.checked_add(i * sizes.2)?;
        let (offset, size) = if is_64 { (24, 32) } else { (16, 20) };
        if n.u32(at.checked_add(4)?)? != NO_BITS {
            reach(word(at.checked_add(offset)?)?, word(at.checked_add(size)?)?)?;
        }
    }
    Some(end)
}

/// `CPU_TYPE_*` of Apple's `mach/machine.h`: i386, x86-64, arm, arm64, arm64_32, and PowerPC with 32
/// and 64 bits.
const CPUS: [u64; 7] = [7, 0x0100_0007, 12, 0x0100_000c, 0x0200_000c, 18, 0x0100_0012];

fn macho(blob: &Blob) -> Option<u64> {
    let magic = blob.array_at::<4>(0).ok()?;
    if magic == [0xca, 0xfe, 0xba, 0xbe] {
        let n = Numbers { blob, big: true };
        let count = n.u32(4)?;
        let mut end = 0;
        for i in 0..count.min(40) {
            let at = 8 + 20 * i;
            let (cpu, start, size) = (n.u32(at)?, n.u32(at + 8)?, n.u32(at + 12)?);
            if !CPUS.contains(&cpu) || start < 8 + 20 * count || size == 0 {
                return None;
            }
            end = end.max(start + size);
        }
        return (end > 0).then_some(end);
    }
    let n = Numbers { blob, big: false };
    let is_64 = magic[0] == 0xcf;
    let (cpu, kind, count, size) = (n.u32(4)?, n.u32(12)?, n.u32(16)?, n.u32(20)?);
    let header = if is_64 { 32 } else { 28 };
    let is_sane = CPUS.contains(&cpu)
        && matches!(kind, 1..=12)
        && matches!(count, 1..=4096)
        && count * 8 <= size
        && size <= 1 << 20;
    if !is_sane {
        return None;
    }
    let (mut at, mut end) = (header, header + size);
    for _ in 0..count {
        let (command, size) = (n.u32(at)?, n.u32(at + 4)?);
        if size < 8 {
            return None;
        }
        let reach = match command {
            1 => n.u32(at + 32)?.checked_add(n.u32(at + 36)?),
            0x19 => n.u64(at + 40)?.checked_add(n.u64(at + 48)?),
            2 => n.u32(at + 16)?.checked_add(n.u32(at + 20)?),
            // Data that a linker writes after the segments: signature, function starts.
            0x1d | 0x26 | 0x29 => n.u32(at + 8)?.checked_add(n.u32(at + 12)?),
            _ => Some(0),
        };
        end = end.max(reach?);
        at += size;
    }
    Some(end)
}

/// Returns the offsets of the slices of a universal file; empty for other files.
pub(super) fn slices(blob: &Blob) -> Vec<u64> {
    let n = Numbers { blob, big: true };
    let is_wide = match n.u32(0) {
        Some(0xcafe_babe) => false,
        Some(0xcafe_babf) => true,
        _ => return Vec::new(),
    };
    let count = n.u32(4).unwrap_or_default().min(40);
    let start = |i| if is_wide { n.u64(8 + 32 * i + 8) } else { n.u32(8 + 20 * i + 8) };
    (0..count).filter_map(start).collect()
}

/// Returns the offset of the Windows file whose PE header is at `at`.
fn pe_start(blob: &Blob, at: u64) -> Option<u64> {
    const FARTHEST: u64 = 4096;
    let from = at.saturating_sub(FARTHEST);
    let before = blob.part(from, at - from)?.first(4096).ok()?;
    memchr::memmem::rfind_iter(&before, b"MZ").map(|i| from + i as u64).find(|&start| {
        let stated = start.checked_add(0x3c).and_then(|at| Numbers { blob, big: false }.u32(at));
        at - start >= 0x40 && stated == Some(at - start)
    })
}

/// `IMAGE_FILE_MACHINE_*`: x86, x86-64, arm64, arm64 for x86-64 processes, arm.
const PE_MACHINES: [u64; 5] = [0x14c, 0x8664, 0xaa64, 0xa641, 0x1c4];

fn pe(blob: &Blob, at: u64) -> Option<u64> {
    let n = Numbers { blob, big: false };
    let (machine, count, optional) = (n.u16(at + 4)?, n.u16(at + 6)?, n.u16(at + 20)?);
    let kind = n.u16(at + 24)?;
    if !PE_MACHINES.contains(&machine) || !matches!(count, 1..=96) {
        return None;
    }
    let directories = match kind {
        0x10b => at + 24 + 96,
        0x20b => at + 24 + 112,
        _ => return None,
    };
    let mut end = 0;
    for i in 0..count {
        let at = at + 24 + optional + 40 * i;
        end = end.max(n.u32(at + 20)? + n.u32(at + 16)?);
    }
    // The signature is the only table that is addressed by file offset.
    if n.u32(directories - 4)? > 4 {
        end = end.max(n.u32(directories + 32)? + n.u32(directories + 36)?);
    }
    Some(end)
}

fn archive(blob: &Blob) -> Option<u64> {
    let mut at = 8;
    while let Ok(header) = blob.array_at::<60>(at) {
        let size = std::str::from_utf8(&header[48..58]).ok();
        let size = size.and_then(|size| size.trim_end().parse::<u64>().ok());
        let Some(size) = size.filter(|_| header.ends_with(b"`\n")) else { break };
        let next = at + 60 + size + size % 2;
        if next > blob.size() + 1 {
            break;
        }
        at = next.min(blob.size());
    }
    (at > 8).then_some(at)
}

/// Reader for numbers at offsets that the file specifies.
struct Numbers<'b> {
    blob: &'b Blob,
    big: bool,
}

impl Numbers<'_> {
    fn get<const N: usize>(&self, at: u64) -> Option<u64> {
        let bytes = self.blob.array_at::<N>(at).ok()?;
        let add = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
        Some(if self.big { bytes.iter().fold(0, add) } else { bytes.iter().rev().fold(0, add) })
    }

    fn u16(&self, at: u64) -> Option<u64> {
        self.get::<2>(at)
    }

    fn u32(&self, at: u64) -> Option<u64> {
        self.get::<4>(at)
    }

    fn u64(&self, at: u64) -> Option<u64> {
        self.get::<8>(at)
    }
}
