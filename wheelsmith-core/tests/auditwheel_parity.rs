//! The verdict beside that of auditwheel, on real wheels.
//!
//! With `WHEELSMITH_TEST_WHEELS=<directory of wheels>` and `WHEELSMITH_TEST_AUDITWHEEL=<program>`,
//! each Linux wheel of the directory is judged by both, and a table is printed. What differs must be
//! listed here with its reason.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests are a world of their own"
)]
#![allow(clippy::print_stdout, reason = "the table is the point")]

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use wheelsmith_core::audit::{self, Audit};
use wheelsmith_core::name::{PlatformTag, TARGETS, Target, WheelFilename, WheelPath};

/// Wheels on which the two differ: the beginning of the file name, and why.
const DIFFERENCES: &[(&str, &str)] =
    &[("pydantic_core-", "it needs `libc.so`, musl's own name, which auditwheel does not know")];

#[test]
fn verdicts_agree() {
    let dir = std::env::var_os("WHEELSMITH_TEST_WHEELS").map(PathBuf::from);
    let auditwheel = std::env::var_os("WHEELSMITH_TEST_AUDITWHEEL").map(PathBuf::from);
    let (Some(dir), Some(auditwheel)) = (dir, auditwheel) else { return };
    let mut wheels: Vec<PathBuf> =
        std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    wheels.sort();
    let mut unexplained = Vec::new();
    for wheel in &wheels {
        let name = wheel.file_name().unwrap().to_str().unwrap();
        let Some(target) = target(name) else { continue };
        let ours = judge(wheel, target).earned.map_or_else(
            || PlatformTag::Linux { arch: target.arch() }.to_string(),
            |tag| tag.to_string(),
        );
        let theirs = ask(&auditwheel, wheel);
        let reason = DIFFERENCES.iter().find(|(start, _)| name.starts_with(start));
        let reason = reason.map(|(_, reason)| *reason);
        println!("{name}\n  {ours}  {theirs}  {}", reason.unwrap_or_default());
        if ours != theirs && reason.is_none() {
            unexplained.push(name);
        }
    }
    assert!(unexplained.is_empty(), "{unexplained:#?}");
}

/// The target that a wheel's first Linux tag is for.
fn target(name: &str) -> Option<Target> {
    let filename: WheelFilename = name.parse().ok()?;
    let tag = filename.platforms.iter().find(|tag| tag.libc().is_some())?;
    let (arch, libc) = (tag.arch()?, tag.libc()?);
    let os = wheelsmith_core::name::Os::Linux(libc);
    let row = TARGETS.iter().find(|row| row.arch == arch && row.os == os)?;
    row.triple.parse().ok()
}

fn judge(wheel: &Path, target: Target) -> Audit {
    let mut archive = zip::ZipArchive::new(std::fs::File::open(wheel).unwrap()).unwrap();
    let mut files = Vec::new();
    for i in 0..archive.len() {
        let mut entry = archive.by_index(i).unwrap();
        let path = entry.name().unwrap().parse::<WheelPath>();
        let Ok(path) = path else { continue };
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        files.push((path, bytes));
    }
    audit::audit(&files, target)
}

/// The tag that auditwheel gives when it may not look at this machine's libraries.
fn ask(auditwheel: &Path, wheel: &Path) -> String {
    let output =
        Command::new(auditwheel).args(["show", "--ldpaths", ""]).arg(wheel).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let tag = words.split("platform tag: \"").nth(1).and_then(|rest| rest.split('"').next());
    tag.unwrap_or("no verdict").to_owned()
}
