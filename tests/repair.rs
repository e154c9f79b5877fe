//! Tests of wheels with grafted libraries: installed by every scheme of pip, run where the
//! libraries are missing, natively and for aarch64 under an emulator.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests are a world of their own"
)]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]
#![cfg(target_os = "linux")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use support::{Run, Sandbox, TestEnv, content};

const FILES: [(&str, &str); 8] = [
    ("c/bar.c", "int bar(void) { return 41; }\n"),
    ("c/bar.map", "BAR_1 { global: bar; local: *; };\n"),
    ("c/foo.c", "int bar(void);\nint foo(void) { return bar() + 1; }\n"),
    ("c/ext.c", "int foo(void);\nint answer(void) { return foo(); }\n"),
    (
        "c/run.c",
        "#include <stdio.h>\nint foo(void);\n\
         int main(int n, char **a) { printf(\"%d %s\\n\", foo(), n > 1 ? a[1] : \"\"); return 0; }\n",
    ),
    (
        "wheel/demo/__init__.py",
        "import ctypes, os\n_lib = ctypes.CDLL(os.path.join(os.path.dirname(__file__), 'ext.so'))\n\
         def answer():\n    return _lib.answer()\n",
    ),
    ("wheel/demo-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n"),
    (
        "wheel/demo-1.0.dist-info/WHEEL",
        "Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: false\nTag: py3-none-TAG\n",
    ),
];

/// A wheel whose module and script need `libfoo.so.1`, which needs `libbar.so.1` and its versions.
/// The libraries are in `lib`.
fn demo(env: &TestEnv, arch: &str) -> Option<(Sandbox, PathBuf)> {
    let zig = env.get("tools/zig", "repair")?;
    let sandbox = Sandbox::with(&FILES);
    let root = sandbox.path();
    for dir in ["lib", "wheel/demo-1.0.data/scripts"] {
        fs::create_dir_all(root.join(dir)).unwrap();
    }
    let target = format!("{arch}-linux-gnu.2.17");
    let cc = |args: &[&str]| {
        let mut command = Command::new(&zig);
        content(command.args(["cc", "-target", &target, "-O1", "-s"]).args(args).current_dir(root));
    };
    let shared = ["-shared", "-fPIC"];
    let run = |args: &[&str]| cc(&[&shared[..], args].concat());
    let versions = "-Wl,--version-script=c/bar.map";
    run(&["-o", "lib/libbar.so.1.2", "c/bar.c", "-Wl,-soname,libbar.so.1", versions]);
    for (name, target) in [
        ("lib/libbar.so.1", "libbar.so.1.2"),
        ("lib/libbar.so", "libbar.so.1"),
        ("lib/libfoo.so", "libfoo.so.1"),
    ] {
        std::os::unix::fs::symlink(target, root.join(name)).unwrap();
    }
    run(&["-o", "lib/libfoo.so.1", "c/foo.c", "-Wl,-soname,libfoo.so.1", "-Llib", "-lbar"]);
    run(&["-o", "wheel/demo/ext.so", "c/ext.c", "-Llib", "-lfoo"]);
    let script = "wheel/demo-1.0.data/scripts/demo-run";
    cc(&["-o", script, "c/run.c", "-Llib", "-lfoo", "-lbar"]);
    let tag = format!("linux_{arch}");
    let header = "wheel/demo-1.0.dist-info/WHEEL";
    sandbox.write(header, &fs::read_to_string(root.join(header)).unwrap().replace("TAG", &tag));
    sandbox.expect(0, &["wheel", "pack", "wheel"]);
    let wheel = root.join(format!("demo-1.0-py3-none-{tag}.whl"));
    Some((sandbox, wheel))
}

fn name(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

#[test]
fn libraries_are_grafted_and_found_everywhere() {
    let Some(env) = TestEnv::find("repair") else { return };
    let Some((sandbox, wheel)) = demo(&env, "x86_64") else { return };
    let repair = |wheel: &Path, out: &str| {
        let args = ["repair", wheel.to_str().unwrap(), "-L", "lib", "--out", out];
        sandbox.expect(0, &args).answers(&["qualifies for manylinux_2_5_x86_64"]);
        let repaired = "demo-1.0-py3-none-manylinux1_x86_64.manylinux_2_5_x86_64.whl";
        sandbox.path().join(out).join(repaired)
    };
    let first = repair(&wheel, "one");
    let bytes = fs::read(&first).unwrap();
    assert!(bytes == fs::read(repair(&wheel, "two")).unwrap(), "another run gives other bytes");
    assert!(
        bytes == fs::read(repair(&first, "three")).unwrap(),
        "repaired twice, it is another one"
    );
    // Nothing of this machine is in it.
    let place = sandbox.path().to_str().unwrap().as_bytes();
    sandbox.expect(0, &["wheel", "unpack", first.to_str().unwrap(), "--out", "unpacked"]);
    let mut files = Vec::new();
    walk(&sandbox.path().join("unpacked"), &mut files);
    for file in &files {
        let bytes = fs::read(file).unwrap();
        assert!(!bytes.windows(place.len()).any(|part| part == place), "{}", file.display());
    }
    let is_graft = |start: &str| files.iter().any(|file| name(file).starts_with(start));
    assert!(is_graft("libbar-") && is_graft("libfoo-") && is_graft("wheelsmith-repair.cdx"));
    sandbox.expect(0, &["audit", first.to_str().unwrap(), "--fail-on", "warning"]);
    // Where the libraries were, there is nothing now.
    fs::rename(sandbox.path().join("lib"), sandbox.path().join("away")).unwrap();
    if env.get("judges", "repair").is_none() {
        return;
    }
    let said = content(Command::new(env.judge("auditwheel")).arg("show").arg(&first)).stdout;
    assert!(said.contains("manylinux_2_5_x86_64"), "{said}");
    install_and_run(&env, sandbox.path(), &first);
}

fn walk(dir: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { walk(&path, files) } else { files.push(path) }
    }
}

