//! Wheels with the libraries that their components need, from other components and from
//! directories; natively, and for aarch64 under an emulator.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests are a world of their own"
)]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]
#![cfg(target_os = "linux")]

mod support;

use std::fmt::Write as _;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use support::{Sandbox, TestEnv, content};

const TARGETS: [&str; 2] = ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"];

const CONFIG: &str = "\
[project]
name = 'demo'
version = '1.0'

[tool.wheelsmith]
targets = ['x86_64-unknown-linux-gnu', 'aarch64-unknown-linux-gnu']

[[tool.wheelsmith.component]]
name = 'square'
version = '3.1'
license = 'Zlib'
kind = 'c-shared'
soname = 'libsquare.so.3'
source = { archive = 'vendor/square-3.1.tar' }
license-files = ['COPYING']
[[tool.wheelsmith.component.sources]]
files = ['square.c']

[[tool.wheelsmith.component]]
name = 'answer'
kind = 'c-shared'
link = ['square']
[[tool.wheelsmith.component.sources]]
files = ['answer.c']

[[tool.wheelsmith.wheel]]
components = ['answer']
EXTERNAL
";

const BUNDLE: &str = "\
external = 'bundle'
[tool.wheelsmith.target.x86_64-unknown-linux-gnu]
library-path = ['deps/x86_64-unknown-linux-gnu']
[tool.wheelsmith.target.aarch64-unknown-linux-gnu]
library-path = ['deps/aarch64-unknown-linux-gnu']
";

/// A project whose library needs `libsquare.so.3`, a component that the wheel does not contain, and
/// `libsix.so.1`, a prebuilt library.
fn project(env: &TestEnv, external: &str) -> Option<Sandbox> {
    let zig = env.get("tools/zig", "bundle")?;
    let sandbox = Sandbox::with(&[
        (
            "answer.c",
            "int square(int);\nint six(void);\nint answer(void) { return square(six()); }\n",
        ),
        ("six.c", "int six(void) { return 6; }\n"),
        (
            "src/demo/__init__.py",
            "import ctypes, os\n_dir = os.path.dirname(__file__)\n\
             _lib = ctypes.CDLL(os.path.join(_dir, '_runtime/lib/libanswer.so'))\n\
             def answer():\n    return _lib.answer()\n",
        ),
    ]);
    let mut tar = tar_of(&[
        ("square-3.1/square.c", "int square(int x) { return x * x; }\n"),
        ("square-3.1/COPYING", "Do what you like.\n"),
    ]);
    fs::create_dir_all(sandbox.path().join("vendor")).unwrap();
    fs::write(sandbox.path().join("vendor/square-3.1.tar"), &mut tar).unwrap();
    let mut overrides = String::new();
    for target in TARGETS {
        let dir = sandbox.path().join("deps").join(target);
        fs::create_dir_all(&dir).unwrap();
        let arch = target.split('-').next().unwrap();
        let mut command = Command::new(&zig);
        command.args([
            "cc",
            "-target",
            &format!("{arch}-linux-gnu.2.17"),
            "-shared",
            "-fPIC",
            "-s",
        ]);
        command
            .args(["-O1", "-Wl,-soname,libsix.so.1", "six.c", "-o"])
            .arg(dir.join("libsix.so.1"));
        content(command.current_dir(sandbox.path()));
        std::os::unix::fs::symlink("libsix.so.1", dir.join("libsix.so")).unwrap();
        let dir = dir.display();
        let _ = write!(
            overrides,
            "[tool.wheelsmith.target.{target}.component.answer]\nlink-flags = ['-L{dir}', '-lsix']\n"
        );
    }
    sandbox.write("wheelsmith.toml", &(CONFIG.replace("EXTERNAL\n", external) + &overrides));
    Some(sandbox)
}

fn tar_of(files: &[(&str, &str)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, text) in files {
        let mut header = [0_u8; 512];
        let mut put = |at: usize, field: &str| {
            header[at..at + field.len()].copy_from_slice(field.as_bytes());
        };
        put(0, name);
        put(100, "0000644\0");
        put(108, "0000000\0");
        put(116, "0000000\0");
        put(124, &format!("{:011o}\0", text.len()));
        put(136, "00000000000\0");
        put(148, "        ");
        put(156, "0");
        put(257, "ustar\u{0}00");
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        bytes.extend(header);
        bytes.extend(text.as_bytes());
        bytes.resize(bytes.len().next_multiple_of(512), 0);
    }
    bytes.extend([0; 1024]);
    bytes
}

/// Returns the names in a wheel, and the text of the file whose name starts with `start`.
fn inside(wheel: &Path, wanted: &str) -> (Vec<String>, String) {
    let mut archive = zip::ZipArchive::new(fs::File::open(wheel).unwrap()).unwrap();
    let names: Vec<String> = archive.file_names().map(|name| name.unwrap().into_owned()).collect();
    let mut text = String::new();
    if let Some(name) = names.iter().find(|name| name.starts_with(wanted)) {
        archive.by_name(name).unwrap().read_to_string(&mut text).unwrap();
    }
    (names, text)
}

