#!/usr/bin/env bash
# Type-checks wheelsmith as a program for Windows and macOS, without running it.
#
#   scripts/hosts.sh [TARGET…]        x86_64-pc-windows-gnu and aarch64-apple-darwin by default
#
# The standard library of these targets is compiled from its source: on Debian, install `rust-web-src` and
# `rustc-web`. zig compiles C code. Takes ten minutes on two cores, mostly for the standard library; the next
# run takes one.
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- x86_64-pc-windows-gnu aarch64-apple-darwin

if [ ! -e /usr/lib/rustlib/src/rust/library/std ]; then
    apt-get install -y -qq rustc-web rust-web-src
fi
scripts/test-env.sh
tools=$PWD/target/hosts/tools zig=${WHEELSMITH_TEST_ENV:-$PWD/target/test-env}/tools/zig
mkdir -p "$tools"

tool() { # name, then what it runs
    printf '#!/bin/bash\n%s\n' "$2" >"$tools/$1"
    chmod +x "$tools/$1"
}
tool ar "exec '$zig' ar \"\$@\""
# The compiler calls this program for import libraries of Windows.
tool x86_64-w64-mingw32-dlltool "exec '$zig' dlltool \"\$@\""

export PATH="$tools:$PATH" RUSTC=/usr/bin/rustc CARGO_INCREMENTAL=0 CARGO_TARGET_DIR=$PWD/target/hosts
# Lets a released cargo build the standard library.
export RUSTC_BOOTSTRAP=1
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
