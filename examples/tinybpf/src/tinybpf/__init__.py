"""libbpf, loaded with ctypes from the library that the wheel carries.

Nothing of the system is needed but its C library: libelf and zlib are linked in.
"""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Tuple

__all__ = ["LIBRARY", "lib", "libbpf_version_string", "version"]

#: The shared library of this wheel.
LIBRARY: Path = Path(__file__).resolve().parent / "_runtime" / "lib" / "libbpf.so.1"


def _load() -> ctypes.CDLL:
    if not LIBRARY.is_file():
        raise ImportError(
            f"tinybpf has no library at {LIBRARY}: this is a source tree or an incomplete "
            "installation; build a wheel and install that",
            name=__name__,
            path=str(LIBRARY),
        )
    try:
        # `use_errno`: libbpf reports through `errno` as well as through its return values.
        library = ctypes.CDLL(str(LIBRARY), use_errno=True)
    except OSError as error:
        raise ImportError(
            f"tinybpf cannot load {LIBRARY}: {error}", name=__name__, path=str(LIBRARY)
        ) from error
    library.libbpf_version_string.restype = ctypes.c_char_p
    library.libbpf_version_string.argtypes = []
    for name in ("libbpf_major_version", "libbpf_minor_version"):
        function = getattr(library, name)
        function.restype = ctypes.c_uint32
        function.argtypes = []
    return library


#: The loaded library. Functions other than those used here have no `argtypes` yet: set them first.
lib: ctypes.CDLL = _load()


def libbpf_version_string() -> str:
    """What libbpf calls itself, such as ``v1.7``."""
    return lib.libbpf_version_string().decode("ascii")


def version() -> Tuple[int, int]:
    """Major and minor version of libbpf, such as ``(1, 7)``."""
    return lib.libbpf_major_version(), lib.libbpf_minor_version()
