#!/usr/bin/env python3
"""`wheelsmith index build` beside dumb-pypi over the same generated wheels.

    scripts/bench-index.py [--projects N] [--rounds N] [--work DIR] [--ours COMMAND]
                           [--dumb-pypi COMMAND]

Makes N projects (10 000) of three wheels each in DIR (/dev/shm, or where temporary files are), about
3 GB with the sites, and measures, each the least CPU of all rounds, since whatever else the machine does only ever adds
to it:

* the first build: every wheel read and unpacked, copied to the store with its metadata;
* every page written again, digests cached: what dumb-pypi does, which has no store;
* a build when nothing changed;
* one more version of one project;
* dumb-pypi from a list of the files with their digests, which it does not compute; in full, and
  again with the list of the time before.

In memory, since a disk's file system makes new files cost by what was deleted before: ext4 was seen
to take ten times as long. For the same reason sites are moved away, not deleted, between rounds.
The exit code is 1 when a promise is not kept (see PROMISES).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import NamedTuple, Sequence

REPOSITORY = Path(__file__).resolve().parent.parent

# CPU in seconds; peak memory in MiB.
PROMISES = {"all pages": 1.0, "nothing changed": 0.15, "memory": 200.0}


class Cost(NamedTuple):
    wall: float
    cpu: float
    memory: float


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--projects", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--ours", default=f"{REPOSITORY}/target/release/wheelsmith")
    parser.add_argument("--dumb-pypi", default="dumb-pypi")
    memory = "/dev/shm"
    parser.add_argument("--work", default=memory if os.path.isdir(memory) else None)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="wheelsmith-bench-", dir=options.work) as directory:
        work = Path(directory)
        dist, site, theirs = work / "dist", work / "site", work / "theirs"
        names = generate(dist, options.projects)
        print(f"{options.projects} projects, {len(names)} wheels")
        listing = package_list(work / "packages.json", dist, names)
        # Stamps of the same moment are not trusted.
        time.sleep(1.1)
        build = [*shlex.split(options.ours), "index", "build", "--dir", str(dist), "--out", str(site)]
        dumb = [
            *shlex.split(options.dumb_pypi),
            "--package-list-json", str(listing),
            "--packages-url", "../../pool/",
            "--output-dir", str(theirs),
            "--no-generate-timestamp",
        ]
        best: dict[str, Cost] = {}
        keep(best, "first build", run(build))
        keep(best, "settle", run(build))
        for at in range(options.rounds):
            (site / "simple").rename(work / f"old-{at}")
            keep(best, "all pages", run(build))
            time.sleep(0.1)
            keep(best, "settle", run(build))
            keep(best, "nothing changed", run(build))
            wheel(dist, "gen_project_00000", f"3.{at}.0", at)
            keep(best, "one more version", run(build))
            if shutil.which(shlex.split(options.dumb_pypi)[0]):
                if theirs.exists():
                    theirs.rename(work / f"old-theirs-{at}")
                keep(best, "dumb-pypi, all pages", run(dumb))
                again = [*dumb, "--previous-package-list-json", str(listing)]
                keep(best, "dumb-pypi, nothing changed", run(again))
        del best["settle"]
    for name, cost in best.items():
        print(f"{name:27} cpu {cost.cpu:7.3f} s  wall {cost.wall:7.3f} s  peak {cost.memory:5.0f} MiB")
    got = {name: best[name].cpu for name in ("all pages", "nothing changed")}
    got["memory"] = max(cost.memory for name, cost in best.items() if "dumb" not in name)
    for name, bound in PROMISES.items():
        verdict = "ok" if got[name] <= bound else "MISSED"
        print(f"{name:16} {got[name]:7.2f}  promised {bound:6.2f}  {verdict}")
    return 0 if all(got[name] <= bound for name, bound in PROMISES.items()) else 1


def generate(dist: Path, projects: int) -> list[str]:
    dist.mkdir()
    names = []
    for number in range(projects):
        for version in ("1.0.0", "1.1.0", "2.0.0"):
            names.append(wheel(dist, f"gen_project_{number:05d}", version, number))
    return names


def wheel(dist: Path, name: str, version: str, number: int) -> str:
    filename = f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(dist / filename, "w") as archive:
        for member, text in {
            f"{name}.py": f"number = {number}\n",
            f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
            f"Summary: Generated project number {number}\nRequires-Python: >=3.8\n\n",
            f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            f"{info}/RECORD": "",
        }.items():
            archive.writestr(zipfile.ZipInfo(member), text)
    return filename


def package_list(path: Path, dist: Path, names: Sequence[str]) -> Path:
    with path.open("w") as file:
        for name in names:
            digest = hashlib.sha256((dist / name).read_bytes()).hexdigest()
            entry = {"filename": name, "hash": f"sha256={digest}", "requires_python": ">=3.8"}
            print(json.dumps(entry), file=file)
    return path


def keep(best: dict[str, Cost], name: str, cost: Cost) -> None:
    old = best.get(name, cost)
    best[name] = Cost(min(old.wall, cost.wall), min(old.cpu, cost.cpu), max(old.memory, cost.memory))


def run(command: Sequence[str]) -> Cost:
    """Runs a command to its good end."""
    start = time.perf_counter()
    # A process of its own, so that its peak memory is not that of an earlier one.
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - start
    if child.returncode != 0:
        sys.exit(f"{shlex.join(command[:3])} … ended with {child.returncode}")
    # Kilobytes, except on macOS.
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / unit)


if __name__ == "__main__":
    sys.exit(main())
