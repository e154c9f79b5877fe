#!/usr/bin/env bash
# Runs the fuzz targets with libFuzzer, with the stable compiler.
#
#   scripts/fuzz.sh [SECONDS [TARGET…]]
#
# Runs each target, by default all of `fuzz/fuzz_targets/`, for SECONDS (60). Interesting inputs are kept in
# `target/fuzz/corpus/`, where the next run starts. The script stops at the first input that panics, takes
# longer than 10 s or needs more than 512 MiB, and prints its path.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-60}
shift || true
if [ $# -eq 0 ]; then
    for file in fuzz/fuzz_targets/*.rs; do set -- "$@" "$(basename "$file" .rs)"; done
fi
host=$(rustc -vV | sed -n 's/^host: //p')
base=$(realpath -m "${CARGO_TARGET_DIR:-target}")/fuzz

# The flags of `cargo fuzz` for coverage, without sanitizers, which need a nightly compiler; there is no
# unsafe code. With `--target` the flags do not reach build scripts.
flags=(-Cpasses=sancov-module)
for option in level=4 inline-8bit-counters pc-table trace-compares; do
    flags+=("-Cllvm-args=-sanitizer-coverage-$option")
done
RUSTFLAGS="${flags[*]}" CARGO_TARGET_DIR=$base/build cargo build --quiet --locked --release \
    --manifest-path fuzz/Cargo.toml --target "$host" "${@/#/--bin=}"

# Targets that read whole wheels write their input to a file, in memory if possible.
scratch=$(mktemp -d -p "$([ -w /dev/shm ] && echo /dev/shm || echo "${TMPDIR:-/tmp}")")
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/tmp"
for target; do
    corpus=$base/corpus/$target seeds=$scratch/$target found=$base/found/$target
    mkdir -p "$corpus" "$seeds" "$found"
    kept=(fuzz/regressions/"$target"/) log=$scratch/log
    [ -d "${kept[0]}" ] || kept=()
    if ! TMPDIR=$scratch/tmp WHEELSMITH_FUZZ_SEEDS=$seeds \
        "$base/build/$host/release/$target" "$corpus" "$seeds" "${kept[@]}" \
        -max_total_time="$seconds" -max_len=131072 -len_control=0 -rss_limit_mb=512 -timeout=10 \
        -report_slow_units=1 -artifact_prefix="$found/" -print_final_stats=1 >"$log" 2>&1; then
        grep -A 6 -e 'panicked at' -e 'ERROR: libFuzzer' "$log" || tail -n 30 "$log"
        echo "$target: the input lies in $found; keep it in fuzz/regressions/$target/" >&2
        exit 1
    fi
    stat() { sed -n "s/^stat::$1: *//p" "$log"; }
    coverage=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)
    slow=$(grep -c '^Slowest unit' "$log" || true)
    printf '%-12s %9s inputs, %6s edges, peak %4s MiB, slowest %s s%s\n' "$target" \
        "$(stat number_of_executed_units)" "$coverage" "$(stat peak_rss_mb)" \
        "$(stat slowest_unit_time_sec)" "$([ "$slow" = 0 ] || echo ", $slow slow inputs in $found")"
done
