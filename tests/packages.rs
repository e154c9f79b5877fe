//! Tests of archives and npm packages: unpacked and installed by other tools, run, compared between
//! directories, umasks and time zones, and refused if they are incomplete.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests are a world of their own"
)]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use support::{Run, Sandbox, TestEnv, content, program, repository};

const GNU: &str = "x86_64-unknown-linux-gnu";
const ARM: &str = "aarch64-unknown-linux-gnu";
const MUSL: &str = "x86_64-unknown-linux-musl";

/// A program with a library of its own, and files of the project.
fn project(tables: &str) -> Sandbox {
    let config = format!(
        "[project]\nname = 'demo-box'\nversion = '1.2.0rc1'\ndescription = 'Answers'\n\
         license = 'MIT'\nreadme = 'README.md'\n\
         urls = {{ Repository = 'https://example.com/demo' }}\n\
         [tool.wheelsmith]\nwheel = []\ntargets = ['{GNU}', '{ARM}', '{MUSL}']\n{tables}\n\
         [[tool.wheelsmith.component]]\nname = 'calc'\nkind = 'c-shared'\n\
         soname = 'libcalc.so.1'\nlicense-files = ['calc.txt']\n\
         [[tool.wheelsmith.component.sources]]\nfiles = ['calc.c']\n\
         [[tool.wheelsmith.component]]\nname = 'answer'\nkind = 'c-executable'\nlink = ['calc']\n\
         [[tool.wheelsmith.component.sources]]\nfiles = ['answer.c']\n"
    );
    Sandbox::with(&[
        ("wheelsmith.toml", &config),
        ("calc.c", "int calc(void) { return 42; }\n"),
        (
            "answer.c",
            "#include <stdio.h>\nint calc(void);\nint main(int argc, char **argv) {\n    \
             printf(\"%d\", calc());\n    for (int i = 1; i < argc; i++) printf(\" %s\", argv[i]);\n    \
             puts(\"\");\n    return argc > 1 ? 7 : 0;\n}\n",
        ),
        ("README.md", "# Demo\n"),
        ("LICENSE", "Do what you like.\n"),
        ("calc.txt", "Do what you like with the library.\n"),
        ("man/answer.1", "manual\n"),
        ("js/extra.d.ts", "export const answer: number;\n"),
    ])
}

const ARCHIVES: &str = "[[tool.wheelsmith.archive]]\naliases = ['{name}-latest-{triple}.{ext}']\n\
                        include = [{ from = 'man/*.1', to = 'share/man/man1' }]\n\
                        [[tool.wheelsmith.archive]]\nname = 'tools'\nformat = 'tar.zst'\n\
                        top = 'tools-{version}'\nfiles = ['bin/*', 'lib/*']\n\
                        [[tool.wheelsmith.archive]]\nfile = '{name}-{pep440}-{os}-{arch}-{libc}.zip'\n";

const NPM: &str = "[[tool.wheelsmith.npm]]\nname = '@box/demo'\nbin = { answer = 'answer' }\n\
                   include = ['js/*.d.ts']\n";

/// Returns the files in `dist` with their contents.
fn contents(project: &Sandbox) -> BTreeMap<String, Vec<u8>> {
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    project.dist().iter().map(|path| (name(path), fs::read(path).unwrap())).collect()
}

fn listed(project: &Sandbox, tar: &[&str]) -> Vec<String> {
    let run = content(Command::new("tar").args(tar).current_dir(project.path().join("dist")));
    run.stdout.lines().map(str::to_owned).collect()
}

