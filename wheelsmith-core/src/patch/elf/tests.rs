use proptest::prelude::*;

use super::*;
use crate::binary::elf::{Elf, Kind};
use crate::patch::elf::Strategy;

macro_rules! fixtures {
    ($($name:literal)*) => {
        [$(($name, include_bytes!(concat!("../../../../testdata/elf/", $name)).as_slice())),*]
    };
}

/// Every architecture, byte order and hash table; with and without names, versions and headers.
fn fixtures() -> Vec<(&'static str, &'static [u8])> {
    fixtures![
        "x86_64.so" "aarch64.so" "armv7l.so" "i686.so" "ppc64le.so" "riscv64.so" "s390x.so"
        "musl.so" "too-new.so" "versioned.so" "hash-sysv.so" "hash-gnu.so" "quiet-gnu-ld.so"
        "no-sections.so" "runpath.so" "rpath-origin.so" "rpath-outside.so" "program"
    ]
    .to_vec()
}

fn fixture(name: &str) -> &'static [u8] {
    fixtures().into_iter().find(|(other, _)| *other == name).unwrap().1
}

fn names(list: &[&str]) -> Vec<String> {
    list.iter().map(|&name| name.to_owned()).collect()
}

/// New names for all that there is, each `more` longer, and another list of directories.
fn everything(bytes: &[u8], more: &str, search: Search) -> Edit {
    let elf = Elf::parse(bytes).unwrap();
    let new = |name: &String| (name.clone(), format!("{name}{more}"));
    Edit {
        id: (elf.kind == Kind::SharedLibrary).then(|| format!("libgrafted{more}.so.1")),
        renamed: elf.needed.iter().map(new).collect(),
        search,
        ..Edit::default()
    }
}

fn runpath(directory: &str) -> Search {
    Search::Runpath(vec![directory.to_owned()])
}

#[test]
fn every_file_becomes_what_was_asked_for() {
    for (name, bytes) in fixtures() {
        let old = Elf::parse(bytes).unwrap();
        for search in [
            runpath("$ORIGIN/../demo.libs"),
            Search::Rpath(names(&["$ORIGIN", "$ORIGIN/../lib"])),
            Search::Nowhere,
            Search::Keep,
        ] {
            let edit = everything(bytes, "-0123abcd", search);
            let new = apply(bytes, &edit).unwrap_or_else(|e| panic!("{name}: {e}"));
            let elf = Elf::parse(&new).unwrap();
            let renamed = |name: &String| format!("{name}-0123abcd");
            assert_eq!(elf.needed, old.needed.iter().map(renamed).collect::<Vec<_>>(), "{name}");
            assert_eq!(elf.soname, edit.id, "{name}");
            let (rpath, runpath) = match &edit.search {
                Search::Rpath(list) => (list.clone(), vec![]),
                Search::Runpath(list) => (vec![], list.clone()),
                Search::Nowhere => (vec![], vec![]),
                Search::Keep => (old.rpath.clone(), old.runpath.clone()),
            };
            assert_eq!((elf.rpath, elf.runpath), (rpath, runpath), "{name}");
            let libraries = |elf: &Elf| elf.needed_versions.len();
            assert_eq!(
                elf.needed_versions.keys().filter(|n| n.ends_with("-0123abcd")).count(),
                libraries(&old)
            );
            let layout = plan(bytes, &edit).unwrap();
            assert_eq!(
                layout.growth_bytes,
                i64::try_from(new.len()).unwrap() - i64::try_from(bytes.len()).unwrap(),
                "{name}"
            );
            assert!(layout.growth_bytes < 4096, "{name}: {layout:?}");
            assert_eq!(apply(&new, &edit).unwrap(), new, "{name}: the same edit again");
        }
    }
}

