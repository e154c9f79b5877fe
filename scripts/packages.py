#!/usr/bin/env python3
"""Builds packages of other projects for x86_64 and aarch64, and runs them.

    scripts/packages.py [--quick] [--program WHEELSMITH] [NAME…]

    --quick     only the package that CI builds: zlib by `configure`
    NAME        only these: zlib-configure, zlib-cmake, freetype-meson, e2fsprogs-configure

Sources come from the registries of crates and of Debian's packages, pinned by version and sha256. Those of
Debian can also be in a directory that WHEELSMITH_PACKAGE_SOURCES names. cmake, meson, ninja, zig, qemu
and the aarch64 root are those of `scripts/test-env.sh`. Each package is built twice; the second build must
not run anything. Prints a table. The exit code is 1 if a package could not be built or does not run.
"""

import argparse
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import time
from dataclasses import dataclass

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
TARGETS = ("x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu")
ZLIB_SOURCE = 'source = { crate = "libbpf-sys", version = "1.7.0+v1.7.0" }\ndir = "zlib"\n'
ZLIB_OUTPUTS = """outputs = [
    { from = "lib/libz.so*", role = "shared-library" },
    { from = "include/*.h", role = "header" },
]
"""

ZLIB_CHECK = """#include <stdio.h>
#include <string.h>
#include <zlib.h>

int main(void) {
    unsigned char text[1000], packed[2000], back[1000];
    uLongf size = sizeof packed, length = sizeof back;
    memset(text, 'a', sizeof text);
    if (compress(packed, &size, text, sizeof text) != Z_OK) return 1;
    if (uncompress(back, &length, packed, size) != Z_OK) return 2;
    puts(zlibVersion());
    return length != sizeof text || memcmp(text, back, sizeof text) != 0;
}
"""

# Its headers are in their own directory.
FREETYPE_CHECK = """#include <stdio.h>

typedef void *Library;
int FT_Init_FreeType(Library *);
void FT_Library_Version(Library, int *, int *, int *);
int FT_Done_FreeType(Library);

int main(void) {
    Library library;
    int major, minor, patch;
    if (FT_Init_FreeType(&library)) return 1;
    FT_Library_Version(library, &major, &minor, &patch);
    printf("%d.%d.%d\\n", major, minor, patch);
    return FT_Done_FreeType(library);
}
"""


@dataclass
class Package:
    """A package: its component, a program that links to it, and what is run."""

    name: str
    component: str
    runs: list[tuple[list[str], str]]
    check: str = ""
    debian: tuple[str, str, str] | None = None
    link: str = ""
    quick: bool = False

    def configuration(self) -> str:
        text = f'[project]\nname = "{self.name}"\nversion = "1.0"\n\n[tool.wheelsmith]\n'
        text += f"targets = {json.dumps(TARGETS)}\n\n[[tool.wheelsmith.component]]\n{self.component}"
        if self.check:
            text += '\n[[tool.wheelsmith.component]]\nname = "check"\nkind = "c-executable"\n'
            text += f'link = ["{self.link}"]\n[[tool.wheelsmith.component.sources]]\nfiles = ["check.c"]\n'
        return text


PACKAGES = [
    Package(
        "zlib-configure",
        'name = "zlib"\nkind = "autotools"\n' + ZLIB_SOURCE + ZLIB_OUTPUTS,
        [(["check"], "1.2.13")],
        check=ZLIB_CHECK,
        link="zlib",
        quick=True,
    ),
    Package(
        "zlib-cmake",
        'name = "zlib"\nkind = "cmake"\n'
        + ZLIB_SOURCE
        # It requires cmake 2.4.4, whose policies cmake 4 has removed.
        + 'configure = ["-DCMAKE_POLICY_VERSION_MINIMUM=3.5"]\n'
        + ZLIB_OUTPUTS,
        [(["check"], "1.2.13")],
        check=ZLIB_CHECK,
        link="zlib",
    ),
    Package(
        "freetype-meson",
        """name = "freetype"
kind = "meson"
source = { crate = "freetype-sys", version = "0.23.0" }
dir = "freetype2"
configure = [
    "-Dbrotli=disabled", "-Dbzip2=disabled", "-Dharfbuzz=disabled", "-Dpng=disabled",
    "-Dtests=disabled", "-Dzlib=internal",
]
outputs = [{ from = "lib/libfreetype.so*", role = "shared-library" }]
""",
        [(["check"], "2.13")],
        check=FREETYPE_CHECK,
        link="freetype",
    ),
    Package(
        "e2fsprogs-configure",
        """name = "e2fsprogs"
kind = "autotools"
source = { archive = "e2fsprogs_1.47.0.orig.tar.gz" }
configure = ["--disable-fuse2fs", "--disable-nls", "--disable-uuidd"]
install = []
outputs = [
    { from = "{build}/misc/mke2fs", role = "executable" },
    { from = "{build}/debugfs/debugfs", role = "executable" },
]
""",
        [
            (["mke2fs", "-q", "-F", "-t", "ext4", "disk.img", "4M"], ""),
            (["debugfs", "-R", "stats", "disk.img"], "Filesystem volume name"),
        ],
        debian=(
            "e2fsprogs",
            "e2fsprogs_1.47.0.orig.tar.gz",
            "6667afde56eef0c6af26684974400e4d2288ea49e9441bf5e6229195d51a3578",
        ),
    ),
]


