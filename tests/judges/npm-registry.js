"use strict";

// A registry for npm clients: serves the tarballs of a directory on a free port of the loopback
// interface, and prints the port. Documents have `libc` in both forms.
//
//   node npm-registry.js DIR

const crypto = require("node:crypto");
const fs = require("node:fs");
const http = require("node:http");
const path = require("node:path");
const zlib = require("node:zlib");

const dir = process.argv[2];
const documents = {};
const port = () => server.address().port;

// Returns the first file of an npm tarball, which is its package.json.
function manifest(tarball) {
  const tar = zlib.gunzipSync(tarball);
  const name = tar.toString("latin1", 0, 100).replace(/\0.*$/, "");
  if (name !== "package/package.json") {
    throw new Error(`${name} comes first`);
  }
  const size = parseInt(tar.toString("latin1", 124, 136), 8);
  return JSON.parse(tar.toString("utf8", 512, 512 + size));
}

const server = http.createServer((request, response) => {
  const url = decodeURIComponent(request.url.split("?")[0]).slice(1);
  if (url.startsWith("files/")) {
    response.end(fs.readFileSync(path.join(dir, path.basename(url))));
    return;
  }
  const document = documents[url];
  response.writeHead(document ? 200 : 404, { "content-type": "application/json" });
  response.end(JSON.stringify(document || { error: "not found" }));
});

server.listen(0, "127.0.0.1", () => {
  for (const file of fs.readdirSync(dir).filter((name) => name.endsWith(".tgz"))) {
    const tarball = fs.readFileSync(path.join(dir, file));
    const found = manifest(tarball);
    const integrity = `sha512-${crypto.createHash("sha512").update(tarball).digest("base64")}`;
    const shasum = crypto.createHash("sha1").update(tarball).digest("hex");
    found.dist = { tarball: `http://127.0.0.1:${port()}/files/${file}`, integrity, shasum };
    found._id = `${found.name}@${found.version}`;
    documents[found.name] = {
      name: found.name,
      "dist-tags": { latest: found.version },
      versions: { [found.version]: found },
      time: { [found.version]: "2020-01-01T00:00:00.000Z" },
    };
  }
  console.log(port());
});
