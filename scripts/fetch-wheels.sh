#!/usr/bin/env bash
# Downloads the wheels whose verdicts are compared with auditwheel's, and verifies their digests.
#
#   scripts/fetch-wheels.sh DIRECTORY [PATTERN]
#
#   PATTERN   downloads only wheels whose name matches (grep -E)
#
# Existing wheels are not downloaded again. All together have 1.3 GB. Needs pip and uses its configured
# index. PYTHON names the interpreter (python3).
set -uo pipefail
[ $# -ge 1 ] || { sed -n '4p' "$0" >&2; exit 2; }
list=$(dirname "$0")/../wheelsmith-core/tests/parity-wheels.txt
dir=$1 pattern=${2:-.} python=${PYTHON:-python3} failed=0
mkdir -p "$dir"

while read -r sha256 wheel _; do
    [ "$sha256" != '#' ] && grep -qE -- "$pattern" <<<"$wheel" || continue
    [ ! -e "$dir/$wheel" ] || continue
    IFS=- read -r name version interpreter abi platforms <<<"${wheel%.whl}"
    # `cp312` is 3.12. Wheels for every Python are requested with a version that accepts their tags.
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
