#!/usr/bin/env bash
# Prepares the test environment and runs the tests.
#
#   scripts/test.sh [--all] [ARGUMENT…]
#
#   --all       require every part of the test environment and skip no test (also with CI=true)
#   ARGUMENT    argument of `cargo test`, such as `-p wheelsmith-core` or the name of a test
set -euo pipefail
cd "$(dirname "$0")/.."

all=false
if [ "${1:-}" = --all ]; then
    all=true
    shift
fi
if [ "${CI:-}" = true ]; then all=true; fi

. scripts/prerequisites.sh
prerequisites

export WHEELSMITH_TEST_ENV="${WHEELSMITH_TEST_ENV:-$PWD/target/test-env}"
if $all; then
    scripts/test-env.sh --require
    export WHEELSMITH_TEST_REQUIRE=1
else
    scripts/test-env.sh
fi
# zig, for tests that look for it on PATH.
export PATH="$WHEELSMITH_TEST_ENV/tools:$PATH"
if [ $# -eq 0 ]; then set -- --workspace; fi
exec cargo test --locked --all-features --no-fail-fast "$@"
