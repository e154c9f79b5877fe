"""A C library with a Python face."""

import ctypes
import pathlib
import sys

_SUFFIX = {"darwin": "libhello_native.dylib", "win32": "hello_native.dll"}.get(sys.platform, "libhello_native.so")
_LIBRARY = ctypes.CDLL(str(pathlib.Path(__file__).parent / "_runtime" / "lib" / _SUFFIX))


def answer():
    """What the library says."""
    return _LIBRARY.hello_native_answer()