#[test]
fn a_file_that_is_as_it_should_be_stays() {
    for (name, bytes) in fixtures() {
        let elf = Elf::parse(bytes).unwrap();
        let mut edit = Edit { id: elf.soname.clone(), ..Edit::default() };
        edit.renamed = elf.needed.iter().map(|name| (name.clone(), name.clone())).collect();
        edit.renamed.insert("libabsent.so".to_owned(), "libother.so".to_owned());
        edit.dropped.insert("libpython3.12.so.1.0".to_owned());
        if !elf.runpath.is_empty() {
            edit.search = Search::Runpath(elf.runpath);
        }
        assert_eq!(plan(bytes, &edit).unwrap(), unchanged(), "{name}");
        assert_eq!(apply(bytes, &edit).unwrap(), bytes, "{name}");
    }
}

#[test]
fn edits_do_not_pile_up() {
    for (name, bytes) in fixtures() {
        let first = apply(bytes, &everything(bytes, "-01234567", runpath("$ORIGIN/../a"))).unwrap();
        let mut now = first.clone();
        for i in 0..5 {
            let mut edit = everything(&now, "", runpath(&format!("$ORIGIN/../{i}")));
            let id = edit.id.as_mut();
            if let Some(id) = id {
                *id = format!("lib{i}-0123456789.so.1");
            }
            now = apply(&now, &edit).unwrap_or_else(|e| panic!("{name}: {e}"));
        }
        // Without section headers nobody knows which names are free.
        let most = if name == "no-sections.so" { 300 } else { 64 };
        assert!(now.len() <= first.len() + most, "{name}: {} and {}", first.len(), now.len());
    }
}

#[test]
fn shorter_names_fit_where_they_were() {
    let check = |name: &str, edit: Edit| {
        let bytes = fixture(name);
        let new = apply(bytes, &edit).unwrap();
        assert_eq!(plan(bytes, &edit).unwrap().strategy, Strategy::InPlace, "{name}");
        assert_eq!(new.len(), bytes.len());
        new
    };
    check("x86_64.so", Edit { id: Some("libp.so".to_owned()), ..Edit::default() });
    check("rpath-origin.so", Edit { search: runpath("$ORIGIN"), ..Edit::default() });
    let new = check("rpath-outside.so", Edit { search: Search::Nowhere, ..Edit::default() });
    let is_left = new.windows(8).any(|bytes| bytes == b"/opt/lib");
    assert!(!is_left, "the old path is gone from the file");
    check("runpath.so", Edit { search: Search::Rpath(names(&["$ORIGIN"])), ..Edit::default() });
}

#[test]
fn names_stay_where_what_is_behind_them_is_smaller() {
    let check = |name: &str, id: &str, stay: bool| {
        let bytes = fixture(name);
        let edit = Edit { id: Some(id.to_owned()), ..Edit::default() };
        let new = apply(bytes, &edit).unwrap();
        let Strategy::NewSegment { displaced, .. } = plan(bytes, &edit).unwrap().strategy else {
            panic!("{name}: no new segment");
        };
        let has = |section: &str| displaced.iter().any(|name| name == section);
        assert_eq!((has(".dynstr"), has(".gnu.version")), (!stay, stay), "{name}: {displaced:?}");
        new
    };
    // After the names, GNU ld writes the symbol versions, and LLD a part that is larger than the
    // names.
    let new = check("quiet-gnu-ld.so", "abc", true);
    check("quiet-gnu-ld.so", "a-longer-name.so", false);
    check("x86_64.so", "a-longer-name.so", false);
    let edit = Edit { id: Some("a-longer-name.so".to_owned()), ..Edit::default() };
    let again = apply(&new, &edit).unwrap();
    let loads = |bytes: &[u8]| Image::read(bytes).unwrap().loads().count();
    assert_eq!(loads(&again), loads(&new), "the second edit replaces the segment of the first");
}

#[test]
fn libraries_are_dropped() {
    for name in ["x86_64.so", "s390x.so", "i686.so"] {
        let bytes = fixture(name);
        let edit = Edit { dropped: ["libc.so.6".to_owned()].into(), ..Edit::default() };
        let new = apply(bytes, &edit).unwrap();
        let elf = Elf::parse(&new).unwrap();
        assert_eq!((elf.needed.len(), elf.needed_versions.len()), (0, 0), "{name}");
        let symbols = elf.symbols(&new).unwrap();
        assert!(symbols.undefined.iter().all(|symbol| symbol.version.is_none()), "{name}");
    }
}

