"""Tests an installed pair of packages: ``python -m tally.selftest``."""

from __future__ import annotations

import subprocess
from importlib.metadata import version

import tally
from tally_core import PROGRAM


def main() -> None:
    expected = {"lines": 1, "words": 2, "bytes": 13}
    found = tally.count("hello world!\n")
    if found != expected:
        raise SystemExit(f"tally counts {found}, not {expected}")
    versions = {tally.__version__, version("tally"), version("tally-core")}
    if len(versions) != 1:
        raise SystemExit(f"the packages have several versions: {sorted(versions)}")
    said = subprocess.run([str(PROGRAM), "--version"], stdout=subprocess.PIPE, check=True)
    print("tally", tally.__version__, "with program", said.stdout.decode().split()[1])


if __name__ == "__main__":
    main()
