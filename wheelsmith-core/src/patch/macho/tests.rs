use proptest::prelude::*;

use super::*;
use crate::binary::macho::{MachO, Pages, Slice};
use crate::patch::Search;

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!("../../../../testdata/macho/", $name)).as_slice()
    };
}

const FIXTURES: &[&[u8]] = &[
    fixture!("rpath.dylib"),
    fixture!("program"),
    fixture!("x86_64.dylib"),
    fixture!("universal.dylib"),
    fixture!("universal-wide.dylib"),
    fixture!("unsigned.dylib"),
    fixture!("ppc.dylib"),
    fixture!("i386.dylib"),
];

fn edit(id: &str, renamed: &[(&str, &str)], search: Search) -> Edit {
    Edit {
        id: (!id.is_empty()).then(|| id.to_owned()),
        renamed: renamed.iter().map(|(old, new)| ((*old).to_owned(), (*new).to_owned())).collect(),
        search,
        ..Edit::default()
    }
}

fn rpaths(paths: &[&str]) -> Search {
    Search::Rpath(paths.iter().map(|path| (*path).to_owned()).collect())
}

/// Returns the names in each slice: install name, required libraries, search paths.
fn names(slice: &Slice) -> String {
    let needed: Vec<&str> = slice.needed.iter().map(|needed| needed.name.as_str()).collect();
    let id = slice.install_name.as_deref().unwrap_or("-");
    format!("{id} [{}] [{}]", needed.join(" "), slice.rpaths.join(" "))
}

/// Asserts that the slices of an edited file have these names, and that the same edit again changes
/// nothing.
fn check(bytes: &[u8], edit: &Edit, expected: &[&str]) -> MachO {
    let after = apply(bytes, edit).unwrap();
    let file = MachO::parse(&after).unwrap();
    assert_eq!(file.slices.iter().map(names).collect::<Vec<_>>(), expected);
    assert!(apply(&after, edit).unwrap() == after, "the edit made again changes the file");
    file
}

const PLAIN: &str = "@rpath/libplain.dylib";
const SYSTEM: &str = "/usr/lib/libSystem.B.dylib";

#[test]
fn names_are_changed() {
    let user = fixture!("rpath.dylib");
    let new = "@loader_path/.dylibs/libplain-0123abcd.dylib";
    check(
        user,
        &edit("@rpath/libuser-0123abcd.dylib", &[(PLAIN, new)], Search::Nowhere),
        &[&format!("@rpath/libuser-0123abcd.dylib [{SYSTEM} {new}] []")],
    );
    check(
        user,
        &edit("", &[], rpaths(&["@loader_path/lib"])),
        &[&format!("/build/here/libuser.dylib [{SYSTEM} {PLAIN}] [@loader_path/lib]")],
    );
    // Newer systems refuse a path that is repeated.
    check(
        user,
        &edit("x", &[], rpaths(&["@loader_path/a", "@loader_path/b", "@loader_path/a"])),
        &[&format!("x [{SYSTEM} {PLAIN}] [@loader_path/a @loader_path/b]")],
    );
    check(
        fixture!("no-rpath.dylib"),
        &edit("", &[], rpaths(&["@loader_path"])),
        &[&format!("@rpath/libuser.dylib [{SYSTEM} {PLAIN}] [@loader_path]")],
    );
    check(
        fixture!("program"),
        &edit("", &[(PLAIN, "a.dylib")], Search::Keep),
        &[&format!("- [{SYSTEM} a.dylib] [@executable_path/../lib]")],
    );
    check(fixture!("x86_64.dylib"), &edit("x", &[], Search::Keep), &[&format!("x [{SYSTEM}] []")]);
    let both = format!("x [{SYSTEM}] [@loader_path]");
    let with_path = edit("x", &[], rpaths(&["@loader_path"]));
    check(fixture!("universal.dylib"), &with_path, &[&both, &both]);
    check(fixture!("universal-wide.dylib"), &with_path, &[&both]);
}

/// Both byte orders and 32 bits, and every way to load a library.
#[test]
fn every_kind_of_command_is_changed() {
    let renamed = [
        ("weak.dylib", "w.dylib"),
        ("reexport.dylib", "r.dylib"),
        ("upward.dylib", "a-longer-name.dylib"),
        ("lazy.dylib", "l.dylib"),
    ];
    let expected =
        "libold.dylib [/usr/lib/libSystem.B.dylib w.dylib r.dylib a-longer-name.dylib l.dylib] []";
    for old in [fixture!("ppc.dylib"), fixture!("i386.dylib")] {
        let padded = [old, &[0; 64]].concat();
        check(&padded, &edit("", &renamed, Search::Keep), &[expected]);
        let path = edit("", &[], rpaths(&["@loader_path/x"]));
        assert!(apply(&padded, &path).is_ok());
        // Without the pad, no name may become longer.
        let error = apply(old, &path).unwrap_err();
        assert_eq!(error, Error::NoSpace { needed: 28, available: 0 });
    }
}

