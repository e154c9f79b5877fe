"""A C library with a Python interface."""

import ctypes
import pathlib
import sys

_SUFFIX = {"darwin": "libolder_project.dylib", "win32": "older_project.dll"}.get(sys.platform, "libolder_project.so")
_LIBRARY = ctypes.CDLL(str(pathlib.Path(__file__).parent / "_runtime" / "lib" / _SUFFIX))


def answer():
    """Returns the answer of the C library."""
    return _LIBRARY.older_project_answer()
