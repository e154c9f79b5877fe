/* What elfutils' `configure` would find out, written by hand.
 *
 * It asks the headers of the target's libc, never the build machine, so that one file serves every
 * target: zig derives `__GLIBC_MINOR__` from the floor it compiles for, and a musl target has no
 * `__GLIBC__` at all.
 *
 * `USE_LOCKS` stays off: libbpf uses each `Elf` from one thread, and the locks would need
 * libpthread on old glibc. */
#ifndef TINYBPF_CONFIG_H
#define TINYBPF_CONFIG_H

#include <features.h>

#define PACKAGE_VERSION "0.191"

#define HAVE_FALLTHROUGH 1
#define HAVE_STDATOMIC_H 1
#define HAVE_VISIBILITY 1

/* `powerof2` is a macro of <sys/param.h> in both libcs. */
#define HAVE_DECL_POWEROF2 1
#define HAVE_MREMAP 1

#ifdef __GLIBC__
#define HAVE_DECL_MEMPCPY 1
#define HAVE_DECL_MEMRCHR 1
#define HAVE_DECL_RAWMEMCHR 1
#define HAVE_ERROR_H 1
#if __GLIBC_PREREQ(2, 26)
#define HAVE_DECL_REALLOCARRAY 1
#endif
#else
#define HAVE_DECL_MEMPCPY 1
#define HAVE_DECL_MEMRCHR 1
#define HAVE_DECL_REALLOCARRAY 1
#define HAVE_ERR_H 1
#endif

#include <eu-config.h>

#endif
