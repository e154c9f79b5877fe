//! Compiler arguments for a target, independent of the source.

use serde::{Deserialize, Serialize};

use crate::name::{Arch, Floor, Libc, Os, PlatformVersion, Target};

/// Family of compilers with one command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// `zig cc`: clang's arguments, with zig's own linker driver and debugging defaults.
    Zig,
    /// gcc with GNU ld.
    Gcc,
    /// clang.
    Clang,
}

/// Optimization level.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Optimize {
    /// No optimization.
    #[serde(rename = "0")]
    O0,
    /// Little optimization.
    #[serde(rename = "1")]
    O1,
    /// The level of distributions.
    #[serde(rename = "2")]
    #[default]
    O2,
    /// Speed, at the cost of size.
    #[serde(rename = "3")]
    O3,
    /// Size.
    #[serde(rename = "s")]
    Os,
}

impl Optimize {
    /// Returns the argument.
    pub const fn flag(self) -> &'static str {
        match self {
            Self::O0 => "-O0",
            Self::O1 => "-O1",
            Self::O2 => "-O2",
            Self::O3 => "-O3",
            Self::Os => "-Os",
        }
    }
}

/// Symbols that are removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Strip {
    /// None.
    None,
    /// Debug information. With zig the compile lines leave it out already; that of archives from
    /// elsewhere stays.
    Debug,
    /// Debug information, and symbols that are not needed at run time.
    #[default]
    All,
}

/// Kind of a linked file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkKind<'a> {
    /// Shared library, with the name under which its users search for it: `libbpf.so.1`,
    /// `libws.dylib`.
    /// `libws.dylib`.
    Shared {
        /// SONAME, or the last part of the install name.
        name: &'a str,
    },
    /// Program.
    Executable,
    /// Library whose undefined symbols the program that loads it defines, with its file name.
    Extension {
        /// File name: `_native.abi3.so`.
        name: &'a str,
    },
    /// Program without a C library, at a fixed address.
    Freestanding,
}

/// Arguments that give zig the defaults of gcc and clang. Without `-O`, zig enables sanitizers.
/// With `-O`, it defines `NDEBUG`, which turns off the assertions of a project. It refuses
/// `__DATE__`, which `SOURCE_DATE_EPOCH` fixes.
pub(super) const ZIG_AS_OTHERS: [&str; 3] = ["-fno-sanitize=all", "-UNDEBUG", "-Wno-date-time"];

/// First glibc of powerpc64le whose functions take the IEEE form of `long double`.
const IEEE_LONG_DOUBLE: PlatformVersion = PlatformVersion::new(2, 32);

/// Returns the arguments that name the target; they are the first on every line.
///
/// zig needs them for native builds too: without `-target` it uses all instructions of the build
/// machine. gcc has one target only.
pub fn target_args(family: Family, target: &Target) -> Vec<String> {
    match (family, target.floor()) {
        (Family::Zig, floor) => {
            let mut args = vec!["-target".to_owned(), target.zig()];
            let is_power = target.arch() == Arch::Ppc64le;
            if is_power && matches!(floor, Floor::Glibc(floor) if floor < IEEE_LONG_DOUBLE) {
                // zig's default calls `__printfieee128` for `printf`, which older releases lack.
                args.push("-mabi=ibmlongdouble".to_owned());
            }
            args
        }
        (Family::Gcc, Floor::MacOs(min)) => vec![format!("-mmacosx-version-min={min}")],
        (Family::Gcc, _) => Vec::new(),
        (Family::Clang, Floor::MacOs(min)) => {
            let arch = if target.arch() == Arch::Aarch64 { "arm64" } else { "x86_64" };
            vec![format!("--target={arch}-apple-macos{min}")]
        }
        // clang reads RISC-V's extensions from `-march`, not from the triple; `gc` is its default.
        (Family::Clang, _) => {
            vec![format!("--target={}", target.triple().replace("riscv64gc", "riscv64"))]
        }
    }
}

/// Returns the arguments of every compilation, which follow those of the target.
///
/// Code is position-independent, because an archive may be linked into a shared library. `-g0`,
/// because zig writes debug information by default (libbpf: 3.2 MB against 0.6 MB).
pub fn compile_args(family: Family, target: &Target, optimize: Optimize) -> Vec<String> {
    let mut args = common(family, optimize);
    if target.os() != Os::Windows {
        args.push("-fPIC".to_owned());
    }
    args
}

/// Returns the link arguments for the build systems of other projects: those of [`link_args`] that
/// apply to libraries and programs.
pub fn foreign_link_args(family: Family, target: &Target, strip: Strip) -> Vec<String> {
    closing_args(family, target, strip)
}

