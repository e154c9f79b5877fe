//! Symbols that glibc has and musl lacks, for files that name no library version.

/// Functions that only glibc has.
const NAMES: [&str; 27] = [
    "__fxstat",
    "__fxstat64",
    "__fxstatat",
    "__fxstatat64",
    "__lxstat",
    "__lxstat64",
    "__mempcpy",
    "__rawmemchr",
    "__register_atfork",
    "__sched_cpualloc",
    "__sched_cpufree",
    "__strdup",
    "__strtok_r",
    "__xmknod",
    "__xpg_basename_r",
    "__xstat",
    "__xstat64",
    "backtrace",
    "backtrace_symbols",
    "backtrace_symbols_fd",
    "gnu_get_libc_release",
    "gnu_get_libc_version",
    "mallinfo",
    "mallinfo2",
    "malloc_trim",
    "mallopt",
    "rawmemchr",
];

/// True if glibc has the function and musl does not. These are the functions that headers of glibc
/// substitute for others, for `_FORTIFY_SOURCE` (`__memcpy_chk`) or for C23 (`__isoc23_strtol`),
/// and a few more.
pub(super) fn is_of_glibc_alone(name: &str) -> bool {
    let is_fortified = name.starts_with("__") && name.ends_with("_chk");
    is_fortified || name.starts_with("__isoc23_") || NAMES.binary_search(&name).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_of_glibc_are_told_from_others() {
        assert!(NAMES.is_sorted());
        let check =
            |name: &str, expected: bool| assert_eq!(is_of_glibc_alone(name), expected, "{name}");
        check("__memcpy_chk", true);
        check("__isoc23_strtol", true);
        check("__isoc99_sscanf", false);
        check("__stack_chk_fail", false);
        check("backtrace", true);
        check("strtol", false);
        check("my_chk", false);
    }
}
