//! A zig on this machine, and the version that is fetched.

use std::path::PathBuf;

/// zig that wheelsmith fetches and was tested with.
pub const ZIG_VERSION: &str = "0.17.0";

/// Working zig.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zig {
    /// Program, never a launcher: a launcher in Python costs 25 ms for each file.
    pub program: PathBuf,
    /// Version, such as `0.17.0`.
    pub version: String,
}

impl Zig {
    /// True if it is the version that wheelsmith was tested with.
    pub fn is_pinned(&self) -> bool {
        self.version == ZIG_VERSION
    }
}
