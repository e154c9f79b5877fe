#!/usr/bin/env python3
"""Prints figures about the shape of the project: lines, crates per feature, public items, readers per
format, the largest memory of each command over hostile archives, and with --release the CPU time of a
release build.

    scripts/shape.py [--release] [--program target/debug/wheelsmith] [--no-memory] [--no-doc]
"""

import argparse
import concurrent.futures
import os
import re
import resource
import struct
import subprocess
import sys
import tempfile
import zipfile
import zlib
from pathlib import Path
from typing import Dict, List

import measured

REPOSITORY = Path(__file__).resolve().parent.parent
CORE = REPOSITORY / "wheelsmith-core"
# Text that occurs only in readers of the format.
READERS = {
    # The writer of wheels has the same numbers.
    "zip": r"PK\\x01\\x02|(?<!const CENTRAL: u32 = )0x0201_?4b50|ZipArchive::new",
    "tar": r"tar::Archive::new|257\.\.26[25]",
    # The two bytes by which the audit finds files inside files are no reader.
    "gzip": r"GzDecoder::new|MultiGzDecoder::new|\[0x1f, 0x8b",
    # Files about metadata that split lines at colons.
    "core metadata": r"(?s)\A(?=.*(PKG.INFO|METADATA|WHEEL)).*split_once\(['\"]: ?['\"]\)",
    # Imports of goblin's file and header types. Names of constants, and the four bytes that tell the
    # format, are no reader.
    "ELF": r"use goblin::elf::(\{Elf|Elf\b)|goblin::elf::(Elf|header::Header)::parse",
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--release", action="store_true", help="also time a release build")
    parser.add_argument("--no-memory", action="store_true", help="leave out the hostile archives")
    parser.add_argument("--no-doc", action="store_true", help="leave out the public items")
    parser.add_argument("--program", type=Path, default=REPOSITORY / "target/debug/wheelsmith")
    options = parser.parse_args()
    lines()
    crates()
    if not options.no_doc:
        public_items()
    readers()
    if not options.no_memory:
        memory(options.program.resolve())
    if options.release:
        release()
    return 0


def sources() -> List[Path]:
    crates = [CORE / "src", REPOSITORY / "wheelsmith-cli/src"]
    files = [file for crate in crates for file in sorted(crate.rglob("*.rs"))]
    return [file for file in files if not is_test(file)]


def is_test(file: Path) -> bool:
    return file.name in ("tests.rs", "judges.rs", "sample.rs") or "tests" in file.parts


def without_tests(text: str) -> str:
    """The text up to its module of tests, which comes last by convention."""
    return re.split(r"^#\[cfg\((?:test|all\(test, .*\))\)\]\n(?:#\[.*\]\n)*mod \w+ \{", text, flags=re.M)[0]


def lines() -> None:
    total: Dict[str, int] = {}
    for file in sources():
        crate = file.relative_to(REPOSITORY).parts[0]
        count = sum(1 for line in without_tests(file.read_text()).splitlines() if line.strip())
        total[crate] = total.get(crate, 0) + count
    for crate, count in sorted(total.items()):
        print(f"{'lines without tests, ' + crate:44} {count:7}")


def crates() -> None:
    manifest = (CORE / "Cargo.toml").read_text()
    table = manifest.split("[features]")[1].split("\n[")[0]
    features = re.findall(r"^([a-z]+) = ", table, flags=re.M)
    for feature in [name for name in features if name not in ("default", "schema")]:
        command = ["cargo", "tree", "--locked", "--offline", "-p", "wheelsmith-core", "-e", "normal"]
        command += ["--no-default-features", "--features", feature, "--prefix", "none"]
        tree = subprocess.run(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True, check=True)
        names = {" ".join(line.split()[:2]) for line in tree.stdout.splitlines() if line.strip()}
        print(f"{'crates, feature ' + feature:44} {len(names) - 1:7}")


def public_items() -> None:
    command = ["cargo", "doc", "--locked", "--offline", "--no-deps", "-p", "wheelsmith-core"]
    subprocess.run(command + ["--all-features"], cwd=REPOSITORY, check=True, stderr=subprocess.DEVNULL)
    target = Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target"))
    page = (target / "doc/wheelsmith_core/all.html").read_text()
    items = re.findall(r"<li><a href=\"[^\"#]+\">", page)
    print(f"{'public items':44} {len(items):7}")


def readers() -> None:
    for name, pattern in READERS.items():
        found = sorted(
            {
                str(file.relative_to(REPOSITORY / file.relative_to(REPOSITORY).parts[0] / "src").parent)
                for file in sources()
                if re.search(pattern, without_tests(file.read_text()))
            }
        )
        print(f"{'modules that read ' + name:44} {len(found):7}  {', '.join(found)}")


def hostile(directory: Path) -> List[Path]:
    """Wheels that make careless readers take all memory."""
    name = "demo-1.0-py3-none-any.whl"
    info = {
        "demo-1.0.dist-info/METADATA": b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n",
        "demo-1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "demo-1.0.dist-info/RECORD": b"",
    }
    made = []

    def wheel(kind: str) -> zipfile.ZipFile:
        (directory / kind).mkdir()
        made.append(directory / kind / name)
        return zipfile.ZipFile(made[-1], "w", zipfile.ZIP_DEFLATED)

    with wheel("zeros") as archive:
        with archive.open("demo/zeros.bin", "w", force_zip64=True) as entry:
            for _ in range(256):
                entry.write(bytes(1 << 20))
        for path, content in info.items():
            archive.writestr(path, content)
    with wheel("many") as archive:
        for number in range(60_000):
            archive.writestr(f"demo/{number}.py", b"")
        for path, content in info.items():
            archive.writestr(path, content)
    with wheel("metadata") as archive:
        for path, content in info.items():
            archive.writestr(path, content + b"X" * (200 << 20) if path.endswith("METADATA") else content)
    made.append(overlapping(directory / "overlap", name))
    return made


def overlapping(directory: Path, name: str) -> Path:
    """Forty thousand entries of one piece of data."""
    directory.mkdir()
    content = bytes(4 << 20)
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = packer.compress(content) + packer.flush()
    crc, size = zlib.crc32(content), len(content)
    local = struct.pack("<IHHHHHIIIHH", 0x04034B50, 20, 0, 8, 0, 33, crc, len(data), size, 1, 0) + b"a"
    central = b""
    for number in range(40_000):
        path = f"demo/{number}.bin".encode()
        fields = (0x02014B50, 20, 20, 0, 8, 0, 33, crc, len(data), size, len(path), 0, 0, 0, 0, 0, 0)
        central += struct.pack("<IHHHHHHIIIHHHHHII", *fields) + path
    end = struct.pack(
        "<IHHHHIIH", 0x06054B50, 0, 0, 40_000, 40_000, len(central), len(local) + len(data), 0
    )
    path = directory / name
    path.write_bytes(local + data + central + end)
    return path


def memory(program: Path) -> None:
    if not program.is_file():
        print(f"no program `{program}`: build it, or name it with --program", file=sys.stderr)
        return
    with tempfile.TemporaryDirectory() as scratch:
        directory = Path(scratch)
        # In a separate process: children start with the peak memory of their parent.
        with concurrent.futures.ProcessPoolExecutor(1) as apart:
            wheels = apart.submit(hostile, directory).result()
        verbs = {
            "audit": ["audit"],
            "check": ["check"],
            "inspect": ["inspect"],
            "repair": ["repair", "--out", scratch],
            "wheel unpack": ["wheel", "unpack", "--out", f"{scratch}/unpacked"],
            "wheel retag": ["wheel", "retag", "--build-tag", "1", "--out", f"{scratch}/tagged"],
            "index add": ["index", "add", "--out", f"{scratch}/site"],
        }
        for verb, arguments in verbs.items():
            most = max((peak([str(program), *arguments, str(wheel)]), wheel.parent.name) for wheel in wheels)
            print(f"{'MiB at most, ' + verb:44} {most[0]:7}  ({most[1]})", flush=True)


def peak(command: List[str]) -> int:
    """The largest memory of a command, in MiB."""
    return measured.run(command).memory >> 20


def release() -> None:
    with tempfile.TemporaryDirectory() as target:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = ["cargo", "build", "--release", "--locked", "-p", "wheelsmith-cli"]
        environment = {**os.environ, "CARGO_TARGET_DIR": target}
        subprocess.run(command, cwd=REPOSITORY, env=environment, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        print(f"{'CPU seconds of a release build':44} {seconds:7.0f}")


if __name__ == "__main__":
    sys.exit(main())
