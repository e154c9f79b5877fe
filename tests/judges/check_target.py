#!/usr/bin/env python3
"""Judges a wheel for one target by other readers than ours: `check_target.py WHEEL ARCH FLOOR`.

ARCH is a processor as platform tags of Linux name it, or `universal2`. FLOOR is `glibc 2.17`,
`macos 10.12`, `musl` or `windows`. Reads ELF files with pyelftools, Mach-O files with lief, PE files
with lief and pefile; prints what each native file says of itself, a line for each statement, and
exits with 1 when

* a file is for another processor, byte order or calling convention, or asks for a newer system;
* it needs what is neither the system's nor in the wheel at the place where the loader looks;
* an install name is a path of a machine, or a page of a signed image has another sha256 than the
  signature says; arm64 images without a signature;
* the two readers disagree on the imports of a PE file;
* the wheel has no native file, or its name says another processor.
"""

import io
import posixpath
import struct
import sys
import zipfile

import lief
import pefile
from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection

from check_grafts import page_faults, slices

lief.logging.disable()
# Machine, bits, little-endian, and bits of e_flags that must be as they are here.
ELF = {
    "x86_64": ("EM_X86_64", 64, True, 0, 0),
    "aarch64": ("EM_AARCH64", 64, True, 0, 0),
    "i686": ("EM_386", 32, True, 0, 0),
    "armv7l": ("EM_ARM", 32, True, 0xFF000400, 0x05000400),  # EABI 5, floats in registers
    "riscv64": ("EM_RISCV", 64, True, 0x6, 0x4),  # doubles in registers
    "s390x": ("EM_S390", 64, False, 0, 0),
    "ppc64le": ("EM_PPC64", 64, True, 0x3, 0x2),  # ELFv2
}
MACHO = {"x86_64": ["X86_64"], "aarch64": ["ARM64"], "universal2": ["X86_64", "ARM64"]}
PE = {"x86_64": 0x8664, "aarch64": 0xAA64}
TAGS = {"macos": {"aarch64": "arm64"}, "windows": {"aarch64": "arm64", "x86_64": "amd64"}}
GLIBC = ("libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "librt.so.1", "ld-", "ld64")
faults = []


def version(text):
    return tuple(int(part) for part in text.split("."))


def inside(path, directory, name, names):
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), directory, name)) in names


def elf(path, data, arch, floor, names):
    image = ELFFile(io.BytesIO(data))
    machine, bits, little, mask, flags = ELF[arch]
    said = (image["e_machine"], image.elfclass, image.little_endian, image["e_flags"] & mask)
    if said != (machine, bits, little, flags):
        faults.append(f"{path}: is for {said}")
    needed, runpath, newest = [], "", (0,)
    for section in image.iter_sections():
        if isinstance(section, DynamicSection):
            for tag in section.iter_tags():
                if tag.entry.d_tag == "DT_NEEDED":
                    needed.append(tag.needed)
                elif tag.entry.d_tag == "DT_RUNPATH":
                    runpath = tag.runpath
                elif tag.entry.d_tag == "DT_RPATH":
                    runpath = tag.rpath
                elif tag.entry.d_tag == "DT_TEXTREL":
                    faults.append(f"{path}: its code is changed when it is loaded")
                elif tag.entry.d_tag == "DT_SONAME":
                    print(f"{path}: calls itself {tag.soname}")
        elif isinstance(section, GNUVerNeedSection):
            for _, wanted in section.iter_versions():
                for one in wanted:
                    if one.name.startswith("GLIBC_"):
                        newest = max(newest, version(one.name[6:]))
    loader = [s.get_interp_name() for s in image.iter_segments() if s["p_type"] == "PT_INTERP"]
    kind = f"loaded by {loader[0]}" if loader else "static" if not needed else "a library"
    print(f"{path}: {kind}, needs {' '.join(needed) or 'nothing'}")
    for segment in image.iter_segments():
        if segment["p_type"] == "PT_GNU_STACK" and segment["p_flags"] & 1:
            faults.append(f"{path}: allows code on its stack")
    system, _, floor = floor.partition(" ")
    for name in needed:
        places = [place for place in runpath.split(":") if place]
        found = any(inside(path, place.replace("$ORIGIN", "."), name, names) for place in places)
        promised = name == "libc.so" if system == "musl" else name.startswith(GLIBC)
        if not promised and not found:
            faults.append(f"{path}: needs {name}, which is not where it looks ({runpath})")
    if system == "musl":
        if newest != (0,):
            faults.append(f"{path}: asks for glibc")
    elif newest > version(floor):
        faults.append(f"{path}: needs GLIBC_{'.'.join(map(str, newest))}, the floor is {floor}")
    else:
        print(f"{path}: newest symbol GLIBC_{'.'.join(map(str, newest))}")


