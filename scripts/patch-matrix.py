#!/usr/bin/env python3
"""Edits sets of real libraries, as a repair does, and loads them.

    scripts/patch-matrix.py [--tool PROGRAM] CACHE [SET…]
    scripts/patch-matrix.py [--tool PROGRAM] --subset CACHE

Needs cargo, or the built example `patch-elf` as PROGRAM; cc, readelf, strip, pip, pyelftools; qemu-user
for other processors; eu-elflint if it is installed. On Debian, `apt-get download` gets the libraries of
other processors, without root. `--subset` uses some libraries of this machine and of the test environment
(`$WHEELSMITH_TEST_ENV`) instead, and downloads nothing.

A set consists of libraries that need each other, from a wheel or a Debian system. Each library gets a new
SONAME, new names for the libraries of its set that it needs, and a RUNPATH. Then
  * pyelftools must read the requested values;
  * `readelf -a` and `eu-elflint` must report nothing new;
  * every library that could be loaded before, natively or under qemu, can be loaded, also after `strip`,
    and functions that the script knows return the right results.
Prints a table. The exit code is 1 if any check fails.
"""

import argparse
import collections
import concurrent.futures
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
# What CI edits: of this machine, of the test environment, and made here.
SUBSET = {"small-x86_64": "x86_64", "small-musl": "x86_64-musl", "small-aarch64": "aarch64",
          "small-s390x": "s390x"}
SMALL = {
    "small-x86_64": "libz.so.1 libstdc++.so.6 libgcc_s.so.1 libgomp.so.1 libquadmath.so.0 libcrypto.so.3 "
                    "libssl.so.3 libexpat.so.1 libsqlite3.so.0 libffi.so.8",
    "small-aarch64": "libz.so.1 liblzma.so.5 libexpat.so.1 libffi.so.8 libreadline.so.8 libtinfo.so.6",
    "small-s390x": "libz.so.1",
}
FEWEST = 15
# Extension modules, in Rust and in C.
JUDGES = "nh3/*.so _cffi_backend.*.so"
# Exceptions and thread-local storage, through a C++ library that has another name afterwards.
MADE_CPP = """
#include <stdexcept>
#include <string>
static thread_local std::string text = "as it was";
extern "C" int matrix_probe() {
    try {
        text += ", and more";
        if (text.size() > 9) throw std::runtime_error(text);
    } catch (const std::exception &error) {
        return error.what() == text ? 42 : 1;
    }
    return 2;
}
"""
MADE_RUST = """
thread_local!(static COUNT: std::cell::Cell<i32> = const { std::cell::Cell::new(21) });
#[unsafe(no_mangle)]
pub extern "C" fn matrix_probe() -> i32 {
    let doubled = std::panic::catch_unwind(|| COUNT.with(|count| count.get() * 2));
    doubled.unwrap_or(1)
}
"""
MADE_C = """
#ifdef NEEDED
__thread int there = 40;
int matrix_needed(void) { return there; }
#else
int matrix_needed(void);
int matrix_probe(void) { return matrix_needed() + 2; }
#endif
"""
# Not renamed: the loader's own parts.
SYSTEM = re.compile(r"^(ld|ld64|ld-.*|lib(c|m|dl|rt|pthread|util|resolv|anl|nsl|mvec|thread_db|"
                    r"BrokenLocale|c_malloc_debug|nss_.*|memusage|pcprofile|crypt|SegFault))[-.].*so")
