//! Arguments that zig 0.17 does not accept, or interprets differently from gcc and GNU ld.

use crate::name::{Arch, Os, Target};

use super::{Action, Matches, Rule};
use Action::{
    Drop, DropAndTell, DropWithNext, DropWithNextAndTell, Exchange, Keep, PadNextVersion, Replace,
    SystemDir,
};
use Matches::{Arg, ArgPrefix, Keyword, Word, WordPrefix};

const fn rule(matches: Matches, action: Action) -> Rule {
    Rule { matches, action }
}

/// Returns the rules for a target, in the order in which they are tried.
pub fn rules(target: &Target) -> Vec<Rule> {
    let arch = match target.arch() {
        Arch::Aarch64 => AARCH64,
        Arch::X86_64 => X86_64,
        Arch::Armv7l | Arch::I686 | Arch::Riscv64 => TARGET_DECIDES,
        Arch::Ppc64le => POWER,
        _ => &[],
    };
    let os = if target.os() == Os::MacOs { MACOS } else { GNU_LD };
    [NO_NATIVE, EVERYWHERE, arch, os].concat()
}

/// Flags for the processor of the build machine, on which a package must not depend.
pub const NO_NATIVE: &[Rule] = &[
    rule(Arg("-march=native"), DropAndTell),
    rule(Arg("-mcpu=native"), DropAndTell),
    rule(Arg("-mtune=native"), Drop),
];

/// Rules before the others for components with `allow-native = true`.
pub const ALLOW_NATIVE: &[Rule] =
    &[rule(Arg("-march=native"), Replace("-mcpu=native")), rule(Arg("-mcpu=native"), Keep)];

/// Rules for the build systems of other projects, with every compiler: they add the directories in
/// which libraries are built as search paths, which differ between machines.
pub const NO_RPATH: &[Rule] = &[
    rule(Word("-rpath"), DropWithNext),
    rule(Word("--rpath"), DropWithNext),
    rule(WordPrefix("-rpath="), Drop),
    rule(WordPrefix("--rpath="), Drop),
];

/// Rules before the others where files share a C++ runtime (`toolchain::cxx`).
pub const SHARED_CXX: &[Rule] = &[
    rule(Arg("-lstdc++"), Exchange("-lws-c++")),
    rule(Arg("-lsupc++"), Exchange("-lws-c++")),
    rule(Arg("-lc++"), Exchange("-lws-c++")),
    rule(Arg("-lc++abi"), Exchange("-lws-c++")),
    rule(Word("-lstdc++"), Exchange("-lws-c++")),
    rule(Word("-lc++"), Exchange("-lws-c++")),
    rule(Arg("-static-libstdc++"), Drop),
];

/// Rules for every target.
const EVERYWHERE: &[Rule] = &[
    // The wrapper names the target. The `cc` crate takes a wrapped zig for clang and adds another,
    // in a spelling that zig refuses (`UnknownOperatingSystem`).
    rule(ArgPrefix("--target="), Drop),
    rule(Arg("-target"), DropWithNext),
    rule(Arg("--target"), DropWithNext),
    // zig accepts only dependency files this way.
    rule(ArgPrefix("-Wp,-MD"), Keep),
    rule(ArgPrefix("-Wp,-MMD"), Keep),
    rule(ArgPrefix("-Wp,-MT"), Keep),
    rule(ArgPrefix("-Wp,"), Drop),
    // zig searches its own headers first, gcc those of `-isystem`.
    rule(Arg("-isystem"), SystemDir),
    // Tuning changes speed only, and zig uses other names for its values.
    rule(ArgPrefix("-mtune="), Drop),
    // zig has one linker; clang complains of the argument while it compiles.
    rule(ArgPrefix("-fuse-ld="), Drop),
    // What is named as `LD` gets the arguments of a linker.
    rule(Arg("-m"), DropWithNext),
    // zig has no libgcc.
    rule(Arg("-static-libgcc"), Drop),
    rule(Arg("-shared-libgcc"), Drop),
    // gcc's modes of link-time optimization say how many jobs it takes.
    rule(Arg("-flto=thin"), Keep),
    rule(Arg("-flto=full"), Keep),
    rule(ArgPrefix("-flto="), Exchange("-flto")),
    rule(ArgPrefix("-flto-partition="), Drop),
    rule(ArgPrefix("-flto-compression-level="), Drop),
    rule(Arg("-fuse-linker-plugin"), Drop),
    rule(Arg("-fno-use-linker-plugin"), Drop),
    // Passes and reports of gcc's own; they do not change what a program does.
    rule(Arg("-fipa-pta"), Drop),
    rule(ArgPrefix("-fgraphite"), Drop),
    rule(ArgPrefix("-ftree-parallelize-loops="), Drop),
    rule(Arg("-fno-gnu-unique"), Drop),
    rule(Arg("-fconserve-stack"), Drop),
    rule(Arg("-fanalyzer"), Drop),
    rule(Arg("-fno-analyzer"), Drop),
    rule(ArgPrefix("-fdump-"), Drop),
    // Sets several options, which the build of a wheel sets by other means.
    rule(Arg("-fhardened"), DropAndTell),
];

