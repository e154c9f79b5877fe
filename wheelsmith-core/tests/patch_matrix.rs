//! Real libraries with new names still work: `scripts/patch-matrix.py` checks them with other tools
//! and loads them. This test uses the few libraries of the test environment.
//!
//! With `WHEELSMITH_TEST_LIBRARIES=<directory>`, every shared library below it is renamed, and a
//! table of the added bytes is printed.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests are a world of their own"
)]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the table is the point")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use wheelsmith_core::binary::Format;
use wheelsmith_core::binary::elf::{Elf, Kind};
use wheelsmith_core::patch::elf::{Strategy, plan, strip};
use wheelsmith_core::patch::{Edit, Error, Search, apply};

/// Libraries of this machine and of others, one of them big-endian; for glibc and musl; in C, C++
/// and Rust.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[test]
fn libraries_work_under_new_names() {
    let test = "libraries_work_under_new_names";
    let Some(env) = std::env::var_os("WHEELSMITH_TEST_ENV").map(PathBuf::from) else {
        let is_required = std::env::var_os("WHEELSMITH_TEST_REQUIRE").is_some();
        assert!(!is_required, "{test}: WHEELSMITH_TEST_ENV is not set");
        return eprintln!("skipped {test}: run scripts/test.sh, which prepares what it needs");
    };
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    // Examples are not built for one test alone; with all others, this one is there already.
    let build =
        ["build", "-q", "--locked", "--workspace", "--all-features", "--example", "patch-elf"];
    let cargo = Command::new(env!("CARGO")).args(build).current_dir(repository).status().unwrap();
    assert!(cargo.success(), "{test}: the example was not built");
    let own = std::env::current_exe().unwrap();
    let tool = own.ancestors().nth(3).unwrap().join("debug/examples/patch-elf");

    let temp = tempfile::tempdir().unwrap();
    let done = Command::new(env.join("judges/bin/python"))
        .arg(repository.join("scripts/patch-matrix.py"))
        .arg("--tool")
        .args([&tool, Path::new("--subset"), temp.path()])
        .output()
        .unwrap();
    let (table, errors) =
        (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    println!("{table}");
    assert!(done.status.success(), "{table}{errors}");
}

#[test]
fn real_libraries_get_new_names() {
    let Some(dir) = std::env::var_os("WHEELSMITH_TEST_LIBRARIES").map(PathBuf::from) else {
        return;
    };
    let mut files = Vec::new();
    find(&dir, &mut files);
    let mut wrong = Vec::new();
    let mut strategies = BTreeMap::new();
    for path in &files {
        let bytes = std::fs::read(path).unwrap();
        let is_library = Format::of(&bytes) == Some(Format::Elf)
            && Elf::parse(&bytes).is_ok_and(|elf| elf.kind == Kind::SharedLibrary);
        if !is_library {
            continue;
        }
        for (how, bytes) in [("as it is", Ok(bytes.clone())), ("stripped", strip(&bytes))] {
            match bytes.and_then(|bytes| check(&bytes)) {
                Ok((strategy, growth)) => {
                    let row: &mut (u32, i64) = strategies.entry((how, strategy)).or_default();
                    row.0 += 1;
                    row.1 += growth;
                }
                Err(error) => wrong.push(format!("{}, {how}: {error}", path.display())),
            }
        }
    }
    for ((how, strategy), (count, growth)) in strategies {
        println!("{how:10} {strategy:12} {count:6} files, {growth:10} bytes more");
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn check(bytes: &[u8]) -> Result<(&'static str, i64), Error> {
    let elf = Elf::parse(bytes)?;
    let new = |name: &String| (name.clone(), name.replacen(".so", "-0123abcd.so", 1));
    let edit = Edit {
        id: Some("libgrafted-0123abcd.so.1".to_owned()),
        renamed: elf.needed.iter().map(new).collect(),
        search: Search::Runpath(vec!["$ORIGIN".to_owned()]),
        ..Edit::default()
    };
    let layout = plan(bytes, &edit)?;
    let once = apply(bytes, &edit)?;
    let strategy = match layout.strategy {
        Strategy::Unchanged => "unchanged",
        Strategy::InPlace => "in place",
        Strategy::NewSegment { .. } if !layout.warnings.is_empty() => "moved table",
        Strategy::NewSegment { .. } => "new segment",
    };
    if apply(&once, &edit)? != once {
        return Err(Error::Wrong("the same edit again makes another file".to_owned()));
    }
    Ok((strategy, layout.growth_bytes))
}

fn find(dir: &Path, files: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_symlink() {
            continue;
        }
        if path.is_dir() {
            find(&path, files);
        } else if path.is_file() {
            files.push(path);
        }
    }
}
