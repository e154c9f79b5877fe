//! Extent of a Mach-O file.

use crate::binary::extent::Probe;

/// `CPU_TYPE_*` of Apple's `mach/machine.h`: i386, x86-64, arm, arm64, arm64_32, and PowerPC with 32
/// and 64 bits.
const CPUS: [u64; 7] = [7, 0x0100_0007, 12, 0x0100_000c, 0x0200_000c, 18, 0x0100_0012];
/// Limit of the slices of a universal file.
const MOST_SLICES: u64 = 40;

/// Returns the offset of the last byte that the headers refer to, plus one; `None` if they are not
/// those of a little-endian or universal file.
pub(crate) fn extent(probe: &Probe<'_>) -> Option<u64> {
    let magic = probe.array::<4>(0)?;
    if magic == [0xca, 0xfe, 0xba, 0xbe] {
        return universal(probe);
    }
    let is_64 = magic[0] == 0xcf;
    let [cpu, kind, count, size] = [4, 12, 16, 20].map(|at| probe.u32(at));
    let (cpu, kind, count, size) = (cpu?, kind?, count?, size?);
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
        let (command, size) = (probe.u32(at)?, probe.u32(at + 4)?);
        if size < 8 {
            return None;
        }
        let reach = match command {
            1 => probe.u32(at + 32)?.checked_add(probe.u32(at + 36)?),
            0x19 => probe.u64(at + 40)?.checked_add(probe.u64(at + 48)?),
            2 => probe.u32(at + 16)?.checked_add(probe.u32(at + 20)?),
            // Data that a linker writes after the segments: signature, function starts.
            0x1d | 0x26 | 0x29 => probe.u32(at + 8)?.checked_add(probe.u32(at + 12)?),
            _ => Some(0),
        };
        end = end.max(reach?);
        at += size;
    }
    Some(end)
}

fn universal(probe: &Probe<'_>) -> Option<u64> {
    let count = probe.u32_big(4)?;
    let mut end = 0;
    for i in 0..count.min(MOST_SLICES) {
        let at = 8 + 20 * i;
        let (cpu, start) = (probe.u32_big(at)?, probe.u32_big(at + 8)?);
        let size = probe.u32_big(at + 12)?;
        if !CPUS.contains(&cpu) || start < 8 + 20 * count || size == 0 {
            return None;
        }
        end = end.max(start + size);
    }
    (end > 0).then_some(end)
}

/// Returns the offsets of the slices of a universal file; empty for other files.
pub(crate) fn slice_offsets(probe: &Probe<'_>) -> Vec<u64> {
    let is_wide = match probe.u32_big(0) {
        Some(0xcafe_babe) => false,
        Some(0xcafe_babf) => true,
        _ => return Vec::new(),
    };
    let count = probe.u32_big(4).unwrap_or_default().min(MOST_SLICES);
    let start = |i| {
        if is_wide { probe.u64_big(8 + 32 * i + 8) } else { probe.u32_big(8 + 20 * i + 8) }
    };
    (0..count).filter_map(start).collect()
}
