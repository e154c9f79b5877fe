#!/usr/bin/env python3
"""Edits real libraries and loads them: whole sets get other names, as a repaired wheel has them.

    scripts/patch-matrix.py CACHE [SET…]

Needs: cargo, cc, readelf, strip, pip, pyelftools; qemu-user for other machines; eu-elflint where
it is. On Debian, `apt-get download` brings the libraries of other machines, without root.

A set is a number of libraries that need each other: those of a wheel, or of a Debian system. Each
library gets a new SONAME, new names for what it needs from its set, and a RUNPATH. Then
  * pyelftools reads back what was asked for;
  * `readelf -a` and `eu-elflint` find nothing that they did not find before;
  * whatever could be loaded before, natively or in qemu, can be loaded, also after `strip`.
Prints a table; exits 1 when anything is not as it should be.
"""

import collections
import json
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import zipfile

from elftools.elf.elffile import ELFFile

HERE = pathlib.Path(__file__).resolve().parent.parent
SUFFIX = "-0123abcd"

# Set -> machine, and the wheel: project, Python version, platforms.
NEW = "manylinux2014_{0} manylinux_2_17_{0} manylinux_2_27_{0} manylinux_2_28_{0} manylinux_2_34_{0}"
WHEELS = {
    "numpy": ("x86_64", "numpy", NEW),  # Fortran; edited by auditwheel before
    "scipy": ("x86_64", "scipy", NEW),
    "pyarrow": ("x86_64", "pyarrow", NEW),  # C++, large
    "h5py": ("x86_64", "h5py", NEW),
    "pillow": ("x86_64", "pillow", NEW),
    "psycopg2": ("x86_64", "psycopg2-binary", NEW),
    "shapely": ("x86_64", "shapely", NEW),
    "cryptography": ("x86_64", "cryptography", NEW),  # Rust
    "tls-client": ("x86_64", "tls-client", NEW),  # Go
    "numpy-aarch64": ("aarch64", "numpy", NEW),
    "pillow-aarch64": ("aarch64", "pillow", NEW),
    "psycopg2-ppc64le": ("ppc64le", "psycopg2-binary", NEW),
    "psycopg2-musl": ("x86_64-musl", "psycopg2-binary", "musllinux_1_2_x86_64"),
}
# Debian's libraries: TLS, versions, notes, 64 KiB pages, big-endian.
DEBIAN = {"debian-s390x": "s390x", "debian-ppc64el": "ppc64le", "debian-arm64": "aarch64"}
PACKAGES = """libc6 libstdc++6 libgfortran5 libssl3 libcurl4 zlib1g libxml2 libsqlite3-0 libgomp1
    libicu72 libglib2.0-0 libpq5 libpng16-16 libjpeg62-turbo libtiff6 libfreetype6""".split()
# Libraries of this machine, by what is there.
HOST = "libLLVM*.so.* libstdc++.so.6 libpython3*.so.1.0 libicu*.so.?? libgomp.so.1 libssl.so.3 " \
    "libcrypto.so.3 libcurl.so.4 libglib-2.0.so.0 libX11.so.6 libxml2.so.2 libgfortran.so.5"
# Not renamed: the loader's own parts.
SYSTEM = re.compile(r"^(ld|ld64|ld-.*|lib(c|m|dl|rt|pthread|util|resolv|anl|nsl|mvec|thread_db|"
                    r"BrokenLocale|c_malloc_debug|nss_.*|memusage|pcprofile|crypt|SegFault))[-.].*so")
LOADER = """
#include <dlfcn.h>
#include <stdio.h>
int main(int n, char **a) {
    int i;
    for (i = 1; i < n; i++) {
        void *h = dlopen(a[i], RTLD_LAZY);
        fputs(h ? "ok " : "no ", stdout);
        puts(h ? a[i] : dlerror());
        fflush(stdout);
    }
    return 0;
}
"""
# Machine -> Debian's name.
ROOTS = {"aarch64": "arm64", "s390x": "s390x", "ppc64le": "ppc64el"}


def run(*command, **options):
    return subprocess.run([str(part) for part in command], capture_output=True, **options)


