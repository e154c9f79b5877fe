#!/usr/bin/env bash
# Builds wheelsmith's own wheels with wheelsmith, for x86_64 and aarch64 Linux from glibc 2.17 on. Judges
# them with audit, check and twine, and installs them with pip and uv, natively and as aarch64 under an
# emulator. Then the program of the host's wheel builds the same wheel again, with the same bytes.
#
#   scripts/dogfood.sh [--quick | --debug] [OUT]
#
#   --quick   compile faster, with less optimisation
#   --debug   only the host's wheel, without optimisation, for the tests of the build back end
#             (WHEELSMITH_DOGFOOD=OUT)
#   OUT       directory for the wheels; `target/dogfood` by default
#
# WHEELSMITH names the program that builds the first wheels; by default the script builds one. aarch64
# needs the Rust standard library of that target: `rustup target add aarch64-unknown-linux-gnu`, or that of
# scripts/test-env.sh, which also prepares the judges. Missing judges are left out with a message; with
# CI=true they are an error.
set -euo pipefail
cd "$(dirname "$0")/.."

mode=full
case "${1:-}" in
--quick | --debug)
    mode=${1#--}
    shift
    ;;
esac
out=${1:-target/dogfood}
mkdir -p "$out"
out=$(cd "$out" && pwd)

env=${WHEELSMITH_TEST_ENV:-$PWD/target/test-env}
if [ -d "$env/tools" ]; then export PATH="$env/tools:$PATH"; fi
if [ -z "${RUSTC:-}" ] && [ -e "$env/tools/rustc-aarch64" ]; then
    export RUSTC=$env/tools/rustc-aarch64
fi
targets=all
case $mode in
quick) export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 ;;
debug)
    targets=host
    export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=256
    export CARGO_PROFILE_RELEASE_OPT_LEVEL=0
    ;;
esac
# With a commit in its version, a program would differ from one built from a source distribution.
export WHEELSMITH_COMMIT=

said() { printf '%5d s  %s\n' "$SECONDS" "$*"; }
missing() {
    echo "left out: $1; scripts/test-env.sh prepares it" >&2
    [ "${CI:-}" != true ]
}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# With this variable the package would run another program than its own.
builder=${WHEELSMITH:-}
unset WHEELSMITH
if [ -z "$builder" ]; then
    cargo build --locked -p wheelsmith-cli
    builder=${CARGO_TARGET_DIR:-target}/debug/wheelsmith
fi
said "there is a program that builds the first wheels"
rm -f "$out"/wheelsmith_build-*.whl
"$builder" build --target $targets --locked --out "$out"
said "built"
wheels=("$out"/wheelsmith_build-*.whl)
for wheel in "${wheels[@]}"; do
    name=$(basename "$wheel")
    "$builder" wheel unpack "$wheel" --out "$scratch/$name" >/dev/null
    program=$(find "$scratch/$name" -path '*/bin/wheelsmith' -type f)
    printf '         %s: %d bytes, its program %d\n' "$name" "$(stat -c %s "$wheel")" \
        "$(stat -c %s "$program")"
done

"$builder" audit "${wheels[@]}"
"$builder" check "${wheels[@]}"
said "audited and checked"

machine=$(uname -m)
own=("$out"/wheelsmith_build-*_"$machine".whl)
works() { # what was asked, its answer
    [ "${2%% *}" = wheelsmith ] || { echo "$1 answers \`$2\`" >&2; return 1; }
    printf '         %s: %s\n' "$1" "$2"
}
if [ -x "$env/judges/bin/python" ]; then
    judges=$env/judges/bin
    "$judges/twine" check --strict "${wheels[@]}"
    for installer in pip uv; do
        venv=$scratch/$installer
        "$judges/python" -m venv --without-pip "$venv"
        if [ $installer = pip ]; then
            "$judges/python" -m pip --python "$venv/bin/python" install --quiet --no-index \
                --no-deps --disable-pip-version-check "${own[0]}"
        else
            "$judges/uv" pip install --quiet --offline --no-index --no-deps \
                --python "$venv/bin/python" "${own[0]}"
        fi
        works "$installer, command" "$("$venv/bin/wheelsmith" --version)"
        works "$installer, module" "$("$venv/bin/python" -m wheelsmith_build --version)"
        # A pure Python project, built through the package as installers do.
        mkdir -p "$scratch/demo/demo"
        printf '[project]\nname = "demo"\nversion = "1.0"\n' >"$scratch/demo/pyproject.toml"
        touch "$scratch/demo/demo/__init__.py"
        (cd "$scratch/demo" && "$venv/bin/python" -c \
            'import wheelsmith_build; print("         built", wheelsmith_build.build_wheel("."))')
    done
    said "installed by pip and uv"
else
    missing "twine, pip and uv"
fi
if [ $mode != debug ]; then
    qemu=$env/tools/qemu-aarch64 root=$env/arm64-root
    foreign=("$out"/wheelsmith_build-*_aarch64.whl)
    if [ -x "$qemu" ] && [ -d "$root" ]; then
        python=("$qemu" -L "$root" "$root/usr/bin/python3")
        "${python[@]}" -m pip install --quiet --no-index --no-deps --disable-pip-version-check \
            --target "$scratch/arm64" "${foreign[0]}"
        works "aarch64" "$("$qemu" -L "$root" "$scratch/arm64/wheelsmith_build/bin/wheelsmith" --version)"
        said "installed and run as aarch64"
    else
        missing "the emulator"
    fi
fi
if [ $mode = debug ]; then exit; fi

# The program of the host's wheel builds the same wheel again.
second=$(find "$scratch/$(basename "${own[0]}")" -path '*/bin/wheelsmith' -type f)
"$second" build --target host --locked --out "$scratch/again"
cmp "${own[0]}" "$scratch"/again/wheelsmith_build-*.whl
said "the wheel built itself again, with the same bytes"