#[test]
fn archives_hold_what_runs() {
    const TEST: &str = "archives_hold_what_runs";
    let Some(_env) = TestEnv::find(TEST) else { return };
    let project = project(ARCHIVES);
    project.expect(0, &["pack", "archive", "--target", GNU]).answers(&[
        "calc    1 of 1 compiled",
        "dist/demo-box-1.2.0-rc.1-x86_64-unknown-linux-gnu.tar.gz",
        "qualifies for manylinux_2_5_x86_64",
    ]);
    let top = format!("demo-box-1.2.0-rc.1-{GNU}");
    let archive = format!("{top}.tar.gz");
    let rows = listed(&project, &["-tzf", &archive]);
    let names: Vec<&str> = rows.iter().map(|row| row.strip_prefix(&top).unwrap()).collect();
    assert_eq!(
        names,
        [
            "/LICENSE",
            "/README.md",
            "/bin/answer",
            "/lib/libcalc.so",
            "/lib/libcalc.so.1",
            "/licenses/calc/calc.txt",
            "/share/man/man1/answer.1",
        ]
    );
    let made = contents(&project);
    assert!(made[&archive] == made[&format!("demo-box-latest-{GNU}.tar.gz")], "the alias differs");
    content(Command::new("tar").args(["-xzf", &archive]).current_dir(project.path().join("dist")));
    let unpacked = project.path().join("dist").join(&top);
    let answer = content(&mut Command::new(unpacked.join("bin/answer")));
    assert_eq!(answer.stdout, "42\n");
    let link = fs::read_link(unpacked.join("lib/libcalc.so")).unwrap();
    assert_eq!(link, Path::new("libcalc.so.1"));
    fs::remove_dir_all(&unpacked).unwrap();
    // The other formats, read by other programs.
    let packed = format!("tools-1.2.0-rc.1-{GNU}.tar.zst");
    if Command::new("zstd").arg("--version").output().is_ok() {
        content(
            Command::new("zstd").arg("-tq").arg(&packed).current_dir(project.path().join("dist")),
        );
        let rows = listed(&project, &["--zstd", "-tf", &packed]);
        assert!(rows.contains(&"tools-1.2.0-rc.1/bin/answer".to_owned()), "{rows:?}");
    }
    let zip = "demo-box-1.2.0rc1-linux-x86_64-glibc.zip";
    let script = "import stat, sys, zipfile\nz = zipfile.ZipFile(sys.argv[1])\nassert z.testzip() is None\n\
                  for i in z.infolist():\n    print(oct(stat.S_IMODE(i.external_attr >> 16)), i.filename)\n";
    let python = content(
        Command::new("python3").args(["-c", script, zip]).current_dir(project.path().join("dist")),
    );
    assert!(python.stdout.contains("0o755 demo-box-1.2.0rc1-linux-x86_64-glibc/bin/answer"));
    assert!(!python.stdout.contains("libcalc.so\n"), "{}", python.stdout);
    // A second run compiles nothing and changes no byte; JSON lists everything.
    let run = project.expect(0, &["pack", "--target", GNU, "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(json["targets"][0]["components"][0]["outcome"], "up to date");
    let package = &json["targets"][0]["packages"][0];
    for (key, expected) in
        [("kind", "archive"), ("mode", "0644"), ("verdict", "manylinux_2_5_x86_64")]
    {
        assert_eq!(package[key], expected);
    }
    assert_eq!(package["file"]["size_bytes"], made[&archive].len());
    assert!(contents(&project) == made, "a second run changed a file");
}

#[test]
fn packages_have_the_same_bytes_everywhere() {
    let Some(_env) = TestEnv::find("packages_have_the_same_bytes_everywhere") else { return };
    let tables = format!("{ARCHIVES}{NPM}{INSTALLER}");
    let places =
        [("022", "UTC", "1"), ("077", "Asia/Kathmandu", "2")].map(|(umask, zone, jobs)| {
            let project = project(&tables);
            let script = format!("umask {umask}; exec \"$0\" build --target all --jobs {jobs}");
            let mut command = Command::new("sh");
            command.args(["-c", &script]).arg(program()).current_dir(project.path());
            content(command.env("TZ", zone).env_remove("SOURCE_DATE_EPOCH"));
            contents(&project)
        });
    let names: Vec<&String> = places[0].keys().collect();
    // Three archives and an alias, and an npm package, for each target; the main package, the installer.
    assert_eq!(names.len(), 3 * 5 + 2, "{names:?}");
    for (name, bytes) in &places[0] {
        assert!(places[1][name] == *bytes, "{name} has other bytes elsewhere");
    }
}

#[test]
fn incomplete_packages_are_refused() {
    let Some(_env) = TestEnv::find("incomplete_packages_are_refused") else { return };
    let project = project(NPM);
    let two = ["pack", "npm", "--target", GNU, "--target", ARM];
    project.expect(2, &two).says(&[
        "`@box/demo` is for 3 targets, and 1 of them is not selected: x86_64-unknown-linux-musl",
        "hint: select all targets, or use `--partial`",
    ]);
    assert_eq!(project.dist(), [] as [PathBuf; 0]);
    project.expect(2, &["pack", "npm", "--dry-run", "--target", GNU]).says(&["2 of them are not"]);
    project.expect(2, &["pack", "--no-build"]).says(&["without a build", "leave out `--no-build`"]);
    project.expect(2, &["pack", "archive"]).says(&[
        "`wheelsmith.toml` configures no package of the kind `archive`",
        "hint: add `[[tool.wheelsmith.archive]]`",
    ]);
    // A build of some targets makes their packages, and says what it leaves out.
    project.expect(0, &["build", "--target", GNU]).answers(&[
        "dist/box-demo-linux-x64-gnu-1.2.0-rc.1.tgz",
        "left out box-demo-1.2.0-rc.1.tgz: `@box/demo` is for 3 targets",
    ]);
    project.expect(0, &[&two[..], &["--partial"]].concat()).answers(&["box-demo-1.2.0-rc.1.tgz"]);
    let manifest = package_json(&project, "box-demo-1.2.0-rc.1.tgz");
    let pins = manifest["optionalDependencies"].as_object().unwrap();
    let pins: Vec<(&str, &str)> =
        pins.iter().map(|(name, version)| (name.as_str(), version.as_str().unwrap())).collect();
    assert_eq!(
        pins,
        [("@box/demo-linux-arm64-gnu", "1.2.0-rc.1"), ("@box/demo-linux-x64-gnu", "1.2.0-rc.1")]
    );
    // The runtime of an earlier build is used as it is, unless someone changed it.
    let no_build = ["pack", "npm", "--no-build", "--partial", "--target", GNU];
    project.expect(0, &no_build).answers(&["calc    as it is"]);
    let runtime = project.path().join(format!("target/wheelsmith/{GNU}/runtime"));
    fs::write(runtime.join("licenses/calc/calc.txt"), "other").unwrap();
    project.expect(2, &no_build).says(&["`licenses/calc/calc.txt` was changed or removed"]);
    fs::write(runtime.join("runtime.json"), "{}").unwrap();
    project.expect(2, &no_build).says(&["its manifest: missing field"]);
}

#[test]
fn mistakes_are_found_before_anything_is_compiled() {
    let check = |tables: &str, parts: &[&str]| {
        let project = project(tables);
        let run = project.run(&["pack", "--dry-run"]);
        assert_eq!(run.code, 2, "{tables}\n{}{}", run.stdout, run.stderr);
        run.says(parts);
    };
    let archive = |keys: &str| format!("[[tool.wheelsmith.archive]]\n{keys}\n");
    check(&archive("file = '{nmae}.zip'"), &["did you mean `{name}.zip`?"]);
    check(&archive("file = '{name}.exe'"), &["is not that of an archive", "`.tar.gz`"]);
    check(&archive("file = '../{triple}.zip'"), &["is not a name with placeholders"]);
    check(&archive("file = '{triple}.zip'\nformat = 'tar.gz'"), &["the extension is `.zip`"]);
    check(&archive("format = 'rar'"), &["`tar.gz`, `tar.zst` or `zip`"]);
    check(
        &archive("file = '{name}.zip'"),
        &["cannot write `demo-box.zip` twice", "add `{triple}`"],
    );
    check(
        &archive("file = '{triple}.zip'\naliases = ['{triple}-latest.tar.gz']"),
        &["has another extension than `file`"],
    );
    check(&archive("components = ['clac']"), &["did you mean `calc`?"]);
    check(&archive("flies = ['bin/*']"), &["did you mean `files`?"]);
    check(&archive("files = ['bin/{']"), &["not a pattern"]);
    check(&[archive(""), archive("")].concat(), &["another archive has the same name"]);
    let npm = |keys: &str| format!("[[tool.wheelsmith.npm]]\n{keys}\n");
    check(&npm("name = '@Box/Demo'"), &["did you mean `@box/demo`?"]);
    check(&npm("bin = { '../x' = 'answer' }"), &["cannot be the name of a command"]);
    check(&npm("main = 'index.js'"), &["no file of the package is `index.js`"]);
    check(&npm("include = ['js/*']\nmain = 'package.json'"), &["is written by wheelsmith"]);
    check(&npm("types = '../a.d.ts'"), &["`../a.d.ts`"]);
    // What only the runtime tells is found when it is there.
    let late = |tables: &str, parts: &[&str]| {
        project(tables).expect(2, &["pack", "--target", GNU, "--partial"]).says(parts);
    };
    if TestEnv::find("mistakes_are_found_before_anything_is_compiled").is_some() {
        late(&npm("bin = { answer = 'anwser' }"), &["no program `anwser`", "it has: answer"]);
        late(&npm("include = ['js/*.js']"), &["`js/*.js` names no file"]);
        late(&archive("files = ['bin/*.exe']"), &["names no file of the runtime", "bin/answer"]);
        late(&archive("include = ['README.md']"), &["two files have the path `README.md`"]);
    }
    let project = project(&npm(""));
    let text = fs::read_to_string(project.path().join("wheelsmith.toml")).unwrap();
    project.write("wheelsmith.toml", &text.replace("1.2.0rc1", "1.2.0.post1"));
    project.expect(2, &["pack", "--dry-run"]).says(&["npm cannot have this version", "`1.2.1`"]);
}

/// Returns the `package.json` in a tarball, which is its first file.
fn package_json(project: &Sandbox, tarball: &str) -> serde_json::Value {
    let rows = listed(project, &["-tzf", tarball]);
    assert_eq!(rows[0], "package/package.json");
    let args = ["-xOzf", tarball, "package/package.json"];
    let run = content(Command::new("tar").args(args).current_dir(project.path().join("dist")));
    serde_json::from_str(&run.stdout).unwrap()
}

/// Server of the tarballs in a directory, which ends with the value.
struct Registry {
    child: Child,
    url: String,
}

impl Registry {
    fn serve(dir: &Path) -> Self {
        let script = repository().join("tests/judges/npm-registry.js");
        let mut child =
            Command::new("node").arg(script).arg(dir).stdout(Stdio::piped()).spawn().unwrap();
        let mut port = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut port).unwrap();
        assert!(!port.trim().is_empty(), "the registry did not start");
        Self { child, url: format!("http://127.0.0.1:{}", port.trim()) }
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// True if node and npm are there; otherwise says that `test` is skipped.
fn has_npm(test: &str) -> bool {
    let runs = |name: &str| Command::new(name).arg("--version").output().is_ok();
    let found = runs("node") && runs("npm");
    let required = std::env::var_os("WHEELSMITH_TEST_REQUIRE").is_some();
    assert!(found || !required, "{test}: there is no node and npm");
    if !found {
        eprintln!("skipped {test}: there is no node and npm");
    }
    found
}

/// Installs `@box/demo` into a new directory.
fn install(project: &Sandbox, registry: &Registry, dir: &str, args: &[&str]) -> PathBuf {
    let user = project.path().join(dir);
    fs::create_dir_all(&user).unwrap();
    fs::write(user.join("package.json"), "{\"private\": true}\n").unwrap();
    let mut npm = Command::new("npm");
    npm.args(["install", "@box/demo", "--no-audit", "--no-fund", "--registry", &registry.url]);
    npm.args(args).current_dir(&user).env("npm_config_cache", project.path().join("npm-cache"));
    content(npm.env("HOME", project.path()));
    user
}

fn installed(user: &Path) -> Vec<String> {
    let Ok(dirs) = fs::read_dir(user.join("node_modules/@box")) else { return Vec::new() };
    let mut names: Vec<String> =
        dirs.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn npm_installs_the_package_of_the_platform() {
    const TEST: &str = "npm_installs_the_package_of_the_platform";
    let Some(_env) = TestEnv::find(TEST) else { return };
    if !has_npm(TEST) {
        return;
    }
    let project = project(NPM);
    project.expect(0, &["pack", "npm"]);
    let musl = package_json(&project, "box-demo-linux-x64-musl-1.2.0-rc.1.tgz");
    for (key, expected) in [("os", "linux"), ("cpu", "x64"), ("libc", "musl")] {
        assert_eq!(musl[key], serde_json::json!([expected]));
    }
    assert_eq!(musl["wheelsmith"]["tag"], "musllinux_1_2_x86_64");
    // npm itself changes nothing in what was packed.
    for tarball in project.dist() {
        let mut npm = Command::new("npm");
        npm.args(["pack", "--dry-run", "--json"]).arg(&tarball).env("HOME", project.path());
        let said: serde_json::Value =
            serde_json::from_str(&content(npm.current_dir(project.path())).stdout).unwrap();
        // npm 11 prints an object by name, earlier ones a list.
        let said = said.get(0).or_else(|| said.as_object()?.values().next()).unwrap();
        let file = tarball.file_name().unwrap().to_str().unwrap();
        assert_eq!(said["filename"], file);
        let rows = listed(&project, &["-tzf", file]).len();
        assert_eq!(said["entryCount"].as_u64().unwrap(), rows as u64, "{file}");
        let manifest = package_json(&project, file);
        assert!(manifest.get("scripts").is_none(), "{file} has scripts");
    }
    let registry = Registry::serve(&project.path().join("dist"));
    let user = install(&project, &registry, "user", &[]);
    assert_eq!(installed(&user), ["demo", "demo-linux-x64-gnu"]);
    let mode = |path: &str| {
        let path = user.join("node_modules/@box/demo-linux-x64-gnu").join(path);
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    };
    assert_eq!(
        (mode("bin/answer"), mode("lib/libcalc.so.1"), mode("LICENSE")),
        (0o755, 0o755, 0o644)
    );
    let command = user.join("node_modules/.bin/answer");
    let run = Run::of(Command::new(&command).args(["a", "b c"]));
    assert_eq!((run.code, &*run.stdout), (7, "42 a b c\n"));
    let eval = |script: &str| Run::of(Command::new("node").args(["-e", script]).current_dir(&user));
    let run = eval("console.log(require('@box/demo').file('lib/libcalc.so.1'))").expect(0);
    assert!(run.stdout.ends_with("/demo-linux-x64-gnu/lib/libcalc.so.1\n"), "{}", run.stdout);
    // Under musl the package for glibc does not count, although it is the only one that is there.
    let musl = "process.report.getReport = () => ({ header: {} });";
    eval(&format!("{musl} require('@box/demo').find()")).expect(1).says(&[
        "@box/demo-linux-x64-musl, the package of @box/demo for linux x64 musl",
        "is not installed",
        "npm install @box/demo-linux-x64-musl@1.2.0-rc.1",
    ]);
    let old = "process.report.getReport = () => ({ header: { glibcVersionRuntime: '2.3' } });";
    eval(&format!("{old} require('@box/demo').find()")).expect(1).says(&[
        "@box/demo-linux-x64-gnu (x86_64-unknown-linux-gnu) needs glibc 2.5 or newer; this system \
         has 2.3",
    ]);
    let other = "Object.defineProperty(process, 'arch', { value: 's390x' });";
    eval(&format!("{other} require('@box/demo').find()")).expect(1).says(&[
        "@box/demo has no package for linux s390x glibc",
        "it has packages for x86_64-unknown-linux-gnu, aarch64-unknown-linux-gnu",
    ]);
    // Both packages are there, as some clients install them: the running library decides.
    let both = install(
        &project,
        &registry,
        "both",
        &["@box/demo-linux-x64-musl", "@box/demo-linux-x64-gnu", "--force"],
    );
    assert_eq!(installed(&both), ["demo", "demo-linux-x64-gnu", "demo-linux-x64-musl"]);
    for (script, expected) in [("", GNU), (musl, MUSL)] {
        let script = format!("{script} console.log(require('@box/demo').find().target)");
        let run = content(Command::new("node").args(["-e", &script]).current_dir(&both));
        assert_eq!(run.stdout.trim(), expected);
    }
    // Another version of the platform's package is refused.
    let manifest = user.join("node_modules/@box/demo-linux-x64-gnu/package.json");
    let text = fs::read_to_string(&manifest).unwrap().replace("1.2.0-rc.1", "1.1.0");
    fs::write(&manifest, text).unwrap();
    let run = Run::of(&mut Command::new(&command));
    assert_eq!(run.code, 127);
    run.says(&["answer: @box/demo 1.2.0-rc.1 needs @box/demo-linux-x64-gnu 1.2.0-rc.1; 1.1.0 is"]);
    // Other platforms, and no optional dependencies.
    let arm = install(&project, &registry, "arm", &["--os=linux", "--cpu=arm64"]);
    assert_eq!(installed(&arm), ["demo", "demo-linux-arm64-gnu"]);
    let mac = install(&project, &registry, "mac", &["--os=darwin", "--cpu=arm64"]);
    assert_eq!(installed(&mac), ["demo"]);
    // A lock file that was made for another platform names the packages of all.
    for (lock, args, expected) in [
        (&arm, &[][..], &["demo", "demo-linux-x64-gnu"][..]),
        (&mac, &[], &["demo", "demo-linux-x64-gnu"]),
        (&user, &["--os=linux", "--cpu=arm64"], &["demo", "demo-linux-arm64-gnu"]),
        (&user, &["--os=darwin", "--cpu=arm64"], &["demo"]),
        (&mac, &["--libc=musl"], &["demo", "demo-linux-x64-musl"]),
    ] {
        let place = project.path().join("foreign");
        fs::create_dir(&place).unwrap();
        for name in ["package.json", "package-lock.json"] {
            fs::copy(lock.join(name), place.join(name)).unwrap();
        }
        let mut npm = Command::new("npm");
        npm.args(["ci", "--no-audit", "--no-fund", "--registry", &registry.url]).args(args);
        npm.current_dir(&place).env("npm_config_cache", project.path().join("npm-cache"));
        content(npm.env("HOME", project.path()));
        assert_eq!(installed(&place), expected, "{} {args:?}", lock.display());
        fs::remove_dir_all(&place).unwrap();
    }
    let none = install(&project, &registry, "none", &["--omit=optional"]);
    let command = none.join("node_modules/.bin/answer");
    Run::of(&mut Command::new(command)).expect(127).says(&["is not installed"]);
}

#[test]
fn a_command_passes_signals_on() {
    const TEST: &str = "a_command_passes_signals_on";
    let Some(_env) = TestEnv::find(TEST) else { return };
    if !has_npm(TEST) {
        return;
    }
    let project = project(NPM);
    project.write(
        "answer.c",
        "#include <stdio.h>\n#include <unistd.h>\nint calc(void);\nint main(void) {\n    \
         printf(\"%d\\n\", calc());\n    fflush(stdout);\n    for (;;) pause();\n}\n",
    );
    project.expect(0, &["pack", "npm", "--partial", "--target", GNU]);
    let registry = Registry::serve(&project.path().join("dist"));
    let user = install(&project, &registry, "user", &[]);
    let mut child = Command::new(user.join("node_modules/.bin/answer"))
        .stdout(Stdio::piped())
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    out.read_line(&mut line).unwrap();
    assert_eq!(line, "42\n");
    content(Command::new("kill").args(["-TERM", &child.id().to_string()]));
    let status = child.wait().unwrap();
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(15));
    // The program ended too, since it has the other end of the pipe.
    line.clear();
    assert_eq!(out.read_line(&mut line).unwrap(), 0);
}

const INSTALLER: &str = "[[tool.wheelsmith.installer]]\nurl = 'http://127.0.0.1:1/v{version}'\n";

/// Serves the files in a directory, and ends with the value.
struct FileServer(Child, String);

impl FileServer {
    fn serve(dir: &Path) -> Self {
        let script = "import functools, http.server, sys\nh = functools.partial(\
                      http.server.SimpleHTTPRequestHandler, directory=sys.argv[1])\n\
                      s = http.server.ThreadingHTTPServer(('127.0.0.1', 0), h)\n\
                      print(s.server_port, flush=True)\ns.serve_forever()\n";
        let mut child = Command::new("python3")
            .args(["-c", script])
            .arg(dir)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut port = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut port).unwrap();
        Self(child, format!("http://127.0.0.1:{}", port.trim()))
    }
}

impl Drop for FileServer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_installer_installs_what_it_has_the_digest_of() {
    const TEST: &str = "the_installer_installs_what_it_has_the_digest_of";
    let Some(_env) = TestEnv::find(TEST) else { return };
    let archive = "[[tool.wheelsmith.archive]]\n";
    let project = project(&format!("{archive}{INSTALLER}"));
    project
        .expect(2, &["pack", "installer", "--target", GNU])
        .says(&["`demo-box-installer.sh` is for 3 targets"]);
    let run = project.expect(0, &["pack", "installer", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(json["packages"][0]["kind"], "installer");
    assert_eq!(json["packages"][0]["mode"], "0755");
    let dist = project.path().join("dist");
    let script = dist.join("demo-box-installer.sh");
    let text = fs::read_to_string(&script).unwrap();
    assert!(text.contains("url='http://127.0.0.1:1/v1.2.0-rc.1'"), "{text}");
    assert_eq!(fs::metadata(&script).unwrap().permissions().mode() & 0o777, 0o755);
    for line in ["sh -n", "dash -n", "bash --posix -n", "shellcheck -s sh"] {
        let mut words = line.split(' ');
        let program = words.next().unwrap();
        if Command::new(program).arg("--version").output().is_ok() {
            content(Command::new(program).args(words).arg(&script));
        }
    }
    let server = FileServer::serve(&dist);
    let to = project.path().join("prefix dir");
    let install = |more: &[&str]| {
        let mut command = Command::new("sh");
        command.arg(&script).args(["--url", &server.1, "--to"]).arg(&to).args(more);
        Run::of(command.current_dir(project.path()).env_remove("HOME"))
    };
    install(&[])
        .expect(0)
        .answers(&["installed 1.2.0-rc.1 for x86_64-unknown-linux-gnu", "to PATH"]);
    let program = to.join("bin/answer");
    assert_eq!(content(&mut Command::new(&program)).stdout, "42\n");
    // A second run replaces the first; nothing else is left.
    let first = fs::read_link(&program).unwrap();
    install(&[]).expect(0);
    assert_ne!(fs::read_link(&program).unwrap(), first);
    let home = to.join("lib/demo-box");
    assert_eq!(fs::read_dir(&home).unwrap().count(), 1);
    // Files of others are not touched.
    fs::create_dir(home.join("mine")).unwrap();
    install(&["--target", MUSL]).expect(0).answers(&["for x86_64-unknown-linux-musl"]);
    assert_eq!(fs::read_dir(&home).unwrap().count(), 2);
    install(&[]).expect(0);
    // What does not match is refused, and what is installed stays.
    let kept = fs::read_link(&program).unwrap();
    let refused = |parts: &[&str], args: &[&str]| {
        let run = install(args).expect(1);
        assert_eq!(fs::read_link(&program).unwrap(), kept, "{}", run.stderr);
        assert_eq!(fs::read_dir(&home).unwrap().count(), 2, "{}", run.stderr);
        run.says(parts);
    };
    let file = dist.join(format!("demo-box-1.2.0-rc.1-{GNU}.tar.gz"));
    let good = fs::read(&file).unwrap();
    for bytes in [&b""[..], &good[..good.len() - 1], &[&good[..], b"x"].concat()] {
        fs::write(&file, bytes).unwrap();
        refused(&["has the SHA-256", "nothing was installed"], &[]);
    }
    fs::remove_file(&file).unwrap();
    refused(&["cannot download"], &[]);
    fs::write(&file, &good).unwrap();
    refused(
        &["there is no archive for s390x", "there are: aarch64-unknown"],
        &["--target", "s390x"],
    );
    refused(&["unknown argument --root"], &["--root"]);
    refused(&["--target needs a value"], &["--target"]);
    // A script that was cut short does nothing.
    let cut = project.path().join("cut.sh");
    for part in [text.len() / 2, text.len() - 12] {
        fs::write(&cut, &text[..part]).unwrap();
        let mut command = Command::new("sh");
        command.arg(&cut).args(["--url", &server.1, "--to"]).arg(project.path().join("other"));
        let _ = Run::of(&mut command);
        assert!(!project.path().join("other").exists(), "{part} bytes installed something");
    }
    install(&[]).expect(0);
}

#[test]
fn an_installer_needs_an_archive_that_systems_can_unpack() {
    let check = |tables: &str, parts: &[&str]| {
        project(tables).expect(2, &["pack", "installer", "--dry-run"]).says(parts);
    };
    check(INSTALLER, &["there is no archive to install"]);
    let archive = "[[tool.wheelsmith.archive]]\nname = 'tools'\n";
    check(
        &format!("{archive}{INSTALLER}archive = 'tool'\n"),
        &["there is no archive with the name `tool`", "did you mean `tools`?"],
    );
    check(&format!("{archive}{INSTALLER}{INSTALLER}"), &["another installer has the same name"]);
    for url in ["ftp://a/b", "https://", "https:///x", "https://a/$(id)", "https://a/'b", "a b"] {
        let url = format!("[[tool.wheelsmith.installer]]\nurl = \"{url}\"\n");
        check(&format!("{archive}{url}"), &["is not the URL of a directory"]);
    }
    check(&format!("{archive}[[tool.wheelsmith.installer]]\n"), &["missing field `url`"]);
    if TestEnv::find("an_installer_needs_an_archive_that_systems_can_unpack").is_some() {
        let archive = "[[tool.wheelsmith.archive]]\nformat = 'tar.zst'\n";
        let project = project(&format!("{archive}{INSTALLER}"));
        project.expect(2, &["pack", "--target", GNU, "--partial"]).says(&["is not a `.tar.gz`"]);
    }
}

#[test]
fn binstall_metadata_is_printed_and_checked() {
    let files = |metadata: &str| {
        let project = Sandbox::with(&[
            (
                "wheelsmith.toml",
                "[project]\nname = 'rusty'\nversion = '0.3.0'\n[tool.wheelsmith]\nwheel = []\n\
                 targets = ['x86_64-unknown-linux-gnu', 'aarch64-apple-darwin', \
                 'x86_64-pc-windows-gnu']\n[[tool.wheelsmith.archive]]\n\
                 [[tool.wheelsmith.component]]\nname = 'rusty'\nkind = 'cargo'\n\
                 artifacts = [{ bin = 'rusty' }]\n",
            ),
            ("src/main.rs", "fn main() {}\n"),
        ]);
        let manifest = format!(
            "[package]\nname = 'rusty'\nversion = '0.3.0'\nrepository = 'https://example.com/r'\n\
             {metadata}"
        );
        project.write("Cargo.toml", &manifest);
        project
    };
    let run = files("").expect(1, &["pack", "archive", "--binstall", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let table = json["binstall"][0]["table"].as_str().unwrap();
    assert!(table.contains("v{ version }/rusty-{ version }-{ target }.tar.gz\""), "{table}");
    assert!(table.contains("[package.metadata.binstall.overrides.x86_64-pc-windows-gnu]"));
    // What is printed is what is wanted.
    files(table).expect(0, &["pack", "archive", "--binstall"]).answers(&["finds every archive"]);
    files(&table.replace("bin/{ bin }", "{ bin }"))
        .expect(1, &["pack", "archive", "--binstall"])
        .answers(&["`bin-dir` for x86_64-unknown-linux-gnu gives", "needs"]);
    files(&table.replace("zip", "tgz"))
        .expect(1, &["pack", "archive", "--binstall"])
        .answers(&["`pkg-fmt` for x86_64-pc-windows-gnu gives `tgz`, not `zip`"]);
    project(ARCHIVES).expect(0, &["pack", "--binstall"]).answers(&["no archive has a program"]);
}
