"""A C library with a Python interface."""

import ctypes
import pathlib
import sys

_SUFFIX = {"darwin": "lib@MODULE@.dylib", "win32": "@MODULE@.dll"}.get(sys.platform, "lib@MODULE@.so")
_LIBRARY = ctypes.CDLL(str(pathlib.Path(__file__).parent / "_runtime" / "lib" / _SUFFIX))


def answer():
    """Returns the answer of the C library."""
    return _LIBRARY.@MODULE@_answer()
