//! `wheelsmith pack crates` before cargo: the same bytes everywhere, the files that cargo lists, and a
//! consumer that builds with them.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests are a world of their own"
)]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use support::{Sandbox, content};

const FILES: [(&str, &str); 9] = [
    (
        "wheelsmith.toml",
        "[project]\nname = \"zz-acme\"\nversion = \"1.2.0\"\n[tool.wheelsmith]\nwheel = []\n\
         [[tool.wheelsmith.crates]]\nmanifest = \"rust/Cargo.toml\"\n",
    ),
    (
        "rust/Cargo.toml",
        "[workspace]\nmembers = [\"core\", \"sys\", \"xtask\"]\nresolver = \"2\"\n",
    ),
    (
        "rust/core/Cargo.toml",
        "[package]\nname = \"zz-acme\"\nversion = \"1.2.0\"\nedition = \"2021\"\nlicense = \"MIT\"\n\
         description = \"a\"\n[dependencies]\nzz-acme-sys = { path = \"../sys\", version = \"=1.2.0\" }\n",
    ),
    ("rust/core/src/lib.rs", "pub fn answer() -> i32 {\n    zz_acme_sys::ANSWER\n}\n"),
    (
        "rust/sys/Cargo.toml",
        "[package]\nname = \"zz-acme-sys\"\nversion = \"1.2.0\"\nedition = \"2021\"\n\
         license = \"MIT\"\ndescription = \"b\"\ninclude = [\"src\", \"data\"]\n\
         [dev-dependencies]\nzz-acme = { path = \"../core\" }\n",
    ),
    ("rust/sys/src/lib.rs", "pub const ANSWER: i32 = 42;\n"),
    ("rust/sys/data/table", "data\n"),
    (
        "rust/xtask/Cargo.toml",
        "[package]\nname = \"xtask\"\nversion = \"0.0.0\"\nedition = \"2021\"\npublish = false\n\
         [dependencies]\nzz-acme = { path = \"../core\" }\n",
    ),
    ("rust/xtask/src/main.rs", "fn main() {}\n"),
];

/// Unpacks the archives into `dir`, one directory each.
fn unpack(dist: &[std::path::PathBuf], dir: &Path) {
    for file in dist {
        content(Command::new("tar").arg("-xzf").arg(file).arg("-C").arg(dir));
    }
}

#[test]
fn crates_are_packaged_once_in_order() {
    let sandbox = Sandbox::with(&FILES);
    let planned = sandbox.expect(0, &["pack", "crates", "--dry-run"]).stdout;
    let at = |name: &str| planned.find(name).unwrap_or_else(|| panic!("no {name} in {planned}"));
    assert!(at("zz-acme-sys-1.2.0.crate") < at("zz-acme-1.2.0.crate"));
    assert!(!planned.contains("xtask"), "{planned}");
    assert!(sandbox.dist().is_empty());

    let answer = sandbox.expect(0, &["pack", "crates", "--format", "json"]).stdout;
    let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
    let packages = answer["packages"].as_array().unwrap();
    let names: Vec<_> = packages.iter().map(|p| p["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["zz-acme-sys-1.2.0.crate", "zz-acme-1.2.0.crate"]);
    assert!(packages.iter().all(|package| package["kind"] == "crate"));

    // Another directory, umask and time zone give the same bytes.
    let other = Sandbox::new();
    let deep = other.path().join("a directory/with a longer path");
    fs::create_dir_all(&deep).unwrap();
    let other = Sandbox::at(&deep);
    for (path, text) in FILES {
        other.write(path, text);
    }
    let mut shell = Command::new("sh");
    shell.args(["-c", "umask 077; exec \"$0\" pack crates"]).arg(support::program());
    content(shell.current_dir(&deep).env("TZ", "Pacific/Kiritimati"));
    let bytes = |sandbox: &Sandbox| -> Vec<_> {
        sandbox.dist().iter().map(|file| fs::read(file).unwrap()).collect()
    };
    assert_eq!(bytes(&sandbox), bytes(&other));

    // The files are those that cargo lists, and another crate builds with them.
    let consumer = Sandbox::with(&[
        (
            "Cargo.toml",
            "[package]\nname = \"consumer\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[workspace]\n\
             [dependencies]\nzz-acme = \"=1.2.0\"\n[patch.crates-io]\n\
             zz-acme = { path = \"zz-acme-1.2.0\" }\nzz-acme-sys = { path = \"zz-acme-sys-1.2.0\" }\n",
        ),
        ("src/main.rs", "fn main() {\n    assert_eq!(zz_acme::answer(), 42);\n}\n"),
    ]);
    unpack(&sandbox.dist(), consumer.path());
    for name in ["zz-acme", "zz-acme-sys"] {
        let mut list = Command::new(env!("CARGO"));
        list.args(["package", "--list", "--allow-dirty", "--offline", "--package", name]);
        let listed = content(list.current_dir(sandbox.path().join("rust"))).stdout;
        let listed: BTreeSet<&str> = listed.lines().collect();
        let top = consumer.path().join(format!("{name}-1.2.0"));
        for file in &listed {
            assert!(top.join(file).is_file(), "{name}: {file}");
        }
        let mut find = Command::new("find");
        let found = content(find.args([".", "-type", "f"]).current_dir(&top)).stdout;
        let found: BTreeSet<&str> =
            found.lines().filter_map(|line| line.strip_prefix("./")).collect();
        assert_eq!(found, listed, "{name}");
    }
    let mut build = Command::new(env!("CARGO"));
    content(build.args(["run", "--quiet", "--offline"]).current_dir(consumer.path()));
}

#[test]
fn what_cannot_be_packaged_is_an_error() {
    let sandbox = Sandbox::with(&FILES);
    let manifest = "rust/core/Cargo.toml";
    let text = fs::read_to_string(sandbox.path().join(manifest)).unwrap();
    sandbox.write(manifest, &text.replace(", version = \"=1.2.0\"", ""));
    sandbox.expect(2, &["pack", "crates"]).says(&["`zz-acme` needs `zz-acme-sys` from a path"]);
    assert!(sandbox.dist().is_empty());
    sandbox.write(manifest, "[package\n");
    sandbox
        .expect(2, &["pack", "crates"])
        .says(&["cannot read the crates", "rust/core/Cargo.toml"]);
    sandbox.write(manifest, &text);
    // A package that does not build is refused only if cargo is to build it.
    sandbox.write("rust/core/src/lib.rs", "compile_error!(\"not finished\");\n");
    sandbox.expect(0, &["pack", "crates"]);
    let configuration = FILES[0].1.to_owned() + "verify = true\n";
    sandbox.write("wheelsmith.toml", &configuration);
    sandbox.expect(2, &["pack", "crates"]).says(&["cannot package the crates", "not finished"]);
    for (key, part) in [
        ("manifest = \"../Cargo.toml\"", "is not a `Cargo.toml` in the project"),
        ("packages = []", "it names no package"),
        ("packages = [\"absent\"]", "the workspace has no package `absent`"),
        ("package = [\"zz-acme\"]", "did you mean `packages`"),
    ] {
        let text = FILES[0].1.replace("manifest = \"rust/Cargo.toml\"", key);
        let has_manifest = key.starts_with("manifest");
        let manifest = if has_manifest { "" } else { "manifest = \"rust/Cargo.toml\"\n" };
        sandbox.write("wheelsmith.toml", &(text + manifest));
        sandbox.expect(2, &["pack", "crates"]).says(&[part]);
    }
}
