#!/usr/bin/env python3
"""Builds one project for every target of the table, checks every wheel, and runs what this machine can run.

    scripts/targets.py [--quick] [--cold] [--program WHEELSMITH] [TRIPLE…]
    scripts/targets.py --write

    --quick     only the targets that CI builds for each change
    --cold      with an empty cache, so that zig compiles every C library; then once more
    --write     only write the table of docs/reference/targets.md
    TRIPLE      only these targets

The project has a shared library, a static library and programs linked to each, from the C code of
`examples/hostinfo`, and its Rust code if the compiler has a standard library for the target. One
`wheelsmith build --target all` builds everything; a second one must do nothing.
`tests/judges/check_target.py` reads the wheels; programs run natively or under qemu, with the tools of
`scripts/test-env.sh`. Prints a table. The exit code is 1 if a result differs from
docs/reference/targets.md.
"""

import argparse
import json
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
PAGE = REPOSITORY / "docs/reference/targets.md"
BEGIN, END = "<!-- table: scripts/targets.py --write -->", "<!-- end of table -->"
BUDGET_WARM_SECS, BUDGET_COLD_SECS = 60, 25 * 60
ENV = pathlib.Path(os.environ.get("WHEELSMITH_TEST_ENV", REPOSITORY / "target/test-env"))


@dataclass
class Row:
    """A target: the tag of its wheel, how it is tested here, what Rust needs for it."""

    triple: str
    tag: str
    arch: str
    floor: str
    ci: str
    rust: str = "`rustup target add`"
    quick: bool = False
    # Programs run by: qemu's name for the processor, and the directory of its C library.
    qemu: str = ""
    root: str = ""
    earned: str = ""
    faults: list = field(default_factory=list)
    done: list = field(default_factory=list)


NATIVE, QEMU, READ = "executed", "executed under qemu", "inspected"
NONE = "has no such target; C only"
GNU = "unknown-linux-gnu"
MUSL = "unknown-linux-musl"
TWIN = "`rustup target add` for both slices"

ROWS = [
    Row(f"x86_64-{GNU}", "manylinux_2_17_x86_64", "x86_64", "glibc 2.17", NATIVE, quick=True),
    Row(f"aarch64-{GNU}", "manylinux_2_17_aarch64", "aarch64", "glibc 2.17", QEMU, quick=True,
        qemu="aarch64", root="arm64"),
    Row(f"i686-{GNU}", "manylinux_2_17_i686", "i686", "glibc 2.17", QEMU,
        qemu="i386", root="i686-linux-gnu"),
    Row(f"armv7-{GNU}eabihf", "manylinux_2_17_armv7l", "armv7l", "glibc 2.17", QEMU,
        qemu="arm", root="arm-linux-gnueabihf"),
    Row(f"riscv64gc-{GNU}", "manylinux_2_31_riscv64", "riscv64", "glibc 2.31", QEMU,
        qemu="riscv64", root="riscv64-linux-gnu"),
    Row(f"s390x-{GNU}", "manylinux_2_17_s390x", "s390x", "glibc 2.17", QEMU, quick=True,
        qemu="s390x", root="s390x-linux-gnu"),
    Row(f"powerpc64le-{GNU}", "manylinux_2_19_ppc64le", "ppc64le", "glibc 2.19", QEMU,
        qemu="ppc64le", root="powerpc64le-linux-gnu"),
    Row(f"x86_64-{MUSL}", "musllinux_1_2_x86_64", "x86_64", "musl", NATIVE, quick=True),
    Row(f"aarch64-{MUSL}", "musllinux_1_2_aarch64", "aarch64", "musl", QEMU, qemu="aarch64"),
    Row(f"i686-{MUSL}", "musllinux_1_2_i686", "i686", "musl", QEMU, qemu="i386"),
    Row(f"armv7-{MUSL}eabihf", "musllinux_1_2_armv7l", "armv7l", "musl", QEMU, qemu="arm"),
    Row(f"riscv64gc-{MUSL}", "musllinux_1_2_riscv64", "riscv64", "musl", QEMU, qemu="riscv64"),
    Row(f"s390x-{MUSL}", "musllinux_1_2_s390x", "s390x", "musl", QEMU,
        "a standard library that you build", qemu="s390x"),
    Row(f"powerpc64le-{MUSL}", "musllinux_1_2_ppc64le", "ppc64le", "musl", QEMU, qemu="ppc64le"),
    Row("x86_64-apple-darwin", "macosx_10_12_x86_64", "x86_64", "macos 10.12", READ),
    Row("aarch64-apple-darwin", "macosx_11_0_arm64", "aarch64", "macos 11.0", READ),
    Row("universal2-apple-darwin", "macosx_10_12_universal2", "universal2", "macos 10.12", READ,
        TWIN, quick=True),
    Row("x86_64-pc-windows-gnu", "win_amd64", "x86_64", "windows", READ),
    Row("aarch64-pc-windows-gnu", "win_arm64", "aarch64", "windows", READ, NONE),
]  # fmt: skip

