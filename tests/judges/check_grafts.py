#!/usr/bin/env python3
"""Judges a repaired macOS or Windows wheel by other readers than ours: `check_grafts.py WHEEL`.

Reads Mach-O files with lief and PE files with lief and pefile. Prints what each native file says of
itself, a line for each statement, and exits with 1 when

* a Mach-O file names a path of a machine, or a library that is neither the system's nor where the
  name leads to in the wheel; when its commands reach into its first section;
* a signature of an arm64 slice is absent, or any page of any slice has another sha256 than the
  signature says;
* the two readers disagree on the imports of a PE file, its checksum is wrong, its sections overlap,
  or a library that the wheel carries in `*.libs` is found by no `__init__.py`.
"""

import ast
import hashlib
import io
import posixpath
import struct
import sys
import zipfile

import lief
import pefile

lief.logging.disable()
SYSTEM = ("/usr/lib/", "/System/")
PE = {0x8664: "x86_64", 0xAA64: "arm64"}
faults = []


def slices(data):
    """The images of a file, one for each processor."""
    magic, count = struct.unpack_from(">II", data)
    if magic != 0xCAFEBABE:
        return [data]
    places = [struct.unpack_from(">II", data, 8 + 20 * i + 8) for i in range(count)]
    return [data[at : at + length] for at, length in places]


def page_faults(image):
    """Recomputes the signature: its directory, and every page that it has a hash of."""
    cpu, _, _, count, _ = struct.unpack_from("<IIIII", image, 4)
    at, found = 32, None
    for _ in range(count):
        command, size = struct.unpack_from("<II", image, at)
        if command == 0x1D:  # LC_CODE_SIGNATURE
            found = struct.unpack_from("<II", image, at + 8)
        at += size
    if found is None:
        if cpu == 0x0100000C:
            yield "arm64 without a signature"
        return
    start, size = found
    if start + size != len(image):
        yield "the signature is not the end"
    blob = image[start : start + size]
    magic, _, blobs = struct.unpack_from(">III", blob)
    if magic != 0xFADE0CC0:
        yield "no signature where it should be"
        return
    index = dict(struct.unpack_from(">II", blob, 12 + 8 * i) for i in range(blobs))
    directory = blob[index[0] :]
    _, length, _, flags, hashes, _, _, code, limit = struct.unpack_from(">9I", directory)
    hash_size, kind, _, bits = struct.unpack_from(">4B", directory, 36)
    if (hash_size, kind, limit) != (32, 2, start) or not flags & 2:
        yield "no ad-hoc signature of all that comes before it"
    page = 1 << bits
    if code != -(-limit // page) or hashes + 32 * code > length:
        yield "not every page has a hash"
    for number in range(code):
        part = image[number * page : min((number + 1) * page, limit)]
        if hashlib.sha256(part).digest() != directory[hashes + 32 * number :][:32]:
            yield f"page {number} has another hash"


def macho(path, data, names):
    # The images must not outlive the object that owns them.
    images = lief.MachO.parse(io.BytesIO(data))
    for image, part in zip(images, slices(data)):
        arch = image.header.cpu_type.name.lower()
        label = f"{path} {arch}"
        ident, needs = None, []
        for library in image.libraries:
            if library.command == lief.MachO.LoadCommand.TYPE.ID_DYLIB:
                ident = library.name
            else:
                needs.append(library.name)
        rpaths = [rpath.path for rpath in image.rpaths]
        if ident:
            print(f"{label}: id {ident}")
        for name in needs:
            print(f"{label}: needs {name}")
            place = posixpath.normpath(name.replace("@loader_path", posixpath.dirname(path), 1))
            if not name.startswith(SYSTEM) and place not in names:
                faults.append(f"{label}: `{name}` leads nowhere")
        for rpath in rpaths:
            print(f"{label}: rpath {rpath}")
        for name in [ident or "", *rpaths]:
            if name.startswith("/"):
                faults.append(f"{label}: `{name}` is a path of a machine")
        first = min((s.offset for s in image.sections if s.offset), default=len(part))
        if 32 + image.header.sizeof_cmds > first:
            faults.append(f"{label}: its commands reach into its first section")
        right, why = lief.MachO.check_layout(image)
        if not right:
            faults.append(f"{label}: {why}")
        wrong = list(page_faults(part))
        faults.extend(f"{label}: {fault}" for fault in wrong)
        if image.has_code_signature and not wrong:
            print(f"{label}: every page has its hash")


def pe(path, data):
    image, other = pefile.PE(data=data), lief.PE.parse(io.BytesIO(data))
    arch = PE.get(image.FILE_HEADER.Machine, "?")
    imports = [e.dll.decode() for e in getattr(image, "DIRECTORY_ENTRY_IMPORT", [])]
    delayed = [e.dll.decode() for e in getattr(image, "DIRECTORY_ENTRY_DELAY_IMPORT", [])]
    if imports != [e.name for e in other.imports] or delayed != [e.name for e in other.delay_imports]:
        faults.append(f"{path}: two readers see different imports")
    for name in imports:
        print(f"{path} {arch}: needs {name}")
    for name in delayed:
        print(f"{path} {arch}: needs {name} later")
    if image.OPTIONAL_HEADER.CheckSum and not image.verify_checksum():
        faults.append(f"{path}: its checksum is wrong")
    ends = sorted((s.VirtualAddress, s.VirtualAddress + s.Misc_VirtualSize) for s in image.sections)
    if any(a[1] > b[0] for a, b in zip(ends, ends[1:])):
        faults.append(f"{path}: its sections overlap")
    return arch, imports + delayed


def hook(path, text, names):
    """Whether `__init__.py` adds a directory of the wheel, and parses."""
    tree = ast.parse(text)
    called = {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
    if "add_dll_directory" not in called:
        return None
    words = {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)}
    tops = {name.split("/")[0] for name in names if name.split("/")[0].endswith(".libs")}
    found = {top for top in tops if any(word.strip("/").split("/")[-1] == top for word in words)}
    print(f"{path}: announces {' '.join(sorted(found))}; it says: {ast.get_docstring(tree)}")
    return found


def main():
    with zipfile.ZipFile(sys.argv[1]) as wheel:
        names = set(wheel.namelist())
        grafted, announced, needed = {}, set(), {}
        for name in sorted(names):
            data = wheel.read(name)
            if data[:4] in (b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe"):
                macho(name, data, names)
            elif data[:2] == b"MZ":
                needed[name] = pe(name, data)
                top, _, file = name.partition("/")
                if top.endswith(".libs"):
                    grafted[file] = needed[name][0], top
            elif name.endswith("__init__.py"):
                announced |= hook(name, data, names) or set()
        for name, (arch, imports) in needed.items():
            for other in imports:
                if other in grafted and grafted[other][0] != arch:
                    faults.append(f"{name}: `{other}` is for another processor")
                if other in grafted and grafted[other][1] not in announced:
                    faults.append(f"{name}: no `__init__.py` adds the directory of `{other}`")
    for fault in faults:
        print(fault, file=sys.stderr)
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
