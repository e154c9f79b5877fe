//! `wheelsmith test` as people run it: small wheels, real Pythons, an emulator, things that go wrong.
#![cfg(target_os = "linux")]
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests are a world of their own"
)]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use support::wheels::WheelFile;
use support::{Run, Sandbox, TestEnv};

/// A package that loads its library with ctypes, with a command that starts its program.
fn demo(platform: &str, library: &str, program: &str) -> WheelFile {
    let init = "import ctypes, os\n\
        HERE = os.path.dirname(os.path.abspath(__file__))\n\
        lib = ctypes.CDLL(os.path.join(HERE, 'lib', 'libplain.so'))\n\
        lib.plain_length.restype = ctypes.c_size_t\n\
        def length(text):\n    return lib.plain_length(text, ctypes.c_size_t(len(text)))\n";
    let main = "import os, stat, subprocess, sys\nfrom demo import HERE\n\
        PROGRAM = os.path.join(HERE, 'bin', 'demo-program')\n\
        def run():\n    os.execv(PROGRAM, [PROGRAM] + sys.argv[1:])\n";
    let selftest = "import subprocess, unittest\nimport demo\nfrom demo.main import PROGRAM\n\
        class Case(unittest.TestCase):\n    \
        def test_length(self):\n        self.assertEqual(demo.length(b'four'), 4)\n    \
        def test_child(self):\n        subprocess.run([PROGRAM], check=True)\n    \
        @unittest.skip('not today')\n    def test_later(self):\n        self.fail()\n\
        if __name__ == '__main__':\n    unittest.main()\n";
    WheelFile::new(&format!("demo-1.0-py3-none-{platform}.whl"))
        .header("Requires-Python: >=3.8")
        .text("demo/__init__.py", init)
        .text("demo/main.py", main)
        .text("demo/selftest.py", selftest)
        .with("demo/lib/libplain.so", library)
        .program("demo/bin/demo-program", program)
        .text("demo-1.0.dist-info/entry_points.txt", "[console_scripts]\ndemo = demo.main:run\n")
}

fn x86_64() -> WheelFile {
    demo("manylinux_2_17_x86_64", "elf/x86_64.so", "elf/program")
}

/// A package of a few lines.
fn pure(code: &str) -> WheelFile {
    WheelFile::new("tiny-1.0-py3-none-any.whl").purelib().text("tiny.py", code)
}

struct Bench {
    sandbox: Sandbox,
    python: String,
    env: TestEnv,
}

impl Bench {
    /// A directory with wheels, and a Python.
    fn new(test: &str, wheels: Vec<WheelFile>) -> Option<Self> {
        let env = TestEnv::find(test)?;
        env.get("judges", test)?;
        let sandbox = Sandbox::new();
        for wheel in wheels {
            wheel.write(sandbox.path());
        }
        let python = env.judge("python").display().to_string();
        Some(Self { sandbox, python, env })
    }

    fn run(&self, code: i32, args: &[&str]) -> Run {
        self.with_env(code, args, &[])
    }

    fn with_env(&self, code: i32, args: &[&str], env: &[(&str, &str)]) -> Run {
        let mut command = self.sandbox.command(&["test", "*.whl", "--python", &self.python]);
        command.args(args).envs(env.iter().copied());
        Run::of(&mut command).expect(code)
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.sandbox.path().join(path)).unwrap()
    }
}

fn is_x86_64() -> bool {
    cfg!(target_arch = "x86_64")
}

