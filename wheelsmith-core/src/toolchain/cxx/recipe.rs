//! Sources and arguments of the shared C++ runtime.

use crate::name::Digest;
use crate::toolchain::{Optimize, Toolchain};

use super::BY_NAME;

/// Version of the recipe; increased if the library changes for the same toolchain and target.
const VERSION: u32 = 1;

/// Source of the library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unit {
    /// Path below zig's `lib`.
    pub(super) source: String,
    /// True if the C++ compiler compiles it.
    pub(super) is_cxx: bool,
    /// Arguments behind the target's.
    pub(super) args: Vec<String>,
}

/// Directories below zig's `lib` that contain the sources.
pub(super) const SOURCES: [&str; 3] = ["libcxx/src", "libcxxabi/src", "libunwind/src"];

/// Licences below zig's `lib`, and their names beside the library.
pub(super) const LICENSES: [(&str, &str); 3] = [
    ("libcxx/LICENSE.TXT", "libcxx.txt"),
    ("libcxxabi/LICENSE.TXT", "libcxxabi.txt"),
    ("libunwind/LICENSE.TXT", "libunwind.txt"),
];

/// Returns the digest of everything that decides the library.
pub(super) fn digest(toolchain: &Toolchain) -> Digest {
    let samples =
        ["libcxx/src/a.cpp", "libunwind/src/libunwind.cpp", "libunwind/src/UnwindLevel1.c"];
    let args = samples.iter().filter_map(|source| unit(toolchain, source)).flat_map(|u| u.args);
    let mut parts = vec![format!("c++ runtime {VERSION}"), toolchain.id.to_string()];
    parts.extend(toolchain.cxx.args.iter().cloned().chain(args));
    parts.extend(link_args(toolchain, ""));
    Digest::of(parts.join("\n"))
}

/// Returns the file name of the library with `digest`.
pub(super) fn file_name(digest: &Digest) -> String {
    format!("libc++-{}.so", &digest.to_string()[..8])
}

/// Returns the version script of the library: every symbol has one version, which no other library
/// defines.
pub(super) fn version_script(digest: &Digest) -> String {
    format!("LIBCXX_{} {{ global: *; }};\n", &digest.to_string()[..8])
}

/// Returns how a source is compiled; `None` if it is not part of the library.
pub(super) fn unit(toolchain: &Toolchain, source: &str) -> Option<Unit> {
    let (part, name) = source.split_once("/src/")?;
    let words: &[&str] = match part {
        "libcxx" | "libcxxabi" if !is_of_linux(name) => return None,
        // zig adds the headers of libc++ and its configuration.
        "libcxx" | "libcxxabi" => &[
            "-std=c++23",
            "-DNDEBUG",
            "-D_LIBCPP_BUILDING_LIBRARY",
            "-DLIBCXX_BUILDING_LIBCXXABI",
            "-D_LIBCXXABI_BUILDING_LIBRARY",
            "-DLIBCXXABI_NON_DEMANGLING_TERMINATE",
            BY_NAME,
            "-Ilibcxx/src",
            "-Ilibcxx/libc",
            "-Ilibcxxabi/src",
        ],
        _ if name == "libunwind.cpp" || name == "Unwind-EHABI.cpp" => &[
            "-std=c++17",
            "-DNDEBUG",
            "-fno-exceptions",
            "-fno-rtti",
            "-funwind-tables",
            "-D_LIBUNWIND_IS_NATIVE_ONLY",
            "-Ilibunwind/include",
        ],
        _ if UNWIND_IN_C.contains(&name) => &[
            "-DNDEBUG",
            "-fexceptions",
            "-funwind-tables",
            "-D_LIBUNWIND_IS_NATIVE_ONLY",
            "-Ilibunwind/include",
        ],
        _ => return None,
    };
    let mut args = toolchain.compile_args(Optimize::O2);
    args.extend(words.iter().map(|word| (*word).to_owned()));
    let is_cxx = has_extension(name, "cpp");
    Some(Unit { source: source.to_owned(), is_cxx, args })
}

/// Sources of libunwind that the C compiler compiles.
const UNWIND_IN_C: [&str; 5] = [
    "UnwindLevel1.c",
    "UnwindLevel1-gcc-ext.c",
    "gcc_personality_v0.c",
    "UnwindRegistersRestore.S",
    "UnwindRegistersSave.S",
];

/// True for the C++ sources that a library for Linux with exceptions consists of.
fn is_of_linux(name: &str) -> bool {
    const OTHERS: [&str; 3] = ["experimental/", "pstl/", "support/"];
    has_extension(name, "cpp")
        && !OTHERS.iter().any(|dir| name.starts_with(dir))
        // Functions of compiler-rt, and the stubs of a library without exceptions.
        && !name.ends_with("int128_builtins.cpp")
        && name != "cxa_noexception.cpp"
}

fn has_extension(name: &str, extension: &str) -> bool {
    std::path::Path::new(name).extension().is_some_and(|found| found == extension)
}

/// Returns the arguments of the link, up to the version script and the objects.
pub(super) fn link_args(toolchain: &Toolchain, soname: &str) -> Vec<String> {
    let kind = crate::toolchain::LinkKind::Shared { name: soname };
    toolchain.link_args(kind, Optimize::O2, crate::toolchain::Strip::All)
}

/// Returns the version of libc++ that its header `__config` defines: `21.1.0`.
pub(super) fn version(config: &str) -> Option<String> {
    let line = config.lines().find_map(|line| line.split_once("define _LIBCPP_VERSION "))?;
    let number: u32 = line.1.trim().parse().ok()?;
    Some(format!("{}.{}.{}", number / 10_000, number / 100 % 100, number % 100))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::toolchain::tests::zig_for;

    #[test]
    fn sources_are_chosen_by_name() {
        let toolchain = zig_for("x86_64-unknown-linux-gnu");
        let check = |source: &str, expected: Option<bool>| {
            let found = unit(&toolchain, source).map(|unit| unit.is_cxx);
            assert_eq!(found, expected, "{source}");
        };
        check("libcxx/src/string.cpp", Some(true));
        check("libcxx/src/filesystem/path.cpp", Some(true));
        check("libcxx/src/filesystem/int128_builtins.cpp", None);
        check("libcxx/src/support/win32/thread_win32.cpp", None);
        check("libcxx/src/experimental/tzdb.cpp", None);
        check("libcxx/src/std_stream.h", None);
        check("libcxxabi/src/cxa_exception.cpp", Some(true));
        check("libcxxabi/src/cxa_noexception.cpp", None);
        check("libunwind/src/libunwind.cpp", Some(true));
        check("libunwind/src/UnwindRegistersSave.S", Some(false));
        check("libunwind/src/Unwind-seh.cpp", None);
    }

    #[test]
    fn another_target_or_floor_is_another_library() {
        let of = |target: &str| digest(&zig_for(target)).to_string();
        let all = [
            "x86_64-unknown-linux-gnu",
            "x86_64-unknown-linux-gnu.2.28",
            "x86_64-unknown-linux-musl",
        ];
        let digests: std::collections::BTreeSet<String> = all.iter().map(|t| of(t)).collect();
        assert_eq!(digests.len(), all.len());
        assert_eq!(of(all[0]), of(all[0]));
    }

    #[test]
    fn the_version_is_read_from_the_header() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(version(text).as_deref(), expected);
        };
        check("#  define _LIBCPP_VERSION 210108\n", Some("21.1.8"));
        check("#define _LIBCPP_VERSION x\n", None);
        check("", None);
    }
}
