//! Compiler, archiver and linker for a [`Target`].
//!
//! [`flags`] and [`filter`] only think: which arguments a kind of compiler needs, and how the
//! arguments of others must be changed before zig reads them. [`locate`] asks the machine,
//! [`Wrappers`] puts programs on disk that cargo, configure and make can call, and [`survey`] tells
//! a person what is there. What is compiled, and in which order, is another room's business.

mod cargo_env;
mod driver;
mod error;
pub mod filter;
pub mod flags;
mod gnu;
mod locate;
mod provision;
mod survey;
mod vars;
mod wrappers;
mod zig;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::name::{PlatformVersion, Target};
use crate::sys::{Command, Env};

pub use cargo_env::{env_for_cargo, env_for_configure};
pub use error::Error;
pub use flags::{Family, LinkKind, Optimize, Strip};
pub use locate::{Request, host_target, locate};
pub use provision::{ZIG_VERSION, ZIG_WHEELS, ZigWheel};
pub use survey::{Found, FoundToolchain, RustStd, State, rust_std, survey};
pub use wrappers::{Role, Wrapper, Wrappers};
pub use zig::{MissingZig, Zig, find_zig};

/// Where a compiler comes from.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ToolchainKind {
    /// What the environment names for the target (`CC_<target>`), else the compiler that can keep
    /// the target's floor: the host's own for macOS on macOS, zig for everything else.
    #[default]
    Auto,
    /// `zig cc`, which carries the headers and stubs of every libc that it compiles for.
    Zig,
    /// The host's own compiler: `cc`, `gcc` or `clang`.
    Native,
    /// A distribution's cross compiler, such as `aarch64-linux-gnu-gcc`.
    CrossGcc,
    /// `clang` with `lld` and, for a foreign target, a sysroot.
    Clang,
    /// What `CC_<target>`, `TARGET_CC` or `CC` name, as the `cc` crate reads them.
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

/// Whether `env` names a compiler for `target` in particular: `CC_<target>` or `TARGET_CC`.
pub(crate) fn is_named(env: &Env, target: &Target) -> bool {
    vars::Vars::new(env).find("CC", target, vars::Spellings::Targeted).is_some()
}

/// A program with the arguments and variables that it always gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tool {
    /// Where it is.
    pub program: PathBuf,
    /// Its first arguments: `cc -target aarch64-linux-gnu.2.17`.
    pub args: Vec<String>,
    /// What it gets besides the compilers' environment.
    pub env: BTreeMap<String, String>,
}

impl Tool {
    /// `program` alone.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self { program: program.into(), args: Vec::new(), env: BTreeMap::new() }
    }

    /// One run of this tool in `dir`, with what compilers may see of `env`.
    pub fn command(&self, dir: &Path, env: &Env) -> Command {
        let mut command = Command::new(&self.program, dir, &env.for_compilers());
        command.env.extend(self.env.clone());
        command.args(self.args.clone())
    }

    /// Whether it is a program and nothing else, so that others can be told its path.
    pub fn is_bare(&self) -> bool {
        self.args.is_empty() && self.env.is_empty()
    }
}

/// What of a toolchain decides the bytes that it writes: kind, versions, extra arguments. Holds no
/// path, so that two machines with the same compiler agree.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ToolchainId(String);

impl ToolchainId {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, such as `zig 0.17.0`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ToolchainId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The programs that build for one target. Each is complete: its arguments name the target.
#[derive(Debug, Clone)]
pub struct Toolchain {
    /// Where it comes from; never [`ToolchainKind::Auto`].
    pub kind: ToolchainKind,
    /// Whose command line it understands.
    pub family: Family,
    /// What it builds for.
    pub target: Target,
    /// The C compiler, which also links.
    pub cc: Tool,
    /// The C++ compiler, which also links.
    pub cxx: Tool,
    /// The archiver.
    pub ar: Tool,
    /// The indexer of archives.
    pub ranlib: Tool,
    /// Lists symbols; zig has none.
    pub nm: Option<Tool>,
    /// Removes symbols; zig does it while linking.
    pub strip: Option<Tool>,
    /// Links alone; only the third parties' `configure` asks for it.
    pub ld: Option<Tool>,
    /// The glibc that its sysroot holds, where it was asked. zig links against the floor instead.
    pub glibc: Option<PlatformVersion>,
    /// What of it decides the bytes that it writes.
    pub id: ToolchainId,
    /// The variables that were looked at, set or not.
    pub read_vars: BTreeSet<String>,
}

impl Toolchain {
    /// What goes behind `cc` when it compiles one file, in front of the component's own flags.
    pub fn compile_args(&self, optimize: Optimize) -> Vec<String> {
        flags::compile_args(self.family, &self.target, optimize)
    }

    /// What goes behind `cc` when it links, in front of the objects.
    pub fn link_args(&self, kind: LinkKind<'_>, optimize: Optimize, strip: Strip) -> Vec<String> {
        flags::link_args(self.family, &self.target, kind, optimize, strip)
    }
}