const SBOM: &str = "demo-1.0.dist-info/sboms/wheelsmith-repair.cdx.json";

#[test]
fn components_and_directories_give_the_libraries() {
    let Some(env) = TestEnv::find("bundle") else { return };
    let Some(sandbox) = project(&env, BUNDLE) else { return };
    let plan = sandbox.expect(0, &["build", "--dry-run", "--format", "json"]).stdout;
    let plan: Value = serde_json::from_str(&plan).unwrap();
    let wheel = &plan["plan"]["targets"][1]["wheels"][0];
    assert_eq!(wheel["library_path"], json!(["deps/aarch64-unknown-linux-gnu"]));

    sandbox.expect(0, &["build"]).answers(&["+ demo.libs/libsquare-", "+ demo.libs/libsix-"]);
    let wheels = sandbox.dist();
    let read = |wheels: &[PathBuf]| -> Vec<Vec<u8>> {
        wheels.iter().map(|wheel| fs::read(wheel).unwrap()).collect()
    };
    let first = read(&wheels);
    assert_eq!(first.len(), 2, "{wheels:?}");
    // Another place, another time, nothing left of the first run.
    let Some(other) = project(&env, BUNDLE) else { return };
    other.expect(0, &["build"]);
    assert!(read(&other.dist()) == first, "another run gives other bytes");

    let (names, sbom) = inside(&wheels[1], SBOM);
    assert!(names.contains(&"demo-1.0.dist-info/licenses/square/COPYING".to_owned()), "{names:?}");
    let sbom: Value = serde_json::from_str(&sbom).unwrap();
    let described = |start: &str| -> &Value {
        let all = sbom["components"].as_array().unwrap();
        all.iter().find(|c| c["bom-ref"].as_str().unwrap().starts_with(start)).unwrap()
    };
    let square = described("demo.libs/libsquare-");
    assert_eq!((&square["name"], &square["version"]), (&json!("square"), &json!("3.1")));
    assert_eq!(square["licenses"][0]["expression"], "Zlib");
    let source = &square["externalReferences"][0];
    assert_eq!(source["url"], "vendor/square-3.1.tar");
    assert_eq!(source["hashes"][0]["alg"], "SHA-256");
    assert_eq!(described("demo.libs/libsix-")["name"], "libsix.so.1");

    for wheel in &wheels {
        sandbox.expect(0, &["audit", wheel.to_str().unwrap()]);
        // There is nothing left to do.
        let args = ["repair", wheel.to_str().unwrap(), "--out", "again"];
        sandbox.expect(0, &args).answers(&["nothing to graft"]);
        let again = sandbox.path().join("again").join(wheel.file_name().unwrap());
        assert!(fs::read(again).unwrap() == fs::read(wheel).unwrap(), "repair gives other bytes");
    }
    fs::rename(sandbox.path().join("target"), sandbox.path().join("away")).unwrap();
    fs::rename(sandbox.path().join("deps"), sandbox.path().join("gone")).unwrap();
    run(&env, sandbox.path(), &wheels);
}

/// Imports the wheels after the project was removed.
fn run(env: &TestEnv, dir: &Path, wheels: &[PathBuf]) {
    let of = |arch: &str| {
        let wheel = wheels.iter().find(|wheel| wheel.to_str().unwrap().contains(arch)).unwrap();
        let site = dir.join(format!("site-{arch}"));
        let mut archive = zip::ZipArchive::new(fs::File::open(wheel).unwrap()).unwrap();
        archive.extract(&site).unwrap();
        site
    };
    let ask = |command: &mut Command, site: &Path| {
        command.args(["-c", "import demo; print(demo.answer())"]);
        content(command.env("PYTHONPATH", site).current_dir("/")).answers(&["36"]);
    };
    if env.get("judges", "bundle").is_some() {
        ask(&mut Command::new(env.judge("python")), &of("x86_64"));
    }
    let qemu = env.get("tools/qemu-aarch64", "bundle");
    if let (Some(qemu), Some(root)) = (qemu, env.get("arm64-root", "bundle")) {
        let mut command = Command::new(qemu);
        command.arg("-L").arg(&root).arg(root.join("usr/bin/python3"));
        ask(&mut command, &of("aarch64"));
    }
}

