#!/usr/bin/env python3
"""Makes the table of functions that later releases of glibc added, from the symbol lists of zig.

    scripts/glibc-symbols.py            write wheelsmith-core/src/policy/data/glibc.json
    scripts/glibc-symbols.py --check    fail if the file is not current

A file that was linked to glibc notes the version of each function, so the table is only for functions
without a version. Needs `pip install ziglang==0.17.*`.
"""

import json
import pathlib
import sys

import ziglang

OURS = pathlib.Path(__file__).parent.parent / "wheelsmith-core" / "src" / "policy" / "data" / "glibc.json"
THEIRS = pathlib.Path(ziglang.__file__).parent / "lib" / "libc" / "glibc" / "abilists"
# Every manylinux policy that installers still use has these.
OLDEST = (2, 17)
# Functions of libm have variants for each type, and Python loads libm; functions of libresolv and
# libanl moved to libc with new versions.
LIBRARIES = {"c", "pthread", "dl", "rt", "util"}
MOVED = ("dn_", "res_", "gai_", "getaddrinfo_a")


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def byte(self):
        self.at += 1
        return self.data[self.at - 1]

    def text(self):
        end = self.data.index(0, self.at)
        text, self.at = self.data[self.at : end].decode(), end + 1
        return text

    def number(self):
        """A number in LEB128."""
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value


def functions(data):
    """Each function with its library and the first version of it, for x86_64."""
    read = Reader(data)
    libraries = [read.text() for _ in range(read.byte())]
    versions = [(read.byte(), read.byte(), read.byte()) for _ in range(read.byte())]
    targets = [read.text() for _ in range(read.byte())]
    target = targets.index("x86_64-linux-gnu")
    name = None
    for _ in range(read.byte() | read.byte() << 8):
        name = name or read.text()
        matches, library = read.number(), read.byte()
        own, byte = [], 0
        while byte < 0x80:
            byte = read.byte()
            own.append(versions[byte & 0x7F][:2])
        if matches >> target & 1:
            yield name, libraries[library & 0x7F], min(own)
        # The last group of targets of a function.
        if library & 0x80:
            name = None


def table():
    first, where = {}, {}
    for name, library, version in functions(THEIRS.read_bytes()):
        first[name] = min(first.get(name, version), version)
        where.setdefault(name, set()).add(library)
    added = {}
    for name, version in sorted(first.items()):
        if version > OLDEST and where[name] <= LIBRARIES and not name.startswith(MOVED):
            added.setdefault(version, []).append(name)
    return {
        "generator": "scripts/glibc-symbols.py",
        "source": "zig 0.17",
        "added": {f"{major}.{minor}": names for (major, minor), names in sorted(added.items())},
    }


def main():
    text = json.dumps(table(), indent=1) + "\n"
    if "--check" in sys.argv[1:]:
        return 0 if OURS.read_text() == text else f"{OURS} is not current"
    OURS.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