#[test]
fn a_good_wheel_passes_in_every_way() {
    const TEST: &str = "a_good_wheel_passes_in_every_way";
    if !is_x86_64() {
        return;
    }
    let Some(bench) = Bench::new(TEST, vec![x86_64()]) else { return };
    bench.sandbox.write(
        "wheelsmith.toml",
        "[tool.wheelsmith.test]\ninstall = ['venv', 'target', 'user', 'prefix']\n\
         smoke = ['demo', \"python -c 'import demo; print(demo.length(bytes(3)))'\"]\n\
         command = 'python -m demo.selftest'\nrequired = ['demo-*']\nmax-skipped = 1\n",
    );
    let args = ["--report", "out/t.xml", "--report", "out/t.json", "--report", "out/t.md"];
    let run = bench.run(0, &args);
    let said = run.answers(&["4 passed, skipped tests: 4", "venv", "prefix"]).stdout;
    assert_eq!(said.matches("passed ").count(), 4, "{said}");
    let report = bench.read("out/t.json");
    let steps = ["absence", "install", "import", "smoke", "command"];
    assert!(steps.iter().all(|step| report.contains(&format!("\"name\": \"{step}\""))), "{report}");
    assert!(bench.read("out/t.xml").contains("tests=\"4\" failures=\"0\""));
    assert!(bench.read("out/t.md").starts_with("## Wheels passed: 4 passed"));
    let logs = fs::read_dir(bench.sandbox.path().join("target/wheelsmith/test")).unwrap();
    let logs: Vec<_> = logs.map(|log| fs::read_to_string(log.unwrap().path()).unwrap()).collect();
    assert_eq!(logs.iter().filter(|log| log.contains("== smoke: ")).count(), 4);
    // A stricter bound makes the same skips a failure.
    let args = ["--max-skipped", "0", "--install", "target"];
    bench.run(1, &args).answers(&["skipped tests: 1; at most 0 may be", "1 failed"]);
}

#[test]
fn foreign_wheels_run_under_the_emulator() {
    const TEST: &str = "foreign_wheels_run_under_the_emulator";
    if !is_x86_64() {
        return;
    }
    let foreign = demo("manylinux_2_17_aarch64", "elf/aarch64.so", "elf/aarch64-program");
    let Some(bench) = Bench::new(TEST, vec![foreign]) else { return };
    // Without a root there is nobody to try it, and that is no success.
    bench.run(1, &[]).answers(&["there is no Python for aarch64 here", "nothing was proved"]);
    let (Some(root), Some(_)) =
        (bench.env.get("arm64-root", TEST), bench.env.get("tools/qemu-aarch64", TEST))
    else {
        return;
    };
    let root = root.display().to_string();
    let target = ["--target", "aarch64-unknown-linux-gnu", "--root", &root];
    let work = ["--smoke", "demo", "--command", "python -m demo.selftest"];
    let run = bench.run(0, &[&target[..], &work].concat());
    run.answers(&["(aarch64, foreign)", "1 passed, skipped tests: 1"]);
    // The library of a newer system is found out in the root, not on the machine of a user.
    let args = [&target[..], &["--libc-root", &root, "--install", "target"]].concat();
    bench.run(0, &args).answers(&["2 passed", "old libc"]);
}

#[test]
fn an_old_libc_tells_what_is_too_new() {
    const TEST: &str = "an_old_libc_tells_what_is_too_new";
    if !is_x86_64() {
        return;
    }
    let Some(bench) = Bench::new(TEST, vec![x86_64()]) else { return };
    let run = bench.run(0, &["--libc-root", "/", "--smoke", "demo"]);
    run.answers(&["2 passed", "libc (x86_64)"]);
    let missing = demo("manylinux_2_17_x86_64", "elf/rpath-outside.so", "elf/program");
    missing.write(bench.sandbox.path());
    let run = bench.run(1, &["--libc-root", "/"]);
    run.answers(&["libc: exit status 127", "libplain.so: cannot open shared"]);
}

