#!/usr/bin/env python3
"""Compares the speed of `wheelsmith audit` with `auditwheel show` on the same Linux wheels.

    scripts/bench-audit.py DIRECTORY [--rounds N] [--jobs N] [--ours COMMAND] [--auditwheel COMMAND]

Measures the following; each value is the least of all rounds, because other load only adds to it:

* wall time and CPU of one `wheelsmith audit` over all wheels;
* wall time and CPU of one `auditwheel show --ldpaths ""` for each wheel, `--jobs` in parallel;
* CPU of inflating every native member once with the inflater that wheelsmith uses: a small program,
  compiled against the versions in Cargo.lock;
* peak memory over a wheel of more than 200 MB, made of the native members of the other wheels.

Wheels for which auditwheel has no verdict count too, because both tools open them.
The exit code is 1 if a goal is not reached (see GOALS).
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import shlex
import struct
import subprocess
import sys
import tempfile
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import List, NamedTuple, Sequence

import measured

REPOSITORY = Path(__file__).resolve().parent.parent

# Times as fast by the clock; CPU as a multiple of inflating; peak memory in MiB; wheels at least.
GOALS = {"speed": 25.0, "cpu": 1.3, "memory": 64.0, "wheels": 50}

INFLATE = """
use std::io::{Read, Seek, SeekFrom};

