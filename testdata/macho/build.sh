#!/usr/bin/env bash
# Makes the Mach-O files of this directory anew from `src`. They are committed, so that no test needs
# a compiler; run this only to add one.
#
#   ZIG=…/zig testdata/macho/build.sh        zig 0.17.0; taken from PATH without ZIG
set -euo pipefail
cd "$(dirname "$0")"
zig=${ZIG:-zig}

cc() { # zig's target, output, argument…
    local target=$1 output=$2
    shift 2
    "$zig" cc -target "$target" -Os -g0 -Wl,-s -fno-stack-protector -fno-unwind-tables \
        -fno-asynchronous-unwind-tables -o "$output" "$@"
}
library() { # zig's target, output, argument…
    local target=$1 output=$2
    shift 2
    cc "$target" "$output" -dynamiclib "$@"
}
arm=aarch64-macos.11.0-none
intel=x86_64-macos.10.12-none

# Both ways to say which macOS is needed: LC_BUILD_VERSION, which arm64 has from the start, and
# LC_VERSION_MIN_MACOSX. zig signs for arm64 only.
library $arm arm64.dylib src/plain.c -install_name @rpath/libplain.dylib
library $intel x86_64.dylib src/plain.c -install_name @rpath/libplain.dylib
library aarch64-macos.13.3-none newer.dylib src/plain.c -install_name @rpath/libplain.dylib

# How one file finds another.
cp arm64.dylib libplain.dylib
library $arm rpath.dylib src/user.c libplain.dylib -Wl,-rpath,@loader_path/lib -Wl,-rpath,/opt/lib \
    -install_name /build/here/libuser.dylib
library $arm no-rpath.dylib src/user.c libplain.dylib -install_name @rpath/libuser.dylib
cc $arm program src/program.c libplain.dylib -Wl,-rpath,@executable_path/../lib
library $arm libplain.dylib src/plain.c -install_name @loader_path/../lib/libplain.dylib
library $arm loader-path.dylib src/user.c libplain.dylib -install_name @rpath/libuser.dylib
library $arm libplain.dylib src/plain.c -install_name /opt/homebrew/lib/libplain.dylib
library $arm absolute.dylib src/user.c libplain.dylib -install_name @rpath/libuser.dylib
rm libplain.dylib

# For somebody else's machine.
"$zig" cc -target aarch64-macos.11.0-none -Os -g0 -c -o object.o src/user.c

# Cut and sewn by hand.
python3 - <<'PYTHON'
import struct

arm = open("arm64.dylib", "rb").read()
intel = open("x86_64.dylib", "rb").read()
ARM, INTEL = (0x0100000C, 0), (0x01000007, 3)


def universal(name, slices, wide=False):
    """Slices one after the other, each at a page of its processor."""
    head, body, at = struct.pack(">II", 0xCAFEBABF if wide else 0xCAFEBABE, len(slices)), b"", 4096
    for (cpu, sub), data, align in slices:
        at = -(-at // (1 << align)) << align
        head += struct.pack(">IIQQII" if wide else ">IIIII", cpu, sub, at, len(data), align, *[0] * wide)
        body = body.ljust(at - 4096, b"\0") + data
        at += len(data)
    open(name, "wb").write(head.ljust(4096, b"\0") + body)


universal("universal.dylib", [(INTEL, intel, 12), (ARM, arm, 14)])
universal("universal-wide.dylib", [(INTEL, intel, 12)], wide=True)


def commands(data):
    at = 32
    for _ in range(struct.unpack_from("<I", data, 16)[0]):
        command, size = struct.unpack_from("<II", data, at)
        yield command, at
        at += size


# One byte of the first page is another than when it was signed: a reserved field of the header.
flipped = bytearray(arm)
flipped[28] ^= 1
open("bad-page.dylib", "wb").write(flipped)
open("too-short.dylib", "wb").write(arm[: len(arm) // 2])

# The command of the signature becomes one that every loader passes over.
unsigned = bytearray(arm)
for command, at in commands(arm):
    if command == 0x1D:  # LC_CODE_SIGNATURE
        unsigned[at : at + 4] = struct.pack("<I", 0x2B)  # LC_DYLIB_CODE_SIGN_DRS
open("unsigned.dylib", "wb").write(unsigned)

# For iOS, and with a library that may be missing.
phone = bytearray(intel)
for command, at in commands(intel):
    if command == 0x24:  # LC_VERSION_MIN_MACOSX
        phone[at : at + 4] = struct.pack("<I", 0x25)  # LC_VERSION_MIN_IPHONEOS
open("ios.dylib", "wb").write(phone)

# By hand from the first byte, as no compiler makes them any more: 32 bits, the high byte first.
def old(name, order, cpu, libraries):
    text = b""
    for command, library in libraries:
        library = library.encode() + b"\0"
        library = library.ljust(-(-len(library) // 4) * 4, b"\0")
        text += struct.pack(order + "IIIIII", command, 24 + len(library), 24, 2, 0x10000, 0x10000) + library
    text += struct.pack(order + "IIII", 0x24, 16, 0x0A0400, 0)
    head = struct.pack(order + "IIIIIII", 0xFEEDFACE, cpu, 0, 6, len(libraries) + 1, len(text), 0x20085)
    open(name, "wb").write(head + text)


kinds = [(0xD, "libold.dylib"), (0xC, "/usr/lib/libSystem.B.dylib"), (0x80000018, "weak.dylib")]
kinds += [(0x8000001F, "reexport.dylib"), (0x80000023, "upward.dylib"), (0x20, "lazy.dylib")]
old("ppc.dylib", ">", 18, kinds)
old("i386.dylib", "<", 7, kinds)
PYTHON
ls -l
