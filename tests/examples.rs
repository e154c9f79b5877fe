//! The examples: built twice with the same bytes, checked by independent judges, published,
//! installed and run, natively and for aarch64 under an emulator.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests are a world of their own"
)]
#![allow(clippy::print_stderr, clippy::print_stdout, reason = "skips and figures are printed")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use support::{Run, Sandbox, TestEnv, content, repository};

/// Runs the script of a release: builds for two processors, audits, tests on every Python, makes an
/// index, and installs from it, from pypiserver and from devpi with pip and uv. The other tests use
/// its wheels; the first one runs it.
static RELEASE: LazyLock<Option<Release>> = LazyLock::new(|| {
    const TEST: &str = "tinybpf";
    let env = TestEnv::find(TEST)?;
    let root = env.get("arm64-root", TEST)?;
    env.get("tools/qemu-aarch64", TEST)?;
    env.get("servers", TEST)?;
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tinybpf");
    let _ = fs::remove_dir_all(&dir);
    let mut script = Command::new(repository().join("scripts/tinybpf.sh"));
    script.arg(&dir).env("WHEELSMITH", support::program()).env("ARM64_ROOT", root);
    let run = content(&mut script);
    Some(Release { dir, said: run.stdout })
});

struct Release {
    dir: PathBuf,
    said: String,
}

impl Release {
    fn wheels(&self) -> Wheels {
        Wheels::of(&self.dir.join("dist"), &self.dir.join("tinybpf"))
    }
}

#[test]
fn tinybpf_from_source_to_installations() {
    let Some(release) = RELEASE.as_ref() else { return };
    let mut expected = vec![
        "manylinux_2_17_x86_64.whl".to_owned(),
        "(aarch64, foreign)".to_owned(),
        " passed".to_owned(),
        "site agrees with its state".to_owned(),
        "the same bytes when made again".to_owned(),
    ];
    for server in ["files", "server", "pypiserver", "devpi"] {
        for installer in ["pip", "uv"] {
            expected.push(format!("{server}: {installer} installed tinybpf==1.7.0\n"));
        }
    }
    for server in ["files", "server"] {
        expected.push(format!("{server}: pip of aarch64 installed tinybpf==1.7.0\n"));
    }
    for part in expected {
        assert!(release.said.contains(&part), "no `{part}` in\n{}", release.said);
    }
    let report = fs::read_to_string(release.dir.join("test.json")).unwrap();
    assert!(report.contains("\"verdict\": \"good\""), "{report}");
}

#[test]
fn tinybpf_before_its_judges() {
    let (Some(env), Some(release)) = (TestEnv::find("tinybpf"), RELEASE.as_ref()) else { return };
    let wheels = release.wheels();
    only_libbpf_is_exported(&wheels);
    judge_and_run(&env, "tinybpf", &wheels, &[]);
    an_old_libc_loads_it(&env, &wheels);
}

/// A program that was built for glibc 2.17 also calls it there.
fn an_old_libc_loads_it(env: &TestEnv, wheels: &Wheels) {
    let Some(root) = env.old_glibc("tinybpf").filter(|_| cfg!(target_arch = "x86_64")) else {
        return;
    };
    let sandbox = Sandbox::new();
    let (wheel, python) = (wheels.x86_64.to_str().unwrap(), env.judge("python"));
    let args = ["test", wheel, "--libc-root", root.to_str().unwrap(), "--install", "target"];
    let args = [&args[..], &["--python", python.to_str().unwrap()]].concat();
    sandbox.expect(0, &args).answers(&["2 passed", "libc (x86_64)"]);
    sandbox.write(
        "main.c",
        "#include <dlfcn.h>\n#include <gnu/libc-version.h>\n#include <stdio.h>\n\
         int main(int n, char **words) {\n    void *lib = n > 1 ? dlopen(words[1], RTLD_NOW) : 0;\n    \
         if (!lib) return fputs(dlerror(), stderr), 1;\n    \
         const char *(*version)(void) = (const char *(*)(void))dlsym(lib, \"libbpf_version_string\");\n    \
         printf(\"%s on glibc %s\\n\", version(), gnu_get_libc_version());\n    return 0;\n}\n",
    );
    let Some(zig) = env.get("tools/zig", "tinybpf") else { return };
    let mut compile = Command::new(zig);
    compile.args(["cc", "-target", "x86_64-linux-gnu.2.17", "main.c", "-ldl", "-o", "main"]);
    content(compile.current_dir(sandbox.path()));
    let library = wheels.project.join("target/wheelsmith").join(TARGETS[0]);
    // Not by the name that programs have: that links to what lies in `/lib` of this machine.
    let mut start = Command::new(root.join("lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"));
    start.arg("--library-path").arg(root.join("lib/x86_64-linux-gnu"));
    start.arg(sandbox.path().join("main")).arg(library.join("runtime/lib/libbpf.so.1"));
    content(&mut start).answers(&["v1.7", " on glibc 2.31"]);
}

/// Another directory, umask and time zone give the same bytes, and a second build compiles nothing.
#[test]
fn tinybpf_is_the_same_wherever_it_is_built() {
    let Some(env) = TestEnv::find("tinybpf") else { return };
    let place = Sandbox::new();
    let deep = place.path().join("a directory/with a longer path");
    fs::create_dir_all(&deep).unwrap();
    support::copy(&repository().join("examples/tinybpf"), &deep);
    let deep = Sandbox::at(&deep);
    let otherwise = build(&env, "tinybpf", &deep, ["077", "1", "Pacific/Kiritimati", "C"]);
    if let Some(release) = RELEASE.as_ref() {
        same_bytes(&release.wheels(), &otherwise);
    }
    #[cfg(target_os = "linux")]
    a_build_of_nothing_is_cheap(&deep);
}

