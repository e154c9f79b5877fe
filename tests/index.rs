//! Tests of indexes with their users: pip and uv, from files and from two servers; a browser;
//! killed processes; two writers.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests are a world of their own"
)]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

mod support;

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use support::wheels::WheelFile;
use support::{Sandbox, TestEnv, content, program};

/// A wheel whose module can be imported; `needs` are its requirements.
fn wheel(dir: &Path, name: &str, version: &str, needs: &[&str]) -> PathBuf {
    fs::create_dir_all(dir).unwrap();
    let needs: String = needs.iter().map(|need| format!("Requires-Dist: {need}\n")).collect();
    let module = format!("{}.py", name.to_lowercase());
    WheelFile::new(&format!("{name}-{version}-py3-none-any.whl"))
        .purelib()
        .text(&module, &format!("version = '{version}'\n"))
        .metadata(&format!("Summary: A wheel\nRequires-Python: >=3.8\n{needs}"))
        .write(dir)
}

/// Three versions of one project, of which the last is yanked, and a project that it requires.
fn site() -> Sandbox {
    let sandbox = Sandbox::new();
    let dist = sandbox.path().join("dist");
    for version in ["1.0", "1.1", "1.2"] {
        wheel(&dist, "demo", version, &["Other.Pkg>=2"]);
    }
    wheel(&dist, "Other.Pkg", "2.0+local.1", &[]);
    sandbox.expect(0, &["index", "build", "--out", "site"]);
    sandbox.expect(0, &["index", "yank", "demo==1.2", "--reason", "it <bites>", "-o", "site"]);
    sandbox
}

/// A server process that ends with the value.
struct Server(Child, String);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Server {
    /// Server of `wheelsmith index serve`, which prints its URL.
    fn ours(sandbox: &Sandbox) -> Self {
        let mut command = sandbox.command(&["index", "serve", "site"]);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self(child, line.trim().to_owned())
    }

    /// Python's server, which serves only files.
    fn plain(python: &Path, sandbox: &Sandbox) -> Self {
        let script = "import http.server, functools, sys\n\
             handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory='site')\n\
             server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler)\n\
             print(server.server_port, flush=True)\n\
             server.serve_forever()\n";
        let mut command = Command::new(python);
        command.args(["-c", script]).current_dir(sandbox.path());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self(child, format!("http://127.0.0.1:{}/simple/", line.trim()))
    }
}

/// Asserts which files each installer resolves and downloads from `url`.
fn check_installers(env: &TestEnv, sandbox: &Sandbox, url: &str, label: &str) {
    let stored = |name: &str| {
        let path = sandbox.path().join("dist").join(name);
        wheelsmith_core::name::Digest::of(fs::read(path).unwrap())
    };
    let requirements = format!(
        "demo==1.0 --hash=sha256:{}\nother-pkg==2.0+local.1 --hash=sha256:{}\n",
        stored("demo-1.0-py3-none-any.whl"),
        stored("Other.Pkg-2.0+local.1-py3-none-any.whl")
    );
    sandbox.write("requirements.txt", &requirements);
    let target = |what: &str| sandbox.path().join(format!("{label}-{what}"));
    let version = |dir: &Path| fs::read_to_string(dir.join("demo.py")).unwrap();
    let pip = |dir: &Path, args: &[&str]| {
        let mut command = Command::new(env.judge("python"));
        command.args(["-m", "pip", "--isolated", "--disable-pip-version-check", "install"]);
        command.args(["--no-cache-dir", "--index-url", url, "--target"]).arg(dir);
        content(command.args(args).current_dir(sandbox.path()))
    };
    let uv = |dir: &Path, args: &[&str]| {
        let mut command = Command::new(env.judge("uv"));
        command.args(["--no-config", "--no-cache", "pip", "install", "--default-index", url]);
        command.arg("--python").arg(env.judge("python")).arg("--target").arg(dir);
        content(command.args(args).current_dir(sandbox.path()))
    };
    // The newest that is not yanked, and what it needs.
    pip(&target("pip"), &["demo"]);
    assert!(version(&target("pip")).contains("1.1"));
    uv(&target("uv"), &["demo"]);
    assert!(version(&target("uv")).contains("1.1"));
    let hashed = ["--require-hashes", "-r", "requirements.txt"];
    pip(&target("pip-hashed"), &hashed);
    assert!(version(&target("pip-hashed")).contains("1.0"));
    uv(&target("uv-hashed"), &hashed);
    assert!(version(&target("uv-hashed")).contains("1.0"));
    let told = uv(&target("uv-yanked"), &["demo==1.2"]);
    assert!(told.stderr.contains("it <bites>"), "{}", told.stderr);
}

