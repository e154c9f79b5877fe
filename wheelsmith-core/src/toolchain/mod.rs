//! Compiler, archiver and linker for a [`Target`].
//!
//! [`flags`] and [`filter`] are pure: the arguments that a kind of compiler requires, and the
//! changes of other tools' arguments for zig. `locate` searches the machine, [`Wrappers`] writes
//! programs that cargo, configure and make can call, and `survey` lists the installed compilers.

mod cargo_env;
pub mod cxx;
mod driver;
mod error;
pub mod filter;
pub mod flags;
mod gnu;
mod locate;
mod provision;
mod request;
mod survey;
mod vars;
mod wrappers;
mod zig;
mod zig_version;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::name::{PlatformVersion, Target};
use crate::sys::{Command, Env};

pub use crate::name::host_target;
pub use cargo_env::{env_for_cargo, env_for_configure};
pub use error::Error;
pub use flags::{Family, LinkKind, Optimize, Strip};
pub use locate::locate;
pub use provision::{ZIG_WHEELS, ZigWheel};
pub use request::Request;
pub use survey::{RustStd, State, TargetSurvey, ToolchainSurvey, rust_std, survey};
pub use wrappers::{Role, Wrapper, Wrappers};
pub use zig::{MissingZig, find_zig};
pub use zig_version::{ZIG_VERSION, Zig};

/// Origin of a compiler.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ToolchainKind {
    /// Compiler that the environment names for the target (`CC_<target>`), or else one that
    /// supports the target's floor: the host's own for macOS on macOS, zig otherwise.
    #[default]
    Auto,
    /// `zig cc`, which contains the headers and stubs of every libc that it compiles for.
    Zig,
    /// Compiler of the host: `cc`, `gcc` or `clang`.
    Native,
    /// Cross compiler of a distribution, such as `aarch64-linux-gnu-gcc`.
    CrossGcc,
    /// `clang` with `lld` and, for a foreign target, a sysroot.
    Clang,
    /// Compiler that `CC_<target>`, `TARGET_CC` or `CC` names, as the `cc` crate reads them.
    Env,
}

impl fmt::Display for ToolchainKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Zig => "zig",
            Self::Native => "native",
            Self::CrossGcc => "cross-gcc",
            Self::Clang => "clang",
            Self::Env => "env",
        })
    }
}

/// True if `env` names a compiler for `target`: by `CC_<target>` or `TARGET_CC`.
pub(crate) fn is_named(env: &Env, target: &Target) -> bool {
    vars::Vars::new(env).find("CC", target, vars::Spellings::Targeted).is_some()
}

/// Program with its fixed arguments and variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tool {
    /// Path.
    pub program: PathBuf,
    /// First arguments: `cc -target aarch64-linux-gnu.2.17`.
    pub args: Vec<String>,
    /// Variables beside those of every compiler.
    pub env: BTreeMap<String, String>,
}

impl Tool {
    /// Creates a tool without arguments and variables.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self { program: program.into(), args: Vec::new(), env: BTreeMap::new() }
    }

    /// Returns a command that runs this tool in `dir`, with the compilers' variables of `env`.
    pub fn command(&self, dir: &Path, env: &Env) -> Command {
        let mut command = Command::new(&self.program, dir, &env.for_compilers());
        command.env.extend(self.env.clone());
        command.args(self.args.clone())
    }

    /// True if it has no arguments and variables, so that its path is enough to call it.
    pub fn is_bare(&self) -> bool {
        self.args.is_empty() && self.env.is_empty()
    }
}

/// Properties of a toolchain that determine its output: kind, versions, extra arguments. The path
/// is not included, so it is the same on two machines with the same compiler.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ToolchainId(String);

impl ToolchainId {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the text, such as `zig 0.17.0`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ToolchainId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Programs that build for one target. The arguments of each include the target.
#[derive(Debug, Clone)]
pub struct Toolchain {
    /// Origin; never [`ToolchainKind::Auto`].
    pub kind: ToolchainKind,
    /// Family of its command line.
    pub family: Family,
    /// Target.
    pub target: Target,
    /// C compiler, which also links.
    pub cc: Tool,
    /// C++ compiler, which also links.
    pub cxx: Tool,
    /// Archiver.
    pub ar: Tool,
    /// Indexer of archives.
    pub ranlib: Tool,
    /// Lister of symbols; zig has none.
    pub nm: Option<Tool>,
    /// Remover of symbols; zig does it while linking.
    pub strip: Option<Tool>,
    /// Linker, which only `configure` scripts use.
    pub ld: Option<Tool>,
    /// glibc of its sysroot, if known. zig links against the floor instead.
    pub glibc: Option<PlatformVersion>,
    /// Identity.
    pub id: ToolchainId,
    /// C++ runtime that files share; `None` if each contains its own, or the system has one.
    pub shared_cxx: Option<cxx::SharedCxx>,
    /// Variables that were read, set or not.
    pub read_vars: BTreeSet<String>,
}

impl Toolchain {
    /// Returns the arguments after `cc` for compiling one file; the component's own flags follow.
    pub fn compile_args(&self, optimize: Optimize) -> Vec<String> {
        flags::compile_args(self.family, &self.target, optimize)
    }

    /// Returns the arguments after `cc` for linking; the objects follow.
    pub fn link_args(&self, kind: LinkKind<'_>, optimize: Optimize, strip: Strip) -> Vec<String> {
        flags::link_args(self.family, &self.target, kind, optimize, strip)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Returns a zig toolchain that is not on this machine.
    pub(crate) fn zig_for(target: &str) -> Toolchain {
        let tool = || Tool::new("/z/zig");
        let target: Target = target.parse().unwrap();
        let cxx = Tool { args: flags::target_args(Family::Zig, &target), ..tool() };
        Toolchain {
            kind: ToolchainKind::Zig,
            family: Family::Zig,
            target,
            cc: tool(),
            cxx,
            ar: tool(),
            ranlib: tool(),
            nm: Some(Tool::new("/b/llvm-nm")),
            strip: None,
            ld: None,
            glibc: None,
            id: ToolchainId::new("zig 0.17.0"),
            shared_cxx: None,
            read_vars: BTreeSet::new(),
        }
    }
}
