//! Something observed in a file, with a code and a severity.

use std::fmt;

use serde::Serialize;

use crate::name::WheelPath;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The wheel would fail for some of those whom its tag invites.
    Error,
    /// Somebody should look at it.
    Warning,
    /// Good to know.
    Info,
}

/// What a finding is about. Codes are stable: scripts may rely on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// The file cannot be read as what it claims to be.
    Unreadable,
    /// The file is for another operating system.
    WrongPlatform,
    /// The file is for another processor.
    WrongArch,
    /// The file is for another C library.
    WrongLibc,
    /// It needs a library that is not in the wheel and not promised.
    ExternalLibrary,
    /// It needs a newer version of a promised library.
    SymbolTooNew,
    /// It needs a symbol that the promised library may lack although its version does not show it.
    ForbiddenSymbol,
    /// The loader would look for libraries in a place outside the wheel.
    EscapingRpath,
    /// Its stack may hold code.
    ExecutableStack,
    /// The loader must write into its code.
    TextRelocations,
    /// It needs a newer macOS.
    MinimumTooNew,
    /// It needs a newer macOS of the same year, which the tag cannot say.
    NewerMinor,
    /// It does not say which macOS it needs.
    NoMinimum,
    /// The kernel of arm64 would kill a process with it.
    InvalidSignature,
    /// It was changed after it was signed.
    StaleSignature,
    /// It carries a path of the machine that built it.
    BuildPath,
    /// It needs the runtime of Visual C++.
    CRuntime,
    /// It needs a library that lies in another directory of the wheel.
    LibraryElsewhere,
    /// It uses a library that is neither in the wheel nor promised, and can do without.
    OptionalLibrary,
    /// It is a program for another processor that the system can imitate.
    EmulatedProgram,
    /// Nobody looked whether it keeps the tag.
    NotJudged,
}

impl Code {
    /// Every code.
    pub const ALL: [Self; 21] = [
        Self::Unreadable,
        Self::WrongPlatform,
        Self::WrongArch,
        Self::WrongLibc,
        Self::ExternalLibrary,
        Self::SymbolTooNew,
        Self::ForbiddenSymbol,
        Self::EscapingRpath,
        Self::ExecutableStack,
        Self::TextRelocations,
        Self::MinimumTooNew,
        Self::NewerMinor,
        Self::NoMinimum,
        Self::InvalidSignature,
        Self::StaleSignature,
        Self::BuildPath,
        Self::CRuntime,
        Self::LibraryElsewhere,
        Self::OptionalLibrary,
        Self::EmulatedProgram,
        Self::NotJudged,
    ];

    /// How it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::WrongPlatform => "wrong-platform",
            Self::WrongArch => "wrong-arch",
            Self::WrongLibc => "wrong-libc",
            Self::ExternalLibrary => "external-library",
            Self::SymbolTooNew => "symbol-too-new",
            Self::ForbiddenSymbol => "forbidden-symbol",
            Self::EscapingRpath => "escaping-rpath",
            Self::ExecutableStack => "executable-stack",
            Self::TextRelocations => "text-relocations",
            Self::MinimumTooNew => "minimum-too-new",
            Self::NewerMinor => "newer-minor",
            Self::NoMinimum => "no-minimum",
            Self::InvalidSignature => "invalid-signature",
            Self::StaleSignature => "stale-signature",
            Self::BuildPath => "build-path",
            Self::CRuntime => "c-runtime",
            Self::LibraryElsewhere => "library-elsewhere",
            Self::OptionalLibrary => "optional-library",
            Self::EmulatedProgram => "emulated-program",
            Self::NotJudged => "not-judged",
        }
    }

    /// How bad it is.
    pub const fn severity(self) -> Severity {
        match self {
            Self::Unreadable
            | Self::WrongPlatform
            | Self::WrongArch
            | Self::WrongLibc
            | Self::ExternalLibrary
            | Self::SymbolTooNew
            | Self::ForbiddenSymbol
            | Self::MinimumTooNew
            | Self::InvalidSignature => Severity::Error,
            Self::EscapingRpath
            | Self::ExecutableStack
            | Self::TextRelocations
            | Self::NewerMinor
            | Self::NoMinimum
            | Self::StaleSignature
            | Self::BuildPath
            | Self::CRuntime
            | Self::EmulatedProgram => Severity::Warning,
            Self::LibraryElsewhere | Self::OptionalLibrary | Self::NotJudged => Severity::Info,
        }
    }

    /// What to do about it.
    pub const fn help(self) -> Option<&'static str> {
        match self {
            Self::Unreadable => Some("build or fetch the file anew; it may be cut short"),
            Self::WrongPlatform | Self::WrongArch | Self::WrongLibc => {
                Some("take the file for the target, or leave it out with `exclude`")
            }
            Self::ExternalLibrary => {
                Some("link it statically, or build it as a component so that the wheel carries it")
            }
            Self::SymbolTooNew => Some(
                "build it with the zig toolchain for the floor, or raise the floor (`glibc = \"…\"`)",
            ),
            Self::ForbiddenSymbol => Some("link the library statically, or avoid the symbol"),
            Self::EscapingRpath => {
                Some("use `$ORIGIN` (on macOS `@loader_path`) and paths relative to it")
            }
            Self::ExecutableStack => Some(
                "link with `-Wl,-z,noexecstack` (an assembler file may lack its stack note), on \
                 macOS without `-allow_stack_execute`",
            ),
            Self::TextRelocations => Some("compile everything in it with `-fPIC`"),
            Self::MinimumTooNew | Self::NewerMinor => {
                Some("build it for the floor, or raise the floor (`macos-min = \"…\"`)")
            }
            Self::NoMinimum => Some("link it anew with `-mmacosx-version-min=…`"),
            Self::InvalidSignature | Self::StaleSignature => {
                Some("sign it after the last change: `codesign --force --sign - FILE`")
            }
            Self::BuildPath => Some("link with `-install_name @rpath/NAME`"),
            Self::CRuntime => Some(
                "put the library beside the file, or link the runtime statically (`/MT`, \
                 `-C target-feature=+crt-static`)",
            ),
            Self::LibraryElsewhere => {
                Some("see that the package adds the directory before it loads the file")
            }
            Self::EmulatedProgram => Some("build the program for the target as well"),
            Self::OptionalLibrary | Self::NotJudged => None,
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Something observed in a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// Where.
    pub file: WheelPath,
    /// What it is about.
    pub code: Code,
    /// What was seen.
    pub message: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<&'static str>,
}

impl Finding {
    pub(super) fn new(code: Code, file: &WheelPath, message: impl Into<String>) -> Self {
        Self {
            severity: code.severity(),
            file: file.clone(),
            code,
            message: message.into(),
            help: code.help(),
        }
    }
}
