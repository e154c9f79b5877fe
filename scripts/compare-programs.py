#!/usr/bin/env python3
"""Compares the verdicts and the output files of two versions of wheelsmith, byte by byte.

Judges every wheel of --wheels with `audit` and `check`, takes it apart and packs it again, gives it another
build tag, repairs it, and makes an index of it; builds every project given with --project for --target. Prints
each difference and exits 1 if there is one. Use options that both programs have.

    git worktree add /tmp/old v0.1.0 && cargo build --manifest-path /tmp/old/Cargo.toml
    scripts/compare-programs.py /tmp/old/target/debug/wheelsmith target/debug/wheelsmith \\
        --wheels WHEELS --project examples/hostinfo
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

# Keys of reports that are compared: they kept their names between the schemas.
JUDGES = {
    "audit": lambda entry: (entry.get("verdict"), bool(entry.get("error"))),
    "check": lambda entry: bool(entry.get("error")),
}


def run(program, *arguments, cwd=None):
    """Returns the exit code and the output of a command."""
    environment = os.environ | {"SOURCE_DATE_EPOCH": "1700000000", "TZ": "UTC"}
    command = [str(program), *map(str, arguments)]
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def digests(directory):
    """Returns the digest of each file below a directory, by its path."""
    found = {}
    for path in sorted(directory.rglob("*")):
        if path.is_file() and not path.is_symlink():
            found[str(path.relative_to(directory))] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def judged(program, command, wheel):
    """Returns the exit code, what JUDGES takes from the report, and the codes of the findings."""
    code, stdout, _ = run(program, command, "--format", "json", wheel)
    try:
        entry = json.loads(stdout)["inputs"][0]
    except (ValueError, KeyError, IndexError):
        return code, None, ()
    findings = tuple(sorted({f'{finding["severity"]} {finding["code"]}' for finding in entry["findings"]}))
    return code, JUDGES[command](entry), findings


def made(program, directory, steps):
    """Returns the exit codes of the steps, and the digests of the files that they wrote."""
    codes = []
    for name, arguments, cwd in steps(program, directory):
        codes.append((name, run(program, *arguments, cwd=cwd)[0]))
    return codes, digests(directory / "out")


def wheel_steps(wheel):
    """Returns the commands that write files from a wheel."""

    def steps(_, directory):
        out = directory / "out"
        yield "repair", ["repair", "-o", out / "repaired", wheel], directory
        yield "unpack", ["wheel", "unpack", "-o", directory / "tree", wheel], directory
        for tree in sorted((directory / "tree").glob("*")):
            yield "pack", ["wheel", "pack", "-o", out / "packed", tree], directory
        yield "retag", ["wheel", "retag", "--build-tag", "7", "-o", out / "tagged", wheel], directory
        dist = directory / "dist"
        dist.mkdir()
        (dist / wheel.name).symlink_to(wheel)
        yield "index", ["index", "build", "--dir", dist, "-o", out / "site"], directory

    return steps


def project_steps(project, targets):
    """Returns the commands that build a project."""

    def steps(_, directory):
        copy = directory / project.name
        shutil.copytree(project, copy, symlinks=True)
        flags = [flag for target in targets for flag in ("--target", target)]
        yield "build", ["build", *flags, "-o", directory / "out", copy], directory
        yield "sdist", ["sdist", "-o", directory / "out", copy], directory

    return steps


def compare(label, old, new, differences):
    """Prints and counts a difference."""
    if old != new:
        differences.append(label)
        print(f"{label}: {old} -> {new}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--wheels", type=Path, help="directory of wheels")
    parser.add_argument("--project", type=Path, action="append", default=[], help="may be repeated")
    parser.add_argument("--target", action="append", default=[], help="[default: that of the configuration]")
    parser.add_argument("--write", action="store_true", help="also compare the files made from the wheels")
    options = parser.parse_args()
    programs = [options.old.resolve(), options.new.resolve()]
    wheels = sorted(options.wheels.resolve().glob("*.whl")) if options.wheels else []
    projects = [project.resolve() for project in options.project]
    if not wheels and not projects:
        parser.error("there is nothing to compare: give --wheels or --project")
    differences, compared = [], Counter()
    for wheel in wheels:
        for command in JUDGES:
            compared[command] += 1
            old, new = (judged(program, command, wheel) for program in programs)
            compare(f"{command} {wheel.name}", old, new, differences)
    for source in [*(wheels if options.write else ()), *projects]:
        steps = wheel_steps(source) if source.is_file() else project_steps(source, options.target)
        results = []
        for program in programs:
            with tempfile.TemporaryDirectory() as directory:
                results.append(made(program, Path(directory), steps))
        (old_codes, old), (new_codes, new) = results
        compare(f"exit codes, {source.name}", old_codes, new_codes, differences)
        for name in sorted(old.keys() | new.keys()):
            compared["file"] += 1
            compare(f"{source.name}: {name}", old.get(name), new.get(name), differences)
    summary = ", ".join(f"{count} x {what}" for what, count in sorted(compared.items()))
    print(f"{len(differences)} differences in {summary}")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