def is_elf(path):
    with open(path, "rb") as file:
        head = file.read(20)
    # Shared libraries, without what is only for debuggers.
    return head[:4] == b"\x7fELF" and struct.unpack(">H" if head[5] == 2 else "<H", head[16:18])[0] == 3


def facts(path):
    with open(path, "rb") as file:
        dynamic = ELFFile(file).get_section_by_name(".dynamic")
        found = collections.defaultdict(list)
        for tag in dynamic.iter_tags() if dynamic else ():
            name = str(tag.entry.d_tag).removeprefix("DT_").lower()
            if name in ("needed", "soname", "rpath", "runpath"):
                found[name].append(getattr(tag, name))
        file.seek(0)
        versions = ELFFile(file).get_section_by_name(".gnu.version_r")
        found["versions"] = sorted(v.name for v, _ in versions.iter_versions()) if versions else []
        return found


def complaints(path):
    lines = run("readelf", "-aW", path).stderr.decode(errors="replace").splitlines()
    if shutil.which("eu-elflint"):
        output = run("eu-elflint", "--gnu-ld", path).stdout.decode(errors="replace")
        # A relocation in a writable segment, taken for one in the last, which is not.
        lines += [line for line in output.splitlines()
                  if "text relocation flag not set" not in line and line != "No errors"]
    # Addresses, and the numbers of program headers, are others afterwards.
    place = r"0x[0-9a-f]+|phdr\[\d+\]|offset \d+|program header(?: entry)? \d+"
    return {re.sub(place, "…", line.replace(str(path), "")) for line in lines}


def fetch_wheel(cache, project, machine, platforms):
    """The newest wheel of a project, by pip, once."""
    to = cache / "wheels" / f"{project}-{machine}"
    if not any(to.glob("*.whl")):
        options = [option for name in platforms.split() for option in ("--platform", name)]
        run(sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:",
            "--python-version", "3.11", "-d", to, *options, project, check=True)
    return next(to.glob("*.whl"))


def fetch_debian(cache, name):
    """A directory with the libraries of a Debian of another machine."""
    arch = name.removeprefix("debian-")
    root, state = cache / f"root-{arch}", cache / f"apt-{arch}"
    if root.exists() and any(root.rglob("*.so.*")):
        return root
    for part in ("lists/partial", "cache/archives/partial"):
        (state / part).mkdir(parents=True, exist_ok=True)
    (state / "status").touch()
    config = state / "apt.conf"
    config.write_text(
        f'#clear APT::Architectures;\nAPT::Architecture "{arch}";\nAPT::Architectures {{ "{arch}"; }};\n'
        f'Acquire::Languages "none";\nDir::State "{state}";\nDir::State::status "{state}/status";\n'
        f'Dir::Cache "{state}/cache";\n')
    env = {**os.environ, "APT_CONFIG": str(config)}
    run("apt-get", "update", env=env)
    no = "recommends suggests conflicts breaks replaces enhances".split()
    listed = run("apt-cache", "depends", "--recurse", "-i", *[f"--no-{kind}" for kind in no], *PACKAGES,
                 env=env, check=True).stdout.decode()
    packages = sorted(set(re.findall(r"^((?:lib|zlib)[^ \n]*)$", listed, re.M)))
    packages = [package for package in packages if not re.search("perl|libpam-r|libc-bin", package)]
    run("apt-get", "download", *packages, env=env, cwd=state / "cache", check=True)
    for package in (state / "cache").glob("*.deb"):
        run("dpkg", "-x", package, root, check=True)
    return root