/// zig names a processor by `-mcpu`, and features as LLVM does.
const AARCH64: &[Rule] = &[
    // One feature has another name; it nearly always comes first.
    rule(ArgPrefix("-march=armv8.2-a+fp16"), Replace("-mcpu=generic+v8_2a+fullfp16")),
    rule(ArgPrefix("-march=armv8.1-a"), Replace("-mcpu=generic+v8_1a")),
    rule(ArgPrefix("-march=armv8.2-a"), Replace("-mcpu=generic+v8_2a")),
    rule(ArgPrefix("-march=armv8.3-a"), Replace("-mcpu=generic+v8_3a")),
    rule(ArgPrefix("-march=armv8.4-a"), Replace("-mcpu=generic+v8_4a")),
    rule(ArgPrefix("-march=armv8.5-a"), Replace("-mcpu=generic+v8_5a")),
    rule(ArgPrefix("-march=armv8.6-a"), Replace("-mcpu=generic+v8_6a")),
    rule(ArgPrefix("-march=armv8.7-a"), Replace("-mcpu=generic+v8_7a")),
    rule(ArgPrefix("-march=armv8-a+simd"), Replace("-mcpu=generic")),
    rule(ArgPrefix("-march=armv8-a"), Replace("-mcpu=generic")),
    rule(ArgPrefix("-march=armv9-a"), Replace("-mcpu=generic+v9a")),
    rule(ArgPrefix("-mcpu=cortex-"), Replace("-mcpu=cortex_")),
    rule(ArgPrefix("-mcpu=neoverse-"), Replace("-mcpu=neoverse_")),
];

const X86_64: &[Rule] = &[
    rule(Arg("-march=x86-64"), Replace("-mcpu=x86_64")),
    rule(ArgPrefix("-march=x86-64-v"), Replace("-mcpu=x86_64_v")),
    rule(Arg("-march=skylake-avx512"), Replace("-mcpu=skylake_avx512")),
];

/// Processors that the triple names: `armv7`, `i686`, `riscv64gc`.
const TARGET_DECIDES: &[Rule] = &[rule(ArgPrefix("-march="), Drop)];

const POWER: &[Rule] = &[rule(ArgPrefix("-mcpu=power"), Replace("-mcpu=pwr"))];

/// zig requires three parts where Apple's linker accepts one to three.
const MACOS: &[Rule] = &[
    rule(Arg("-compatibility_version"), PadNextVersion),
    rule(Arg("-current_version"), PadNextVersion),
    rule(Word("-compatibility_version"), PadNextVersion),
    rule(Word("-current_version"), PadNextVersion),
    // zig's target contains the minimum.
    rule(ArgPrefix("-mmacosx-version-min="), Drop),
    rule(ArgPrefix("-mmacos-version-min="), Drop),
];

