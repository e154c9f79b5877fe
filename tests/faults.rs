//! Tests of failing builds: exit code, message, and no incomplete outputs.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests are a world of their own"
)]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use support::{Run, Sandbox, TestEnv};

const NATIVE: &str = "x86_64-unknown-linux-gnu";

/// A project with one C library; `component` is inserted before its sources.
fn c_project(component: &str, c: &str) -> Sandbox {
    let config = format!(
        "[project]\nname = 'demo'\nversion = '1.0'\n\
         [tool.wheelsmith]\ntargets = ['{NATIVE}']\n\
         [[tool.wheelsmith.component]]\nname = 'demo'\nkind = 'c-shared'\n{component}\n\
         [[tool.wheelsmith.component.sources]]\nfiles = ['demo.c']\n"
    );
    Sandbox::with(&[("pyproject.toml", &config), ("demo.c", c), ("src/demo/__init__.py", "")])
}

/// Asserts that a build fails with `code`, prints `parts`, and leaves no wheel.
fn check(sandbox: &Sandbox, args: &[&str], code: i32, parts: &[&str]) -> Run {
    let run = sandbox.expect(code, &[&["build"], args].concat()).says(parts);
    assert_eq!(sandbox.dist(), Vec::<std::path::PathBuf>::new(), "{}", run.stderr);
    run
}

#[test]
fn unreadable_configurations() {
    let none = Sandbox::new();
    check(
        &none,
        &[],
        2,
        &["has neither `wheelsmith.toml` nor `pyproject.toml`", "wheelsmith init"],
    );
    check(&none, &["nowhere"], 2, &["`nowhere` is not there"]);
    let no_toml = Sandbox::with(&[("pyproject.toml", "[project\n")]);
    check(&no_toml, &[], 2, &["pyproject.toml:1:"]);
    let typo = c_project("sonam = 'x'", "int x;");
    check(
        &typo,
        &[],
        2,
        &[
            "pyproject.toml:9:1: `tool.wheelsmith.component[0].sonam`: unknown key `sonam`",
            "did you mean `soname`?",
        ],
    );
    let missing = c_project("version-script = 'demo.map'", "int x;");
    check(
        &missing,
        &[],
        2,
        &["pyproject.toml:9:1: `tool.wheelsmith.component[0].version-script`: there is no file"],
    );
}

#[test]
fn component_cycles() {
    let cycle = c_project("link = ['demo']", "int x;");
    check(&cycle, &[], 2, &["components link to each other in a cycle: `demo` -> `demo`"]);
}

#[test]
fn no_compiler() {
    let project = c_project("", "int x;");
    let mut command = project.command(&["build", "--offline"]);
    command
        .env("PATH", project.path())
        .env("WHEELSMITH_CACHE_DIR", project.path().join("cache"))
        .env_remove("WHEELSMITH_ZIG");
    Run::of(&mut command).expect(2).says(&["zig", "hint"]);
    let wrong = c_project("", "int x;");
    let mut command = wrong.command(&["build"]);
    command.env("WHEELSMITH_ZIG", "/nowhere/zig");
    Run::of(&mut command).expect(2).says(&["/nowhere/zig", "WHEELSMITH_ZIG"]);
}

#[test]
fn compilers_speak_for_themselves() {
    let Some(_env) = TestEnv::find("compilers_speak_for_themselves") else { return };
    let wrong = c_project("", "int answer(void) { return fourty_two; }\n");
    check(
        &wrong,
        &[],
        2,
        &[
            "cannot compile `demo.c` of component `demo` for x86_64-unknown-linux-gnu",
            "use of undeclared identifier 'fourty_two'",
            " -c ",
        ],
    );
    let undefined = c_project("", "int other(void);\nint answer(void) { return other(); }\n");
    check(
        &undefined,
        &[],
        2,
        &[
            "cannot link component `demo`",
            "undefined symbol: other",
            "allow-undefined",
            "the whole command and its output are in `",
        ],
    );
    let log = undefined.path().join("target/wheelsmith").join(NATIVE);
    let log = fs::read_to_string(log.join("components/demo/log/link.log")).unwrap();
    for part in ["$ cd /", "-Wl,-soname,libdemo.so", "undefined symbol: other", "exit status 1"] {
        assert!(log.contains(part), "no `{part}` in\n{log}");
    }
    let plugin = c_project(
        "allow-undefined = true",
        "int other(void);\nint answer(void) { return other(); }\n",
    );
    plugin.expect(0, &["build"]);
}

