//! Tests of trees: a stand-in installation with one place of each kind in which installations name
//! their prefix. It is scanned, rewritten, packed, moved and run; each fix is switched off in turn.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests are a world of their own"
)]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use support::{Sandbox, content, repository};

const PREFIX: &str = "/opt/demo";
const BUILD: &str = "/home/builder/demo";
const STEM: &str = "demo-1.0.0-x86_64-unknown-linux-gnu";

/// Kinds that are rewritten; the other kinds of the stand-in are named in `allow`.
const FIXED: [&str; 11] = [
    "byte-code",
    "cmake",
    "config-script",
    "libtool",
    "link-target",
    "makefile",
    "pkg-config",
    "run-path",
    "script",
    "shebang",
    "sysconfig",
];

/// Returns a project with the stand-in, whose tree has these further keys.
fn project(keys: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    let stage = sandbox.path().join("stage");
    let script = repository().join("testdata/tree/stand-in.sh");
    content(Command::new(script).arg(stage).args([PREFIX, BUILD]));
    configure(&sandbox, keys);
    sandbox
}

fn configure(sandbox: &Sandbox, keys: &str) {
    sandbox.write(
        "wheelsmith.toml",
        &format!(
            r#"
[project]
name = "demo"
version = "1.0"

[tool.wheelsmith]
wheel = []
targets = ["x86_64-unknown-linux-gnu"]

[[tool.wheelsmith.tree]]
dir = "stage"
prefix = "{PREFIX}"
build-dirs = ["{BUILD}"]
expect = ["bin/tool", "lib/libdemo.so*", "var/empty"]
allow = [
  {{ path = "bin/tool*", kind = "rodata", reason = "a fallback that is read last" }},
  {{ path = "lib/demo/loaded", kind = "interpreter", reason = "started by its loader" }},
  {{ path = "share/**", kind = "text", reason = "documentation" }},
  {{ path = "share/**", kind = "compressed", reason = "documentation" }},
]
variants = {{ install = {{ exclude = ["**/*.a", "**/*.o"] }} }}
{keys}

[[tool.wheelsmith.tree.test]]
run = ["bin/tool", "works"]
output = "demo 42 works"
[[tool.wheelsmith.tree.test]]
run = ["bin/tool-again"]
[[tool.wheelsmith.tree.test]]
run = ["bin/shtool"]
output = "demo 42 {{tree}}/lib"
[[tool.wheelsmith.tree.test]]
run = ["bin/pytool", "x"]
output = "interpreted {{tree}}/bin/pytool"
[[tool.wheelsmith.tree.test]]
run = ["bin/perltool", "x"]
output = "interpreted {{tree}}/bin/perltool"
[[tool.wheelsmith.tree.test]]
run = ["bin/demo-config", "--libs"]
output = "-L{{tree}}/lib -ldemo"
"#
        ),
    );
}

fn json(sandbox: &Sandbox, code: i32, args: &[&str]) -> Value {
    let args = [args, &["--format", "json"]].concat();
    serde_json::from_str(&sandbox.expect(code, &args).stdout).unwrap()
}

/// Returns the values of `key` in a list.
fn values<'v>(list: &'v Value, key: &str) -> BTreeSet<&'v str> {
    list.as_array().unwrap().iter().map(|entry| entry[key].as_str().unwrap()).collect()
}

/// Returns the files below `dir` that contain one of `texts`, as grep finds them.
fn grep(dir: &Path, texts: &[&str]) -> BTreeSet<String> {
    let mut command = Command::new("grep");
    command.args(["-rlaF"]).args(texts.iter().flat_map(|text| ["-e", *text]));
    let output = command.arg(".").current_dir(dir).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| line.trim_start_matches("./").to_owned()).collect()
}

/// Unpacks the archive below a path with a space and an umlaut, and returns the tree.
fn unpacked(sandbox: &Sandbox) -> PathBuf {
    let place = sandbox.path().join("a b/ü");
    fs::create_dir_all(&place).unwrap();
    let archive = sandbox.path().join(format!("dist/{STEM}.tar.gz"));
    content(Command::new("tar").arg("-xf").arg(archive).current_dir(&place));
    place.join("demo")
}