CONFIG = """[project]
name = "machine"
version = "1.0"
description = "What the C library says of the machine, for every target"

[tool.wheelsmith]
targets = TARGETS

[[tool.wheelsmith.component]]
name = "platform"
kind = "c-shared"
[[tool.wheelsmith.component.sources]]
files = ["c/platform.c"]
std = "gnu99"

[[tool.wheelsmith.component]]
name = "platform-static"
kind = "c-static"
[[tool.wheelsmith.component.sources]]
files = ["c/platform.c"]
std = "gnu99"

[[tool.wheelsmith.component]]
name = "helper"
kind = "c-executable"
link = ["platform-static"]
[[tool.wheelsmith.component.sources]]
files = ["c/helper.c"]
std = "gnu99"

[[tool.wheelsmith.component]]
name = "linked"
kind = "c-executable"
link = ["platform"]
os = ["linux", "macos"]
[[tool.wheelsmith.component.sources]]
files = ["c/helper.c"]
std = "gnu99"

[[tool.wheelsmith.wheel]]
components = ["platform", "helper", "linked"]
into = "machine/_runtime"
python-source = "src"
"""
PYTHON = '''"""Asks the library of this wheel through ctypes."""

import ctypes
import pathlib

_lib = ctypes.CDLL(str(pathlib.Path(__file__).parent / "_runtime/lib/libplatform.so"))
_lib.platform_machine.restype = ctypes.c_char_p


def machine():
    return _lib.platform_machine().decode()
'''


def table():
    lines = ["| target | tag | floor | C | Rust |", "|---|---|---|---|---|"]
    for row in ROWS:
        floor = row.floor.replace("macos", "macOS").replace("windows", "none").replace("musl", "none")
        ci = f"{row.ci}{', for each change' if row.quick else ''}"
        lines.append(f"| `{row.triple}` | `{row.tag}` | {floor} | {ci} | {row.rust} |")
    return "\n".join(lines)


def page(text):
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n{table()}\n{END}{tail}"


def run(command, **options):
    return subprocess.run(command, capture_output=True, text=True, **options)


def project(directory, triples):
    if directory.exists():
        shutil.rmtree(directory)
    (directory / "src/machine").mkdir(parents=True)
    (directory / "src/machine/__init__.py").write_text(PYTHON)
    shutil.copytree(REPOSITORY / "examples/hostinfo/native/c", directory / "c")
    text = CONFIG.replace("TARGETS", json.dumps(triples))
    (directory / "wheelsmith.toml").write_text(text)


