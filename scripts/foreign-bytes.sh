#!/usr/bin/env bash
# Checks that wheelsmith built for aarch64 writes the same wheels as wheelsmith built for this machine.
#
#   scripts/foreign-bytes.sh [DIRECTORY]
#
#   DIRECTORY   an unpacked wheel; by default a small one is made
#
# Builds the example `pack` twice, the second time for aarch64 with zig for its C parts, and runs that
# under qemu. Needs the zig, qemu, rustc for aarch64 and arm64 root of scripts/test-env.sh. Takes some
# minutes, mostly for cargo.
set -euo pipefail
cd "$(dirname "$0")/.."

env=${WHEELSMITH_TEST_ENV:-$PWD/target/test-env}
tools=$env/tools
for part in "$tools/zig" "$tools/qemu-aarch64" "$tools/rustc-aarch64" "$env/arm64-root"; do
    if [ ! -e "$part" ]; then
        echo "error: \`$part\` is absent; run scripts/test-env.sh" >&2
        exit 2
    fi
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
target=${CARGO_TARGET_DIR:-$PWD/target}
triple=aarch64-unknown-linux-gnu

# rustc and build scripts have names of targets that zig does not know.
cat >"$work/cc" <<END
#!/usr/bin/env bash
arguments=()
for argument; do
    case \$argument in
        --target=$triple) ;;
        *) arguments+=("\$argument") ;;
    esac
done
exec "$tools/zig" cc -target aarch64-linux-gnu.2.28 "\${arguments[@]}"
END
printf '#!/bin/sh\nexec "%s" ar "$@"\n' "$tools/zig" >"$work/ar"
chmod +x "$work/cc" "$work/ar"

build=(cargo build --quiet --locked --release --no-default-features -p wheelsmith-core --example pack)
export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
"${build[@]}"
# A separate directory, because the other rustc can have another version.
CARGO_TARGET_DIR=$target/foreign RUSTC=$tools/rustc-aarch64 \
    CC_aarch64_unknown_linux_gnu=$work/cc AR_aarch64_unknown_linux_gnu=$work/ar \
    CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=$work/cc \
    "${build[@]}" --target $triple

tree=${1:-}
if [ -z "$tree" ]; then
    tree=$work/tree
    mkdir -p "$tree/demo/bin" "$tree/demo-1.0.dist-info"
    cp "$target/release/examples/pack" "$tree/demo/bin/pack"
    cp -r wheelsmith-core/src/wheel "$tree/demo/texts"
    printf 'Metadata-Version: 2.4\nName: demo\nVersion: 1.0\n' >"$tree/demo-1.0.dist-info/METADATA"
    printf 'Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n' \
        >"$tree/demo-1.0.dist-info/WHEEL"
fi

status=0
for level in store fast default best; do
    "$target/release/examples/pack" "$tree" "$work/here.whl" $level 2
    "$tools/qemu-aarch64" -L "$env/arm64-root" \
        "$target/foreign/$triple/release/examples/pack" "$tree" "$work/there.whl" $level 3
    digest=$(sha256sum <"$work/here.whl" | cut -c1-12)
    if cmp -s "$work/here.whl" "$work/there.whl"; then
        echo "$level: the same on aarch64, sha256 $digest…"
    else
        echo "$level: other bytes on aarch64" >&2
        status=1
    fi
done
exit $status
