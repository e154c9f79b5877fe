//! Buffers for whole files.

/// Returns an empty buffer that can hold a file of `size` bytes without growing.
///
/// glibc returns a freed block of more than 32 MiB to the system at once. A smaller one raises the
/// limit below which it keeps freed memory to twice the size of the block, so that a program that
/// edits a library of 25 MB would keep 50 MB. Buffers of large files therefore reserve that much
/// address space; pages that are never written take no memory.
pub(crate) fn with_capacity(size: usize) -> Vec<u8> {
    /// Above `DEFAULT_MMAP_THRESHOLD_MAX` of glibc's malloc, in bytes.
    const RETURNED_AT_ONCE: usize = 33 << 20;
    /// Smaller buffers are cheap to keep, in bytes.
    const LARGE: usize = 1 << 20;
    let is_kept = cfg!(all(target_os = "linux", target_env = "gnu", target_pointer_width = "64"));
    let reserved = if is_kept && size > LARGE { RETURNED_AT_ONCE } else { 0 };
    Vec::with_capacity(size.max(reserved))
}

/// Returns a copy of a file.
pub(crate) fn copy(bytes: &[u8]) -> Vec<u8> {
    let mut copy = with_capacity(bytes.len());
    copy.extend_from_slice(bytes);
    copy
}