def libraries(cache, name, work):
    """Copies the libraries of a set, beside each other. Returns them with their machine."""
    work.mkdir(parents=True)
    found = []
    if name in WHEELS:
        machine, project, platforms = WHEELS[name]
        platforms = platforms.format(machine.split("-")[0])
        with zipfile.ZipFile(fetch_wheel(cache, project, machine, platforms)) as wheel:
            wheel.extractall(work / "wheel")
        files = (work / "wheel").rglob("*.so*")
    elif name in DEBIAN:
        machine = DEBIAN[name]
        files = [path for path in fetch_debian(cache, name).rglob("*.so*")
                 if re.search(r"/lib/[^/]*-linux-gnu[^/]*/[^/]*$", str(path))]
    else:
        machine = "x86_64"
        files = [path for pattern in HOST.split()
                 for path in pathlib.Path("/usr/lib/x86_64-linux-gnu").glob(pattern)]
    seen = set()
    for path in sorted(files):
        real = path.resolve()
        if path.is_symlink() and name not in ("host",) or not real.is_file() or not is_elf(real):
            continue
        of = facts(real)
        wanted = (of["soname"] or [path.name])[0]
        if SYSTEM.match(wanted) or wanted in seen or real in seen:
            continue
        seen |= {wanted, real}
        found.append(shutil.copyfile(real, work / wanted))
    return machine, found


def new_name(name):
    stem, dot, rest = name.partition(".so")
    return stem + SUFFIX + dot + rest


def loader(cache, machine, directory):
    """What loads the file that is its last argument, and its environment; nothing when this machine
    cannot."""
    if machine == "x86_64":
        program = cache / "load-x86_64"
        if not program.exists():
            (cache / "load.c").write_text(LOADER)
            run("cc", cache / "load.c", "-o", program, "-ldl", check=True)
        env = {**os.environ, "LD_LIBRARY_PATH": str(directory)}
        # Extension modules take symbols from whoever loads them.
        python = sorted(pathlib.Path("/usr/lib/x86_64-linux-gnu").glob("libpython3.*.so.1.0"))
        if python:
            env["LD_PRELOAD"] = str(python[-1])
        return lambda file: [program, file], env
    if machine == "x86_64-musl":
        # Loads and relocates, but starts nothing.
        musl = next(cache.glob("musl/lib/ld-musl*"), None) or shutil.which("ld-musl-x86_64.so.1")
        libc = next(cache.glob("musl/**/libc.so"), musl)
        return libc and (lambda file: [libc, "--library-path", directory, "--list", file], None)
    root = cache / f"root-{ROOTS[machine]}"
    qemu = shutil.which(f"qemu-{machine}-static") or shutil.which(f"qemu-{machine}")
    ld = next(root.glob("lib/*/ld[6-]*.so.*"), None)
    libc = next(root.glob("lib/*/libc.so.6"), None)
    if not (qemu and ld and libc):
        return None
    paths = ":".join(map(str, [directory, libc.parent, root / "usr/lib" / libc.parent.name]))
    # glibc itself is a program that says its version.
    return lambda file: [qemu, "-L", root, ld, "--library-path", paths, "--preload", file, libc], None


def loads(cache, machine, directory, files):
    """Which of the files can be loaded, each in a process of its own."""
    found = loader(cache, machine, directory)
    if not found:
        return None
    command, env = found
    can = set()
    for file in files:
        try:
            result = run(*command(file), env=env, timeout=120)
        except subprocess.TimeoutExpired:
            continue
        is_loaded = result.returncode == 0 and b"cannot be preloaded" not in result.stderr
        if is_loaded and not result.stdout.startswith(b"no"):
            can.add(file.name)
    return can


def strips(machine):
    if machine.startswith("x86_64"):
        found = [["strip"], ["llvm-strip"], ["eu-strip"]]
    else:
        found = [[f"{machine}-linux-gnu-strip"], ["llvm-strip"], ["eu-strip"]]
    return [strip for strip in found if shutil.which(strip[0])]