#[test]
fn what_hangs_is_ended_with_all_that_it_started() {
    const TEST: &str = "what_hangs_is_ended_with_all_that_it_started";
    let Some(bench) = Bench::new(TEST, vec![pure("")]) else { return };
    let script = "import subprocess, sys\n\
        child = subprocess.Popen(['sleep', '600'])\n\
        open(sys.argv[1], 'w').write(str(child.pid))\nchild.wait()\n";
    bench.sandbox.write("hang.py", script);
    bench.sandbox.write("wheelsmith.toml", "[tool.wheelsmith.test]\nfiles = ['hang.py']\n");
    let pid = bench.sandbox.path().join("pid");
    let command = format!("python hang.py {}", pid.display());
    let begun = Instant::now();
    let args = ["--command", &command, "--timeout", "20", "--install", "target"];
    bench.run(1, &args).answers(&["command: not done after 20 s; it was ended", "log: "]);
    assert!(begun.elapsed() < Duration::from_mins(2));
    let pid = fs::read_to_string(pid).unwrap();
    let is_gone = || match fs::read_to_string(format!("/proc/{pid}/stat")) {
        Ok(stat) => !stat.contains("(sleep)") || stat.contains(") Z "),
        Err(_) => true,
    };
    let ended = (0..100).any(|_| {
        is_gone() || {
            std::thread::sleep(Duration::from_millis(20));
            false
        }
    });
    assert!(ended, "child {pid} still runs");
}

#[test]
fn silent_skips_are_no_success() {
    const TEST: &str = "silent_skips_are_no_success";
    let Some(bench) = Bench::new(TEST, vec![pure("")]) else { return };
    let suite = "import unittest\n@unittest.skip('no')\nclass Case(unittest.TestCase):\n    \
        def test_a(self):\n        pass\nunittest.main()\n";
    bench.sandbox.write("suite.py", suite);
    bench.sandbox.write("empty.py", "import unittest\nunittest.main(exit=False)\n");
    bench.sandbox.write("wheelsmith.toml", "[tool.wheelsmith.test]\nfiles = ['*.py']\n");
    let target = ["--install", "target"];
    let all = [&target[..], &["--command", "python suite.py"]].concat();
    bench.run(1, &all).answers(&["required and was skipped: every test was skipped, all 1"]);
    let none = [&target[..], &["--command", "python empty.py"]].concat();
    bench.run(1, &none).answers(&["the test command ran no test"]);
    let absent = [&target[..], &["--python", "3.999"]].concat();
    bench.run(1, &absent).answers(&["1 passed", "there is no Python 3.999 here"]);
    let pattern = [&target[..], &["--require", "*-cp399-*"]].concat();
    bench.run(1, &pattern).answers(&["`*-cp399-*` is required and names no cell"]);
    let allowed = [&target[..], &["--smoke", "python -c 'raise SystemExit(3)'"]].concat();
    bench.run(1, &allowed).answers(&["smoke: exit status 3"]);
}

#[test]
fn neither_the_source_tree_nor_the_build_leaks_in() {
    const TEST: &str = "neither_the_source_tree_nor_the_build_leaks_in";
    let code = "import os\nleft = {'CC', 'PYTHONPATH', 'LD_LIBRARY_PATH', 'CARGO_HOME'} & \
        set(os.environ)\nassert not left, left\nassert not os.path.exists('tiny.py')\n\
        assert os.environ.get('TOKEN') == 'passed'\n";
    let Some(bench) = Bench::new(TEST, vec![pure(code)]) else { return };
    bench.sandbox.write("tiny.py", "raise SystemExit('this is the source tree')\n");
    let config = |text: &str| {
        let text = format!("[tool.wheelsmith.test]\npass-env = ['TOKEN']\n{text}");
        bench.sandbox.write("wheelsmith.toml", &text);
    };
    config("");
    let here = bench.sandbox.path().display().to_string();
    let build = [
        ("CC", "cc"),
        ("PYTHONPATH", here.as_str()),
        ("LD_LIBRARY_PATH", "/nowhere"),
        ("CARGO_HOME", "/nowhere"),
        ("TOKEN", "passed"),
    ];
    bench.with_env(0, &[], &build).answers(&["1 passed"]);
    // A file of the project that would hide the wheel's own is found out before the wheel comes.
    config("files = ['tiny.py']\n");
    let run = bench.with_env(1, &["--install", "target"], &build);
    run.answers(&["`tiny` can be imported without the wheel"]);
}