#[test]
fn hostinfo() {
    let Some(env) = TestEnv::find("hostinfo") else { return };
    let (first, second) = (Sandbox::example("hostinfo"), Sandbox::new());
    let deep = second.path().join("a directory/with a longer path");
    fs::create_dir_all(&deep).unwrap();
    support::copy(&repository().join("examples/hostinfo"), &deep);
    let wheels = build(&env, "hostinfo", &first, ["022", "2", "UTC", "C.UTF-8"]);
    let otherwise = ["077", "1", "Pacific/Kiritimati", "C"];
    same_bytes(&wheels, &build(&env, "hostinfo", &Sandbox::at(&deep), otherwise));
    judge_and_run(&env, "hostinfo", &wheels, &["hostinfo", "--version"]);
}

const TARGETS: [&str; 2] = ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"];

/// Wheels of an example, and the directory of the build.
struct Wheels {
    project: PathBuf,
    x86_64: PathBuf,
    aarch64: PathBuf,
}

impl Wheels {
    fn of(dist: &Path, project: &Path) -> Self {
        let mut wheels: Vec<PathBuf> =
            fs::read_dir(dist).unwrap().map(|entry| entry.unwrap().path()).collect();
        wheels.sort();
        let [aarch64, x86_64] = &wheels[..] else { panic!("{wheels:?}") };
        let (aarch64, x86_64) = (aarch64.clone(), x86_64.clone());
        Self { project: project.to_owned(), x86_64, aarch64 }
    }
}

/// Builds with this umask, number of jobs, time zone and locale.
fn build(env: &TestEnv, example: &str, sandbox: &Sandbox, otherwise: [&str; 4]) -> Wheels {
    let [umask, jobs, zone, locale] = otherwise;
    let script = format!("umask {umask}; exec \"$@\"");
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(script).arg("sh").arg(support::program());
    command.args(["build", "--target", "all", "--locked", "--jobs", jobs]);
    command.current_dir(sandbox.path()).env("TZ", zone).env("LC_ALL", locale);
    if let Some(rustc) = env.get("tools/rustc-aarch64", example) {
        command.env("RUSTC", rustc);
    }
    Run::of(&mut command).expect(0);
    Wheels::of(&sandbox.path().join("dist"), sandbox.path())
}

fn same_bytes(wheels: &Wheels, others: &Wheels) {
    for (wheel, other) in [(&wheels.x86_64, &others.x86_64), (&wheels.aarch64, &others.aarch64)] {
        assert_eq!(wheel.file_name(), other.file_name());
        assert!(
            fs::read(wheel).unwrap() == fs::read(other).unwrap(),
            "`{}` has other bytes when built elsewhere",
            wheel.display()
        );
    }
}

fn only_libbpf_is_exported(wheels: &Wheels) {
    let target = wheels.project.join("target/wheelsmith");
    for triple in TARGETS {
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

/// Asserts what was built in `sandbox`.
#[cfg(target_os = "linux")]
fn a_build_of_nothing_is_cheap(sandbox: &Sandbox) {
    let args = ["build", "--target", TARGETS[0], "--format", "json"];
    let outcome = || {
        let answer = sandbox.expect(0, &args).stdout;
        let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
        answer["targets"][0]["components"][0]["outcome"].as_str().unwrap().to_owned()
    };
    assert_eq!(outcome(), "up to date");
    // The shell's `times` counts children that have ended.
    let script = "\"$@\" >/dev/null 2>&1 || exit; times";
    let mut command = Command::new("/bin/sh");
    command.args(["-c", script, "sh"]).arg(support::program());
    command.args(&args[..3]).current_dir(sandbox.path());
    let best = (0..3).map(|_| seconds(&Run::of(&mut command).expect(0).stdout)).fold(9.0, f64::min);
    println!("tinybpf, nothing changed: {best:.2} s CPU");
    // A debug build of the program hashes several times slower than a released one.
    let most = if cfg!(debug_assertions) { 0.6 } else { 0.2 };
    assert!(best <= most, "{best} s CPU");
    let sources =
        fs::read_dir(sandbox.path().join("target/wheelsmith/sources/target/package")).unwrap();
    let root = sources.map(|entry| entry.unwrap().path()).find(|path| path.is_dir()).unwrap();
    let source = root.join("libbpf/src/btf.c");
    let pinned = fs::read_to_string(&source).unwrap();
    // An unpacked source that was edited is not the pinned one: it is unpacked again.
    fs::write(&source, format!("{pinned}int one_more_symbol;\n")).unwrap();
    assert_eq!(outcome(), "up to date");
    assert_eq!(fs::read_to_string(&source).unwrap(), pinned);
}

/// Returns the seconds of the children from the output of `times`: `0m0.01s 0m0.02s`, that of the
/// shell first.
fn seconds(times: &str) -> f64 {
    let children = times.lines().last().unwrap();
    let parts = children.split_whitespace().map(|part| {
        let (minutes, seconds) = part.trim_end_matches('s').split_once('m').unwrap();
        minutes.parse::<f64>().unwrap() * 60.0 + seconds.parse::<f64>().unwrap()
    });
    parts.sum()
}

/// Runs every judge on both wheels, installs them, and runs their programs.
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

/// pip and uv install the wheel by every scheme; the selftest and the console command work.
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

/// An aarch64 Python under an emulator installs the wheel and runs it.
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