def check_set(cache, name, tool):
    work = cache / "work" / name
    shutil.rmtree(work, ignore_errors=True)
    machine, files = libraries(cache, name, work / "before")
    after = work / "after"
    after.mkdir()
    wrong = []
    members = {path.name for path in files}
    strategies = collections.Counter()
    growth = most = size = 0
    for path in files:
        old = facts(path)
        renamed = {need: new_name(need) for need in old["needed"] if need in members}
        options = [part for pair in renamed.items() for part in ("--rename", *pair)]
        target = after / new_name(path.name)
        result = run(tool, path, target, "--id", target.name, "--runpath", "$ORIGIN", *options)
        if result.returncode != 0:
            wrong.append(f"{path.name}: {result.stderr.decode().strip()}")
            continue
        layout = json.loads(result.stdout)
        kind = layout["strategy"]["kind"] + ("!" if layout.get("warnings") else "")
        strategies[kind] += 1
        growth += layout["growth_bytes"]
        most = max(most, layout["growth_bytes"])
        size = max(size, path.stat().st_size)
        now = facts(target)
        expected = {"soname": [target.name], "runpath": ["$ORIGIN"], "rpath": [],
                    "needed": [renamed.get(need, need) for need in old["needed"]],
                    "versions": sorted(renamed.get(v, v) for v in old["versions"])}
        if any(now[key] != value for key, value in expected.items()):
            wrong.append(f"{path.name}: {dict(now)} instead of {expected}")
        strings = new_strings(path)
        if layout["growth_bytes"] > 4096 + strings:
            wrong.append(f"{path.name}: grows by {layout['growth_bytes']}: {layout}")
        more = complaints(target) - complaints(path)
        if more:
            wrong.append(f"{path.name}: {sorted(more)[:4]}")
    row = [name, machine, len(files), size >> 20, f"{growth / max(len(files), 1):.0f}", most,
           " ".join(f"{kind}:{n}" for kind, n in sorted(strategies.items()))]
    could = loads(cache, machine, work / "before", files)
    if could is None:
        return row + ["-", "-"], wrong
    edited = [after / new_name(path.name) for path in files if (after / new_name(path.name)).exists()]
    can = loads(cache, machine, after, edited)
    wanted = {new_name(file) for file in could}
    wrong += [f"{file}: is not loaded" for file in sorted(wanted - can)]
    row.append(f"{len(can)}/{len(wanted)}")
    for strip in strips(machine):
        # Only what its own file survives counts.
        both = {}
        for kind, directory, list_ in (("before", work / "before", files), ("after", after, edited)):
            to = work / f"{kind}-{strip[0]}"
            to.mkdir()
            for path in list_:
                option = ["-o", to / path.name, path]
                if run(*strip, *option).returncode != 0:
                    (to / path.name).unlink(missing_ok=True)
            there = [to / path.name for path in list_ if (to / path.name).exists()]
            both[kind] = loads(cache, machine, to, there)
        lost = {new_name(file) for file in both["before"]} - both["after"]
        gained = both["after"] - {new_name(file) for file in both["before"]}
        wrong += [f"{file}: is not loaded after {strip[0]}" for file in sorted(lost)]
        row.append(f"{strip[0]} {len(both['after'])} (-{len(lost)} +{len(gained)})")
    return row, wrong


def new_strings(path):
    """The bytes that the tables that may have to move have, which no layout can avoid."""
    with open(path, "rb") as file:
        names = (".dynstr", ".dynamic")
        sections = [ELFFile(file).get_section_by_name(name) for name in names]
        front = [s for s in ELFFile(file).iter_sections()
                 if s["sh_type"] in ("SHT_NOTE", "SHT_GNU_HASH", "SHT_HASH", "SHT_DYNSYM")]
        return sum(s["sh_size"] for s in sections if s) + sum(s["sh_size"] for s in front)


def main():
    cache = pathlib.Path(sys.argv[1]).resolve()
    run("cargo", "build", "-q", "-p", "wheelsmith-core", "--example", "patch-elf", cwd=HERE, check=True)
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", HERE / "target"))
    tool = target / "debug/examples/patch-elf"
    names = sys.argv[2:] or ["host", *WHEELS, *DEBIAN]
    all_wrong = []
    total = 0
    print("set | machine | files | largest MiB | growth, mean | growth, most | layouts | loaded | stripped")
    for name in names:
        row, wrong = check_set(cache, name, tool)
        total += row[2]
        print(" | ".join(map(str, row)), flush=True)
        for line in wrong:
            print(f"    WRONG {line}", flush=True)
        all_wrong += wrong
    print(f"{total} libraries, {len(all_wrong)} complaints")
    return 1 if all_wrong else 0


if __name__ == "__main__":
    sys.exit(main())
