//! Errors of toolchains.

use std::path::PathBuf;

use crate::name::{PlatformVersion, Target};
use crate::sys::ProcessError;

use super::{ToolchainKind, ZIG_VERSION};

/// Error of a toolchain.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The user cancelled the operation.
    #[error("stopped")]
    Cancelled,
    /// No program of this kind was found.
    #[error("found no {kind} toolchain for `{target}`: looked for {looked_for}")]
    NotFound {
        /// Requested kind.
        kind: ToolchainKind,
        /// Target.
        target: Target,
        /// Programs and directories that were searched, as a list in words.
        looked_for: String,
        /// Advice for the user.
        hint: String,
    },
    /// No variable names a compiler.
    #[error("the environment names no compiler for `{target}`: none of {variables} is set")]
    NotInEnv {
        /// The target.
        target: Target,
        /// Variables, as a list in words.
        variables: String,
    },
    /// A variable names a program that does not exist.
    #[error("`{variable}` names `{value}`, which is not a program")]
    NoSuchProgram {
        /// Variable, or key of the configuration.
        variable: String,
        /// Value of the variable.
        value: String,
    },
    /// The compiler compiles for another target.
    #[error("`{}` compiles for `{machine}`, not for `{target}`", program.display())]
    OtherMachine {
        /// Compiler.
        program: PathBuf,
        /// Output of `-dumpmachine`.
        machine: String,
        /// Requested target.
        target: Target,
    },
    /// The command line of the compiler is unknown.
    #[error("`{}` does not take the options of gcc or clang", program.display())]
    OtherFamily {
        /// Compiler.
        program: PathBuf,
    },
    /// The program failed when it was queried.
    #[error("cannot get {what} from `{}`", program.display())]
    Ask {
        /// Program.
        program: PathBuf,
        /// Subject of the query, such as `its version`.
        what: &'static str,
        /// Cause.
        #[source]
        source: Box<ProcessError>,
    },
    /// The output of the query cannot be parsed.
    #[error("cannot read {what} that `{}` printed: `{answer}`", program.display())]
    Answer {
        /// Program.
        program: PathBuf,
        /// Subject of the query, such as `its version`.
        what: &'static str,
        /// First line of the output.
        answer: String,
    },
    /// The zig is too old.
    #[error("`{}` is zig {version}; at least {minimum} is needed", program.display())]
    OldZig {
        /// Program.
        program: PathBuf,
        /// Version of the program.
        version: String,
        /// Oldest supported version.
        minimum: &'static str,
    },
    /// zig was not found, and is not downloaded.
    #[error("found no zig for `{target}`: looked for {looked_for}")]
    NoZig {
        /// The target.
        target: Target,
        /// Programs and directories that were searched, as a list in words.
        looked_for: String,
        /// True if downloads are forbidden; otherwise no download was requested.
        offline: bool,
    },
    /// zig does not support this old a libc.
    #[error("zig has no glibc {floor} for `{target}`; its oldest is {oldest}")]
    Floor {
        /// The target.
        target: Target,
        /// Requested floor.
        floor: PlatformVersion,
        /// Oldest supported floor.
        oldest: PlatformVersion,
    },
    /// zig is not published for this host.
    #[error("there is no pinned zig {ZIG_VERSION} for this host ({host})")]
    NoZigForHost {
        /// Operating system and processor.
        host: String,
    },
    /// Neither uv nor pip was found.
    #[error("cannot fetch zig {ZIG_VERSION}: found neither `uv` nor a Python with pip")]
    NoInstaller,
    /// The installer failed.
    #[error("cannot fetch zig {ZIG_VERSION} with {installer}")]
    Install {
        /// Installer, as a noun: "`uv`".
        installer: String,
        /// The reason.
        #[source]
        source: Box<ProcessError>,
    },
    /// A file or directory cannot be read or written.
    #[error("cannot {doing} `{}`", path.display())]
    Io {
        /// Verb.
        doing: &'static str,
        /// File or directory.
        path: PathBuf,
        /// The reason.
        #[source]
        source: std::io::Error,
    },
    /// The user has no cache directory.
    #[error("cannot fetch zig {ZIG_VERSION}: this user has no cache directory")]
    NoCacheDir,
}

impl Error {
    /// Returns advice for the user, if there is any.
    pub fn hint(&self) -> Option<String> {
        let install = format!("`python3 -m pip install ziglang=={ZIG_VERSION}`");
        Some(match self {
            Self::NotFound { hint, .. } => hint.clone(),
            Self::NotInEnv { target, .. } => {
                let name = target.triple().replace('-', "_");
                format!("set `CC_{name}`, or choose another `toolchain`")
            }
            Self::NoSuchProgram { variable, .. } => {
                format!("correct `{variable}`, or leave it out")
            }
            Self::OtherMachine { target, .. } => {
                format!("choose `toolchain = \"zig\"`, or name a compiler for `{target}`")
            }
            Self::OtherFamily { .. } => "use gcc, clang or zig".to_owned(),
            Self::OldZig { .. } => format!(
                "install a newer one with {install}, or take it off `PATH` and wheelsmith fetches its own"
            ),
            Self::NoZig { offline: true, .. } => {
                format!("run once without `--offline`, or install it with {install}")
            }
            Self::NoZig { offline: false, .. } => {
                format!("the first build fetches it; or install it now with {install}")
            }
            Self::Floor { target, oldest, .. } => {
                format!(
                    "ask for `{}.{oldest}`; the audit still finds an older tag if the bytes qualify for it",
                    target.triple()
                )
            }
            Self::NoZigForHost { .. } => {
                "install zig yourself and put it on `PATH`, or name it in `WHEELSMITH_ZIG`"
                    .to_owned()
            }
            Self::NoInstaller => {
                "install uv, or a Python with pip, or put zig on `PATH`".to_owned()
            }
            Self::Install { .. } => format!(
                "check that the installer reaches its package registry, or put zig {ZIG_VERSION} on `PATH`"
            ),
            Self::NoCacheDir => "set `WHEELSMITH_CACHE_DIR`".to_owned(),
            Self::Cancelled | Self::Ask { .. } | Self::Answer { .. } | Self::Io { .. } => {
                return None;
            }
        })
    }

    pub(crate) fn io(
        doing: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { doing, path, source }
    }
}
