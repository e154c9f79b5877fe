#!/usr/bin/env python3
"""Edits the Mach-O and PE files of real wheels, and checks the results with other tools.

    cargo build --release -p wheelsmith-core --example patch-foreign
    scripts/patch-matrix-foreign.py [--macho N] [--pe N] WHEEL-OR-DIRECTORY…

Renames every needed library that is not part of the system, as grafting does. lief and pefile (`pip
install lief pefile`), `llvm-objdump` if it is installed, and page hashes computed here check the result.
Prints a table. The exit code is 1 if any file is wrong. A refusal to edit a file is not a failure; its
reason is counted.
"""

import argparse
import collections
import hashlib
import io
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
import zipfile

import lief
import pefile

TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", pathlib.Path(__file__).parent.parent / "target"))
PROGRAM = TARGET / "release/examples/patch-foreign"
MACHO = (0xFEEDFACE, 0xFEEDFACF, 0xCEFAEDFE, 0xCFFAEDFE, 0xCAFEBABE, 0xCAFEBABF)
# Limits the files of one wheel in the matrix.
PER_WHEEL = 6
SUFFIX = "-0123abcd"

lief.logging.disable()


def kind(data):
    if len(data) < 64:
        return None
    magic = struct.unpack_from(">I", data)[0]
    if magic in MACHO and not (magic == 0xCAFEBABE and struct.unpack_from(">I", data, 4)[0] > 39):
        return "macho"
    if data[:2] == b"MZ":
        at = struct.unpack_from("<I", data, 0x3C)[0]
        if data[at : at + 4] == b"PE\0\0":
            return "pe"
    return None


def images(wheels, wanted):
    """Kind, label and bytes of as many images as wanted, a few from each wheel."""
    left, seen = dict(wanted), set()
    for wheel in wheels:
        taken = collections.Counter()
        with zipfile.ZipFile(wheel) as archive:
            # Grafted libraries first: their names have been changed before.
            infos = sorted(archive.infolist(), key=lambda i: (".dylibs/" not in i.filename, i.filename))
            for info in infos:
                with archive.open(info) as file:
                    if kind(file.read(4096).ljust(64, b"\0")) is None:
                        continue
                data = archive.read(info)
                which, digest = kind(data), hashlib.sha256(data).digest()
                if which and left[which] and taken[which] < PER_WHEEL and digest not in seen:
                    seen.add(digest)
                    left[which] -= 1
                    taken[which] += 1
                    yield which, f"{wheel.name.split('-')[0]}: {info.filename}", data


def patch(work, data, options):
    """The edited bytes, or the reason of the refusal."""
    (work / "in").write_bytes(data)
    done = subprocess.run([PROGRAM, work / "in", work / "out", *options], capture_output=True, text=True)
    if done.returncode:
        return None, done.stderr.strip()
    return (work / "out").read_bytes(), None


def new_name(name):
    stem, dot, suffix = name.rpartition(".")
    return f"{stem}{SUFFIX}{dot}{suffix}" if dot else name + SUFFIX


# Mach-O


def slices(data):
    # The images must not outlive the object that owns them.
    return lief.MachO.parse(io.BytesIO(data))


def is_system(name):
    return name.startswith(("/usr/lib/", "/System/"))


def macho_edit(before, is_long):
    rpath = "@loader_path/../.dylibs"
    prefix = "@loader_path/" + "../" * 16 if is_long else "@loader_path/../.dylibs/"
    options, renamed = ["--rpath", rpath], {}
    for image in before:
        for library in image.libraries:
            if library.command != lief.MachO.LoadCommand.TYPE.ID_DYLIB and not is_system(library.name):
                renamed[library.name] = prefix + new_name(library.name.rsplit("/", 1)[-1])
    ident = None
    if all(any(l.command == lief.MachO.LoadCommand.TYPE.ID_DYLIB for l in image.libraries) for image in before):
        name = next(l.name for l in before.at(0).libraries if l.command == lief.MachO.LoadCommand.TYPE.ID_DYLIB)
        ident = "@rpath/" + new_name(name.rsplit("/", 1)[-1])
        options += ["--id", ident]
    for old, new in renamed.items():
        options += ["--rename", old, new]
    return options, renamed, ident, [rpath]


