//! Finds out which commit is built, for `--version`.
#![allow(clippy::disallowed_methods, reason = "a build script has its own world")]
#![allow(clippy::print_stdout, reason = "cargo listens to it")]

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-env-changed=WHEELSMITH_COMMIT");
    println!("cargo::rerun-if-changed=../.git/HEAD");
    println!("cargo::rerun-if-changed=../.git/logs/HEAD");
    // A source archive has no repository: its builder may name the commit.
    let named = std::env::var("WHEELSMITH_COMMIT").ok().filter(|commit| !commit.is_empty());
    let commit = named.or_else(|| {
        let output = Command::new("git").args(["rev-parse", "--short=12", "HEAD"]).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        output.status.success().then(|| text.trim().to_owned())
    });
    let version = env!("CARGO_PKG_VERSION");
    let version = match commit {
        Some(commit) => format!("{version} ({commit})"),
        None => version.to_owned(),
    };
    println!("cargo::rustc-env=WHEELSMITH_VERSION={version}");
}
