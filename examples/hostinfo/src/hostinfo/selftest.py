"""``python -m hostinfo.selftest``: the library and both programs work and agree.

Plain asserts and no privileges. Under an emulator the kernel cannot start the programs, which are
foreign to it: ``HOSTINFO_EXEC_PREFIX`` then names the emulator with its arguments.
"""

from __future__ import annotations

import ctypes
import json
import os
import platform
import subprocess
from typing import Dict

import hostinfo


def run(*arguments: str) -> str:
    prefix = os.environ.get("HOSTINFO_EXEC_PREFIX", "").split()
    command = [*prefix, str(hostinfo.PROGRAM), *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def table(text: str) -> Dict[str, str]:
    return dict(line.split(": ", 1) for line in text.splitlines())


def check_library() -> None:
    facts = hostinfo.info()
    assert facts["pointer_bits"] == ctypes.sizeof(ctypes.c_void_p) * 8, facts
    assert facts["cpus"] >= 1, facts
    if platform.system() != "Windows":
        assert facts["page_size_bytes"] == os.sysconf("SC_PAGE_SIZE"), facts
    arch = {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine().lower())
    assert facts["arch"] == (arch or platform.machine()), facts


def check_program() -> None:
    assert os.access(hostinfo.PROGRAM, os.X_OK), f"{hostinfo.PROGRAM} is not executable"
    assert run("--version").startswith("hostinfo ")
    facts = hostinfo.info()
    assert json.loads(run("--json")) == facts
    assert table(run())["arch"] == facts["arch"]


def check_helper() -> None:
    said = table(run("--helper"))
    assert said["machine"] == platform.machine(), said
    if platform.system() != "Windows":
        assert int(said["page_size_bytes"]) == os.sysconf("SC_PAGE_SIZE"), said


def main() -> None:
    for check in (check_library, check_program, check_helper):
        check()
    print(f"hostinfo: library and programs work on {platform.machine()}")


if __name__ == "__main__":
    main()
