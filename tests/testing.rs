//! `wheelsmith test` on small wheels, with real Pythons, an emulator, and faults.
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

/// A minimal package.
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
    bench.run(2, &[]).answers(&["there is no Python for aarch64 here", "nothing was proved"]);
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

/// A library of `testdata/` that needs a symbol version that no glibc has yet.
fn asks_for_the_future() -> Vec<u8> {
    const OLD: &[u8] = b"GLIBC_2.17\0";
    const NEW: &[u8] = b"GLIBC_9.99\0";
    // gABI, "Hash Table"; the versions that a file needs carry the hash beside the name.
    let hash = |name: &[u8]| {
        let hash = name[..name.len() - 1].iter().fold(0_u32, |hash, byte| {
            let hash = (hash << 4).wrapping_add(u32::from(*byte));
            let high = hash & 0xf000_0000;
            (hash ^ (high >> 24)) & !high
        });
        hash.to_le_bytes()
    };
    let mut bytes = support::wheels::native("elf/x86_64.so");
    for (old, new) in [(OLD, NEW), (&hash(OLD), &hash(NEW))] {
        let at = bytes.windows(old.len()).position(|part| part == old).unwrap();
        bytes[at..at + old.len()].copy_from_slice(new);
    }
    bytes
}

#[test]
fn a_symbol_that_no_libc_here_has_is_named() {
    const TEST: &str = "a_symbol_that_no_libc_here_has_is_named";
    if !is_x86_64() {
        return;
    }
    let wheel = WheelFile::new("demo-1.0-py3-none-manylinux_2_17_x86_64.whl")
        .text("demo/__init__.py", "")
        .bytes("demo/libfuture.so", asks_for_the_future());
    let Some(bench) = Bench::new(TEST, vec![wheel]) else { return };
    let run = bench.run(1, &["--libc-root", "/", "--install", "target"]);
    run.answers(&["1 passed, 1 failed", "`GLIBC_9.99' not found", "libfuture.so"]);
}

/// The C library of Debian 11, if mirrors still have it.
#[test]
fn glibc_2_31_loads_what_was_made_for_2_17_and_nothing_newer() {
    const TEST: &str = "glibc_2_31_loads";
    if !is_x86_64() {
        return;
    }
    let wheel = x86_64().program("demo-1.0.data/scripts/demo-start", "elf/program");
    let Some(bench) = Bench::new(TEST, vec![wheel]) else { return };
    let Some(root) = bench.env.old_glibc(TEST) else { return };
    let args = ["--libc-root", root.to_str().unwrap(), "--install", "target"];
    let run = bench.run(0, &[&args[..], &["--smoke", "demo-start"]].concat());
    drop(run.answers(&["2 passed", "libc (x86_64)"]));
    let log = bench.read("target/wheelsmith/test/demo-libc-x86_64-old-glibc.log");
    assert!(log.contains("== smoke: ") && log.contains("ld-2.31.so"), "{log}");
    // Symbols of 2.34.
    let newer = demo("manylinux_2_34_x86_64", "elf/too-new.so", "elf/program");
    let sandbox = Sandbox::new();
    newer.write(sandbox.path());
    let args = [&["test", "*.whl", "--python", &bench.python], &args[..]].concat();
    let run = sandbox.expect(1, &args);
    run.answers(&["version `GLIBC_2.34' not found (required by ", "lib/libplain.so"]);
}