def build(program, directory, targets, env=None):
    """One run: its answer by target, its duration, its output, and its exit code."""
    started, cpu = time.monotonic(), cpu_secs()
    wanted = [part for target in targets for part in ("--target", target)]
    ran = run([program, "build", *wanted, "--format", "json"], cwd=directory, env=env)
    took = f"{time.monotonic() - started:.1f} s ({cpu_secs() - cpu:.1f} s of processors)"
    if ran.returncode not in (0, 1, 2) or not ran.stdout:
        sys.exit(f"{program} build ended with {ran.returncode}\n{ran.stderr}")
    answer = json.loads(ran.stdout)
    if "targets" not in answer:
        sys.exit("\n".join(answer["error"]))
    return {made["target"]: made for made in answer["targets"]}, took, ran.returncode


def cpu_secs():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def wheel_of(row, made):
    """Return the wheel of a target; `None` with a message if there is none."""
    if "error" in made:
        row.faults.append(": ".join(made["error"]))
        return None
    (wheel,) = made["wheels"]
    row.earned = row.earned or wheel["verdict"] or "no tag"
    # A simple wheel can qualify for an older tag than the floor.
    if not wheel["file"] or wheel["tag"] != row.tag:
        row.faults.append(f"its wheel qualifies for {row.earned}, not {wheel['tag']}")
        return None
    return pathlib.Path(wheel["file"]["path"])


def judge(row, wheel):
    judge = REPOSITORY / "tests/judges/check_target.py"
    ran = run([ENV / "judges/bin/python", judge, wheel, row.arch, row.floor])
    if ran.returncode:
        row.faults.append(ran.stderr.strip())
    row.done.append(f"{len(ran.stdout.splitlines())} statements read")


def loader(row):
    """What stands in front of a program; and what loads one that needs libraries: True for the system."""
    emulator = []
    if row.qemu:
        emulator = [ENV / "tools" / f"qemu-{row.qemu}"]
        if not emulator[0].exists():
            emulator = [shutil.which(f"qemu-{row.qemu}-static") or f"qemu-{row.qemu}"]
    if row.floor != "musl":
        root = ENV / "arm64-root" if row.root == "arm64" else ENV / "libc/usr" / row.root
        return [*emulator, *(["-L", root] if row.root else [])], True
    musl = ENV / "tools" / f"ld-musl-{row.arch}"
    return emulator, musl if musl.exists() else None


def execute(row, wheel, directory):
    site = directory / "site" / row.triple
    shutil.rmtree(site, ignore_errors=True)
    shutil.unpack_archive(wheel, site, "zip")
    runtime = site / "machine/_runtime"
    prefix, libraries = loader(row)
    programs = ["helper", "linked"] if libraries else ["helper"]
    for name in programs:
        program = runtime / "bin" / name
        program.chmod(0o755)
        # In musl, the C library and the loader are one file.
        through = [libraries] if row.floor == "musl" and name == "linked" else []
        ran = run([*prefix, *through, program])
        if ran.returncode or "page_size_bytes: " not in ran.stdout:
            row.faults.append(f"`{name}` ended with {ran.returncode}: {ran.stdout}{ran.stderr}")
    python = {f"x86_64-{GNU}": [sys.executable], f"aarch64-{GNU}": arm64_python()}.get(row.triple)
    if python:
        ask = [*python, "-c", "import machine; print(machine.machine())"]
        ran = run(ask, env={**os.environ, "PYTHONPATH": str(site)})
        if ran.stdout.strip() != row.arch:
            row.faults.append(f"its library in Python says {ran.stdout}{ran.stderr}")
        programs.append("the library in Python")
    row.done.append(f"ran {', '.join(programs)}")


def arm64_python():
    root = ENV / "arm64-root"
    qemu = ENV / "tools/qemu-aarch64"
    return [qemu, "-L", root, root / "usr/bin/python3"] if root.exists() else None


