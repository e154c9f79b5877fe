//! `wheelsmith store` as its users run it.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "tests are a world of their own"
)]

mod support;

use std::fs;

use support::{Run, Sandbox};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

const ARM: &str = "aarch64-unknown-linux-gnu";
const X86: &str = "x86_64-unknown-linux-gnu";

/// A directory with a store and two files to put.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::with(&[
        ("dist/demo-1.0.tar.gz", "one"),
        ("dist/run.sh", "two"),
        ("other/demo-1.0.tar.gz", "another"),
    ]);
    sandbox.expect(0, &["store", "init", "s"]);
    sandbox
}

fn put<'a>(dir: &'a str, slot: &'a str) -> Vec<&'a str> {
    vec![
        "store",
        "put",
        dir,
        "--store",
        "s",
        "--project",
        "demo",
        "--version",
        "1.0",
        "--commit",
        COMMIT,
        "--slot",
        slot,
    ]
}

fn json(run: &Run) -> serde_json::Value {
    serde_json::from_str(&run.stdout).unwrap()
}

#[test]
fn a_commit_gets_its_sets_and_never_other_ones() {
    let sandbox = sandbox();
    let first = sandbox.expect(0, &[&put("dist", "any")[..], &["--format", "json"]].concat());
    let first = json(&first);
    assert_eq!((&first["moved"]["files"], &first["moved"]["bytes"]), (&2.into(), &6.into()));
    let again = sandbox.expect(0, &[&put("dist", "any")[..], &["--format", "json"]].concat());
    assert_eq!(json(&again)["moved"]["files"], 0);
    assert_eq!(json(&again)["set"], first["set"]);
    let conflict = sandbox.expect(2, &put("other", "any"));
    let one = first["set"].as_str().unwrap();
    conflict.says(&[one, "cannot be changed to sha256:"]);
    let store = ["--store", "s", "--commit", COMMIT];
    let complete = [&["store", "complete"][..], &store, &["--slot", "any", "--slot", ARM]].concat();
    sandbox.expect(1, &complete).answers(&[&format!("missing {ARM}")]);
    sandbox.expect(0, &put("other", ARM));
    sandbox.expect(0, &complete).answers(&["complete"]);
    sandbox.expect(0, &[&["store", "ls"][..], &store].concat()).answers(&["2 sets", one]);
    let get = [&["store", "get"][..], &store].concat();
    sandbox.expect(2, &[&get[..], &["--out", "out"]].concat()).says(&["two files"]);
    sandbox.expect(0, &[&get[..], &["--out", "out", "--slot", "any"]].concat());
    assert_eq!(fs::read_to_string(sandbox.path().join("out/run.sh")).unwrap(), "two");
    sandbox.expect(2, &[&get[..], &["--slot", X86]].concat()).says(&["no set", X86]);
    sandbox.expect(2, &[&get[..], &["--slot", "y"]].concat()).says(&["y"]);
    let floor = format!("{ARM}.2.28");
    sandbox.expect(2, &[&get[..], &["--slot", &floor]].concat()).says(&["a slot has no floor"]);
    let other = "f".repeat(40);
    sandbox.expect(1, &["store", "ls", "--store", "s", "--commit", &other]).answers(&["no set"]);
    // A set with an absent file is not complete.
    fs::remove_file(walk(&sandbox.path().join("s/cas"))).unwrap();
    sandbox.expect(2, &complete).says(&["does not have the file"]);
}

