//! Names of Pythons and systems for messages.

use super::tag_pair::{Abi, Interpreters, TagPair};
use crate::name::{AndroidAbi, Arch, Libc, MacArch, PlatformTag, PlatformVersion};

/// First CPython that distinguishes musl from glibc in file names.
pub(super) const FIRST_TO_TELL_MUSL: PlatformVersion = PlatformVersion::new(3, 11);

/// Returns the interpreters that can load a file built for an ABI, as part of a sentence; `None` if
/// all can, or if that is unknown.
pub(super) fn owner(abi: &Abi) -> Option<String> {
    Some(match abi {
        Abi::CPython(release) => release.words(),
        Abi::Stable { free_threaded: false } => "CPython without free threads".to_owned(),
        Abi::Stable { free_threaded: true } => "CPython from 3.15 on".to_owned(),
        Abi::PyPy(Some(abi)) => format!("PyPy (`{abi}`)"),
        Abi::PyPy(None) => "PyPy".to_owned(),
        Abi::Nobody => {
            "no Python: on Windows, Python looks for `.pyd` and `.cpXY-PLATFORM.pyd`".to_owned()
        }
        Abi::FreeThreaded => "free-threaded CPython".to_owned(),
        Abi::OneRelease => "one release of Python".to_owned(),
        Abi::Any | Abi::Other => return None,
    })
}

/// Returns the interpreters that a tag pair accepts, as part of a sentence.
pub(super) fn accepted(pair: &TagPair) -> String {
    let tag = &pair.tag;
    match &pair.interpreters {
        Interpreters::Exactly(release) => format!("{} (`{tag}`)", release.words()),
        Interpreters::Stable { from, free_threaded: false } => {
            format!("CPython from {from} on (`{tag}`)")
        }
        Interpreters::Stable { from, free_threaded: true } => {
            format!("free-threaded CPython from {from} on (`{tag}`)")
        }
        Interpreters::Built(version) => format!("any build of CPython {version} (`{tag}`)"),
        Interpreters::Every(version) if version.minor == 0 => {
            format!("every Python {} (`{tag}`)", version.major)
        }
        Interpreters::Every(version) => format!("every Python from {version} on (`{tag}`)"),
        Interpreters::PyPy(_) | Interpreters::Other => format!("`{tag}`"),
    }
}

/// Returns the system names in file names that Pythons under a platform tag look for; `None` for
/// tags for which these are unknown.
///
/// Source: CPython's `configure` (PLATFORM_TRIPLET) and `dynload_win.c`.
pub(super) fn systems(tag: &PlatformTag, version: Option<PlatformVersion>) -> Option<Vec<String>> {
    match tag {
        PlatformTag::Any => Some(Vec::new()),
        PlatformTag::MacOs { .. } => Some(vec!["darwin".to_owned()]),
        PlatformTag::Windows { arch } => Some(vec![arch.to_string()]),
        // PEP 738; the names are those of the compiler target.
        PlatformTag::Android { abi, .. } => {
            let system = match abi {
                AndroidAbi::Arm64V8a => "aarch64-linux-android",
                AndroidAbi::ArmeabiV7a => "arm-linux-androideabi",
                AndroidAbi::X86 => "i686-linux-android",
                AndroidAbi::X86_64 => "x86_64-linux-android",
            };
            Some(vec![system.to_owned()])
        }
        PlatformTag::Linux { arch }
        | PlatformTag::Manylinux { arch, .. }
        | PlatformTag::LegacyManylinux { arch, .. }
        | PlatformTag::Musllinux { arch, .. } => {
            // Older releases do not distinguish musl from glibc.
            let is_old = version.is_some_and(|version| version < FIRST_TO_TELL_MUSL);
            let libcs: &[Libc] = match tag.libc() {
                Some(Libc::Glibc) => &[Libc::Glibc],
                Some(Libc::Musl) if !is_old => &[Libc::Musl],
                _ => &[Libc::Glibc, Libc::Musl],
            };
            Some(libcs.iter().flat_map(|libc| linux(*arch, *libc)).collect())
        }
        // PEP 730: `iphoneos`, `iphonesimulator`. Earlier drafts put the processor in front.
        PlatformTag::Ios { sdk, .. } => {
            let system = if sdk.is_simulator() { "iphonesimulator" } else { "iphoneos" };
            let cpu = MacArch::of(sdk.arch());
            Some(vec![system.to_owned(), format!("{cpu}-{system}")])
        }
        PlatformTag::Wasm { .. } => Some(vec!["wasm32-emscripten".to_owned()]),
        PlatformTag::Other(_) => None,
    }
}

fn linux(arch: Arch, libc: Libc) -> Vec<String> {
    let libc = if libc == Libc::Musl { "musl" } else { "gnu" };
    let (cpus, float): (&[&str], &str) = match arch {
        Arch::X86_64 => (&["x86_64"], ""),
        Arch::I686 => (&["i386", "i686"], ""),
        Arch::Aarch64 => (&["aarch64"], ""),
        Arch::Armv7l => (&["arm"], "eabihf"),
        Arch::Ppc64 => (&["powerpc64"], ""),
        Arch::Ppc64le => (&["powerpc64le"], ""),
        Arch::S390x => (&["s390x"], ""),
        Arch::Riscv64 => (&["riscv64"], ""),
        Arch::Loongarch64 => (&["loongarch64"], ""),
    };
    cpus.iter().map(|cpu| format!("{cpu}-linux-{libc}{float}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_are_for_systems() {
        let check = |tag: &str, minor: u16, expected: &[&str]| {
            let version = Some(PlatformVersion::new(3, minor));
            let found = systems(&tag.parse().unwrap(), version).unwrap_or_default();
            assert_eq!(found, expected, "{tag}");
        };
        check("manylinux_2_17_x86_64", 12, &["x86_64-linux-gnu"]);
        check("manylinux1_i686", 12, &["i386-linux-gnu", "i686-linux-gnu"]);
        check("manylinux2014_armv7l", 12, &["arm-linux-gnueabihf"]);
        check("musllinux_1_2_aarch64", 11, &["aarch64-linux-musl"]);
        check("musllinux_1_2_aarch64", 10, &["aarch64-linux-gnu", "aarch64-linux-musl"]);
        check("linux_s390x", 12, &["s390x-linux-gnu", "s390x-linux-musl"]);
        check("macosx_11_0_universal2", 12, &["darwin"]);
        check("win32", 12, &["win32"]);
        check("any", 12, &[]);
        check("android_24_arm64_v8a", 13, &["aarch64-linux-android"]);
        check("ios_13_0_arm64_iphoneos", 13, &["iphoneos", "arm64-iphoneos"]);
        check("pyodide_2025_0_wasm32", 13, &["wasm32-emscripten"]);
        check("freebsd_14_amd64", 13, &[]);
    }
}
