use super::*;
use crate::binary::Format;

fn facts(file: &mut NativeFile) -> &mut Elf {
    let crate::binary::Facts::Elf(elf) = &mut file.facts else { panic!("no ELF file") };
    elf
}

fn file(path: &str, elf: impl FnOnce(&mut Elf)) -> NativeFile {
    let bytes = include_bytes!("../../../testdata/elf/musl.so");
    let mut file = NativeFile::read(&path.parse().unwrap(), bytes.as_slice()).unwrap();
    assert_eq!(file.format(), Format::Elf);
    let facts = facts(&mut file);
    facts.needed.clear();
    elf(facts);
    file
}

/// Returns a library at a path with its dependencies, and its RPATH (`rpath:`) or RUNPATH.
fn library(path: &str, needed: &[&str], search: &str) -> NativeFile {
    file(path, |elf| {
        elf.needed = needed.iter().map(|&name| name.to_owned()).collect();
        match search.strip_prefix("rpath:") {
            Some(rpath) => elf.rpath = vec![rpath.to_owned()],
            None if search.is_empty() => {}
            None => elf.runpath = vec![search.to_owned()],
        }
    })
}

/// Checks the dependencies that are not found, as `file library`.
fn check(files: &[NativeFile], missing: &[&str]) {
    let graph = Graph::new(files);
    let mut found = Vec::new();
    for file in files {
        for needed in &file.elf().unwrap().needed {
            if !graph.finds(file.path.as_str(), needed) {
                found.push(format!("{} {needed}", file.path));
            }
        }
    }
    assert_eq!(found, missing);
}

#[test]
fn rpath_is_inherited_and_runpath_is_not() {
    let libraries = |search: &str| {
        [
            library("p/a.so", &["b.so"], search),
            library("libs/b.so", &["c.so"], ""),
            library("libs/c.so", &[], ""),
        ]
    };
    check(&libraries("rpath:$ORIGIN/../libs"), &[]);
    check(&libraries("$ORIGIN/../libs"), &["libs/b.so c.so"]);
}

#[test]
fn runpath_silences_rpath_of_its_own_file() {
    let mut files = [library("p/a.so", &["b.so"], "rpath:$ORIGIN"), library("p/b.so", &[], "")];
    check(&files, &[]);
    facts(&mut files[0]).runpath = vec!["$ORIGIN/elsewhere".to_owned()];
    check(&files, &["p/a.so b.so"]);
}

#[test]
fn loaded_libraries_are_not_looked_for() {
    // By the time `b.so` needs `c.so`, `a.so` has already loaded it.
    let files = [
        library("p/a.so", &["b.so", "c.so"], "$ORIGIN/../libs"),
        library("libs/b.so", &["c.so"], ""),
        library("libs/c.so", &[], ""),
    ];
    check(&files, &[]);
    // Under another name it is the same library if its SONAME matches.
    let mut renamed = files;
    facts(&mut renamed[1]).needed = vec!["libc1.so".to_owned()];
    check(&renamed, &["libs/b.so libc1.so"]);
    facts(&mut renamed[2]).soname = Some("libc1.so".to_owned());
    check(&renamed, &[]);
}

#[test]
fn rings_end() {
    let files = [library("p/a.so", &["b.so"], "$ORIGIN"), library("p/b.so", &["a.so"], "$ORIGIN")];
    check(&files, &[]);
}

#[test]
fn paths_are_not_searched_for() {
    let files =
        |needed: &str| [library("p/a.so", &[needed], "$ORIGIN"), library("p/sub/b.so", &[], "")];
    check(&files("sub/b.so"), &["p/a.so sub/b.so"]);
    check(&files("$ORIGIN/sub/b.so"), &[]);
    check(&files("/p/sub/b.so"), &["p/a.so /p/sub/b.so"]);
}

#[test]
fn the_number_of_ways_does_not_matter() {
    let names: Vec<String> = (0..150).map(|i| format!("lib{i}.so")).collect();
    let all: Vec<&str> = names.iter().map(String::as_str).collect();
    let files: Vec<NativeFile> = names
        .iter()
        .enumerate()
        // Each has its own RPATH, so that no two load paths are alike.
        .map(|(i, name)| library(&format!("p/{name}"), &all, &format!("rpath:$ORIGIN/{i}/../")))
        .collect();
    check(&files, &[]);
}

#[test]
fn lookups_are_limited() {
    let files = [
        library("p/a.so", &["b.so", "c.so"], "$ORIGIN"),
        library("p/b.so", &["c.so"], "$ORIGIN"),
        library("p/c.so", &[], ""),
    ];
    assert!(Graph::limited(&files, 100, true).is_complete());
    let graph = Graph::limited(&files, 3, true);
    assert!(!graph.is_complete());
    assert!(!graph.finds("p/b.so", "c.so"));
}
