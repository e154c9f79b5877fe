"""Registries on the loopback interface that judge what they get as the public ones do.

    python3 registries.py

Prints its port. `/pypi/` compares digests, names and metadata of the form with the file; `/npm/` keeps
`libc` and refuses a published version; `/crates/` has a sparse index and answers 200 with errors. Tokens
are accepted if they are in `tokens`. `POST /_rules` sets what happens to the next requests:

    {"match": "PUT /crates/", "times": 1, "status": 429, "headers": {"Retry-After": "1"}}
    {"match": "POST /pypi/", "times": 1, "act": "cut-after"}    stored, and the connection is cut
    {"match": "GET /npm/", "times": 3, "act": "stale"}          as if nothing had been stored yet
    {"at": 7, "act": "kill-before", "pid": 123}                 the seventh request of all

`GET /_state` returns the stored files, the number of uploads of each, and every request.
`/proxy/PORT/` passes requests on to another server of this machine, under the same rules.
"""

import base64
import email.parser
import email.policy
import hashlib
import http.client
import http.server
import io
import json
import os
import re
import signal
import struct
import sys
import tarfile
import threading
import time
import urllib.parse
import zipfile

lock = threading.RLock()


def reset():
    return {"pypi": {}, "npm": {}, "crates": {}, "uploads": {}, "requests": [], "rules": [], "count": 0,
            "spent": [], "minted": [], "tokens": ["secret-pypi", "secret-npm", "secret-crates"]}


state = reset()


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def stored(kind, key):
    uploads = state["uploads"]
    uploads[f"{kind} {key}"] = uploads.get(f"{kind} {key}", 0) + 1


def metadata_of(name, content):
    if name.endswith(".whl"):
        archive = zipfile.ZipFile(io.BytesIO(content))
        member = next(m for m in archive.namelist() if m.endswith(".dist-info/METADATA"))
        text = archive.read(member)
    else:
        archive = tarfile.open(fileobj=io.BytesIO(content))
        member = next(m for m in archive.getnames() if m.count("/") == 1 and m.endswith("/PKG-INFO"))
        text = archive.extractfile(member).read()
    return email.parser.BytesParser(policy=email.policy.compat32).parsebytes(text)


