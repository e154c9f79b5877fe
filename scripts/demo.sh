#!/usr/bin/env bash
# The main job, on a machine that has cargo and Python: builds the program, then libbpf from source
# for x86_64 and aarch64, and prints what each wheel may call itself.
#
#   scripts/demo.sh [DIRECTORY]      where the wheels go; `dist` when absent
#
# A zig that is not there is fetched by the program itself, once, through pip or uv.
set -euo pipefail
out=${1:-dist}
mkdir -p "$out"
out=$(cd "$out" && pwd)
cd "$(dirname "$0")/.."

cargo build --release --locked --package wheelsmith-cli
"${CARGO_TARGET_DIR:-target}/release/wheelsmith" build examples/tinybpf \
    --target x86_64-unknown-linux-gnu --target aarch64-unknown-linux-gnu --out "$out"
