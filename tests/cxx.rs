//! Files of a wheel that use C++ share one C++ runtime: exceptions are caught by type, and
//! `dynamic_cast`, thread-local variables and streams work across their boundaries.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests are a world of their own"
)]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use support::{Run, Sandbox, TestEnv, content, repository};
use wheelsmith_core::binary::elf::Elf;

const GLIBC: &str = "x86_64-unknown-linux-gnu";
const AARCH64: &str = "aarch64-unknown-linux-gnu";
const MUSL: &str = "x86_64-unknown-linux-musl";

fn project() -> Sandbox {
    let sandbox = Sandbox::new();
    support::copy(&repository().join("testdata/cxx"), sandbox.path());
    sandbox
}

fn runtime(project: &Sandbox, target: &str) -> PathBuf {
    project.path().join("target/wheelsmith").join(target).join("runtime")
}

fn build(project: &Sandbox, args: &[&str]) -> Run {
    Run::of(project.command(&["build"]).args(args)).expect(0)
}

fn needed(file: &Path) -> Vec<String> {
    Elf::parse(&fs::read(file).unwrap()).unwrap().needed
}

/// Returns the libraries of the runtime that are C++ runtimes.
fn cxx_libraries(runtime: &Path) -> Vec<String> {
    let names = fs::read_dir(runtime.join("lib")).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with("libc++")).collect()
}

#[test]
fn files_that_meet_share_a_runtime() {
    const TEST: &str = "files_that_meet_share_a_runtime";
    let Some(env) = TestEnv::find(TEST) else { return };
    for target in [GLIBC, AARCH64, MUSL] {
        let project = project();
        let plan = &["build", "--dry-run", "--target", target];
        let plan = Run::of(&mut project.command(plan)).expect(0).stdout;
        assert!(plan.contains("  share one C++ runtime, libc++-"), "{plan}");
        build(&project, &["--target", target]);
        let dir = runtime(&project, target);
        let libraries = cxx_libraries(&dir);
        let [library] = &libraries[..] else { panic!("{libraries:?}") };
        for file in ["lib/libshapes.so", "lib/libstore.so", "bin/probe", "bin/tool"] {
            let needed = needed(&dir.join(file));
            assert!(needed.contains(library), "{target}: {file} needs {needed:?}");
            assert!(!needed.iter().any(|name| name.contains("stdc++")), "{target}: {needed:?}");
        }
        assert!(dir.join("licenses/libc++/libcxx.txt").is_file());
        let wheel = project.dist().into_iter().find(|path| path.extension().unwrap() == "whl");
        let wheel = wheel.unwrap();
        let listed = Command::new("unzip").arg("-l").arg(&wheel).output().unwrap();
        let listed = String::from_utf8(listed.stdout).unwrap();
        for part in [&format!("/lib/{library}"), "licenses/libc++/libcxx.txt"] {
            assert!(listed.contains(part), "{part} is not in {listed}");
        }
        let says =
            [("probe", "all right\nlast of shapes\n"), ("tool", "tool caught 8\nlast of shapes\n")];
        for (program, says) in says {
            let program = dir.join("bin").join(program);
            let run = match target {
                GLIBC => Some(Command::new(&program)),
                AARCH64 => env
                    .get("tools/qemu-aarch64", TEST)
                    .zip(env.get("arm64-root", TEST))
                    .map(|(emulator, root)| {
                        let mut command = Command::new(emulator);
                        command.arg("-L").arg(root).arg(&program);
                        command
                    }),
                _ => env.get("tools/ld-musl-x86_64", TEST).map(|loader| {
                    let mut command = Command::new(loader);
                    command.arg(&program);
                    command
                }),
            };
            if let Some(mut run) = run {
                assert_eq!(content(&mut run).stdout, says, "{target}: {}", program.display());
            }
        }
    }
}