#[test]
fn a_scan_misses_no_file_that_grep_finds() {
    let check = |dir: &Path, prefixes: &[&str]| {
        let sandbox = Sandbox::new();
        let mut args = vec!["tree", "scan", dir.to_str().unwrap()];
        args.extend(prefixes.iter().flat_map(|prefix| ["--prefix", *prefix]));
        args.extend(["--format", "json"]);
        // Test suites contain damaged archives, which are not searched inside.
        let run = sandbox.run(&args);
        let scan: Value = serde_json::from_str(&run.stdout).unwrap();
        let found = values(&scan["found"], "path");
        let expected = grep(dir, prefixes);
        let missed: Vec<_> =
            expected.iter().filter(|path| !found.contains(path.as_str())).collect();
        assert!(missed.is_empty() && !expected.is_empty(), "{}: {missed:?}", dir.display());
    };
    let project = project("");
    check(&project.path().join("stage"), &[PREFIX, BUILD]);
    for (dir, prefix) in [("/usr/lib/python3", "/usr"), ("/usr/share/perl", "/usr")] {
        if Path::new(dir).is_dir() && !grep(Path::new(dir), &[prefix]).is_empty() {
            check(Path::new(dir), &[prefix]);
        }
    }
}

#[test]
fn a_scan_finds_each_kind_and_fails_if_strict() {
    let project = project("");
    let args = ["tree", "scan", "stage", "--prefix", PREFIX, "--prefix", BUILD];
    let scan = json(&project, 0, &args);
    let mut kinds: BTreeSet<&str> = FIXED.into();
    kinds.extend(["archive", "compressed", "debug", "interpreter", "rodata", "text"]);
    assert_eq!(values(&scan["found"], "kind"), kinds);
    json(&project, 1, &[&args[..], &["--strict"]].concat());
    // The same in an archive.
    content(
        Command::new("tar")
            .args(["-czf", "x.tgz", "--exclude=share/library", "-C", "stage", "."])
            .current_dir(project.path()),
    );
    let packed =
        json(&project, 0, &["tree", "scan", "x.tgz", "--prefix", PREFIX, "--prefix", BUILD]);
    kinds.remove("link-target");
    assert_eq!(values(&packed["found"], "kind"), kinds);
    let error = project.expect(2, &["tree", "scan", "stage", "--prefix", "/"]);
    assert!(error.stderr.contains("absolute path"), "{}", error.stderr);
}

#[test]
fn a_tree_runs_wherever_it_is_unpacked() {
    let project = project("formats = ['tar.gz', 'tar.zst']");
    project.expect(0, &["tree", "build"]);
    let archives = ["tar.gz", "tar.zst"].map(|end| format!("dist/{STEM}.{end}"));
    let report = json(&project, 0, &["tree", "test", &archives[0], &archives[1]]);
    for archive in report["archives"].as_array().unwrap() {
        let outcomes = values(&archive["checks"], "outcome");
        assert!(outcomes.contains("passed") && !outcomes.contains("failed"), "{archive:#}");
    }
    content(
        Command::new("sha256sum")
            .args(["--check", &format!("{STEM}.sha256")])
            .current_dir(project.path().join("dist")),
    );
    let tree = unpacked(&project);
    // Allowed files alone name the prefix; compressed ones are not seen by grep.
    let allowed = ["bin/tool", "lib/demo/loaded", "share/doc/README"].map(str::to_owned);
    assert_eq!(grep(&tree, &[PREFIX, BUILD]), allowed.into());
    let dynamic =
        |file: &str| content(Command::new("readelf").arg("-d").arg(tree.join(file))).stdout;
    assert!(dynamic("bin/tool").contains("runpath: [$ORIGIN/../lib]"));
    assert!(!dynamic("lib/libdemo.so.1").contains("runpath"));
    let place = tree.to_str().unwrap();
    let make = content(
        Command::new("make").args(["-sf", "Makefile", "libs"]).current_dir(tree.join("lib/demo")),
    );
    assert!(make.stdout.contains("cc -pthread"), "{}", make.stdout);
    let code = "import _sysconfigdata__stand_in as s, json; print(json.dumps(s.build_time_vars))";
    let mut python = Command::new("python3");
    python
        .args(["-c", code])
        .env("PYTHONPATH", tree.join("lib/python3.11"))
        .env("PYTHONDONTWRITEBYTECODE", "1");
    let variables: Value = serde_json::from_str(&content(&mut python).stdout).unwrap();
    let lib = format!("{place}/lib");
    assert_eq!(variables["prefix"], place);
    assert_eq!(variables["LIBDIR"], lib);
    assert_eq!(variables["CC"], "cc -pthread");
    assert_eq!(variables["LDSHARED"], format!("cc -shared '-L{lib}'"));
    assert_eq!(variables["INSTALL"], "/usr/bin/install -c");
    assert_eq!(variables["abs_srcdir"], "");
    // Another Python reads the text, without a file.
    let code = "exec(open(__import__('sys').argv[1]).read(), d := {}); print(d['build_time_vars']['prefix'])";
    let file = tree.join("lib/python3.11/_sysconfigdata__stand_in.py");
    assert_eq!(content(Command::new("python3").args(["-c", code]).arg(file)).stdout, "/install\n");
    let mut pkg_config = Command::new("pkg-config");
    pkg_config.args(["--libs", "demo"]).env("PKG_CONFIG_PATH", tree.join("lib/pkgconfig"));
    match pkg_config.output() {
        Ok(output) => {
            // It escapes each byte of a letter.
            let bytes = output.stdout.into_iter().filter(|byte| *byte != b'\\').collect();
            let flags = String::from_utf8(bytes).unwrap();
            assert!(flags.starts_with(&format!("-L{place}/lib/pkgconfig/../../lib")), "{flags}");
            assert!(!flags.contains(BUILD), "{flags}");
        }
        Err(error) => eprintln!("skipped pkg-config: {error}"),
    }
}

