//! Programs and libraries of Go modules, with a vendored module and cgo, run on both processors.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests are a world of their own"
)]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use support::{Run, Sandbox, TestEnv, content};
use wheelsmith_core::binary::elf::Elf;

const CONFIG: &str = r#"
[project]
name = "demo"
version = "1.0"

[tool.wheelsmith]
targets = ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"]

[[tool.wheelsmith.component]]
name = "box"
kind = "c-shared"
sources = [{ files = ["c/box.c"] }]
headers = [{ files = ["c/box.h"] }]

[[tool.wheelsmith.component]]
name = "greet"
kind = "go"
dir = "go"
package = "./cmd/greet"
link = ["box"]
ldflags = ["-X=main.version=7.1"]

[[tool.wheelsmith.component]]
name = "plain"
kind = "go"
dir = "go"
package = "./cmd/plain"
cgo = false

[[tool.wheelsmith.component]]
name = "text"
kind = "go"
dir = "go"
package = "./lib"
build-mode = "c-shared"

[[tool.wheelsmith.component]]
name = "inside"
kind = "go"
dir = "go"
package = "./lib"
build-mode = "c-archive"

[[tool.wheelsmith.component]]
name = "by-shared"
kind = "c-executable"
link = ["text"]
sources = [{ files = ["c/use.c"], define = { HEADER = "<libtext.h>" } }]

[[tool.wheelsmith.component]]
name = "by-archive"
kind = "c-executable"
link = ["inside"]
sources = [{ files = ["c/use.c"], define = { HEADER = "<libinside.h>" } }]
"#;

const FILES: &[(&str, &str)] = &[
    ("wheelsmith.toml", CONFIG),
    ("src/demo/__init__.py", ""),
    ("c/box.h", "int box_volume(int, int, int);\n"),
    ("c/box.c", "int box_volume(int a, int b, int c) { return a * b * c; }\n"),
    (
        "c/use.c",
        "#include HEADER\n#include <stdio.h>\nint main(void) {\n  GoInt sum = 0;\n  \
         for (int i = 0; i < 1000; i++) sum += Twice(i);\n  printf(\"sum %lld\\n\", sum);\n  \
         return 0;\n}\n",
    ),
    ("go/go.mod", "module example.org/demo\n\ngo 1.17\n\nrequire example.org/words v1.0.0\n"),
    (
        "go/vendor/modules.txt",
        "# example.org/words v1.0.0\n## explicit; go 1.17\nexample.org/words\n",
    ),
    ("go/vendor/example.org/words/words.go", "package words\n\nconst Hello = \"hello\"\n"),
    (
        "go/cmd/greet/main.go",
        "package main\n\n// #include <box.h>\n// #include \"own.h\"\nimport \"C\"\nimport (\n\
         \t\"fmt\"\n\t\"os/user\"\n\t\"example.org/words\"\n)\n\nvar version = \"unset\"\n\n\
         func main() {\n\tcalled := make(chan int)\n\tgo func() { called <- \
         int(C.box_volume(2, 3, C.own())) }()\n\t_, err := user.Current()\n\tfmt.Println(words.Hello, \
         version, <-called, err == nil)\n}\n",
    ),
    ("go/cmd/greet/own.h", "int own(void);\n"),
    ("go/cmd/greet/own.c", "#include \"own.h\"\nint own(void) { return 4; }\n"),
    (
        "go/cmd/plain/main.go",
        "package main\n\nimport \"example.org/words\"\n\nfunc main() { println(words.Hello) }\n",
    ),
    (
        "go/lib/lib.go",
        "package main\n\nimport \"C\"\n\n//export Twice\nfunc Twice(n int) int { return 2 * n }\n\n\
         func main() {}\n",
    ),
];

const TARGETS: [&str; 2] = ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"];

fn has_go(test: &str) -> bool {
    let found = Command::new("go").arg("version").output().is_ok();
    let required = std::env::var_os("WHEELSMITH_TEST_REQUIRE").is_some();
    assert!(found || !required, "{test}: there is no go");
    if !found {
        eprintln!("skipped {test}: there is no go");
    }
    found
}

