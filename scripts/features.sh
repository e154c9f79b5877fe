#!/usr/bin/env bash
# Checks that the library compiles with no features, and with each of them alone, without warnings, and
# that it names the features that it lacks.
#
#   scripts/features.sh
#
# The lints of the workspace check all features together, as the program uses them.
set -euo pipefail
cd "$(dirname "$0")/.."

mapfile -t features < <(cargo metadata --locked --no-deps --format-version 1 | python3 -c '
import json, sys
for package in json.load(sys.stdin)["packages"]:
    if package["name"] == "wheelsmith-core":
        print("\n".join(sorted(set(package["features"]) - {"default"})))')
[ ${#features[@]} -gt 5 ] || { echo "the features were not found" >&2; exit 1; }

for feature in "" "${features[@]}"; do
    echo "feature: ${feature:-none}"
    # Uses the dependencies that the lints of the workspace have checked.
    cargo clippy --locked --quiet --package wheelsmith-core --no-default-features \
        ${feature:+--features "$feature"} -- -D warnings
done

# What a build without some features refuses is tested only here.
cargo test --locked --quiet --package wheelsmith-core --no-default-features --features build \
    --lib source::unpack