#[test]
fn one_flipped_byte() {
    let Some(_env) = TestEnv::find("one_flipped_byte") else { return };
    let config = |sha256: &str| {
        format!(
            "[project]\nname = 'demo'\nversion = '1.0'\n\
             [tool.wheelsmith]\ntargets = ['{NATIVE}']\n\
             [[tool.wheelsmith.component]]\nname = 'data'\nkind = 'files'\n\
             source = {{ archive = 'file:///nowhere/data.tar', mirrors = ['file://@/data.tar'], \
             sha256 = '{sha256}', strip-components = 0 }}\n\
             outputs = [{{ from = 'data.txt', role = 'data' }}]\n"
        )
    };
    let sandbox = Sandbox::with(&[("data.txt", "hello"), ("src/demo/__init__.py", "")]);
    let tar = |text: &str| {
        sandbox.write("data.txt", text);
        let dir = sandbox.path().to_str().unwrap();
        let mut command = Command::new("tar");
        command.args(["--mtime=@0", "-C", dir, "-cf", &format!("{dir}/data.tar"), "data.txt"]);
        assert!(command.status().unwrap().success());
        let sum = Command::new("sha256sum").arg(format!("{dir}/data.tar")).output();
        String::from_utf8(sum.unwrap().stdout).unwrap()[..64].to_owned()
    };
    let good = tar("hello");
    let bad = tar("hellp");
    let place = sandbox.path().to_str().unwrap();
    sandbox.write("pyproject.toml", &config(&good).replace('@', place));
    let cache = sandbox.path().join("cache");
    let mut command = sandbox.command(&["build"]);
    command.env("WHEELSMITH_CACHE_DIR", &cache);
    Run::of(&mut command)
        .expect(2)
        .says(&[&format!("expected {good}"), &format!("actual   {bad}")]);
    assert!(sandbox.dist().is_empty());
    let kept = fs::read_dir(cache.join("archives")).map_or(0, Iterator::count);
    assert_eq!(kept, 0, "the bad download was kept");
    // The right content is taken, pinned, and from then on needs no network.
    tar("hello");
    Run::of(&mut command).expect(0);
    let lock = fs::read_to_string(sandbox.path().join("wheelsmith.lock")).unwrap();
    assert!(lock.contains(&good), "{lock}");
    fs::remove_file(sandbox.path().join("data.tar")).unwrap();
    let mut again = sandbox.command(&["build", "--offline", "--locked"]);
    Run::of(again.env("WHEELSMITH_CACHE_DIR", &cache)).expect(0);
    fs::remove_file(sandbox.path().join("wheelsmith.lock")).unwrap();
    Run::of(&mut again).expect(2).says(&["`--locked`", "is not current", "wheelsmith fetch"]);
}

#[test]
fn a_floor_that_is_not_kept() {
    let Some(_env) = TestEnv::find("a_floor_that_is_not_kept") else { return };
    // Built for 2.34 and claimed for 2.17: what a wrapper script around gcc does.
    let c = "#include <pthread.h>\nint demo(pthread_t *t, void *(*f)(void *))\n\
             { return pthread_create(t, 0, f, 0); }\n";
    let newer = c_project("", c);
    let config = fs::read_to_string(newer.path().join("pyproject.toml")).unwrap();
    newer.write("pyproject.toml", &config.replace("-linux-gnu'", "-linux-gnu.2.34'"));
    newer.expect(0, &["build"]).answers(&["manylinux_2_34_x86_64"]);
    let built = newer.path().join("target/wheelsmith/x86_64-unknown-linux-gnu.2.34/runtime");
    let claimed = Sandbox::with(&[("src/demo/__init__.py", "")]);
    claimed.write(
        "pyproject.toml",
        &format!(
            "[project]\nname = 'demo'\nversion = '1.0'\n[tool.wheelsmith]\ntargets = ['{NATIVE}']\n\
             [[tool.wheelsmith.component]]\nname = 'demo'\nkind = 'prebuilt'\n\
             source = {{ path = '{}' }}\n\
             outputs = [{{ from = 'lib/libdemo.so', role = 'shared-library' }}]\n",
            built.display()
        ),
    );
    let run = claimed.expect(1, &["build"]);
    assert!(claimed.dist().is_empty());
    run.answers(&[
        "not written: its files qualify for manylinux_2_34_x86_64, not manylinux_2_17_x86_64",
        "demo/_runtime/lib/libdemo.so",
        "libc.so.6",
        "pthread_create@GLIBC_2.34",
    ]);
}

