# shellcheck shell=bash
# Checks what every script here needs: a C compiler, git, Python 3 with `venv`, and cargo with a new
# enough Rust. As root on Debian it installs what is missing; elsewhere it prints the command that does,
# and fails.
#
#   . scripts/prerequisites.sh; prerequisites         from a script
#   bash scripts/prerequisites.sh [--dry-run]         by hand; --dry-run prints the packages

# The oldest Rust that compiles wheelsmith.
rust_version() { sed -n 's/^rust-version = "\(.*\)"/\1/p' "$(dirname "${BASH_SOURCE[0]}")/../Cargo.toml"; }

# True if version $1 is at least $2.
at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

has_rust() {
    local version
    command -v cargo >/dev/null && version=$(rustc --version 2>/dev/null) || return 1
    version=${version#rustc }
    at_least "${version%% *}" "$(rust_version)"
}

has_python() { python3 -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 8))' 2>/dev/null; }

# Prints the version of a package that apt would install; empty if there is none.
candidate() { apt-cache policy "$1" 2>/dev/null | sed -n 's/^  Candidate: \([0-9][0-9.]*\).*/\1/p'; }

# Debian's packages of a new enough Rust: those that its stable release gets for browsers, or the usual
# ones. Prints nothing if Debian has none; its `rustup` then gets one.
rust_packages() {
    local package version
    for package in rustc-web rustc; do
        version=$(candidate "$package")
        if [ -n "$version" ] && at_least "$version" "$(rust_version)"; then
            if [ $package = rustc-web ]; then echo "rustc-web cargo-web"; else echo "rustc cargo"; fi
            return
        fi
    done
}

# Prints the names of what is missing.
missing_prerequisites() {
    command -v cc >/dev/null || echo cc
    command -v git >/dev/null || echo git
    has_python || echo python
    has_rust || echo rust
}

prerequisites() {
    local missing packages=() rust="" rustup="" apt
    missing=$(missing_prerequisites)
    [ -n "$missing" ] || return 0
    local install="curl --proto =https --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --profile minimal"
    if ! command -v apt-get >/dev/null; then
        echo "missing: $(tr '\n' ' ' <<<"$missing")" >&2
        echo "install a C compiler, git, Python 3.8 or newer with venv, and Rust $(rust_version) or newer:" >&2
        echo "  $install" >&2
        return 1
    fi
    apt=(env DEBIAN_FRONTEND=noninteractive apt-get)
    if [ "$(id -u)" = 0 ] && [ "${1:-}" != --dry-run ]; then "${apt[@]}" -qq update >&2; fi
    for name in $missing; do
        case $name in
        cc) packages+=(gcc libc6-dev) ;;
        git) packages+=(git) ;;
        python) packages+=(python3 python3-venv) ;;
        rust)
            rust=$(rust_packages)
            if [ -z "$rust" ] && [ -n "$(candidate rustup)" ]; then rust=rustup; fi
            if [ -z "$rust" ]; then packages+=(curl ca-certificates); rustup=$install; fi
            if [ "$rust" = rustup ]; then
                rustup="rustup toolchain install $(rust_version) --profile minimal && rustup default $(rust_version)"
            fi
            # shellcheck disable=SC2206
            packages+=($rust)
            ;;
        esac
    done
    local command="apt-get update && apt-get install --yes --no-install-recommends ${packages[*]}"
    if [ "$(id -u)" != 0 ] || [ "${1:-}" = --dry-run ]; then
        echo "missing: $(tr '\n' ' ' <<<"$missing")" >&2
        echo "run this, then try again:" >&2
        echo "  su -c '$command'${rustup:+ && $rustup}" >&2
        return 1
    fi
    echo "installing ${packages[*]}" >&2
    "${apt[@]}" install --yes -qq --no-install-recommends "${packages[@]}" >&2
    if [ -n "$rustup" ]; then
        bash -c "$rustup" >&2
        export PATH="$HOME/.cargo/bin:$PATH"
    fi
    missing=$(missing_prerequisites)
    if [ -n "$missing" ]; then
        echo "still missing: $(tr '\n' ' ' <<<"$missing")" >&2
        return 1
    fi
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
    set -euo pipefail
    prerequisites "$@"
    echo "everything is there: $(command -v cc git python3 cargo | tr '\n' ' ')"
fi
