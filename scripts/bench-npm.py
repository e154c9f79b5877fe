#!/usr/bin/env python3
"""Compares the time to pack a runtime of 207 MB as a wheel and as an npm package.

    scripts/bench-npm.py [--ours FILE] [--rounds N] FILE…

The runtime is one file with the bytes of the given files, up to 207 MB; programs are a good choice. It is
built once, and then packed: as a wheel, and as npm packages, each with an empty cache of compressed pieces, and
as npm packages after the wheel, with its cache. The commands run in turns. The table
has the least wall and CPU time. The exit code is 1 if npm needs more than 1.2 times the wheel's CPU time.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

import measured

REPOSITORY = Path(__file__).resolve().parent.parent
SIZE = 207_000_000
MOST_RATIO = 1.2
TARGET = "x86_64-unknown-linux-gnu"
CONFIG = f"""\
[project]
name = "big"
version = "1.0.0"
description = "A large runtime"
license = "MIT"

[tool.wheelsmith]
targets = ["{TARGET}"]

[[tool.wheelsmith.component]]
name = "big"
kind = "files"
outputs = [{{ from = "big.bin", role = "data" }}]
"""
NPM = """
[[tool.wheelsmith.npm]]
name = "@example/big"
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ours", type=Path, default=REPOSITORY / "target/release/wheelsmith")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("files", type=Path, nargs="+")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        project = Path(directory, "project")
        project.mkdir()
        size = fill(project / "big.bin", options.files)
        if size < SIZE:
            sys.exit(f"the files have {size:,} bytes together, less than {SIZE:,}")

        def pack(what: list[str], cache: str) -> measured.Usage:
            (project / "wheelsmith.toml").write_text(CONFIG + (NPM if "npm" in what else ""))
            shutil.rmtree(project / "dist", ignore_errors=True)
            env = {**os.environ, "WHEELSMITH_CACHE_DIR": str(Path(directory, cache))}
            used = measured.run([options.ours.resolve(), "--quiet", *what], cwd=project, env=env, stderr=None)
            if used.code != 0:
                sys.exit(f"`wheelsmith {' '.join(what)}` ended with {used.code}")
            return used

        pack(["build", "--runtime-only"], "first")
        wheel, npm = ["build"], ["pack", "npm", "--no-build"]
        rows: dict[str, list[measured.Usage]] = {"wheel": [], "npm": [], "npm after the wheel": []}
        for number in range(options.rounds):
            rows["wheel"].append(pack(wheel, f"wheel-{number}"))
            rows["npm"].append(pack(npm, f"npm-{number}"))
            rows["npm after the wheel"].append(pack(npm, f"wheel-{number}"))
        best = {name: min(used.user + used.system for used in runs) for name, runs in rows.items()}
        print(f"| {size / 1e6:.0f} MB packed as | wall | CPU | CPU compared with the wheel |\n|---|---|---|---|")
        for name, runs in rows.items():
            wall = min(used.wall for used in runs)
            print(f"| {name} | {wall:.2f} s | {best[name]:.2f} s | {best[name] / best['wheel']:.2f} |")
        return 0 if best["npm"] <= MOST_RATIO * best["wheel"] else 1


def fill(path: Path, files: list[Path]) -> int:
    """Write the bytes of `files` to `path`, at most SIZE of them, and return their number."""
    with path.open("wb") as out:
        # It must not begin as a program does, which the audit would judge.
        size = out.write(b"data\n")
        for file in files:
            with file.open("rb") as part:
                while size < SIZE and (piece := part.read(min(1 << 20, SIZE - size))):
                    size += out.write(piece)
    return size


if __name__ == "__main__":
    sys.exit(main())
