//! Commands need at most 64 MiB for a wheel of very many small files.
//!
//! `scripts/shape.py` measures the same over more hostile archives.
#![cfg(target_os = "linux")]
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests are a world of their own"
)]
#![allow(clippy::print_stderr, reason = "what was left out is said")]

mod support;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use support::program;
use support::wheels::WheelFile;

/// Largest memory of a command, in MiB. A build without optimisation has 34 MiB of its own code in
/// memory, a release build 8 MiB: this keeps a release build below 64 MiB.
const MOST: u64 = 72;
/// Largest memory of a command that writes a wheel again, above that for a wheel of four files, in
/// MiB. It has the RECORD, the directory and the list of files of the new wheel in memory. The
/// program's own code counts in part.
const MOST_FOR_WRITING: u64 = 56;

/// Returns the largest memory of a command, in MiB.
///
/// Reads the mark of the process itself while it runs: the one that `wait4` returns is at least the
/// memory of this process, from which the child was forked.
fn peak(arguments: &[&str], wheel: &Path, dir: &Path) -> u64 {
    let mut child = Command::new(program())
        .args(arguments)
        .arg(wheel)
        .current_dir(dir)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut most = 0;
    loop {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let mark = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = mark.and_then(|mark| mark.trim().strip_suffix(" kB")?.parse().ok());
        most = most.max(kib.unwrap_or(0));
        if let Some(status) = child.try_wait().unwrap() {
            let code = status.code();
            assert!(matches!(code, Some(0 | 1)), "{arguments:?} ended with {status}");
            return most / 1024;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Writes a wheel of `count` different files and a native one. An empty RECORD gives the most
/// findings.
fn wheel(dir: &Path, count: usize, has_record: bool) -> std::path::PathBuf {
    fs::create_dir(dir).unwrap();
    let mut wheel = WheelFile::new("demo-1.0-py3-none-linux_x86_64.whl");
    for number in 0..count {
        wheel = wheel.bytes(&format!("demo/{number}.py"), format!("x = {number}\n").into());
    }
    wheel = wheel.with("demo/lib.so", "elf/x86_64.so");
    if !has_record {
        wheel = wheel.tampered("demo-1.0.dist-info/RECORD", Some(""));
    }
    wheel.write(dir)
}

#[test]
fn many_small_files_need_little_memory() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let small = wheel(&dir.join("small"), 1, true);
    let good = wheel(&dir.join("good"), 95_000, true);
    let bad = wheel(&dir.join("bad"), 95_000, false);
    for arguments in [&["audit"][..], &["check"], &["index", "add", "--out", "site"]] {
        let found = peak(arguments, &good, dir);
        assert!(found > 8 && found <= MOST, "{arguments:?} of a good wheel: {found} MiB");
    }
    for arguments in [
        &["inspect"][..],
        &["check"],
        &["repair"],
        &["wheel", "unpack"],
        &["wheel", "retag", "--build-tag", "1"],
    ] {
        let found = peak(arguments, &bad, dir);
        assert!(found > 8 && found <= MOST, "{arguments:?} of a bad wheel: {found} MiB");
    }
    for arguments in [&["repair", "--out", "repaired"][..], &["wheel", "retag", "--build-tag", "1"]]
    {
        let own = peak(arguments, &small, dir);
        let found = peak(arguments, &good, dir) - own;
        assert!(found <= MOST_FOR_WRITING, "{arguments:?}: {found} MiB more than {own}");
    }
}
