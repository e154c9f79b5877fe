"""Target of wheels for this Python."""

import sysconfig

_LINUX = {
    "aarch64": "aarch64-unknown-linux-{}",
    "armv7l": "armv7-unknown-linux-{}eabihf",
    "i686": "i686-unknown-linux-{}",
    "ppc64le": "powerpc64le-unknown-linux-{}",
    "riscv64": "riscv64gc-unknown-linux-{}",
    "s390x": "s390x-unknown-linux-{}",
    "x86_64": "x86_64-unknown-linux-{}",
}
_OTHERS = {
    "macosx-arm64": "aarch64-apple-darwin",
    "macosx-x86_64": "x86_64-apple-darwin",
    "win-amd64": "x86_64-pc-windows-gnu",
    "win-arm64": "aarch64-pc-windows-gnu",
}


def target():
    """Return a triple of the program's table of targets, or `host` for other platforms.

    The answer comes from Python, not from the machine: a 32-bit Python can run on a 64-bit kernel, a Python
    for musl on a system with glibc, and a cross-compiling environment names another platform.
    """
    platform = sysconfig.get_platform()
    system, _, rest = platform.partition("-")
    machine = rest.rpartition("-")[2] or rest
    if system == "linux":
        host = sysconfig.get_config_var("HOST_GNU_TYPE") or ""
        triple = _LINUX.get(machine)
        return triple.format("musl" if "musl" in host else "gnu") if triple else "host"
    key = system + "-" + machine if machine else system
    return _OTHERS.get(key, "host")
