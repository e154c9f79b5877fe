//! Shared C++ runtime: libc++, libc++abi and libunwind as one library, compiled from zig's own
//! sources for a target.
//!
//! zig links a private copy of them into every file. Exceptions, type information, streams and
//! thread-local variables of such files do not work across their boundary. The library's name and
//! the version of its symbols contain a digest of its recipe, so that it never meets another
//! C++ runtime in a process: neither the system's nor that of another wheel.

mod make;
mod recipe;

use std::path::{Path, PathBuf};

use crate::name::{Libc, Os, Target};
use crate::sys::Host;

use super::{Error, Family, Toolchain};

pub use make::make;

/// Link name of the shared C++ runtime: `-lws-c++`.
pub(crate) const LINK_NAME: &str = "ws-c++";

/// Macro by which type information is compared by name. Python loads extension modules one by one
/// with `RTLD_LOCAL`, so each may have its own copy of the same type information.
pub(crate) const BY_NAME: &str = "-D_LIBCPP_TYPEINFO_COMPARISON_IMPLEMENTATION=2";

/// Shared C++ runtime of a toolchain, in the user's cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedCxx {
    /// Directory of the library, its link `libws-c++.so` and its licences.
    pub dir: PathBuf,
    /// File name of the library, which is its SONAME: `libc++-1f2e3d4c.so`.
    pub file: String,
}

impl SharedCxx {
    /// Returns the path of the library.
    pub fn library(&self) -> PathBuf {
        self.dir.join(&self.file)
    }

    /// Returns the argument that names the directory of the library to a linker.
    pub(crate) fn search_arg(&self) -> String {
        format!("-L{}", self.dir.display())
    }
}

/// True if a shared C++ runtime can be compiled for `target` by a compiler of `family`.
pub fn is_available(family: Family, target: &Target) -> bool {
    family == Family::Zig && matches!(target.os(), Os::Linux(Libc::Glibc | Libc::Musl))
}

/// Returns the shared C++ runtime of `toolchain`, whether or not it was compiled before. `make`
/// compiles it.
///
/// # Errors
/// Returns an error if the user has no cache directory.
pub fn planned(host: &Host, toolchain: &Toolchain) -> Result<SharedCxx, Error> {
    // Build scripts have none; zig's cache is in their own directory then.
    let of_zig = || Some(Path::new(toolchain.cc.env.get("ZIG_GLOBAL_CACHE_DIR")?).parent()?.into());
    let cache: PathBuf = host.env.cache_dir().or_else(of_zig).ok_or(Error::NoCacheDir)?;
    let digest = recipe::digest(toolchain);
    let dir = cache.join("cxx-runtime").join(digest.to_string());
    Ok(SharedCxx { dir, file: recipe::file_name(&digest) })
}
