//! Request for a toolchain.

use std::path::Path;

use super::{MissingZig, ToolchainKind};
use crate::name::Target;

/// Request for a toolchain.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Wanted kind.
    pub kind: ToolchainKind,
    /// Target.
    pub target: Target,
    /// zig that the configuration names.
    pub zig: Option<&'a Path>,
    /// Directory of the target's headers and libraries, for clang.
    pub sysroot: Option<&'a Path>,
    /// Directory of this build, for zig's local cache and for probes; it need not exist.
    pub work_dir: &'a Path,
    /// Behaviour if zig is requested and not found.
    pub missing_zig: MissingZig,
}
