#!/usr/bin/env python3
"""Compares the CPU of `wheelsmith build` with that of the compiler and linker alone.

    scripts/bench-build.py [--rounds N] [--jobs N] [--target TRIPLE] [--zig FILE] [--program FILE]

Builds examples/tinybpf without objects and without zig's cache (zig and the source are downloaded
before), alternately with wheelsmith and with equivalent zig commands, with the same number of jobs. The
commands are written down here, independently of wheelsmith. Then measures a build without changes, and
one with a single changed C file.

CPU is user and system time of a process and its children, in seconds: the least of all rounds, because
other load only adds to it. The exit code is 1 if a goal is not reached (see GOALS).
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Dict, List, NamedTuple, Sequence

REPOSITORY = Path(__file__).resolve().parent.parent
CRATE, VERSION = "libbpf-sys", "1.7.0+v1.7.0"

# Cold build against bare commands, as a ratio; build with nothing to do, in CPU seconds.
GOALS = {"ratio": 1.15, "no-op": 0.2}

# Files and their flags, as in the README files and Makefiles of the three projects.
GROUPS: Sequence = (
    (
        "libbpf/src/*.c",
        "-std=gnu89 -fvisibility=hidden -DSHARED -D_LARGEFILE64_SOURCE -D_FILE_OFFSET_BITS=64 "
        "-Ilibbpf/include -Ilibbpf/include/uapi -Ielfutils/libelf -Izlib",
    ),
    (
        "elfutils/libelf/*.c",
        "-std=gnu99 -D_GNU_SOURCE -DHAVE_CONFIG_H -D_FILE_OFFSET_BITS=64 "
        "-I{native} -Ielfutils/lib -Ielfutils/libelf -Izlib",
    ),
    (
        "zlib/*.c",
        "-DHAVE_HIDDEN -DZ_HAVE_UNISTD_H -D_LARGEFILE64_SOURCE=1 -Wno-deprecated-non-prototype",
    ),
)
COMMON = "-target {zig_target} -O2 -g0 -fno-sanitize=all"
LINK = (
    "-shared -Wl,-soname,libbpf.so.1 -Wl,--version-script=libbpf/src/libbpf.map "
    "-Wl,-z,relro,-z,now -Wl,-z,defs -Wl,-s"
)


class Cost(NamedTuple):
    cpu: float
    wall: float


def measured(action) -> Cost:
    def children() -> float:
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    cpu, wall = children(), time.monotonic()
    action()
    return Cost(children() - cpu, time.monotonic() - wall)


def run(command: Sequence[str], **options) -> None:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)
    if done.returncode != 0:
        sys.stderr.write(done.stdout.decode(errors="replace"))
        raise SystemExit(f"error: `{' '.join(map(str, command))}` ended with {done.returncode}")


def crate_source(scratch: Path) -> Path:
    """The packaged source of the crate, as cargo unpacks it."""
    (scratch / "src").mkdir(parents=True)
    (scratch / "src" / "lib.rs").touch()
    (scratch / "Cargo.toml").write_text(
        '[package]\nname = "scratch"\nversion = "0.0.0"\nedition = "2021"\n'
        f'[workspace]\n[dependencies]\n{CRATE} = "={VERSION.split("+")[0]}"\n'
    )
    run(["cargo", "fetch", "--quiet"], cwd=scratch)
    listing = subprocess.check_output(["cargo", "metadata", "--format-version=1"], cwd=scratch)
    for package in json.loads(listing)["packages"]:
        if package["name"] == CRATE and package["version"] == VERSION:
            return Path(package["manifest_path"]).parent
    raise SystemExit(f"error: cargo has no {CRATE} {VERSION}")


def bare(zig: str, source: Path, native: Path, target: str, jobs: int, scratch: Path) -> None:
    arch = target.split("-")[0]
    common = COMMON.format(zig_target=f"{arch}-linux-gnu.2.17").split()
    compiles: List[List[str]] = []
    objects: List[str] = []
    for pattern, flags in GROUPS:
        for file in sorted(source.glob(pattern)):
            name = file.relative_to(source)
            objects.append(str(scratch / (str(name).replace("/", "-") + ".o")))
            compiles.append(
                [zig, "cc", *common, "-fPIC", f"-ffile-prefix-map={source}=."]
                + flags.format(native=native).split()
                # Anything that rebuilds asks for the headers. It also turns off zig's own cache of
                # objects; without it the bare side would do more work, and the ratio flatter us.
                + ["-MD", "-MF", objects[-1] + ".d", "-c", str(name), "-o", objects[-1]]
            )
    env = with_zig_cache(scratch)
    with ThreadPoolExecutor(jobs) as pool:
        list(pool.map(lambda command: run(command, cwd=source, env=env), compiles))
    output = str(scratch / "libbpf.so.1")
    run([zig, "cc", *common, *LINK.split(), *objects, "-o", output], cwd=source, env=env)


def with_zig_cache(scratch: Path, **more: str) -> Dict[str, str]:
    cache = str(scratch / "zig-cache")
    return {**os.environ, "ZIG_GLOBAL_CACHE_DIR": cache, "ZIG_LOCAL_CACHE_DIR": cache, **more}


def project(scratch: Path, source: Path) -> Path:
    """The example with its source inside, so that a file of it can be changed."""
    copy = scratch / "tinybpf"
    ignored = shutil.ignore_patterns("target", "dist", "__pycache__")
    shutil.copytree(REPOSITORY / "examples" / "tinybpf", copy, ignore=ignored)
    shutil.copytree(source, copy / "vendor")
    file = copy / "pyproject.toml"
    text = file.read_text()
    pinned = f'source = {{ crate = "{CRATE}", version = "{VERSION}" }}'
    assert pinned in text, "the example's source is written another way now"
    file.write_text(text.replace(pinned, 'source = { path = "vendor" }'))
    return copy


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--target", default="x86_64-unknown-linux-gnu")
    parser.add_argument("--zig", help="default: the test environment's, or the one on PATH")
    parser.add_argument("--program", help="default: a release build of this repository")
    return parser.parse_args()


def find_zig() -> str:
    environment = os.environ.get("WHEELSMITH_TEST_ENV", str(REPOSITORY / "target" / "test-env"))
    ours = Path(environment) / "tools" / "zig"
    found = str(ours.resolve()) if ours.exists() else shutil.which("zig")
    if not found:
        raise SystemExit("error: no zig; run scripts/test-env.sh, or name one with --zig")
    return found


def find_program() -> str:
    run(["cargo", "build", "--release", "--locked", "-p", "wheelsmith-cli"], cwd=REPOSITORY)
    target = os.environ.get("CARGO_TARGET_DIR", str(REPOSITORY / "target"))
    return str(Path(target) / "release" / "wheelsmith")


def main() -> int:
    arguments = parse_arguments()
    zig = arguments.zig or find_zig()
    program = os.path.abspath(arguments.program or find_program())
    for file in (zig, program):
        if not os.access(file, os.X_OK):
            raise SystemExit(f"error: `{file}` is not a program")
    costs: Dict[str, List[Cost]] = {"bare": [], "wheelsmith": [], "no-op": [], "one file": []}
    with tempfile.TemporaryDirectory(prefix="bench-build-") as temporary:
        root = Path(temporary)
        source = crate_source(root / "crate")
        native = REPOSITORY / "examples" / "tinybpf" / "native"
        for number in range(arguments.rounds):
            scratch = root / f"round-{number}"
            (scratch / "bare").mkdir(parents=True)
            copy = project(scratch, source)
            command = [program, "build", str(copy), "--target", arguments.target]
            command += ["--jobs", str(arguments.jobs), "--out", str(scratch / "dist")]
            env = with_zig_cache(scratch, WHEELSMITH_ZIG=zig)

            def build() -> None:
                run(command, env=env)

            def build_bare() -> None:
                bare(zig, source, native, arguments.target, arguments.jobs, scratch / "bare")

            # Alternately, so that changes of the machine's speed affect both.
            pair = [("bare", build_bare), ("wheelsmith", build)]
            for name, action in pair if number % 2 == 0 else reversed(pair):
                costs[name].append(measured(action))
            costs["no-op"].append(measured(build))
            with (copy / "vendor" / "libbpf" / "src" / "ringbuf.c").open("a") as file:
                file.write(f"/* round {number} */\n")
            costs["one file"].append(measured(build))
            shutil.rmtree(scratch)

    print(f"tinybpf for {arguments.target}, {arguments.jobs} jobs, least of {arguments.rounds}")
    least = {}
    for name, list_ in costs.items():
        least[name] = min(cost.cpu for cost in list_)
        wall = min(cost.wall for cost in list_)
        every = ", ".join(f"{cost.cpu:.2f}" for cost in list_)
        print(f"  {name:<12} {least[name]:7.2f} s CPU  {wall:7.2f} s wall    (CPU: {every})")
    results = {"ratio": least["wheelsmith"] / least["bare"], "no-op": least["no-op"]}
    kept = True
    for name, limit in GOALS.items():
        verdict = "kept" if results[name] <= limit else "NOT KEPT"
        kept = kept and results[name] <= limit
        print(f"  {name:<12} {results[name]:7.3f}    limit: {limit}: {verdict}")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
