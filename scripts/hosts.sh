#!/usr/bin/env bash
# Type-checks wheelsmith as a program for Windows and macOS; with `--run`, also runs it for Windows.
#
#   scripts/hosts.sh [TARGET…]        x86_64-pc-windows-gnu and aarch64-apple-darwin by default
#   scripts/hosts.sh --run            builds the Windows program, and compares it under wine with that
#                                     of this machine: `scripts/windows-host.py`
#
# The standard library of these targets is compiled from its source: on Debian, install `rust-web-src` and
# `rustc-web`. zig compiles C code. Takes ten minutes on two cores, mostly for the standard library; the next
# run takes one. `--run` also needs the GCC of mingw-w64, its zlib, and wine 8 or newer; as root on Debian
# all of these are installed.
set -euo pipefail
cd "$(dirname "$0")/.."
run=false
if [ "${1:-}" = --run ]; then
    run=true
    set -- x86_64-pc-windows-gnu
fi
[ $# -gt 0 ] || set -- x86_64-pc-windows-gnu aarch64-apple-darwin

mingw=x86_64-w64-mingw32-gcc-win32
packages=()
[ -e /usr/lib/rustlib/src/rust/library/std ] || packages+=(rustc-web rust-web-src)
if $run; then
    command -v "$mingw" >/dev/null || packages+=(gcc-mingw-w64-x86-64-win32)
    [ -e /usr/lib/wine/wine64 ] || packages+=(wine64)
    [ -e /usr/x86_64-w64-mingw32/lib/zlib1.dll ] || packages+=(libz-mingw-w64)
fi
if [ ${#packages[@]} -gt 0 ]; then
    [ "$(id -u)" = 0 ] || { echo "install: ${packages[*]}" >&2; exit 1; }
    apt-get install -y -qq --no-install-recommends "${packages[@]}"
fi
scripts/test-env.sh
tools=$PWD/target/hosts/tools zig=${WHEELSMITH_TEST_ENV:-$PWD/target/test-env}/tools/zig
mkdir -p "$tools"

tool() { # name, then what it runs
    printf '#!/bin/bash\n%s\n' "$2" >"$tools/$1"
    chmod +x "$tools/$1"
}
tool ar "exec '$zig' ar \"\$@\""
# The compiler calls this program for import libraries of Windows. GNU ld mixes up the short form that
# zig writes, so the dlltool of mingw-w64 makes them for programs that are run.
rm -f "$tools/x86_64-w64-mingw32-dlltool"
$run || tool x86_64-w64-mingw32-dlltool "exec '$zig' dlltool \"\$@\""

export PATH="$tools:$PATH" RUSTC=/usr/bin/rustc CARGO_INCREMENTAL=0 CARGO_TARGET_DIR=$PWD/target/hosts
# Lets a released cargo build the standard library.
export RUSTC_BOOTSTRAP=1
if $run; then
    # GCC links the program, because rustc passes arguments for GNU ld that zig does not know.
    native=${WHEELSMITH:-}
    if [ -z "$native" ]; then
        env -u RUSTC -u RUSTC_BOOTSTRAP CARGO_TARGET_DIR="$PWD/target" cargo build --locked -q -p wheelsmith-cli
        native=$PWD/target/debug/wheelsmith
    fi
    env CC_x86_64_pc_windows_gnu=$mingw AR_x86_64_pc_windows_gnu=x86_64-w64-mingw32-ar \
        CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER=$mingw CARGO_PROFILE_DEV_DEBUG=0 \
        cargo build --locked -Zbuild-std --target x86_64-pc-windows-gnu -p wheelsmith-cli
    windows=$PWD/target/hosts/x86_64-pc-windows-gnu/debug
    # Rust's standard library takes random numbers from a DLL that wine 8 lacks.
    printf '%s\n' '#include <windows.h>' 'BOOLEAN NTAPI SystemFunction036(PVOID, ULONG);' \
        '__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T size)' \
        '{ return SystemFunction036(data, (ULONG)size); }' >"$tools/prng.c"
    "$mingw" -shared "$tools/prng.c" -o "$windows/bcryptprimitives.dll" -ladvapi32
    export WINEPREFIX=$PWD/target/hosts/wine WINEDEBUG=-all WINEDLLOVERRIDES='mscoree=;mshtml='
    export WINESERVER=/usr/lib/wine/wineserver64
    unset DISPLAY WAYLAND_DISPLAY
    exec python3 scripts/windows-host.py "$native" /usr/lib/wine/wine64 "$windows/wheelsmith.exe"
fi
failed=()
for target in "$@"; do
    case $target in
        *-windows-*) name=${target%%-*}-windows-gnu ;;
        *-darwin) name=${target%%-*}-macos ;;
        *) name=$target ;;
    esac
    # The `cc` crate uses clang's arguments for Apple's targets; zig has others.
    tool "cc-$target" "kept=()
while [ \$# -gt 0 ]; do
    case \$1 in
        -arch) shift ;;
        --target=* | -mmacosx-version-min=*) ;;
        *) kept+=(\"\$1\") ;;
    esac
    shift
done
exec '$zig' cc -target $name \"\${kept[@]}\""
    variable=${target//-/_}
    env "CC_$variable=$tools/cc-$target" "AR_$variable=$tools/ar" \
        cargo check --locked -Zbuild-std --target "$target" -p wheelsmith-cli || failed+=("$target")
done
[ ${#failed[@]} = 0 ] || { echo "does not compile for ${failed[*]}" >&2; exit 1; }
