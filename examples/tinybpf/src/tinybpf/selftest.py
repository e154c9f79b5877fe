"""``python -m tinybpf.selftest``: the library loads, keeps to itself, and does real work.

Plain asserts and no privileges, so that it runs anywhere, under an emulator too.
"""

from __future__ import annotations

import ctypes
import os
import platform
import tempfile
from pathlib import Path

import tinybpf
from tinybpf import lib


def check_version() -> None:
    major, minor = tinybpf.version()
    assert tinybpf.libbpf_version_string() == f"v{major}.{minor}"
    assert (major, minor) == (1, 7), (major, minor)


def check_exports() -> None:
    """Neither libelf's nor zlib's symbols leave the library."""
    assert hasattr(lib, "bpf_object__open_file")
    for inner in ("elf_version", "elf_begin", "gelf_getehdr", "inflate", "crc32", "gzopen"):
        assert not hasattr(lib, inner), f"`{inner}` is exported"


def check_btf() -> None:
    """Type information is made and found again."""
    lib.btf__new_empty.restype = ctypes.c_void_p
    lib.btf__new_empty.argtypes = []
    lib.btf__add_int.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int]
    lib.btf__find_by_name.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
    lib.btf__free.argtypes = [ctypes.c_void_p]
    lib.btf__free.restype = None
    btf = lib.btf__new_empty()
    assert btf
    number = lib.btf__add_int(btf, b"int", 4, 1)
    assert number > 0, number
    assert lib.btf__find_by_name(btf, b"int") == number
    assert lib.btf__find_by_name(btf, b"long") < 0
    lib.btf__free(btf)


def check_elf() -> None:
    """libelf, linked in, writes an object file and reads it again."""
    lib.bpf_linker__new.restype = ctypes.c_void_p
    lib.bpf_linker__new.argtypes = [ctypes.c_char_p, ctypes.c_void_p]
    lib.bpf_linker__finalize.argtypes = [ctypes.c_void_p]
    lib.bpf_linker__free.argtypes = [ctypes.c_void_p]
    lib.bpf_linker__free.restype = None
    lib.bpf_object__open_file.restype = ctypes.c_void_p
    lib.bpf_object__open_file.argtypes = [ctypes.c_char_p, ctypes.c_void_p]
    lib.bpf_object__close.argtypes = [ctypes.c_void_p]
    lib.bpf_object__close.restype = None
    lib.libbpf_set_print.argtypes = [ctypes.c_void_p]
    lib.libbpf_set_print.restype = ctypes.c_void_p
    lib.libbpf_set_print(None)
    with tempfile.TemporaryDirectory() as directory:
        path = os.fsencode(str(Path(directory) / "empty.bpf.o"))
        linker = lib.bpf_linker__new(path, None)
        assert linker, os.strerror(ctypes.get_errno())
        assert lib.bpf_linker__finalize(linker) == 0
        lib.bpf_linker__free(linker)
        with open(path, "rb") as file:
            assert file.read(4) == b"\x7fELF"
        opened = lib.bpf_object__open_file(path, None)
        assert opened, ctypes.get_errno()
        lib.bpf_object__close(opened)
    # A shared library is an ELF file, but not one with BPF in it.
    assert not lib.bpf_object__open_file(os.fsencode(str(tinybpf.LIBRARY)), None)


def main() -> None:
    for check in (check_version, check_exports, check_btf, check_elf):
        check()
    print(f"tinybpf: libbpf {tinybpf.libbpf_version_string()} works on {platform.machine()}")


if __name__ == "__main__":
    main()
