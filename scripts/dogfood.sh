#!/usr/bin/env bash
# Builds wheelsmith's own wheels with wheelsmith, for x86_64 and aarch64 Linux from glibc 2.17 on,
# audits them, and has the x86_64 one build its successor: same bytes.
#
#   scripts/dogfood.sh [--quick] [OUT]
#
#   --quick   a program that is larger and slower, and sooner there
#   OUT       where the wheels land; `target/dogfood` when absent
#
# aarch64 needs the Rust standard library of that target: `rustup target add
# aarch64-unknown-linux-gnu`, or what scripts/test-env.sh prepares.
set -euo pipefail
cd "$(dirname "$0")/.."

quick=false
if [ "${1:-}" = --quick ]; then
    quick=true
    shift
fi
out=${1:-target/dogfood}
mkdir -p "$out"
out=$(cd "$out" && pwd)

env=${WHEELSMITH_TEST_ENV:-$PWD/target/test-env}
if [ -d "$env/tools" ]; then export PATH="$env/tools:$PATH"; fi
if [ -z "${RUSTC:-}" ] && [ -e "$env/tools/rustc-aarch64" ]; then
    export RUSTC=$env/tools/rustc-aarch64
fi
if $quick; then
    export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
fi
# A program that names its commit would differ from one that is built of a source distribution.
export WHEELSMITH_COMMIT=

echo "the program that builds the first wheels"
cargo build --locked -p wheelsmith-cli
program=${CARGO_TARGET_DIR:-target}/debug/wheelsmith
"$program" build --target all --locked --out "$out"
"$program" audit "$out"/wheelsmith-*.whl
ls -l "$out"

# The host's wheel, unpacked, is a program that can make the same wheel again.
machine=$(uname -m)
second=$(mktemp -d)
trap 'rm -rf "$second"' EXIT
"$program" wheel unpack "$out"/wheelsmith-*"$machine".whl --out "$second/first"
own=$(find "$second/first" -path '*/bin/wheelsmith' -type f)
"$own" build --target host --locked --out "$second/again"
cmp "$out"/wheelsmith-*"$machine".whl "$second"/again/wheelsmith-*.whl
echo "the wheel built itself again, with the same bytes"
