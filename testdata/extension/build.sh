#!/usr/bin/env bash
# Makes the extension modules of this directory anew from `src`. They are committed, so that no test
# needs a compiler; run this only to add one.
#
#   ZIG=…/zig testdata/extension/build.sh        zig 0.17.0; taken from PATH without ZIG
set -euo pipefail
cd "$(dirname "$0")"
zig=${ZIG:-zig}
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
flags=(-Os -g0 -nostdlib -fno-builtin -fno-stack-protector -fno-unwind-tables -fno-asynchronous-unwind-tables
    -fvisibility=hidden -fno-sanitize=all -shared)

elf() { # output, argument…
    local output=$1
    shift
    "$zig" cc -target x86_64-linux-gnu.2.17 "${flags[@]}" -fPIC -s -Wl,--build-id=none -Wl,-z,undefs -o "$output" "$@"
}
elf stable.so src/module.c
elf newer.so src/module.c -DNEWER
elf private.so src/module.c -DPRIVATE
elf windows.so src/module.c -DWINDOWS
elf threads.so src/module.c -DTHREADS
elf helped.so src/module.c -DHELPED
elf "$work/libhelper.so" src/helper.c -Wl,-soname,libhelper.so
elf strange.so src/module.c -DPRIVATE -L"$work" -Wl,--no-as-needed -lhelper
elf export.so src/module.c -DSTART=PyModExport_demo
elf python2.so src/module.c -DSTART=initdemo
elf package.so src/module.c -DSTART=PyInit_pkg
elf punycode.so src/module.c -DSTART=PyInitU_gre_6ka8i
elf helper.so src/helper.c

# Bundles look for Python's symbols in the process.
macho() { # output, argument…
    local output=$1
    shift
    "$zig" cc -target x86_64-macos.10.12-none "${flags[@]}" -Wl,-undefined,dynamic_lookup -Wl,-headerpad,0 -o "$output" "$@"
}
macho stable.dylib src/module.c
macho newer-private.dylib src/module.c -DNEWER -DPRIVATE

implib() { # library, symbol…: an import library
    local library=$1
    shift
    printf '%s\n' "LIBRARY $library" EXPORTS "$@" > "$work/$library.def"
    "$zig" dlltool -m i386:x86-64 -D "$library" -d "$work/$library.def" -l "$work/$library.lib"
}
pe() { # output, Python's library, argument…
    local output=$1 library=$2
    shift 2
    implib "$library" PyLong_FromLong PyUnicode_AsUTF8AndSize PyObject_Vectorcall _PyObject_GetDictPtr
    "$zig" cc -target x86_64-windows-gnu "${flags[@]}" -Wl,-s -o "$output" "$@" "$work/$library.lib"
}
pe python3.dll python3.dll src/module.c
pe python3t.dll python3t.dll src/module.c
pe python312.dll python312.dll src/module.c
pe python313t.dll python313t.dll src/module.c
pe newer-private.dll python3.dll src/module.c -DNEWER -DPRIVATE
rm -f ./*.lib ./*.pdb
ls -l
