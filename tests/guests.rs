//! Components for another C library, or for none, beside files for glibc.
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

use support::{Run, Sandbox, TestEnv, content};
use wheelsmith_core::binary::elf::{Elf, Kind};

const TARGET: &str = "x86_64-unknown-linux-gnu";

const CONFIG: &str = r#"
[project]
name = "demo"
version = "1.0"

[tool.wheelsmith]
targets = ["x86_64-unknown-linux-gnu"]

[[tool.wheelsmith.component]]
name = "shim"
kind = "c-shared"
sources = [{ files = ["shim.c"] }]

[[tool.wheelsmith.component]]
name = "answers"
kind = "c-static"
libc = "musl"
sources = [{ files = ["answers.c"] }]
headers = [{ files = ["answers.h"] }]

[[tool.wheelsmith.component]]
name = "guest"
kind = "c-executable"
libc = "musl"
link = ["answers"]
sources = [{ files = ["guest.c"] }]

[[tool.wheelsmith.component]]
name = "firmware"
kind = "c-executable"
freestanding = true
sources = [{ files = ["firmware.c", "start.S"] }]
link-flags = ["-Wl,-e,start"]
"#;

const FILES: &[(&str, &str)] = &[
    ("wheelsmith.toml", CONFIG),
    ("src/demo/__init__.py", ""),
    ("shim.c", "#include <stdio.h>\nint shim(void) { return puts(\"shim\"); }\n"),
    ("answers.h", "int answer(void);\n"),
    ("answers.c", "#include \"answers.h\"\nint answer(void) { return 42; }\n"),
    (
        "guest.c",
        "#include <answers.h>\n#include <stdio.h>\n#ifdef __GLIBC__\n#error glibc\n#endif\n\
         int main(void) { printf(\"guest %d\\n\", answer()); return 0; }\n",
    ),
    (
        "firmware.c",
        "#if __STDC_HOSTED__\n#error hosted\n#endif\nstatic volatile int state;\n\
         int step(int by) { return state += by; }\n",
    ),
    (
        "start.S",
        ".globl start\nstart: mov $60, %eax\n xor %edi, %edi\n syscall\n\
         .section .note.GNU-stack,\"\",%progbits\n",
    ),
];

fn elf(path: &std::path::Path) -> Elf {
    Elf::parse(&fs::read(path).unwrap()).unwrap()
}

#[test]
fn a_static_guest_and_a_blob_are_beside_a_library_for_glibc() {
    let Some(_) = TestEnv::find("a_static_guest_and_a_blob") else { return };
    let project = Sandbox::with(FILES);
    let plan = Run::of(&mut project.command(&["build", "--dry-run", "-v"])).expect(0).stdout;
    assert!(plan.contains("-target x86_64-linux-musl"), "{plan}");
    Run::of(&mut project.command(&["build"])).expect(0);
    let runtime = project.path().join("target/wheelsmith").join(TARGET).join("runtime");
    let guest = runtime.join("bin/guest");
    assert_eq!(elf(&guest).kind, Kind::StaticProgram);
    assert_eq!(content(&mut Command::new(&guest)).stdout, "guest 42\n");
    let firmware = elf(&runtime.join("bin/firmware"));
    assert_eq!((firmware.kind, firmware.needed.len()), (Kind::StaticProgram, 0));
    content(&mut Command::new(runtime.join("bin/firmware")));
    // The guest does not count for the floor of the wheel.
    let wheels = project.dist();
    let name = wheels[0].file_name().unwrap().to_str().unwrap();
    assert!(name.contains("manylinux") && !name.contains("musllinux"), "{name}");
    let run = Run::of(&mut project.command(&["build", "--format", "json"])).expect(0);
    assert_eq!(run.stdout.matches("up to date").count(), 4, "{}", run.stdout);
}

#[test]
fn a_static_guest_with_dlopen_is_reported() {
    let Some(_) = TestEnv::find("a_static_guest_with_dlopen_is_reported") else { return };
    let project = Sandbox::with(FILES);
    let text = "#include <dlfcn.h>\n#include <stdio.h>\n\
                int main(int n, char **v) { return printf(\"%p\", dlopen(v[n - 1], RTLD_NOW)) < 0; }\n";
    project.write("guest.c", text);
    let run = Run::of(&mut project.command(&["build"])).expect(0);
    let said = format!("{}{}", run.stdout, run.stderr);
    assert!(said.contains("static-dlopen"), "{said}");
}

#[test]
fn mixed_links_are_refused() {
    let check = |from: &str, to: &str, says: &str| {
        let project = Sandbox::with(FILES);
        assert!(CONFIG.contains(from), "{from}");
        project.write("wheelsmith.toml", &CONFIG.replacen(from, to, 1));
        let run = Run::of(&mut project.command(&["build", "--dry-run"])).expect(2);
        assert!(run.stderr.contains(says), "{}", run.stderr);
    };
    check(
        "kind = \"c-executable\"\nlibc = \"musl\"\n",
        "kind = \"c-executable\"\n",
        "`answers` has another `libc`",
    );
    check(
        "kind = \"c-shared\"\n",
        "kind = \"c-shared\"\nlibc = \"musl\"\n",
        "components of kind `c-shared` do not have this key",
    );
    check("libc = \"musl\"", "libc = \"bionic\"", "bionic");
}
