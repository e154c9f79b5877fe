"""Runs a command and measures its time and its memory, for the benchmarks in this directory.

The peak that Linux reports for a process is at least that of the process that started it, so a small one
starts the command. Times are those of the command alone.
"""

import os
import subprocess
import sys
import tempfile
from typing import NamedTuple

STARTER = """
import os, subprocess, sys, time
start = time.monotonic()
child = subprocess.Popen(sys.argv[2:])
_, status, usage = os.wait4(child.pid, 0)
with open(sys.argv[1], "w") as out:
    code = os.waitstatus_to_exitcode(status)
    print(time.monotonic() - start, usage.ru_utime, usage.ru_stime, usage.ru_maxrss, code, file=out)
"""


class Usage(NamedTuple):
    """Seconds by the clock, of the processor for the command and for the kernel; peak memory in bytes."""

    wall: float
    user: float
    system: float
    memory: int
    code: int
    said: bytes


def run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options):
    """Run a command; `said` is what it wrote to the streams that are `PIPE`."""
    with tempfile.NamedTemporaryFile("r") as result:
        starter = [sys.executable, "-I", "-S", "-c", STARTER, result.name, *map(os.fspath, command)]
        done = subprocess.run(starter, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, check=True, **options)
        wall, user, system, peak, code = result.read().split()
    # Kilobytes, except on macOS.
    unit = 1 if sys.platform == "darwin" else 1 << 10
    said = (done.stdout or b"") + (done.stderr or b"")
    return Usage(float(wall), float(user), float(system), int(peak) * unit, int(code), said)
