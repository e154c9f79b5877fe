//! BPF programs: objects with their types and without DWARF, in the byte order of the target, which
//! a wheel carries as data.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests are a world of their own"
)]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

mod support;

use std::fs;
use std::process::Command;

use support::{Run, Sandbox, TestEnv, content, repository};

const CONFIG: &str = r#"
[project]
name = "demo"
version = "1.0"

[tool.wheelsmith]
targets = ["x86_64-unknown-linux-gnu", "s390x-unknown-linux-gnu"]

[[tool.wheelsmith.component]]
name = "filters"
kind = "bpf"
sources = [{ files = ["bpf/*.bpf.c"] }]
"#;

fn project() -> Sandbox {
    let source = fs::read_to_string(repository().join("testdata/elf/src/bpf.c")).unwrap();
    Sandbox::with(&[
        ("wheelsmith.toml", CONFIG),
        ("src/demo/__init__.py", ""),
        ("bpf/count.bpf.c", &source),
    ])
}

fn sections(object: &std::path::Path) -> String {
    content(Command::new("readelf").args(["-SW", "-h"]).arg(object)).stdout
}

#[test]
fn programs_become_data_of_the_wheel() {
    let Some(_) = TestEnv::find("programs_become_data_of_the_wheel") else { return };
    let project = project();
    Run::of(&mut project.command(&["build"])).expect(0);
    for (target, order) in [("x86_64", "little endian"), ("s390x", "big endian")] {
        let runtime = format!("target/wheelsmith/{target}-unknown-linux-gnu.2.17/runtime");
        let runtime = [runtime, format!("target/wheelsmith/{target}-unknown-linux-gnu/runtime")]
            .map(|dir| project.path().join(dir));
        let runtime = runtime.iter().find(|dir| dir.is_dir()).unwrap();
        let object = runtime.join("share/filters/count.bpf.o");
        let text = sections(&object);
        assert!(text.contains(order), "{text}");
        for name in [".BTF", ".BTF.ext", ".rel.BTF.ext", ".maps", "socket", "license"] {
            assert!(text.contains(name), "{name} is not in {text}");
        }
        assert!(!text.contains("debug_") && !text.contains("eh_frame"), "{text}");
        let bytes = fs::read(&object).unwrap();
        let place = project.path().to_str().unwrap().as_bytes();
        assert!(!bytes.windows(place.len()).any(|part| part == place), "it names its directory");
    }
    let wheels = project.dist();
    let wheels: Vec<_> = wheels.iter().filter(|p| p.extension().unwrap() == "whl").collect();
    for wheel in &wheels {
        let run = Run::of(project.command(&["audit"]).arg(wheel)).expect(0);
        run.answers(&["no file is for the processor of a platform tag"]);
    }
}

#[test]
fn an_edited_program_is_compiled_again() {
    let Some(_) = TestEnv::find("an_edited_program_is_compiled_again") else { return };
    let project = project();
    let outcome = || {
        let mut command = project.command(&["build", "--format", "json", "--target"]);
        let run = Run::of(command.arg("x86_64-unknown-linux-gnu")).expect(0);
        let answer: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        answer["targets"][0]["components"][0]["outcome"].as_str().unwrap().to_owned()
    };
    assert_eq!(outcome(), "1 of 1 compiled");
    assert_eq!(outcome(), "up to date");
    let source = fs::read_to_string(project.path().join("bpf/count.bpf.c")).unwrap();
    project.write("bpf/count.bpf.c", &source.replace("packet->len", "1"));
    assert_eq!(outcome(), "1 of 1 compiled");
}

#[test]
fn gcc_compiles_no_programs() {
    let Some(_) = TestEnv::find("gcc_compiles_no_programs") else { return };
    let project = project();
    let config = CONFIG.replace("[tool.wheelsmith]", "[tool.wheelsmith]\ntoolchain = \"native\"");
    project.write("wheelsmith.toml", &config);
    let mut command = project.command(&["build", "--target", "x86_64-unknown-linux-gnu"]);
    let run = Run::of(&mut command).expect(2);
    assert!(run.stderr.contains("does not compile BPF programs"), "{}", run.stderr);
}