#[test]
fn what_cannot_be_is_refused() {
    let check = |name: &str, edit: Edit, expected: &str| {
        let error = apply(fixture(name), &edit).unwrap_err().to_string();
        assert_eq!(error, format!("it cannot be changed: {expected}"));
        assert_eq!(plan(fixture(name), &edit).unwrap_err().to_string(), error);
    };
    let id = |id: &str| Edit { id: Some(id.to_owned()), ..Edit::default() };
    let search = |list: &[&str]| Edit { search: Search::Rpath(names(list)), ..Edit::default() };
    check("x86_64.so", id(""), "`` is not a name");
    check("x86_64.so", id("a\0b"), "`a\\u{0}b` is not a name");
    check("x86_64.so", search(&["a:b"]), "`a:b` cannot be a library directory");
    check("x86_64.so", search(&["a", ""]), "`` cannot be a library directory");
    let program = include_bytes!("../../../../testdata/elf/static-program").as_slice();
    let error = apply(program, &search(&["$ORIGIN"])).unwrap_err().to_string();
    assert_eq!(error, "it cannot be changed: it is a static program");
    let mut attached = fixture("x86_64.so").to_vec();
    attached.extend(b"PK\x05\x06");
    let edit = id("a-name-that-does-not-fit.so");
    let error = apply(&attached, &edit).unwrap_err().to_string();
    assert_eq!(error, "it cannot be changed: 4 bytes are appended to it");
    apply(include_bytes!("../../../../testdata/elf/too-short.so"), &edit).unwrap_err();
}

#[test]
fn headers_move_when_nothing_tells_what_is_behind_them() {
    let bytes = fixture("no-sections.so");
    let layout = plan(bytes, &everything(bytes, "-0123abcd", Search::Keep)).unwrap();
    assert!(layout.warnings[0].starts_with("its program headers move"), "{layout:?}");
}

#[test]
fn stripped_files_are_edited_like_others() {
    let bytes = include_bytes!("../../../../testdata/elf/unstripped.so").as_slice();
    let stripped = strip(bytes).unwrap();
    assert!(stripped.len() < bytes.len());
    assert_eq!(strip(&stripped).unwrap(), stripped);
    verify(&stripped, &stripped, &Edit::default()).unwrap();
    let of = |bytes: &[u8]| {
        let elf = Elf::parse(bytes).unwrap();
        (elf.soname.clone(), elf.needed.clone(), elf.symbols(bytes).unwrap())
    };
    assert_eq!(of(&stripped), of(bytes));
    let image = Image::read(&stripped).unwrap();
    let sections: Vec<String> = image.sections.iter().map(|s| image.section_name(s)).collect();
    assert!(sections.iter().all(|name| !name.starts_with(".debug") && name != ".symtab"));
    let edit = everything(&stripped, "-0123abcd", runpath("$ORIGIN"));
    apply(&stripped, &edit).unwrap();
    for (name, bytes) in fixtures() {
        let stripped = strip(bytes).unwrap();
        assert!(stripped.len() <= bytes.len(), "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Any bytes give an error or a correct file.
    #[test]
    fn damage_never_panics(
        which in any::<prop::sample::Index>(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        keep in prop::option::weighted(0.1, any::<prop::sample::Index>()),
    ) {
        let all = fixtures();
        let (_, original) = which.get(&all);
        let mut bytes = original.to_vec();
        for (at, value) in edits {
            // Headers and tables, where numbers decide, more often than code.
            let last = bytes.len() - 1;
            let at = at.index(bytes.len());
            let at = match value % 3 {
                0 => at,
                1 => at % 1024,
                _ => last - at % 1024,
            };
            bytes[at.min(last)] = value;
        }
        if let Some(keep) = keep {
            bytes.truncate(keep.index(bytes.len()));
        }
        let edit = everything(original, "-0123abcd", runpath("$ORIGIN/../demo.libs"));
        let planned = plan(&bytes, &edit);
        if let Ok(new) = apply(&bytes, &edit) {
            prop_assert!(new.len() < bytes.len() + 8192);
            prop_assert!(planned.is_ok());
        }
        let _ = strip(&bytes);
    }
}
