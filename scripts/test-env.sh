#!/usr/bin/env bash
# Prepares the tools that the tests use besides cargo, and lists them.
#
#   scripts/test-env.sh [--require] [--no-install] [--only PART]…
#
#   --require      exit with 1 if a part is missing
#   --no-install   do not install system packages, even as root
#   --only PART    prepare only this part, such as `servers`; parts are functions of this script
#
# The parts are in `target/test-env`, or in WHEELSMITH_TEST_ENV, where the tests find them by name:
#
#   judges/                virtual environment with the tools of `judges.txt`
#   servers/               virtual environment with the tools of `servers.txt`
#   npm-clients/           clients and a registry for npm packages, for scripts/npm-clients.sh
#   wheels/                a few small wheels, if an index can be reached
#   tools/zig              the zig of the judges
#   tools/chromium         a browser without a screen
#   tools/qemu-aarch64     runs aarch64 programs of Linux
#   tools/rustc-aarch64    a rustc that has the standard library of aarch64-unknown-linux-gnu
#   compilers/             links to aarch64-linux-gnu-gcc and clang of the distribution
#   tools/ld-musl-x86_64   musl's loader, which is its C library; and that for aarch64
#   arm64-root/            a Debian root with `usr/bin/python3` and pip, for qemu's `-L`
#   s390x-root/            Debian's C library and zlib for a big-endian machine
#   old-builders/          cmake and meson of Debian 12, the oldest that must work
#   old-glibc/             the C library of Debian 11, if mirrors still have it
#
# Existing parts are not checked again, so a second run takes no time. As root on Debian, missing system
# packages are installed; otherwise the part is reported as missing.
set -euo pipefail
cd "$(dirname "$0")/.."

parts=(cargo_itself system_tools judges servers npm_clients wheels qemu browser rust_for_aarch64 arm64_root
    s390x_root foreign_libcs musl compilers go old_builders old_glibc)
require=false install=true only=()
while [ $# -gt 0 ]; do
    case $1 in
        --require) require=true ;;
        --no-install) install=false ;;
        --only) only+=("${2:?a part: ${parts[*]}}"); shift ;;
        *) echo "usage: scripts/test-env.sh [--require] [--no-install] [--only PART]" >&2; exit 2 ;;
    esac
    shift
done
for part in "${only[@]}"; do
    [[ " ${parts[*]} " = *" $part "* ]] || { echo "no part \`$part\`: ${parts[*]}" >&2; exit 2; }