def form_of(head, body):
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(
        f"Content-Type: {head['content-type']}\r\n\r\n".encode() + body)
    fields, file = {}, None
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if name == "content":
            file = (part.get_filename(), content)
        else:
            fields.setdefault(name, []).append(content.decode())
    return fields, file


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", kind="application/json", headers=()):
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        self.send_response(status)
        for name, value in dict(headers).items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def token(self):
        """Returns the token of a request: basic, bearer or bare."""
        text = self.headers.get("authorization", "")
        if text.startswith("Basic "):
            return base64.b64decode(text[6:]).decode().partition(":")[2]
        return text.removeprefix("Bearer ")

    def handle_any(self):
        size = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(size)
        if self.path == "/_rules":
            with lock:
                for key, value in json.loads(body).items():
                    if key == "reset":
                        state.clear()
                        state.update(reset())
                    else:
                        state[key] = value
            return self.answer(200)
        if self.path == "/_state":
            with lock:
                hidden = {key: {name: {"sha256": row["sha256"]} for name, row in state["pypi"].items()}
                          for key in ["pypi"]}
                return self.answer(200, {**{k: v for k, v in state.items() if k not in ("pypi", "files")},
                                         **hidden}, headers={})
        with lock:
            rule = self.rule()
            if len(body) < size:
                state["requests"].append(f"{self.command} {self.path} incomplete")
                self.close_connection = True
                return None
            act = rule.get("act", "")
            if act == "kill-before":
                os.kill(rule["pid"], signal.SIGKILL)
                self.close_connection = True
                return None
            if "status" in rule:
                state["requests"].append(f"{self.command} {self.path} {rule['status']}")
                return self.answer(rule["status"], rule.get("body", {}), headers=rule.get("headers", {}))
            if act == "cut-before":
                self.close_connection = True
                return None
            self.stale = act == "stale"
            answer = self.route(body)
            state["requests"].append(f"{self.command} {self.path} {answer[0]}")
            if act == "kill-after":
                os.kill(rule["pid"], signal.SIGKILL)
            if act.endswith("-after"):
                self.close_connection = True
                return None
        return self.answer(*answer)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_any

    def rule(self):
        state["count"] += 1
        line = f"{self.command} {self.path}"
        for rule in state["rules"]:
            fits = rule["at"] == state["count"] if "at" in rule else line.startswith(rule["match"])
            if fits and rule.setdefault("times", 1) > 0:
                rule["times"] -= 1
                return rule
        return {}

    def route(self, body):
        path = urllib.parse.unquote(self.path)
        if path.startswith("/proxy/"):
            return self.proxy(body)
        if path.startswith("/_/oidc/") or path.startswith("/identity"):
            return self.identity(path, body)
        kind, _, rest = path.lstrip("/").partition("/")
        handler = {"pypi": self.pypi, "npm": self.npm, "crates": self.crates}.get(kind)
        return handler(rest, body) if handler else (404, {"error": "no such registry"})

    def proxy(self, body):
        port, _, rest = self.path.removeprefix("/proxy/").partition("/")
        connection = http.client.HTTPConnection("127.0.0.1", int(port))
        headers = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
        connection.request(self.command, "/" + rest, body, headers)
        got = connection.getresponse()
        content = got.read()
        if self.command in ("PUT", "POST") and got.status < 300:
            stored("proxy", f"{self.path} {hashlib.sha256(body).hexdigest()}")
        return got.status, content, got.getheader("content-type", "text/plain")

    def identity(self, path, body):
        """Identity tokens of a CI, each accepted once, and tokens in exchange for them."""
        if path.startswith("/identity"):
            if self.token() != "secret-request":
                return 401, {"message": "bad request token"}
            claims = base64.urlsafe_b64encode(json.dumps({"sub": "repo:me/demo", "aud": path.partition("audience=")[2],
                                                          "jti": len(state["minted"])}).encode()).decode().rstrip("=")
            token = f"secret-head.{claims}.secret-signature"
            state["minted"].append(token)
            return 200, {"value": token}
        if path.endswith("/audience"):
            return 200, {"audience": "pypi"}
        return self.mint(json.loads(body)["token"], "pypi")

    def mint(self, identity, kind):
        if identity not in state["minted"] or identity in state["spent"]:
            return 422, {"errors": [{"code": "invalid-payload", "description": "token was used before"}]}
        state["spent"].append(identity)
        state["tokens"].append(f"secret-minted-{kind}-{len(state['spent'])}")
        return 200, {"token": state["tokens"][-1], "expires": 0}

    def pypi(self, path, body):
        files = state["pypi"]
        if path.startswith("simple/"):
            project = path.removeprefix("simple/").strip("/")
            rows = [] if self.stale else [row for row in files.values() if row["project"] == project]
            if not rows:
                return 404, b"not found", "text/plain"
            base = f"http://{self.headers['host']}/pypi/files/"
            rows = [{"filename": row["name"], "url": base + row["name"], "hashes": {"sha256": row["sha256"]},
                     "size": len(base64.b64decode(row["content"])), "yanked": state.get("yanked", False),
                     "upload-time": state.get("upload-time", "2999-01-01T00:00:00Z")} for row in rows]
            page = {"meta": {"api-version": "1.1"}, "name": project, "files": rows}
            return 200, page, "application/vnd.pypi.simple.v1+json"
        if path.startswith("files/"):
            row = files.get(path.removeprefix("files/"))
            return (200, base64.b64decode(row["content"]), "application/octet-stream") if row else (404, b"")
        if self.token() not in state["tokens"]:
            return 403, b"<html><h1>403 Invalid or non-existent authentication</h1></html>", "text/html"
        fields, (name, content) = form_of(self.headers, body)
        own = metadata_of(name, content)
        sha256 = hashlib.sha256(content).hexdigest()
        wrong = None
        if fields.get("sha256_digest") != [sha256]:
            wrong = "The digest supplied does not match a digest calculated from the uploaded file."
        elif fields.get("name") != [own["Name"]] or fields.get("version") != [own["Version"]]:
            wrong = "Name or version of the form differ from the metadata."
        elif fields.get("requires_dist", []) != own.get_all("Requires-Dist", []):
            wrong = "Requirements differ from the metadata."
        elif fields.get("classifiers", []) != own.get_all("Classifier", []):
            wrong = "Classifiers differ from the metadata."
        elif fields.get("filetype") != ["bdist_wheel" if name.endswith(".whl") else "sdist"]:
            wrong = "Invalid file type."
        elif fields.get(":action") != ["file_upload"] or fields.get("protocol_version") != ["1"]:
            wrong = "Unknown protocol."
        elif name in files and files[name]["sha256"] == sha256:
            return 200, b"", "text/plain"
        elif name in files or any(row["sha256"] == sha256 for row in files.values()):
            wrong = "File already exists."
        if wrong:
            return 400, f"<html><body><h1>400 {wrong}</h1></body></html>".encode(), "text/html"
        files[name] = {"name": name, "project": normal(own["Name"]), "sha256": sha256,
                       "content": base64.b64encode(content).decode()}
        stored("pypi", name)
        return 200, b"", "text/plain"

    def npm(self, path, body):
        packages = state["npm"]
        if path.startswith("-/npm/v1/oidc/token/exchange/package/"):
            return self.mint(self.token(), "npm")
        if path.startswith("files/"):
            found = [row["_data"] for name in packages.values() for row in name["versions"].values()
                     if row["_file"] == path.removeprefix("files/")]
            return (200, base64.b64decode(found[0]), "application/octet-stream") if found else (404, {})
        if self.command == "GET":
            document = None if self.stale else packages.get(path)
            return (200, document) if document else (404, {"error": "not_found"})
        if self.token() not in state["tokens"]:
            return 401, {"error": "Unauthorized"}
        if path.startswith("-/package/"):
            name, _, tag = path.removeprefix("-/package/").partition("/dist-tags/")
            packages[name]["dist-tags"][tag] = json.loads(body)
            stored("npm-tag", f"{name}@{tag}")
            return 201, {"ok": True}
        sent = json.loads(body)
        (version, manifest), (file, attachment) = *sent["versions"].items(), *sent["_attachments"].items()
        data = base64.b64decode(attachment["data"])
        package = packages.setdefault(path, {"name": path, "dist-tags": {}, "versions": {}})
        integrity = "sha512-" + base64.b64encode(hashlib.sha512(data).digest()).decode()
        if manifest["dist"]["integrity"] != integrity or attachment["length"] != len(data) or \
                manifest["dist"]["shasum"] != hashlib.sha1(data).hexdigest():
            return 400, {"error": "the tarball differs from its digest"}
        if version in package["versions"]:
            return 403, {"error": f"You cannot publish over the previously published versions: {version}."}
        short = file.rpartition("/")[2]
        manifest["dist"]["tarball"] = f"http://{self.headers['host']}/npm/files/{short}"
        package["versions"][version] = {**manifest, "_data": attachment["data"], "_file": short}
        package["dist-tags"].update(sent["dist-tags"])
        stored("npm", f"{path}@{version}")
        return 201, {"ok": True}

    def crates(self, path, body):
        rows = state["crates"]
        host = f"http://{self.headers['host']}/crates"
        if path == "index/config.json":
            return 200, {"dl": f"{host}/files/{{crate}}-{{version}}.crate", "api": host}
        if path.startswith("files/"):
            row = rows.get(path.removeprefix("files/").removesuffix(".crate"))
            return (200, base64.b64decode(row["data"]), "application/octet-stream") if row else (404, b"")
        if path.startswith("index/"):
            name = path.rpartition("/")[2]
            found = [] if self.stale else [row["row"] for row in rows.values() if row["row"]["name"].lower() == name]
            lines = "".join(json.dumps(row) + "\n" for row in found)
            return (200, lines.encode(), "text/plain") if found else (404, b"", "text/plain")
        if path == "api/v1/trusted_publishing/tokens":
            return self.mint(json.loads(body)["jwt"], "crates")
        if self.token() not in state["tokens"]:
            return 403, {"errors": [{"detail": "authentication failed"}]}
        (size,) = struct.unpack_from("<I", body)
        sent = json.loads(body[4:4 + size])
        (length,) = struct.unpack_from("<I", body, 4 + size)
        data = body[8 + size:]
        key = f"{sent['name']}-{sent['vers']}"
        if len(data) != length:
            return 400, {"errors": [{"detail": "invalid length"}]}
        if key in rows:
            return 200, {"errors": [{"detail": f"crate version `{sent['vers']}` is already uploaded"}]}
        deps = [{"name": dep.get("explicit_name_in_toml") or dep["name"], "req": dep["version_req"],
                 "package": dep["name"] if dep.get("explicit_name_in_toml") else None,
                 **{key: dep.get(key) for key in ["features", "optional", "default_features", "target", "kind",
                                                  "registry"]}} for dep in sent["deps"]]
        known = {row["row"]["name"] for row in rows.values()}
        missing = [dep["name"] for dep in sent["deps"] if dep["kind"] != "dev" and dep["name"] not in known]
        if missing:
            return 400, {"errors": [{"detail": f"no known crate named `{missing[0]}`"}]}
        rows[key] = {"data": base64.b64encode(data).decode(), "row": {
            "name": sent["name"], "vers": sent["vers"], "deps": deps, "features": sent["features"],
            "cksum": hashlib.sha256(data).hexdigest(), "yanked": False, "links": sent["links"]}}
        stored("crates", key)
        return 200, {"warnings": {"invalid_categories": [], "invalid_badges": [], "other": []}}


def watch():
    """Ends the server when nobody has used it for ten minutes."""
    last = -1
    while state["count"] != last:
        last = state["count"]
        time.sleep(600)
    os._exit(0)


threading.Thread(target=watch, daemon=True).start()
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
