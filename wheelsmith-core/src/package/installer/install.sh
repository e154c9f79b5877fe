#!/bin/sh
# Installs {{name}} {{version}} without root. Written by wheelsmith.
#
#   sh {{file}} [--to DIR] [--url URL] [--target TRIPLE]
#
#   --to DIR         prefix: DIR/bin gets links to the programs in DIR/lib/{{name}} [default: ~/.local]
#   --url URL        directory of the archives, such as a mirror
#   --target TRIPLE  archive to install, instead of the one for this system
set -eu

name='{{name}}'
version='{{version}}'
url='{{url}}'

# For each archive: triple, system, processor, C library, oldest glibc, file, directory, SHA-256.
archives() {
    cat <<'ROWS'
{{rows}}
ROWS
}

fail() {
    echo "$name: $*" >&2
    exit 1
}

has() {
    command -v "$1" >/dev/null 2>&1
}

# Prints the system, the processor and the C library with its version.
platform() {
    system=$(uname -s) processor=$(uname -m) libc=none glibc=0
    case $system in
        Linux) system=linux libc=musl ;;
        Darwin) system=macos ;;
        *) fail "there is no archive for $system" ;;
    esac
    case $processor in
        amd64) processor=x86_64 ;;
        arm64) processor=aarch64 ;;
        armv8l) processor=armv7l ;;
        i386 | i486 | i586) processor=i686 ;;
    esac
    # Programs that run under Rosetta see the other processor.
    if [ "$system" = macos ] && [ "$(sysctl -n hw.optional.arm64 2>/dev/null)" = 1 ]; then
        processor=aarch64
    fi
    if [ "$system" = linux ]; then
        found=$(getconf GNU_LIBC_VERSION 2>/dev/null || true)
        case $found in
            glibc\ *) libc=glibc glibc=${found#glibc } ;;
        esac
    fi
    echo "$system $processor $libc $glibc"
}

# True if version $1 is not older than $2.
is_new() {
    [ "${1%%.*}" -gt "${2%%.*}" ] ||
        { [ "${1%%.*}" -eq "${2%%.*}" ] && [ "${1#*.}" -ge "${2#*.}" ]; }
}

# Prints the row of the first archive that fits.
choose() {
    # shellcheck disable=SC2046 # four words
    set -- "$1" $(platform)
    [ $# -eq 5 ] || return 1
    archives | while read -r triple system processor libc floor rest; do
        if [ -n "$1" ]; then
            [ "$1" = "$triple" ] || continue
        else
            [ "$2" = "$system" ] || continue
            [ "$3" = "$processor" ] || [ "$processor" = any ] || continue
            [ "$4" = "$libc" ] || [ "$libc" = any ] || continue
            [ "$floor" = any ] || is_new "$5" "$floor" || continue
        fi
        echo "$triple $rest"
        break
    done
}

download() {
    if has curl; then
        curl -fsSL -o "$2" "$1"
    elif has wget; then
        wget -q -O "$2" "$1"
    else
        fail "neither curl nor wget is installed"
    fi || fail "cannot download $1"
}

sum() {
    if has sha256sum; then
        sha256sum <"$1"
    elif has shasum; then
        shasum -a 256 <"$1"
    elif has openssl; then
        openssl dgst -sha256 -r <"$1"
    else
        fail "no program computes SHA-256: sha256sum, shasum, openssl"
    fi
}

# Everything is in a function, so that a script that was cut short runs nothing.
main() {
    to=${HOME:-} target=
    [ -z "$to" ] || to=$to/.local
    while [ $# -gt 0 ]; do
        case $1 in
            --to | --url | --target) [ $# -gt 1 ] || fail "$1 needs a value" ;;
        esac
        case $1 in
            --to) to=$2 && shift ;;
            --url) url=$2 && shift ;;
            --target) target=$2 && shift ;;
            -h | --help)
                echo "usage: sh {{file}} [--to DIR] [--url URL] [--target TRIPLE]"
                exit 0
                ;;
            *) fail "unknown argument $1" ;;
        esac
        shift
    done
    [ -n "$to" ] || fail "HOME is not set: choose a directory with --to"
    row=$(choose "$target")
    if [ -z "$row" ]; then
        known=$(archives | while read -r triple rest; do printf ' %s' "$triple"; done)
        fail "there is no archive for ${target:-$(platform)}; there are:$known"
    fi
    # shellcheck disable=SC2086 # words of the row
    set -- $row
    triple=$1 file=$2 top=$3 expected=$4
    mkdir -p "$to/bin" "$to/lib/$name"
    to=$(cd "$to" && pwd)
    home=$to/lib/$name
    work=$home/.new-$$
    trap 'rm -rf "$work"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    mkdir "$work"
    echo "$name: downloading $file"
    download "$url/$file" "$work/archive"
    found=$(sum "$work/archive")
    found=${found%% *}
    [ "$found" = "$expected" ] ||
        fail "$file has the SHA-256 $found, not $expected: nothing was installed"
    tar -xzf "$work/archive" -C "$work" || fail "cannot unpack $file"
    [ -d "$work/$top/bin" ] || fail "$file has no programs"
    : >"$work/$top/.installed-by-wheelsmith"
    # A directory of its own for each run: links are switched when it is complete.
    new=$home/$version-$$
    [ ! -e "$new" ] || fail "$new exists"
    mv "$work/$top" "$new"
    for program in "$new"/bin/*; do
        command=${program##*/}
        link=$to/bin/$command
        [ ! -d "$link" ] || fail "$link is a directory"
        ln -s "../lib/$name/${new##*/}/bin/$command" "$work/$command"
        # Replaces an earlier link in one step.
        mv -f "$work/$command" "$link"
    done
    for old in "$home"/*; do
        if [ "$old" != "$new" ] && [ -e "$old/.installed-by-wheelsmith" ]; then
            rm -rf "$old"
        fi
    done
    # Links to programs that this version does not have.
    for link in "$to/bin"/*; do
        if [ -h "$link" ] && [ ! -e "$link" ]; then
            case $(readlink "$link") in
                "../lib/$name/"*) rm -f "$link" ;;
            esac
        fi
    done
    echo "$name: installed $version for $triple in $to/bin"
    case ":${PATH:-}:" in
        *":$to/bin:"*) ;;
        *) echo "$name: add $to/bin to PATH" ;;
    esac
}

main "$@"