#[test]
fn broken_promises_are_named() {
    const TEST: &str = "broken_promises_are_named";
    let Some(bench) = Bench::new(TEST, vec![pure("import absent_module\n")]) else { return };
    bench.run(1, &["--install", "target"]).answers(&["import: exit status 1", "absent_module"]);
    let entry = "[console_scripts]\nls = tiny:main\n";
    let wheel = pure("").text("tiny-1.0.dist-info/entry_points.txt", entry);
    wheel.write(bench.sandbox.path());
    bench.run(1, &["--install", "target"]).answers(&["`ls` is there without the wheel"]);
    bench.run(2, &["--report", "out.html"]).says(&["ends in none of `.json`"]);
    let newer = pure("").header("Requires-Python: >=3.99");
    newer.write(bench.sandbox.path());
    bench.run(1, &[]).answers(&["the wheel wants Python >=3.99"]);
}

#[test]
fn a_source_distribution_is_built_first() {
    const TEST: &str = "a_source_distribution_is_built_first";
    let Some(bench) = Bench::new(TEST, vec![]) else { return };
    let sandbox = &bench.sandbox;
    // A build backend of its own, in the tree: nothing has to be downloaded.
    let backend = "import shutil, os\n\
        def build_wheel(directory, config_settings=None, metadata_directory=None):\n    \
        name = 'tiny-1.0-py3-none-any.whl'\n    \
        shutil.copy('wheel.bin', os.path.join(directory, name))\n    return name\n";
    sandbox.write("tiny-1.0/backend.py", backend);
    let text = "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n\
        [project]\nname = 'tiny'\nversion = '1.0'\n";
    sandbox.write("tiny-1.0/pyproject.toml", text);
    sandbox.write("tiny-1.0/PKG-INFO", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n");
    let wheel: PathBuf = pure("").write(sandbox.path());
    fs::rename(wheel, sandbox.path().join("tiny-1.0/wheel.bin")).unwrap();
    let mut tar = std::process::Command::new("tar");
    support::content(tar.args(["-czf", "tiny-1.0.tar.gz", "tiny-1.0"]).current_dir(sandbox.path()));
    let args = ["test", "tiny-1.0.tar.gz", "--no-index", "--python", &bench.python];
    sandbox.expect(0, &args).answers(&["tiny-1.0-py3-none-any.whl", "1 passed"]);
    assert!(Path::new(&sandbox.path().join("target/wheelsmith/test")).is_dir());
}

#[test]
fn uv_installs_as_well() {
    const TEST: &str = "uv_installs_as_well";
    let Some(bench) = Bench::new(TEST, vec![pure("")]) else { return };
    let Some(uv) = bench.env.get("judges/bin/uv", TEST) else { return };
    let bin = uv.parent().unwrap().display().to_string();
    let path = format!("{bin}:{}", std::env::var("PATH").unwrap());
    let args = ["--installer", "uv", "--install", "venv", "--install", "prefix"];
    bench.with_env(0, &args, &[("PATH", &path)]).answers(&["2 passed"]);
}

/// The script that shows the whole way: two processors built, audited, and tested on every Python.
#[test]
fn tinybpf_from_source_to_tested_wheels() {
    const TEST: &str = "tinybpf_from_source_to_tested_wheels";
    let Some(env) = TestEnv::find(TEST) else { return };
    let (Some(root), Some(_)) = (env.get("arm64-root", TEST), env.get("tools/qemu-aarch64", TEST))
    else {
        return;
    };
    let sandbox = Sandbox::new();
    let mut script = std::process::Command::new(support::repository().join("scripts/tinybpf.sh"));
    script.arg(sandbox.path()).env("WHEELSMITH", support::program()).env("ARM64_ROOT", root);
    let run = support::content(&mut script);
    run.answers(&["== audit", "(aarch64, foreign)", "manylinux_2_17_x86_64.whl", " passed"]);
    let report = fs::read_to_string(sandbox.path().join("test.json")).unwrap();
    assert!(report.contains("\"verdict\": \"good\""), "{report}");
}