def sha256(path: pathlib.Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def mirrors() -> list[tuple[str, str]]:
    """Return the mirror and the release of this machine's apt."""
    command = ["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE)", "Created-By: Packages"]
    known = subprocess.run(command, capture_output=True, text=True).stdout.splitlines()
    pairs = [(words[0], words[1]) for words in map(str.split, known) if len(words) == 2]
    pairs = [pair for pair in pairs if "security" not in pair[0] and "security" not in pair[1]]
    return list(dict.fromkeys(pairs))


def from_pool(path: pathlib.Path, source: str, digest: str, uri: str) -> None:
    """Download by its address in the archive, which stays valid longer than lists of packages."""
    helper = "/usr/lib/apt/apt-helper"
    address = f"{uri.rstrip('/')}/pool/main/{source[0]}/{source}/{path.name}"
    command = [helper, "download-file", address, str(path), f"SHA256:{digest}"]
    subprocess.run(command, check=True, capture_output=True, timeout=300)


def from_lists(path: pathlib.Path, source: str, uri: str, release: str) -> None:
    """Download with `apt-get source`, with a separate state that needs no root."""
    state = path.parent / "apt"
    for sub in ("lists/partial", "cache/archives/partial"):
        (state / sub).mkdir(parents=True, exist_ok=True)
    (state / "status").touch()
    keyring = pathlib.Path("/usr/share/keyrings/debian-archive-keyring.gpg")
    signed = f"[signed-by={keyring}] " if keyring.is_file() else ""
    (state / "sources.list").write_text(f"deb-src {signed}{uri} {release} main\n")
    (state / "apt.conf").write_text(
        f'Dir::State "{state}";\nDir::State::status "{state}/status";\n'
        f'Dir::Cache "{state}/cache";\nDir::Etc::sourcelist "{state}/sources.list";\n'
        'Dir::Etc::sourceparts "-";\nAcquire::Languages "none";\nAPT::Sandbox::User "root";\n'
    )
    env = dict(os.environ, APT_CONFIG=str(state / "apt.conf"))
    for command in (["apt-get", "-q", "update"], ["apt-get", "-q", "source", "--download-only", source]):
        subprocess.run(command, cwd=path.parent, env=env, check=True, capture_output=True, timeout=300)


def debian_source(work: pathlib.Path, source: str, name: str, digest: str) -> pathlib.Path:
    """A file of a Debian source package: the one that is there, or that of any mirror, by any way
    that gives the bytes of its digest."""
    path = work / "debian" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    own = os.environ.get("WHEELSMITH_PACKAGE_SOURCES")
    if own and sha256(pathlib.Path(own) / name) == digest:
        return pathlib.Path(own) / name
    problems = []
    for uri, release in mirrors():
        ways = (
            lambda: from_pool(path, source, digest, uri),
            lambda: from_lists(path, source, uri, release),
        )
        for way in ways:
            if sha256(path) == digest:
                return path
            path.unlink(missing_ok=True)
            try:
                way()
            except (subprocess.SubprocessError, OSError) as error:
                said = getattr(error, "stderr", None) or b""
                problems.append(f"{uri} {release}: {error} {said.decode(errors='replace')[-300:]}")
    if sha256(path) == digest:
        return path
    problems.append(f"put it into a directory that WHEELSMITH_PACKAGE_SOURCES names (sha256 {digest})")
    raise RuntimeError(f"{name} was nowhere to be had:\n" + "\n".join(problems))


class Bench:
    """Builds packages, each in a directory of its own, and runs what they made."""

    def __init__(self, program: pathlib.Path, work: pathlib.Path, tools: pathlib.Path):
        self.program, self.work, self.tools = program, work, tools
        path = f"{tools}/judges/bin:{tools}/tools:{os.environ['PATH']}"
        self.env = dict(os.environ, PATH=path)

    def build(self, directory: pathlib.Path) -> tuple[float, dict]:
        """Seconds, and the answer of the program."""
        start = time.monotonic()
        command = [self.program, "build", "--format", "json"]
        done = subprocess.run(command, cwd=directory, env=self.env, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(done.stderr.strip())
        return time.monotonic() - start, json.loads(done.stdout)

    def run(self, package: Package, directory: pathlib.Path, target: str) -> str:
        """What the programs of a target did: `ran`, or why they were not run."""
        binaries = directory / "target" / "wheelsmith" / target / "runtime" / "bin"
        machine = os.uname().machine
        start: list[str] = []
        if not target.startswith(machine):
            qemu, root = self.tools / "tools" / "qemu-aarch64", self.tools / "arm64-root"
            if not (qemu.exists() and root.exists()):
                return "not run: no emulator"
            start = [str(qemu), "-L", str(root)]
        for words, expected in package.runs:
            command = [*start, str(binaries / words[0]), *words[1:]]
            done = subprocess.run(
                command, cwd=binaries.parent, capture_output=True, text=True, timeout=60
            )
            said = done.stdout + done.stderr
            if done.returncode != 0 or expected not in said:
                raise RuntimeError(f"{' '.join(words)} on {target}: exit {done.returncode}\n{said}")
        return "ran" if not start else "ran under qemu"

    def package(self, package: Package) -> list[tuple[str, ...]]:
        """Builds and runs a package; the rows of the table."""
        directory = self.work / package.name
        module = directory / "src" / package.name.replace("-", "_")
        module.mkdir(parents=True, exist_ok=True)
        (module / "__init__.py").touch()
        (directory / "pyproject.toml").write_text(package.configuration())
        if package.check:
            (directory / "check.c").write_text(package.check)
        if package.debian:
            source = debian_source(self.work, *package.debian)
            (directory / source.name).unlink(missing_ok=True)
            (directory / source.name).symlink_to(source)
        first, answer = self.build(directory)
        again, unchanged = self.build(directory)
        for target in unchanged["targets"]:
            for component in target["components"]:
                if component["outcome"] != "up to date":
                    raise RuntimeError(f"{component['name']} is {component['outcome']} the second time")
        rows = []
        for target, made in zip(TARGETS, answer["targets"], strict=True):
            wheel = made["wheels"][0]
            rows.append((
                package.name,
                target,
                wheel["verdict"],
                self.run(package, directory, target),
                f"{first:.1f} s",
                f"{again:.2f} s",
            ))
        return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", choices=[[], *(p.name for p in PACKAGES)], metavar="NAME")
    parser.add_argument("--quick", action="store_true", help="only the package that CI builds")
    parser.add_argument("--program", type=pathlib.Path, help="wheelsmith; built when absent")
    args = parser.parse_args()
    target_dir = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target"))
    program = args.program
    if program is None:
        # The profile of the tests, so that their compiled crates are used.
        build = ["cargo", "build", "--locked", "--quiet", "--workspace", "--all-features"]
        subprocess.run(build, cwd=REPOSITORY, check=True)
        program = target_dir / "debug" / "wheelsmith"
    tools = pathlib.Path(os.environ.get("WHEELSMITH_TEST_ENV", REPOSITORY / "target" / "test-env"))
    bench = Bench(program.resolve(), target_dir.resolve() / "packages", tools.resolve())
    header = ("package", "target", "tag", "runs", "both targets", "again")
    print("| " + " | ".join(header) + " |\n|" + "---|" * len(header))
    failed = 0
    for package in PACKAGES:
        if (args.names and package.name not in args.names) or (args.quick and not package.quick):
            continue
        try:
            for row in bench.package(package):
                print("| " + " | ".join(row) + " |", flush=True)
        except (RuntimeError, subprocess.SubprocessError, OSError) as error:
            failed += 1
            print(f"| {package.name} | failed |", flush=True)
            print(f"{package.name}: {error}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
