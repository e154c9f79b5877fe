#!/usr/bin/env bash
# Installs from an index with pip and uv, from files and from a plain server; then uploads the same wheels to
# pypiserver and devpi and installs from those. Uses no network.
#
#   scripts/installers.sh SITE REQUIREMENT MODULE WHEEL…
#
#   SITE          directory of `wheelsmith index build`
#   REQUIREMENT   requirement to install, `demo==1.0`; only files with the digests of the WHEELs are accepted
#   MODULE        tests each installation with `python -m MODULE`
#   ARM64_ROOT    root with an arm64 Python, whose pip also installs from SITE under qemu
#
# Uses the servers and installers of the test environment. They store files in a temporary directory and
# stop with the script.
set -euo pipefail
repository=$(cd "$(dirname "$0")/.." && pwd)
[ $# -ge 4 ] || { sed -n '5,12s/^# \{0,1\}//p' "$0" >&2; exit 2; }
site=$(realpath "$1") requirement=$2 module=$3
shift 3
venv=${WHEELSMITH_TEST_ENV:-$repository/target/test-env}/servers
[ -e "$venv/.complete" ] || "$repository/scripts/test-env.sh" --only servers
venv=$(cd "$venv" && pwd)
PATH=$venv/bin:$PATH
# No settings of the user, and no proxy for connections on this machine.
unset "${!PIP_@}" "${!UV_@}" "${!TWINE_@}" http_proxy HTTP_PROXY all_proxy ALL_PROXY
work=$(mktemp -d)
servers=()
finish() {
    for server in "${servers[@]}"; do kill "$server" 2>/dev/null || true; done
    rm -rf "$work"
}
trap finish EXIT

{
    printf '%s' "$requirement"
    for wheel; do printf ' --hash=sha256:%s' "$(sha256sum <"$wheel" | cut -d' ' -f1)"; done
    echo
} >"$work/requirements.txt"
pip_options=(--isolated --disable-pip-version-check install -q --no-cache-dir --no-deps
    --root-user-action ignore --require-hashes -r "$work/requirements.txt")

install_from() { # name, url
    local name=$1 url=$2
    pip "${pip_options[@]}" --index-url "$url" --target "$work/$name-pip"
    uv --no-config --no-cache -q pip install --no-deps --require-hashes -r "$work/requirements.txt" \
        --default-index "$url" --python "$venv/bin/python" --target "$work/$name-uv"
    for way in pip uv; do
        # `python -m` imports from the current directory first.
        (cd "$work" && PYTHONPATH=$work/$name-$way python -m "$module") >"$work/said" 2>&1 ||
            { cat "$work/said" >&2; return 1; }
        echo "$name: $way installed $requirement"
    done
    # Installers write files of their own; the installed files are the same.
    diff -r -x '*.dist-info' -x __pycache__ -x bin -x .lock "$work/$name-pip" "$work/$name-uv"
    diff -r -x '*.dist-info' -x __pycache__ "$work/files-pip" "$work/$name-pip"
}

foreign_from() { # name, url
    local name=$1 url=$2 root=$ARM64_ROOT place=$work/$1-arm64 pip=(-m pip) wheel python
    for wheel in "$root"/usr/share/python-wheels/pip-*.whl; do
        if [ -e "$wheel" ]; then pip=("$wheel/pip"); fi
    done
    python=("$(command -v qemu-aarch64-static || command -v qemu-aarch64)" -L "$root"
        "$root/usr/bin/python3")
    "${python[@]}" "${pip[@]}" "${pip_options[@]}" --index-url "$url" --target "$place" &&
        (cd "$work" && PYTHONPATH=$place "${python[@]}" -m "$module" >/dev/null) &&
        echo "$name: pip of aarch64 installed $requirement"
}

wait_for() { # url, log
    python - "$@" <<'PY'
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
    sys.exit(f"nothing answers at {sys.argv[1]}\n" + open(sys.argv[2]).read())
PY
}

# Started together, because each needs some seconds before it responds.
read -r plain pypiserver devpi < <(python - <<'PY'
import socket
held = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
print(*(one.getsockname()[1] for one in held))
PY
)
python -m http.server --bind 127.0.0.1 --directory "$site" "$plain" >"$work/plain.log" 2>&1 &
servers+=($!)
mkdir "$work/pypiserver"
pypi-server run -i 127.0.0.1 -p "$pypiserver" -P . -a . --disable-fallback "$work/pypiserver" \
    >"$work/pypiserver.log" 2>&1 &
servers+=($!)
devpi-init --serverdir "$work/devpi" >"$work/devpi.log" 2>&1
devpi-server --serverdir "$work/devpi" --host 127.0.0.1 --port "$devpi" --offline-mode \
    >>"$work/devpi.log" 2>&1 &
servers+=($!)
plain=http://127.0.0.1:$plain pypiserver=http://127.0.0.1:$pypiserver devpi=http://127.0.0.1:$devpi

wait_for "$plain/" "$work/plain.log"
foreign=()
if [ -n "${ARM64_ROOT:-}" ]; then
    (foreign_from files "file://$site/simple/" && foreign_from server "$plain/simple/") &
    foreign=($!)
fi
install_from files "file://$site/simple/"
install_from server "$plain/simple/"

upload() { # url, user, password, wheel…
    twine upload --non-interactive --disable-progress-bar -u "$2" -p "$3" --repository-url "$1" \
        "${@:4}" >"$work/twine.log" 2>&1 || { cat "$work/twine.log" >&2; return 1; }
}
wait_for "$pypiserver/simple/" "$work/pypiserver.log"
upload "$pypiserver/" a a "$@"
install_from pypiserver "$pypiserver/simple/"

wait_for "$devpi/+api" "$work/devpi.log"
run_client() { devpi "$1" --clientdir "$work/client" "${@:2}" >/dev/null; }
run_client use "$devpi"
run_client login root --password=
run_client index -c dev bases= volatile=False
upload "$devpi/root/dev/" root '' "$@"
install_from devpi "$devpi/root/dev/+simple/"

for pid in "${foreign[@]}"; do wait "$pid"; done
