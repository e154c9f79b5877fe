//! Merges files for one processor each into a universal file, as `lipo -create` does.

use goblin::mach::constants::cputype;
use scroll::LE;

use super::fat::Fat;
use crate::binary::Format;
use crate::binary::macho::MachO;
use crate::name::Arch;
use crate::patch::Error;
use crate::patch::numbers::Numbers;

/// Alignment of slices, as a power of two: pages of arm64 have 16 KiB.
const PAGE: u32 = 14;
/// Alignment of static libraries, as a power of two.
const MEMBER: u32 = 3;

/// Fuses programs, shared libraries or static libraries, each given with its processor. The slices
/// are copied unchanged, so that signatures stay valid.
///
/// ```
/// use wheelsmith_core::name::Arch;
/// # fn fuse(intel: &[u8], arm: &[u8]) -> Result<Vec<u8>, wheelsmith_core::patch::Error> {
/// let universal = wheelsmith_core::patch::macho::create_universal(&[(Arch::X86_64, intel), (Arch::Aarch64, arm)])?;
/// # Ok(universal)
/// # }
/// ```
///
/// # Errors
/// Returns an error for a file that is of another kind or for another processor, or that is
/// universal itself.
pub fn create_universal(slices: &[(Arch, &[u8])]) -> Result<Vec<u8>, Error> {
    let mut list = Vec::new();
    for &(arch, bytes) in slices {
        list.push(match Format::of(bytes) {
            Some(Format::Archive) => (cpu(arch)?, MEMBER, bytes),
            Some(Format::MachO) => (cpu_of(arch, bytes)?, PAGE, bytes),
            _ => return Err(unsupported("it is not a macOS file".to_owned())),
        });
    }
    let contents: Vec<&[u8]> = slices.iter().map(|(_, bytes)| *bytes).collect();
    let merged = Fat::of(&list).write(&contents)?;
    verify(&merged, &contents)?;
    Ok(merged)
}

fn unsupported(why: String) -> Error {
    Error::Unsupported(why)
}

/// Returns the number of a processor, for files that do not have it themselves.
fn cpu(arch: Arch) -> Result<[u32; 2], Error> {
    match arch {
        Arch::X86_64 => Ok([cputype::CPU_TYPE_X86_64, cputype::CPU_SUBTYPE_X86_64_ALL]),
        Arch::Aarch64 => Ok([cputype::CPU_TYPE_ARM64, cputype::CPU_SUBTYPE_ARM64_ALL]),
        other => Err(unsupported(format!("no macOS runs on {other}"))),
    }
}

/// Returns the file's number of its processor, which must be `arch`.
fn cpu_of(arch: Arch, bytes: &[u8]) -> Result<[u32; 2], Error> {
    let macho = MachO::parse(bytes)?;
    if macho.is_universal || macho.slice(arch).is_none() {
        return Err(unsupported(format!("it is for {}, not only for {arch}", macho.cpus())));
    }
    let number = |at| Numbers(LE).u32(bytes, at, "file header");
    Ok([number(4)?, number(8)?])
}

/// Checks that the slices can be parsed again.
fn verify(merged: &[u8], contents: &[&[u8]]) -> Result<(), Error> {
    let found = Fat::parse(merged)?;
    let found = found.iter().flat_map(|fat| &fat.slices).map(|slice| slice.bytes);
    if found.eq(contents.iter().copied()) {
        return Ok(());
    }
    Err(Error::Wrong("its slices differ from the merged files".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::binary::macho::Pages;

    macro_rules! fixture {
        ($name:literal) => {
            include_bytes!(concat!("../../../../testdata/macho/", $name)).as_slice()
        };
    }

    #[test]
    fn slices_stay_as_they_are() {
        let (intel, arm) = (fixture!("x86_64.dylib"), fixture!("arm64.dylib"));
        let merged = create_universal(&[(Arch::X86_64, intel), (Arch::Aarch64, arm)]).unwrap();
        let macho = MachO::parse(merged.as_slice()).unwrap();
        assert!(macho.is_universal);
        assert_eq!(macho.cpus(), "x86_64, arm64");
        let signature = macho.slice(Arch::Aarch64).unwrap().signature.as_ref().unwrap();
        assert_eq!(signature.pages, Pages::Right);
        let alone = MachO::parse(intel).unwrap();
        assert_eq!(macho.slices[0].builds, alone.slices[0].builds);
        assert_eq!(merged.len() % (1 << PAGE), arm.len() % (1 << PAGE));
    }

    #[test]
    fn static_libraries_are_fused_as_well() {
        let (one, other) = (b"!<arch>\nx86_64".as_slice(), b"!<arch>\narm64".as_slice());
        let merged = create_universal(&[(Arch::X86_64, one), (Arch::Aarch64, other)]).unwrap();
        let fat = Fat::parse(&merged).unwrap().unwrap();
        assert_eq!(fat.slices.iter().map(|s| s.bytes).collect::<Vec<_>>(), [one, other]);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let check = |arch, bytes, why: &str| {
            let error = create_universal(&[(arch, bytes)]).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        };
        check(Arch::X86_64, fixture!("arm64.dylib"), "it is for arm64, not only for x86_64");
        check(Arch::X86_64, fixture!("universal.dylib"), "it is for x86_64, arm64, not only");
        check(Arch::S390x, b"!<arch>\n".as_slice(), "no macOS runs on s390x");
        check(Arch::X86_64, b"text".as_slice(), "it is not a macOS file");
    }
}
