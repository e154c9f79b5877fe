//! Errors of builds.

use std::io;
use std::path::PathBuf;

use crate::config;
use crate::name::Target;
use crate::sys::ProcessError;

/// Errors of builds.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The configuration names a file that does not exist.
    #[error(transparent)]
    Config(#[from] config::Error),
    /// A file cannot be compiled.
    #[error("cannot compile `{file}` of component `{component}` for {target}")]
    Compile {
        /// The file, as the configuration has it.
        file: String,
        /// The component.
        component: String,
        /// The target.
        target: Target,
        /// Output of the compiler.
        #[source]
        source: ProcessError,
    },
    /// The linker failed.
    #[error("cannot link component `{component}` for {target}")]
    Link {
        /// The component.
        component: String,
        /// The target.
        target: Target,
        /// Output of the linker.
        #[source]
        source: ProcessError,
    },
    /// cargo failed.
    #[error("cannot build component `{component}` with cargo for {target}")]
    Cargo {
        /// The component.
        component: String,
        /// The target.
        target: Target,
        /// Output of cargo.
        #[source]
        source: ProcessError,
    },
    /// `Cargo.lock` is required and missing.
    #[error(
        "cannot build component `{component}`: there is no `Cargo.lock` for `{}`",
        manifest.display()
    )]
    NoLock {
        /// The component.
        component: String,
        /// Its `Cargo.toml`.
        manifest: PathBuf,
    },
    /// cargo was not found.
    #[error("cannot build component `{component}`: no `cargo` was found on PATH")]
    NoCargo {
        /// The component.
        component: String,
    },
    /// This build of the library has no cargo.
    #[error(
        "cannot build component `{component}` with cargo: this program was built without the \
         feature `cargo`"
    )]
    WithoutCargo {
        /// The component.
        component: String,
    },
    /// The Rust compiler has no standard library for the target.
    #[error("cannot build component `{component}`: {reason}")]
    NoRustTarget {
        /// The component.
        component: String,
        /// The compiler and the target.
        reason: String,
        /// Instructions to install it.
        hint: String,
    },
    /// cargo did not build an artifact that the configuration names.
    #[error("cannot take {artifact} from component `{component}`: cargo made {made}")]
    NoArtifact {
        /// `bin` or `cdylib` with its name.
        artifact: String,
        /// The component.
        component: String,
        /// Libraries and programs that it built.
        made: String,
    },
    /// There is no musl for the processor of the target.
    #[error("cannot build component `{component}` with musl: there is none for {target}")]
    NoMusl {
        /// The component.
        component: String,
        /// The target.
        target: Target,
    },
    /// The toolchain has no compiler for BPF.
    #[error("cannot build component `{component}`: `{toolchain}` does not compile BPF programs")]
    NoBpf {
        /// The component.
        component: String,
        /// The toolchain.
        toolchain: String,
    },
    /// A step of a component's own build system failed.
    #[error("cannot {step} component `{component}` for {target}")]
    Step {
        /// `configure`, `build`, `install`, `run`.
        step: &'static str,
        /// The component.
        component: String,
        /// The target.
        target: Target,
        /// Log with its whole output.
        log: PathBuf,
        /// First error and last lines of its output.
        #[source]
        source: ProcessError,
    },
    /// A component's build system was not found.
    #[error("cannot build component `{component}`: no `{tool}` was found on PATH")]
    NoTool {
        /// The component.
        component: String,
        /// The program.
        tool: String,
        /// Instructions to install it.
        hint: String,
    },
    /// The source lacks the file with which its build system begins.
    #[error("cannot build component `{component}`: there is no `{}`", file.display())]
    NoScript {
        /// The component.
        component: String,
        /// The missing file.
        file: PathBuf,
        /// Remedy for the user.
        hint: String,
    },
    /// An extension module for a Python whose headers or libraries were not found.
    #[error("cannot build component `{component}` for {target}: there are no {what}")]
    NoPythonFiles {
        /// The component.
        component: String,
        /// The target.
        target: Target,
        /// Name that was searched for.
        what: String,
        /// Instructions to provide it.
        hint: String,
    },
    /// A file that the program for which it is cannot load.
    #[error("cannot use component `{component}` for {target}: {what}")]
    Unusable {
        /// The component.
        component: String,
        /// The target.
        target: Target,
        /// Reason.
        what: String,
    },
    /// A framework without Apple's SDK.
    #[error(
        "cannot build component `{component}` for {target}: zig has no framework `{framework}`"
    )]
    NoSdk {
        /// The component.
        component: String,
        /// The target.
        target: Target,
        /// The framework that it links to.
        framework: String,
    },
    /// A static library was compiled for a fixed address.
    #[error("cannot link component `{component}`: `{}` is not position-independent: {reason}", archive.display())]
    Position {
        /// The component that links to it.
        component: String,
        /// The static library.
        archive: PathBuf,
        /// The object and relocation that prove it.
        reason: String,
    },
    /// A built file could not be edited for the runtime.
    #[error("cannot take `{}` from component `{component}`", file.display())]
    Finish {
        /// The component.
        component: String,
        /// The file.
        file: PathBuf,
        /// The reason.
        #[source]
        source: crate::patch::Error,
    },
    /// A flag that compiles for the processor of the build machine.
    #[error(
        "cannot build component `{component}` for {target}: `{flag}` in {origin} compiles for the \
         processor of this machine"
    )]
    Native {
        /// The component.
        component: String,
        /// The target.
        target: Target,
        /// The flag.
        flag: String,
        /// Origin of the flag: `flags`, a variable, a file.
        origin: String,
    },
    /// The toolchain does not have the configured C++ runtime.
    #[error("cannot use `cxx-runtime = \"{wanted}\"` for {target}: {reason}")]
    CxxRuntime {
        /// The target.
        target: Target,
        /// The configured runtime.
        wanted: config::CxxRuntime,
        /// The reason.
        reason: String,
    },
    /// The shared C++ runtime could not be compiled.
    #[error(transparent)]
    Toolchain(crate::toolchain::Error),
    /// The user stopped us.
    #[error("stopped")]
    Cancelled,
    /// A file could not be read or written.
    #[error("cannot build component `{component}` for {target}")]
    Io {
        /// The component.
        component: String,
        /// The target.
        target: Target,
        /// The reason, with the path.
        #[source]
        source: io::Error,
    },
}

