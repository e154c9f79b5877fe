#!/usr/bin/env python3
"""Makes the policy tables of wheelsmith from those of an installed auditwheel.

    scripts/policy-tables.py            write wheelsmith-core/src/policy/data/*.json
    scripts/policy-tables.py --check    fail if these files are not current

A policy lists what it guarantees in addition to the next older one for the same architecture, so the file
shows what each release of glibc added. Needs `pip install auditwheel==6.8.*`.
"""

import json
import pathlib
import sys

import auditwheel
import auditwheel.policy

OURS = pathlib.Path(__file__).parent.parent / "wheelsmith-core" / "src" / "policy" / "data"
THEIRS = pathlib.Path(auditwheel.policy.__file__).parent


def number(version):
    """A key that sorts `2.5` before `2.12`."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in version.split(".")]


def table(family):
    policies = json.loads((THEIRS / f"{family}-policy.json").read_text())
    # The highest priority is the most compatible; priority 0 is plain `linux`, which guarantees nothing.
    policies = sorted((p for p in policies if p["priority"]), key=lambda p: -p["priority"])
    out, seen = [], {}
    for policy in policies:
        architectures = {}
        for arch, namespaces in sorted(policy["symbol_versions"].items()):
            # auditwheel knows namespaces without any version: all of them are then too new.
            added = {}
            for namespace, versions in sorted(namespaces.items()):
                known = seen.setdefault((arch, namespace), set())
                missing = known - set(versions)
                if missing:
                    raise SystemExit(f"{policy['name']} {arch} {namespace} withdraws {missing}")
                added[namespace] = sorted(set(versions) - known, key=number)
                known.update(versions)
            architectures[arch] = added
        # API levels of Android have no second part.
        major, minor, *_ = *policy["name"].split("_")[1:], "0"
        out.append(
            {
                "version": f"{major}.{minor}",
                "allowed_libraries": sorted(policy["lib_whitelist"]),
                "forbidden_symbols": {k: sorted(v) for k, v in sorted(policy["blacklist"].items())},
                "adds": architectures,
            }
        )
    return {
        "generator": "scripts/policy-tables.py",
        "source": "auditwheel 6.8",
        "policies": out,
    }


def main():
    check = sys.argv[1:] == ["--check"]
    for family in ("manylinux", "musllinux", "android"):
        path = OURS / f"{family}.json"
        text = json.dumps(table(family), indent=1) + "\n"
        if not check:
            path.write_text(text)
        elif path.read_text() != text:
            raise SystemExit(f"{path} is not current: run scripts/policy-tables.py")


if __name__ == "__main__":
    main()
