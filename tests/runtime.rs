//! Tests of the runtime directory and its archive, from which other packages take files.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests are a world of their own"
)]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

mod support;

use std::fs;
use std::process::Command;

use support::{Sandbox, TestEnv, content};

const STEM: &str = "demo-1.0-x86_64-unknown-linux-gnu";

fn project() -> Sandbox {
    Sandbox::with(&[
        (
            "wheelsmith.toml",
            "[project]\nname = 'demo'\nversion = '1.0'\n\
             [tool.wheelsmith]\ntargets = ['x86_64-unknown-linux-gnu']\n\
             [[tool.wheelsmith.component]]\nname = 'codec'\nkind = 'c-shared'\n\
             soname = 'libcodec.so.1'\nlicense-files = ['COPYING']\n\
             headers = [{ files = ['codec.h'], to = 'codec' }]\n\
             [[tool.wheelsmith.component.sources]]\nfiles = ['codec.c']\n\
             [[tool.wheelsmith.component]]\nname = 'encode'\nkind = 'c-executable'\n\
             link = ['codec']\n\
             [[tool.wheelsmith.component.sources]]\nfiles = ['encode.c']\n",
        ),
        ("codec.h", "int codec(int);\n"),
        ("codec.c", "int codec(int x) { return x ^ 42; }\n"),
        ("encode.c", "#include <codec/codec.h>\nint main(void) { return codec(42); }\n"),
        ("COPYING", "Do what you like.\n"),
    ])
}