/// Arguments of GNU ld that zig's driver of LLD calls an `unsupported linker arg`. Those that
/// change the program (`--defsym`, `-init`) are not here, so zig refuses them by name.
const GNU_LD: &[Rule] = &[
    // More symbols are exported than requested.
    rule(Word("--exclude-libs"), DropWithNextAndTell),
    rule(WordPrefix("--exclude-libs="), DropAndTell),
    rule(Word("-Bsymbolic-functions"), DropAndTell),
    rule(Word("--allow-multiple-definition"), DropAndTell),
    // Other spellings of words that zig supports.
    rule(Word("-h"), Replace("-soname")),
    rule(WordPrefix("--undefined="), Replace("-u,")),
    rule(Word("--undefined"), Replace("-u")),
    // Used by GNU ld while linking; LLD does not load libraries of libraries.
    rule(Word("-rpath-link"), DropWithNext),
    rule(Word("--rpath-link"), DropWithNext),
    rule(WordPrefix("-rpath-link="), Drop),
    rule(WordPrefix("--rpath-link="), Drop),
    // Reports, and effort of the linker.
    rule(Word("-Map"), DropWithNext),
    rule(WordPrefix("-Map="), Drop),
    rule(Word("--cref"), Drop),
    rule(Word("--stats"), Drop),
    rule(Word("-t"), Drop),
    rule(Word("--trace"), Drop),
    rule(Word("--verbose"), Drop),
    rule(Word("-O0"), Drop),
    rule(Word("-O1"), Drop),
    rule(Word("-O2"), Drop),
    rule(Word("-O3"), Drop),
    rule(Word("--no-keep-memory"), Drop),
    rule(Word("--reduce-memory-overheads"), Drop),
    rule(WordPrefix("--hash-size="), Drop),
    rule(WordPrefix("--threads"), Drop),
    rule(Word("--no-threads"), Drop),
    rule(Word("--demangle"), Drop),
    rule(Word("--no-demangle"), Drop),
    rule(WordPrefix("--error-limit="), Drop),
    rule(Word("--no-mmap-output-file"), Drop),
    // Warnings, and errors that LLD makes anyway.
    rule(Word("--warn-common"), Drop),
    rule(Word("--warn-once"), Drop),
    rule(Word("--warn-shared-textrel"), Drop),
    rule(Word("--no-warn-mismatch"), Drop),
    rule(WordPrefix("--orphan-handling="), Drop),
    rule(Word("--check-sections"), Drop),
    // Defaults of LLD, or without effect on it.
    rule(Word("--add-needed"), Drop),
    rule(Word("--no-add-needed"), Drop),
    rule(Word("--copy-dt-needed-entries"), Drop),
    rule(Word("--no-copy-dt-needed-entries"), Drop),
    rule(Word("--push-state"), Drop),
    rule(Word("--pop-state"), Drop),
    rule(Word("--relax"), Drop),
    rule(Word("--no-relax"), Drop),
    rule(WordPrefix("--icf="), Drop),
    rule(Word("--no-rosegment"), Drop),
    rule(Word("--no-ld-generated-unwind-info"), Drop),
    rule(Word("--no-ctors-in-init-array"), Drop),
    rule(Word("--no-export-dynamic"), Drop),
    rule(Word("--no-omagic"), Drop),
    rule(Word("--secure-plt"), Drop),
    rule(Word("--long-plt"), Drop),
    rule(Word("-X"), Drop),
    rule(Word("--discard-locals"), Drop),
    rule(WordPrefix("--spare-dynamic-tags="), Drop),
    rule(WordPrefix("--stub-group-size="), Drop),
    rule(Word("--no-insert-timestamp"), Drop),
    rule(WordPrefix("--package-metadata="), Drop),
    rule(WordPrefix("-plugin-opt="), Drop),
    rule(WordPrefix("--fix-cortex-a53-"), Drop),
    rule(Keyword("pack-relative-relocs"), Drop),
    // Marks for the loader and the processor, and orders of sections.
    rule(Keyword("ibt"), Drop),
    rule(Keyword("shstk"), Drop),
    rule(Keyword("cet-report=warning"), Drop),
    rule(Keyword("combreloc"), Drop),
    rule(Keyword("start-stop-gc"), Drop),
    rule(Keyword("nostart-stop-gc"), Drop),
    rule(Word("--warn-execstack"), Drop),
    rule(Word("--no-warn-execstack"), Drop),
    rule(Word("--no-warn-rwx-segments"), Drop),
    rule(Word("--warn-alternate-em"), Drop),
    rule(Word("--no-warnings"), Drop),
    rule(Word("--warn-backrefs"), Drop),
    rule(Word("--traditional-format"), Drop),
    rule(Word("--no-print-gc-sections"), Drop),
    rule(Word("--print-memory-usage"), Drop),
    rule(Word("--accept-unknown-input-arch"), Drop),
    rule(Word("--no-define-common"), Drop),
    rule(WordPrefix("--lto-O"), Drop),
    rule(WordPrefix("--thinlto-jobs="), Drop),
    rule(Word("--call-graph-profile-sort"), Drop),
    rule(Word("--no-call-graph-profile-sort"), Drop),
    rule(Keyword("separate-code"), Drop),
    rule(Keyword("noseparate-code"), Drop),
    rule(Keyword("text"), Drop),
    // The target decides the emulation.
    rule(Word("-m"), DropWithNext),
    rule(WordPrefix("-melf"), Drop),
    rule(Word("-EL"), Drop),
];