LOADER = """
#include <dlfcn.h>
#include <stdio.h>
/* Answers that are known, of functions that some libraries have. */
static const char *wrong(void *h) {
    unsigned long (*crc)(unsigned long, const char *, unsigned);
    int (*number)(void);
    unsigned long (*openssl)(void);
    const char *(*text)(void);
    if ((crc = dlsym(h, "crc32")) && crc(0, "hello", 5) != 0x3610a686) return "crc32";
    if ((number = dlsym(h, "matrix_probe")) && number() != 42) return "matrix_probe";
    if ((number = dlsym(h, "omp_get_max_threads")) && number() < 1) return "omp_get_max_threads";
    if ((number = dlsym(h, "sqlite3_libversion_number")) && number() < 3000000) return "sqlite3";
    if ((openssl = dlsym(h, "OpenSSL_version_num")) && openssl() < 0x10000000) return "OpenSSL";
    if ((text = dlsym(h, "XML_ExpatVersion")) && text()[0] != 'e') return "XML_ExpatVersion";
    return 0;
}
int main(int n, char **a) {
    int i;
    for (i = 1; i < n; i++) {
        void *h = dlopen(a[i], RTLD_LAZY);
        const char *what = h ? wrong(h) : dlerror();
        fputs(what ? "no " : "ok ", stdout);
        puts(what ? what : a[i]);
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
    # Shared libraries, except files for debuggers.
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
    # Addresses and the numbers of program headers change with an edit.
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


def make(to, name):
    """Makes the libraries of the subset that no system has; those that it has the compilers for."""
    to.mkdir(parents=True, exist_ok=True)
    for file, text in (("a.cpp", MADE_CPP), ("a.rs", MADE_RUST), ("a.c", MADE_C)):
        (to / file).write_text(text)
    if name == "small-musl":
        cc = ["zig", "cc", "-target", "x86_64-linux-musl", "-O1", "-fno-sanitize=all", "-shared", "-fPIC",
              to / "a.c"]
        needed = to / "libneeded.so"
        commands = [[*cc, "-DNEEDED", "-o", needed, "-Wl,-soname,libneeded.so"],
                    [*cc, "-o", to / "libmade.so", "-Wl,-soname,libmade.so", needed]]
    elif name == "small-x86_64":
        cc = ["c++", "-shared", "-fPIC", "-O1", to / "a.cpp", "-o", to / "libmadecpp.so"]
        rustc = ["rustc", "--edition=2024", "--crate-type=cdylib", "--crate-name=maderust", to / "a.rs"]
        commands = [[*cc, "-Wl,-soname,libmadecpp.so"], [*rustc, "--out-dir", to]]
    else:
        commands = []
    for command in commands:
        if shutil.which(command[0]):
            result = run(*command)
            if result.returncode != 0:
                sys.exit(f"{command[0]}: {result.stderr.decode()}")
    return sorted(to.glob("*.so"))


def small(cache, name):
    """The files of a set of the subset, and those that are made for it."""
    system = {"small-x86_64": pathlib.Path("/"), "small-aarch64": cache / "root-arm64",
              "small-s390x": cache / "root-s390x"}.get(name)
    files = make(cache / "work" / name / "made", name)
    for library in SMALL.get(name, "").split():
        places = [system / directory / f"{SUBSET[name]}-linux-gnu" / library for directory in ("usr/lib", "lib")]
        files += [place.resolve() for place in places if place.exists()][:1]
    if name == "small-x86_64":
        for pattern in JUDGES.split():
            files += (cache / "judges").glob(f"lib/*/site-packages/{pattern}")
    return files


def libraries(cache, name, work):
    """Copies the libraries of a set, beside each other. Returns them with their machine."""
    work.mkdir(parents=True)
    found = []
    if name in SUBSET:
        machine, files = SUBSET[name], small(cache, name)
    elif name in WHEELS:
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


def program(cache, machine):
    """The program that loads libraries, built once; nothing without a compiler for the machine."""
    program = cache / f"load-{machine}"
    if not program.exists():
        (cache / "load.c").write_text(LOADER)
        target = f"{machine}-linux-gnu.2.31"
        if machine.endswith("-musl"):
            target = machine.replace("-", "-linux-")
        cc = ["cc"] if machine == "x86_64" else ["zig", "cc", "-O1", "-fno-sanitize=all", "-dynamic", "-target", target]
        if not shutil.which(cc[0]) or run(*cc, cache / "load.c", "-o", program, "-ldl").returncode != 0:
            return None
    return program


def loader(cache, machine, directory):
    """What loads the file that is its last argument, and its environment; nothing when this machine
    cannot."""
    load = program(cache, machine)
    if machine == "x86_64":
        env = {**os.environ, "LD_LIBRARY_PATH": str(directory)}
        # The process that loads extension modules provides their symbols.
        python = sorted(pathlib.Path("/usr/lib/x86_64-linux-gnu").glob("libpython3.*.so.1.0"))
        if python:
            env["LD_PRELOAD"] = str(python[-1])
        return load and (lambda file: [load, file], env)
    if machine == "x86_64-musl":
        musl = next(cache.glob("musl/lib/ld-musl*"), None) or shutil.which("ld-musl-x86_64.so.1")
        libc = next(cache.glob("musl/**/libc.so"), musl)
        # Extension modules need symbols of a Python that is not installed. `--list` loads and relocates
        # them as far as it can, but starts nothing.
        what = [load] if load and any(directory.glob("libmade*")) else ["--list"]
        return libc and (lambda file: [libc, "--library-path", directory, *what, file], None)
    root = cache / f"root-{ROOTS[machine]}"
    qemu = shutil.which(f"qemu-{machine}-static") or shutil.which(f"qemu-{machine}")
    ld = next(root.glob("lib/*/ld[6-]*.so.*"), None) or next(root.glob("lib/ld[6-]*.so.*"), None)
    libc = next(root.glob("lib/*/libc.so.6"), None)
    if not (qemu and ld and libc):
        return None
    paths = ":".join(map(str, [directory, libc.parent, root / "usr/lib" / libc.parent.name]))
    start = [qemu, "-L", root, ld, "--library-path", paths]
    if load:
        return lambda file: [*start, load, file], None
    # glibc itself is a program that prints its version.
    return lambda file: [*start, "--preload", file, libc], None


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


def check_file(tool, path, after, members):
    """Edits a file, and reads it again. Returns its layout and what is wrong."""
    old = facts(path)
    renamed = {need: new_name(need) for need in old["needed"] if need in members}
    options = [part for pair in renamed.items() for part in ("--rename", *pair)]
    target = after / new_name(path.name)
    result = run(tool, path, target, "--id", target.name, "--runpath", "$ORIGIN", *options)
    if result.returncode != 0:
        return path, None, [result.stderr.decode().strip()]
    layout, wrong = json.loads(result.stdout), []
    now = facts(target)
    expected = {"soname": [target.name], "runpath": ["$ORIGIN"], "rpath": [],
                "needed": [renamed.get(need, need) for need in old["needed"]],
                "versions": sorted(renamed.get(v, v) for v in old["versions"])}
    if any(now[key] != value for key, value in expected.items()):
        wrong.append(f"{dict(now)} instead of {expected}")
    if too_large(path, layout):
        wrong.append(f"grows by {layout['growth_bytes']}: {layout}")
    more = complaints(target) - complaints(path)
    if more:
        wrong.append(str(sorted(more)[:4]))
    return path, layout, wrong


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
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as threads:
        for path, layout, found in threads.map(lambda path: check_file(tool, path, after, members), files):
            wrong += [f"{path.name}: {what}" for what in found]
            if layout is None:
                continue
            kind = layout["strategy"]["kind"] + ("!" if layout.get("warnings") else "")
            strategies[kind] += 1
            growth += layout["growth_bytes"]
            most = max(most, layout["growth_bytes"])
            size = max(size, path.stat().st_size)
    row = [name, machine, len(files), size >> 20, f"{growth / max(len(files), 1):.0f}", most,
           " ".join(f"{kind}:{n}" for kind, n in sorted(strategies.items()))]
    could = loads(cache, machine, work / "before", files)
    if not could and "WHEELSMITH_TEST_REQUIRE" in os.environ:
        wrong.append("none of the libraries could be loaded before")
    if could is None:
        return row + ["-", "-"], wrong
    edited = [after / new_name(path.name) for path in files if (after / new_name(path.name)).exists()]
    can = loads(cache, machine, after, edited)
    wanted = {new_name(file) for file in could}
    wrong += [f"{file}: is not loaded" for file in sorted(wanted - can)]
    row.append(f"{len(can)}/{len(wanted)}")
    for strip in strips(machine):
        # Only programs that worked before the edit count.
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


def too_large(path, layout):
    """Whether a file grows by more than a page and the sections that had to move: not the table of
    names where smaller ones lie behind it, which is how GNU ld links."""
    displaced = layout["strategy"].get("displaced", ())
    with open(path, "rb") as file:
        sections = [(s.name, s["sh_size"]) for s in ELFFile(file).iter_sections()]
    sizes = dict(sections)
    names = [name for name, _ in sections]
    at = names.index(".dynstr") if ".dynstr" in names else len(names)
    behind = [name for name in names[at + 1 : at + 4] if name.startswith(".gnu.version")]
    could_stay = behind and 256 < sum(map(sizes.get, behind)) < sizes[".dynstr"]
    is_in_vain = could_stay and ".dynstr" in displaced
    return is_in_vain or layout["growth_bytes"] > 4096 + sum(sizes.get(name, 0) for name in displaced)


def prepare(cache):
    """Lets the subset find what the test environment has."""
    cache.mkdir(parents=True, exist_ok=True)
    env = pathlib.Path(os.environ["WHEELSMITH_TEST_ENV"]).resolve()
    parts = {"root-arm64": "arm64-root", "root-s390x": "s390x-root", "musl": "musl/x86_64",
             "judges": "judges"}
    for name, part in parts.items():
        if not (cache / name).exists() and (env / part).exists():
            (cache / name).symlink_to(env / part)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tool", type=pathlib.Path)
    parser.add_argument("--subset", action="store_true")
    parser.add_argument("cache", type=pathlib.Path)
    parser.add_argument("sets", nargs="*")
    arguments = parser.parse_args()
    cache, tool = arguments.cache.resolve(), arguments.tool
    if tool is None:
        build = ["cargo", "build", "-q", "-p", "wheelsmith-core", "--example", "patch-elf"]
        run(*build, cwd=HERE, check=True)
        target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", HERE / "target"))
        tool = target / "debug/examples/patch-elf"
    names = arguments.sets or ["host", *WHEELS, *DEBIAN]
    if arguments.subset:
        prepare(cache)
        names = arguments.sets or list(SUBSET)
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
    if arguments.subset and "WHEELSMITH_TEST_REQUIRE" in os.environ and total < FEWEST:
        all_wrong.append("few libraries")
    print(f"{total} libraries, {len(all_wrong)} complaints")
    return 1 if all_wrong else 0


if __name__ == "__main__":
    sys.exit(main())