def page_faults(data):
    """Recomputes every page hash of every slice's signature."""
    parts = [data]
    magic, count = struct.unpack_from(">II", data)
    if magic in (0xCAFEBABE, 0xCAFEBABF):
        entry, size = (">QQ", 32) if magic == 0xCAFEBABF else (">II", 20)
        places = [struct.unpack_from(entry, data, 8 + size * i + 8) for i in range(count)]
        parts = [data[at : at + length] for at, length in places]
    for part in parts:
        order = "<" if part[:1] in (b"\xce", b"\xcf") else ">"
        is_wide = 0xCF in (part[0], part[3])
        cpu, _, _, count, _ = struct.unpack_from(order + "IIIII", part, 4)
        at, found = 32 if is_wide else 28, None
        for _ in range(count):
            command, size = struct.unpack_from(order + "II", part, at)
            if command == 0x1D:
                found = struct.unpack_from(order + "II", part, at + 8)
            at += size
        if found is None:
            if cpu == 0x0100000C:
                yield "arm64 without a signature"
            continue
        start, size = found
        if start + size != len(part):
            yield "the signature is not the end"
        blob = part[start : start + size]
        magic, _, blobs = struct.unpack_from(">III", blob)
        index = dict(struct.unpack_from(">II", blob, 12 + 8 * i) for i in range(blobs))
        directory = blob[index[0] :]
        fields = struct.unpack_from(">IIIIIIIII4B", directory)
        hashes, code, limit, hash_size, hash_type, _, bits = fields[4], *fields[7:9], *fields[9:]
        if (magic, hash_size, hash_type, bits, limit) != (0xFADE0CC0, 32, 2, 12, start):
            yield "odd signature"
        for i in range(code):
            page = part[i << 12 : min((i + 1) << 12, limit)]
            if hashlib.sha256(page).digest() != directory[hashes + 32 * i : hashes + 32 * (i + 1)]:
                yield f"page {i} is wrong"
        if code != -(-limit // 4096):
            yield "not every page has a hash"


def objdump(work, data):
    program = shutil.which("llvm-objdump")
    if not program:
        return None
    (work / "image").write_bytes(data)
    done = subprocess.run(
        [program, "--macho", "--rebase", "--exports-trie", "--arch", "all", work / "image"], capture_output=True
    )
    return done.returncode, done.stdout, done.stderr


def judge_macho(work, data, after, expected):
    renamed, ident, rpaths = expected
    was, now = slices(data), slices(after)
    if len(was) != len(now):
        yield "other slices"
        return
    for old, new in zip(was, now):
        names = lambda image: [(l.command, l.name, l.timestamp, l.current_version, l.compatibility_version) for l in image.libraries]
        wanted = []
        for command, name, *rest in names(old):
            is_id = command == lief.MachO.LoadCommand.TYPE.ID_DYLIB
            wanted.append((command, ident if is_id else renamed.get(name, name), *rest))
        if names(new) != wanted:
            yield "names"
        if [r.path for r in new.rpaths] != rpaths:
            yield "rpaths"
        contents = lambda image: [
            (s.segment_name, s.name, s.offset, s.size, hashlib.sha256(bytes(s.content)).digest()) for s in image.sections
        ]
        if contents(old) != contents(new):
            yield "sections"
        if lief.MachO.check_layout(old)[0] and not lief.MachO.check_layout(new)[0]:
            yield "layout: " + lief.MachO.check_layout(new)[1]
    yield from page_faults(after)
    if objdump(work, data) != objdump(work, after):
        yield "llvm-objdump sees other rebases or exports"


# PE


def is_windows(name):
    return name.startswith(("api-ms-", "kernel32.", "ntdll."))


def pe_names(image):
    tables = (getattr(image, f"DIRECTORY_ENTRY_{table}", []) for table in ("IMPORT", "DELAY_IMPORT"))
    return [entry for table in tables for entry in table]


def names_of_lief(data):
    image = lief.PE.parse(io.BytesIO(data))
    return [entry.name for entry in image.imports]


def pe_edit(data):
    image = pefile.PE(data=data)
    # pefile gives up on files with thousands of symbols, lief leaves delayed imports elsewhere.
    names = {entry.dll.decode() for entry in pe_names(image)} | set(names_of_lief(data))
    renamed = {name: new_name(name) for name in sorted(names) if not is_windows(name.lower())}
    # Small letters in the request: Windows does not tell them from capitals.
    return [word for old, new in renamed.items() for word in ("--rename", old.lower(), new)], renamed


def judge_pe(data, after, renamed):
    was, now = pefile.PE(data=data), pefile.PE(data=after)
    # pefile invents names for exports by number.
    symbols = lambda entry: [
        (s.ordinal if s.import_by_ordinal else s.name, s.hint, s.address) for s in entry.imports
    ]
    wanted = [(renamed.get(e.dll.decode(), e.dll.decode()), symbols(e)) for e in pe_names(was)]
    if [(e.dll.decode(), symbols(e)) for e in pe_names(now)] != wanted:
        yield "imports"
    if names_of_lief(after) != [renamed.get(name, name) for name in names_of_lief(data)]:
        yield "lief reads other imports"
    # Parts that were parsed are written anew for this, so nothing else may have been.
    if not pefile.PE(data=after, fast_load=True).verify_checksum():
        yield "checksum"
    if now.OPTIONAL_HEADER.DATA_DIRECTORY[4].Size:
        yield "signature"
    # Byte statistics change with every edit and are not compared.
    warnings = lambda image: {text for text in image.get_warnings() if not text.startswith("Byte 0x")}
    if warnings(now) - warnings(was):
        yield "warnings: " + "; ".join(warnings(now) - warnings(was))
    for old, new in zip(was.sections, now.sections):
        is_code = old.Characteristics & 0x20000020
        if (old.VirtualAddress, old.SizeOfRawData) != (new.VirtualAddress, new.SizeOfRawData):
            yield "sections"
        if is_code and old.get_data() != new.get_data():
            yield "code"
    ends = [(s.VirtualAddress, s.VirtualAddress + s.Misc_VirtualSize) for s in sorted(now.sections, key=lambda s: s.VirtualAddress)]
    if any(a[1] > b[0] for a, b in zip(ends, ends[1:])) or ends[-1][1] > now.OPTIONAL_HEADER.SizeOfImage:
        yield "overlap"
    for directory in ("DEBUG", "EXCEPTION", "BASERELOC", "TLS"):
        index = pefile.DIRECTORY_ENTRY[f"IMAGE_DIRECTORY_ENTRY_{directory}"]
        if str(was.OPTIONAL_HEADER.DATA_DIRECTORY[index]) != str(now.OPTIONAL_HEADER.DATA_DIRECTORY[index]):
            yield directory


def run(work, which, data):
    """Rows of outcomes: kind, what, faults."""
    if which == "pe":
        options, renamed = pe_edit(data)
        after, why = patch(work, data, options)
        if after is None:
            return [("PE", "refused: " + why, [])]
        sections = pefile.PE(data=after).FILE_HEADER.NumberOfSections - pefile.PE(data=data).FILE_HEADER.NumberOfSections
        how = "unchanged" if after == data else ("in unused bytes", "in a new section")[sections]
        again, _ = patch(work, after, options)
        faults = [] if again == after else ["made again, it changes"]
        if after != data:
            faults += judge_pe(data, after, renamed)
        return [("PE", how, faults)]
    rows = []
    for is_long in (False, True):
        row = "Mach-O, long names" if is_long else "Mach-O"
        options, *expected = macho_edit(slices(data), is_long)
        after, why = patch(work, data, options)
        if after is None:
            reason = "refused: no room" if "no room" in why else "refused: " + why
            print(f"{row}: {why}", file=sys.stderr)
            rows.append((row, reason, []))
            continue
        again, _ = patch(work, after, options)
        faults = [] if again == after else ["made again, it changes"]
        rows.append((row, "edited", faults + list(judge_macho(work, data, after, expected))))
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--macho", type=int, default=60)
    parser.add_argument("--pe", type=int, default=100)
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("paths", nargs="+", type=pathlib.Path)
    args = parser.parse_args()
    wheels = {w.name: w for p in args.paths for w in (p.rglob("*.whl") if p.is_dir() else [p])}
    wheels = [wheels[name] for name in sorted(wheels) if "macosx" in name or "-win" in name]
    table, wrong = collections.Counter(), []
    with tempfile.TemporaryDirectory() as work:
        for which, label, data in images(wheels, {"macho": args.macho, "pe": args.pe}):
            for row, outcome, faults in run(pathlib.Path(work), which, data):
                table[row, outcome, bool(faults)] += 1
                if faults:
                    wrong.append(f"{label}: {row}: {', '.join(map(str, faults))[:300]}")
                if args.verbose:
                    print(f"{label}: {row}: {outcome}", file=sys.stderr)
    print(f"{'files':>6}  {'what':<20} {'outcome':<60} judges")
    for (row, outcome, is_wrong), count in sorted(table.items()):
        verdict = "WRONG" if is_wrong else "" if outcome.startswith("refused") else "agree"
        print(f"{count:>6}  {row:<20} {outcome:<60} {verdict}")
    print(*wrong, sep="\n")
    sys.exit(bool(wrong))


main()
