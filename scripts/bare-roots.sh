#!/usr/bin/env bash
# Makes bare Debian 12 and 13 roots and runs the commands of the README there, as root and as a user.
#
#   scripts/bare-roots.sh [--quick] DIRECTORY [RELEASE…]
#
#   --quick     stop before the release build: prerequisites only
#   DIRECTORY   directory for the roots, a gigabyte each; existing roots are used again
#   RELEASE     `bookworm`, `trixie`; both by default
#
# Needs root and debootstrap. DEBIAN_MIRROR names the mirror; apt's own by default. Nothing outside
# DIRECTORY changes.
set -euo pipefail
quick=false
if [ "${1:-}" = --quick ]; then
    quick=true
    shift
fi
[ $# -ge 1 ] || { sed -n '2,12s/^# \{0,1\}//p' "$0"; exit 2; }
[ "$(id -u)" = 0 ] || { echo "chroot needs root" >&2; exit 2; }
command -v debootstrap >/dev/null || { echo "install debootstrap" >&2; exit 2; }
directory=$1
shift
repository=$(cd "$(dirname "$0")/.." && pwd)
[ $# -gt 0 ] || set -- bookworm trixie
mkdir -p "$directory"
directory=$(cd "$directory" && pwd)
mirror=${DEBIAN_MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian' 2>/dev/null | head -n 1)}
[ -n "$mirror" ] || { echo "name a mirror: DEBIAN_MIRROR=URL" >&2; exit 2; }
security=${mirror%/debian*}/debian-security

mounted=()
unmount() {
    local at
    for at in "${mounted[@]}"; do umount "$at" || true; done
    mounted=()
}
trap unmount EXIT
mount_in() { # root
    mkdir -p "$1/proc" "$1/dev"
    mount -t proc proc "$1/proc" && mounted=("$1/proc" "${mounted[@]}")
    mount --bind /dev "$1/dev" && mounted=("$1/dev" "${mounted[@]}")
}

# The first block of commands of the README, without comments: its set-up.
commands=$(sed -n '/^```sh$/,/^```$/p' "$repository/README.md" | sed -n '2,/^```$/p' | sed '$d; s/ *#.*//')
failed=0

# Certificates that this machine trusts, such as those of a proxy; `copy_trust` copies them.
certificates=/etc/ssl/of-the-host.pem
trust=()
for variable in SSL_CERT_FILE CARGO_HTTP_CAINFO CURL_CA_BUNDLE GIT_SSL_CAINFO PIP_CERT REQUESTS_CA_BUNDLE; do
    [ -z "${SSL_CERT_FILE:-}" ] || trust+=("$variable=$certificates")
done
copy_trust() { # root
    [ -z "${SSL_CERT_FILE:-}" ] || install -D -m 644 "$SSL_CERT_FILE" "$1$certificates"
}

in_root() { # root, user, script
    local root=$1 user=$2
    chroot "$root" env -i "${trust[@]}" HOME="$(if [ "$user" = root ]; then echo /root; else echo "/home/$user"; fi)" \
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin TERM=dumb LANG=C.UTF-8 \
        setpriv --reuid "$user" --regid "$user" --init-groups bash -c "cd ~/wheelsmith && $3"
}

try() { # release, user, script
    local started=$SECONDS verdict=ok
    in_root "$directory/$1" "$2" "$3" || verdict=FAILED
    printf '%-10s %-5s %-7s %4d s  %s\n' "$1" "$2" $verdict $((SECONDS - started)) "${3%%$'\n'*}"
    [ $verdict = ok ] || failed=$((failed + 1))
}

for release in "$@"; do
    root=$directory/$release
    if [ ! -e "$root/.complete" ]; then
        echo "== $release: debootstrap"
        rm -rf --one-file-system "$root"
        debootstrap --variant=minbase "$release" "$root" "$mirror" >"$directory/$release.log" 2>&1 ||
            { tail -n 5 "$directory/$release.log"; echo "debootstrap failed" >&2; exit 1; }
        echo "deb $security $release-security main" >>"$root/etc/apt/sources.list"
        # The same proxies as here, so that a closed network works too.
        cp /etc/apt/apt.conf.d/*proxy* "$root/etc/apt/apt.conf.d/" 2>/dev/null || true
        cp /etc/resolv.conf "$root/etc/resolv.conf"
        chroot "$root" useradd --create-home --shell /bin/bash tester
        touch "$root/.complete"
    fi
    for home in root home/tester; do
        rm -rf --one-file-system "${root:?}/$home/wheelsmith"
        git clone --quiet --no-hardlinks "$repository" "$root/$home/wheelsmith"
    done
    chroot "$root" chown -R tester:tester /home/tester
    copy_trust "$root"
    mount_in "$root"
    echo "== $release: as a user, before anything is installed"
    # Without root the scripts can only name the command that installs what is missing.
    if said=$(in_root "$root" tester 'bash scripts/prerequisites.sh' 2>&1); then
        echo "a bare root has everything: $said"
    elif ! grep -q 'apt-get install' <<<"$said"; then
        echo "no command is named: $said"
        failed=$((failed + 1))
    else
        echo "$said"
    fi
    if $quick; then
        try "$release" root 'bash scripts/prerequisites.sh'
        try "$release" tester 'bash scripts/prerequisites.sh'
    else
        for user in root tester; do
            while read -r command; do
                [ -z "$command" ] || try "$release" "$user" "$command"
            done <<<"$commands"
        done
    fi
    unmount
done
[ $failed = 0 ] || { echo "$failed failed" >&2; exit 1; }
