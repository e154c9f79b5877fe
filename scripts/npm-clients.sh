#!/usr/bin/env bash
# Installs npm packages of wheelsmith with npm, pnpm, yarn and bun from a registry on the loopback
# interface, and runs their command.
#
#   scripts/npm-clients.sh DIR PACKAGE COMMAND
#
#   DIR       directory with the tarballs of `wheelsmith pack npm`
#   PACKAGE   name of the main package, such as @example/answer
#   COMMAND   one of its commands, which is run without arguments and must exit with 0
#
# The clients and the registry are in WHEELSMITH_TEST_ENV/npm-clients: `scripts/test-env.sh --only npm_clients`.
set -euo pipefail
dist=$(cd "${1:?a directory with tarballs}" && pwd) package=${2:?a package} command=${3:?a command}
here=$(cd "$(dirname "$0")/.." && pwd)
tools=${WHEELSMITH_TEST_ENV:-$here/target/test-env}/npm-clients/node_modules
[ -d "$tools/verdaccio" ] || { echo "there are no clients in \`$tools\`" >&2; exit 2; }
work=$(mktemp -d)
registry=
trap '[ -z "$registry" ] || kill "$registry" 2>/dev/null; rm -rf "$work"' EXIT

port=$(node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })')
url=http://127.0.0.1:$port
cat >"$work/verdaccio.yaml" <<YAML
storage: $work/storage
auth: { htpasswd: { file: $work/htpasswd } }
uplinks: {}
packages: { '**': { access: \$all, publish: \$authenticated } }
max_body_size: 300mb
log: { type: stdout, level: error }
YAML
node "$tools/.bin/verdaccio" --config "$work/verdaccio.yaml" --listen "127.0.0.1:$port" >"$work/log" 2>&1 &
registry=$!
for _ in $(seq 120); do
    node -e "fetch('$url/-/ping').then(() => process.exit(0), () => process.exit(1))" && break
    sleep 0.5
done
token=$(node -e "
    fetch('$url/-/user/org.couchdb.user:tester', {
        method: 'PUT', headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ name: 'tester', password: 'only-on-loopback' }),
    }).then((r) => r.json()).then((r) => console.log(r.token))")
printf 'registry=%s\n//127.0.0.1:%s/:_authToken=%s\n' "$url" "$port" "$token" >"$work/npmrc"
export HOME=$work npm_config_userconfig=$work/npmrc npm_config_cache=$work/cache

# The main package comes last, because it requires the others.
main=$(basename "$(node -p '`${process.argv[1].replace(/^@/, "").replace("/", "-")}`' "$package")")
for tarball in $(ls "$dist"/*.tgz | grep -v "/$main-[0-9]"; ls "$dist"/"$main"-[0-9]*.tgz); do
    npm publish "$tarball" --tag latest >>"$work/log" 2>&1 || { tail -20 "$work/log" >&2; exit 1; }
done

failed=0
try() {
    local name=$1 run=$2
    shift 2
    mkdir -p "$work/$name"
    cd "$work/$name"
    echo '{ "private": true }' >package.json
    cp "$work/npmrc" .npmrc
    printf 'npmRegistryServer: "%s"\nunsafeHttpWhitelist: ["127.0.0.1"]\nnpmMinimalAgeGate: 0\nenableGlobalCache: false\nenableTelemetry: false\n' "$url" >.yarnrc.yml
    : >yarn.lock
    if "$@" >log 2>&1 && eval "$run" >>log 2>&1; then
        echo "$name: $(tail -1 log)"
    else
        echo "$name failed:" >&2
        tail -20 log >&2
        failed=1
    fi
}
bun=$tools/bun/bin/bun.exe
try npm "node_modules/.bin/$command" npm install "$package" --no-audit --no-fund
try npm-ci "rm -rf node_modules && npm ci --no-audit --no-fund && node_modules/.bin/$command" \
    npm install "$package" --no-audit --no-fund
try pnpm "node_modules/.bin/$command" node "$tools/.bin/pnpm" add "$package" --store-dir "$work/store"
try yarn-1 "node_modules/.bin/$command" node "$tools/yarn/bin/yarn.js" add "$package" --no-lockfile
try yarn-4 "node $tools/@yarnpkg/cli-dist/bin/yarn.js run $command" \
    node "$tools/@yarnpkg/cli-dist/bin/yarn.js" add "$package"
try bun "node_modules/.bin/$command" env BUN_CONFIG_REGISTRY="$url" "$bun" add "$package"
exit $failed
