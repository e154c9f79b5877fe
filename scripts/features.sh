#!/usr/bin/env bash
# Checks that the library compiles with no features, and with each of them alone, without warnings.
#
#   scripts/features.sh
#
# Leaves behind what cargo keeps in the target directory.
set -euo pipefail
cd "$(dirname "$0")/.."

mapfile -t features < <(cargo metadata --locked --no-deps --format-version 1 | python3 -c '
import json, sys
for package in json.load(sys.stdin)["packages"]:
    if package["name"] == "wheelsmith-core":
        print("\n".join(sorted(set(package["features"]) - {"default"})))')
[ ${#features[@]} -gt 5 ] || { echo "the features were not found" >&2; exit 1; }

# In a directory of its own: other flags would have all dependencies checked again.
target=${CARGO_TARGET_DIR:-$PWD/target}/features
for feature in "" "${features[@]}"; do
    echo "feature: ${feature:-none}"
    CARGO_TARGET_DIR=$target RUSTFLAGS="-D warnings" cargo check --locked --quiet \
        --package wheelsmith-core --no-default-features ${feature:+--features "$feature"}
done
# The program needs all of them.
CARGO_TARGET_DIR=$target RUSTFLAGS="-D warnings" cargo check --locked --quiet --package wheelsmith-cli --no-default-features
