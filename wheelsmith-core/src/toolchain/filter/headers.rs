//! Headers of the C library, and the directories that contain one of them.

use std::path::Path;

/// Directories of the build machine, which are searched last: their headers are of another C library.
/// Patterns of the shell.
pub(super) const OF_THE_MACHINE: [&str; 2] = ["/usr/include/*", "/usr/local/include/*"];

/// Returns the option by which zig searches `dir` where gcc does.
///
/// zig adds the directories of its own headers as the first with `-isystem`, so a header of the same
/// name in a later one is never found. `-iwithprefixbefore` names a directory after all of `-I` and before
/// those; the compiler's warnings about its headers are shown then.
pub(super) fn option(dir: &str) -> &'static str {
    let slashed = format!("{dir}/");
    let is_machines = OF_THE_MACHINE.iter().any(|d| slashed.starts_with(d.trim_end_matches('*')));
    let has = |name: &&str| Path::new(dir).join(name).exists();
    if !is_machines && C_LIBRARY.iter().any(has) { "-iwithprefixbefore" } else { "-isystem" }
}

/// Headers and directories of headers of glibc, musl and Linux, as zig has them, and those of the
/// compiler.
#[rustfmt::skip]
pub(super) const C_LIBRARY: &[&str] = &[
    "a.out.h", "aio.h", "aliases.h", "alloca.h", "ar.h", "argp.h", "argz.h", "arpa", "asm",
    "asm-generic", "assert.h", "bits", "byteswap.h", "complex.h", "cpio.h", "crypt.h", "ctype.h",
    "cxl", "dirent.h", "dlfcn.h", "drm", "elf.h", "endian.h", "envz.h", "err.h", "errno.h",
    "error.h", "execinfo.h", "fcntl.h", "features-time64.h", "features.h", "fenv.h", "finclude",
    "float.h", "fmtmsg.h", "fnmatch.h", "fpregdef.h", "fpu_control.h", "fstab.h", "fts.h", "ftw.h",
    "fwctl", "gconv.h", "getopt.h", "glob.h", "gnu", "gnu-versions.h", "grp.h", "gshadow.h",
    "iconv.h", "ieee754.h", "ifaddrs.h", "inttypes.h", "iso646.h", "langinfo.h", "lastlog.h",
    "libgen.h", "libintl.h", "limits.h", "link.h", "linux", "locale.h", "malloc.h", "math.h",
    "mcheck.h", "memory.h", "misc", "mntent.h", "monetary.h", "mqueue.h", "mtd", "net", "netash",
    "netatalk", "netax25", "netdb.h", "neteconet", "netinet", "netipx", "netiucv", "netpacket",
    "netrom", "netrose", "nfs", "nl_types.h", "nss.h", "obstack.h", "paths.h", "poll.h",
    "printf.h", "proc_service.h", "protocols", "pthread.h", "pty.h", "pwd.h", "rdma", "re_comp.h",
    "regdef.h", "regex.h", "regexp.h", "regulator", "resolv.h", "rpc", "sched.h", "scsi",
    "search.h", "semaphore.h", "setjmp.h", "sgidefs.h", "sgtty.h", "shadow.h", "signal.h", "sound",
    "spawn.h", "stab.h", "stdalign.h", "stdarg.h", "stdatomic.h", "stdbit.h", "stdbool.h",
    "stdc-predef.h", "stddef.h", "stdint.h", "stdio.h", "stdio_ext.h", "stdlib.h", "stdnoreturn.h",
    "string.h", "strings.h", "stropts.h", "sys", "syscall.h", "sysexits.h", "syslog.h", "tar.h",
    "termios.h", "tgmath.h", "thread_db.h", "threads.h", "time.h", "ttyent.h", "uchar.h",
    "ucontext.h", "ulimit.h", "unistd.h", "utime.h", "utmp.h", "utmpx.h", "values.h", "video",
    "wait.h", "wchar.h", "wctype.h", "wordexp.h", "xen",
];

#[cfg(test)]
mod tests {
    use super::C_LIBRARY;

    /// zig has no header that the list lacks.
    #[test]
    fn the_list_is_that_of_zig() {
        use crate::sys::{Command, Env, Host, fs};
        let host = Host::quiet(Env::from_process());
        let Some(zig) = host.env.find_program("zig") else { return };
        let run = Command::new(&zig, "/", &host.env).arg("env").run(&host).unwrap();
        let text = String::from_utf8(run.stdout).unwrap();
        let lib = text.split_once(".lib_dir = \"").unwrap().1.split_once('"').unwrap().0;
        for dir in ["generic-glibc", "generic-musl", "any-linux-any"] {
            let dir = std::path::Path::new(lib).join("libc/include").join(dir);
            for path in fs::list(&dir).unwrap() {
                let name = path.file_name().unwrap().to_str().unwrap();
                assert!(C_LIBRARY.contains(&name), "`{name}` is missing");
            }
        }
    }
}
