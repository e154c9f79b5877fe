//! The examples as their users have them: built twice with the same bytes, found good by
//! independent judges, installed and run, natively and as aarch64 under an emulator.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests are a world of their own"
)]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use support::{Run, Sandbox, TestEnv, content, repository};

#[test]
fn tinybpf() {
    let Some(env) = TestEnv::find("tinybpf") else { return };
    let wheels = build_twice(&env, "tinybpf");
    only_libbpf_is_exported(&wheels);
    judge_and_run(&env, "tinybpf", &wheels, &[]);
}

#[test]
fn hostinfo() {
    let Some(env) = TestEnv::find("hostinfo") else { return };
    let wheels = build_twice(&env, "hostinfo");
    judge_and_run(&env, "hostinfo", &wheels, &["hostinfo", "--version"]);
}

/// The wheels of an example in a directory of their own, x86_64 and aarch64.
struct Wheels {
    sandbox: Sandbox,
    x86_64: PathBuf,
    aarch64: PathBuf,
}

/// Builds in two places, with other umask, time zone, locale and number of jobs; the bytes are the
/// same.
fn build_twice(env: &TestEnv, example: &str) -> Wheels {
    let build = |sandbox: &Sandbox, umask: &str, jobs: &str, zone: &str, locale: &str| {
        let script = format!("umask {umask}; exec \"$@\"");
        let mut command = Command::new("/bin/sh");
        command.arg("-c").arg(script).arg("sh").arg(support::program());
        command.args(["build", "--target", "all", "--locked", "--jobs", jobs]);
        command.current_dir(sandbox.path()).env("TZ", zone).env("LC_ALL", locale);
        if let Some(rustc) = env.get("tools/rustc-aarch64", example) {
            command.env("RUSTC", rustc);
        }
        Run::of(&mut command).expect(0);
        let wheels: Vec<PathBuf> = sandbox.dist();
        assert_eq!(wheels.len(), 2, "{wheels:?}");
        wheels
    };
    let first = Sandbox::example(example);
    let second = Sandbox::new();
    let deep = second.path().join("a directory/with a longer path");
    fs::create_dir_all(&deep).unwrap();
    support::copy(&repository().join("examples").join(example), &deep);
    let deep = Sandbox::at(&deep);
    let wheels = build(&first, "022", "2", "UTC", "C.UTF-8");
    let others = build(&deep, "077", "1", "Pacific/Kiritimati", "C");
    for (wheel, other) in wheels.iter().zip(&others) {
        assert_eq!(wheel.file_name(), other.file_name());
        assert!(
            fs::read(wheel).unwrap() == fs::read(other).unwrap(),
            "`{}` has other bytes when built elsewhere",
            wheel.display()
        );
    }
    let [aarch64, x86_64] = &wheels[..] else { unreachable!("counted above") };
    let (aarch64, x86_64) = (aarch64.clone(), x86_64.clone());
    Wheels { sandbox: first, x86_64, aarch64 }
}

fn only_libbpf_is_exported(wheels: &Wheels) {
    let target = wheels.sandbox.path().join("target/wheelsmith");
    for triple in ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"] {
        let library = target.join(triple).join("runtime/lib/libbpf.so.1");
        let bytes = fs::read(&library).unwrap();
        let elf = wheelsmith_core::binary::elf::Elf::parse(&bytes).unwrap();
        let mut listing = Command::new("nm");
        let listing = content(listing.args(["-D", "--defined-only", "-f", "posix"]).arg(&library));
        let names = listing.stdout.lines().filter_map(|line| line.split([' ', '@']).next());
        let exported: Vec<&str> = names.collect();
        let prefixes = [
            "bpf_",
            "btf__",
            "btf_",
            "libbpf_",
            "perf_buffer__",
            "ring_buffer__",
            "ring__",
            "user_ring_buffer__",
            "LIBBPF_",
        ];
        let foreign: Vec<&&str> =
            exported.iter().filter(|name| !prefixes.iter().any(|p| name.starts_with(p))).collect();
        assert!(exported.len() > 300 && foreign.is_empty(), "{foreign:?}");
        let versions: Vec<&String> = elf.needed_versions.values().flatten().collect();
        assert!(versions.iter().all(|v| v.starts_with("GLIBC_2.")), "{versions:?}");
        assert_eq!(elf.soname.as_deref(), Some("libbpf.so.1"));
    }
}

/// Asks every judge about both wheels, installs them, and runs what is in them.
fn judge_and_run(env: &TestEnv, package: &str, wheels: &Wheels, console: &[&str]) {
    if env.get("judges", package).is_none() {
        return;
    }
    let python = env.judge("python");
    for (wheel, tag) in
        [(&wheels.x86_64, "manylinux_2_17_x86_64"), (&wheels.aarch64, "manylinux_2_17_aarch64")]
    {
        let said = content(Command::new(env.judge("auditwheel")).arg("show").arg(wheel));
        let said = said.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        let verdict = format!("consistent with the following platform tag: \"{tag}\"");
        assert!(said.contains(&verdict), "{said}");
        content(Command::new(env.judge("twine")).args(["check", "--strict"]).arg(wheel));
        let checker = repository().join("tests/judges/check_wheel.py");
        content(Command::new(&python).arg(checker).arg(wheel));
    }
    natively(env, package, &wheels.x86_64, console);
    emulated(env, package, &wheels.aarch64, console);
}

