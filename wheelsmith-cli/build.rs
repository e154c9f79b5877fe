//! Gets the commit for `--version`.
#![allow(clippy::disallowed_methods, reason = "a build script may use the environment")]
#![allow(clippy::print_stdout, reason = "cargo reads the output")]

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-env-changed=WHEELSMITH_COMMIT");
    println!("cargo::rerun-if-changed=../.git/HEAD");
    println!("cargo::rerun-if-changed=../.git/logs/HEAD");
    // A source archive has no repository; its builder can name the commit, or none.
    let commit = match std::env::var("WHEELSMITH_COMMIT") {
        Ok(named) => Some(named).filter(|commit| !commit.is_empty()),
        Err(_) => commit_of_git(),
    };
    let version = env!("CARGO_PKG_VERSION");
    let version = match commit {
        Some(commit) => format!("{version} ({commit})"),
        None => version.to_owned(),
    };
    println!("cargo::rustc-env=WHEELSMITH_VERSION={version}");
}

/// Returns the commit of the repository.
fn commit_of_git() -> Option<String> {
    let output = Command::new("git").args(["rev-parse", "--short=12", "HEAD"]).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
