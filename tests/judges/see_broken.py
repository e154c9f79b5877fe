"""What other tools make of broken wheels: `see_broken.py DIRECTORY`, with a wheel in each directory
below it.

Prints JSON: directory -> tool -> why it refuses the wheel, or null. A wheel that is for another
machine is no reason. The tools run in this process where they can, since there are many wheels."""

import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ.update(PIP_NO_INDEX="1", PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_NO_CACHE_DIR="1")
os.environ.update(UV_OFFLINE="1", UV_NO_INDEX="1", UV_NO_CONFIG="1", PIP_CONFIG_FILE=os.devnull)
BIN = Path(sys.executable).parent


def twine(wheel, _):
    from twine.commands.check import check

    with contextlib.redirect_stdout(io.StringIO()):
        return "it failed" if check([str(wheel)]) else None


def check_wheel_contents(wheel, _):
    from check_wheel_contents.__main__ import main
    from click.testing import CliRunner

    run = CliRunner().invoke(main, ["--no-config", str(wheel)])
    return (run.output or repr(run.exception)) if run.exit_code else None


def installer(wheel, place):
    import installer
    from installer.destinations import SchemeDictionaryDestination
    from installer.sources import WheelFile

    names = ["purelib", "platlib", "headers", "scripts", "data"]
    schemes = {name: str(place / name) for name in names}
    with WheelFile.open(wheel) as source:
        source.validate_record()
        destination = SchemeDictionaryDestination(schemes, sys.executable, "posix")
        installer.install(source, destination, {})


def pip(wheel, place):
    from pip._internal.cli.main import main

    words = ["install", "--no-deps", "--no-compile", "--quiet", "--target", str(place), str(wheel)]
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
        code = main(words)
    return said.getvalue() or "refused" if code else None


def uv(wheel, place):
    words = ["uv", "pip", "install", "--no-deps", "--quiet", "--python", sys.executable]
    words[0] = str(BIN / "uv")
    run = subprocess.run(words + ["--target", place, wheel], capture_output=True, text=True)
    return run.stderr or "refused" if run.returncode else None


FOREIGN = ["not a supported wheel on this platform", "not compatible with the current"]
FOREIGN += ["has no wheels with a matching", "incompatible with"]


def ask(tool, wheel):
    with tempfile.TemporaryDirectory() as place:
        try:
            why = tool(wheel, Path(place))
        except (Exception, SystemExit) as error:
            why = "{}: {}".format(type(error).__name__, error)
    if why and any(words in why for words in FOREIGN):
        return None
    return why


def main():
    answers = {}
    for wheel in sorted(Path(sys.argv[1]).glob("*/*.whl")):
        tools = [twine, check_wheel_contents, installer, pip, uv]
        answers[wheel.parent.name] = {tool.__name__: ask(tool, wheel) for tool in tools}
    json.dump(answers, sys.stdout)


main()
