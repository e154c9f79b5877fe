#!/usr/bin/env python3
"""Compares the archives of `wheelsmith tree build` with those of gzip and zstd, in seconds, bytes and memory.

usage: bench-tree.py WHEELSMITH DIRECTORY PREFIX

DIRECTORY is an installation that was configured for PREFIX, such as a Python. The seconds of wheelsmith are
those of the whole command: it reads, scans, rewrites and packs every file. The cache of compressed pieces is
empty. Exits with 1 if gzip is not twice as fast as `gzip -9`, or is more than 1.5 % larger, or if zstd is
larger than `zstd -3`.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CONFIGURATION = """[project]
name = "tree"
version = "1"
[tool.wheelsmith]
wheel = []
targets = ["x86_64-unknown-linux-gnu"]
[[tool.wheelsmith.tree]]
dir = "stage"
prefix = "{prefix}"
formats = ["{format}"]
allow = [{{ path = "**", reason = "measured only" }}]
"""


def measured(command, cwd, **options):
    """Runs a command and returns its wall time, CPU time and peak memory in MiB."""
    start = time.monotonic()
    child = subprocess.Popen(command, cwd=cwd, **options)
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.monotonic() - start
    if status:
        sys.exit(f"{command} ended with {status}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main():
    program, directory, prefix = (sys.argv + [""] * 3)[1:4]
    if not prefix:
        sys.exit(__doc__)
    program = Path(program).resolve()
    with tempfile.TemporaryDirectory() as work:
        work = Path(work)
        (work / "stage").symlink_to(Path(directory).resolve())
        rows, tar = {}, work / "plain.tar"
        for format in ["tar.gz", "tar.zst"]:
            (work / "wheelsmith.toml").write_text(CONFIGURATION.format(prefix=prefix, format=format))
            env = dict(os.environ, WHEELSMITH_CACHE_DIR=str(work / f"cache-{format}"))
            figures = measured([program, "-q", "tree", "build"], work, env=env, stdout=subprocess.DEVNULL)
            archive = next((work / "dist").glob(f"*.{format}"))
            rows[f"wheelsmith {format}"] = (archive.stat().st_size, *figures)
            if not tar.exists():
                with tar.open("wb") as out:
                    subprocess.run(["gzip", "-dc", archive], stdout=out, check=True)
        for command in [["gzip", "-9"], ["gzip", "-6"], ["zstd", "-q", "-3", "-T2"]]:
            with tar.open("rb") as plain, (work / "out").open("wb") as out:
                figures = measured(command, work, stdin=plain, stdout=out)
            rows[" ".join(command)] = ((work / "out").stat().st_size, *figures)
        print(f"{tar.stat().st_size / 1e6:.1f} MB of tar")
        for name, (size, wall, cpu, memory) in rows.items():
            print(f"{name:20} {size / 1e6:7.2f} MB {wall:7.2f} s {cpu:7.2f} s CPU {memory:6.0f} MiB")
        ours, theirs = rows["wheelsmith tar.gz"], rows["gzip -9"]
        zst, zst3 = rows["wheelsmith tar.zst"], rows["zstd -q -3 -T2"]
        wrong = []
        if ours[1] * 2 > theirs[1]:
            wrong.append("gzip is not twice as fast as `gzip -9`")
        if ours[0] > theirs[0] * 1.015:
            wrong.append("gzip is more than 1.5 % larger")
        if zst[0] > zst3[0]:
            wrong.append("zstd is larger than `zstd -3`")
        sys.exit("\n".join(wrong) or 0)


main()
