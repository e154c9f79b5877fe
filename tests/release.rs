//! Tests of plans and publications against registries on the loopback interface: fakes that judge as
//! the public ones do, pypiserver, devpi, verdaccio; pip, uv, npm and cargo install what was published.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "tests are a world of their own"
)]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::wheels::WheelFile;
use support::{Run, Sandbox, TestEnv, content, repository};

/// Secrets of the fake. No output contains them.
const TOKENS: [(&str, &str); 3] = [
    ("UV_PUBLISH_TOKEN", "secret-pypi"),
    ("NPM_TOKEN", "secret-npm"),
    ("CARGO_REGISTRY_TOKEN", "secret-crates"),
];

/// Server that ends with the value.
struct Server(Child, u16);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

impl Server {
    /// Starts the fake registries.
    fn fake() -> Self {
        let mut child = Command::new("python3")
            .arg(repository().join("tests/fakes/registries.py"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self(child, line.trim().parse().unwrap())
    }

    /// Starts a server and waits until it answers at `path`.
    fn start(command: &mut Command, port: u16, path: &str) -> Self {
        let log = Stdio::null;
        let server = Self(command.stdout(log()).stderr(log()).spawn().unwrap(), port);
        let start = Instant::now();
        while http(port, "GET", path, "").is_none_or(|(status, _)| status >= 500) {
            assert!(start.elapsed() < Duration::from_mins(2), "the server does not start");
            std::thread::sleep(Duration::from_millis(100));
        }
        server
    }

    fn rules(&self, rules: &Value) {
        http(self.1, "POST", "/_rules", &rules.to_string()).unwrap();
    }

    fn state(&self) -> Value {
        serde_json::from_str(&http(self.1, "GET", "/_state", "").unwrap().1).unwrap()
    }

    /// Returns how often each file was accepted.
    fn uploads(&self) -> BTreeMap<String, u64> {
        serde_json::from_value(self.state()["uploads"].clone()).unwrap()
    }

    /// Returns the number of requests that change something.
    fn changes(&self) -> usize {
        let requests = self.state()["requests"].as_array().unwrap().clone();
        requests.iter().filter(|line| !line.as_str().unwrap().starts_with("GET ")).count()
    }
}

/// Sends a request with a JSON body, and returns the status and the body.
fn http(port: u16, method: &str, path: &str, body: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
    .ok()?;
    let mut text = Vec::new();
    stream.read_to_end(&mut text).ok()?;
    let text = String::from_utf8_lossy(&text).into_owned();
    let (head, body) = text.split_once("\r\n\r\n")?;
    Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
}

/// Writes a gzip'd tar of these files, with Python, whose writer is not ours.
fn tarball(path: &Path, files: &[(&str, String)]) {
    let script = "import io, json, sys, tarfile\n\
        tar = tarfile.open(sys.argv[1], 'w:gz')\n\
        for name, text in json.load(sys.stdin):\n    \
            info = tarfile.TarInfo(name)\n    \
            data = text.encode()\n    \
            info.size = len(data)\n    \
            tar.addfile(info, io.BytesIO(data))\n\
        tar.close()\n";
    let mut command = Command::new("python3");
    let mut child = command.args(["-c", script]).arg(path).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(json!(files).to_string().as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
}

fn npm(dir: &Path, name: &str, version: &str, more: &Value) {
    let mut manifest =
        json!({ "name": name, "version": version, "license": "MIT", "main": "index.js" });
    for (key, value) in more.as_object().unwrap() {
        manifest[key] = value.clone();
    }
    let file = format!("{}-{version}.tgz", name.trim_start_matches('@').replace('/', "-"));
    let index = format!("module.exports = '{name}'\n");
    let files = [("package/package.json", manifest.to_string()), ("package/index.js", index)];
    tarball(&dir.join(file), &files);
}

fn krate(dir: &Path, name: &str, version: &str, dependencies: &str, code: &str) {
    let manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"{version}\"\nedition = \"2021\"\nlicense = \"MIT\"\n\
         description = \"a\"\nreadme = \"README.md\"\n{dependencies}"
    );
    let top = format!("{name}-{version}");
    let [manifest_path, code_path, readme_path] =
        ["Cargo.toml", "src/lib.rs", "README.md"].map(|file| format!("{top}/{file}"));
    let files = [
        (&*manifest_path, manifest),
        (&*code_path, code.to_owned()),
        (&*readme_path, "# a\n".into()),
    ];
    tarball(&dir.join(format!("{top}.crate")), &files);
}

/// Five wheels, a source distribution, three npm packages and three crates of version 1.0.0.
fn packages(dir: &Path) {
    fs::create_dir_all(dir).unwrap();
    for (name, needs) in [("zz-demo", "Requires-Dist: zz-demo-core\n"), ("zz-demo-core", "")] {
        let escaped = name.replace('-', "_");
        let headers = format!(
            "Summary: A package\nRequires-Python: >=3.8\n{needs}Description-Content-Type: text/plain\n"
        );
        let module = format!("{escaped}.py");
        let file = format!("{escaped}-1.0.0-py3-none-any.whl");
        WheelFile::new(&file).purelib().text(&module, "x = 1\n").metadata(&headers).write(dir);
    }
    for (target, native) in [
        ("manylinux_2_17_x86_64", "x86_64"),
        ("musllinux_1_2_x86_64", "x86_64"),
        ("win_amd64", "win"),
    ] {
        let file = format!("zz_demo_bin-1.0.0-py3-none-{target}.whl");
        let text = format!("{native} {target}");
        let wheel = WheelFile::new(&file).text("zz_demo_bin/__init__.py", &text);
        wheel.metadata("Summary: Programs\nRequires-Python: >=3.8\n").write(dir);
    }
    let info = "Metadata-Version: 2.2\nName: zz-demo\nVersion: 1.0.0\nSummary: A package\nRequires-Python: >=3.8\nRequires-Dist: zz-demo-core\n\nA description.\n";
    let project = "[build-system]\nrequires = []\nbuild-backend = \"zz\"\n[project]\nname = \"zz-demo\"\nversion = \"1.0.0\"\n";
    let files = [
        ("zz_demo-1.0.0/PKG-INFO", info.to_owned()),
        ("zz_demo-1.0.0/pyproject.toml", project.to_owned()),
        ("zz_demo-1.0.0/zz_demo.py", "x = 1\n".to_owned()),
    ];
    tarball(&dir.join("zz_demo-1.0.0.tar.gz"), &files);
    let platform = |os: &str| json!({ "os": [os], "cpu": ["x64"] });
    npm(dir, "@zz/linux", "1.0.0", &platform("linux"));
    npm(dir, "@zz/darwin", "1.0.0", &platform("darwin"));
    let optional =
        json!({ "optionalDependencies": { "@zz/linux": "1.0.0", "@zz/darwin": "1.0.0" } });
    npm(dir, "@zz/demo", "1.0.0", &optional);
    krate(dir, "zz-leaf", "1.0.0", "", "pub const LEAF: i32 = 40;\n");
    let leaf = "[dependencies.zz-leaf]\nversion = \"=1.0.0\"\n";
    krate(dir, "zz-middle", "1.0.0", leaf, "pub use zz_leaf::LEAF;\n");
    let middle = "[dependencies.renamed]\nversion = \"1\"\npackage = \"zz-middle\"\n";
    krate(dir, "zz-top", "1.0.0", middle, "pub fn top() -> i32 {\n    renamed::LEAF + 2\n}\n");
}

/// A project whose destination `local` is the fake.
struct Project {
    sandbox: Sandbox,
    fake: Server,
}

impl Project {
    fn new() -> Self {
        let (sandbox, fake) = (Sandbox::new(), Server::fake());
        packages(&sandbox.path().join("dist"));
        let port = fake.1;
        sandbox.write("wheelsmith.toml", &configuration(port));
        Self { sandbox, fake }
    }

    fn ours(&self, args: &[&str]) -> Run {
        let mut command = self.sandbox.command(args);
        let run = Run::of(command.envs(TOKENS));
        for text in [&run.stdout, &run.stderr] {
            assert!(!text.contains("secret-"), "a secret is printed:\n{text}");
        }
        run
    }

    fn plan(&self) -> Run {
        self.ours(&["plan", "--as", "1.0.0", "--to", "local", "-o", "plan.json"])
    }

    fn publish(&self, more: &[&str]) -> Run {
        self.ours(&[&["publish", "--plan", "plan.json"], more].concat())
    }

    /// Asserts that the registries have every file, and accepted each once.
    fn assert_complete(&self) {
        let uploads = self.fake.uploads();
        assert_eq!(uploads.len(), 6 + 3 + 3 + 3, "{uploads:#?}");
        assert!(uploads.values().all(|count| *count == 1), "{uploads:#?}");
        let before = self.fake.changes();
        self.publish(&[]).expect(0).answers(&["0 published", "complete"]);
        assert_eq!(self.fake.changes(), before, "a further run sends something");
        for file in ["plan.json", "plan.json.ledger.jsonl"] {
            let text = fs::read_to_string(self.sandbox.path().join(file)).unwrap();
            assert!(!text.contains("secret-"), "{file} contains a secret");
        }
    }
}

fn configuration(port: u16) -> String {
    format!(
        "[tool.wheelsmith.check]\nindex = \"private\"\n\
         [tool.wheelsmith.release.local]\n\
         pypi = {{ upload = \"http://127.0.0.1:{port}/pypi/legacy/\", simple = \"http://127.0.0.1:{port}/pypi/simple/\" }}\n\
         npm = {{ registry = \"http://127.0.0.1:{port}/npm/\" }}\n\
         crates = {{ index = \"sparse+http://127.0.0.1:{port}/crates/index/\" }}\n"
    )
}

#[test]
fn a_release_is_planned_published_and_installed() {
    let project = Project::new();
    let plan = project.plan().expect(0);
    plan.answers(&["crates:zz-leaf@1.0.0", "npm-tag:@zz/demo@latest"]);
    let text = fs::read_to_string(project.sandbox.path().join("plan.json")).unwrap();
    let at = |id: &str| text.find(&format!("\"id\": \"{id}\"")).unwrap_or_else(|| panic!("{id}"));
    for (first, then) in [
        ("crates:zz-leaf@1.0.0", "crates:zz-middle@1.0.0"),
        ("crates:zz-middle@1.0.0", "crates:zz-top@1.0.0"),
        ("npm:@zz/linux@1.0.0", "npm:@zz/demo@1.0.0"),
        ("npm:@zz/darwin@1.0.0", "npm:@zz/demo@1.0.0"),
        ("pypi:zz_demo_core-1.0.0-py3-none-any.whl", "pypi:zz_demo-1.0.0-py3-none-any.whl"),
        ("pypi:zz_demo-1.0.0-py3-none-any.whl", "pypi:zz_demo-1.0.0.tar.gz"),
        ("pypi:zz_demo-1.0.0.tar.gz", "npm-tag:@zz/demo@latest"),
    ] {
        assert!(at(first) < at(then), "{first} comes after {then}");
    }
    // The same state gives the same plan.
    project.plan().expect(0);
    assert_eq!(fs::read_to_string(project.sandbox.path().join("plan.json")).unwrap(), text);
    project.publish(&["--dry-run"]).expect(0).answers(&["would be sent", "nothing was sent"]);
    assert_eq!(project.fake.changes(), 0);
    project.publish(&["--only", "npm"]).expect(0).answers(&[
        "3 published",
        "not selected by `--only`",
        "the selected steps are complete",
    ]);
    project.publish(&[]).expect(0).answers(&["complete"]);
    project.assert_complete();
    let state = project.fake.state();
    assert_eq!(
        state["npm"]["@zz/demo"]["dist-tags"],
        json!({ "latest": "1.0.0", "next": "1.0.0" })
    );
    install(&project);
    // The plan of the old version leaves the tag of a newer one, and says so; also what was yanked.
    let newer = project.sandbox.path().join("newer");
    fs::create_dir(&newer).unwrap();
    npm(&newer, "@zz/linux", "1.1.0", &json!({}));
    let args = ["--dir", "newer", "--as", "1.1.0", "--to", "local", "-o", "newer.json"];
    let plan = project.ours(&[&["plan"], &args[..]].concat()).expect(0);
    plan.answers(&["access public"]);
    project.ours(&["publish", "--plan", "newer.json"]).expect(0);
    project.fake.rules(&json!({ "yanked": true }));
    let stays = "npm-tag:@zz/linux@latest  present, but it stays at 1.1.0, which is newer";
    let expected = [stays, "zz_demo-1.0.0.tar.gz  present, but yanked"];
    project.publish(&[]).expect(0).answers(&expected);
    project.plan().expect(0).answers(&expected);
    let state = project.fake.state();
    assert_eq!(state["npm"]["@zz/linux"]["dist-tags"]["latest"], "1.1.0");
}

#[test]
fn wheels_that_need_each_other_come_before_others() {
    let project = Project::new();
    let dir = project.sandbox.path().join("circle");
    for (name, needs) in [("aa_user", "yy-one"), ("yy_one", "zz-two"), ("zz_two", "yy-one")] {
        let headers =
            format!("Summary: A package\nRequires-Python: >=3.8\nRequires-Dist: {needs}\n");
        let file = format!("{name}-1.0.0-py3-none-any.whl");
        let wheel = WheelFile::new(&file).purelib().text(&format!("{name}.py"), "x = 1\n");
        fs::create_dir_all(&dir).unwrap();
        wheel.metadata(&headers).write(&dir);
    }
    let plan = project.ours(&["plan", "--dir", "circle", "--as", "1.0.0", "--to", "local"]);
    let plan = plan.expect(0).stdout;
    let at = |name: &str| plan.find(name).unwrap();
    assert!(at("yy_one") < at("aa_user") && at("zz_two") < at("aa_user"), "{plan}");
}

/// Installs what was published with pip, uv, npm and cargo.
fn install(project: &Project) {
    let Some(env) = TestEnv::find("a_release_is_planned_published_and_installed") else { return };
    let (dir, port) = (project.sandbox.path(), project.fake.1);
    let index = format!("http://127.0.0.1:{port}/pypi/simple/");
    let digest = |name: &str| {
        wheelsmith_core::name::Digest::of(fs::read(dir.join("dist").join(name)).unwrap())
            .to_string()
    };
    let requirements: String = ["zz-demo", "zz-demo-core"]
        .iter()
        .map(|name| {
            let file = format!("{}-1.0.0-py3-none-any.whl", name.replace('-', "_"));
            format!("{name}==1.0.0 --hash=sha256:{}\n", digest(&file))
        })
        .collect();
    fs::write(dir.join("requirements.txt"), requirements).unwrap();
    let args = ["--require-hashes", "-r", "requirements.txt", "--index-url", &index, "--target"];
    if env.get("judges/bin/pip", "installing with pip").is_some() {
        let mut pip = Command::new(env.judge("python"));
        pip.args(["-m", "pip", "install", "--no-cache-dir"]).args(args).arg("pip");
        content(pip.current_dir(dir).env("PIP_CONFIG_FILE", "/dev/null"));
        let mut uv = Command::new(env.judge("uv"));
        uv.args(["pip", "install", "--no-cache", "--no-config"]).args(args).arg("uv");
        content(uv.current_dir(dir));
        assert!(dir.join("uv/zz_demo_core.py").exists() && dir.join("pip/zz_demo.py").exists());
    }
    fs::create_dir(dir.join("node")).unwrap();
    let registry = format!("--registry=http://127.0.0.1:{port}/npm/");
    if Command::new("npm").arg("--version").output().is_ok() {
        let mut npm = Command::new("npm");
        npm.args(["install", "@zz/demo", &registry, "--no-audit", "--no-fund", "--prefix", "."]);
        content(npm.current_dir(dir.join("node")).env("HOME", dir));
        assert!(dir.join("node/node_modules/@zz/linux/index.js").exists());
        assert!(!dir.join("node/node_modules/@zz/darwin").exists());
    }
    let index = format!("sparse+http://127.0.0.1:{port}/crates/index/");
    let files = [
        ("user/Cargo.toml", "[package]\nname = \"user\"\nversion = \"1.0.0\"\nedition = \"2021\"\n[workspace]\n[dependencies]\nzz-top = { version = \"1\", registry = \"fake\" }\n".to_owned()),
        ("user/src/main.rs", "fn main() {\n    assert_eq!(zz_top::top(), 42);\n}\n".to_owned()),
        ("user/.cargo/config.toml", format!("[registries.fake]\nindex = \"{index}\"\n[source.crates-io]\nreplace-with = \"fake\"\n[source.fake]\nregistry = \"{index}\"\n")),
    ];
    for (path, text) in files {
        project.sandbox.write(path, &text);
    }
    let mut cargo = Command::new("cargo");
    let cargo = cargo.args(["run", "--quiet"]).current_dir(dir.join("user"));
    content(cargo.env("CARGO_HOME", dir.join("cargo")).env_remove("CARGO_TARGET_DIR"));
}

#[test]
fn faults_are_found_before_the_first_byte() {
    let project = Project::new();
    let dist = project.sandbox.path().join("dist");
    let check = |parts: &[&str]| {
        project.plan().expect(1).says(parts);
        assert_eq!(project.fake.changes(), 0);
    };
    // Another version, a missing platform package, a private package, a file that is no wheel.
    npm(&dist, "@zz/other", "1.0.1", &json!({}));
    npm(&dist, "@zz/hidden", "1.0.0", &json!({ "private": true }));
    fs::rename(dist.join("zz-darwin-1.0.0.tgz"), project.sandbox.path().join("away")).unwrap();
    fs::write(dist.join("zz_text-1.0.0-py3-none-any.whl"), "text").unwrap();
    krate(&dist, "zz-path", "1.0.0", "[dependencies.zz-leaf]\npath = \"../leaf\"\n", "");
    check(&["zz-other-1.0.1.tgz` is version 1.0.1", "\"private\": true", "zz_text-1.0.0"]);
    for name in ["zz-other-1.0.1.tgz", "zz-hidden-1.0.0.tgz", "zz_text-1.0.0-py3-none-any.whl"] {
        fs::remove_file(dist.join(name)).unwrap();
    }
    check(&["has `zz-leaf` from a path"]);
    fs::remove_file(dist.join("zz-path-1.0.0.crate")).unwrap();
    check(&["`@zz/darwin` 1.0.0, which is neither"]);
    fs::rename(project.sandbox.path().join("away"), dist.join("zz-darwin-1.0.0.tgz")).unwrap();
    // The file of the plan is not the file in the directory.
    project.plan().expect(0);
    npm(
        &dist,
        "@zz/demo",
        "1.0.0",
        &json!({ "description": "changed", "optionalDependencies": {} }),
    );
    project.publish(&[]).expect(1).says(&["and the plan has"]);
    let plan = project.sandbox.path().join("plan.json");
    let text = fs::read_to_string(&plan).unwrap().replace("\"1.0.0\"", "\"1.0.1\"");
    fs::write(&plan, text).unwrap();
    project.publish(&[]).expect(2).says(&["changed after it was made"]);
    assert_eq!(project.fake.changes(), 0);
    // Other bytes under a published name: nothing else is touched.
    let project = Project::new();
    project.plan().expect(0);
    project.publish(&[]).expect(0);
    let state = project.fake.uploads();
    npm(
        &project.sandbox.path().join("dist"),
        "@zz/linux",
        "1.0.0",
        &json!({ "description": "other" }),
    );
    project
        .plan()
        .expect(1)
        .says(&["`npm:@zz/linux@1.0.0` is published with other bytes", "sha512-"]);
    assert_eq!(project.fake.uploads(), state);
    // Without a credential, or with URLs elsewhere.
    let text = configuration(1).replace("http://127.0.0.1:1/", "https://example.org/");
    project.sandbox.write("wheelsmith.toml", &text);
    project.plan().expect(1).says(&["is not on this machine"]);
    // An index on this machine whose API is elsewhere.
    let project = Project::new();
    let settings = json!({ "dl": "https://example.org/", "api": "https://example.org/" });
    let rule =
        json!({ "match": "GET /crates/index/config", "times": 9, "status": 200, "body": settings });
    project.fake.rules(&json!({ "rules": [rule] }));
    project
        .plan()
        .expect(1)
        .says(&["the `api` in", "`https://example.org/` is not on this machine"]);
    project.fake.rules(&json!({ "rules": [] }));
    // This machine is reached without the proxy of the environment.
    let mut command =
        project.sandbox.command(&["plan", "--as", "1.0.0", "--to", "local", "-o", "plan.json"]);
    Run::of(command.envs(TOKENS).env("https_proxy", "http://127.0.0.1:9")).expect(0);
}

#[test]
fn failures_of_registries_end_in_one_state() {
    let project = Project::new();
    project.plan().expect(0);
    let reset = |rules: &Value| {
        project.fake.rules(&json!({ "reset": true, "rules": rules }));
    };
    let soon = "Thu, 01 Jan 1970 00:00:01 GMT";
    reset(&json!([
        { "match": "PUT /crates/", "status": 429, "headers": { "Retry-After": soon } },
        { "match": "PUT /crates/", "act": "cut-after" },
        { "match": "PUT /npm/", "status": 500 },
        { "match": "PUT /npm/", "act": "cut-before" },
        { "match": "GET /npm/@zz%2flinux", "times": 0 },
        { "match": "POST /pypi/", "status": 503, "times": 2 },
        { "match": "POST /pypi/", "act": "cut-after" },
    ]));
    project.publish(&[]).expect(0).says(&["rate limit asks to wait for 1 s"]);
    project.assert_complete();

    // The index shows files late: the upload is repeated, and the answers are looked through.
    reset(&json!([{ "match": "GET /crates/index/zz", "act": "stale", "times": 6 }]));
    project.publish(&[]).expect(0);
    project.assert_complete();

    // 200 with errors, a revoked token, a quota, a redirect: the reason is told, and the rerun finishes.
    let errors = json!({ "errors": [{ "detail": "name is reserved" }] });
    let fail = |rule: Value, expected: &[&str]| {
        reset(&json!([rule]));
        project.publish(&[]).expect(1).answers(expected);
        project.fake.rules(&json!({ "rules": [] }));
        project.publish(&[]).expect(0);
        project.assert_complete();
    };
    fail(
        json!({ "match": "PUT /crates/", "status": 200, "body": errors }),
        &["name is reserved", "it needs `crates:zz-leaf@1.0.0`", "9 published"],
    );
    fail(
        json!({ "match": "PUT /npm/@zz%2fd", "status": 401, "body": { "error": "token revoked" }, "times": 9 }),
        &[
            "did not accept the credential: status 401: token revoked",
            "the credential was refused at",
            "9 published",
        ],
    );
    fail(
        json!({ "match": "POST /pypi/", "status": 400, "body": { "message": "Project size too large." } }),
        &["Project size too large."],
    );
    fail(
        json!({ "match": "PUT /npm/", "status": 301, "headers": { "Location": "https://example.org/" } }),
        &["a redirect to `https://example.org/`"],
    );
    let late = "Thu, 01 Jan 2099 00:00:00 GMT";
    fail(
        json!({ "match": "PUT /crates/", "status": 429, "headers": { "Retry-After": late } }),
        &["the registry asks to wait", "longer than `--rate-limit` 3600"],
    );
    let huge = u64::MAX.to_string();
    fail(
        json!({ "match": "PUT /crates/", "status": 429, "headers": { "Retry-After": huge } }),
        &["the registry asks to wait 18446744073709551615 s"],
    );
    let at_once = json!({ "Retry-After": "0" });
    reset(&json!([{ "match": "PUT /npm/", "status": 429, "headers": at_once, "times": 99 }]));
    let run = project.publish(&["--rate-limit", "2", "--only", "npm"]).expect(1);
    run.answers(&["the registry asks to wait 1 s after 2 s, longer than `--rate-limit` 2"]);

    // A lost response, and a document that is late: the registry refuses what it has already.
    reset(&json!([
        { "match": "PUT /npm/@zz%2flinux", "act": "cut-after" },
        { "match": "GET /npm/@zz%2flinux", "act": "stale", "times": 4 },
    ]));
    project.publish(&[]).expect(0);
    project.assert_complete();
    reset(&json!([{ "match": "PUT /npm/@zz%2flinux", "act": "cut-before", "times": 9 }]));
    let run = project.publish(&["--only", "npm"]).expect(1);
    run.answers(&["the registry failed 5 times: the connection was lost: "]);

    // A server that tells the token back.
    reset(&json!([]));
    project.fake.rules(&json!({ "tokens": [] }));
    project.publish(&[]).expect(1).answers(&["did not accept the credential"]);
    let echo = json!({ "error": "secret-npm is wrong" });
    reset(&json!([{ "match": "PUT /npm/", "status": 400, "body": echo, "times": 9 }]));
    project.publish(&[]).expect(1).answers(&["*** is wrong"]);

    // A release of the index that is closed.
    reset(&json!([]));
    project.publish(&["--only", "pypi"]).expect(0);
    project.fake.rules(&json!({ "upload-time": "2020-01-01T00:00:00Z" }));
    let extra = WheelFile::new("zz_demo-1.0.0-py3-none-win_amd64.whl");
    let extra =
        extra.metadata("Summary: A package\nRequires-Python: >=3.8\n").text("zz_demo.py", "");
    extra.write(&project.sandbox.path().join("dist"));
    // Only the public one closes.
    project.plan().expect(0);
    let public = configuration(project.fake.1).replace("\"private\"", "\"pypi\"");
    project.sandbox.write("wheelsmith.toml", &public);
    project.plan().expect(1).says(&["more than 14 days ago"]);
}

#[test]
fn identity_tokens_are_exchanged_once() {
    let project = Project::new();
    project.plan().expect(0);
    project.fake.rules(&json!({ "tokens": [] }));
    let url = format!("http://127.0.0.1:{}/identity?x=1", project.fake.1);
    let run = |token: &str| {
        let mut command = project.sandbox.command(&["publish", "--plan", "plan.json"]);
        command.env("ACTIONS_ID_TOKEN_REQUEST_URL", &url);
        Run::of(command.env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", token))
    };
    let denied = run("wrong").expect(1);
    denied.answers(&["cannot get an identity token: status 401: bad request token"]);
    let run = run("secret-request").expect(0);
    assert!(!format!("{}{}", run.stdout, run.stderr).contains("secret-"));
    let state = project.fake.state();
    // One token for the index, one for crates, one for each npm package.
    assert_eq!(state["spent"].as_array().unwrap().len(), 5, "{state:#}");
    // A job that the registry does not trust.
    project.fake.rules(&json!({ "reset": true }));
    project.fake.rules(&json!({ "rules": [{ "match": "POST /_/oidc/", "times": 9, "status": 422,
        "body": { "errors": [{ "description": "no matching publisher" }] } }] }));
    let mut command =
        project.sandbox.command(&["publish", "--plan", "plan.json", "--only", "pypi"]);
    command.env("ACTIONS_ID_TOKEN_REQUEST_URL", &url);
    let run = Run::of(command.env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "secret-request")).expect(1);
    run.answers(&["no matching publisher", "sub=repo:me/demo"]);
}

/// Returns a project that publishes to another server: its files, the configuration of `local`, and
/// variables.
fn publish_to(sandbox: &Sandbox, registry: &str, variables: &[(&str, &str)]) {
    let text = format!(
        "[tool.wheelsmith.check]\nindex = \"private\"\n[tool.wheelsmith.release.local]\n{registry}\n"
    );
    sandbox.write("wheelsmith.toml", &text);
    let run = |args: &[&str]| Run::of(sandbox.command(args).envs(variables.iter().copied()));
    run(&["plan", "--as", "1.0.0", "--to", "local", "-o", "plan.json"]).expect(0);
    run(&["publish", "--plan", "plan.json"]).expect(0).answers(&["complete"]);
    run(&["publish", "--plan", "plan.json"]).expect(0).answers(&["0 published"]);
    // Other bytes under a published name.
    let dist = sandbox.path().join("dist");
    for entry in fs::read_dir(&dist).unwrap() {
        fs::remove_file(entry.unwrap().path()).unwrap();
    }
    other(&dist);
    let plan = run(&["plan", "--as", "1.0.0", "--to", "local", "-o", "plan.json"]);
    plan.expect(1).says(&["is published with other bytes"]);
}

/// Keeps the files of one kind in `dist`.
fn keep(sandbox: &Sandbox, is_kept: impl Fn(&str) -> bool) {
    for path in sandbox.dist() {
        if !is_kept(&path.file_name().unwrap().to_string_lossy()) {
            fs::remove_file(path).unwrap();
        }
    }
}

/// Writes packages with names that are published, and other bytes.
fn other(dist: &Path) {
    let wheel = WheelFile::new("zz_demo_core-1.0.0-py3-none-any.whl").purelib();
    let wheel = wheel.metadata("Summary: A package\nRequires-Python: >=3.8\n");
    wheel.text("zz_demo_core.py", "other\n").write(dist);
    npm(dist, "@zz/linux", "1.0.0", &json!({ "description": "other" }));
    // Each registry takes its own kind.
    let is_python = !dist.parent().unwrap().join("npm").exists();
    let away = if is_python { "zz-linux-1.0.0.tgz" } else { "zz_demo_core-1.0.0-py3-none-any.whl" };
    fs::remove_file(dist.join(away)).unwrap();
}

#[test]
fn python_indexes_of_others_take_the_form() {
    const TEST: &str = "python_indexes_of_others_take_the_form";
    let Some(env) = TestEnv::find(TEST) else { return };
    let Some(bin) = env.get("servers/bin", TEST) else { return };
    let is_python = |name: &str| DIST_ENDS.iter().any(|end| name.ends_with(end));
    let sandbox = Sandbox::new();
    packages(&sandbox.path().join("dist"));
    keep(&sandbox, is_python);
    let (port, store) = (free_port(), sandbox.path().join("pypiserver"));
    fs::create_dir(&store).unwrap();
    let mut command = Command::new(bin.join("pypi-server"));
    command.args(["run", "-i", "127.0.0.1", "-p", &port.to_string(), "-P", ".", "-a", "."]);
    command.args(["--disable-fallback", "--hash-algo", "sha256"]).arg(&store);
    let server = Server::start(&mut command, port, "/simple/");
    let url = format!("http://127.0.0.1:{port}/");
    publish_to(
        &sandbox,
        &format!("pypi = {{ upload = \"{url}\", simple = \"{url}simple/\" }}"),
        &[("TWINE_USERNAME", "a"), ("TWINE_PASSWORD", "a")],
    );
    drop(server);

    let sandbox = Sandbox::new();
    packages(&sandbox.path().join("dist"));
    keep(&sandbox, is_python);
    let (port, store) = (free_port(), sandbox.path().join("devpi"));
    content(Command::new(bin.join("devpi-init")).arg("--serverdir").arg(&store));
    let mut command = Command::new(bin.join("devpi-server"));
    command.arg("--serverdir").arg(&store).args(["--host", "127.0.0.1", "--offline-mode"]);
    let server = Server::start(command.args(["--port", &port.to_string()]), port, "/+api");
    let client = |args: &[&str]| {
        let mut command = Command::new(bin.join("devpi"));
        let dir = sandbox.path().join("client");
        content(command.arg(args[0]).arg("--clientdir").arg(dir).args(&args[1..]));
    };
    let url = format!("http://127.0.0.1:{port}/");
    client(&["use", &url]);
    client(&["login", "root", "--password="]);
    client(&["index", "-c", "dev", "bases=", "volatile=False"]);
    publish_to(
        &sandbox,
        &format!("pypi = {{ upload = \"{url}root/dev/\", simple = \"{url}root/dev/+simple/\" }}"),
        &[("TWINE_USERNAME", "root")],
    );
    drop(server);
}

const DIST_ENDS: [&str; 2] = [".whl", ".tar.gz"];

#[test]
fn verdaccio_takes_npm_packages() {
    const TEST: &str = "verdaccio_takes_npm_packages";
    let Some(env) = TestEnv::find(TEST) else { return };
    let Some(program) = env.get("npm-clients/node_modules/.bin/verdaccio", TEST) else { return };
    let sandbox = Sandbox::new();
    packages(&sandbox.path().join("dist"));
    keep(&sandbox, |name| [".tgz"].iter().any(|end| name.ends_with(end)));
    fs::create_dir(sandbox.path().join("npm")).unwrap();
    let dir = sandbox.path().display();
    sandbox.write(
        "verdaccio.yaml",
        &format!(
            "storage: {dir}/npm\nauth: {{ htpasswd: {{ file: {dir}/htpasswd }} }}\nuplinks: {{}}\n\
             packages: {{ '**': {{ access: $all, publish: $authenticated }} }}\nmax_body_size: 300mb\n\
             log: {{ type: stdout, level: error }}\n"
        ),
    );
    let port = free_port();
    let mut command = Command::new("node");
    command.arg(program).arg("--config").arg(sandbox.path().join("verdaccio.yaml"));
    command.args(["--listen", &format!("127.0.0.1:{port}")]);
    let server = Server::start(&mut command, port, "/-/ping");
    let user = json!({ "name": "tester", "password": "only-on-loopback" }).to_string();
    let (_, answer) = http(port, "PUT", "/-/user/org.couchdb.user:tester", &user).unwrap();
    let token =
        answer.split("\"token\": \"").nth(1).or_else(|| answer.split("\"token\":\"").nth(1));
    let token = token.unwrap().split('"').next().unwrap();
    let registry = format!("npm = {{ registry = \"http://127.0.0.1:{port}/\" }}");
    publish_to(&sandbox, &registry, &[("NPM_TOKEN", token)]);
    drop(server);
}