#[test]
fn a_runtime_is_described_and_packed() {
    let Some(_env) = TestEnv::find("a_runtime_is_described_and_packed") else { return };
    let project = project();
    project.expect(0, &["build", "--runtime-only"]).answers(&[".tar.gz.sha256"]);
    let runtime = project.path().join("target/wheelsmith/x86_64-unknown-linux-gnu/runtime");
    // The program finds the library beside it, wherever the directory is moved.
    let moved = project.path().join("moved");
    fs::rename(&runtime, &moved).unwrap();
    content(&mut Command::new(moved.join("bin/encode")));
    let manifest = fs::read_to_string(moved.join("runtime.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    let files = manifest["files"].as_array().unwrap();
    let paths: Vec<&str> = files.iter().map(|f| f["path"].as_str().unwrap()).collect();
    let expected =
        ["bin/encode", "include/codec/codec.h", "lib/libcodec.so.1", "licenses/codec/COPYING"];
    assert_eq!(paths, expected);
    assert_eq!(files[2]["aliases"][0], "libcodec.so");
    assert_eq!(files[2]["native"]["soname"], "libcodec.so.1");
    assert_eq!(files[0]["native"]["needed"][0], "libcodec.so.1");
    assert_eq!(manifest["schema"], 2);
}

#[test]
#[cfg(unix)]
fn archives_are_the_same_everywhere_and_keep_links() {
    let Some(_env) = TestEnv::find("archives_are_the_same_everywhere") else { return };
    let (one, other) = (project(), project());
    for project in [&one, &other] {
        project.expect(0, &["build", "--runtime-only"]);
    }
    let name = format!("{STEM}.tar.gz");
    let bytes = |project: &Sandbox| fs::read(project.path().join("dist").join(&name)).unwrap();
    assert!(bytes(&one) == bytes(&other), "`{name}` has other bytes when built elsewhere");
    let dist = one.path().join("dist");
    let sums = format!("{name}.sha256");
    content(Command::new("sha256sum").args(["--check", &sums]).current_dir(&dist));
    content(Command::new("tar").args(["-xzf", &name]).current_dir(&dist));
    let lib = dist.join(STEM).join("lib");
    assert_eq!(fs::read_link(lib.join("libcodec.so")).unwrap().to_str(), Some("libcodec.so.1"));
    content(&mut Command::new(dist.join(STEM).join("bin/encode")));
}

#[test]
#[cfg(unix)]
fn a_chain_of_links_becomes_one_file_in_a_wheel() {
    let Some(env) = TestEnv::find("a_chain_of_links_becomes_one_file") else { return };
    let built = project();
    built.expect(0, &["build", "--runtime-only"]);
    let runtime = built.path().join("target/wheelsmith/x86_64-unknown-linux-gnu/runtime");
    let taken = Sandbox::with(&[
        (
            "pyproject.toml",
            "[project]\nname = 'demo'\nversion = '1.0'\n[tool.wheelsmith]\n\
             targets = ['x86_64-unknown-linux-gnu']\n\
             [[tool.wheelsmith.component]]\nname = 'codec'\nkind = 'prebuilt'\n\
             source = { path = 'vendor' }\n\
             outputs = [{ from = 'lib/libcodec.so*', role = 'shared-library' }]\n",
        ),
        ("src/demo/__init__.py", ""),
    ]);
    fs::rename(runtime, taken.path().join("vendor")).unwrap();
    taken.expect(0, &["build"]);
    let [wheel] = &taken.dist()[..] else { panic!("one wheel") };
    let listing =
        content(Command::new(env.judge("python")).args(["-m", "zipfile", "-l"]).arg(wheel));
    let libraries: Vec<&str> =
        listing.stdout.split_whitespace().filter(|word| word.contains("libcodec")).collect();
    assert_eq!(libraries, ["demo/_runtime/lib/libcodec.so.1"]);
    let link = "target/wheelsmith/x86_64-unknown-linux-gnu/runtime/lib/libcodec.so";
    assert_eq!(fs::read_link(taken.path().join(link)).unwrap().to_str(), Some("libcodec.so.1"));
}

/// A Rust program that links to a shared and to a static library.
fn rust_project() -> Sandbox {
    let project = project();
    let config = fs::read_to_string(project.path().join("wheelsmith.toml")).unwrap();
    project.write(
        "wheelsmith.toml",
        &(config
            + "[[tool.wheelsmith.component]]\nname = 'part'\nkind = 'c-static'\n\
               [[tool.wheelsmith.component.sources]]\nfiles = ['part.c']\n\
               [[tool.wheelsmith.component]]\nname = 'decode'\nkind = 'cargo'\n\
               link = ['codec', 'part']\nartifacts = [{ bin = 'decode' }]\nlocked = false\n"),
    );
    project.write("part.c", "int part(void) { return 0; }\n");
    project.write(
        "Cargo.toml",
        "[package]\nname = 'decode'\nversion = '1.0.0'\nedition = '2021'\n[workspace]\n",
    );
    project.write(
        "src/main.rs",
        "#[link(name = \"codec\")]\nextern \"C\" {\n    fn codec(x: i32) -> i32;\n}\n\
         #[link(name = \"part\", kind = \"static\")]\nextern \"C\" {\n    fn part() -> i32;\n}\n\n\
         fn main() {\n    std::process::exit(unsafe { codec(42) + part() });\n}\n",
    );
    project
}

#[test]
fn flags_of_the_user_reach_cargo() {
    let Some(_env) = TestEnv::find("flags_of_the_user_reach_cargo") else { return };
    let project = Sandbox::with(&[
        (
            "wheelsmith.toml",
            "[tool.wheelsmith]\ntargets = ['x86_64-unknown-linux-gnu']\n\
             [[tool.wheelsmith.component]]\nname = 'flags'\nkind = 'cargo'\nlocked = false\n\
             artifacts = [{ bin = 'flags' }]\n",
        ),
        (
            "Cargo.toml",
            "[package]\nname = 'flags'\nversion = '1.0.0'\nedition = '2021'\n[workspace]\n",
        ),
        (
            "src/main.rs",
            "fn main() {\n    std::process::exit(if cfg!(theirs) { 42 } else { 0 });\n}\n",
        ),
    ]);
    let check = |config: &str, variable: &str| {
        project.write(".cargo/config.toml", config);
        let mut command = project.command(&["build", "--runtime-only"]);
        command.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
        if !variable.is_empty() {
            command.env("RUSTFLAGS", variable);
        }
        support::Run::of(&mut command).expect(0);
        let runtime = project.path().join("target/wheelsmith/x86_64-unknown-linux-gnu/runtime");
        let program = runtime.join("bin/flags");
        support::Run::of(&mut Command::new(&program)).expect(42);
        // Ours are there as well: nothing in it says where it was built.
        let (bytes, here) = (fs::read(&program).unwrap(), project.path().to_str().unwrap());
        assert!(!bytes.windows(here.len()).any(|part| part == here.as_bytes()), "{config}");
    };
    check("[build]\nrustflags = ['--cfg=theirs']\n", "");
    check("[target.x86_64-unknown-linux-gnu]\nrustflags = ['--cfg=theirs']\n", "");
    check("[target.'cfg(unix)']\nrustflags = ['--cfg=theirs']\n", "");
    check("", "--cfg=theirs");
    let config = fs::read_to_string(project.path().join("wheelsmith.toml")).unwrap();
    project.write("wheelsmith.toml", &(config + "env = { RUSTFLAGS = '--cfg=theirs' }\n"));
    check("", "");
}

/// cargo refuses a package below a workspace that does not list it, so an unpacked source must not
/// be seen as part of the project's own.
#[test]
fn a_source_is_no_member_of_the_projects_workspace() {
    let Some(_) = TestEnv::find("a_source_is_no_member_of_the_projects_workspace") else { return };
    let sandbox = Sandbox::with(&[
        ("Cargo.toml", "[workspace]\nmembers = []\n"),
        (
            "wheelsmith.toml",
            "[project]\nname = 'demo'\nversion = '1.0'\n[[component]]\nname = 'tool'\n\
             kind = 'cargo'\nsource = { archive = 'tool.tar.gz' }\nartifacts = [{ bin = 'tool' }]\n",
        ),
        (
            "tool/Cargo.toml",
            "[package]\nname = \"tool\"\nversion = \"1.0.0\"\nedition = \"2021\"\n",
        ),
        ("tool/Cargo.lock", "version = 3\n\n[[package]]\nname = \"tool\"\nversion = \"1.0.0\"\n"),
        ("tool/src/main.rs", "fn main() {}\n"),
    ]);
    let mut tar = Command::new("tar");
    content(tar.args(["-czf", "tool.tar.gz", "tool"]).current_dir(sandbox.path()));
    let args = ["build", "--runtime-only", "--target", "x86_64-unknown-linux-gnu"];
    sandbox.expect(0, &args);
}

#[test]
fn rust_links_to_c() {
    let Some(_env) = TestEnv::find("rust_links_to_c") else { return };
    let (project, other) = (rust_project(), rust_project());
    let program = |project: &Sandbox| {
        project.path().join("target/wheelsmith/x86_64-unknown-linux-gnu/runtime/bin/decode")
    };
    for project in [&project, &other] {
        project.expect(0, &["build", "--runtime-only"]);
        content(&mut Command::new(program(project)));
    }
    assert!(
        fs::read(program(&project)).unwrap() == fs::read(program(&other)).unwrap(),
        "the program has other bytes when built elsewhere"
    );
    project.expect(0, &["build", "--runtime-only"]).answers(&["decode  up to date"]);
    // cargo itself would not notice.
    project.write("part.c", "int part(void) { return 3; }\n");
    project.expect(0, &["build", "--runtime-only"]).answers(&["decode  built by cargo"]);
    support::Run::of(&mut Command::new(program(&project))).expect(3);
}
