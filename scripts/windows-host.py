#!/usr/bin/env python3
"""Compares wheelsmith as a Windows program, under wine, with the program of this machine.

    scripts/hosts.sh --run          builds the Windows program and calls this
    scripts/windows-host.py NATIVE COMMAND…

NATIVE is the program of this machine, COMMAND runs the Windows one, such as
`/usr/lib/wine/wine64 target/hosts/…/wheelsmith.exe`. Each row must succeed or fail as stated, and where
both programs write files, the bytes must be the same. Prints a line for each row; exits with 1 if one
is wrong.
"""

import base64
import hashlib
import pathlib
import shutil
import subprocess
import sys
import tempfile
import zipfile

ELF = pathlib.Path(__file__).resolve().parent.parent / "testdata" / "elf"
MINGW = "x86_64-w64-mingw32-gcc-win32"
SECONDS = 300


def row(path, data):
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
    return f"{path},sha256={digest},{len(data)}\n"


def wheel(path, tag, files):
    name, version = path.name.split("-")[:2]
    info = f"{name}-{version}.dist-info"
    files = dict(files)
    files[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode()
    pure = str(tag.endswith("any")).lower()
    text = f"Wheel-Version: 1.0\nGenerator: test (1)\nRoot-Is-Purelib: {pure}\nTag: {tag}\n"
    files[f"{info}/WHEEL"] = text.encode()
    record = "".join(row(*item) for item in files.items()) + f"{info}/RECORD,,\n"
    files[f"{info}/RECORD"] = record.encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, data in files.items():
            entry = zipfile.ZipInfo(member, (1980, 1, 1, 0, 0, 0))
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, data, zipfile.ZIP_DEFLATED)


def windows_files(work):
    """Compile a module that needs a library; return its bytes, and put the library into `work/dll`."""
    (work / "dll").mkdir()
    sources = {
        "dep": "__declspec(dllexport) int dep(void) { return 7; }",
        "ext": "__declspec(dllimport) int dep(void); __declspec(dllexport) int PyInit_ext(void) { return dep(); }",
    }
    for name, text in sources.items():
        (work / f"{name}.c").write_text(text)
    link = ["-Wl,--out-implib,libdep.a", "-Wl,--no-insert-timestamp"]
    subprocess.run([MINGW, "-shared", "dep.c", "-o", "dll/dep.dll", *link], cwd=work, check=True)
    subprocess.run([MINGW, "-shared", "ext.c", "-o", "ext.pyd", "-L.", "-ldep", link[1]], cwd=work, check=True)
    return (work / "ext.pyd").read_bytes()


def tree(directory):
    """The files below a directory, with their bytes."""
    files = (path for path in sorted(directory.rglob("*")) if path.is_file())
    return {str(path.relative_to(directory)): path.read_bytes() for path in files}


def main():
    native, command = [sys.argv[1]], sys.argv[2:]
    if not command:
        sys.exit(__doc__)
    wrong = 0
    work = pathlib.Path(tempfile.mkdtemp(prefix="windows host ü "))
    try:
        module = windows_files(work)
        dist, more = work / "dist", work / "more"
        wheel(dist / "win-1.0-py3-none-win_amd64.whl", "py3-none-win_amd64", {"win/__init__.py": b"", "win/ext.pyd": module})
        wheel(dist / "lin-1.0-py3-none-linux_x86_64.whl", "py3-none-linux_x86_64",
              {"lin/__init__.py": b"", "lin/user.so": (ELF / "runpath.so").read_bytes()})
        (work / "so").mkdir()
        shutil.copy(ELF / "x86_64.so", work / "so" / "libplain.so")
        wheel(dist / "pure-1.0-py3-none-any.whl", "py3-none-any", {"pure/__init__.py": b"x = 1\n", "pure/größe.txt": b"1"})
        wheel(more / "twins-1.0-py3-none-any.whl", "py3-none-any", {"twins/A.py": b"1", "twins/a.py": b"2"})
        wheel(more / "device-1.0-py3-none-any.whl", "py3-none-any", {"device/aux.py": b"1"})

        def same(name, arguments, made=None, expected=0):
            """Run both programs; they must end alike and write the same files below `made`."""
            nonlocal wrong
            results = []
            for program in (native, command):
                if made:
                    shutil.rmtree(work / made, ignore_errors=True)
                done = subprocess.run([*program, *arguments], cwd=work, capture_output=True, timeout=SECONDS,
                                      stdin=subprocess.DEVNULL)
                files = tree(work / made) if made and (work / made).exists() else {}
                results.append((done, files))
            (ours, our_files), (theirs, their_files) = results
            why = []
            if (ours.returncode, theirs.returncode) != (expected, expected):
                why.append(f"exit codes {ours.returncode} and {theirs.returncode}, expected {expected}")
            if "json" in arguments and ours.stdout != theirs.stdout:
                why.append("their standard output differs")
            if our_files != their_files:
                names = set(our_files) ^ set(their_files)
                names |= {name for name, data in our_files.items() if their_files.get(name, data) != data}
                why.append(f"their files differ: {sorted(names)[:4]}")
            if expected == 0 and made and not our_files:
                why.append("no file was written")
            wrong += bool(why)
            print(f"{'WRONG' if why else 'ok':6} {name}", *why, sep="\n         " if why else "", flush=True)
            if why:
                print(theirs.stderr.decode(errors="replace")[-600:])

        wheels = [f"dist/{path.name}" for path in sorted(dist.iterdir())]
        same("version", ["--version"])
        same("audit", ["audit", "--format", "json", "--fail-on", "error", *wheels], expected=1)
        same("check", ["check", "--format", "json", *wheels], expected=1)
        same("pattern", ["audit", "--format", "json", "dist/p*.whl"])
        same("repair for Windows", ["repair", wheels[2], "-L", "dll", "-o", "out"], "out")
        same("repair for Linux", ["repair", wheels[0], "-L", "so", "-o", "out"], "out")
        same("unpack", ["wheel", "unpack", wheels[1], "-o", "out"], "out")
        same("unpack case twins", ["wheel", "unpack", "more/twins-1.0-py3-none-any.whl", "-o", "out"], "out", 1)
        same("unpack a device", ["wheel", "unpack", "more/device-1.0-py3-none-any.whl", "-o", "out"], "out", 1)
        subprocess.run([*native, "wheel", "unpack", wheels[1], "-o", "unpacked"], cwd=work, check=True, capture_output=True)
        same("pack", ["wheel", "pack", "unpacked/pure-1.0", "-o", "out"], "out")
        same("retag", ["wheel", "retag", wheels[1], "--build-tag", "7", "-o", "out"], "out")
        same("add", ["wheel", "add", wheels[1], "dep.c=pure/dep.c", "-o", "out"], "out")
        same("diff", ["wheel", "diff", wheels[1], wheels[1]])
        same("index", ["index", "build", "--dir", "dist", "--out", "site", "--upload-time", "2026-01-31T00:00:00Z"])
        same("index files", ["index", "verify", "site"])
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
