//! Errors of toolchains.

use std::path::PathBuf;

use crate::name::{PlatformVersion, Target};
use crate::sys::ProcessError;

use super::{ToolchainKind, ZIG_VERSION};

/// Error of a toolchain.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The user stopped us.
    #[error("stopped")]
    Cancelled,
    /// No program of the wanted kind.
    #[error("found no {kind} toolchain for `{target}`: looked for {looked_for}")]
    NotFound {
        /// The wanted kind.
        kind: ToolchainKind,
        /// The target.
        target: Target,
        /// Programs and places that were searched, as a list in words.
        looked_for: String,
        /// What the user can do.
        hint: String,
    },
    /// No variable names a compiler.
    #[error("the environment names no compiler for `{target}`: none of {variables} is set")]
    NotInEnv {
        /// The target.
        target: Target,
        /// The variables, as a list in words.
        variables: String,
    },
    /// A variable names a program that does not exist.
    #[error("`{variable}` names `{value}`, which is not a program")]
    NoSuchProgram {
        /// The variable, or the key of the configuration.
        variable: String,
        /// Its value.
        value: String,
    },
    /// A compiler for another target.
    #[error("`{}` compiles for `{machine}`, not for `{target}`", program.display())]
    OtherMachine {
        /// The compiler.
        program: PathBuf,
        /// Its answer to `-dumpmachine`.
        machine: String,
        /// The wanted target or floor.
        target: Target,
    },
    /// A compiler with an unknown command line.
    #[error("`{}` is not driven like gcc or clang", program.display())]
    OtherFamily {
        /// The compiler.
        program: PathBuf,
    },
    /// A program that does not answer.
    #[error("cannot ask `{}` for {what}", program.display())]
    Ask {
        /// The program.
        program: PathBuf,
        /// The question: `its version`.
        what: &'static str,
        /// The reason.
        #[source]
        source: Box<ProcessError>,
    },
    /// An answer that cannot be parsed.
    #[error("`{}` gave {what} that we cannot read: `{answer}`", program.display())]
    Answer {
        /// The program.
        program: PathBuf,
        /// The question: `its version`.
        what: &'static str,
        /// The first line of the answer.
        answer: String,
    },
    /// A zig that is too old.
    #[error("`{}` is zig {version}; at least {minimum} is needed", program.display())]
    OldZig {
        /// The program.
        program: PathBuf,
        /// Its version.
        version: String,
        /// The oldest version that works.
        minimum: &'static str,
    },
    /// zig was not found, and is not fetched.
    #[error("found no zig for `{target}`: looked for {looked_for}")]
    NoZig {
        /// The target.
        target: Target,
        /// Programs and places that were searched, as a list in words.
        looked_for: String,
        /// Whether fetching is forbidden; otherwise it was not requested.
        offline: bool,
    },
    /// zig has no libc that old.
    #[error("zig has no glibc {floor} for `{target}`; its oldest is {oldest}")]
    Floor {
        /// The target.
        target: Target,
        /// The wanted target or floor.
        floor: PlatformVersion,
        /// The oldest floor.
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
        /// The installer, as a noun: "`uv`".
        installer: String,
        /// The reason.
        #[source]
        source: Box<ProcessError>,
    },
    /// A file or directory cannot be read or written.
    #[error("cannot {doing} `{}`", path.display())]
    Io {
        /// The verb.
        doing: &'static str,
        /// The file or directory.
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
    /// Returns what the user can do about it.
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
                    "ask for `{}.{oldest}`; the audit still finds an older tag when the bytes earn it",
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
