//! What the fuzzer runs: one function for each reader of bytes that nobody vouches for.
//!
//! The functions and their seeds are also compiled into the test `fuzz` of wheelsmith-core, which
//! needs no fuzzer.

pub mod seeds;
pub mod targets;
pub mod zip_views;

/// Writes the seeds of a target into the directory that `WHEELSMITH_FUZZ_SEEDS` names; the fuzzer
/// reads its corpus after this.
///
/// # Panics
/// When a file cannot be written.
pub fn lay_seeds(target: &str) {
    let Some(dir) = std::env::var_os("WHEELSMITH_FUZZ_SEEDS") else { return };
    for (name, bytes) in seeds::of(target) {
        let path = std::path::Path::new(&dir).join(name);
        std::fs::write(&path, bytes).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    }
}
