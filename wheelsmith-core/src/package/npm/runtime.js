"use strict";

// Finds the package with the files for the running platform. Written by wheelsmith.

const fs = require("node:fs");
const path = require("node:path");

const own = "{{name}}";
const version = "{{version}}";
const packages = [/* packages */];

// Returns the C library of the running process. The installed packages do not tell it: some
// package managers install those for both libraries.
function libc() {
  if (process.platform !== "linux") {
    return {};
  }
  const report = diagnosticReport();
  const glibc = report && report.header && report.header.glibcVersionRuntime;
  if (glibc) {
    return { name: "glibc", version: glibc };
  }
  if (report && report.header && !process.versions.bun) {
    return { name: "musl" };
  }
  // Other runtimes than Node.js may have no report: the text of `ldd` names the library.
  let ldd = "";
  try {
    ldd = fs.readFileSync("/usr/bin/ldd", "latin1");
  } catch {
    // Distributions with musl may have no `ldd`.
    return { name: fs.existsSync("/etc/alpine-release") ? "musl" : "glibc" };
  }
  return { name: ldd.includes("musl") ? "musl" : "glibc" };
}

function diagnosticReport() {
  if (!process.report || !process.report.getReport) {
    return null;
  }
  // Without this, the report resolves the names of all network peers.
  const old = process.report.excludeNetwork;
  process.report.excludeNetwork = true;
  try {
    const report = process.report.getReport();
    return typeof report === "string" ? JSON.parse(report) : report;
  } finally {
    process.report.excludeNetwork = old;
  }
}

function isOlder(version, than) {
  const [a, b] = [version, than].map((text) => text.split(".").map(Number));
  return a[0] !== b[0] ? a[0] < b[0] : a[1] < b[1];
}

let found;

// Returns the row of the platform's package, with its directory.
function find() {
  if (found) {
    return found;
  }
  const running = libc();
  const platform = [process.platform, process.arch, running.name].filter(Boolean).join(" ");
  const row = packages.find(
    (row) =>
      row.os === process.platform &&
      row.cpu.includes(process.arch) &&
      (!row.libc || row.libc === running.name),
  );
  if (!row) {
    const known = packages.map((row) => row.target).join(", ");
    throw new Error(`${own} has no package for ${platform}; it has packages for ${known}`);
  }
  if (row.glibc && running.version && isOlder(running.version, row.glibc)) {
    throw new Error(
      `${row.name} (${row.target}) needs glibc ${row.glibc} or newer; this system has ${running.version}`,
    );
  }
  let manifest;
  try {
    manifest = require.resolve(`${row.name}/package.json`);
  } catch {
    throw new Error(
      `${row.name}, the package of ${own} for ${platform} (${row.target}), is not installed. ` +
        "Optional dependencies may be switched off, or the lock file may come from another platform: " +
        `run \`npm install ${row.name}@${version}\`, or remove \`node_modules\` and the lock file and install again`,
    );
  }
  const installed = JSON.parse(fs.readFileSync(manifest, "utf8")).version;
  if (installed !== version) {
    throw new Error(`${own} ${version} needs ${row.name} ${version}; ${installed} is installed`);
  }
  found = { ...row, dir: path.dirname(manifest) };
  return found;
}

// Returns the path of a file of the platform's package, such as `lib/libdemo.so.1`.
function file(name) {
  const { dir, name: owner } = find();
  const place = path.join(dir, name);
  if (!fs.existsSync(place)) {
    throw new Error(`${owner} has no file ${name}`);
  }
  return place;
}

// Loads the addon `name`, or the only one.
function addon(name) {
  const { addons, name: owner } = find();
  const wanted = name ? addons.find((path) => path === name || path === `node/${name}`) : addons[0];
  if (!wanted || (!name && addons.length > 1)) {
    throw new Error(`${owner} has ${addons.length ? `the addons ${addons.join(", ")}` : "no addon"}`);
  }
  return require(file(wanted));
}

// Returns the path of the program of a command.
function program(command) {
  const { programs, name: owner } = find();
  if (!Object.hasOwnProperty.call(programs, command)) {
    throw new Error(`${owner} has no program for ${command}`);
  }
  return file(programs[command]);
}

// Runs the program of a command in place of this process, as far as Node.js can.
function run(command) {
  const fail = (error) => {
    console.error(`${command}: ${error.message}`);
    process.exit(127);
  };
  let place;
  try {
    place = program(command);
  } catch (error) {
    fail(error);
  }
  const { spawn } = require("node:child_process");
  let child;
  // Before the program starts: whoever sees it running may send a signal at once.
  for (const signal of ["SIGHUP", "SIGINT", "SIGTERM"]) {
    process.on(signal, () => {
      // A terminal sends Ctrl-C to the child as well.
      if (signal !== "SIGINT" || !process.stdin.isTTY) {
        child.kill(signal);
      }
    });
  }
  child = spawn(place, process.argv.slice(2), { stdio: "inherit" });
  child.on("error", fail);
  child.on("exit", (code, signal) => {
    if (signal) {
      process.removeAllListeners(signal);
      process.kill(process.pid, signal);
    } else {
      process.exitCode = code;
    }
  });
}

module.exports = { addon, file, find, program, run };