done
if [ ${#only[@]} -gt 0 ]; then parts=("${only[@]}"); fi

env=${WHEELSMITH_TEST_ENV:-$PWD/target/test-env}
mkdir -p "$env/tools" "$env/log"
env=$(cd "$env" && pwd)
# Links of this script must not point at themselves.
PATH=:$PATH:
PATH=${PATH//:"$env/tools":/:}
PATH=${PATH#:} PATH=${PATH%:}
absent=0

# Two runs at once would write to the same directories.
if command -v flock >/dev/null; then
    exec 9>"$env/lock"
    flock 9
fi

is_debian() { command -v apt-get >/dev/null && command -v dpkg-query >/dev/null; }
may_install() { $install && is_debian && [ "$(id -u)" = 0 ]; }
is_installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}\n' "$@" 2>/dev/null | grep -cx installed)" = $# ]
}
# Reads the whole answer: `grep -q` would end the pipe early, which `pipefail` takes for a failure.
has_candidate() { [[ "$(apt-cache policy "$1" 2>/dev/null)" == *$'\n  Candidate: '[!\(]* ]]; }

say() { printf '  %-14s %s\n' "$1" "$2"; }
missing() { # part, reason, [log]
    say "$1" "absent: $2"
    if [ -n "${3:-}" ] && [ -s "$3" ]; then tail -n 5 "$3" | sed 's/^/                   | /'; fi
    absent=$((absent + 1))
}

updated=false
apt_install() { # log, package…
    local log=$1; shift
    echo "installing $*" >&2
    if ! $updated; then
        apt-get update >>"$log" 2>&1 || return 1
        updated=true
    fi
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" >>"$log" 2>&1
}

# Installs Debian's cargo if there is none.
cargo_itself() {
    local log=$env/log/cargo.log
    if ! command -v cargo >/dev/null; then
        if ! may_install; then
            missing cargo "install Rust 1.95 or newer, by rustup or as Debian's cargo-web"
            return
        fi
        : >"$log"
        local packages=(cargo rustc rustfmt rust-clippy)
        if has_candidate cargo-web; then packages=(cargo-web rustc-web rustfmt-web rust-web-clippy); fi
        apt_install "$log" "${packages[@]}" || { missing cargo "apt-get failed" "$log"; return; }
    fi
    say cargo "$(command -v cargo)"
}

# Compilers for C and C++ for cargo; `readelf` and `eu-elflint` as judges; make and pkg-config for
# components; programs that sign.
system_tools() {
    local log=$env/log/system.log packages=()
    command -v cc >/dev/null || packages+=(gcc libc6-dev)
    command -v c++ >/dev/null || packages+=(g++)
    command -v readelf >/dev/null || packages+=(binutils)
    command -v make >/dev/null || packages+=(make)
    command -v pkg-config >/dev/null || packages+=(pkg-config)
    command -v eu-elflint >/dev/null || packages+=(elfutils)
    command -v npm >/dev/null || packages+=(nodejs npm)
    command -v zstd >/dev/null || packages+=(zstd)
    command -v shellcheck >/dev/null || packages+=(shellcheck)
    command -v minisign >/dev/null || packages+=(minisign)
    command -v gpg >/dev/null || packages+=(gnupg)
    command -v ssh-keygen >/dev/null || packages+=(openssh-client)
    command -v openssl >/dev/null || packages+=(openssl)
    # Extension modules are compiled with the headers of a Python.
    compgen -G '/usr/include/python3*/Python.h' >/dev/null || packages+=(python3-dev)
    if [ ${#packages[@]} -gt 0 ]; then
        if ! may_install; then
            missing "system tools" "install: ${packages[*]}"
            return
        fi
        : >"$log"
        apt_install "$log" "${packages[@]}" || { missing "system tools" "apt-get failed" "$log"; return; }
    fi
    say "system tools" "$(command -v cc c++ readelf eu-elflint make node npm pkg-config shellcheck zstd minisign gpg | tr '\n' ' ')"
}

# The versions of Debian 12, from the index, so that every machine has the same.
old_builders() {
    local log=$env/log/old-builders.log venv=$env/old-builders wanted=(cmake==3.25.2 meson==1.0.1)
    if [ ! -e "$venv/.complete" ]; then
        : >"$log"
        rm -rf "$venv"
        if ! python3 -m venv "$venv" >>"$log" 2>&1 \
            || ! "$venv/bin/python" -m pip --disable-pip-version-check install "${wanted[@]}" >>"$log" 2>&1; then
            missing "old builders" "pip failed" "$log"
            return
        fi
        touch "$venv/.complete"
    fi
    say "old builders" "${wanted[*]}"
}

# Go, which builds components of its kind.
go() {
    local log=$env/log/go.log
    if ! type -P go >/dev/null; then
        if ! may_install; then
            missing go "install Go 1.18 or newer: Debian's golang-go, or from https://go.dev/dl"
            return
        fi
        : >"$log"
        apt_install "$log" golang-go || { missing go "apt-get failed" "$log"; return; }
    fi
    say go "$(type -P go)"
}

# The first Python that all judges support, or else the first that some do.
python_for_judges() {
    local candidate oldest
    for oldest in '(3, 10)' '(3, 8)'; do
        for candidate in python3 /usr/bin/python3 python3.13 python3.12 python3.11 python3.10; do
            if "$candidate" -c "import sys; sys.exit(sys.version_info < $oldest)" 2>/dev/null; then
                command -v "$candidate"
                return
            fi
        done
    done
    return 1
}

judges() {
    local log=$env/log/judges.log venv=$env/judges python requirement failed=() wanted
    mapfile -t wanted < <(sed 's/ *#.*//; /^$/d' scripts/judges.txt)
    if ! cmp -s scripts/judges.txt "$venv/.complete"; then
        : >"$log"
        if ! python=$(python_for_judges) && may_install; then
            apt_install "$log" python3 python3-venv || true
            python=$(python_for_judges || true)
        fi
        if [ -z "$python" ]; then
            missing judges "no python3 of version 3.8 or newer" "$log"
            return
        fi
        # Debian has `venv` in a separate package.
        if ! "$python" -c 'import ensurepip' 2>/dev/null && may_install; then
            apt_install "$log" python3-venv || true
        fi
        echo "installing the judges" >&2
        rm -rf "$venv"
        "$python" -m venv "$venv" >>"$log" 2>&1 || { missing judges "no venv" "$log"; return; }
        local pip=("$venv/bin/python" -m pip --disable-pip-version-check install)
        if ! "${pip[@]}" -r scripts/judges.txt >>"$log" 2>&1; then
            # If this Python is too old for one tool, the others are still installed.
            for requirement in "${wanted[@]}"; do
                "${pip[@]}" "$requirement" >>"$log" 2>&1 || failed+=("$requirement")
            done
            if [ ${#failed[@]} = ${#wanted[@]} ]; then
                missing judges "nothing could be installed" "$log"
                return
            fi
            printf '%s\n' "${failed[@]}" >"$venv/.failed"
        fi
        cp scripts/judges.txt "$venv/.complete"
    fi
    if [ -e "$venv/.failed" ]; then
        mapfile -t failed <"$venv/.failed"
        missing judges "${failed[*]} (remove $venv to try again)"
    else
        say judges "${wanted[*]}"
    fi
    local zig
    for zig in "$venv"/lib/python3*/site-packages/ziglang/zig; do
        if [ -x "$zig" ]; then ln -sfn "$zig" "$env/tools/zig"; fi
    done
}

# Clients of npm, and a registry.
npm_clients() {
    local log=$env/log/npm-clients.log dir=$env/npm-clients
    if ! cmp -s scripts/npm-clients.json "$dir/.complete"; then
        command -v npm >/dev/null || { missing npm-clients "no npm"; return; }
        echo "installing the clients of npm" >&2
        mkdir -p "$dir"
        cp scripts/npm-clients.json "$dir/package.json"
        (cd "$dir" && npm install --no-audit --no-fund) >"$log" 2>&1 ||
            { missing npm-clients "they could not be installed" "$log"; return; }
        cp scripts/npm-clients.json "$dir/.complete"
    fi
    say npm-clients "$(sed -n 's/^ *"\(.*\)": "\([0-9].*\)",*$/\1 \2/p' scripts/npm-clients.json | tr '\n' ' ')"
}

# Index servers of other projects. uv installs them in seconds, pip in a minute.
servers() {
    local log=$env/log/servers.log venv=$env/servers python
    if ! cmp -s scripts/servers.txt "$venv/.complete"; then
        if ! python=$(python_for_judges); then
            missing servers "no python3 of version 3.8 or newer"
            return
        fi
        echo "installing the servers" >&2
        rm -rf "$venv"
        {
            "$python" -m venv "$venv" &&
                if [ -x "$env/judges/bin/uv" ]; then
                    "$env/judges/bin/uv" --quiet pip install --python "$venv/bin/python" \
                        -r scripts/servers.txt
                else
                    "$venv/bin/python" -m pip --disable-pip-version-check install -r scripts/servers.txt
                fi
        } >"$log" 2>&1 || { missing servers "they could not be installed" "$log"; return; }
        cp scripts/servers.txt "$venv/.complete"
    fi
    say servers "$(sed '/^#/d' scripts/servers.txt | tr '\n' ' ')"
}

# Debian 12 has the emulator in `qemu-user-static`; in Debian 13 that package is empty and depends on
# `qemu-user`, whose programs are static and have no suffix.
qemu() {
    local log=$env/log/qemu.log program name link=$env/tools/qemu-aarch64 package
    if [ "$(uname -m)" = aarch64 ]; then
        say qemu "not needed: this machine is aarch64"
        return
    fi
    find_qemu() { command -v qemu-aarch64-static || command -v qemu-aarch64; }
    if ! program=$(find_qemu) && [ ! -x "$link" ]; then
        : >"$log"
        for package in qemu-user-static qemu-user; do
            if may_install; then
                apt_install "$log" "$package" || true
                program=$(find_qemu || true)
            elif is_debian; then
                # The program is static, so it runs from where the package is unpacked.
                mkdir -p "$env/qemu"
                if (cd "$env/qemu" && apt-get download "$package") >>"$log" 2>&1; then
                    dpkg -x "$env/qemu/${package}"_*.deb "$env/qemu" >>"$log" 2>&1
                fi
                for name in qemu-aarch64-static qemu-aarch64; do
                    if [ -f "$env/qemu/usr/bin/$name" ]; then program=$env/qemu/usr/bin/$name; fi
                done
            fi
            if [ -n "${program:-}" ]; then break; fi
        done
    fi
    if [ -n "${program:-}" ]; then ln -sfn "$program" "$link"; fi
    if [ ! -x "$link" ]; then
        missing qemu "install qemu-user-static, or qemu-user on Debian 13" "$log"
        return
    fi
    say qemu "$(readlink "$link")"
}

# A browser for tests of HTML pages.
browser() {
    local log=$env/log/browser.log program link=$env/tools/chromium
    if ! program=$(command -v chromium || command -v chromium-browser || command -v google-chrome); then
        : >"$log"
        if may_install; then apt_install "$log" chromium || true; fi
        program=$(command -v chromium || true)
    fi
    if [ -z "$program" ]; then
        rm -f "$link"
        missing browser "install chromium" "$log"
        return
    fi
    ln -sfn "$program" "$link"
    say browser "$program"
}

# Prints the compiler itself, because rustup's proxy depends on the name that it is called by.
rustc_with_aarch64() {
    local candidate sysroot version wanted
    wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
    for candidate in rustc /usr/bin/rustc; do
        sysroot=$("$candidate" --print sysroot 2>/dev/null) || continue
        version=$("$candidate" --version | cut -d ' ' -f 2)
        # Debian's own compiler is years older than what cargo asks for.
        [ "$(printf '%s\n' "$wanted" "$version" | sort -V | head -n 1)" = "$wanted" ] || continue
        if compgen -G "$sysroot/lib/rustlib/aarch64-unknown-linux-gnu/lib/libstd-*.rlib" >/dev/null; then
            echo "$sysroot/bin/rustc"
            return
        fi
    done
    return 1
}

rust_for_aarch64() {
    local log=$env/log/rust.log link=$env/tools/rustc-aarch64 program
    if ! program=$(rustc_with_aarch64); then
        : >"$log"
        if may_install; then
            dpkg --print-foreign-architectures | grep -qx arm64 || {
                dpkg --add-architecture arm64
                updated=false
            }
            apt_install "$log" binutils || true
            # Debian stable has a recent compiler in separate packages.
            if has_candidate rustc-web; then
                apt_install "$log" rustc-web libstd-rust-web-dev:arm64 || true
            else
                apt_install "$log" rustc libstd-rust-dev:arm64 || true
            fi
        fi
        if ! program=$(rustc_with_aarch64) && command -v rustup >/dev/null && $install; then
            timeout 120 rustup target add aarch64-unknown-linux-gnu >>"$log" 2>&1 || true
            program=$(rustc_with_aarch64 || true)
        fi
    fi
    if [ -z "$program" ]; then
        rm -f "$link"
        missing "rust aarch64" "run \`rustup target add aarch64-unknown-linux-gnu\`" "$log"
        return
    fi
    ln -sfn "$program" "$link"
    say "rust aarch64" "$program"
}

# apt with a separate state for one architecture: needs no root and changes nothing elsewhere.
arm64_apt() { foreign_apt arm64 "$@"; }
foreign_apt() { # architecture, command…
    local state=$env/apt arch=$1; shift
    mkdir -p "$state/lists/partial" "$state/cache/archives/partial"
    : >"$state/status"
    cat >"$state/apt.conf" <<CONF
#clear APT::Architectures;
APT::Architecture "$arch";
APT::Architectures { "$arch"; };
APT::Sandbox::User "$(id -un)";
Acquire::Languages "none";
Dir::State "$state";
Dir::State::status "$state/status";
Dir::Cache "$state/cache";
CONF
    APT_CONFIG=$state/apt.conf "$@"
}

arm64_root() {
    local log=$env/log/arm64-root.log root=$env/arm64-root python packages pip
    local stamp=$root/.complete
    if [ ! -e "$stamp" ]; then
        if ! is_debian; then
            missing "arm64 python" "needs apt-get, to download Debian's packages"
            return
        fi
        : >"$log"
        echo "unpacking an arm64 Python" >&2
        rm -rf "$root"
        mkdir -p "$root" "$env/apt"
        arm64_apt apt-get update >>"$log" 2>&1 || { missing "arm64 python" "apt-get update failed" "$log"; return; }
        python=$(arm64_apt apt-cache depends python3-minimal | sed -n 's/.*Depends: \(python3\.[0-9]*\)-minimal$/\1/p' | head -n 1)
        if [ -z "$python" ]; then
            missing "arm64 python" "apt knows no arm64 packages" "$log"
            return
        fi
        # The libraries of Python, without the packages that only configure others.
        packages=$(arm64_apt apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts \
            --no-breaks --no-replaces --no-enhances -i "$python-minimal" "lib$python-stdlib" |
            sed -n 's/^\([a-z0-9][^ ]*\)$/\1/p' | grep -vxE 'dpkg|tar|install-info|perl.*|libperl.*' | sort -u)
        # shellcheck disable=SC2086 # One word for each package.
        (cd "$env/apt/cache" && arm64_apt apt-get download $packages) >>"$log" 2>&1 ||
            { missing "arm64 python" "the packages could not be downloaded" "$log"; return; }
        local package
        for package in "$env"/apt/cache/*.deb; do dpkg -x "$package" "$root" >>"$log" 2>&1; done
        ln -sfn "$python" "$root/usr/bin/python3"
        # The root belongs to the tests, so pip may write to it.
        rm -f "$root/usr/lib/$python/EXTERNALLY-MANAGED"
        pip=$(sed -n 's/^pip==//p' scripts/judges.txt)
        "$env/judges/bin/python" -m pip --disable-pip-version-check install --no-compile \
            --target "$root/usr/lib/python3/dist-packages" "pip==$pip" >>"$log" 2>&1 ||
            { missing "arm64 python" "pip could not be installed" "$log"; return; }
        rm -rf "$env/apt"
        echo "$python" >"$stamp"
    fi
    say "arm64 python" "$(cat "$stamp")"
}

# Libraries and loader of a big-endian machine.
s390x_root() {
    local log=$env/log/s390x-root.log root=$env/s390x-root program package
    if [ ! -e "$root/.complete" ]; then
        if ! is_debian; then
            missing "s390x zlib" "needs apt-get, to download Debian's packages"
            return
        fi
        echo "unpacking zlib for s390x" >&2
        rm -rf "$root" "$env/apt"
        mkdir -p "$root" "$env/apt"
        foreign_apt s390x apt-get update >"$log" 2>&1 || { missing "s390x zlib" "apt-get update failed" "$log"; return; }
        (cd "$env/apt/cache" && foreign_apt s390x apt-get download libc6 zlib1g) >>"$log" 2>&1 ||
            { missing "s390x zlib" "the packages could not be downloaded" "$log"; return; }
        for package in "$env"/apt/cache/*.deb; do dpkg -x "$package" "$root" >>"$log" 2>&1; done
        rm -rf "$env/apt"
        touch "$root/.complete"
    fi
    # The package of the emulator for aarch64 contains it.
    if program=$(command -v qemu-s390x-static || command -v qemu-s390x); then
        ln -sfn "$program" "$env/tools/qemu-s390x"
    elif [ -x "$env/qemu/usr/bin/qemu-s390x-static" ]; then
        ln -sfn "$env/qemu/usr/bin/qemu-s390x-static" "$env/tools/qemu-s390x"
    fi
    say "s390x zlib" "$(basename "$(readlink -f "$root"/lib/s390x-linux-gnu/libz.so.1)")"
}

# C libraries of other processors, for programs that run under qemu.
foreign_libcs() {
    local log=$env/log/libc.log root=$env/libc arch name program packages=() absent_here=()
    local arches=(i386 armhf riscv64 s390x ppc64el)
    if [ ! -e "$root/.complete" ]; then
        if ! is_debian; then
            missing "foreign libcs" "needs apt-get, to download Debian's packages"
            return
        fi
        echo "unpacking C libraries of other processors" >&2
        rm -rf "$root"
        mkdir -p "$root/packages"
        for arch in "${arches[@]}"; do packages+=("libc6-$arch-cross"); done
        if ! (cd "$root/packages" && apt-get download "${packages[@]}") >"$log" 2>&1; then
            missing "foreign libcs" "the packages could not be downloaded" "$log"
            return
        fi
        for name in "$root"/packages/*.deb; do dpkg -x "$name" "$root" >>"$log" 2>&1; done
        rm -rf "$root/packages"
        touch "$root/.complete"
    fi
    for arch in i386 arm riscv64 s390x ppc64le; do
        if program=$(command -v "qemu-$arch-static" || command -v "qemu-$arch"); then
            ln -sfn "$program" "$env/tools/qemu-$arch"
        elif [ -x "$env/qemu/usr/bin/qemu-$arch-static" ]; then
            ln -sfn "$env/qemu/usr/bin/qemu-$arch-static" "$env/tools/qemu-$arch"
        elif [ ! -x "$env/tools/qemu-$arch" ]; then
            absent_here+=("qemu-$arch")
        fi
    done
    if [ ${#absent_here[@]} -gt 0 ]; then
        missing "foreign libcs" "install qemu-user-static, for ${absent_here[*]}"
        return
    fi
    say "foreign libcs" "${arches[*]}"
}

# musl's C library is one file, which also loads programs. It works from any directory.
musl() {
    local log=$env/log/musl.log machine from link
    for machine in x86_64 aarch64; do
        link=$env/tools/ld-musl-$machine from=$env/musl/$machine
        if [ ! -x "$link" ]; then
            if ! is_debian; then
                missing musl "needs apt-get, to download Debian's package"
                return
            fi
            rm -rf "$from"
            mkdir -p "$from" "$env/apt"
            if [ $machine = aarch64 ]; then
                arm64_apt apt-get update >>"$log" 2>&1 || true
                (cd "$from" && arm64_apt apt-get download musl) >>"$log" 2>&1 || true
                rm -rf "$env/apt"
            else
                (cd "$from" && apt-get download musl:amd64) >>"$log" 2>&1 || true
            fi
            if ! dpkg -x "$from"/musl_*.deb "$from" >>"$log" 2>&1; then
                missing musl "the package for $machine could not be downloaded" "$log"
                return
            fi
            ln -sfn "$from/lib/$machine-linux-musl/libc.so" "$link"
        fi
    done
    say musl "the loaders for x86_64 and aarch64"
}

# The distribution's compilers: gcc for another processor, and clang, which uses the headers and libraries of
# that gcc for aarch64.
compilers() {
    local log=$env/log/compilers.log packages=() program
    command -v aarch64-linux-gnu-gcc >/dev/null || packages+=(gcc-aarch64-linux-gnu libc6-dev-arm64-cross)
    command -v clang >/dev/null || packages+=(clang)
    command -v ld.lld >/dev/null || packages+=(lld)
    command -v llvm-ar >/dev/null || packages+=(llvm)
    if [ ${#packages[@]} -gt 0 ] && may_install; then
        : >"$log"
        apt_install "$log" "${packages[@]}" || true
    fi
    for program in aarch64-linux-gnu-gcc clang ld.lld llvm-ar; do
        if ! command -v $program >/dev/null; then
            rm -f "$env/compilers/aarch64-linux-gnu-gcc" "$env/compilers/clang"
            missing compilers "install gcc-aarch64-linux-gnu, clang, lld and llvm" "$log"
            return
        fi
    done
    mkdir -p "$env/compilers"
    ln -sfn "$(command -v aarch64-linux-gnu-gcc)" "$env/compilers/aarch64-linux-gnu-gcc"
    ln -sfn "$(command -v clang)" "$env/compilers/clang"
    say compilers "$(command -v aarch64-linux-gnu-gcc clang | tr '\n' ' ')"
}

# An older C library than this machine's. Optional, because mirrors drop old releases.
old_glibc() {
    local log=$env/log/old-glibc.log root=$env/old-glibc mirror
    if [ ! -e "$root/.complete" ]; then
        if ! is_debian || [ "$(dpkg --print-architecture)" != amd64 ]; then
            say "old glibc" "not here: it comes from Debian's packages for amd64"
            return
        fi
        rm -rf "$root" "$env/apt"
        mkdir -p "$root" "$env/apt"
        mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian' | head -n 1)
        echo "deb ${mirror:-no mirror} bullseye main" >"$env/apt/sources.list"
        local get=(apt-get -o "Dir::Etc::sourcelist=$env/apt/sources.list"
            -o Dir::Etc::sourceparts=/dev/null -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=no)
        {
            foreign_apt amd64 "${get[@]}" update &&
                (cd "$env/apt/cache" && foreign_apt amd64 "${get[@]}" download libc6) &&
                dpkg -x "$env"/apt/cache/libc6_*.deb "$root"
        } >"$log" 2>&1 || { say "old glibc" "not here: see $log"; return; }
        rm -rf "$env/apt"
        touch "$root/.complete"
    fi
    say "old glibc" "$(basename "$(readlink -f "$root"/lib/x86_64-linux-gnu/libc.so.6)")"
}

# A few small wheels for comparing verdicts. Optional, because the index can be unreachable.
wheels() {
    if PYTHON="$env/judges/bin/python" timeout 300 scripts/fetch-wheels.sh "$env/wheels" \
        'markupsafe|^cffi|htty_core|android|^orjson.*musllinux_1_2_armv7l' >"$env/log/wheels.log" 2>&1; then
        say wheels "$(find "$env/wheels" -name '*.whl' | wc -l) to compare verdicts on"
    else
        say wheels "some are absent: see $env/log/wheels.log"
    fi
}

echo "test environment in $env"
for part in "${parts[@]}"; do $part; done
if [ $absent -gt 0 ]; then
    echo "$absent part(s) absent: tests that need them are skipped, and say so"
    if $require; then exit 1; fi
fi