#[test]
fn programs_and_libraries_of_a_module_run_on_both_processors() {
    const TEST: &str = "programs_and_libraries_of_a_module";
    let Some(env) = TestEnv::find(TEST).filter(|_| has_go(TEST)) else { return };
    let project = Sandbox::with(FILES);
    let mut command = project.command(&["build", "--dry-run", "-v"]);
    let plan = Run::of(&mut command).expect(0).stdout;
    for part in ["-buildmode=pie", "-buildmode=c-shared", "-soname,libtext.so", "./cmd/greet"] {
        assert!(plan.contains(part), "{part} is not in {plan}");
    }
    Run::of(&mut project.command(&["build"])).expect(0);
    for target in TARGETS {
        let runtime = project.path().join("target/wheelsmith").join(target).join("runtime");
        let elf = |path: &str| Elf::parse(&fs::read(runtime.join(path)).unwrap()).unwrap();
        assert_eq!(elf("lib/libtext.so").soname.as_deref(), Some("libtext.so"));
        assert!(runtime.join("include/libtext.h").is_file());
        let bytes = fs::read(runtime.join("bin/greet")).unwrap();
        let place = project.path().to_str().unwrap().as_bytes();
        assert!(!bytes.windows(place.len()).any(|part| part == place), "it names its directory");
        let runs = [
            ("bin/greet", "hello 7.1 24 true"),
            ("bin/plain", "hello"),
            ("bin/by-shared", "sum 999000"),
            ("bin/by-archive", "sum 999000"),
        ];
        for (program, expected) in runs {
            let program = runtime.join(program);
            let Some(mut command) = runner(&env, target, &program, TEST) else { continue };
            let run = content(&mut command);
            assert!(run.stdout.contains(expected) || run.stderr.contains(expected), "{expected}");
        }
    }
    let wheels = project.dist();
    for wheel in &wheels {
        let mut print = Command::new("unzip");
        let list = content(print.arg("-p").arg(wheel).arg("*/sboms/wheelsmith.cdx.json")).stdout;
        let list: serde_json::Value = serde_json::from_str(&list).unwrap();
        let parts = list["components"].as_array().unwrap();
        let purls: Vec<_> = parts.iter().filter_map(|part| part["purl"].as_str()).collect();
        assert_eq!(purls, ["pkg:golang/example.org/words@v1.0.0"], "{list:#}");
        let users = list["dependencies"].as_array().unwrap().iter();
        let users = users.filter(|one| one["dependsOn"].to_string().contains("go:example.org"));
        let users: Vec<_> = users.filter_map(|one| one["ref"].as_str()).collect();
        assert_eq!(users, ["component:greet", "component:plain"]);
        let tools = list["metadata"]["tools"]["components"].as_array().unwrap();
        assert!(tools.iter().any(|tool| tool["name"] == "go"), "{list:#}");
    }
    let names: Vec<_> = wheels.iter().filter_map(|path| path.file_name()?.to_str()).collect();
    // Go's own C code uses nothing newer than the floor, and on x86_64 much older symbols only.
    for expected in ["manylinux_2_5_x86_64.whl", "manylinux_2_17_aarch64.whl"] {
        assert!(names.iter().any(|name| name.ends_with(expected)), "{names:?}");
    }
    // Nothing changed; then a file that is compiled, and one that is new in a package.
    let outcomes = || {
        let mut command = project.command(&["build", "--format", "json", "--target"]);
        let run = Run::of(command.arg(TARGETS[0])).expect(0);
        let answer: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        let components = answer["targets"][0]["components"].as_array().unwrap().clone();
        let outcome = |name: &str| {
            let found = components.iter().find(|one| one["name"] == name).unwrap();
            found["outcome"].as_str().unwrap().to_owned()
        };
        [outcome("greet"), outcome("plain"), outcome("text")]
    };
    assert_eq!(outcomes(), ["up to date"; 3]);
    project.write("go/cmd/greet/own.h", "int own(void);\n#define NEW 1\n");
    assert_eq!(outcomes(), ["built by go", "up to date", "up to date"]);
    project.write("go/lib/more.go", "package main\n\nfunc init() { println(\"more\") }\n");
    assert_eq!(outcomes()[2], "built by go");
}

/// Returns a command that runs a program of a target; `None` if it cannot be run here.
fn runner(env: &TestEnv, target: &str, program: &Path, test: &str) -> Option<Command> {
    if target.starts_with("x86_64") {
        return Some(Command::new(program));
    }
    let (qemu, root) = (env.get("tools/qemu-aarch64", test)?, env.get("arm64-root", test)?);
    let mut command = Command::new(qemu);
    command.arg("-L").arg(root).arg(program);
    Some(command)
}

#[test]
fn what_cannot_be_built_is_refused() {
    const TEST: &str = "what_cannot_be_built_is_refused";
    let Some(_) = TestEnv::find(TEST).filter(|_| has_go(TEST)) else { return };
    let check = |more: &str, target: &str, code: i32, expected: &str| {
        let config = format!(
            "[project]\nname = 'demo'\nversion = '1.0'\n[[component]]\nname = 'x'\nkind = 'go'\n\
             {more}\n"
        );
        let files = [("wheelsmith.toml", config.as_str()), ("go.mod", "module x\n")];
        let sandbox = Sandbox::with(&files);
        let run = Run::of(&mut sandbox.command(&["build", "--dry-run", "--target", target]));
        let run = run.expect(code);
        assert!(run.stderr.contains(expected), "{expected} is not in {}", run.stderr);
    };
    let (gnu, musl) = ("x86_64-unknown-linux-gnu", "x86_64-unknown-linux-musl");
    check("dir = 'none'", gnu, 2, "there is no `");
    check("package = 'other.org/x'", gnu, 2, "is no package of the module");
    check("package = './../x'", gnu, 2, "is no package of the module");
    check("cgo = false\nbuild-mode = 'c-shared'", gnu, 2, "needs cgo");
    check("build-mode = 'plugin'", gnu, 2, "unknown value `plugin`");
    check("build-mode = 'c-shared'", musl, 2, "musl cannot load a shared library of Go");
    check("ldflags = ['-extldflags=-march=native']", gnu, 2, "the processor of this machine");
}

#[test]
fn without_go_the_error_says_so() {
    let Some(_) = TestEnv::find("without_go_the_error_says_so") else { return };
    let config = "[project]\nname = 'demo'\nversion = '1.0'\n[[component]]\nname = 'x'\nkind = \
                  'go'\n";
    let sandbox = Sandbox::with(&[("wheelsmith.toml", config), ("go.mod", "module x\n")]);
    let mut command = sandbox.command(&["build", "--target", TARGETS[0]]);
    command.env("PATH", sandbox.path()).env("WHEELSMITH_ZIG", zig());
    let run = Run::of(&mut command).expect(2);
    assert!(run.stderr.contains("no `go` was found on PATH"), "{}", run.stderr);
    assert!(run.stderr.contains("golang-go"), "{}", run.stderr);
}

/// Returns the zig of the test environment.
fn zig() -> std::path::PathBuf {
    let env = std::env::var_os("WHEELSMITH_TEST_ENV").unwrap();
    Path::new(&env).join("tools/zig")
}