/// pip and uv install the wheel in every way that people install; selftest and console command
/// work.
fn natively(env: &TestEnv, package: &str, wheel: &Path, console: &[&str]) {
    let dir = tempfile::tempdir().unwrap();
    let place = |name: &str| dir.path().join(name);
    let python = env.judge("python");
    let selftest = |python: &Path, path: Option<&Path>| {
        let mut command = Command::new(python);
        command.args(["-m", &format!("{package}.selftest")]).current_dir(dir.path());
        match path {
            Some(path) => command.env("PYTHONPATH", path),
            None => command.env_remove("PYTHONPATH"),
        };
        content(&mut command);
    };
    let run_console = |bin: &Path, path: Option<&Path>| {
        let [program, args @ ..] = console else { return };
        let mut command = Command::new(bin.join(program));
        command.args(args).current_dir(dir.path());
        if let Some(path) = path {
            command.env("PYTHONPATH", path);
        }
        content(&mut command).answers(&[package]);
    };
    let pip = ["-m", "pip", "install", "--no-index", "--no-deps", "--disable-pip-version-check"];

    let venv = |name: &str| {
        content(Command::new(&python).args(["-m", "venv", "--without-pip"]).arg(place(name)));
        place(name)
    };
    let by_uv = venv("by-uv");
    let mut uv = Command::new(env.judge("uv"));
    uv.args(["pip", "install", "--no-index", "--no-deps", "--offline", "--python"]);
    content(uv.arg(by_uv.join("bin/python")).arg(wheel));
    selftest(&by_uv.join("bin/python"), None);
    run_console(&by_uv.join("bin"), None);

    let by_pip = venv("by-pip");
    let mut command = Command::new(&python);
    command.args(["-m", "pip", "--python"]).arg(by_pip.join("bin/python"));
    content(command.args(&pip[2..]).arg(wheel));
    selftest(&by_pip.join("bin/python"), None);
    run_console(&by_pip.join("bin"), None);

    let target = place("target");
    content(Command::new(&python).args(pip).arg("--target").arg(&target).arg(wheel));
    selftest(&python, Some(&target));
    run_console(&target.join("bin"), Some(&target));

    let prefix = place("prefix");
    content(Command::new(&python).args(pip).arg("--prefix").arg(&prefix).arg(wheel));
    let site = site_packages(&prefix);
    selftest(&python, Some(&site));
    run_console(&prefix.join("bin"), Some(&site));

    // `--user` is refused inside a virtual environment: the interpreter below it is asked.
    let base =
        content(Command::new(&python).args(["-c", "import sys; print(sys._base_executable)"]));
    let base = PathBuf::from(base.stdout.trim());
    let user = place("user");
    let mut command = Command::new(&python);
    command.args(["-m", "pip", "--python"]).arg(&base).env("PYTHONUSERBASE", &user);
    content(command.args(&pip[2..]).args(["--user", "--break-system-packages"]).arg(wheel));
    let site = site_packages(&user);
    selftest(&base, Some(&site));
    run_console(&user.join("bin"), Some(&site));
}

fn site_packages(prefix: &Path) -> PathBuf {
    let lib = fs::read_dir(prefix.join("lib")).unwrap().next().unwrap().unwrap().path();
    lib.join("site-packages")
}

/// An aarch64 Python under an emulator installs the wheel and works with it.
fn emulated(env: &TestEnv, package: &str, wheel: &Path, console: &[&str]) {
    let (Some(qemu), Some(root)) =
        (env.get("tools/qemu-aarch64", package), env.get("arm64-root", package))
    else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let python = || {
        let mut command = Command::new(&qemu);
        command.arg("-L").arg(&root).arg(root.join("usr/bin/python3")).current_dir(dir.path());
        command
    };
    let pip = ["-m", "pip", "install", "--no-index", "--no-deps", "--disable-pip-version-check"];
    content(python().args(pip).arg("--target").arg(dir.path().join("site")).arg(wheel));
    // The kernel cannot start foreign programs by itself: the example is told who can.
    let prefix = format!("{} -L {}", qemu.display(), root.display());
    let mut selftest = python();
    selftest.args(["-m", &format!("{package}.selftest")]).env("HOSTINFO_EXEC_PREFIX", prefix);
    content(selftest.env("PYTHONPATH", dir.path().join("site"))).answers(&["aarch64"]);
    if let [program, args @ ..] = console {
        let program = dir.path().join(format!("site/{package}/_runtime/bin/{program}"));
        let mut command = Command::new(&qemu);
        content(command.arg("-L").arg(&root).arg(program).args(args)).answers(&[package]);
    }
}