/// Returns the arguments of every link, which follow those of the target.
///
/// zig's link lines have `-O` and `-g0` as well: they choose the runtime that it builds once per
/// target, which is a debug build with a sanitizer otherwise (13.2 against 3.4 CPU seconds for a
/// first link).
pub fn link_args(
    family: Family,
    target: &Target,
    kind: LinkKind<'_>,
    optimize: Optimize,
    strip: Strip,
) -> Vec<String> {
    let mut args = if family == Family::Zig { common(family, optimize) } else { Vec::new() };
    let mut add = |arg: &str| args.push(arg.to_owned());
    match (target.os(), kind) {
        (Os::Linux(_), LinkKind::Shared { name }) => {
            add("-shared");
            add(&format!("-Wl,-soname,{name}"));
            // Otherwise a shared library that lacks symbols would fail on the user's machine only.
            add("-Wl,-z,defs");
        }
        (Os::Linux(_), LinkKind::Executable) => add("-pie"),
        (_, LinkKind::Freestanding) => {
            for arg in ["-nostdlib", "-static", "-no-pie"] {
                add(arg);
            }
        }
        (Os::MacOs, LinkKind::Shared { name }) => {
            add("-dynamiclib");
            // The default install name is the output path of the build machine.
            add("-install_name");
            add(&format!("@rpath/{name}"));
        }
        (Os::MacOs, LinkKind::Extension { name }) => {
            // zig has no `-bundle`. Python loads libraries as well.
            add("-dynamiclib");
            add("-install_name");
            add(&format!("@rpath/{name}"));
            add("-undefined");
            add("dynamic_lookup");
        }
        // Nothing links to an extension module, so it needs no SONAME.
        (Os::Linux(_), LinkKind::Extension { .. })
        | (Os::Windows, LinkKind::Shared { .. } | LinkKind::Extension { .. }) => add("-shared"),
        (Os::MacOs | Os::Windows, LinkKind::Executable) => {}
    }
    args.extend(closing_args(family, target, strip));
    args
}

/// Returns the link arguments that libraries and programs share.
fn closing_args(family: Family, target: &Target, strip: Strip) -> Vec<String> {
    let mut args = Vec::new();
    let mut add = |arg: &str| args.push(arg.to_owned());
    match target.os() {
        Os::Linux(_) => {
            add("-Wl,-z,relro,-z,now");
            // Identifies the file to debuggers and crash reports; it follows from the content.
            add("-Wl,--build-id=sha1");
        }
        // Space in which install names can become longer later.
        Os::MacOs => add("-Wl,-headerpad_max_install_names"),
        Os::Windows => {}
    }
    if family == Family::Clang && matches!(target.os(), Os::Linux(_)) {
        add("-fuse-ld=lld");
    }
    match (strip, target.os()) {
        (Strip::None, _) => {}
        // zig interprets `-S` as `-s`. Our own objects have no debug information anyway.
        (Strip::Debug, _) if family == Family::Zig => {}
        (Strip::Debug, _) => add("-Wl,-S"),
        // Apple's linker calls `-s` obsolete; `-x` drops local symbols.
        (Strip::All, Os::MacOs) if family != Family::Zig => add("-Wl,-x,-S"),
        (Strip::All, _) => add("-Wl,-s"),
    }
    args
}

fn common(family: Family, optimize: Optimize) -> Vec<String> {
    let mut args = vec![optimize.flag().to_owned(), "-g0".to_owned()];
    if family == Family::Zig {
        args.extend(ZIG_AS_OTHERS.map(str::to_owned));
    }
    args
}