/// Each argument is `WHEEL`, and then come `OFFSET:SIZE:METHOD` of its native members.
fn main() {
    let mut buffer = vec![0; 1 << 17];
    let (mut file, mut total) = (None, 0_u64);
    for argument in std::fs::read_to_string(std::env::args().nth(1).unwrap()).unwrap().lines() {
        let Some((at, rest)) = argument.strip_prefix(':').and_then(|a| a.split_once(':')) else {
            file = Some(std::fs::File::open(argument).unwrap());
            continue;
        };
        let (size, method) = rest.split_once(':').unwrap();
        let file = file.as_mut().unwrap();
        file.seek(SeekFrom::Start(at.parse().unwrap())).unwrap();
        let packed = std::io::BufReader::with_capacity(1 << 16, file.take(size.parse().unwrap()));
        let mut bytes: Box<dyn Read> = match method {
            "8" => Box::new(flate2::bufread::DeflateDecoder::new(packed)),
            _ => Box::new(packed),
        };
        loop {
            match bytes.read(&mut buffer).unwrap() {
                0 => break,
                n => total += n as u64,
            }
        }
    }
    println!("{total}");
}
"""


class Cost(NamedTuple):
    wall: float
    cpu: float
    memory: float = 0.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2)
    ours = f"{REPOSITORY}/target/release/wheelsmith audit"
    parser.add_argument("--ours", default=ours)
    parser.add_argument("--auditwheel", default="auditwheel")
    options = parser.parse_args()
    wheels = sorted(path for path in options.directory.glob("*.whl") if "linux" in path.name)
    audit = shlex.split(options.ours)
    show = [*shlex.split(options.auditwheel), "show", "--ldpaths", ""]
    with tempfile.TemporaryDirectory() as directory:
        work = Path(directory)
        members = {wheel: native_members(wheel) for wheel in wheels}
        size = sum(member.size for found in members.values() for member in found)
        print(f"{len(wheels)} wheels, {size / 1e6:.0f} MB of native members when unpacked")
        inflate = [str(inflater(work)), str(listing(work, members))]
        large = large_wheel(work, members)
        best = {}
        for _ in range(options.rounds):
            runs = {
                "wheelsmith": run([*audit, *map(str, wheels)]),
                "inflate once": run(inflate),
                "large wheel": run([*audit, str(large)]),
            }
            keep(best, runs)
        # One round is enough for runs of minutes.
        best["auditwheel"] = run_each(show, wheels, options.jobs)
        packed = large.stat().st_size / 1e6
    for name, cost in best.items():
        print(f"{name:14} wall {cost.wall:8.3f} s  cpu {cost.cpu:8.3f} s  peak {cost.memory:5.0f} MiB")
    got = {
        "speed": best["auditwheel"].wall / best["wheelsmith"].wall,
        "cpu": best["wheelsmith"].cpu / best["inflate once"].cpu,
        "memory": best["large wheel"].memory,
        "wheels": len(wheels),
    }
    kept = {
        name: got[name] >= bound if name in ("speed", "wheels") else got[name] <= bound
        for name, bound in GOALS.items()
    }
    print(f"the large wheel has {packed:.0f} MB")
    for name, bound in GOALS.items():
        print(f"{name:8} {got[name]:8.2f}  limit {bound:6.2f}  {'ok' if kept[name] else 'MISSED'}")
    return 0 if all(kept.values()) else 1


def keep(best: dict, runs: dict) -> None:
    for name, cost in runs.items():
        old = best.get(name, cost)
        best[name] = Cost(*map(min, old[:2], cost[:2]), max(old.memory, cost.memory))


def run(command: Sequence[str]) -> Cost:
    """Run a command and return its cost, whatever its exit code."""
    used = measured.run(command)
    if used.code not in (0, 1, 2):
        sys.exit(f"{shlex.join(command[:3])} … ended with {used.code}")
    return Cost(used.wall, used.user + used.system, used.memory / (1 << 20))


def run_each(command: Sequence[str], wheels: Sequence[Path], jobs: int) -> Cost:
    with ThreadPoolExecutor(jobs) as pool:
        costs = list(pool.map(lambda wheel: run([*command, str(wheel)]), wheels))
    # Without the time that starting them takes.
    wall = sum(cost.wall for cost in costs) / jobs
    return Cost(wall, sum(cost.cpu for cost in costs), max(cost.memory for cost in costs))


class Member(NamedTuple):
    name: str
    offset: int
    packed: int
    method: int
    size: int
    crc: int


def native_members(wheel: Path) -> List[Member]:
    found = []
    with zipfile.ZipFile(wheel) as archive, wheel.open("rb") as file:
        for info in archive.infolist():
            with archive.open(info) as member:
                if member.read(4) != b"\x7fELF":
                    continue
            file.seek(info.header_offset + 26)
            name, extra = struct.unpack("<HH", file.read(4))
            offset = info.header_offset + 30 + name + extra
            sizes = info.compress_size, info.compress_type, info.file_size, info.CRC
            found.append(Member(info.filename, offset, *sizes))
    return found


def listing(work: Path, members: dict) -> Path:
    path = work / "members.txt"
    with path.open("w") as file:
        for wheel, found in members.items():
            print(wheel, file=file)
            for member in found:
                print(f":{member.offset}:{member.packed}:{member.method}", file=file)
    return path


def inflater(work: Path) -> Path:
    """Build the program that only inflates."""
    manifest = (REPOSITORY / "Cargo.toml").read_text()
    flate2 = re.search(r"^flate2 = .*$", manifest, re.MULTILINE)
    assert flate2, "the workspace names flate2"
    (work / "src").mkdir()
    (work / "src" / "main.rs").write_text(INFLATE)
    (work / "Cargo.lock").write_text((REPOSITORY / "Cargo.lock").read_text())
    (work / "Cargo.toml").write_text(
        '[package]\nname = "inflate"\nversion = "0.1.0"\nedition = "2024"\n'
        f"[workspace]\n[dependencies]\n{flate2[0]}\n"
    )
    environment = {**os.environ, "CARGO_TARGET_DIR": str(work / "target")}
    build = ["cargo", "build", "--quiet", "--release"]
    subprocess.run(build, cwd=work, env=environment, check=True)
    return work / "target" / "release" / "inflate"


def large_wheel(work: Path, members: dict) -> Path:
    """Make a wheel of more than 200 MB from members of others."""
    path = work / "large-1.0-py3-none-manylinux_2_28_x86_64.whl"
    directory, count = b"", 0
    with path.open("wb") as out:
        for wheel, found in sorted(members.items()):
            if out.tell() > 210e6:
                break
            with wheel.open("rb") as file:
                for member in found:
                    name = f"large/{count}/{Path(member.name).name}".encode()
                    sizes = struct.pack("<III", member.crc, member.packed, member.size)
                    middle = struct.pack("<HHHHH", 20, 0, member.method, 0, 0x21) + sizes
                    start = out.tell()
                    out.write(b"PK\3\4" + middle + struct.pack("<HH", len(name), 0) + name)
                    file.seek(member.offset)
                    copy(file, out, member.packed)
                    rest = struct.pack("<HHHHHII", len(name), 0, 0, 0, 0, 0o100644 << 16, start)
                    directory += b"PK\1\2" + struct.pack("<H", 0x314) + middle + rest + name
                    count += 1
        start = out.tell()
        end = struct.pack("<HHHHIIH", 0, 0, count, count, len(directory), start, 0)
        out.write(directory + b"PK\5\6" + end)
    return path


def copy(file, out, size: int) -> None:
    """Copies so many bytes, a few at a time: the peak memory of a child includes what we had when it
    was begun."""
    while size:
        part = file.read(min(size, 1 << 18))
        out.write(part)
        size -= len(part)


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.exit(main())
