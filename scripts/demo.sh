#!/usr/bin/env bash
# Builds wheelsmith, then libbpf from source for x86_64 and aarch64, and prints what each wheel
# qualifies for.
#
#   scripts/demo.sh [DIRECTORY]      directory for the wheels; `dist` by default
#
# The program downloads zig itself if there is none, once, through pip or uv. On two idle cores
# wheelsmith compiles in about a minute, with little optimisation, and libbpf in half a minute.
set -euo pipefail
out=${1:-dist}
mkdir -p "$out"
out=$(cd "$out" && pwd)
cd "$(dirname "$0")/.."

. scripts/prerequisites.sh
prerequisites
cargo build --profile demo --locked --package wheelsmith-cli
"${CARGO_TARGET_DIR:-target}/demo/wheelsmith" build examples/tinybpf \
    --target x86_64-unknown-linux-gnu --target aarch64-unknown-linux-gnu --out "$out"
