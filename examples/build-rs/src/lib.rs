//! Two questions to the libbpf that the build script built.

use std::ffi::{CStr, c_char, c_int};

unsafe extern "C" {
    safe fn libbpf_version_string() -> *const c_char;
    safe fn libbpf_num_possible_cpus() -> c_int;
}

/// The version of libbpf: `v1.7`.
pub fn version() -> &'static str {
    // SAFETY: libbpf gives a text that ends and stays.
    let text = unsafe { CStr::from_ptr(libbpf_version_string()) };
    text.to_str().unwrap_or("unknown")
}

/// How many processors the kernel may bring up, which is how large per-CPU maps are; nothing where
/// the kernel does not say.
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