/// Installs with `--target`, `--prefix`, `--user`, and into a virtual environment.
fn install_and_run(env: &TestEnv, dir: &Path, wheel: &Path) {
    let python = env.judge("python");
    let pip = ["-m", "pip", "install", "--no-index", "--no-deps", "--disable-pip-version-check"];
    let answers = |python: &Path, site: Option<&Path>| {
        let mut command = Command::new(python);
        command.args(["-c", "import demo; print(demo.answer())"]).current_dir("/");
        if let Some(site) = site {
            command.env("PYTHONPATH", site);
        }
        content(&mut command).answers(&["42"]);
    };
    let runs = |bin: &Path| {
        let mut command = Command::new(bin.join("demo-run"));
        content(command.arg("hello").current_dir("/")).answers(&["42 hello"]);
    };
    let venv = dir.join("venv");
    content(
        Command::new(env.judge("uv"))
            .args(["venv", "--quiet"])
            .arg("--python")
            .arg(&python)
            .arg(&venv),
    );
    let mut by_uv = Command::new(env.judge("uv"));
    by_uv.args(["pip", "install", "--quiet", "--offline", "--no-deps", "--python"]).arg(&venv);
    content(by_uv.arg(wheel));
    answers(&venv.join("bin/python"), None);
    runs(&venv.join("bin"));
    let target = dir.join("target");
    content(Command::new(&python).args(pip).arg("--target").arg(&target).arg(wheel));
    answers(&python, Some(&target));
    runs(&target.join("bin"));
    let prefix = dir.join("prefix");
    content(Command::new(&python).args(pip).arg("--prefix").arg(&prefix).arg(wheel));
    runs(&prefix.join("bin"));
    let base =
        content(Command::new(&python).args(["-c", "import sys; print(sys._base_executable)"]));
    let user = dir.join("user");
    let mut command = Command::new(&python);
    command.args(["-m", "pip", "--python", base.stdout.trim()]).env("PYTHONUSERBASE", &user);
    content(command.args(&pip[2..]).args(["--user", "--break-system-packages"]).arg(wheel));
    runs(&user.join("bin"));
}

#[test]
fn foreign_wheels_are_repaired_here_and_run_there() {
    let Some(env) = TestEnv::find("repair") else { return };
    let Some((sandbox, wheel)) = demo(&env, "aarch64") else { return };
    let args = ["repair", wheel.to_str().unwrap(), "-L", "lib", "--strip", "--out", "out"];
    sandbox.expect(0, &args).answers(&["qualifies for manylinux_2_17_aarch64"]);
    let (Some(qemu), Some(root)) =
        (env.get("tools/qemu-aarch64", "repair"), env.get("arm64-root", "repair"))
    else {
        return;
    };
    fs::rename(sandbox.path().join("lib"), sandbox.path().join("away")).unwrap();
    let repaired = "out/demo-1.0-py3-none-manylinux2014_aarch64.manylinux_2_17_aarch64.whl";
    let emulated = || {
        let mut command = Command::new(&qemu);
        command.arg("-L").arg(&root);
        command
    };
    let python = || {
        let mut command = emulated();
        command.arg(root.join("usr/bin/python3"));
        command
    };
    let site = sandbox.path().join("site");
    let pip = ["-m", "pip", "install", "--no-index", "--no-deps", "--disable-pip-version-check"];
    content(python().args(pip).arg("--target").arg(&site).arg(sandbox.path().join(repaired)));
    let mut answer = python();
    answer.args(["-c", "import demo; print(demo.answer())"]).env("PYTHONPATH", &site);
    content(&mut answer).answers(&["42"]);
    // The kernel cannot start it by itself, so its launcher is left out.
    content(emulated().arg(site.join("demo.scripts/demo-run")).arg("hello")).answers(&["42 hello"]);
}

#[test]
fn what_cannot_be_repaired_is_said_and_leaves_nothing() {
    let Some(env) = TestEnv::find("repair") else { return };
    let Some((sandbox, wheel)) = demo(&env, "x86_64") else { return };
    let wheel = wheel.to_str().unwrap();
    let check = |args: &[&str], code: i32, said: &[&str]| -> Run {
        let args = [&["repair", wheel, "--out", "out"], args].concat();
        let run = sandbox.expect(code, &args).says(said);
        assert!(!sandbox.path().join("out").join("demo-1.0-py3-none-any.whl").exists());
        let left = fs::read_dir(sandbox.path().join("out")).map_or(0, Iterator::count);
        assert_eq!(left, 0, "something is left");
        run
    };
    let missing = ["`demo/ext.so` needs `libfoo.so.1`", "--exclude libfoo.so.1"];
    check(&["-L", "c"], 1, &missing);
    check(&["-L", "nowhere"], 2, &["`--library-path nowhere` is not a directory"]);
    check(&["-L", "lib", "--plat", "musllinux_1_2_x86_64"], 1, &["for another C library"]);
    // Plans are printed, and nothing is done.
    let plan = check(&["-L", "lib", "--dry-run", "--format", "json"], 0, &[]).stdout;
    assert!(plan.contains("\"libfoo.so.1\"") && plan.contains("demo.libs/libbar-"), "{plan}");
    let excluded = check(&["-L", "lib", "--exclude", "libfoo*", "--dry-run"], 0, &[]).stdout;
    assert!(excluded.contains("nothing to graft"), "{excluded}");
}