#[test]
fn programs_without_a_run_path_find_the_libraries_of_the_tree() {
    let project = project("");
    let stage = project.path().join("stage");
    project.write("main.c", "int demo(void);\nint main(void) { return demo() != 42; }\n");
    let mut cc = Command::new("cc");
    cc.arg("main.c").arg("-L").arg(stage.join("lib")).args(["-ldemo", "-o", "stage/bin/bare"]);
    content(cc.current_dir(project.path()));
    let built = json(&project, 0, &["tree", "build"]);
    let report = &built["targets"][0]["trees"][0]["report"];
    assert_eq!(report["linked"], serde_json::json!(["bin/bare"]));
    content(&mut Command::new(unpacked(&project).join("bin/bare")));
}

#[test]
fn the_list_is_what_other_readers_see() {
    let project = project("");
    project.expect(0, &["tree", "build"]);
    let dist = project.path().join("dist");
    let list = fs::read_to_string(dist.join(format!("{STEM}.tree.json"))).unwrap();
    let list: Value = serde_json::from_str(&list).unwrap();
    let code = "import sys, tarfile, json, hashlib\n\
                out = []\n\
                for m in tarfile.open(sys.argv[1]):\n    \
                e = {'path': m.name.split('/', 1)[1]}\n    \
                e['type'] = 'directory' if m.isdir() else 'link' if m.issym() else 'file'\n    \
                if m.issym(): e['target'] = m.linkname\n    \
                if m.isfile():\n        \
                data = tarfile.open(sys.argv[1]).extractfile(m.name).read()\n        \
                e['executable'] = m.mode == 0o755\n        \
                e['size_bytes'] = m.size\n        \
                e['sha256'] = hashlib.sha256(data).hexdigest()\n    \
                assert m.uid == m.gid == 0 and m.mtime == 315532800, m.name\n    \
                out.append(e)\n\
                print(json.dumps(out))";
    let archive = dist.join(format!("{STEM}.tar.gz"));
    let seen = content(Command::new("python3").args(["-c", code]).arg(archive)).stdout;
    assert_eq!(list["nodes"], serde_json::from_str::<Value>(&seen).unwrap());
    let of = |path: &str| {
        let nodes = list["nodes"].as_array().unwrap();
        nodes.iter().find(|node| node["path"] == path).unwrap_or_else(|| panic!("{path}"))
    };
    assert_eq!(of("var/empty")["type"], "directory");
    assert_eq!(of("bin/tool-again")["target"], "tool");
    assert_eq!(of("share/library")["target"], "../lib/libdemo.so.1");
    assert_eq!(values(&list["removed"], "kind"), ["byte-code", "libtool"].into());
}

#[test]
fn each_fix_that_is_switched_off_leaves_its_kind() {
    let project = project("");
    for kind in FIXED {
        configure(&project, &format!("leave = ['{kind}']"));
        let built = json(&project, 1, &["tree", "build"]);
        let tree = &built["targets"][0]["trees"][0];
        assert_eq!(values(&tree["report"]["left"], "kind"), [kind].into(), "{kind}");
        assert_eq!(tree["files"], serde_json::json!([]), "{kind}");
    }
    // Without `allow`, what may not change stays, and nothing is written.
    configure(&project, "");
    let text = fs::read_to_string(project.path().join("wheelsmith.toml")).unwrap();
    project.write("wheelsmith.toml", &text.replace("path = \"bin/tool*\"", "path = \"none\""));
    let run = project.expect(1, &["tree", "build"]);
    assert!(run.stdout.contains("bin/tool  rodata  1"), "{}", run.stdout);
    assert!(run.stdout.contains("not written"), "{}", run.stdout);
}

#[test]
fn the_same_bytes_come_from_any_directory() {
    let build = |umask: &str, zone: &str, jobs: &str| {
        let project = project("formats = ['tar.gz', 'tar.zst', 'zip']\n");
        // Links that zip archives cannot have.
        for link in ["lib/libdemo.so", "bin/tool-again", "share/library"] {
            fs::remove_file(project.path().join("stage").join(link)).unwrap();
        }
        let line = format!("umask {umask} && exec \"$0\" tree build -j {jobs}");
        let mut command = Command::new("sh");
        command.args(["-c", &line]).arg(support::program()).env("TZ", zone);
        content(command.current_dir(project.path()));
        let names = ["tar.gz", "tar.zst", "zip", "tree.json", "cdx.json"];
        names.map(|end| fs::read(project.path().join(format!("dist/{STEM}.{end}"))).unwrap())
    };
    assert!(build("022", "UTC", "1") == build("077", "Asia/Tokyo", "3"));
}

