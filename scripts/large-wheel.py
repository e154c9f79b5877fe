#!/usr/bin/env python3
"""Packs a file of more than 4 GiB and lets other tools read the wheel.

    scripts/large-wheel.py [--ours FILE] [--store]

The file is sparse and takes no space. Its wheel has 4 MB; with `--store` it is as large as the file, so
the entries after it are beyond 4 GiB as well. Python's zipfile, and `unzip` if it is installed, read the
wheel; peak memory must stay below 32 MiB.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import measured

REPOSITORY = Path(__file__).resolve().parent.parent
SIZE = (4 << 30) + 12_345
MOST_MEMORY = 32.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ours", type=Path, default=REPOSITORY / "target/release/wheelsmith")
    parser.add_argument("--store", action="store_true")
    options = parser.parse_args()
    level = "store" if options.store else "fast"
    with tempfile.TemporaryDirectory() as directory:
        tree = Path(directory, "tree")
        (tree / "demo").mkdir(parents=True)
        with (tree / "demo/large.bin").open("wb") as file:
            file.truncate(SIZE)
            file.seek(SIZE - 3)
            file.write(b"end")
        (tree / "demo/small.py").write_text("x = 1\n")
        info = tree / "demo-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.4\nName: demo\nVersion: 1.0\n")
        tags = "Root-Is-Purelib: true\nTag: py3-none-any\n"
        (info / "WHEEL").write_text(f"Wheel-Version: 1.0\nGenerator: hand\n{tags}")
        (info / "RECORD").write_text("")
        command = [options.ours, "wheel", "pack", tree, "--out", directory, "--no-cache"]
        used = measured.run([*command, "--compression", level], stderr=None)
        if used.code != 0:
            sys.exit(f"wheel pack ended with {used.code}")
        memory = used.memory / (1 << 20)
        wheel = Path(directory, "demo-1.0-py3-none-any.whl")
        print(f"packed in {used.wall:.1f} s, {memory:.0f} MiB: {wheel.stat().st_size}")
        judge(wheel, options.store)
        return 0 if memory < MOST_MEMORY else 1


def judge(wheel: Path, is_stored: bool) -> None:
    with zipfile.ZipFile(wheel) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        assert names[:2] == ["demo/large.bin", "demo/small.py"], names
        large, small = archive.infolist()[:2]
        assert large.file_size == SIZE
        assert (small.header_offset > 4 << 30) == is_stored
        assert not any(entry.flag_bits & 8 for entry in archive.infolist()), "a data descriptor"
        # Only entries that need version 4.5 state it.
        assert [entry.extract_version for entry in (large, small)] == [45, 45 if is_stored else 20]
        record = archive.read(names[-1]).decode().splitlines()[0]
        assert record.startswith("demo/large.bin,sha256=") and record.endswith(f",{SIZE}"), record
    print("zipfile: right")
    if shutil.which("unzip"):
        subprocess.run(["unzip", "-tq", wheel], check=True, stdout=subprocess.DEVNULL)
        print("unzip: right")


if __name__ == "__main__":
    os.umask(0o022)
    sys.exit(main())
