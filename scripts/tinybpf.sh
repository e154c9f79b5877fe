#!/usr/bin/env bash
# All steps of a release: builds libbpf for two processors, audits the wheels, tests them with every Python
# of this machine and with an arm64 Python under qemu, makes an index from which pip and uv install, and
# uploads to index servers of other projects.
#
#   scripts/tinybpf.sh [DIRECTORY]      directory for the results; `target/tinybpf` by default
#
#   WHEELSMITH        the program; by default the script builds it
#   ARM64_ROOT        root with an arm64 Python; by default that of the test environment, or a new one
#   TINYBPF_PYTHONS   Pythons to test with, separated by blanks; by default all
#
# Downloads the source of libbpf once from cargo's registry. Needs no root. Writes the wheels to `dist`, the
# index to `site`, and the results of the tests to `test.json`, `test.xml` and `logs`.
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

# Builds a copy, so that the clone does not change and contains no wheels of other runs.
project=$out/tinybpf dist=$out/dist
mkdir -p "$project" "$dist"
rm -rf "$dist"/*.whl "$out/site"
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
# Each processor must have been tested.
"$wheelsmith" test "$dist"/*.whl --config "$project/pyproject.toml" "${foreign[@]}" "${pythons[@]}" \
    --required '*-aarch64-*' --logs "$out/logs" --output "$out/test.json" --output "$out/test.xml"

step "index"
"$wheelsmith" index build --dir "$dist" --out "$out/site"
"$wheelsmith" index verify "$out/site"
published() {
    (cd "$out/site" && find . -path ./.wheelsmith -prune -o -type f -exec sha256sum {} + | sort)
}
before=$(published)
"$wheelsmith" index build --dir "$dist" --out "$out/site" | grep 'nothing changed'
[ "$before" = "$(published)" ]
rm -rf "$out/site"
"$wheelsmith" index build --dir "$dist" --out "$out/site" >"$out/index.log"
[ "$before" = "$(published)" ]
echo "the same bytes when made again"

step "install"
if [ "$(uname -m)" != aarch64 ]; then
    prepared=${WHEELSMITH_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/wheelsmith}/roots/aarch64
    for root in "$root" "$prepared"; do
        if [ -d "$root" ]; then
            ARM64_ROOT=$(realpath "$root")
            export ARM64_ROOT
            break
        fi
    done
fi
scripts/installers.sh "$out/site" tinybpf==1.7.0 tinybpf.selftest "$dist"/*.whl

step "done"
ls "$dist"