#[test]
fn a_bundle_and_a_pin_and_faults() {
    let sandbox = sandbox();
    let stored =
        json(&sandbox.expect(0, &[&put("dist", "any")[..], &["--format", "json"]].concat()));
    let set = stored["set"].as_str().unwrap().to_owned();
    sandbox
        .expect(0, &["store", "export", "--store", "s", "--commit", COMMIT, "--bundle", "b.tar"]);
    sandbox.expect(0, &["store", "init", "t"]);
    sandbox.expect(0, &["store", "import", "--store", "t", "--bundle", "b.tar"]);
    sandbox
        .expect(0, &["store", "ls", "--store", "t"])
        .answers(&[&format!("commit/{COMMIT}/any.json")]);
    sandbox.expect(0, &["store", "pin", "good", &set, "--store", "t"]);
    sandbox.expect(0, &["store", "gc", "--store", "t"]).answers(&["everything is kept"]);
    let wrong = ["store", "gc", "--store", "t", "--apply", &"0".repeat(64)];
    sandbox.expect(2, &wrong).says(&["the list of what would be deleted changed"]);
    sandbox.expect(0, &["store", "pin", "good", "--remove", "--store", "t"]);
    sandbox.expect(2, &["store", "pin", "good", "--remove", "--store", "t"]).says(&["no pin"]);
    let other = json(&sandbox.expect(0, &[&put("other", ARM)[..], &["--format", "json"]].concat()));
    let diff = ["store", "diff", &set, other["set"].as_str().unwrap(), "--store", "s"];
    sandbox.expect(1, &diff).answers(&["- run.sh", "~ slot"]);
    sandbox.expect(0, &["store", "verify", "--store", "t"]).answers(&["no faults"]);
    let blob = walk(&sandbox.path().join("t/cas"));
    fs::write(&blob, "damaged").unwrap();
    sandbox.expect(1, &["store", "verify", "--store", "t"]).answers(&["fault", "its sha256 is"]);
    let get = ["store", "get", "--store", "t", "--commit", COMMIT, "--out", "out"];
    sandbox.expect(2, &get).says(&["is damaged", "store verify"]);
    sandbox.expect(2, &["store", "ls", "--store", "absent"]).says(&["store init absent"]);
}

#[test]
fn a_commit_is_that_of_the_checkout() {
    let sandbox = sandbox();
    let git = |args: &[&str]| {
        let mut command = std::process::Command::new("git");
        let dir = sandbox.path().join("p");
        let user = ["-c", "user.name=a", "-c", "user.email=a@b.c"];
        assert!(command.args(user).args(args).current_dir(dir).status().unwrap().success());
    };
    sandbox.write("p/dist/a.txt", "a");
    git(&["init", "--quiet"]);
    git(&["add", "."]);
    git(&["commit", "--quiet", "-m", "one"]);
    // The commit is that of the project, not of the current directory.
    let complete = ["store", "complete", "p", "--store", "s", "--slot", "any"];
    sandbox.expect(1, &complete).answers(&["missing any"]);
    let project = Sandbox::at(&sandbox.path().join("p"));
    let put =
        ["store", "put", "--store", "../s", "--project", "demo", "--version", "1", "--commit"];
    project.expect(2, &[&put[..], &[COMMIT]].concat()).says(&["checked out"]);
    project.write("dist/b.txt", "b");
    project.expect(2, &put).says(&["--allow-dirty"]);
    fs::remove_file(project.path().join("dist/b.txt")).unwrap();
    let mut command = project.command(&put);
    command.env("WHEELSMITH_PROJECT_COMMIT", COMMIT);
    Run::of(&mut command).expect(2).says(&["built from"]);
    project.expect(0, &put);
    sandbox.expect(0, &complete).answers(&["complete"]);
}

#[test]
#[cfg(unix)]
fn hidden_files_are_stored_and_pipes_are_refused() {
    let sandbox = sandbox();
    sandbox.write("dist/.hidden", "h");
    sandbox.expect(0, &put("dist", "any")).answers(&["3 files"]);
    let pipe = sandbox.path().join("dist/pipe");
    assert!(std::process::Command::new("mkfifo").arg(pipe).status().unwrap().success());
    sandbox.expect(2, &put("dist", ARM)).says(&["is a pipe"]);
}

/// Returns the first file below a directory.
fn walk(dir: &std::path::Path) -> std::path::PathBuf {
    let entry = fs::read_dir(dir).unwrap().next().unwrap().unwrap().path();
    if entry.is_dir() { walk(&entry) } else { entry }
}

