//! Compares verdicts with those of auditwheel on real wheels.
//!
//! Both judge each Linux and Android wheel of a directory, and a table is printed. The directory is
//! `$WHEELSMITH_TEST_WHEELS`, or that with a few wheels that `scripts/test-env.sh` downloads if it
//! can reach an index; the program is `$WHEELSMITH_TEST_AUDITWHEEL`, or the judge.
//! `scripts/fetch-wheels.sh` downloads all wheels of `parity-wheels.txt`, which also lists the
//! differences. The predicted verdict of auditwheel must be correct for every wheel.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests are a world of their own"
)]
#![allow(clippy::print_stdout, reason = "the table is the point")]

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use wheelsmith_core::audit::{self, Audit, NativeFile, Requirement};
use wheelsmith_core::name::{PlatformTag, WheelFilename, WheelPath};

/// Known differences: both tags, and the reason.
fn differences() -> BTreeMap<&'static str, &'static str> {
    let rows = include_str!("parity-wheels.txt").lines().filter(|line| !line.starts_with('#'));
    let rows = rows.filter_map(|line| line.split_once(' '));
    rows.filter_map(|(_, rest)| rest.split_once(' ')).collect()
}

#[test]
fn verdicts_agree() {
    let path = |variable: &str, part: &str| {
        let given = std::env::var_os(variable).map(PathBuf::from);
        let prepared = || Some(PathBuf::from(std::env::var_os("WHEELSMITH_TEST_ENV")?).join(part));
        given.or_else(prepared).filter(|path| path.exists())
    };
    let dir = path("WHEELSMITH_TEST_WHEELS", "wheels");
    let auditwheel = path("WHEELSMITH_TEST_AUDITWHEEL", "judges/bin/auditwheel");
    let (Some(dir), Some(auditwheel)) = (dir, auditwheel) else { return };
    let mut wheels: Vec<PathBuf> =
        std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    wheels.sort();
    let differences = differences();
    let (mut unexplained, mut untrue, mut count) = (Vec::new(), Vec::new(), 0);
    for wheel in &wheels {
        let name = wheel.file_name().unwrap().to_str().unwrap();
        let Ok(filename) = name.parse::<WheelFilename>() else { continue };
        let Some(wanted) = wanted(&filename) else { continue };
        count += 1;
        let audit = judge(wheel, &wanted);
        let told = audit::auditwheel_verdict(&audit.files, None, audit.tag.as_ref(), &filename);
        let text = |tag: &Option<PlatformTag>| match tag {
            Some(tag) => tag.to_string(),
            None => "none".to_owned(),
        };
        let (ours, told_tag) = (text(&audit.tag), text(&told.tag));
        let theirs = ask(&auditwheel, wheel);
        println!("{name}\n  ours {ours}  theirs {theirs}  {}", told.reasons.join("; "));
        for finding in &audit.findings {
            let file = finding.file.as_ref().map_or("", |file| file.as_str());
            println!("    {:?} {} {file}: {}", finding.severity, finding.code, finding.message);
        }
        let known = differences.get(name).copied();
        if ours != theirs && known != Some(&format!("{ours} {theirs}")) {
            unexplained.push(format!("{name}: {ours}, they say {theirs}"));
        }
        if told_tag != theirs {
            untrue.push(format!("{name}: {told_tag}, they say {theirs}"));
        }
        // Without a difference there is nothing to explain, with one there is.
        assert_eq!(told.reasons.is_empty(), audit.tag == told.tag, "{name}: {told:?}");
    }
    println!("{count} wheels");
    assert!(unexplained.is_empty(), "{unexplained:#?}");
    assert!(untrue.is_empty(), "{untrue:#?}");
}

/// Returns the requirement of the first tag in the name that has a policy.
fn wanted(filename: &WheelFilename) -> Option<Requirement> {
    let is_linux =
        |tag: &&PlatformTag| tag.libc().is_some() || matches!(tag, PlatformTag::Android { .. });
    Requirement::for_tag(filename.platforms.iter().find(is_linux)?)
}

fn judge(wheel: &Path, wanted: &Requirement) -> Audit {
    let mut archive = zip::ZipArchive::new(std::fs::File::open(wheel).unwrap()).unwrap();
    let mut files = Vec::new();
    for i in 0..archive.len() {
        let mut entry = archive.by_index(i).unwrap();
        let path = entry.name().unwrap().parse::<WheelPath>();
        let Ok(path) = path else { continue };
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        files.extend(NativeFile::read(&path, &bytes));
    }
    audit::judgement(files, None, wanted)
}

/// Returns the tag that auditwheel prints without the libraries of this machine; `none` if it
/// fails.
fn ask(auditwheel: &Path, wheel: &Path) -> String {
    let output = Command::new(auditwheel)
        .args(["show", "--json", "--ldpaths", ""])
        .arg(wheel)
        .output()
        .unwrap();
    let report: Option<serde_json::Value> = serde_json::from_slice(&output.stdout).ok();
    let tag = report.as_ref().and_then(|report| report.get("overall_tag")?.as_str());
    tag.unwrap_or("none").to_owned()
}
