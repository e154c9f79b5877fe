//! With `WHEELSMITH_TEST_LIBRARIES=<directory>`, every shared library below it gets new names, and a
//! table of what that took is printed. `scripts/patch-matrix.py` loads them as well.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests are a world of their own"
)]
#![allow(clippy::print_stdout, reason = "the table is the point")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use wheelsmith_core::binary::Format;
use wheelsmith_core::binary::elf::{Elf, Kind};
use wheelsmith_core::patch::elf::{Strategy, plan, strip};
use wheelsmith_core::patch::{Edit, Error, Search, apply};

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
