#!/usr/bin/env python3
"""Compares `wheelsmith index build` with dumb-pypi on the same generated wheels.

    scripts/bench-index.py [--projects N] [--rounds N] [--work DIR]… [--ours COMMAND]
                           [--dumb-pypi COMMAND] [--record]

Makes N projects (10 000) of three wheels each in each DIR and measures the following; each value is the
least CPU of all rounds, because other load only adds to it:

* the first build: every wheel is read, unpacked, and copied to the store with its metadata;
* writing every page again with cached digests, as dumb-pypi does, which has no store;
* a build without changes;
* one more version of one project;
* the time of the kernel to make as many directories and files;
* dumb-pypi from a list of the files with their digests, which it does not compute: in full, and again
  with the previous list.

By default DIR is memory (/dev/shm) and the directory for temporary files, a disk on most machines; it
needs 1 GB. On a disk, new files take longer after others were deleted (ten times as long on ext4), so
sites are moved away between rounds, not deleted. `--record` writes the table to docs/benchmarks.md. The
exit code is 1 if a goal is not reached (see GOALS).
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import shlex
import shutil
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import NamedTuple, Sequence

REPOSITORY = Path(__file__).resolve().parent.parent

# CPU in seconds; peak memory in MiB.
GOALS = {"all pages": 1.0, "nothing changed": 0.15, "memory": 200.0}

# Names of the rows in the page of benchmarks.
ROWS = {
    "first build": "first build: 30 000 wheels unpacked and copied, 30 000 metadata files, 20 002 pages",
    "all pages": "every page again, digests cached",
    "nothing changed": "nothing changed",
    "one more version": "one more version",
    "bare": "the kernel's part of making 10 000 directories and 20 000 files",
    "dumb-pypi, all pages": "dumb-pypi, every page",
    "dumb-pypi, nothing changed": "dumb-pypi, nothing changed",
}
# The number of directories and files of the pages, with a usual size.
BARE = """
import os, sys

import measured
os.mkdir(sys.argv[1])
for number in range(int(sys.argv[2])):
    place = f"{sys.argv[1]}/gen-project-{number:05d}"
    os.mkdir(place)
    for name, size in (("index.html", 3000), ("index.json", 1300)):
        file = os.open(f"{place}/{name}", os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
        os.write(file, bytes(size))
        os.close(file)
"""
BEGIN, END = "<!-- made by scripts/bench-index.py -->", "<!-- end -->\n"


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
    parser.add_argument("--work", action="append", default=[])
    parser.add_argument("--record", action="store_true")
    options = parser.parse_args()
    places = options.work or [*filter(os.path.isdir, ["/dev/shm"]), tempfile.gettempdir()]
    found, good = {}, True
    # File systems are slow for a while after many files were deleted.
    with contextlib.ExitStack() as stack:
        for place in places:
            made = tempfile.TemporaryDirectory(prefix="wheelsmith-bench-", dir=place)
            directory = stack.enter_context(made)
            name = file_system(directory)
            print(f"{name}: {options.projects} projects", flush=True)
            found[name] = measure(Path(directory), options)
            good &= judge(found[name])
        table = render(found)
        print(table, end="", flush=True)
        if options.record:
            page = REPOSITORY / "docs/benchmarks.md"
            before, rest = page.read_text().split(BEGIN)
            page.write_text(f"{before}{BEGIN}\n{table}{END}{rest.split(END)[1]}")
    return 0 if good else 1


def measure(work: Path, options: argparse.Namespace) -> dict[str, Cost]:
    dist, site, theirs = work / "dist", work / "site", work / "theirs"
    names = generate(dist, options.projects)
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
    run(build)
    for at in range(options.rounds):
        (site / "simple").rename(work / f"old-{at}")
        keep(best, "all pages", run(build))
        time.sleep(0.1)
        run(build)
        keep(best, "nothing changed", run(build))
        wheel(dist, "gen_project_00000", f"3.{at}.0", at)
        keep(best, "one more version", run(build))
        bare = [sys.executable, "-c", BARE, str(work / f"bare-{at}"), str(options.projects)]
        keep(best, "bare", run(bare, kernel_only=True))
        if shutil.which(shlex.split(options.dumb_pypi)[0]):
            if theirs.exists():
                theirs.rename(work / f"old-theirs-{at}")
            keep(best, "dumb-pypi, all pages", run(dumb))
            again = [*dumb, "--previous-package-list-json", str(listing)]
            keep(best, "dumb-pypi, nothing changed", run(again))
    for name, cost in best.items():
        print(f"{name:27} cpu {cost.cpu:7.3f} s  wall {cost.wall:7.3f} s  peak {cost.memory:5.0f} MiB")
    return best


def judge(best: dict[str, Cost]) -> bool:
    got = {name: best[name].cpu for name in ("all pages", "nothing changed")}
    ours = ("first build", "all pages", "nothing changed", "one more version")
    got["memory"] = max(best[name].memory for name in ours)
    for name, bound in GOALS.items():
        verdict = "ok" if got[name] <= bound else "MISSED"
        print(f"{name:16} {got[name]:7.2f}  limit {bound:6.2f}  {verdict}")
    return all(got[name] <= bound for name, bound in GOALS.items())


def render(found: dict[str, dict[str, Cost]]) -> str:
    """A table in Markdown: CPU, wall time and peak memory in each place."""
    head = "".join(f" CPU, {name} | wall | peak |" for name in found)
    lines = [f"| |{head}", "|---|" + "---|" * 3 * len(found)]
    for row, label in ROWS.items():
        costs = [best[row] for best in found.values() if row in best]
        cells = "".join(f" {c.cpu:.2f} s | {c.wall:.2f} s | {c.memory:.0f} MiB |" for c in costs)
        if costs:
            lines.append(f"| {label} |{cells}")
    return "\n".join(lines) + "\n"


def file_system(directory: str) -> str:
    """The kind of file system that a directory is on: `ext4`, `tmpfs`."""
    try:
        mounts = Path("/proc/mounts").read_text().splitlines()
    except OSError:
        return directory
    found = {line.split()[1]: line.split()[2] for line in mounts}
    place = Path(directory).resolve()
    return next(found[str(p)] for p in [place, *place.parents] if str(p) in found)


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


def run(command: Sequence[str], kernel_only: bool = False) -> Cost:
    """Run a command that must succeed."""
    used = measured.run(command)
    if used.code != 0:
        sys.exit(f"{shlex.join(command[:3])} … ended with {used.code}")
    cpu = used.system + (0 if kernel_only else used.user)
    return Cost(used.wall, cpu, used.memory / (1 << 20))


if __name__ == "__main__":
    sys.exit(main())
