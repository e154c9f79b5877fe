"""What the machine is, asked through a Rust library with ctypes or through the Rust program."""

from __future__ import annotations

import ctypes
import json
import sys
from pathlib import Path
from typing import Any, Dict

__all__ = ["LIBRARY", "PROGRAM", "info"]

_RUNTIME = Path(__file__).resolve().parent / "_runtime"

if sys.platform == "win32":
    _LIBRARY_NAME, _PROGRAM_NAME = "hostinfo_ffi.dll", "hostinfo.exe"
elif sys.platform == "darwin":
    _LIBRARY_NAME, _PROGRAM_NAME = "libhostinfo_ffi.dylib", "hostinfo"
else:
    _LIBRARY_NAME, _PROGRAM_NAME = "libhostinfo_ffi.so", "hostinfo"

#: The Rust library of this wheel.
LIBRARY: Path = _RUNTIME / "lib" / _LIBRARY_NAME
#: The Rust program of this wheel, which the command ``hostinfo`` starts.
PROGRAM: Path = _RUNTIME / "bin" / _PROGRAM_NAME

_ABI_VERSION = 1


def _load() -> ctypes.CDLL:
    if not LIBRARY.is_file():
        raise ImportError(
            f"hostinfo has no library at {LIBRARY}: this is a source tree or an incomplete "
            "installation; build a wheel and install that",
            name=__name__,
            path=str(LIBRARY),
        )
    library = ctypes.CDLL(str(LIBRARY))
    library.hostinfo_abi_version.restype = ctypes.c_uint32
    library.hostinfo_abi_version.argtypes = []
    found = library.hostinfo_abi_version()
    if found != _ABI_VERSION:
        raise ImportError(
            f"{LIBRARY} has interface {found}, this package needs {_ABI_VERSION}",
            name=__name__,
            path=str(LIBRARY),
        )
    library.hostinfo_json.restype = ctypes.c_size_t
    library.hostinfo_json.argtypes = [ctypes.c_char_p, ctypes.c_size_t]
    return library


_lib = _load()


def info() -> Dict[str, Any]:
    """The facts by name: ``os``, ``arch``, ``pointer_bits``, ``page_size_bytes``, ``cpus``, ``kernel``."""
    capacity = _lib.hostinfo_json(None, 0) + 1
    buffer = ctypes.create_string_buffer(capacity)
    _lib.hostinfo_json(buffer, capacity)
    facts: Dict[str, Any] = json.loads(buffer.value)
    return facts
