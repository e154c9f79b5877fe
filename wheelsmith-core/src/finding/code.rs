//! What findings are about. One row each: the name that scripts rely on, how bad it is, what to do.

use std::fmt;
use std::str::FromStr;

use super::Severity;
use crate::name::ParseError;

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $variant:ident $text:literal $severity:ident $($help:literal)?;)+) => {
        /// What a finding is about. Codes are stable: scripts may rely on them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Code {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Code {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// How it is written.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }

            /// How bad it is, unless the configuration says otherwise.
            pub const fn severity(self) -> Severity {
                match self {
                    $(Self::$variant => Severity::$severity,)+
                }
            }

            /// What it means, in one sentence.
            pub const fn meaning(self) -> &'static str {
                match self {
                    $(Self::$variant => concat!($($doc),+),)+
                }
            }

            /// What to do about it.
            pub const fn help(self) -> Option<&'static str> {
                match self {
                    $(Self::$variant => codes!(@help $($help)?),)+
                }
            }
        }
    };
    (@help) => { None };
    (@help $help:literal) => { Some($help) };
}

codes! {
    // Files that cannot be judged.
    /// The file cannot be read as what it claims to be.
    Unreadable "unreadable" Error
        "build or fetch the file anew; it may be cut short";
    /// It is larger, deeper or more than any real file, and was not read to its end.
    OverLimit "over-limit" Error
        "raise the limit if the file is right";
    /// Readers of the archive disagree on what one of its members is.
    AmbiguousMember "ambiguous-member" Error
        "write the archive anew: an installer may see another file than the one that was judged";
    /// Nobody looked whether it keeps the tag.
    NotJudged "not-judged" Info;
    /// A native file lies as bytes inside another file.
    EmbeddedImage "embedded-image" Info;

    // What the tags say.
    /// The wheel claims a platform tag that its files do not keep.
    TagNotEarned "tag-not-earned" Error
        "publish it under the tag that it earns, or mend what is in the way";
    /// The tags of the file name and the `Tag` lines of WHEEL differ.
    TagsDiffer "tags-differ" Error
        "write the wheel anew: installers go by the name, tools by the lines";
    /// The wheel claims to run anywhere, and has native files.
    NativeInAny "native-in-any" Error
        "give it the platform tag that its files earn";
    /// The wheel claims a platform, and nothing in it needs one.
    NoNativeFiles "no-native-files" Warning
        "tag it `any`, unless the files of the platform are missing";
    /// `Root-Is-Purelib` is true although the wheel has native files.
    PurelibWithNative "purelib-with-native" Warning
        "write `Root-Is-Purelib: false`";
    /// The tag promises nothing, and indexes refuse it.
    UnportableTag "unportable-tag" Warning
        "build for a manylinux or musllinux tag";

    // What keeps a file from its tag.
    /// The file is for another operating system.
    WrongPlatform "wrong-platform" Error
        "take the file for the target, or leave it out with `exclude`";
    /// The file is for another processor.
    WrongArch "wrong-arch" Error
        "take the file for the target, or leave it out with `exclude`";
    /// The file is for another C library.
    WrongLibc "wrong-libc" Error
        "take the file for the target, or leave it out with `exclude`";
    /// It needs a library that is not in the wheel and not promised.
    ExternalLibrary "external-library" Error
        "link it statically, or build it as a component so that the wheel carries it";
    /// It needs a newer version of a promised library.
    SymbolTooNew "symbol-too-new" Error
        "build it with the zig toolchain for the floor, or raise the floor (`glibc = \"…\"`)";
    /// It needs a symbol that the promised library may lack although its version does not show it.
    ForbiddenSymbol "forbidden-symbol" Error
        "link the library statically, or avoid the symbol";
    /// It runs on newer processors only.
    IsaTooNew "isa-too-new" Error
        "compile without `-march=…` above the base of the processor, and choose at run time";
    /// It needs the shared library of one kind of Python installation.
    Libpython "libpython" Error
        "do not link extension modules to libpython: the process has its symbols";
    /// It was compiled for a Python with floating-point traps, which no release has.
    FpeSymbols "fpe-symbols" Error
        "compile for a Python without `--with-fpectl`";
    /// It needs a newer macOS.
    MinimumTooNew "minimum-too-new" Error
        "build it for the floor, or raise the floor (`macos-min = \"…\"`)";
    /// It needs a newer macOS of the same year, which the tag cannot say.
    NewerMinor "newer-minor" Warning
        "build it for the floor, or raise the floor (`macos-min = \"…\"`)";
    /// It does not say which macOS it needs.
    NoMinimum "no-minimum" Warning
        "link it anew with `-mmacosx-version-min=…`";
    /// The kernel of arm64 would kill a process with it.
    InvalidSignature "invalid-signature" Error
        "sign it after the last change: `codesign --force --sign - FILE`";
    /// It was changed after it was signed.
    StaleSignature "stale-signature" Warning
        "sign it after the last change: `codesign --force --sign - FILE`";
    /// It needs the runtime of Visual C++.
    CRuntime "c-runtime" Warning
        "put the library beside the file, or link the runtime statically (`/MT`, `-C target-feature=+crt-static`)";
    /// It needs a library that lies in another directory of the wheel.
    LibraryElsewhere "library-elsewhere" Info
        "see that the package adds the directory before it loads the file";
    /// It uses a library that is neither in the wheel nor promised, and can do without.
    OptionalLibrary "optional-library" Info;
    /// It is a program for another processor that the system can imitate.
    EmulatedProgram "emulated-program" Warning
        "build the program for the target as well";

    // Extension modules against the Python and ABI tags.
    /// An extension module is for another Python or ABI than the wheel's tags say.
    WrongAbi "wrong-abi" Error
        "build it for the Python of the tag, or correct the tag";
    /// An extension module lacks the function by which Python starts it.
    NoInitFunction "no-init-function" Error
        "export `PyInit_<name>`, where the name is that of the file up to its first dot";
    /// It claims the stable ABI and uses what is not part of it.
    NotStableAbi "not-stable-abi" Error
        "compile with `Py_LIMITED_API` defined, or tag the wheel for one Python";
    /// It uses a part of the stable ABI that is newer than its Python tag.
    StableAbiTooNew "stable-abi-too-new" Error
        "raise the Python tag, or define `Py_LIMITED_API` as the version of the tag";

    // What is wrong with a file wherever it runs.
    /// The loader would look for libraries in a place outside the wheel.
    EscapingRpath "escaping-rpath" Warning
        "use `$ORIGIN` (on macOS `@loader_path`) and paths relative to it";
    /// Its stack may hold code.
    ExecutableStack "executable-stack" Warning
        "link with `-Wl,-z,noexecstack` (an assembler file may lack its stack note), on macOS without `-allow_stack_execute`";
    /// The loader must write into its code.
    TextRelocations "text-relocations" Warning
        "compile everything in it with `-fPIC`";
    /// Nothing of what the loader fills in becomes read-only.
    NoRelro "no-relro" Info
        "link with `-Wl,-z,relro`";
    /// It is always loaded at the same address.
    NoPie "no-pie" Info
        "compile with `-fPIE`, link with `-pie` (Windows: `/DYNAMICBASE`)";
    /// Its data may be run as code.
    NoNx "no-nx" Warning
        "link with `/NXCOMPAT`";
    /// It carries a path of the machine that built it.
    BuildPath "build-path" Warning
        "compile with `-ffile-prefix-map=…` (Rust: `--remap-path-prefix`); link with `-install_name @rpath/NAME`";
    /// A large part of it is never loaded: symbols for the linker, debug information.
    Unstripped "unstripped" Info
        "strip it, or keep the debug information in a file of its own";
    /// It has no build id, by which debuggers and crash reports know it.
    NoBuildId "no-build-id" Info
        "link with `-Wl,--build-id=sha1`";
    /// It cannot be loaded where memory pages have 64 KiB, as on many Arm servers.
    PageAlignment "page-alignment" Warning
        "link with `-Wl,-z,max-page-size=65536`";
    /// It uses a symbol that none of its libraries provides.
    UndefinedSymbol "undefined-symbol" Warning
        "link it to the library that has the symbol (`-Wl,-z,defs` finds them)";
    /// A static program that loads libraries at run time, which fails with another C library.
    StaticDlopen "static-dlopen" Warning
        "link it dynamically, or avoid `dlopen` and the name services";
    /// The same library lies in the wheel twice.
    DuplicateLibrary "duplicate-library" Info
        "keep one, and let the others find it by RUNPATH";
    /// Nothing in the wheel needs the bundled library.
    UnusedLibrary "unused-library" Info
        "leave it out, unless the package loads it by itself";

    // The configuration of the audit.
    /// A waiver is past its date.
    ExpiredWaiver "expired-waiver" Warning
        "mend what it waives, or give a new date";
    /// A waiver waives nothing.
    UnusedWaiver "unused-waiver" Info
        "take it out";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Code {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let found = Self::ALL.iter().find(|code| code.as_str() == text);
        found
            .copied()
            .ok_or_else(|| ParseError::new(text, "a finding code, such as `symbol-too-new`"))
    }
}

crate::name::serde_by_text!(Code);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_kebab_case_and_read_back() {
        for code in Code::ALL {
            let text = code.as_str();
            assert!(text.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{text}");
            assert_eq!(text.parse(), Ok(*code));
        }
    }
}