#[test]
fn signatures_are_right_again() {
    let renamed = edit("@rpath/libother.dylib", &[], Search::Keep);
    let check = |bytes: &[u8], edit: &Edit, identifier: Option<&str>| {
        let file = MachO::parse(&apply(bytes, edit).unwrap()).unwrap();
        let signature = file.slices[0].signature.as_ref();
        assert_eq!(signature.and_then(|s| s.identifier.as_deref()), identifier);
        if let Some(signature) = signature {
            assert!(signature.ad_hoc && signature.pages == Pages::Right);
        }
    };
    let keep = Edit::default();
    check(fixture!("arm64.dylib"), &renamed, Some("arm64.dylib"));
    // arm64 requires a signature, and no other change is needed.
    check(fixture!("unsigned.dylib"), &keep, Some("libplain.dylib"));
    check(fixture!("unsigned.dylib"), &renamed, Some("libother.dylib"));
    check(fixture!("bad-page.dylib"), &keep, Some("arm64.dylib"));
    check(fixture!("x86_64.dylib"), &renamed, None);
}

#[test]
fn nothing_to_do_leaves_the_bytes() {
    for name in [fixture!("rpath.dylib"), fixture!("universal.dylib"), fixture!("ppc.dylib")] {
        assert!(apply(name, &Edit::default()).unwrap() == name);
        let other = edit("", &[("libabsent.dylib", "x.dylib")], Search::Keep);
        assert!(apply(name, &other).unwrap() == name);
    }
}

#[test]
fn impossible_edits_are_refused() {
    let check = |bytes: &[u8], edit: &Edit, expected: &str| {
        let error = apply(bytes, edit).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    let id = |id: &str| edit(id, &[], Search::Keep);
    check(fixture!("program"), &id("x"), "nothing links to it");
    check(fixture!("object.o"), &id("x"), "no system loads it");
    check(fixture!("too-short.dylib"), &id("x"), "outside the file");
    check(fixture!("arm64.dylib"), &id("a\0b"), "cannot be a path");
    check(fixture!("arm64.dylib"), &edit("", &[], rpaths(&[""])), "cannot be a path");
    check(&[fixture!("arm64.dylib"), b"more"].concat(), &id("x"), "not the end of the file");
    check(&[fixture!("universal.dylib"), b"more"].concat(), &id("x"), "between its slices");
    check(&[], &id("x"), "outside the file");
    let dropped = Edit { dropped: [SYSTEM.to_owned()].into(), ..Edit::default() };
    check(fixture!("arm64.dylib"), &dropped, "cannot be left out");
    // No room: all the space up to the first section is taken.
    let long = "x".repeat(4000);
    let paths: Vec<String> = (0..8).map(|i| format!("{i}{long}")).collect();
    let crowd = edit("", &[], Search::Rpath(paths));
    assert!(matches!(
        apply(fixture!("arm64.dylib"), &crowd),
        Err(Error::NoSpace { needed, available }) if needed > available && available > 0
    ));
}

/// Entitlements are part of what a program is: they survive a new signature.
#[test]
fn entitlements_are_kept() {
    let blob = [b"\xfa\xde\x71\x71\0\0\0\x0d".as_slice(), b"<p/>\n"].concat();
    let mut old = Vec::new();
    for number in [0xfade_0cc0_u32, 20 + 13, 1, 5, 20] {
        old.extend(number.to_be_bytes());
    }
    old.extend(&blob);
    let kept = sign::KeptBlobs::read(&old);
    let subject =
        sign::SignedContent { identifier: "demo", kept: &kept, code: (0, 4096), is_program: true };
    let signature = subject.sign(&[7; 5000]).unwrap();
    assert_eq!(Some(signature.len() as u64), subject.size(5000));
    assert!(signature.windows(blob.len()).any(|window| window == blob));
    let again = sign::KeptBlobs::read(&signature);
    assert_eq!(again.identifier, Some("demo"));
    let subject = sign::SignedContent { kept: &again, ..subject };
    assert_eq!(subject.sign(&[7; 5000]).unwrap(), signature);
}

#[test]
fn a_wrong_result_is_seen() {
    let before = fixture!("rpath.dylib");
    let edit = edit("x", &[], Search::Nowhere);
    let after = apply(before, &edit).unwrap();
    let check = |at: usize, expected: &str| {
        let mut wrong = after.clone();
        wrong[at] ^= 1;
        let error = verify(before, &wrong, &edit).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    // A reserved word of the header, code, the last byte of a page hash.
    check(28, "signature");
    check(0x4000, "contents");
    assert!(verify(before, before, &edit).is_err());
    assert!(verify(before, fixture!("program"), &edit).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn mutants_never_panic(
        which in 0..FIXTURES.len(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        in_head in any::<bool>(),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = FIXTURES[which].to_vec();
        let reach = if in_head { bytes.len().min(2048) } else { bytes.len() };
        for (at, value) in changes {
            bytes[at.index(reach)] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let edit = edit("@rpath/x.dylib", &[(PLAIN, "y.dylib")], rpaths(&["@loader_path"]));
        if let Ok(after) = apply(&bytes, &edit) {
            prop_assert!(apply(&after, &edit).unwrap() == after);
        }
    }
}