/// musl's loader from Debian's package starts a program that zig linked to musl.
#[test]
fn binaries_of_another_libc_run_with_its_loader() {
    const TEST: &str = "binaries_of_another_libc_run_with_its_loader";
    if !is_x86_64() {
        return;
    }
    let Some(bench) = Bench::new(TEST, vec![x86_64()]) else { return };
    let (Some(root), Some(zig)) =
        (bench.env.get("musl/x86_64", TEST), bench.env.get("tools/zig", TEST))
    else {
        return;
    };
    let source = "#include <stdio.h>\n#include <string.h>\nint main(int n, char **words) {\n\
        if (n == 2 && !strcmp(words[1], \"fail\")) return 3;\nputs(\"from musl\");\nreturn 0;\n}\n";
    bench.sandbox.write("main.c", source);
    let mut compile = std::process::Command::new(zig);
    compile.args([
        "cc",
        "-target",
        "x86_64-linux-musl",
        "-dynamic",
        "-Os",
        "-s",
        "main.c",
        "-o",
        "main",
    ]);
    support::content(compile.current_dir(bench.sandbox.path()));
    let sandbox = Sandbox::new();
    let program = fs::read(bench.sandbox.path().join("main")).unwrap();
    let wheel = WheelFile::new("other-1.0-py3-none-musllinux_1_2_x86_64.whl")
        .text("other/__init__.py", "")
        .with("other/libmusl.so", "elf/musl.so")
        .bytes("other/main", program);
    wheel.write(sandbox.path());
    let root = root.to_str().unwrap();
    let test = |code: i32, wheels: &Sandbox, smoke: &str| {
        let args = ["test", "*.whl", "--python", &bench.python, "--libc-root", root];
        wheels.expect(code, &[&args[..], &["--install", "target", "--smoke", smoke]].concat())
    };
    // There is no Python for musl here, and that is shown; its programs run all the same.
    test(0, &sandbox, "main").answers(&["libc (x86_64)", "1 passed, 1 skipped"]);
    let logs = sandbox.path().join("target/wheelsmith/test/other-libc-x86_64-x86_64.log");
    assert!(fs::read_to_string(&logs).unwrap().contains("from musl"));
    test(1, &sandbox, "main fail").answers(&["smoke: exit status 3"]);
    // A library that musl's loader does not find, and a wheel that is not for musl at all.
    let missing = WheelFile::new("other-1.0-py3-none-musllinux_1_2_x86_64.whl")
        .text("other/__init__.py", "")
        .bytes("other/libmusl.so", renamed("elf/musl.so", b"\0libc.so\0", b"\0libd.so\0"));
    missing.write(sandbox.path());
    test(1, &sandbox, "main").answers(&["libd.so"]);
    test(1, &bench.sandbox, "demo")
        .answers(&["is required but was skipped: the wheel has no file"]);
}

/// Returns a file of `testdata/` with one name replaced.
fn renamed(name: &str, old: &[u8], new: &[u8]) -> Vec<u8> {
    let mut bytes = support::wheels::native(name);
    let at = bytes.windows(old.len()).position(|part| part == old).unwrap();
    bytes[at..at + old.len()].copy_from_slice(new);
    bytes
}

