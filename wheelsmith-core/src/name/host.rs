//! The machine that runs this program.

use super::{Libc, Os, TARGETS, Target, TargetRow};

/// Returns the target that this program was built for; `None` if it is no target of wheelsmith.
pub fn host_target() -> Option<Target> {
    let arch = match std::env::consts::ARCH {
        "x86" => "i686",
        "arm" => "armv7l",
        "powerpc64" if cfg!(target_endian = "little") => "ppc64le",
        other => other,
    };
    let is_host = |os: Os| match os {
        Os::Linux(Libc::Glibc) => cfg!(all(target_os = "linux", not(target_env = "musl"))),
        Os::Linux(Libc::Musl) => cfg!(all(target_os = "linux", target_env = "musl")),
        Os::MacOs => cfg!(target_os = "macos"),
        Os::Windows => cfg!(windows),
    };
    let is_ours =
        |row: &&TargetRow| row.slices.is_empty() && row.arch.as_str() == arch && is_host(row.os);
    let row = TARGETS.iter().find(is_ours)?;
    row.triple.parse().ok()
}
