//! Processors in the terms of Apple and of platform tags.

use goblin::mach::constants::cputype;

use crate::name::Arch;

/// Returns the subtype without its high byte, which contains capabilities such as the version of
/// pointer signing.
fn subtype(subtype: u32) -> u32 {
    subtype & !cputype::CPU_SUBTYPE_MASK
}

/// Returns the processor of a platform tag; `None` for one that no tag names.
pub(super) fn arch((cpu, sub): (u32, u32)) -> Option<Arch> {
    match (cpu, subtype(sub)) {
        (cputype::CPU_TYPE_X86_64, sub) if sub != cputype::CPU_SUBTYPE_X86_64_H => {
            Some(Arch::X86_64)
        }
        (cputype::CPU_TYPE_ARM64, sub) if sub != cputype::CPU_SUBTYPE_ARM64_E => {
            Some(Arch::Aarch64)
        }
        (cputype::CPU_TYPE_I386, _) => Some(Arch::I686),
        (cputype::CPU_TYPE_POWERPC64, _) => Some(Arch::Ppc64),
        _ => None,
    }
}

/// Returns the name that Apple uses.
pub(super) fn cpu_name((cpu, sub): (u32, u32)) -> String {
    let name = match (cpu, subtype(sub)) {
        (cputype::CPU_TYPE_X86_64, cputype::CPU_SUBTYPE_X86_64_H) => "x86_64h",
        (cputype::CPU_TYPE_X86_64, _) => "x86_64",
        (cputype::CPU_TYPE_ARM64, cputype::CPU_SUBTYPE_ARM64_E) => "arm64e",
        (cputype::CPU_TYPE_ARM64, _) => "arm64",
        (cputype::CPU_TYPE_ARM64_32, _) => "arm64_32",
        (cputype::CPU_TYPE_I386, _) => "i386",
        (cputype::CPU_TYPE_ARM, _) => "arm",
        (cputype::CPU_TYPE_POWERPC, _) => "ppc",
        (cputype::CPU_TYPE_POWERPC64, _) => "ppc64",
        (other, _) => return format!("CPU type {other:#x}"),
    };
    name.to_owned()
}