/// True if a compiler's output for `-dumpmachine` is the machine and libc of `target`.
pub(crate) fn machine_matches(machine: &str, target: &Target) -> bool {
    let arch = machine.split('-').next().unwrap_or_default();
    let same_arch = match target.arch() {
        Arch::Aarch64 => matches!(arch, "aarch64" | "arm64"),
        Arch::Armv7l => arch.starts_with("arm") && arch != "arm64",
        Arch::I686 => matches!(arch, "i386" | "i486" | "i586" | "i686"),
        Arch::Ppc64le => matches!(arch, "powerpc64le" | "ppc64le"),
        Arch::Ppc64 => matches!(arch, "powerpc64" | "ppc64"),
        other => arch == other.as_str(),
    };
    let says = |word: &str| machine.contains(word);
    let same_os = match target.os() {
        Os::Linux(Libc::Musl) => says("musl"),
        Os::Linux(Libc::Glibc) => says("linux") && !says("musl") && !says("android"),
        Os::MacOs => says("darwin") || says("macos"),
        Os::Windows => says("mingw") || says("windows"),
    };
    same_arch && same_os
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(text: &str) -> Target {
        text.parse().unwrap()
    }

    #[test]
    fn every_line_names_the_target() {
        let check = |family, text: &str, expected: &str| {
            assert_eq!(target_args(family, &target(text)).join(" "), expected);
        };
        let linux = "aarch64-unknown-linux-gnu";
        check(Family::Zig, linux, "-target aarch64-linux-gnu.2.17");
        check(Family::Zig, "x86_64-unknown-linux-gnu.2.28", "-target x86_64-linux-gnu.2.28");
        check(Family::Zig, "aarch64-apple-darwin", "-target aarch64-macos.11.0-none");
        check(Family::Zig, "x86_64-apple-darwin", "-target x86_64-macos.10.12-none");
        let power = "powerpc64le-unknown-linux-gnu";
        let ibm = "-target powerpc64le-linux-gnu.2.19 -mabi=ibmlongdouble";
        check(Family::Zig, power, ibm);
        check(Family::Zig, &format!("{power}.2.34"), "-target powerpc64le-linux-gnu.2.34");
        let musl = "powerpc64le-unknown-linux-musl";
        check(Family::Zig, musl, "-target powerpc64le-linux-musl");
        check(Family::Gcc, linux, "");
        check(Family::Clang, linux, "--target=aarch64-unknown-linux-gnu");
        check(Family::Clang, "riscv64gc-unknown-linux-musl", "--target=riscv64-unknown-linux-musl");
        check(Family::Clang, "aarch64-apple-darwin.13.0", "--target=arm64-apple-macos13.0");
    }

    #[test]
    fn compile_lines() {
        let check = |family, text: &str, expected: &str| {
            let args = compile_args(family, &target(text), Optimize::O2).join(" ");
            assert_eq!(args, expected);
        };
        check(
            Family::Zig,
            "x86_64-unknown-linux-gnu",
            "-O2 -g0 -fno-sanitize=all -UNDEBUG -Wno-date-time -fPIC",
        );
        check(Family::Gcc, "x86_64-unknown-linux-gnu", "-O2 -g0 -fPIC");
        check(
            Family::Zig,
            "x86_64-pc-windows-gnu",
            "-O2 -g0 -fno-sanitize=all -UNDEBUG -Wno-date-time",
        );
    }

    #[test]
    fn link_lines() {
        let check = |family, text: &str, kind, strip, expected: &str| {
            let args = link_args(family, &target(text), kind, Optimize::Os, strip).join(" ");
            assert_eq!(args, expected);
        };
        let so = LinkKind::Shared { name: "liba.so.1" };
        let dylib = LinkKind::Shared { name: "liba.dylib" };
        let (linux, mac) = ("aarch64-unknown-linux-gnu", "aarch64-apple-darwin");
        check(
            Family::Zig,
            linux,
            so,
            Strip::All,
            "-Os -g0 -fno-sanitize=all -UNDEBUG -Wno-date-time -shared -Wl,-soname,liba.so.1 -Wl,-z,defs -Wl,-z,relro,-z,now -Wl,--build-id=sha1 -Wl,-s",
        );
        check(
            Family::Gcc,
            linux,
            LinkKind::Executable,
            Strip::None,
            "-pie -Wl,-z,relro,-z,now -Wl,--build-id=sha1",
        );
        check(
            Family::Clang,
            linux,
            so,
            Strip::Debug,
            "-shared -Wl,-soname,liba.so.1 -Wl,-z,defs -Wl,-z,relro,-z,now -Wl,--build-id=sha1 -fuse-ld=lld -Wl,-S",
        );
        check(
            Family::Zig,
            mac,
            dylib,
            Strip::All,
            "-Os -g0 -fno-sanitize=all -UNDEBUG -Wno-date-time -dynamiclib -install_name @rpath/liba.dylib \
             -Wl,-headerpad_max_install_names -Wl,-s",
        );
        let module = LinkKind::Extension { name: "_m.abi3.so" };
        check(
            Family::Gcc,
            linux,
            module,
            Strip::None,
            "-shared -Wl,-z,relro,-z,now -Wl,--build-id=sha1",
        );
        check(
            Family::Clang,
            mac,
            module,
            Strip::None,
            "-dynamiclib -install_name @rpath/_m.abi3.so -undefined dynamic_lookup \
             -Wl,-headerpad_max_install_names",
        );
        check(
            Family::Clang,
            mac,
            LinkKind::Executable,
            Strip::All,
            "-Wl,-headerpad_max_install_names -Wl,-x,-S",
        );
        check(
            Family::Zig,
            "x86_64-pc-windows-gnu",
            so,
            Strip::None,
            "-Os -g0 -fno-sanitize=all -UNDEBUG -Wno-date-time -shared",
        );
    }

    #[test]
    fn a_compiler_says_for_what_it_compiles() {
        let check = |machine: &str, text: &str, expected: bool| {
            assert_eq!(machine_matches(machine, &target(text)), expected, "{machine} {text}");
        };
        check("x86_64-linux-gnu", "x86_64-unknown-linux-gnu", true);
        check("x86_64-redhat-linux", "x86_64-unknown-linux-gnu", true);
        check("x86_64-alpine-linux-musl", "x86_64-unknown-linux-gnu", false);
        check("x86_64-alpine-linux-musl", "x86_64-unknown-linux-musl", true);
        check("x86_64-linux-gnu", "aarch64-unknown-linux-gnu", false);
        check("arm-linux-gnueabihf", "armv7-unknown-linux-gnueabihf", true);
        check("arm64-apple-darwin23.1.0", "aarch64-apple-darwin", true);
        check("x86_64-w64-mingw32", "x86_64-pc-windows-gnu", true);
        check("i686-linux-gnu", "i686-unknown-linux-gnu", true);
    }
}
