#!/usr/bin/env bash
# Downloads the wheels on which verdicts are compared with auditwheel's, each checked by its digest.
#
#   scripts/fetch-wheels.sh DIRECTORY [PATTERN]
#
#   PATTERN   takes only the wheels whose name matches, as grep -E reads it
#
# Wheels that are there already are not fetched again. All together are 1.3 GB. Needs pip; the index
# is the one that pip is configured for. PYTHON names the interpreter that has it (python3).
set -uo pipefail
[ $# -ge 1 ] || { sed -n '4p' "$0" >&2; exit 2; }
list=$(dirname "$0")/../wheelsmith-core/tests/parity-wheels.txt
dir=$1 pattern=${2:-.} python=${PYTHON:-python3} failed=0
mkdir -p "$dir"

while read -r sha256 wheel _; do
    [ "$sha256" != '#' ] && grep -qE -- "$pattern" <<<"$wheel" || continue
    [ ! -e "$dir/$wheel" ] || continue
    IFS=- read -r name version interpreter abi platforms <<<"${wheel%.whl}"
    # `cp312` is 3.12; what runs on every Python is asked for by one that reads all such tags.
    case $interpreter in
        cp3*) python_version=3.${interpreter#cp3} ;;
        *) python_version=3.12 ;;
    esac
    options=(--no-deps --only-binary=:all: --require-hashes --implementation cp --dest "$dir")
    for platform in ${platforms//./ }; do options+=(--platform "$platform"); done
    for tag in ${abi//./ }; do options+=(--abi "$tag"); done
    requirement=$(mktemp)
    echo "$name==$version --hash=sha256:$sha256" >"$requirement"
    "$python" -m pip download --quiet --disable-pip-version-check "${options[@]}" \
        --python-version "$python_version" -r "$requirement" </dev/null || failed=$((failed + 1))
    rm -f "$requirement"
done < <(grep -v '^#' "$list")
[ $failed = 0 ] || { echo "$failed wheel(s) could not be fetched" >&2; exit 1; }
