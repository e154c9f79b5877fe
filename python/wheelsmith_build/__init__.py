"""A build backend (PEP 517, PEP 660): hands every question to the program `wheelsmith`.

The program is `WHEELSMITH` when that is set, else the one in this package, else the one on `PATH`.
It leaves its answer in a file, so nothing depends on what it or its children print.
"""

import json
import os
import subprocess
import sys
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
    """What must be installed first: a compiler, when one is needed and none is there."""
    return _ask(["backend", "requires"], config_settings, _TARGET)["requires"]


def get_requires_for_build_editable(config_settings=None):
    """The same as for a wheel: an editable installation is compiled as well."""
    return get_requires_for_build_wheel(config_settings)


def get_requires_for_build_sdist(config_settings=None):
    """Nothing: the sources are packed as they are."""
    return []


def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    """Write the `.dist-info` of the wheel, and give its name."""
    command = ["backend", "metadata", "--out", metadata_directory]
    answer = _ask(command, config_settings, _TARGET + _SOURCES + _WHEEL)
    return os.path.basename(answer["directory"])


def prepare_metadata_for_build_editable(metadata_directory, config_settings=None):
    """The same as for a wheel."""
    return prepare_metadata_for_build_wheel(metadata_directory, config_settings)


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    """Build the wheel, and give the name of the file."""
    return _wheel(["build", "--out", wheel_directory], config_settings)


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    """Build a wheel that lets Python import from the project itself, and give its name."""
    return _wheel(["build", "--editable", "--out", wheel_directory], config_settings)


def build_sdist(sdist_directory, config_settings=None):
    """Write the source distribution, and give the name of the file."""
    answer = _ask(["sdist", "--out", sdist_directory], config_settings, ())
    return os.path.basename(answer["sdist"]["path"])


# Which settings each command of the program takes.
_TARGET = ("target", "floor")
_SOURCES = ("offline", "locked")
_WHEEL = ("features", "wheel", "compression")


def _wheel(command, config_settings):
    answer = _ask(command, config_settings, _TARGET + _SOURCES + _WHEEL)
    wheels = [wheel for made in answer["targets"] for wheel in made.get("wheels", [])]
    if len(wheels) != 1:
        names = ", ".join(wheel["name"] for wheel in wheels) or "none"
        sys.exit(
            "wheelsmith: an installer wants one wheel, and the project makes: {}. Name one with "
            "the setting `wheel`, or build with the program.".format(names)
        )
    return os.path.basename(wheels[0]["file"]["path"])


def _ask(command, config_settings, takes):
    """Run the program in the project, which is the current directory, and read its answer."""
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
            # The program has said why; a traceback of ours would only hide it.
            sys.exit(code if code > 0 else 1)
        with open(result, encoding="utf-8") as file:
            return json.load(file)
    finally:
        os.unlink(result)


def program():
    """The path of the program."""
    named = os.environ.get("WHEELSMITH")
    if named:
        return named
    suffix = ".exe" if os.name == "nt" else ""
    here = os.path.dirname(os.path.abspath(__file__))
    ours = os.path.join(here, "bin", "wheelsmith" + suffix)
    if os.path.isfile(ours):
        return ours
    from shutil import which

    found = which("wheelsmith")
    if found is None:
        sys.exit(
            "wheelsmith: the program `wheelsmith` is neither in this package nor on PATH; "
            "set WHEELSMITH to its path"
        )
    return found


def _environment():
    """The environment with the zig of this Python, which the program could not find by itself."""
    environment = dict(os.environ)
    if not environment.get("WHEELSMITH_ZIG"):
        from importlib.util import find_spec

        spec = find_spec("ziglang")
        for place in (spec.submodule_search_locations or []) if spec else []:
            zig = os.path.join(place, "zig.exe" if os.name == "nt" else "zig")
            if os.path.isfile(zig):
                environment["WHEELSMITH_ZIG"] = zig
                break
    return environment
