#!/usr/bin/env python3
"""Builds one pyo3 crate with wheelsmith and with maturin, and prints what the wheels have.

    scripts/maturin.py [--wheelsmith PROGRAM] [--maturin PROGRAM]

Both make a wheel for the stable ABI of Python 3.9 and glibc 2.17 on this processor, with zig. Without
`--maturin` a virtual environment gets one from the index. Exit code 1 if the names or the modules of the
two wheels differ, or if Python cannot import one of them.
"""

import argparse
import os
import pathlib
import platform
import subprocess
import sys
import tempfile
import venv
import zipfile

CARGO = """[package]
name = "side"
version = "0.1.0"
edition = "2021"

[lib]
name = "_native"
crate-type = ["cdylib"]

[dependencies]
pyo3 = { version = "0.30", features = ["abi3-py39"] }
"""

SOURCE = """use pyo3::prelude::*;

#[pyfunction]
fn answer() -> i32 {
    42
}

#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(answer, module)?)
}
"""

PROJECT = """[build-system]
requires = ["maturin>=1.9"]
build-backend = "maturin"

[project]
name = "side"
version = "0.1.0"
requires-python = ">=3.9"

[tool.maturin]
module-name = "side._native"
python-source = "python"
strip = true

[[tool.wheelsmith.component]]
name = "side-native"
kind = "cargo"
artifacts = [{ extension = "side._native", abi3 = "3.9" }]
"""


def run(*words, **more):
    words = [str(word) for word in words]
    result = subprocess.run(words, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **more)
    if result.returncode != 0:
        sys.exit(f"{' '.join(words)}\n{result.stdout}")


def project(root):
    for name, text in {
        "Cargo.toml": CARGO,
        "src/lib.rs": SOURCE,
        "pyproject.toml": PROJECT,
        "python/side/__init__.py": "from side._native import answer\n",
    }.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    run("cargo", "generate-lockfile", cwd=root)


def maturin_of(work):
    venv.create(work / "venv", with_pip=True)
    python = work / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    run(python, "-m", "pip", "install", "--quiet", "maturin>=1.9", "ziglang")
    return [python, "-m", "maturin"]


def files(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return {entry.filename: entry.file_size for entry in archive.infolist()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--wheelsmith", default="wheelsmith")
    parser.add_argument("--maturin")
    options = parser.parse_args()
    triple = f"{platform.machine()}-unknown-linux-gnu"
    with tempfile.TemporaryDirectory() as directory:
        work = pathlib.Path(directory)
        ours, theirs = work / "ours", work / "theirs"
        project(ours)
        project(theirs)
        maturin = [options.maturin] if options.maturin else maturin_of(work)
        run(options.wheelsmith, "build", "--target", triple, "--floor", "2.17", cwd=ours)
        # Not in the environment of wheelsmith: it must need no Python.
        run(*maturin, "build", "--release", "--zig", "--compatibility", "manylinux2014",
            "--target", triple, "--out", "dist", cwd=theirs)
        wheels = {"wheelsmith": next((ours / "dist").glob("*.whl")),
                  "maturin": next((theirs / "dist").glob("*.whl"))}
        content = {name: files(wheel) for name, wheel in wheels.items()}
        for name, wheel in wheels.items():
            print(f"{name}: {wheel.name}, {wheel.stat().st_size} bytes")
            for path, size in sorted(content[name].items()):
                print(f"    {size:>9} {path}")
            site = work / f"site-{name}"
            zipfile.ZipFile(wheel).extractall(site)
            code = f"import sys; sys.path.insert(0, {str(site)!r}); import side; assert side.answer() == 42"
            run(sys.executable, "-I", "-c", code)
        modules = [{path for path in of if path.startswith("side/")} for of in content.values()]
        tags = [wheel.name.split("-")[2:4] for wheel in wheels.values()]
        if modules[0] != modules[1] or tags[0] != tags[1]:
            sys.exit("the wheels differ in modules or tags")


if __name__ == "__main__":
    main()