impl Error {
    /// Returns what the user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoRustTarget { hint, .. }
            | Self::NoTool { hint, .. }
            | Self::NoPythonFiles { hint, .. }
            | Self::NoScript { hint, .. } => Some(hint.clone()),
            Self::Step { log, .. } => Some(format!("its whole output is in `{}`", log.display())),
            Self::NoSdk { .. } => Some(
                "frameworks are in Apple's SDK: name its directory with `SDKROOT`, or with \
                 `sysroot` in the target's table"
                    .to_owned(),
            ),
            Self::Position { .. } => {
                Some("compile it with `-fPIC`; wheelsmith's own kinds of components do".to_owned())
            }
            Self::NoLock { manifest, .. } => Some(format!(
                "run `cargo generate-lockfile --manifest-path {}` and commit the file, or set \
                 `locked = false` in the component's table",
                manifest.display()
            )),
            Self::Native { .. } => Some(
                "a package must run on other processors of its kind: name the oldest one, such as \
                 `-march=x86-64-v2` or `-Ctarget-cpu=x86-64-v2`; `allow-native = true` in the \
                 component's table accepts the flag"
                    .to_owned(),
            ),
            Self::CxxRuntime { wanted: config::CxxRuntime::System, .. } => Some(
                "`toolchain = \"native\"`, `\"cross-gcc\"` or `\"clang\"` has one; `auto` shares \
                 zig's where files meet"
                    .to_owned(),
            ),
            Self::CxxRuntime { .. } => Some("choose `auto` or `static` for it".to_owned()),
            Self::NoBpf { .. } => Some("`toolchain = \"zig\"` and `\"clang\"` do".to_owned()),
            Self::Toolchain(error) => error.hint(),
            Self::NoCargo { .. } => Some("install Rust, or put `cargo` on PATH".to_owned()),
            Self::NoArtifact { .. } => {
                Some("a `cdylib` needs `crate-type = [\"cdylib\"]` in its `Cargo.toml`".to_owned())
            }
            Self::Cargo { source: ProcessError::Failed { output, .. }, .. }
                if output.contains("--locked") =>
            {
                Some(
                    "`Cargo.lock` is missing or does not fit `Cargo.toml`: run \
                     `cargo generate-lockfile` beside it and commit the file, or let cargo choose \
                     versions with `locked = false` in the component's table"
                        .to_owned(),
                )
            }
            Self::Link { source: ProcessError::Failed { output, .. }, .. }
                if output.contains("unsupported linker") =>
            {
                Some(
                    "zig's linker does not have it: leave it out of `link-flags`, or link with \
                     GNU ld by `toolchain = \"native\"` or `\"cross-gcc\"`; the reference lists \
                     what becomes of each argument"
                        .to_owned(),
                )
            }
            Self::Link { source: ProcessError::Failed { output, .. }, .. }
                if output.contains("undefined symbol")
                    || output.contains("undefined reference") =>
            {
                Some(
                    "add the file or component that defines it to `sources` or `link`; a plugin \
                     whose host defines it takes `allow-undefined = true`"
                        .to_owned(),
                )
            }
            _ => None,
        }
    }
}