#[test]
fn what_hangs_is_ended_with_all_that_it_started() {
    const TEST: &str = "what_hangs_is_ended_with_all_that_it_started";
    let Some(bench) = Bench::new(TEST, vec![pure("")]) else { return };
    // The second one is in a session of its own, and its parent has ended.
    let script = "import os, subprocess, sys\n\
        child = subprocess.Popen(['sleep', '600'])\n\
        away = 'import subprocess as s\\n\
        print(s.Popen([\"sleep\", \"600\"], start_new_session=True, stdout=s.DEVNULL).pid)'\n\
        away = subprocess.run([sys.executable, '-c', away], stdout=subprocess.PIPE)\n\
        with open(sys.argv[1] + '.new', 'wb') as file:\n    \
        file.write(b'%d %s' % (child.pid, away.stdout.strip()))\n\
        os.rename(sys.argv[1] + '.new', sys.argv[1])\nchild.wait()\n";
    bench.sandbox.write("hang.py", script);
    bench.sandbox.write("wheelsmith.toml", "[tool.wheelsmith.test]\nfiles = ['hang.py']\n");
    let pid = bench.sandbox.path().join("pid");
    let command = format!("python hang.py {}", pid.display());
    let begun = Instant::now();
    let args = ["--command", &command, "--timeout", "20", "--install", "target"];
    bench.run(1, &args).answers(&["command: not done after 20 s, so it was ended", "log: "]);
    assert!(begun.elapsed() < Duration::from_mins(2));
    let pids = fs::read_to_string(pid).unwrap();
    assert_eq!(pids.split(' ').count(), 2, "{pids}");
    for pid in pids.split(' ') {
        let is_gone = || match fs::read_to_string(format!("/proc/{pid}/stat")) {
            Ok(stat) => !stat.contains("(sleep)") || stat.contains(") Z "),
            Err(_) => true,
        };
        while !is_gone() {
            assert!(begun.elapsed() < Duration::from_mins(3), "child {pid} still runs");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
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
    bench.run(2, &absent).answers(&["1 passed", "there is no Python 3.999 here"]);
    let pattern = [&target[..], &["--require", "*-cp399-*"]].concat();
    bench.run(1, &pattern).answers(&["`*-cp399-*` is required but matches no cell"]);
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
    bench.run(2, &["--report", "out.html"]).says(&["the name must end with `.json`"]);
    let newer = pure("").header("Requires-Python: >=3.99");
    newer.write(bench.sandbox.path());
    bench.run(1, &[]).answers(&["the wheel requires Python >=3.99"]);
}

/// Tests wheels one by one: their content, and a part of the failed cell's reason; `None` if it
/// passes.
#[test]
fn only_what_was_tried_passes() {
    const TEST: &str = "only_what_was_tried_passes";
    const POINTS: &str = "tiny-1.0.dist-info/entry_points.txt";
    let points = |text: &str| pure("def main(): pass\nvalue = 1\n").text(POINTS, text);
    let empty = || WheelFile::new("tiny-1.0-py3-none-any.whl").purelib();
    let ended = Some("Python ended with exit status 0 before it was done");
    let rows: [(WheelFile, Option<&str>); 20] = [
        (pure("import sys\nsys.exit(0)\n"), ended),
        (pure("raise SystemExit\n"), ended),
        (pure("import os\nos._exit(0)\n"), ended),
        (pure("import os\nos.execv('/bin/true', ['true'])\n"), ended),
        (pure("import atexit, os\natexit.register(os._exit, 0)\nraise ImportError('no')\n"), ended),
        (pure("import atexit, os\natexit.register(os._exit, 3)\n"), Some("exit status 3")),
        (pure("import os\nos.kill(os.getpid(), 9)\n"), Some("ended by signal 9")),
        (
            pure(
                "import threading, time\nthreading.Thread(target=time.sleep, args=[600]).start()\n",
            ),
            Some("not done after 10 s"),
        ),
        (points("[console_scripts]\nls = tiny:main\n"), None),
        (points("[console_scripts]\nrun = tiny:absent\n"), Some("`tiny` has no `absent`")),
        (points("[console_scripts]\nrun = tiny.cli:main\n"), Some("No module named 'tiny.cli'")),
        (points("[console_scripts]\nrun = tiny:value\n"), Some("is not a function")),
        (points("[gui_scripts]\nrun = tiny:absent\n"), Some("`tiny` has no `absent`")),
        (points("[other.plugins]\nrun = tiny:value\n"), None),
        (points("[other.plugins]\nrun = tiny.absent\n"), Some("No module named 'tiny.absent'")),
        (
            pure("")
                .text("tiny/a.py", "import sys\nsys.exit(0)\n")
                .text("tiny/__init__.py", "")
                .text(POINTS, "[console_scripts]\nrun = tiny.a:main\n"),
            ended,
        ),
        (empty(), Some("nothing can be tried")),
        (empty().text("data/a.json", "{}"), Some("nothing can be tried")),
        (empty().text("tiny-stubs/__init__.pyi", ""), None),
        (
            empty().text("space/tiny/__init__.py", "raise ImportError('no')"),
            Some("ImportError: no"),
        ),
    ];
    for (at, (wheel, expected)) in rows.into_iter().enumerate() {
        let Some(bench) = Bench::new(TEST, vec![wheel]) else { return };
        let code = i32::from(expected.is_some());
        let run = bench.run(code, &["--install", "target", "--timeout", "10"]);
        let expected = expected.unwrap_or("1 passed");
        assert!(run.stdout.contains(expected), "{at}: {}", run.stdout);
    }
}

#[test]
fn a_flood_does_not_reach_the_terminal() {
    const TEST: &str = "a_flood_does_not_reach_the_terminal";
    let flood = "import sys\nsys.stdout.write('x' * 10000000)\nraise ImportError('no')\n";
    let Some(bench) = Bench::new(TEST, vec![pure(flood)]) else { return };
    let run = bench.run(1, &["--install", "target"]).answers(&["ImportError: no", "log: "]);
    assert!(run.stdout.len() + run.stderr.len() < 20_000);
    let logs = fs::read_dir(bench.sandbox.path().join("target/wheelsmith/test")).unwrap();
    let sizes: Vec<u64> = logs.map(|log| log.unwrap().metadata().unwrap().len()).collect();
    assert!(sizes.iter().all(|size| *size > 10_000_000), "{sizes:?}");
}

/// A command elsewhere on `PATH` is not in the environment.
#[test]
fn commands_are_looked_for_in_the_environment() {
    const TEST: &str = "commands_are_looked_for_in_the_environment";
    let wheel = pure("").text("tiny-1.0.data/scripts/ls", "#!python\nprint('mine')\n");
    let Some(bench) = Bench::new(TEST, vec![wheel]) else { return };
    let args = ["--install", "venv", "--install", "target", "--smoke", "ls"];
    bench.run(0, &args).answers(&["2 passed"]);
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

/// Returns the Python from which the judges' virtual environment was made.
fn base_python(bench: &Bench) -> PathBuf {
    let mut ask = std::process::Command::new(&bench.python);
    let said = support::content(ask.args(["-c", "import sys; print(sys._base_executable)"]));
    fs::canonicalize(said.stdout.trim()).unwrap()
}

/// Returns a command with only these directories on `PATH`, and without the Pythons of the user.
fn isolated(bench: &Bench, code: i32, path: &str, env: &[(&str, &str)], python: &str) -> Run {
    let home = bench.sandbox.path().join("home");
    fs::create_dir_all(&home).unwrap();
    let args = ["test", "*.whl", "--install", "target", "--python", python];
    let mut command = bench.sandbox.command(&args);
    command.env("PATH", path).env("HOME", &home).env_remove("PYENV_ROOT");
    command.env_remove("UV_PYTHON_INSTALL_DIR").envs(env.iter().copied());
    Run::of(&mut command).expect(code)
}

fn version_of(python: &Path) -> String {
    let mut ask = std::process::Command::new(python);
    let code = "import sys; print('%d.%d' % sys.version_info[:2])";
    support::content(ask.args(["-c", code])).stdout.trim().to_owned()
}

#[test]
fn pythons_of_pyenv_are_found_where_pyenv_keeps_them() {
    const TEST: &str = "pythons_of_pyenv_are_found";
    let Some(bench) = Bench::new(TEST, vec![pure("")]) else { return };
    let python = base_python(&bench);
    let version = version_of(&python);
    let absent = format!("there is no Python {version} here");
    isolated(&bench, 2, "/nowhere", &[], &version).answers(&[&absent]);
    // Each version is a prefix with `bin/python3` in it. Links to prefixes are real, too.
    let versions = bench.sandbox.path().join("pyenv/versions");
    fs::create_dir_all(&versions).unwrap();
    let prefix = python.parent().and_then(Path::parent).unwrap();
    std::os::unix::fs::symlink(prefix, versions.join(format!("{version}.99"))).unwrap();
    fs::create_dir_all(versions.join("broken/bin")).unwrap();
    let root = versions.parent().unwrap().to_str().unwrap();
    let run = isolated(&bench, 0, "/nowhere", &[("PYENV_ROOT", root)], &version);
    drop(run.answers(&["1 passed"]));
    // Without the variable, in the home directory.
    fs::rename(root, bench.sandbox.path().join("home/.pyenv")).unwrap();
    isolated(&bench, 0, "/nowhere", &[], &version).answers(&["1 passed"]);
}

#[test]
fn pythons_of_uv_are_found_by_asking_uv() {
    const TEST: &str = "pythons_of_uv_are_found";
    let Some(bench) = Bench::new(TEST, vec![pure("")]) else { return };
    let Some(uv) = bench.env.get("judges/bin/uv", TEST) else { return };
    let python = base_python(&bench);
    let version = version_of(&python);
    // Alone, without the Python that lies beside it.
    let bin = bench.sandbox.path().join("bin");
    fs::create_dir_all(&bin).unwrap();
    std::os::unix::fs::symlink(uv, bin.join("uv")).unwrap();
    let path = bin.to_str().unwrap();
    let absent = format!("there is no Python {version} here");
    isolated(&bench, 2, path, &[], &version).answers(&[&absent]);
    // As `uv python install` leaves it: a directory called by version, system and processor.
    let installed = bench.sandbox.path().join("home/.local/share/uv/python");
    fs::create_dir_all(&installed).unwrap();
    let full = {
        let mut ask = std::process::Command::new(&python);
        support::content(ask.args(["-c", "import platform; print(platform.python_version())"]))
    };
    let arch = std::env::consts::ARCH;
    let name = format!("cpython-{}-linux-{arch}-gnu", full.stdout.trim());
    // uv takes no link for an installation.
    let (prefix, made) = (python.parent().and_then(Path::parent).unwrap(), installed.join(name));
    fs::create_dir_all(&made).unwrap();
    for part in ["bin", "lib"] {
        std::os::unix::fs::symlink(prefix.join(part), made.join(part)).unwrap();
    }
    isolated(&bench, 0, path, &[], &version).answers(&["1 passed"]);
    // Where the user has uv keep them.
    let elsewhere = bench.sandbox.path().join("pythons");
    fs::rename(installed, &elsewhere).unwrap();
    let env = [("UV_PYTHON_INSTALL_DIR", elsewhere.to_str().unwrap())];
    isolated(&bench, 0, path, &env, &version).answers(&["1 passed"]);
}
