#!/usr/bin/env bash
# Makes the ELF files of this directory anew from `src`. They are committed, so that no test needs a
# compiler; run this only to add one.
#
#   ZIG=…/zig testdata/elf/build.sh        zig 0.17.0; taken from PATH without ZIG
#
# Some files need GNU ld: `gcc` for x86_64.
set -euo pipefail
cd "$(dirname "$0")"
zig=${ZIG:-zig}

cc() { # zig's target, output, argument…
    local target=$1 output=$2
    shift 2
    "$zig" cc -target "$target" -Os -g0 -s -fno-stack-protector -fno-unwind-tables \
        -fno-asynchronous-unwind-tables -Wl,--build-id=none -o "$output" "$@"
}
library() { # zig's target, output, argument…
    local target=$1 output=$2
    shift 2
    cc "$target" "$output" -shared -fPIC "$@"
}

# One for each architecture: 32 and 64 bits, both byte orders.
library x86_64-linux-gnu.2.17 x86_64.so src/plain.c -Wl,-soname,libplain.so
library aarch64-linux-gnu.2.17 aarch64.so src/plain.c -Wl,-soname,libplain.so
library arm-linux-gnueabihf.2.17 armv7l.so src/plain.c -Wl,-soname,libplain.so
library x86-linux-gnu.2.17 i686.so src/plain.c -Wl,-soname,libplain.so
library powerpc64le-linux-gnu.2.19 ppc64le.so src/plain.c -Wl,-soname,libplain.so
library riscv64-linux-gnu.2.31 riscv64.so src/plain.c -Wl,-soname,libplain.so
library s390x-linux-gnu.2.17 s390x.so src/plain.c -Wl,-soname,libplain.so

# Symbols of a newer glibc.
library x86_64-linux-gnu.2.34 too-new.so src/thread.c

# musl, and programs.
library x86_64-linux-musl musl.so src/musl.c
cc x86_64-linux-gnu.2.17 program src/program.c -fPIE -pie
cc aarch64-linux-gnu.2.17 aarch64-program src/program.c -fPIE -pie
cc x86_64-linux-musl static-program src/start.c -nostdlib -static

# How one library finds another.
cp x86_64.so libplain.so
library x86_64-linux-gnu.2.17 runpath.so src/user.c -L. -lplain -Wl,-rpath,'$ORIGIN'
library x86_64-linux-gnu.2.17 rpath-origin.so src/user.c -L. -lplain -Wl,--disable-new-dtags,-rpath,'$ORIGIN/../lib'
library x86_64-linux-gnu.2.17 rpath-outside.so src/user.c -L. -lplain -Wl,--disable-new-dtags,-rpath,/opt/lib
rm libplain.so

# What each linker option leaves behind.
library x86_64-linux-gnu.2.17 versioned.so src/plain.c -Wl,--version-script,src/plain.map
library x86_64-linux-gnu.2.17 hash-sysv.so src/plain.c -Wl,--hash-style=sysv
library x86_64-linux-gnu.2.17 hash-gnu.so src/plain.c -Wl,--hash-style=gnu
gcc -shared -fPIC -Os -s -nostartfiles -fcf-protection=none -fno-asynchronous-unwind-tables \
    -Wl,-z,noseparate-code,--build-id=sha1,--hash-style=gnu,-z,now,-z,execstack -o quiet-gnu-ld.so src/quiet.c
# With a symbol table for linkers and debug information.
gcc -shared -fPIC -g1 -Os -nostartfiles -fcf-protection=none -fno-asynchronous-unwind-tables \
    -ffile-prefix-map="$PWD"=. -Wl,-z,noseparate-code,--build-id=none,-soname,libquiet.so -o unstripped.so src/quiet.c
gcc -static-pie -fPIE -Os -s -nostdlib -fcf-protection=none -fno-asynchronous-unwind-tables \
    -Wl,-z,noseparate-code,--build-id=none -o static-pie-program src/start.c

# What keeps a file from a tag, or gets it a remark.
library x86_64-linux-gnu.2.17 gaps.so src/gaps.c
library arm-linux-gnueabi.2.17 soft-float.so src/float.c
library aarch64-linux-gnu.2.17 page-4k.so src/float.c -Wl,-z,max-page-size=4096
gcc -shared -fPIC -Os -s -nostdlib -fcf-protection=none -fno-asynchronous-unwind-tables \
    -Wl,-z,noseparate-code,-z,x86-64-v3,--build-id=none -o x86-64-v3.so src/float.c
"$zig" cc -target aarch64-linux-musl -Os -s -nostdlib -shared -fPIC -Wl,-soname,libc.so \
    -Wl,--version-script,src/bionic.map -o libc.so src/bionic.c
"$zig" cc -target aarch64-linux-musl -Os -s -nostdlib -shared -fPIC -Wl,-z,max-page-size=4096 \
    -Wl,--build-id=none -o android.so src/android.c ./libc.so
rm libc.so
gcc -static -fno-pie -Os -nostdlib -fcf-protection=none -fno-asynchronous-unwind-tables \
    -Wl,-z,noseparate-code,--build-id=none -o static-opener src/opener.c

# For a machine inside the machine.
"$zig" cc -target bpfel-freestanding -Os -g0 -c -o bpf.o src/program.c
# With debug information and types (BTF), in both byte orders.
for order in el eb; do
    output=bpf-debug.o
    if [ $order = eb ]; then output=bpf-debug-be.o; fi
    "$zig" cc -target bpf$order-freestanding -O2 -g -fno-asynchronous-unwind-tables -fno-unwind-tables \
        -fno-sanitize=all -fno-stack-protector "-ffile-prefix-map=$PWD=." -c -o $output src/bpf.c
done

# Cut by hand: the loader needs no section headers; nobody can read half a file.
python3 - <<'PYTHON'
import struct

whole = open("x86_64.so", "rb").read()
bare = bytearray(whole)
bare[0x28:0x30] = struct.pack("<Q", 0)  # e_shoff
bare[0x3a:0x40] = struct.pack("<HHH", 0, 0, 0)  # e_shentsize, e_shnum, e_shstrndx
open("no-sections.so", "wb").write(bare)
open("too-short.so", "wb").write(whole[: len(whole) // 3])
PYTHON
ls -l
