#!/usr/bin/env python3
"""Kills `wheelsmith publish` before and after every request, and finishes the release by another run.

    scripts/release-kills.py PROGRAM [--every N] [--servers]

A release of five wheels, a source distribution, three npm packages and three crates is published to the
registries of tests/fakes/registries.py. For every Nth request (default 1) a run is killed with SIGKILL before
the registry sees the request, and another one after the registry acted and before it answers. The next run
is killed too, at an earlier request; the third must finish, and the fourth must send nothing. Each file must
be accepted once. Prints the number of kills.

With `--servers`, wheels go to pypiserver and devpi, and npm packages to verdaccio, through a proxy that kills.
They are in WHEELSMITH_TEST_ENV (`scripts/test-env.sh --only servers --only npm_clients`).
"""

import argparse
import base64
import hashlib
import io
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.request
import zipfile

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
TOKENS = {"UV_PUBLISH_TOKEN": "secret-pypi", "NPM_TOKEN": "secret-npm", "CARGO_REGISTRY_TOKEN": "secret-crates"}
kills = 0


def tarball(path, files):
    with tarfile.open(path, "w:gz") as tar:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(text.encode())
            tar.addfile(info, io.BytesIO(text.encode()))


def wheel(dist, name, version, tag, needs=()):
    escaped = name.replace("-", "_")
    info = f"{escaped}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nSummary: A package\nRequires-Python: >=3.8\n"
    metadata += "".join(f"Requires-Dist: {need}\n" for need in needs)
    files = {f"{escaped}/__init__.py": f"tag = '{tag}'\n", f"{info}/METADATA": metadata,
             f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: py3-none-{tag}\n"}
    record = ""
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
        record += f"{path},sha256={digest},{len(text.encode())}\n"
    files[f"{info}/RECORD"] = record + f"{info}/RECORD,,\n"
    with zipfile.ZipFile(dist / f"{escaped}-{version}-py3-none-{tag}.whl", "w") as archive:
        for path, text in files.items():
            archive.writestr(zipfile.ZipInfo(path), text)


def packages(dist, version, kinds):
    shutil.rmtree(dist, ignore_errors=True)
    dist.mkdir()
    if "pypi" in kinds:
        wheel(dist, "zz-kill", version, "any", ["zz-kill-core"])
        wheel(dist, "zz-kill-core", version, "any")
        for tag in ["manylinux_2_17_x86_64", "manylinux_2_17_aarch64", "win_amd64"]:
            wheel(dist, "zz-kill-bin", version, tag)
        project = f"[build-system]\nrequires = []\nbuild-backend = \"zz\"\n[project]\nname = \"zz-kill\"\nversion = \"{version}\"\n"
        info = f"Metadata-Version: 2.2\nName: zz-kill\nVersion: {version}\nSummary: A package\nRequires-Python: >=3.8\n"
        tarball(dist / f"zz_kill-{version}.tar.gz", {
            f"zz_kill-{version}/PKG-INFO": info, f"zz_kill-{version}/pyproject.toml": project,
            f"zz_kill-{version}/zz_kill.py": ""})
    if "npm" in kinds:
        platforms = {"@zz/linux": "linux", "@zz/darwin": "darwin"}
        manifests = {name: {"os": [system]} for name, system in platforms.items()}
        manifests["@zz/kill"] = {"optionalDependencies": dict.fromkeys(platforms, version)}
        for name, more in manifests.items():
            manifest = json.dumps({"name": name, "version": version, "license": "MIT", **more})
            tarball(dist / f"{name[1:].replace('/', '-')}-{version}.tgz",
                    {"package/package.json": manifest, "package/index.js": ""})
    if "crates" in kinds:
        for name, need in [("zz-leaf", None), ("zz-middle", "zz-leaf"), ("zz-top", "zz-middle")]:
            manifest = f"[package]\nname = \"{name}\"\nversion = \"{version}\"\nlicense = \"MIT\"\ndescription = \"a\"\n"
            manifest += f"[dependencies.{need}]\nversion = \"={version}\"\n" if need else ""
            tarball(dist / f"{name}-{version}.crate",
                    {f"{name}-{version}/Cargo.toml": manifest, f"{name}-{version}/src/lib.rs": ""})


class Release:
    """A release to a destination through the fake at `port`, which kills."""

    def __init__(self, program, work, port, registries, tokens):
        self.program, self.work, self.port, self.tokens, self.number = program, work, port, tokens, 0
        self.kinds = set(registries)
        self.secrets = [value for name, value in tokens.items() if not name.endswith("USERNAME")]
        rows = "\n".join(f"{kind} = {{ {row} }}" for kind, row in registries.items())
        (work / "wheelsmith.toml").write_text(
            f"[tool.wheelsmith.check]\nindex = \"private\"\n[tool.wheelsmith.release.local]\n{rows}\n")

    def ask(self, path, value=None):
        data = None if value is None else json.dumps(value).encode()
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", data) as answer:
            return json.loads(answer.read() or "null")

    def run(self, *args, rule=None):
        """Runs the program; its shell waits until the rule has its process id."""
        global kills
        line = ["/bin/sh", "-c", 'read go; exec "$@"', "sh", self.program, *args]
        child = subprocess.Popen(line, cwd=self.work, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, text=True, env={**os.environ, **self.tokens})
        rules = [{**rule, "pid": child.pid}] if rule else []
        self.ask("/_rules", {"rules": rules, "count": 0})
        text, _ = child.communicate("go\n")
        assert not any(secret in text for secret in self.secrets), "a token is printed"
        kills += child.returncode == -9
        return child.returncode, text

    def plan(self):
        self.number += 1
        version = f"1.0.{self.number}"
        packages(self.work / "dist", version, self.kinds)
        (self.work / "plan.json.ledger.jsonl").unlink(missing_ok=True)
        self.ask("/_rules", {"uploads": {}, "requests": []})
        code, text = self.run("plan", "--as", version, "--to", "local", "-o", "plan.json")
        assert code == 0, text

    def publish(self, rule=None):
        return self.run("publish", "--plan", "plan.json", rule=rule)

    def requests(self):
        self.plan()
        code, text = self.publish()
        assert code == 0, text
        return self.ask("/_state")["count"]

    def changes(self):
        return [line for line in self.ask("/_state")["requests"] if not line.startswith("GET ")]

    def killed_at(self, at, act):
        self.plan()
        code, text = self.publish({"at": at, "act": act})
        assert code == -9, f"request {at} of the run was not killed: {text}"
        if at > 2:
            self.publish({"at": at // 2, "act": "kill-before"})
        code, text = self.publish()
        assert code == 0, f"{act} {at}: {text}"
        state = self.ask("/_state")
        wrong = {name: count for name, count in state["uploads"].items() if count != 1}
        assert not wrong, f"{act} {at}: accepted more than once: {wrong}"
        before = self.changes()
        code, text = self.publish()
        assert code == 0 and self.changes() == before, f"{act} {at}: a further run sends something: {text}"
        for name in ["plan.json", "plan.json.ledger.jsonl"]:
            text = (self.work / name).read_text()
            assert not any(secret in text for secret in self.secrets), f"{name} has a token"
        return len(state["uploads"])

    def all(self, every):
        count, uploads = self.requests(), set()
        for at in range(1, count + 1, every):
            for act in ["kill-before", "kill-after"]:
                uploads.add(self.killed_at(at, act))
        assert len(uploads) == 1, uploads
        return count, uploads.pop()


def started(command, **more):
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **more)


def wait_for(url):
    for _ in range(600):
        try:
            urllib.request.urlopen(url).close()
            return
        except OSError:
            time.sleep(0.2)
    sys.exit(f"{url} does not answer")


def free_port():
    import socket
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def of_others(work, port, children):
    """Starts pypiserver, devpi and verdaccio; yields a name, registries and tokens for each."""
    env = pathlib.Path(os.environ["WHEELSMITH_TEST_ENV"])
    servers, npm = env / "servers/bin", env / "npm-clients/node_modules/.bin"

    def proxied(to, path=""):
        return f"http://127.0.0.1:{port}/proxy/{to}/{path}"

    at, files = free_port(), work / "pypiserver"
    files.mkdir()
    children.append(started([servers / "pypi-server", "run", "-i", "127.0.0.1", "-p", str(at), "-P", ".", "-a", ".",
                             "--disable-fallback", "--hash-algo", "sha256", files]))
    wait_for(f"http://127.0.0.1:{at}/simple/")
    tokens = {"TWINE_USERNAME": "a", "TWINE_PASSWORD": "secret-password"}
    yield "pypiserver", {"pypi": f'upload = "{proxied(at)}", simple = "{proxied(at, "simple/")}"'}, tokens
    at = free_port()
    subprocess.run([servers / "devpi-init", "--serverdir", work / "devpi"], check=True, capture_output=True)
    children.append(started([servers / "devpi-server", "--serverdir", work / "devpi", "--host", "127.0.0.1",
                             "--port", str(at), "--offline-mode"]))
    wait_for(f"http://127.0.0.1:{at}/+api")
    for line in [["use", f"http://127.0.0.1:{at}"], ["login", "root", "--password="],
                 ["index", "-c", "dev", "bases=", "volatile=False"]]:
        subprocess.run([servers / "devpi", line[0], "--clientdir", work / "client", *line[1:]], check=True,
                       capture_output=True)
    urls = f'upload = "{proxied(at, "root/dev/")}", simple = "{proxied(at, "root/dev/+simple/")}"'
    yield "devpi", {"pypi": urls}, {"TWINE_USERNAME": "root"}
    at, settings = free_port(), work / "verdaccio.yaml"
    settings.write_text(f"storage: {work}/npm\nauth: {{ htpasswd: {{ file: {work}/htpasswd }} }}\nuplinks: {{}}\n"
                        "packages: { '**': { access: $all, publish: $authenticated } }\nmax_body_size: 300mb\n"
                        "log: { type: stdout, level: error }\n")
    children.append(started(["node", npm / "verdaccio", "--config", settings, "--listen", f"127.0.0.1:{at}"]))
    wait_for(f"http://127.0.0.1:{at}/-/ping")
    user = json.dumps({"name": "tester", "password": "only-on-loopback"}).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{at}/-/user/org.couchdb.user:tester", user,
                                     {"Content-Type": "application/json"}, method="PUT")
    token = json.loads(urllib.request.urlopen(request).read())["token"]
    yield "verdaccio", {"npm": f'registry = "{proxied(at)}"'}, {"NPM_TOKEN": token}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--servers", action="store_true")
    args = parser.parse_args()
    program = str(pathlib.Path(args.program).resolve())
    fake = subprocess.Popen([sys.executable, REPOSITORY / "tests/fakes/registries.py"], stdout=subprocess.PIPE, text=True)
    children = [fake]
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        try:
            port = int(fake.stdout.readline())
            base = f"http://127.0.0.1:{port}"
            registries = {"pypi": f'upload = "{base}/pypi/legacy/", simple = "{base}/pypi/simple/"',
                          "npm": f'registry = "{base}/npm/"', "crates": f'index = "sparse+{base}/crates/index/"'}
            releases = [("fakes", registries, TOKENS)]
            for name, registries, tokens in of_others(work, port, children) if args.servers else releases:
                start, before = time.time(), kills
                (work / name).mkdir(exist_ok=True)
                (work / f"{name}-release").mkdir()
                release = Release(program, work / f"{name}-release", port, registries, tokens)
                count, uploads = release.all(args.every)
                print(f"{name}: {kills - before} kills at {count} requests, {uploads} uploads, each accepted once "
                      f"({time.time() - start:.0f} s)", flush=True)
        finally:
            for child in children:
                child.kill()
                child.wait()


main()
