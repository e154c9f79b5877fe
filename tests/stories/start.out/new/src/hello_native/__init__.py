"""A C library with a Python interface."""

import ctypes
import pathlib
import sys

_SUFFIX = {"darwin": "libhello_native.dylib", "win32": "hello_native.dll"}.get(sys.platform, "libhello_native.so")
_LIBRARY = ctypes.CDLL(str(pathlib.Path(__file__).parent / "_runtime" / "lib" / _SUFFIX))


def answer():
    """Returns the answer of the C library."""
    return _LIBRARY.hello_native_answer()