#[test]
fn the_key_chooses_the_runtime() {
    let Some(_) = TestEnv::find("the_key_chooses_the_runtime") else { return };
    let check = |value: &str, more: &str, expected: usize| {
        let project = project();
        let config = fs::read_to_string(project.path().join("wheelsmith.toml")).unwrap();
        let key = format!("[tool.wheelsmith]\ncxx-runtime = \"{value}\"\n{more}");
        project.write("wheelsmith.toml", &config.replacen("[tool.wheelsmith]\n", &key, 1));
        build(&project, &["--runtime-only"]);
        let dir = runtime(&project, GLIBC);
        assert_eq!(cxx_libraries(&dir).len(), expected, "{value}");
        let needed = needed(&dir.join("bin/probe"));
        let has_system = needed.iter().any(|name| name == "libstdc++.so.6");
        assert_eq!(has_system, value == "system", "{needed:?}");
        let report = project.run(&["audit", "--format", "json", dir.to_str().unwrap()]).stdout;
        assert_eq!(report.contains("two-cxx-runtimes"), value == "static", "{value}: {report}");
    };
    check("static", "", 0);
    check("shared", "", 1);
    check("system", "toolchain = \"native\"\n", 0);
}

/// C++ in the source of a build system counts unless `languages` says that it is not compiled.
#[test]
fn languages_correct_what_the_source_shows() {
    let Some(_) = TestEnv::find("languages_correct_what_the_source_shows") else { return };
    let project = Sandbox::with(&[("a.c", ""), ("extra/b.cc", "")]);
    let check = |languages: &str, expected: bool| {
        let text = format!(
            "[[tool.wheelsmith.component]]\nname = 'a'\nkind = 'command'\n{languages}\nrun = \
             [['make']]\noutputs = [{{ from = 'lib/*.so', role = 'shared-library' }}]\n"
        );
        project.write("wheelsmith.toml", &text);
        let args = &["build", "--runtime-only", "--dry-run", "--target", GLIBC];
        let plan = Run::of(&mut project.command(args)).expect(0).stdout;
        assert_eq!(plan.contains("share one C++ runtime"), expected, "{languages}: {plan}");
    };
    check("", true);
    check("languages = ['c']", false);
    check("languages = ['c', 'c++']", true);
}

/// A single file keeps its runtime inside.
#[test]
fn a_single_file_stays_static() {
    let Some(_) = TestEnv::find("a_single_file_stays_static") else { return };
    let project = project();
    project.write(
        "wheelsmith.toml",
        "[project]\nname = 'demo'\nversion = '1'\n[[tool.wheelsmith.component]]\nname = 'shapes'\n\
         kind = 'c-shared'\nsources = [{ files = ['shapes.cpp'] }]\n",
    );
    build(&project, &["--runtime-only", "--target", GLIBC]);
    let dir = runtime(&project, GLIBC);
    assert!(cxx_libraries(&dir).is_empty());
    assert!(needed(&dir.join("lib/libshapes.so")).iter().all(|name| !name.contains("c++")));
}

#[test]
fn a_toolchain_without_the_runtime_is_refused() {
    let Some(_) = TestEnv::find("a_toolchain_without_the_runtime_is_refused") else { return };
    let project = project();
    let config = fs::read_to_string(project.path().join("wheelsmith.toml")).unwrap();
    let check = |value: &str, target: &str, says: &str| {
        let key = format!("[tool.wheelsmith]\ncxx-runtime = \"{value}\"\n");
        project.write("wheelsmith.toml", &config.replacen("[tool.wheelsmith]\n", &key, 1));
        let run = Run::of(project.command(&["build", "--runtime-only"]).args(["--target", target]));
        let run = run.expect(2);
        assert!(run.stderr.contains(says), "{}", run.stderr);
    };
    check("system", GLIBC, "zig contains no C++ library of the system");
    check("shared", "aarch64-apple-darwin", "can be shared on Linux only");
}