/// A project of a library, another that links to it, and a program, in which `cc` counts its
/// compilations and links in `count`.
#[cfg(target_os = "linux")]
fn machine() -> Sandbox {
    let sandbox = Sandbox::with(&[
        (
            "pyproject.toml",
            r#"
[project]
name = "demo"
version = "1.0"

[tool.wheelsmith]
targets = ["x86_64-unknown-linux-gnu.2.36"]

[[tool.wheelsmith.component]]
name = "base"
kind = "c-static"
source = { path = "base" }
sources = [{ files = ["*.c"], include = ["include"] }]
headers = [{ files = ["include/*.h"] }]

[[tool.wheelsmith.component]]
name = "top"
kind = "c-shared"
source = { path = "top" }
sources = [{ files = ["*.c"] }]
link = ["base"]

[[tool.wheelsmith.component]]
name = "prog"
kind = "c-executable"
source = { path = "prog" }
sources = [{ files = ["*.c"] }]
link = ["top"]

[[tool.wheelsmith.wheel]]
components = ["top", "prog"]
into = "demo/_runtime"
python-source = "src"
include = ["demo/**"]
"#,
        ),
        ("base/base.c", "#include \"base.h\"\nint base(void) { return BASE; }\n"),
        ("base/include/base.h", "#define BASE 1\nint base(void);\n"),
        (
            "top/top.c",
            "#include <stdio.h>\n#include <base.h>\nint top(void) { return base() + BASE; }\n",
        ),
        ("prog/main.c", "int top(void);\nint main(void) { return top(); }\n"),
        ("src/demo/__init__.py", ""),
        (
            "cc",
            "#!/bin/sh\nfor a; do case $a in -c|-o) echo \"$@\" >> \"${0%/*}/count\";; esac; done\nexec gcc \"$@\"\n",
        ),
    ]);
    let mut mode = fs::metadata(sandbox.path().join("cc")).unwrap().permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut mode, 0o755);
    fs::set_permissions(sandbox.path().join("cc"), mode).unwrap();
    sandbox
}

/// Builds on a machine, and returns the number of compilations and the wheel.
#[cfg(target_os = "linux")]
fn build(machine: &Sandbox, args: &[&str]) -> (usize, Vec<u8>, Run) {
    let count = machine.path().join("count");
    let _ = fs::remove_file(&count);
    let mut command = machine.command(&[&["build"], args].concat());
    let cache = machine.path().join("cache");
    command.env("CC_x86_64_unknown_linux_gnu", machine.path().join("cc"));
    command.env("WHEELSMITH_CACHE_DIR", cache).env("TZ", "Asia/Tokyo");
    let run = Run::of(&mut command).expect(0);
    let compiled = fs::read_to_string(&count).unwrap_or_default().lines().count();
    let [wheel] = &machine.dist()[..] else { panic!("no wheel") };
    (compiled, fs::read(wheel).unwrap(), run)
}

