#!/usr/bin/env bash
# Makes the PE files of this directory anew from `src`. They are committed, so that no test needs a
# compiler; run this only to add one.
#
#   ZIG=…/zig testdata/pe/build.sh        zig 0.17.0; taken from PATH without ZIG
set -euo pipefail
cd "$(dirname "$0")"
zig=${ZIG:-zig}
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT

cc() { # zig's target, output, argument…
    local target=$1 output=$2
    shift 2
    "$zig" cc -target "$target" -Os -g0 -Wl,-s -nostdlib -fno-builtin -fno-stack-protector -fno-unwind-tables \
        -fno-asynchronous-unwind-tables -o "$output" "$@"
}
implib() { # zig's machine, library, symbol…: an import library
    local machine=$1 library=$2
    shift 2
    printf '%s\n' "LIBRARY $library" EXPORTS "$@" > "$work/$library.def"
    "$zig" dlltool -m "$machine" -D "$library" -d "$work/$library.def" -l "$work/$library.$machine.a"
}
for machine in i386:x86-64 arm64 i386; do
    case $machine in
        arm64) target=aarch64-windows-gnu name=arm64 entry=DllMain ;;
        i386) target=x86-windows-gnu name=x86 entry=DllMain ;;
        *) target=x86_64-windows-gnu name=x64 entry=DllMain ;;
    esac
    cc $target "$work/plain.dll" -shared src/plain.c src/plain.def -Wl,--no-entry
    cp "$work/plain.dll" "$name.dll"
done
implib i386:x86-64 plain.dll plain_length
implib i386:x86-64 KERNEL32.dll GetCurrentProcessId
implib i386:x86-64 python312.dll Py_IsInitialized
implib i386:x86-64 VCRUNTIME140.dll _CxxThrowException
implib i386:x86-64 MSVCP140.dll _Xbad_alloc
at() { echo "$work/$1.i386:x86-64.a"; }
cc x86_64-windows-gnu user.dll -shared src/user.c "$(at plain.dll)" "$(at KERNEL32.dll)" -Wl,--no-entry
cc x86_64-windows-gnu program.exe src/program.c "$(at plain.dll)" -Wl,-e,start
cc x86_64-windows-gnu runtime.dll -shared src/runtime.c "$(at plain.dll)" "$(at python312.dll)" \
    "$(at VCRUNTIME140.dll)" "$(at MSVCP140.dll)" -Wl,--no-entry
rm -f ./*.lib ./*.pdb
head -c 1500 x64.dll > too-short.dll

# plain.dll becomes one that is loaded when first used, which zig cannot ask its linker for. Nothing
# of that is ever run: only the tables are right.
python3 - <<'PYTHON'
import struct

data = bytearray(open("runtime.dll", "rb").read())
pe = struct.unpack_from("<I", data, 0x3C)[0]
sections, optional = struct.unpack_from("<H", data, pe + 6)[0], struct.unpack_from("<H", data, pe + 20)[0]
directories = pe + 24 + 112
table = [pe + 24 + optional + 40 * i for i in range(sections)]
find = lambda name: next(at for at in table if data[at : at + 8] == name.ljust(8, b"\0"))
_, address, _, offset = struct.unpack_from("<IIII", data, find(b".rdata") + 8)
place = lambda rva: rva - address + offset
imports = place(struct.unpack_from("<I", data, directories + 8)[0])
entries = []
while any(data[imports + 20 * len(entries) :][:20]):
    entries.append(bytes(data[imports + 20 * len(entries) :][:20]))
delayed = [e for e in entries if data[place(struct.unpack_from("<I", e, 12)[0]) :].startswith(b"plain.dll")]
kept = [e for e in entries if e not in delayed]
data[imports : imports + 20 * len(entries)] = b"".join(kept).ljust(20 * len(entries), b"\0")
names, _, _, library, thunks = struct.unpack("<IIIII", delayed[0])
at = find(b".buildid")
size, address, raw, offset = struct.unpack_from("<IIII", data, at + 8)
size = -(-size // 4) * 4
assert raw - size >= 64, "no room behind the section"
struct.pack_into("<IIIIIIII", data, offset + size, 1, library, 0, thunks, names, 0, 0, 0)
struct.pack_into("<II", data, directories + 8 * 13, address + size, 64)
struct.pack_into("<I", data, at + 8, size + 64)
open("runtime.dll", "wb").write(data)
PYTHON
ls -l
