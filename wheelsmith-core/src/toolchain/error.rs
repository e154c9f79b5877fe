//! Why there is no toolchain.

use std::path::PathBuf;

use crate::name::{PlatformVersion, Target};
use crate::sys::ProcessError;

use super::{ToolchainKind, ZIG_VERSION};

/// Why there is no toolchain for a target.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The user stopped us.
    #[error("stopped")]
    Cancelled,
    /// No program of the wanted kind.
    #[error("found no {kind} toolchain for `{target}`: looked for {looked_for}")]
    NotFound {
        /// Which kind was wanted.
        kind: ToolchainKind,
        /// For what.
        target: Target,
        /// The programs and places, as a list in words.
        looked_for: String,
        /// What would help.
        hint: String,
    },
    /// No variable names a compiler.
    #[error("the environment names no compiler for `{target}`: none of {variables} is set")]
    NotInEnv {
        /// For what.
        target: Target,
        /// The variables, as a list in words.
        variables: String,
    },
    /// A variable names something that is not there.
    #[error("`{variable}` names `{value}`, which is not a program")]
    NoSuchProgram {
        /// The variable, or the configuration's key.
        variable: String,
        /// Its value.
        value: String,
    },
    /// A compiler that compiles for something else.
    #[error("`{}` compiles for `{machine}`, not for `{target}`", program.display())]
    OtherMachine {
        /// The compiler.
        program: PathBuf,
        /// What it said of itself.
        machine: String,
        /// What was wanted.
        target: Target,
    },
    /// A compiler whose command line we do not speak.
    #[error("`{}` is not driven like gcc or clang", program.display())]
    OtherFamily {
        /// The compiler.
        program: PathBuf,
    },
    /// A program that does not work, or is not what its name says.
    #[error("cannot ask `{}` for {what}", program.display())]
    Ask {
        /// The program.
        program: PathBuf,
        /// What was asked: `its version`.
        what: &'static str,
        /// Why it did not answer.
        #[source]
        source: Box<ProcessError>,
    },
    /// An answer that we do not understand.
    #[error("`{}` gave {what} that we cannot read: `{answer}`", program.display())]
    Answer {
        /// The program.
        program: PathBuf,
        /// What was asked: `its version`.
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
        /// The oldest that works.
        minimum: &'static str,
    },
    /// There is no zig, and it may not be fetched.
    #[error("found no zig for `{target}`: looked for {looked_for}")]
    NoZig {
        /// For what.
        target: Target,
        /// The programs and places, as a list in words.
        looked_for: String,
        /// Whether fetching was forbidden, rather than not wanted now.
        offline: bool,
    },
    /// zig has no libc that old.
    #[error("zig has no glibc {floor} for `{target}`; its oldest is {oldest}")]
    Floor {
        /// For what.
        target: Target,
        /// What was wanted.
        floor: PlatformVersion,
        /// What there is.
        oldest: PlatformVersion,
    },
    /// zig is not published for this host.
    #[error("there is no pinned zig {ZIG_VERSION} for this host ({host})")]
    NoZigForHost {
        /// Operating system and processor.
        host: String,
    },
    /// Neither uv nor pip is there.
    #[error("cannot fetch zig {ZIG_VERSION}: found neither `uv` nor a Python with pip")]
    NoInstaller,
    /// The installer failed.
    #[error("cannot fetch zig {ZIG_VERSION} with {installer}")]
    Install {
        /// Which installer, as a noun: "`uv`".
        installer: String,
        /// Why.
        #[source]
        source: Box<ProcessError>,
    },
    /// A file or directory of ours.
    #[error("cannot {doing} `{}`", path.display())]
    Io {
        /// The verb.
        doing: &'static str,
        /// What it was done to.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: std::io::Error,
    },
    /// No place for a cache.
    #[error("cannot fetch zig {ZIG_VERSION}: this user has no cache directory")]
    NoCacheDir,
}

impl Error {
    /// What the user can do about it.
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
