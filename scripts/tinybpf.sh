#!/usr/bin/env bash
# The whole way of a package, as its release does it: libbpf from source for two processors, the
# wheels audited, and tested on every Python of this machine and on an arm64 Python under qemu.
#
#   scripts/tinybpf.sh [DIRECTORY]      where everything goes; `target/tinybpf` when absent
#
#   WHEELSMITH        the program; built when absent
#   ARM64_ROOT        a root with an arm64 Python; the test environment's, else one is prepared
#   TINYBPF_PYTHONS   only these Pythons, with blanks between them
#
# The source of libbpf comes from cargo's registry, and is fetched once. Needs no rights.
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-target/tinybpf}
mkdir -p "$out"
out=$(cd "$out" && pwd)

wheelsmith=${WHEELSMITH:-}
if [ -z "$wheelsmith" ]; then
    cargo build --release --locked --package wheelsmith-cli
    wheelsmith=${CARGO_TARGET_DIR:-target}/release/wheelsmith
fi
wheelsmith=$(realpath "$wheelsmith")
targets=(--target x86_64-unknown-linux-gnu --target aarch64-unknown-linux-gnu)
step() { printf '\n== %s\n' "$1"; }

# Built in a copy: the clone stays as it is, and wheels of another run are not taken for these.
project=$out/tinybpf dist=$out/dist
mkdir -p "$project" "$dist"
rm -f "$dist"/*.whl
cp -R examples/tinybpf/. "$project"

step "build"
"$wheelsmith" build "$project" "${targets[@]}" --locked --out "$dist"

step "audit"
"$wheelsmith" audit "$dist"/*.whl

step "test"
root=${ARM64_ROOT:-${WHEELSMITH_TEST_ENV:-target/test-env}/arm64-root}
foreign=(--prepare)
if [ "$(uname -m)" = aarch64 ]; then
    foreign=()
elif [ -d "$root" ]; then
    foreign=(--root "$(realpath "$root")")
fi
pythons=()
for python in ${TINYBPF_PYTHONS:-}; do pythons+=(--python "$python"); done
# Neither processor may be missing without notice.
"$wheelsmith" test "$dist"/*.whl --config "$project/pyproject.toml" "${foreign[@]}" "${pythons[@]}" \
    --require '*-aarch64-*' --logs "$out/logs" --report "$out/test.json" --report "$out/test.xml"

# Whoever goes on from here (an index, an upload) finds the tested wheels in `dist`.
step "done"
ls "$dist"
