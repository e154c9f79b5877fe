#!/usr/bin/env python3
"""Makes wheelsmith's table of the stable ABI from that of an installed abi3info.

    scripts/stable-abi.py            write wheelsmith-core/src/policy/data/stable-abi.json
    scripts/stable-abi.py --check    fail if the file is not current

abi3info contains CPython's own list (`Misc/stable_abi.toml`). The table has the names of functions and
data, the release that added each, and the build options without which Python lacks it. Needs
`pip install abi3info==2026.9.25`.
"""

import importlib.metadata
import json
import pathlib
import sys

import abi3info

OURS = pathlib.Path(__file__).parent.parent / "wheelsmith-core/src/policy/data/stable-abi.json"


def table():
    added, only = {}, {}
    for item in [*abi3info.FUNCTIONS.values(), *abi3info.DATAS.values()]:
        name = item.symbol.name
        added.setdefault((item.added.major, item.added.minor), []).append(name)
        if item.ifdef:
            only.setdefault(item.ifdef.name, []).append(name)
    return {
        "added": {f"{major}.{minor}": sorted(added[major, minor]) for major, minor in sorted(added)},
        "only": {option: sorted(names) for option, names in sorted(only.items())},
    }


def text():
    version = importlib.metadata.version("abi3info")
    head = f'{{"generator": "scripts/stable-abi.py", "source": "abi3info {version}",\n'
    return head + json.dumps(table(), indent=1)[2:] + "\n"


def main():
    if sys.argv[1:] != ["--check"]:
        OURS.write_text(text())
    elif OURS.read_text() != text():
        raise SystemExit(f"{OURS} is not current: run scripts/stable-abi.py")


if __name__ == "__main__":
    main()