/// A wheel for another system gets the library of a component that it does not contain.
#[test]
fn other_systems_take_in_components_as_well() {
    let Some(env) = TestEnv::find("bundle") else { return };
    let square = "\
        [[tool.wheelsmith.component]]\nname = 'square'\nkind = 'c-shared'\n\
        soname = 'libsquare.so.3'\n\
        [[tool.wheelsmith.component.sources]]\nfiles = ['square.c']\n\
        [[tool.wheelsmith.component]]\nname = 'answer'\nkind = 'c-shared'\nlink = ['square']\n\
        [[tool.wheelsmith.component.sources]]\nfiles = ['answer.c']\n\
        [[tool.wheelsmith.wheel]]\ncomponents = ['answer']\nexternal = 'bundle'\n";
    let check = |target: &str, copy: &str, earned: &str| {
        if env.get("tools/zig", "bundle").is_none() {
            return;
        }
        let head = "[project]\nname = 'demo'\nversion = '1.0'\n";
        let sandbox = Sandbox::with(&[
            ("wheelsmith.toml", &format!("{head}{square}")),
            ("square.c", "int square(int x) { return x * x; }\n"),
            ("answer.c", "int square(int);\nint answer(void) { return square(6); }\n"),
            ("src/demo/__init__.py", ""),
        ]);
        let run = sandbox.expect(0, &["build", "--target", target]);
        run.answers(&[&format!("+ {copy}"), &format!("qualifies for {earned}")]);
        let wheel = sandbox.dist().remove(0);
        let wheel = wheel.to_str().unwrap();
        sandbox.expect(0, &["audit", wheel, "--fail-on", "warning"]);
        sandbox.expect(0, &["repair", wheel, "--out", "again"]).answers(&["nothing to graft"]);
    };
    check("x86_64-unknown-linux-musl", "demo.libs/libsquare-", "musllinux_1_2_x86_64");
    check("aarch64-apple-darwin", "demo/.dylibs/libsquare.3.dylib", "macosx_11_0_arm64");
    check("universal2-apple-darwin", "demo/.dylibs/libsquare.3.dylib", "macosx_10_12_universal2");
}

/// Metadata that an installer requests before the build, and an editable installation.
#[test]
fn metadata_and_editable_installations_know_what_is_taken_in() {
    let Some(env) = TestEnv::find("bundle") else { return };
    let Some(sandbox) = project(&env, BUNDLE) else { return };
    let dir = sandbox.path();
    let one = ["--target", "x86_64-unknown-linux-gnu", "--out"];
    sandbox.expect(0, &[&["backend", "metadata"][..], &one, &["prepared"]].concat());
    sandbox.expect(0, &[&["build"][..], &one, &["dist"]].concat());
    let mut archive = zip::ZipArchive::new(fs::File::open(&sandbox.dist()[0]).unwrap()).unwrap();
    archive.extract(dir.join("wheel")).unwrap();
    let (prepared, wheel) = (dir.join("prepared/demo-1.0.dist-info"), dir.join("wheel"));
    assert!(prepared.join("licenses/square/COPYING").is_file());
    fs::remove_file(wheel.join("demo-1.0.dist-info/RECORD")).unwrap();
    let mut diff = Command::new("diff");
    content(diff.arg("-r").arg(&prepared).arg(wheel.join("demo-1.0.dist-info")));

    if env.get("judges", "bundle").is_none() {
        return;
    }
    sandbox.expect(0, &[&["build", "--editable"][..], &one, &["editable"]].concat());
    fs::rename(dir.join("deps"), dir.join("gone")).unwrap();
    let answer = || {
        let mut python = Command::new(env.judge("python"));
        python.args(["-c", "import demo; print(demo.answer())"]).current_dir("/");
        content(python.env("PYTHONPATH", dir.join("src")))
    };
    answer().answers(&["36"]);
    // A later build is seen at once.
    fs::rename(dir.join("gone"), dir.join("deps")).unwrap();
    let changed =
        "int square(int);\nint six(void);\nint answer(void) { return 1 + square(six()); }\n";
    sandbox.write("answer.c", changed);
    sandbox.expect(0, &[&["build"][..], &one, &["dist"]].concat());
    answer().answers(&["37"]);
}

#[test]
fn what_is_denied_or_missing_is_not_written() {
    let Some(env) = TestEnv::find("bundle") else { return };
    let one = ["build", "--target", "x86_64-unknown-linux-gnu"];
    let Some(sandbox) = project(&env, "") else { return };
    sandbox.expect(1, &one).answers(&["external-library", "libsquare.so.3", "libsix.so.1"]);
    assert!(sandbox.dist().is_empty());

    let Some(sandbox) = project(&env, "external = 'bundle'\n") else { return };
    let run = sandbox.expect(1, &one);
    let run = run.answers(&["missing libsix.so.1, which libanswer.so needs", "`library-path`"]);
    assert!(!run.stdout.contains("missing libsquare"), "{}", run.stdout);
    assert!(sandbox.dist().is_empty());

    let nowhere = "external = 'bundle'\nlibrary-path = ['nowhere']\n";
    let Some(sandbox) = project(&env, nowhere) else { return };
    sandbox.expect(2, &one).says(&["`nowhere` of `library-path` is not a directory"]);
}
