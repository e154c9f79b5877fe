//! Compares symbols outside the stable ABI with those that abi3audit finds in real wheels.
//!
//! With `WHEELSMITH_TEST_ABI3_WHEELS=<directory of wheels>` and
//! `WHEELSMITH_TEST_ABI3AUDIT=<program>`, both judge each wheel of the directory, and a table is
//! printed. Differences must be listed here with their reasons. Without the program, only
//! wheelsmith judges the wheels.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests are a world of their own"
)]
#![allow(clippy::print_stdout, reason = "the table is the point")]

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use wheelsmith_core::audit::{NativeFile, extension};
use wheelsmith_core::finding::{Code, Finding};
use wheelsmith_core::name::{WheelFilename, WheelPath};

/// Wheels on which the two differ: the beginning of the file name, and why.
const DIFFERENCES: &[(&str, &str)] = &[
    (
        "libsass-",
        "it has functions of its own called `PySass_…`, which abi3audit takes for Python's",
    ),
    (
        "pyside6_essentials-",
        "`libpyside6.abi3.so.6.9` is judged as well, and what it offers to the modules is not \
         Python's",
    ),
];

/// File and symbol that both report.
type Symbols = BTreeSet<(String, String)>;

#[test]
fn symbols_agree() {
    let dir = std::env::var_os("WHEELSMITH_TEST_ABI3_WHEELS").map(PathBuf::from);
    let program = std::env::var_os("WHEELSMITH_TEST_ABI3AUDIT").map(PathBuf::from);
    let Some(dir) = dir else { return };
    let mut wheels: Vec<PathBuf> =
        std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    wheels.retain(|path| path.extension().is_some_and(|e| e == "whl"));
    wheels.sort();
    let (mut unexplained, mut both) = (Vec::new(), [Duration::ZERO; 2]);
    for path in &wheels {
        let name = path.file_name().unwrap().to_str().unwrap();
        let started = Instant::now();
        let findings = judge(path, name);
        let ours_took = started.elapsed();
        let (outside, newer) = symbols(&findings);
        println!("{name}\n  outside {}, too new {}, {ours_took:.1?}", outside.len(), newer.len());
        for finding in &findings {
            let file = finding.file.as_ref().map_or("", WheelPath::as_str);
            let (severity, code) = (finding.severity.as_str(), finding.code);
            println!("  {severity} {code} {file}: {}", finding.message);
            println!("    {}", finding.evidence.join(", "));
        }
        let Some(program) = program.as_ref().filter(|_| name.contains("abi3")) else { continue };
        let started = Instant::now();
        let theirs = ask(program, path);
        let theirs_took = started.elapsed();
        both[0] += ours_took;
        both[1] += theirs_took;
        println!("  abi3audit: {}, {}, {theirs_took:.1?}", theirs.0.len(), theirs.1.len());
        if theirs != (outside, newer) {
            let reason = DIFFERENCES.iter().find(|(start, _)| name.starts_with(start));
            println!("  DIFFERENT {}\n  {theirs:?}", reason.map_or("", |(_, reason)| reason));
            if reason.is_none() {
                unexplained.push(name);
            }
        }
    }
    println!("{} wheels; {:.1?} against {:.1?}", wheels.len(), both[0], both[1]);
    assert!(unexplained.is_empty(), "{unexplained:#?}");
}

fn judge(wheel: &Path, name: &str) -> Vec<Finding> {
    let name: WheelFilename = name.parse().unwrap();
    let mut archive = zip::ZipArchive::new(std::fs::File::open(wheel).unwrap()).unwrap();
    let mut files = Vec::new();
    for i in 0..archive.len() {
        let mut entry = archive.by_index(i).unwrap();
        let Ok(path) = entry.name().unwrap().parse::<WheelPath>() else { continue };
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        files.extend(NativeFile::read(&path, bytes.as_slice()));
    }
    for file in files.iter().filter(|file| file.problem().is_some()) {
        println!("  {}: {:?}", file.path, file.problem());
    }
    extension::check(&files, &name.python, &name.platforms)
}

fn symbols(findings: &[Finding]) -> (Symbols, Symbols) {
    let of = |code: Code| {
        let found = findings.iter().filter(|finding| finding.code == code);
        let symbols = found.flat_map(|finding| {
            let file = finding.file.as_ref().unwrap().file_name();
            let names = finding.evidence.iter().map(|line| line.split(',').next().unwrap());
            names.map(move |name| (file.to_owned(), name.to_owned()))
        });
        symbols.collect()
    };
    (of(Code::NotStableAbi), of(Code::StableAbiTooNew))
}

fn ask(program: &Path, wheel: &Path) -> (Symbols, Symbols) {
    let output = Command::new(program).arg("--report").arg(wheel).output().unwrap();
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut found = (Symbols::new(), Symbols::new());
    for spec in report["specs"].as_object().unwrap().values() {
        for object in spec["wheel"].as_array().into_iter().flatten() {
            let (name, result) = (object["name"].as_str().unwrap(), &object["result"]);
            for symbol in result["non_abi3_symbols"].as_array().unwrap() {
                found.0.insert((name.to_owned(), symbol.as_str().unwrap().to_owned()));
            }
            for symbol in result["future_abi3_objects"].as_object().unwrap().keys() {
                found.1.insert((name.to_owned(), symbol.clone()));
            }
        }
    }
    found
}