def minimum(image):
    for command in image.commands:
        if isinstance(command, lief.MachO.BuildVersion):
            return tuple(command.minos[:2])
        if isinstance(command, lief.MachO.VersionMin):
            return tuple(command.version[:2])
    return None


def macho(path, data, arch, floor, names):
    # The images must not outlive the object that owns them.
    images = lief.MachO.parse(io.BytesIO(data))
    found = [image.header.cpu_type.name for image in images]
    if found != MACHO[arch]:
        faults.append(f"{path}: is for {found}")
    if len(found) > 1:
        # A slice is mapped, and begins where a page does.
        places = [struct.unpack_from(">I", data, 8 + 20 * i + 8)[0] for i in range(len(found))]
        if any(place % 0x4000 for place in places):
            faults.append(f"{path}: a slice begins inside a page")
    for image, part in zip(images, slices(data)):
        cpu = image.header.cpu_type.name.lower()
        label = f"{path} {cpu}"
        least = version(floor.split()[1])
        least = max(least, (11, 0)) if cpu == "arm64" else least
        needs = minimum(image)
        if needs is None or needs > least:
            faults.append(f"{label}: needs macOS {needs}, the floor is {least}")
        else:
            print(f"{label}: macOS {'.'.join(map(str, needs))}")
        rpaths = [rpath.path for rpath in image.rpaths]
        for library in image.libraries:
            name = library.name
            if library.command == lief.MachO.LoadCommand.TYPE.ID_DYLIB:
                print(f"{label}: id {name}")
                if name != f"@rpath/{posixpath.basename(path)}":
                    faults.append(f"{label}: calls itself `{name}`")
                continue
            print(f"{label}: needs {name}")
            if name.startswith(("/usr/lib/", "/System/")):
                continue
            file = name.removeprefix("@rpath/")
            places = [rpath.replace("@loader_path", ".") for rpath in rpaths]
            if file == name or not any(inside(path, place, file, names) for place in places):
                faults.append(f"{label}: `{name}` leads nowhere from {rpaths}")
        right, why = lief.MachO.check_layout(image)
        if not right:
            faults.append(f"{label}: {why}")
        wrong = list(page_faults(part))
        faults.extend(f"{label}: {fault}" for fault in wrong)
        if image.has_code_signature and not wrong:
            print(f"{label}: every page has its hash")


def pe(path, data, arch):
    image, other = pefile.PE(data=data), lief.PE.parse(io.BytesIO(data))
    if image.FILE_HEADER.Machine != PE[arch]:
        faults.append(f"{path}: is for machine {image.FILE_HEADER.Machine:#x}")
    imports = [entry.dll.decode() for entry in getattr(image, "DIRECTORY_ENTRY_IMPORT", [])]
    if imports != [entry.name for entry in other.imports]:
        faults.append(f"{path}: two readers see different imports")
    print(f"{path}: needs {' '.join(imports)}")
    for name in imports:
        if not name.lower().startswith(("api-ms-win-crt-", "kernel32.", "advapi32.", "ntdll.")):
            faults.append(f"{path}: needs {name}, which Windows has not")
    # Position-independent, and data cannot be executed, as in every current DLL.
    if image.OPTIONAL_HEADER.DllCharacteristics & 0x140 != 0x140:
        faults.append(f"{path}: without ASLR or DEP")


def main():
    wheel, arch, floor = sys.argv[1:]
    system = floor.split()[0]
    named = TAGS.get(system, {}).get(arch, arch)
    if not wheel.removesuffix(".whl").endswith(f"_{named}"):
        faults.append(f"{wheel}: is not named for {named}")
    native = 0
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        for name in sorted(names):
            data = archive.read(name)
            is_pe = data[:2] == b"MZ"
            is_macho = data[:4] in (b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")
            is_elf = data[:4] == b"\x7fELF"
            native += is_pe or is_macho or is_elf
            wanted = {"macos": is_macho, "windows": is_pe}.get(system, is_elf)
            if not wanted and (is_pe or is_macho or is_elf):
                faults.append(f"{name}: is for another system")
            elif is_elf:
                elf(name, data, arch, floor, names)
            elif is_macho:
                macho(name, data, arch, floor, names)
            elif is_pe:
                pe(name, data, arch)
    if not native:
        faults.append(f"{wheel}: has no native file")
    for fault in faults:
        print(fault, file=sys.stderr)
    sys.exit(bool(faults))


main()