#[test]
fn a_file_of_another_processor() {
    let Some(_env) = TestEnv::find("a_file_of_another_processor") else { return };
    let arm = c_project("", "int demo(void) { return 1; }\n");
    arm.expect(0, &["build", "--target", "aarch64-unknown-linux-gnu"]);
    let built =
        arm.path().join("target/wheelsmith/aarch64-unknown-linux-gnu/runtime/lib/libdemo.so");
    let mixed = c_project("", "int demo(void) { return 1; }\n");
    // Put in as data, where nobody looks.
    fs::create_dir_all(mixed.path().join("src/demo/data")).unwrap();
    fs::copy(built, mixed.path().join("src/demo/data/blob.bin")).unwrap();
    let run = mixed.expect(1, &["build"]);
    assert!(mixed.dist().is_empty());
    run.answers(&["demo/data/blob.bin", "aarch64", "x86_64"]);
}

#[test]
fn outputs_that_cannot_be_written() {
    let project = c_project("", "int demo(void) { return 1; }\n");
    project.write("occupied", "a file");
    check(
        &project,
        &["--out", "occupied"],
        2,
        &["cannot write to the output directory", "occupied"],
    );
    check(
        &project,
        &["--out", "/proc/nowhere"],
        2,
        &["cannot write to the output directory", "/proc/nowhere"],
    );
}

#[test]
fn no_rust_standard_library() {
    let Some(_env) = TestEnv::find("no_rust_standard_library") else { return };
    let project = Sandbox::with(&[
        (
            "pyproject.toml",
            "[project]\nname = 'demo'\nversion = '1.0'\n[tool.wheelsmith]\n\
             [[tool.wheelsmith.component]]\nname = 'demo'\nkind = 'cargo'\n\
             artifacts = [{ bin = 'demo' }]\nlocked = false\n",
        ),
        ("Cargo.toml", "[package]\nname = 'demo'\nversion = '1.0.0'\nedition = '2021'\n"),
        ("src/main.rs", "fn main() {}\n"),
    ]);
    // No Rust compiler anywhere has a standard library for it in binary form by default.
    check(
        &project,
        &["--target", "s390x-unknown-linux-gnu"],
        2,
        &[
            "has no standard library for `s390x-unknown-linux-gnu`",
            "rustup target add s390x-unknown-linux-gnu",
        ],
    );
}

#[test]
fn the_second_build_waits() {
    let Some(_env) = TestEnv::find("the_second_build_waits") else { return };
    let project = c_project("", "int demo(void) { return 1; }\n");
    let mut first = project.command(&["build"]).spawn().unwrap();
    let second = project.run(&["build"]).expect(0);
    assert!(first.wait().unwrap().success());
    assert_eq!(project.dist().len(), 1, "{}", second.stderr);
}

