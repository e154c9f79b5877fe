"""Build back end (PEP 517, PEP 660): runs the program `wheelsmith` for each hook.

The program is that of the variable `WHEELSMITH`, else the one in this package, else the one on `PATH`. It
writes its answer to a file, so its output does not matter.
"""

import json
import os
import subprocess
import sys
import sysconfig
import tempfile

from ._settings import arguments
from ._target import target

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
    "prepare_metadata_for_build_editable",
    "prepare_metadata_for_build_wheel",
]


def get_requires_for_build_wheel(config_settings=None):
    """Return the requirements of a build: a compiler, if one is needed and missing."""
    return _run(["backend", "requires"], config_settings, _TARGET)["requires"]


def get_requires_for_build_editable(config_settings=None):
    """Return the same as for a wheel: an editable installation is compiled too."""
    return get_requires_for_build_wheel(config_settings)


def get_requires_for_build_sdist(config_settings=None):
    """Return no requirements: a source distribution is not compiled."""
    return []


def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    """Write the `.dist-info` of the wheel and return its name."""
    command = ["backend", "metadata", "--python", _python(), "--out", metadata_directory]
    answer = _run(command, config_settings, _TARGET + _SOURCES + _WHEEL)
    return os.path.basename(answer["directory"])


def prepare_metadata_for_build_editable(metadata_directory, config_settings=None):
    """Do the same as for a wheel."""
    return prepare_metadata_for_build_wheel(metadata_directory, config_settings)


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    """Build the wheel and return its file name."""
    return _wheel(["build", "--out", wheel_directory], config_settings)


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    """Build a wheel that imports from the project and return its file name."""
    return _wheel(["build", "--editable", "--out", wheel_directory], config_settings)


def build_sdist(sdist_directory, config_settings=None):
    """Write the source distribution and return its file name."""
    answer = _run(["sdist", "--out", sdist_directory], config_settings, ())
    return os.path.basename(answer["sdist"]["path"])


# Settings of each command of the program.
_TARGET = ("target", "floor")
_SOURCES = ("offline", "locked")
_WHEEL = ("features", "wheel", "compression")


def _python():
    """Return this Python as the program names it: `3.13`, `3.13t`, `pypy3.11`."""
    name = "pypy" if sys.implementation.name == "pypy" else ""
    threads = "t" if sysconfig.get_config_var("Py_GIL_DISABLED") else ""
    return "{}{}.{}{}".format(name, sys.version_info[0], sys.version_info[1], threads)


def _wheel(command, config_settings):
    command = command[:1] + ["--python", _python()] + command[1:]
    answer = _run(command, config_settings, _TARGET + _SOURCES + _WHEEL)
    wheels = [wheel for made in answer["targets"] for wheel in made.get("wheels", [])]
    if len(wheels) != 1:
        names = ", ".join(wheel["name"] for wheel in wheels) or "none"
        sys.exit(
            "wheelsmith: an installer needs one wheel, but the project makes: {}. Name one with "
            "the setting `wheel`, or use `wheelsmith build`.".format(names)
        )
    return os.path.basename(wheels[0]["file"]["path"])


def _run(command, config_settings, takes):
    """Run the program in the current directory, which is the project, and return its answer."""
    handle, result = tempfile.mkstemp(prefix="wheelsmith-", suffix=".json")
    os.close(handle)
    try:
        words = [program()] + arguments(command, config_settings, takes, target)
        words += ["--output", result]
        try:
            code = subprocess.call(words, env=_environment())
        except OSError as error:
            sys.exit("wheelsmith: cannot run `{}`: {}".format(words[0], error))
        if code != 0:
            # The program has printed the reason; a traceback would hide it.
            sys.exit(code if code > 0 else 1)
        with open(result, encoding="utf-8") as file:
            return json.load(file)
    finally:
        os.unlink(result)


def program():
    """Return the path of the program."""
    named = os.environ.get("WHEELSMITH")
    if named:
        return named
    suffix = ".exe" if os.name == "nt" else ""
    here = os.path.dirname(os.path.abspath(__file__))
    packaged = os.path.join(here, "bin", "wheelsmith" + suffix)
    if os.path.isfile(packaged):
        return packaged
    from shutil import which

    found = which("wheelsmith")
    if found is None:
        sys.exit(
            "wheelsmith: the program `wheelsmith` is neither in this package nor on PATH; "
            "set WHEELSMITH to its path"
        )
    return found


def _environment():
    """Return the environment with the zig of this Python, which the program cannot find."""
    environment = dict(os.environ)
    if not environment.get("WHEELSMITH_ZIG"):
        from importlib.util import find_spec

        spec = find_spec("ziglang")
        for directory in (spec.submodule_search_locations or []) if spec else []:
            zig = os.path.join(directory, "zig.exe" if os.name == "nt" else "zig")
            if os.path.isfile(zig):
                environment["WHEELSMITH_ZIG"] = zig
                break
    return environment
