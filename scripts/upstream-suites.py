#!/usr/bin/env python3
"""Runs wheelsmith on the test wheels of other tools, from sources that the user has downloaded.

    cargo build -p wheelsmith-cli
    scripts/upstream-suites.py DIR [--wheelsmith PROGRAM] [--python PYTHON] [--verbose]

DIR has unpacked sources of any of auditwheel, delocate, delvewheel, wheel-inspect and installer, as
after `pip download --no-deps --no-binary :all: …` or `git clone`; the directory of a wheel tells its
suite. PYTHON has the other tools installed; columns of missing ones are left out. For each suite:

* auditwheel: the tag that `auditwheel show --json` prints, and wheelsmith's prediction of it; wheels of
  other platforms, and those that auditwheel cannot judge, are counted separately;
* delocate, delvewheel: each wheel is repaired with the libraries of its suite; the result must pass
  `audit` and keep all its platforms;
* wheel-inspect: the verdict in the JSON file beside each wheel, and that of `check` on its structure;
* installer: for every wheel of DIR, the result of `WheelFile.validate_record`, and the same verdict.

Prints a table in Markdown; exits with 1 if a result differs without a reason in DIFFERENCES.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent.parent
SUITES = ["auditwheel", "delocate", "delvewheel", "wheel_inspect", "installer"]
LIBRARIES = {"delocate": (".dylib",), "delvewheel": (".dll",)}
# Findings about what these two compare: files and `RECORD`, and the names of `.dist-info`.
STRUCTURE = {"record-absent", "record-digest", "record-mismatch", "record-missing", "record-size", "record-syntax", "missing-metadata-file",
             "dist-info-mismatch"}
# Reasons for intended differences, by suite and a part of the wheel's name.
NO_ARM = "it claims both processors and has code for one; delocate compares them only with `--require-archs`"
SPELLING = "`check` compares the names of `.dist-info` and of the file letter by letter, as the index does"
DIFFERENCES = {
    ("delocate", "fakepkg_namespace"): NO_ARM,
    ("delocate", "fakepkg_rpath"): NO_ARM,
    ("delocate", "fakepkg_toplevel"): NO_ARM,
    ("wheel_inspect", "NLPTriples"): SPELLING,
    ("installer", "NLPTriples"): SPELLING,
    ("wheel_inspect", "missing_dir_in_record"): "installers skip directories in `RECORD`",
    ("installer", "missing_file"): "installer does not look for files that `RECORD` lists and the wheel lacks",
}
VALIDATE = """
import sys
from installer.sources import WheelFile
for path in sys.argv[1:]:
    try:
        with WheelFile.open(path) as wheel:
            wheel.validate_record(validate_contents=True)
        print("good")
    except Exception as error:
        print("bad", type(error).__name__)
"""


def run(*command):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, errors="replace")


class Comparison:
    def __init__(self, suite):
        self.suite, self.same, self.other, self.skipped = suite, 0, [], 0

    def add(self, wheel, theirs, ours):
        if theirs == ours:
            self.same += 1
            return
        why = next((why for (suite, part), why in DIFFERENCES.items() if suite == self.suite and part in wheel.name), None)
        self.other.append((wheel.name, theirs, ours, why))

    def unexplained(self):
        return [row for row in self.other if not row[3]]


def suite_of(path, root):
    parts = [part.lower().replace("-", "_") for part in path.relative_to(root).parts]
    return next((suite for part in parts for suite in SUITES if part.startswith(suite)), None)


def audit(options, wheel):
    said = run(options.wheelsmith, "audit", "--format", "json", wheel)
    inputs = json.loads(said.stdout)["inputs"] if said.stdout.startswith("{") else []
    return said.returncode, inputs[0] if inputs else {}


def auditwheel(options, wheels, result):
    for wheel in wheels:
        show = run(options.python, "-m", "auditwheel", "show", "--json", wheel)
        if "No module named auditwheel" in show.stderr:
            return "auditwheel is not installed"
        _, ours = audit(options, wheel)
        predicted = (ours.get("auditwheel_verdict") or {}).get("tag")
        if show.returncode or not show.stdout.startswith("{"):
            result.skipped += 1
        else:
            result.add(wheel, json.loads(show.stdout)["overall_tag"], predicted)


def repaired(options, wheels, result):
    for wheel in wheels:
        dirs = sorted({path.parent for path in options.files if path.suffix.lower() in LIBRARIES[result.suite]
                       and suite_of(path, options.dir) == result.suite})
        with tempfile.TemporaryDirectory() as out:
            paths = [part for directory in dirs for part in ("-L", directory)]
            said = run(options.wheelsmith, "repair", wheel, "-o", out, *paths)
            made = list(pathlib.Path(out).glob("*.whl"))
            ours = (said.stderr.strip() or said.stdout.strip()).splitlines()[:1] if said.returncode else "repaired"
            if made and audit(options, made[0])[0]:
                ours = "audit refuses the result"
            result.add(wheel, "repaired", ours)


def structure(options, wheel):
    """What `check` says of files and `RECORD`; its other findings are about what these peers do not read."""
    said = run(options.wheelsmith, "check", "--format", "json", wheel)
    report = json.loads(said.stdout) if said.stdout.startswith("{") else {"inputs": [{"findings": [{"code": "record-syntax"}]}]}
    codes = {finding["code"] for one in report["inputs"] for finding in one.get("findings", [])}
    return "bad" if codes & STRUCTURE else "good"


def wheel_inspect(options, wheels, result):
    for wheel in wheels:
        expected = wheel.with_suffix(".json")
        if not expected.is_file():
            result.skipped += 1
            continue
        theirs = "good" if json.loads(expected.read_text()).get("valid") else "bad"
        result.add(wheel, theirs, structure(options, wheel))


def installer(options, wheels, result):
    said = run(options.python, "-c", VALIDATE, *wheels)
    if "No module named" in said.stderr:
        return "installer is not installed"
    for wheel, line in zip(wheels, said.stdout.splitlines()):
        result.add(wheel, line.split()[0], structure(options, wheel))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dir", type=pathlib.Path)
    parser.add_argument("--wheelsmith", default=HERE / "target/debug/wheelsmith")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--verbose", action="store_true", help="print every difference")
    options = parser.parse_args()
    options.files = sorted(path for path in options.dir.rglob("*") if path.is_file())
    wheels = [path for path in options.files if path.suffix == ".whl"]
    if not wheels:
        sys.exit(f"{options.dir}: no wheel below it")
    table, unexplained = [], []
    for suite in SUITES:
        judge = {"delocate": repaired, "delvewheel": repaired}.get(suite) or globals()[suite]
        own = wheels if suite == "installer" else [path for path in wheels if suite_of(path, options.dir) == suite]
        result = Comparison(suite)
        note = judge(options, own, result) if own else "no wheel of it in the directory"
        table.append((suite, len(own), result.same, len(result.other), result.skipped, note or ""))
        unexplained += [(suite, *row) for row in result.unexplained()]
        if options.verbose:
            for name, theirs, ours, why in result.other:
                print(f"{suite}: {name}: {theirs}, ours: {ours}{f' ({why})' if why else ''}")
    print("| suite | wheels | agree | differ | not judged by the peer | |\n|---|---|---|---|---|---|")
    for row in table:
        print("| " + " | ".join(map(str, row)) + " |")
    for suite, name, theirs, ours, _ in unexplained:
        print(f"unexplained: {suite}: {name}: {theirs}, ours: {ours}", file=sys.stderr)
    return bool(unexplained)


if __name__ == "__main__":
    sys.exit(main())