/// A build is killed at many points of its run. Its output directory then has whole wheels or
/// unfinished files only; the next run removes these, also in the temporary directory, and writes
/// the bytes of a build that nobody disturbed.
#[test]
#[cfg(unix)]
fn a_killed_build_leaves_nothing_half_made() {
    const UNFINISHED: &str = ".wheelsmith-unfinished-";
    let Some(_env) = TestEnv::find("a_killed_build_leaves_nothing_half_made") else { return };
    let body: String =
        (0..400).map(|i| format!("int f{i}(int x) {{ return x * {i}; }}\n")).collect();
    // Takes a while to pack.
    let text: String =
        (0..600_000_u32).map(|n| n.wrapping_mul(2_654_435_761).to_string()).collect();
    let project = || {
        let project = c_project("", &body);
        project.write("src/demo/big.txt", &text);
        fs::create_dir(project.path().join("tmp")).unwrap();
        project
    };
    let names = |dir: &Path| -> Vec<String> {
        let entries = fs::read_dir(dir).into_iter().flatten();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    let build = |project: &Sandbox| {
        let mut command = project.command(&["build", "--no-cache"]);
        command.env("TMPDIR", project.path().join("tmp"));
        command
    };
    let undisturbed = project();
    let started = Instant::now();
    Run::of(&mut build(&undisturbed)).expect(0);
    let takes = started.elapsed();
    let [wheel] = &names(&undisturbed.path().join("dist"))[..] else { panic!("no wheel") };
    let whole = fs::read(undisturbed.path().join("dist").join(wheel)).unwrap();
    let mut signals = vec![("-INT", 3), ("-TERM", 6)];
    signals.extend((1..=12).map(|twelfth| ("-KILL", twelfth)));
    let killed = project();
    let (dist, tmp) = (killed.path().join("dist"), killed.path().join("tmp"));
    for (signal, twelfth) in signals {
        let mut child = build(&killed).spawn().unwrap();
        std::thread::sleep(takes * twelfth / 12);
        // It may have ended.
        let _ = Command::new("kill").args([signal, &child.id().to_string()]).status();
        child.wait().unwrap();
        for name in names(&dist) {
            let is_whole = name == *wheel && fs::read(dist.join(&name)).unwrap() == whole;
            assert!(is_whole || name.starts_with(UNFINISHED), "{name} was left");
        }
        let _ = fs::remove_file(dist.join(wheel));
        // Each second run begins with what the killed one compiled, each third from nothing.
        if twelfth % 3 == 0 {
            fs::remove_dir_all(killed.path().join("target")).unwrap();
        }
        if twelfth % 2 == 0 {
            Run::of(&mut build(&killed)).expect(0);
            assert_eq!(names(&dist), [wheel.as_str()]);
            assert!(fs::read(dist.join(wheel)).unwrap() == whole, "after {signal} at {twelfth}/12");
            fs::remove_file(dist.join(wheel)).unwrap();
        }
    }
    Run::of(&mut build(&killed)).expect(0);
    assert_eq!(names(&dist), [wheel.as_str()]);
    assert!(fs::read(dist.join(wheel)).unwrap() == whole);
    let ours = |name: &String| name.starts_with("wheelsmith-tmp-");
    assert_eq!(names(&tmp).into_iter().filter(ours).collect::<Vec<_>>(), Vec::<String>::new());
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk() {
    let Some(_env) = TestEnv::find("a_full_disk") else { return };
    let project = c_project("", "int demo(void) { return 1; }\n");
    project.write("src/demo/big.bin", &"0123456789abcdef".repeat(1 << 16));
    let full = project.path().join("full");
    fs::create_dir(&full).unwrap();
    let mount = |args: &[&str]| Command::new("mount").args(args).output().unwrap();
    let mounted = mount(&["-t", "tmpfs", "-o", "size=16k", "tmpfs", full.to_str().unwrap()]);
    if !mounted.status.success() {
        assert!(
            std::env::var_os("WHEELSMITH_TEST_REQUIRE").is_none(),
            "cannot mount a small file system: {}",
            String::from_utf8_lossy(&mounted.stderr)
        );
        eprintln!("skipped a_full_disk: mounting needs root");
        return;
    }
    let run = project.run(&["build", "--out", "full", "--compression", "store"]);
    let left: Vec<_> = fs::read_dir(&full).unwrap().map(|e| e.unwrap().file_name()).collect();
    Command::new("umount").arg(&full).status().unwrap();
    run.expect(2).says(&["No space left on device", ".whl"]);
    assert_eq!(left, Vec::<std::ffi::OsString>::new());
}