#[test]
#[cfg(target_os = "linux")]
fn a_second_machine_compiles_nothing() {
    let Some(_env) = support::TestEnv::find("a_second_machine_compiles_nothing") else { return };
    let store = Sandbox::new();
    store.expect(0, &["store", "init", "s"]);
    let url = store.path().join("s");
    let url = url.to_str().unwrap();
    let (compiled, plain, _) = build(&machine(), &[]);
    assert!(compiled >= 6, "{compiled}");
    // Without `--store-push` nothing is stored.
    let (_, bytes, _) = build(&machine(), &["--store", url]);
    assert!(bytes == plain);
    store.expect(0, &["store", "verify", "--store", "s"]).answers(&["0 references, 0 sets"]);
    let (compiled, bytes, _) = build(&machine(), &["--store", url, "--store-push"]);
    assert!(bytes == plain && compiled >= 6);
    store.expect(0, &["store", "verify", "--store", "s"]).answers(&["3 references"]);
    let second = machine();
    let (compiled, bytes, run) = build(&second, &["--store", url]);
    assert_eq!((compiled, bytes == plain), (0, true), "{}{}", run.stdout, run.stderr);
    // A changed header is another key for all who use it, and not for the program.
    second.write("base/include/base.h", "#define BASE 2\nint base(void);\n");
    let (compiled, changed, _) = build(&second, &["--store", url]);
    assert!(compiled > 0 && changed != plain);
    let fresh = machine();
    fresh.write("base/include/base.h", "#define BASE 2\nint base(void);\n");
    assert!(build(&fresh, &[]).1 == changed);
    // A damaged file is a miss with a warning, and the next writer replaces it.
    for file in files(&store.path().join("s/cas")) {
        let text = fs::read(&file).unwrap();
        fs::write(&file, &text[..text.len() / 2]).unwrap();
    }
    let (compiled, bytes, run) = build(&machine(), &["--store", url, "--store-push"]);
    assert!(compiled >= 6 && bytes == plain);
    run.says(&["is not taken from the store", "is damaged"]);
    store.expect(0, &["store", "verify", "--store", "s"]).answers(&["no faults"]);
    assert_eq!(build(&machine(), &["--store", url]).0, 0);
}

#[test]
#[cfg(target_os = "linux")]
fn a_header_outside_decides_what_is_linked_too() {
    let Some(_env) = support::TestEnv::find("a_header_outside_decides_what_is_linked_too") else {
        return;
    };
    let machine = machine();
    machine.expect(0, &["store", "init", "s"]);
    // Not beside the compiler, where everything belongs to the toolchain.
    let outside = Sandbox::with(&[("out.h", "#define OUT 1\n")]);
    machine.write("base/base.c", "#include <out.h>\nint base(void) { return OUT; }\n");
    let cc = fs::read_to_string(machine.path().join("cc")).unwrap();
    let include = format!("exec gcc -I'{}'", outside.path().display());
    machine.write("cc", &cc.replace("exec gcc", &include));
    let (_, one, _) = build(&machine, &["--store", "s", "--store-push"]);
    let remove = || fs::remove_dir_all(machine.path().join("target")).unwrap();
    remove();
    let (compiled, bytes, _) = build(&machine, &["--store", "s"]);
    assert_eq!((compiled, bytes == one), (0, true));
    outside.write("out.h", "#define OUT 2\n");
    remove();
    let (_, two, _) = build(&machine, &["--store", "s"]);
    remove();
    let (_, plain, _) = build(&machine, &[]);
    assert!(two == plain && two != one);
}

#[test]
#[cfg(target_os = "linux")]
fn a_commit_gets_what_is_built() {
    let Some(_env) = support::TestEnv::find("a_commit_gets_what_is_built") else { return };
    let machine = machine();
    machine.expect(0, &["store", "init", "s"]);
    let args = ["--store", "s", "--store-push", "--commit", COMMIT];
    let (_, bytes, _) = build(&machine, &args);
    build(&machine, &args);
    let store = ["--store", "s", "--commit", COMMIT];
    machine.expect(0, &[&["store", "complete"][..], &store].concat()).answers(&["complete"]);
    machine.expect(0, &[&["store", "get"][..], &store, &["--out", "got"]].concat());
    let name = machine.dist()[0].file_name().unwrap().to_owned();
    assert!(fs::read(machine.path().join("got").join(name)).unwrap() == bytes);
    let runtime = machine.path().join("got/runtime/x86_64-unknown-linux-gnu");
    assert!(runtime.join("runtime.json").is_file() && runtime.join("lib/libtop.so").exists());
    // Another source under the same commit is refused.
    machine.write("prog/main.c", "int top(void);\nint main(void) { return top() + 1; }\n");
    let mut command = machine.command(&[&["build"][..], &args].concat());
    command.env("CC_x86_64_unknown_linux_gnu", machine.path().join("cc"));
    Run::of(&mut command).expect(2).says(&["cannot be changed to sha256:"]);
}

/// Returns the files below a directory.
#[cfg(target_os = "linux")]
fn files(dir: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}