#[test]
fn installers_take_wheels_from_files_and_from_servers() {
    let Some(env) = TestEnv::find("installers_take_wheels") else { return };
    let Some(python) = env.get("judges/bin/python", "installers_take_wheels") else { return };
    let sandbox = site();
    let files = format!("file://{}/site/simple/", sandbox.path().display());
    check_installers(&env, &sandbox, &files, "files");
    let server = Server::plain(&python, &sandbox);
    check_installers(&env, &sandbox, &server.1, "plain");
    let server = Server::ours(&sandbox);
    check_installers(&env, &sandbox, &server.1, "ours");
}

/// Returns a file of the server, without its headers.
fn fetch(url: &str) -> Vec<u8> {
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    write!(stream, "GET /{path} HTTP/1.0\r\nHost: {host}\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|part| part == b"\r\n\r\n").unwrap();
    assert!(String::from_utf8_lossy(&answer[..end]).contains(" 200 "), "{url}");
    answer.split_off(end + 4)
}

/// Builds an index for each commit, and `latest`, which points to one of them.
#[test]
fn each_view_has_its_own_files_and_latest_leads_to_one() {
    const TEST: &str = "each_view_has_its_own_files";
    let Some(env) = TestEnv::find(TEST) else { return };
    let Some(python) = env.get("judges/bin/python", TEST) else { return };
    let sandbox = Sandbox::new();
    let add = |dist: &str, more: &[&str]| {
        let args = ["index", "build", "--out", "site", "--dir", dist];
        sandbox.expect(0, &[&args[..], more].concat());
    };
    // Two commits build the same version, with other content.
    for (dist, text) in [("one", "made = 'one'\n"), ("two", "made = 'two'\n")] {
        let dir = sandbox.path().join(dist);
        fs::create_dir_all(&dir).unwrap();
        WheelFile::new("demo-1.0-py3-none-any.whl").purelib().text("demo.py", text).write(&dir);
    }
    add("one", &["--view", "commit/1a", "--latest"]);
    add("two", &["--view", "commit/2b"]);
    let server = Server::ours(&sandbox);
    let address = server.1.strip_suffix("/simple/").unwrap();
    let mut number = 0;
    let mut installed = |place: &str| {
        number += 1;
        let target = sandbox.path().join(format!("target-{number}"));
        let mut pip = Command::new(&python);
        pip.args(["-m", "pip", "--isolated", "--disable-pip-version-check", "install"]);
        pip.args(["--no-cache-dir", "--index-url", &format!("{address}/{place}/simple/")]);
        content(pip.arg("--target").arg(&target).arg("demo"));
        fs::read_to_string(target.join("demo.py")).unwrap()
    };
    assert_eq!(installed("commit/1a"), "made = 'one'\n");
    assert_eq!(installed("commit/2b"), "made = 'two'\n");
    assert_eq!(installed("latest"), "made = 'one'\n");
    sandbox.expect(0, &["index", "latest", "commit/2b", "--out", "site"]);
    assert_eq!(installed("latest"), "made = 'two'\n");
    let pointer = String::from_utf8(fetch(&format!("{address}/latest.json"))).unwrap();
    assert!(pointer.contains("\"view\":\"commit/2b\""), "{pointer}");
    // The view behind `latest` stays; another view is removed, with its files.
    let remove = ["index", "remove", "--all", "--out", "site", "--view"];
    sandbox.expect(2, &[&remove[..], &["commit/2b"]].concat());
    sandbox.expect(0, &[&remove[..], &["commit/1a"]].concat());
    sandbox.expect(0, &["index", "verify", "site"]);
    assert!(!sandbox.path().join("site/commit/1a").exists());
}

/// A provenance file is beside its wheel, under the URL that the page gives (PEP 740).
#[test]
fn provenance_is_served_under_its_url() {
    let sandbox = Sandbox::new();
    let path = wheel(&sandbox.path().join("dist"), "demo", "1.0", &[]);
    let provenance = "{\"version\": 1, \"attestation_bundles\": []}";
    fs::write(format!("{}.provenance", path.display()), provenance).unwrap();
    sandbox.expect(0, &["index", "build", "--out", "site"]);
    let server = Server::ours(&sandbox);
    let address = server.1.strip_suffix("simple/").unwrap();
    sandbox.expect(0, &["index", "build", "--out", "site", "--site-url", address]);
    let page = String::from_utf8(fetch(&format!("{address}simple/demo/index.html"))).unwrap();
    let url = page.split_once("data-provenance=\"").unwrap().1.split('"').next().unwrap();
    assert_eq!(fetch(url), provenance.as_bytes());
    let page: serde_json::Value =
        serde_json::from_slice(&fetch(&format!("{address}simple/demo/index.json"))).unwrap();
    assert_eq!(page["files"][0]["provenance"], url);
}

/// Opens a page as wide as a phone and as a desktop screen, in light and in dark mode.
const LOOK: &str = r#"<!doctype html><meta charset="utf-8"><body><script>
const problems = [];
// Relative luminance (WCAG 2).
const brightness = (color) => color.match(/\d+/g).slice(0, 3)
  .map((n) => n / 255).map((c) => c <= 0.04 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
  .reduce((sum, c, at) => sum + c * [0.2126, 0.7152, 0.0722][at], 0);
function measure(doc, width) {
  const say = (text) => problems.push(`${width}: ${text}`);
  const wide = doc.documentElement.scrollWidth;
  if (wide > width) say(`it is ${wide} wide`);
  const view = doc.defaultView;
  const ground = view.getComputedStyle(doc.body).backgroundColor;
  if (ground === "rgba(0, 0, 0, 0)") say("it has no style");
  else if ((brightness(ground) < 0.2) !== dark) say(`it is ${ground} where dark is ${dark}`);
  for (const part of doc.querySelectorAll("a, h1, h2, p, dt, dd, summary, code, button, .badge")) {
    let behind = part, back = "rgba(0, 0, 0, 0)";
    while (behind && back === "rgba(0, 0, 0, 0)") {
      back = view.getComputedStyle(behind).backgroundColor;
      behind = behind.parentElement;
    }
    const pair = [view.getComputedStyle(part).color, back].map(brightness);
    pair.sort((a, b) => b - a);
    const contrast = (pair[0] + 0.05) / (pair[1] + 0.05);
    if (contrast < 4.5) say(`${part.tagName} ${part.textContent.slice(0, 20)} has contrast ${contrast}`);
    const box = part.getBoundingClientRect();
    if (box.right > width + 1) say(`${part.tagName} ${part.textContent.slice(0, 20)} sticks out`);
    if (part.tagName === "A" && box.height < 24) say(`the link ${part.textContent} is too low`);
  }
  if (!doc.querySelector("a")) say("there is no link");
  if (!doc.body.innerText.includes("pip install")) say("it does not say how to install");
}
const dark = matchMedia("(prefers-color-scheme: dark)").matches;
let left = 0;
for (const page of PAGES) for (const width of [360, 1280]) {
  left += 1;
  const frame = document.createElement("iframe");
  frame.style = `width:${width}px;height:900px;border:0`;
  frame.onload = () => {
    try { measure(frame.contentDocument, width); } catch (error) { problems.push(String(error)); }
    left -= 1;
    if (left === 0) document.title = `looked: ${dark} ${JSON.stringify(problems)}`;
  };
  frame.src = page;
  document.body.append(frame);
}
</script>"#;

#[test]
fn pages_are_right_in_a_browser() {
    let Some(env) = TestEnv::find("pages_are_right_in_a_browser") else { return };
    let Some(browser) = env.get("tools/chromium", "pages_are_right_in_a_browser") else { return };
    let sandbox = site();
    let status =
        ["index", "status", "demo", "deprecated", "--reason", "use other-pkg", "-o", "site"];
    sandbox.expect(0, &status);
    let view = ["--view", "commit/1f3e5d", "--latest"];
    sandbox.expect(0, &[&["index", "build", "--out", "site"], &view[..]].concat());
    // A page may look at another one only when both come from one server.
    let pages = "[\"/simple/\", \"/simple/demo/\", \"/simple/other-pkg/\", \
                 \"/commit/1f3e5d/simple/demo/\", \"/latest/simple/\"]";
    sandbox.write("site/look.html", &LOOK.replace("PAGES", pages));
    let server = Server::ours(&sandbox);
    let address = server.1.strip_suffix("/simple/").unwrap();
    for dark in [false, true] {
        let mut command = Command::new(&browser);
        command
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"])
            .args(["--enable-logging=stderr", "--virtual-time-budget=20000", "--dump-dom"])
            .arg(format!("--user-data-dir={}", sandbox.path().join("profile").display()));
        if dark {
            command.arg("--blink-settings=preferredColorScheme=0");
        }
        let output = command.arg(format!("{address}/look.html")).output().unwrap();
        let seen = String::from_utf8_lossy(&output.stdout);
        let said = String::from_utf8_lossy(&output.stderr);
        let title =
            seen.split_once("<title>looked: ").and_then(|(_, rest)| rest.split_once("</title>"));
        let (problems, _) = title.unwrap_or_else(|| panic!("nobody looked: {said}\n{seen}"));
        assert_eq!(problems, format!("{dark} []"));
        let console: Vec<&str> = said.lines().filter(|line| line.contains(":CONSOLE")).collect();
        assert!(console.is_empty(), "{console:#?}");
    }
}

/// The run after a killed process completes its work, at whatever moment it was killed.
#[test]
#[cfg(unix)]
fn a_killed_build_is_taken_up_again() {
    let sandbox = Sandbox::new();
    let dist = sandbox.path().join("dist");
    for number in 0..60 {
        wheel(&dist, &format!("demo{number}"), "1.0", &[]);
    }
    let start = std::time::Instant::now();
    sandbox.expect(0, &["index", "build", "--out", "whole"]);
    let whole = start.elapsed();
    let expected = published(&sandbox.path().join("whole"));
    let rounds = 12;
    for round in 0..rounds {
        let mut child = sandbox
            .command(&["index", "build", "--out", "site"])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(whole * round / rounds);
        // SIGKILL.
        child.kill().unwrap();
        child.wait().unwrap();
        if sandbox.path().join("site/wheelsmith-index.json").exists() {
            // Pages may be missing, and never wrong about a file.
            let faults = sandbox.run(&["index", "verify", "site", "--format", "json"]);
            let faults: serde_json::Value = serde_json::from_str(&faults.stdout).unwrap();
            for fault in faults["faults"].as_array().unwrap() {
                assert!(!fault["path"].as_str().unwrap().starts_with("files/"), "{fault}");
            }
        }
        if round % 4 == 3 {
            sandbox.expect(0, &["index", "build", "--out", "site"]);
            sandbox.expect(0, &["index", "verify", "site"]);
            assert!(published(&sandbox.path().join("site")) == expected);
            fs::remove_dir_all(sandbox.path().join("site")).unwrap();
        }
    }
}

/// Returns every public file, sorted.
fn published(site: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let (mut files, mut dirs) = (Vec::new(), vec![site.to_owned()]);
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with(".wheelsmith") {
                dirs.push(path);
            } else if path.is_file() {
                let name = path.strip_prefix(site).unwrap().to_owned();
                files.push((name, fs::read(&path).unwrap()));
            }
        }
    }
    files.sort();
    files
}

#[test]
fn two_writers_wait_for_each_other() {
    let sandbox = Sandbox::new();
    let runs: Vec<Child> = (0..4)
        .map(|number| {
            let dist = format!("dist{number}");
            let dir = sandbox.path().join(&dist);
            for part in 0..10 {
                wheel(&dir, &format!("demo{number}x{part}"), "1.0", &[]);
            }
            let mut command = Command::new(program());
            command.args(["index", "build", "--out", "site", "--dir", &dist]);
            command.current_dir(sandbox.path()).stdout(Stdio::null()).spawn().unwrap()
        })
        .collect();
    for mut run in runs {
        assert!(run.wait().unwrap().success());
    }
    sandbox.expect(0, &["index", "verify", "site"]);
    let root = fs::read_to_string(sandbox.path().join("site/simple/index.html")).unwrap();
    assert_eq!(root.matches("<a href").count(), 40);
}
