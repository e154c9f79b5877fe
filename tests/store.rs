//! `wheelsmith store` as its users run it.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "tests are a world of their own"
)]

mod support;

use std::fs;

use support::{Run, Sandbox};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// A directory with a store and two files to put.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::with(&[
        ("dist/demo-1.0.tar.gz", "one"),
        ("dist/run.sh", "two"),
        ("other/demo-1.0.tar.gz", "another"),
    ]);
    sandbox.expect(0, &["store", "init", "s"]);
    sandbox
}

fn put<'a>(dir: &'a str, slot: &'a str) -> Vec<&'a str> {
    vec![
        "store",
        "put",
        dir,
        "--store",
        "s",
        "--project",
        "demo",
        "--version",
        "1.0",
        "--commit",
        COMMIT,
        "--slot",
        slot,
    ]
}

fn json(run: &Run) -> serde_json::Value {
    serde_json::from_str(&run.stdout).unwrap()
}

#[test]
fn a_commit_gets_its_sets_and_never_other_ones() {
    let sandbox = sandbox();
    let first = sandbox.expect(0, &[&put("dist", "any")[..], &["--format", "json"]].concat());
    let first = json(&first);
    assert_eq!((&first["moved"]["files"], &first["moved"]["bytes"]), (&2.into(), &6.into()));
    let again = sandbox.expect(0, &[&put("dist", "any")[..], &["--format", "json"]].concat());
    assert_eq!(json(&again)["moved"]["files"], 0);
    assert_eq!(json(&again)["set"], first["set"]);
    let conflict = sandbox.expect(2, &put("other", "any"));
    let one = first["set"].as_str().unwrap();
    conflict.says(&[one, "cannot be changed to sha256:"]);
    let store = ["--store", "s", "--commit", COMMIT];
    let complete = [&["store", "complete"][..], &store, &["--slot", "any", "--slot", "x"]].concat();
    sandbox.expect(1, &complete).answers(&["missing x"]);
    sandbox.expect(0, &put("other", "x"));
    sandbox.expect(0, &complete).answers(&["complete"]);
    sandbox.expect(0, &[&["store", "ls"][..], &store].concat()).answers(&["2 sets", one]);
    let get = [&["store", "get"][..], &store].concat();
    sandbox.expect(2, &[&get[..], &["--out", "out"]].concat()).says(&["two files"]);
    sandbox.expect(0, &[&get[..], &["--out", "out", "--slot", "any"]].concat());
    assert_eq!(fs::read_to_string(sandbox.path().join("out/run.sh")).unwrap(), "two");
    sandbox.expect(2, &[&get[..], &["--slot", "y"]].concat()).says(&["no set", "`y`"]);
}

#[test]
fn a_bundle_and_a_pin_and_faults() {
    let sandbox = sandbox();
    let stored =
        json(&sandbox.expect(0, &[&put("dist", "any")[..], &["--format", "json"]].concat()));
    let set = stored["set"].as_str().unwrap().to_owned();
    sandbox
        .expect(0, &["store", "export", "--store", "s", "--commit", COMMIT, "--bundle", "b.tar"]);
    sandbox.expect(0, &["store", "init", "t"]);
    sandbox.expect(0, &["store", "import", "--store", "t", "--bundle", "b.tar"]);
    sandbox
        .expect(0, &["store", "ls", "--store", "t"])
        .answers(&[&format!("commit/{COMMIT}/any.json")]);
    sandbox.expect(0, &["store", "pin", "good", &set, "--store", "t"]);
    sandbox.expect(0, &["store", "gc", "--store", "t"]).answers(&["everything is kept"]);
    let wrong = ["store", "gc", "--store", "t", "--apply", &"0".repeat(64)];
    sandbox.expect(2, &wrong).says(&["the list of what would be deleted changed"]);
    sandbox.expect(0, &["store", "pin", "good", "--remove", "--store", "t"]);
    sandbox.expect(2, &["store", "pin", "good", "--remove", "--store", "t"]).says(&["no pin"]);
    let other = json(&sandbox.expect(0, &[&put("other", "x")[..], &["--format", "json"]].concat()));
    let diff = ["store", "diff", &set, other["set"].as_str().unwrap(), "--store", "s"];
    sandbox.expect(1, &diff).answers(&["- run.sh", "~ slot"]);
    sandbox.expect(0, &["store", "verify", "--store", "t"]).answers(&["no faults"]);
    let blob = walk(&sandbox.path().join("t/cas"));
    fs::write(&blob, "damaged").unwrap();
    sandbox.expect(1, &["store", "verify", "--store", "t"]).answers(&["fault", "its sha256 is"]);
    let get = ["store", "get", "--store", "t", "--commit", COMMIT, "--out", "out"];
    sandbox.expect(2, &get).says(&["is damaged", "store verify"]);
    sandbox.expect(2, &["store", "ls", "--store", "absent"]).says(&["store init absent"]);
}

/// Returns the first file below a directory.
fn walk(dir: &std::path::Path) -> std::path::PathBuf {
    let entry = fs::read_dir(dir).unwrap().next().unwrap().unwrap().path();
    if entry.is_dir() { walk(&entry) } else { entry }
}
