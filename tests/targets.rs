//! Several targets at once: shared work, merged files, and the outcome of the others if one fails.
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

use support::{Sandbox, TestEnv, content, repository};
use wheelsmith_core::binary::macho::{MachO, Pages};
use wheelsmith_core::name::Arch;

const FILES: [(&str, &str); 5] = [
    ("c/demo.h", "int answer(void);\n"),
    (
        "c/demo.c",
        "#include \"demo.h\"\n#ifdef BROKEN\n#error not for this one\n#endif\n\
         int answer(void) { return 42; }\n",
    ),
    ("c/main.c", "#include <demo.h>\nint main(void) { return answer() != 42; }\n"),
    ("COPYING", "Do what you like.\n"),
    ("src/demo/__init__.py", ""),
];

const COMPONENTS: &str = "\
[[tool.wheelsmith.component]]
name = 'demo'
kind = 'c-shared'
headers = [{ files = ['c/demo.h'] }]
license-files = ['COPYING']
[[tool.wheelsmith.component.sources]]
files = ['c/demo.c']
[[tool.wheelsmith.component]]
name = 'kept'
kind = 'c-static'
[[tool.wheelsmith.component.sources]]
files = ['c/demo.c']
[[tool.wheelsmith.component]]
name = 'run'
kind = 'c-executable'
link = ['demo']
[[tool.wheelsmith.component.sources]]
files = ['c/main.c']
";

fn project(targets: &[&str], more: &str) -> Sandbox {
    let targets = format!("{targets:?}");
    let head = format!(
        "[project]\nname = 'demo'\nversion = '1.0'\n[tool.wheelsmith]\ntargets = {targets}\n"
    );
    let sandbox = Sandbox::with(&FILES);
    sandbox.write("wheelsmith.toml", &(head + COMPONENTS + more));
    sandbox
}

const UNIVERSAL2: &str = "universal2-apple-darwin";
const INTEL: &str = "x86_64-apple-darwin";

#[test]
fn universal2_is_both_slices() {
    let Some(env) = TestEnv::find("universal2_is_both_slices") else { return };
    if env.get("tools/zig", "universal2_is_both_slices").is_none() {
        return;
    }
    let project = project(&[UNIVERSAL2, INTEL], "");
    let run = project.expect(0, &["build", "--target", "all"]);
    run.answers(&[
        "qualifies for macosx_10_12_universal2 (floor macOS 10.12)",
        "qualifies for macosx_10_12_x86_64",
    ]);
    let wheels = project.dist();
    let bytes: Vec<_> = wheels.iter().map(|wheel| fs::read(wheel).unwrap()).collect();
    assert_eq!(wheels.len(), 2, "{wheels:?}");

    let dir = project.path().join("target/wheelsmith");
    let runtime = dir.join(UNIVERSAL2).join("runtime");
    let slice = |target: &str, path: &str| fs::read(dir.join(target).join("runtime").join(path));
    for path in ["bin/run", "lib/libdemo.dylib"] {
        let fused = fs::read(runtime.join(path)).unwrap();
        let macho = MachO::parse(fused.as_slice()).unwrap();
        assert_eq!(macho.cpus(), "x86_64, arm64", "{path}");
        let arm = macho.slice(Arch::Aarch64).unwrap();
        assert_eq!(arm.signature.as_ref().unwrap().pages, Pages::Right, "{path}");
        let intel = slice(INTEL, path).unwrap();
        assert!(fused.windows(intel.len()).any(|part| part == intel), "{path} is another");
    }
    let manifest = fs::read_to_string(runtime.join("runtime.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    let files = manifest["files"].as_array().unwrap();
    let paths: Vec<&str> = files.iter().map(|file| file["path"].as_str().unwrap()).collect();
    let expected = [
        "bin/run",
        "include/demo.h",
        "lib/libdemo.dylib",
        "lib/libkept.a",
        "licenses/demo/COPYING",
    ];
    assert_eq!(paths, expected);
    assert_eq!(manifest["target"], UNIVERSAL2);
    assert_eq!(manifest["tag"], "macosx_10_12_universal2");
    if env.get("judges", "universal2_is_both_slices").is_some() {
        let judge = repository().join("tests/judges/check_target.py");
        let wheel = wheels.iter().find(|w| w.to_str().unwrap().contains("universal2")).unwrap();
        let mut command = Command::new(env.judge("python"));
        content(command.arg(judge).arg(wheel).args(["universal2", "macos 10.12"]));
    }

    // Nothing is made again; alone it is the same.
    let again = project.expect(0, &["build", "--target", "all"]);
    assert!(!again.stdout.contains("linked"), "{}", again.stdout);
    again.answers(&["demo (aarch64)", "up to date"]);
    fs::remove_dir_all(&dir).unwrap();
    fs::remove_dir_all(project.path().join("dist")).unwrap();
    project.expect(0, &["build", "--target", UNIVERSAL2]);
    let alone = fs::read(&project.dist()[0]).unwrap();
    assert!(bytes.contains(&alone), "built alone it has other bytes");
}

#[test]
fn a_target_that_fails_does_not_stop_the_others() {
    let Some(env) = TestEnv::find("a_target_that_fails") else { return };
    if env.get("tools/zig", "a_target_that_fails").is_none() {
        return;
    }
    let (good, bad) = ("x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu");
    let check = |more: &str, why: &str| {
        let project = project(&[bad, good], more);
        let run = project.expect(2, &["build", "--target", "all"]);
        let run =
            run.says(&[bad, why]).answers(&[&format!("{bad} failed"), why, good, "qualifies for"]);
        assert!(!run.stdout.contains(&format!("{good} failed")), "{}", run.stdout);
        let wheels = project.dist();
        assert_eq!(wheels.len(), 1, "{wheels:?}");
        assert!(is_for(&wheels[0], "x86_64"));
    };
    let broken = format!("[tool.wheelsmith.target.{bad}.component.demo]\nflags = ['-DBROKEN']\n");
    check(&broken, "cannot compile `c/demo.c` of component `demo`");
    // What there is of sources is enough for the targets that need no more.
    let absent = format!(
        "[[tool.wheelsmith.component]]\nname = 'taken'\nkind = 'prebuilt'\n\
         outputs = [{{ from = 'COPYING', role = 'data' }}]\n\
         [tool.wheelsmith.component.archive.{bad}]\narchive = 'absent.tar'\nsha256 = '{}'\n",
        "0".repeat(64)
    );
    check(&absent, "absent.tar");
}

fn is_for(wheel: &Path, arch: &str) -> bool {
    wheel.to_str().unwrap().ends_with(&format!("_{arch}.whl"))
}