#[test]
fn what_no_archive_may_have_is_refused() {
    let check = |line: &str, keys: &str, expected: &str| {
        let project = project(keys);
        let mut command = Command::new("sh");
        content(command.args(["-ec", line]).current_dir(project.path().join("stage")));
        let run = project.expect(1, &["tree", "build"]);
        assert!(run.stdout.contains(expected), "{line}: {}", run.stdout);
        assert!(!project.path().join("dist").join(format!("{STEM}.tar.gz")).exists());
    };
    check("ln -s ../../etc/passwd bin/out", "", "the link `bin/out` leaves the tree");
    check("ln -s absent bin/out", "", "the link `bin/out` leads nowhere");
    check("mkfifo bin/pipe", "", "`bin/pipe` is a pipe");
    check("chmod u+s bin/tool", "", "runs with the rights of its owner");
    check("touch 'bin/a\\b'", "", "has a name that other systems do not have");
    check("rm bin/tool bin/tool-again", "", "no file is `bin/tool`");
    check("rm -rf ./*", "", "it contains no file");
    let elf = repository().join("testdata/elf/aarch64.so");
    let copy = format!("cp '{}' lib/foreign.so", elf.display());
    check(&copy, "", "`lib/foreign.so` is for linux on aarch64");
    check("ln -s ../lib bin/lib", "formats = ['zip']", "a zip archive cannot have the link");
}

#[test]
fn a_directory_for_one_target_is_not_packed_for_several() {
    let project = project("");
    let targets = ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"];
    let args = ["tree", "build", "--target", targets[0], "--target", targets[1]];
    let error = project.expect(2, &args);
    assert!(error.stderr.contains("`{triple}`"), "{}", error.stderr);
    let text = fs::read_to_string(project.path().join("wheelsmith.toml")).unwrap();
    let text = text.replace("dir = \"stage\"", "dir = \"stage/{triple}\"");
    project.write("wheelsmith.toml", &text);
    // Each target has its own directory, and its own files.
    let stage = project.path().join("stage");
    fs::rename(&stage, project.path().join(targets[0])).unwrap();
    fs::create_dir(&stage).unwrap();
    fs::rename(project.path().join(targets[0]), stage.join(targets[0])).unwrap();
    content(Command::new("cp").args(["-a", targets[0], targets[1]]).current_dir(&stage));
    let built = json(&project, 1, &args);
    let problems = built["targets"][1]["trees"][0]["problems"].to_string();
    assert!(problems.contains("is for linux on x86_64"), "{problems}");
    assert_eq!(built["targets"][0]["trees"][0]["problems"], serde_json::json!([]));
}

#[test]
fn byte_code_without_a_source_is_kept() {
    let project = project("");
    let dir = project.path().join("stage/lib/python3.11");
    let code = format!("\u{1}\u{2}{PREFIX}/lib/python3.11/alone.py\0");
    fs::write(dir.join("alone.pyc"), &code).unwrap();
    fs::write(dir.join("__pycache__/twice.cpython-311.pyc"), &code).unwrap();
    let [one, other] =
        ["twice", "thrice"].map(|n| dir.join(format!("__pycache__/{n}.cpython-311.pyc")));
    fs::hard_link(one, other).unwrap();
    let built = json(&project, 1, &["tree", "build"]);
    let report = &built["targets"][0]["trees"][0]["report"];
    assert_eq!(values(&report["left"], "path"), ["lib/python3.11/alone.pyc"].into());
    let removed = values(&report["removed"], "path");
    for name in ["twice", "thrice"] {
        let path = format!("lib/python3.11/__pycache__/{name}.cpython-311.pyc");
        assert!(removed.contains(path.as_str()), "{removed:?}");
    }
}

#[test]
fn a_command_that_may_fail_proves_nothing() {
    let project = project("");
    let text = fs::read_to_string(project.path().join("wheelsmith.toml")).unwrap();
    let (text, _) = text.split_once("[[tool.wheelsmith.tree.test]]").unwrap();
    let command = "[[tool.wheelsmith.tree.test]]\nrun = ['bin/absent']\nmay-fail = true\n";
    project.write("wheelsmith.toml", &format!("{text}{command}"));
    project.expect(0, &["tree", "build"]);
    let run = project.expect(1, &["tree", "test", &format!("dist/{STEM}.tar.gz")]);
    assert!(run.stdout.contains("no command passed"), "{}", run.stdout);
}
