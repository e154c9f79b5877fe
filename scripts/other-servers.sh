#!/usr/bin/env bash
# Uploads wheels to pypiserver and devpi on this machine and installs them from there, as from a
# static index of `wheelsmith index`: what was built is right for servers of others, too.
#
#   scripts/other-servers.sh REQUIREMENT WHEEL…
#
#   REQUIREMENT   what is installed, such as `demo`; its wheel must fit this machine
#
# The servers go to a virtual environment in `target/other-servers`, pinned; what they store goes to
# a temporary directory. WHEELSMITH names the program (target/release/wheelsmith).
set -euo pipefail
repository=$(cd "$(dirname "$0")/.." && pwd)
[ $# -ge 2 ] || { sed -n '2,10s/^# \{0,1\}//p' "$0" >&2; exit 2; }
requirement=$1; shift
wheelsmith=${WHEELSMITH:-$repository/target/release/wheelsmith}
venv=$repository/target/other-servers
pins=(pypiserver==2.4.2 passlib==1.7.4 devpi-server==6.20.0 devpi-client==7.3.0 twine==7.0.0 uv==0.13.8)

if [ "$(cat "$venv/.pins" 2>/dev/null)" != "${pins[*]}" ]; then
    python3 -m venv --clear "$venv"
    "$venv/bin/pip" --disable-pip-version-check -q install "${pins[@]}"
    echo "${pins[*]}" >"$venv/.pins"
fi
PATH=$venv/bin:$PATH
work=$(mktemp -d)
servers=()
finish() {
    for server in "${servers[@]}"; do kill "$server" 2>/dev/null || true; done
    rm -rf "$work"
}
trap finish EXIT

free_port() {
    python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}
wait_for() { # url
    python - "$1" <<'PY'
import sys, time, urllib.error, urllib.request
for _ in range(600):
    try:
        urllib.request.urlopen(sys.argv[1], timeout=5)
        break
    except urllib.error.HTTPError:
        break
    except OSError:
        time.sleep(0.1)
else:
    sys.exit(f"nothing answers at {sys.argv[1]}")
PY
}
install_from() { # name, url
    local name=$1 url=$2
    pip --isolated --disable-pip-version-check -q install --no-cache-dir --no-deps \
        --index-url "$url" --target "$work/$name-pip" "$requirement"
    uv --no-config --no-cache -q pip install --no-deps --default-index "$url" \
        --python "$venv/bin/python" --target "$work/$name-uv" "$requirement"
    # Installers leave notes of their own; what they installed is the same.
    diff -r -x '*.dist-info' -x __pycache__ -x bin -x .lock "$work/$name-pip" "$work/$name-uv"
    if [ -d "$work/static-pip" ]; then
        diff -r -x '*.dist-info' -x __pycache__ "$work/static-pip" "$work/$name-pip"
    fi
    echo "$name: pip and uv installed $requirement"
}

"$wheelsmith" index add "$@" --out "$work/site" >/dev/null
install_from static "file://$work/site/simple/"

port=$(free_port)
mkdir "$work/pypiserver"
pypi-server run -i 127.0.0.1 -p "$port" -P . -a . --disable-fallback "$work/pypiserver" \
    >"$work/pypiserver.log" 2>&1 &
servers+=($!)
wait_for "http://127.0.0.1:$port/simple/"
twine upload --non-interactive --disable-progress-bar -u a -p a \
    --repository-url "http://127.0.0.1:$port/" "$@" >/dev/null
install_from pypiserver "http://127.0.0.1:$port/simple/"

port=$(free_port) devpi=http://127.0.0.1:$port
devpi-init --serverdir "$work/devpi" >/dev/null 2>&1
devpi-server --serverdir "$work/devpi" --host 127.0.0.1 --port "$port" --offline-mode \
    >"$work/devpi.log" 2>&1 &
servers+=($!)
wait_for "$devpi/+api"
run_client() { devpi "$1" --clientdir "$work/client" "${@:2}" >/dev/null; }
run_client use "$devpi"
run_client login root --password=
run_client index -c dev bases= volatile=False
twine upload --non-interactive --disable-progress-bar -u root -p '' \
    --repository-url "$devpi/root/dev/" "$@" >/dev/null
install_from devpi "$devpi/root/dev/+simple/"
