//! Functions that the fuzzer runs: one for each reader of untrusted bytes.
//!
//! The functions and their seeds are also compiled into the test `fuzz_regressions` of
//! wheelsmith-core, which needs no fuzzer.

pub mod seeds;
pub mod targets;

/// Writes the seeds of a target into the directory that `WHEELSMITH_FUZZ_SEEDS` names; the fuzzer
/// reads its corpus after this.
///
/// # Panics
///
/// Panics if a file cannot be written.
pub fn lay_seeds(target: &str) {
    let Some(dir) = std::env::var_os("WHEELSMITH_FUZZ_SEEDS") else { return };
    for (name, bytes) in seeds::of(target) {
        let path = std::path::Path::new(&dir).join(name);
        std::fs::write(&path, bytes).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    }
}