def rust(rows, program, directory):
    """The example in Rust, for the targets whose standard library is there."""
    compilers = [compiler for compiler in ("rustc", ENV / "tools/rustc-aarch64") if has(compiler)]
    example = directory / "hostinfo"
    if not example.exists():
        shutil.copytree(
            REPOSITORY / "examples/hostinfo", example, ignore=shutil.ignore_patterns("target", "dist")
        )
    for compiler in compilers:
        ready = [row for row in rows if "rust" not in row.done and has_std(compiler, row)]
        if not ready:
            continue
        env = {**os.environ, "RUSTC": str(compiler)}
        made, _, _ = build(program, example, [row.triple for row in ready], env)
        for row in ready:
            wheel = wheel_of(row, made[row.triple])
            if wheel:
                judge(row, example / wheel)
            row.done[-1:] = ["rust"]


def has(program):
    return run([program, "--version"]).returncode == 0 if shutil.which(program) else False


def has_std(compiler, row):
    triples = [row.triple]
    if row.arch == "universal2":
        triples = ["x86_64-apple-darwin", "aarch64-apple-darwin"]
    for triple in triples:
        ran = run([compiler, "--print", "target-libdir", "--target", triple])
        if ran.returncode or not list(pathlib.Path(ran.stdout.strip()).glob("libstd-*")):
            return False
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--cold", action="store_true")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--program", type=pathlib.Path)
    parser.add_argument("triples", nargs="*", metavar="TRIPLE")
    args = parser.parse_args()
    text = PAGE.read_text(encoding="utf-8")
    if args.write:
        PAGE.write_text(page(text), encoding="utf-8")
        return
    if page(text) != text:
        sys.exit(f"{PAGE.relative_to(REPOSITORY)} is not current: run `scripts/targets.py --write`")
    known = {row.triple for row in ROWS}
    if unknown := set(args.triples) - known:
        sys.exit(f"not in the table: {', '.join(sorted(unknown))}")
    rows = [row for row in ROWS if (row.triple in args.triples) or not args.triples]
    rows = [row for row in rows if row.quick or not args.quick]
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target")).absolute()
    program = (args.program or target / "debug/wheelsmith").absolute()
    directory = target / "targets"
    directory.mkdir(parents=True, exist_ok=True)
    os.environ["PATH"] = f"{ENV / 'tools'}:{os.environ['PATH']}"
    cache = directory / "cache"
    if args.cold:
        shutil.rmtree(cache, ignore_errors=True)
        os.environ["WHEELSMITH_CACHE_DIR"] = str(cache)

    machine = directory / "machine"
    project(machine, [row.triple for row in rows])
    began = time.monotonic()
    first, first_took, code = build(program, machine, ["all"])
    first_secs = time.monotonic() - began
    again, again_took, _ = build(program, machine, ["all"])
    again_secs = time.monotonic() - began - first_secs
    if code != max(2 if "error" in made else 0 for made in first.values()):
        rows[0].faults.append(f"the exit code is {code}, whatever became of the targets")
    for row in rows:
        wheel = wheel_of(row, first[row.triple])
        if not wheel:
            continue
        second = again[row.triple]
        outcomes = {component["outcome"] for component in second.get("components", [])}
        if outcomes != {"up to date"} or second["wheels"] != first[row.triple]["wheels"]:
            row.faults.append(f"a second run did something: {', '.join(sorted(outcomes))}")
        judge(row, machine / wheel)
        if row.ci != READ:
            execute(row, machine / wheel, directory)
    rust(rows, program, directory)

    width = max(len(row.triple) for row in rows)
    for row in rows:
        print(f"{row.triple:{width}}  {row.earned:24} {'FAILED' if row.faults else row.ci:20} {'; '.join(row.done)}")
        for fault in row.faults:
            print("\n".join(f"    {line}" for line in fault.splitlines()))
    how = "cold" if args.cold else "first run"
    print(f"{len(rows)} targets: {how} {first_took}, again {again_took}")
    # The limit holds with --cold only; otherwise the machine may be busy.
    slow = args.cold and (again_secs > BUDGET_WARM_SECS or first_secs > BUDGET_COLD_SECS)
    if slow:
        print(f"more than {BUDGET_COLD_SECS} s cold, or {BUDGET_WARM_SECS} s when nothing changed")
    sys.exit(slow or any(row.faults for row in rows))


main()
