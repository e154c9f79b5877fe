//! Two queries to the libbpf that the build script built.

use std::ffi::{CStr, c_char, c_int};

unsafe extern "C" {
    safe fn libbpf_version_string() -> *const c_char;
    safe fn libbpf_num_possible_cpus() -> c_int;
}

/// Returns the version of libbpf: `v1.7`.
pub fn version() -> &'static str {
    // SAFETY: libbpf gives a text that ends and stays.
    let text = unsafe { CStr::from_ptr(libbpf_version_string()) };
    text.to_str().unwrap_or("unknown")
}

/// Returns the number of possible processors, which is the size of per-CPU maps; `None` if the
/// kernel does not report it.
pub fn possible_cpus() -> Option<u32> {
    u32::try_from(libbpf_num_possible_cpus()).ok()
}

#[cfg(test)]
mod tests {
    #[test]
    fn libbpf_answers() {
        assert_eq!(super::version(), "v1.7");
        assert!(super::possible_cpus().is_some_and(|cpus| cpus > 0));
    }
}
