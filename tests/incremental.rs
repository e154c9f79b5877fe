//! A build repeats only what changed.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests are a world of their own"
)]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

mod support;

use std::fs;
use std::path::Path;

use support::{Sandbox, TestEnv};

const TARGET: &str = "x86_64-unknown-linux-gnu";

/// Outcome of one build for each component.
fn outcomes(sandbox: &Sandbox) -> Vec<String> {
    let run = sandbox.expect(0, &["build", "--target", TARGET, "--format", "json"]);
    let answer: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let components = answer["targets"][0]["components"].as_array().unwrap().clone();
    components.iter().map(|c| c["outcome"].as_str().unwrap().to_owned()).collect()
}

fn append(path: &Path, text: &str) {
    let old = fs::read_to_string(path).unwrap();
    fs::write(path, old + text).unwrap();
}

#[test]
fn only_what_changed_is_compiled() {
    let Some(_env) = TestEnv::find("only_what_changed_is_compiled") else { return };
    let project = Sandbox::with(&[
        (
            "pyproject.toml",
            "[project]\nname = 'demo'\nversion = '1.0'\n\
             [[tool.wheelsmith.component]]\nname = 'part'\nkind = 'c-static'\n\
             [[tool.wheelsmith.component.sources]]\nfiles = ['part/*.c']\n\
             [[tool.wheelsmith.component]]\nname = 'demo'\nkind = 'c-shared'\nlink = ['part']\n\
             [[tool.wheelsmith.component.sources]]\nfiles = ['demo/*.c']\n",
        ),
        ("part/a.c", "#include \"part.h\"\nint a(void) { return PART; }\n"),
        ("part/b.c", "int b(void) { return 2; }\n"),
        ("part/part.h", "#define PART 1\n"),
        ("demo/demo.c", "int a(void);\nint b(void);\nint demo(void) { return a() + b(); }\n"),
        ("src/demo/__init__.py", ""),
    ]);
    let check = |change: &str, expected: [&str; 2]| {
        assert_eq!(outcomes(&project), expected, "after: {change}");
    };
    check("nothing was there", ["2 of 2 compiled", "1 of 1 compiled"]);
    check("nothing", ["up to date", "up to date"]);
    let at = |path: &str| project.path().join(path);
    fs::File::open(at("part/b.c")).unwrap().set_modified(std::time::SystemTime::now()).unwrap();
    check("only a time", ["up to date", "up to date"]);
    append(&at("part/b.c"), "int c(void) { return 3; }\n");
    check("one file", ["1 of 2 compiled", "linked"]);
    append(&at("part/part.h"), "#define OTHER 1\n");
    // The header is read by one file; its object comes out the same, so that nothing is linked.
    check("a header that changes nothing", ["1 of 2 compiled", "up to date"]);
    fs::write(at("part/part.h"), "#define PART 7\n").unwrap();
    check("a header", ["1 of 2 compiled", "linked"]);
    fs::write(at("part/c.c"), "int d(void) { return 4; }\n").unwrap();
    check("a new file", ["1 of 3 compiled", "linked"]);
    fs::remove_file(at("part/c.c")).unwrap();
    check("a file less", ["linked", "linked"]);
    let config = fs::read_to_string(at("pyproject.toml")).unwrap();
    let defined =
        config.replace("files = ['demo/*.c']", "files = ['demo/*.c']\ndefine = { X = 1 }");
    fs::write(at("pyproject.toml"), defined).unwrap();
    check("a macro of one component", ["up to date", "1 of 1 compiled"]);
    let output = at("target/wheelsmith").join(TARGET).join("components/demo/out/libdemo.so");
    append_bytes(&output);
    check("a damaged library", ["up to date", "linked"]);
}

fn append_bytes(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    bytes.push(0);
    fs::write(path, bytes).unwrap();
}
