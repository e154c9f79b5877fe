//! Extent of a PE file.

use crate::binary::extent::Probe;

/// `IMAGE_FILE_MACHINE_*`: x86, x86-64, arm64, arm64 for x86-64 processes, arm.
const MACHINES: [u64; 5] = [0x14c, 0x8664, 0xaa64, 0xa641, 0x1c4];
/// Largest distance of the PE header from the start of the file, in bytes.
const FARTHEST: u64 = 4096;

/// Returns the offset of the file whose PE header is at offset `at` of `bytes`.
pub(crate) fn start(bytes: &Probe<'_>, at: u64) -> Option<u64> {
    let from = at.saturating_sub(FARTHEST);
    let before = bytes.bytes(from, at - from)?;
    memchr::memmem::rfind_iter(&before, b"MZ").map(|i| from + i as u64).find(|&start| {
        let stated = start.checked_add(0x3c).and_then(|at| bytes.u32(at));
        at - start >= 0x40 && stated == Some(at - start)
    })
}

/// Returns the offset of the last byte that the headers refer to, plus one; `None` if the PE header
/// at offset `at` of the file is not one.
pub(crate) fn extent(probe: &Probe<'_>, at: u64) -> Option<u64> {
    let [machine, count, optional, kind] = [4, 6, 20, 24].map(|offset| probe.u16(at + offset));
    let (machine, count, optional) = (machine?, count?, optional?);
    if !MACHINES.contains(&machine) || !matches!(count, 1..=96) {
        return None;
    }
    let directories = match kind? {
        0x10b => at + 24 + 96,
        0x20b => at + 24 + 112,
        _ => return None,
    };
    let mut end = 0;
    for i in 0..count {
        let at = at + 24 + optional + 40 * i;
        end = end.max(probe.u32(at + 20)? + probe.u32(at + 16)?);
    }
    // The signature is the only table that is addressed by file offset.
    if probe.u32(directories - 4)? > 4 {
        end = end.max(probe.u32(directories + 32)? + probe.u32(directories + 36)?);
    }
    Some(end)
}
