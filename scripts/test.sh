#!/usr/bin/env bash
# Runs the tests, after preparing what they use.
#
#   scripts/test.sh [--all] [ARGUMENT…]
#
#   --all       every optional part is needed: nothing is skipped (also with CI=true)
#   ARGUMENT    goes to `cargo test`, such as `-p wheelsmith-core` or a test's name
set -euo pipefail
cd "$(dirname "$0")/.."

all=false
if [ "${1:-}" = --all ]; then
    all=true
    shift
fi
if [ "${CI:-}" = true ]; then all=true; fi

export WHEELSMITH_TEST_ENV="${WHEELSMITH_TEST_ENV:-$PWD/target/test-env}"
if $all; then
    scripts/test-env.sh --require
    export WHEELSMITH_TEST_REQUIRE=1
else
    scripts/test-env.sh
fi
# zig, for the tests that ask `PATH` for it.
export PATH="$WHEELSMITH_TEST_ENV/tools:$PATH"
if [ $# -eq 0 ]; then set -- --workspace; fi
exec cargo test --locked --all-features --no-fail-fast "$@"
