use proptest::prelude::*;

use super::sample::{PLAIN, Sample, set};
use super::*;
use crate::binary::pe::Pe;

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!("../../../../testdata/pe/", $name)).as_slice()
    };
}

const FIXTURES: &[&[u8]] = &[
    fixture!("user.dll"),
    fixture!("program.exe"),
    fixture!("x64.dll"),
    fixture!("x86.dll"),
    fixture!("arm64.dll"),
];

/// Names that are longer than the unused bytes of the fixtures.
const LONG: &str = "a-library-with-a-very-long-name-0123456789abcdef0123456789abcdef.dll";

fn rename(renamed: &[(&str, &str)]) -> Edit {
    Edit {
        renamed: renamed.iter().map(|(old, new)| ((*old).to_owned(), (*new).to_owned())).collect(),
        ..Edit::default()
    }
}

fn imports(bytes: &[u8]) -> String {
    let file = Pe::parse(bytes).unwrap();
    let mark = |delayed| if delayed { "~" } else { "" };
    let names = file.imports.iter().map(|i| format!("{}{}", mark(i.is_delayed), i.library));
    names.collect::<Vec<_>>().join(" ")
}

/// The edited file loads these libraries and has as many sections more; the edit made again changes
/// nothing.
fn check(bytes: &[u8], renamed: &[(&str, &str)], expected: &str, new_sections: usize) -> Vec<u8> {
    let after = apply(bytes, &rename(renamed)).unwrap();
    assert_eq!(imports(&after), expected);
    let sections = |bytes| Image::parse(bytes).unwrap().sections.len();
    assert_eq!(sections(&after), sections(bytes) + new_sections);
    assert!(apply(&after, &rename(renamed)).unwrap() == after);
    after
}

#[test]
fn imports_are_renamed() {
    let user = fixture!("user.dll");
    check(user, &[("PLAIN.DLL", "plain-0123abcd.dll")], "plain-0123abcd.dll KERNEL32.dll", 0);
    check(fixture!("program.exe"), &[("plain.dll", "p.dll")], "p.dll", 0);
    for is_64_bit in [true, false] {
        for has_slack in [true, false] {
            let sample = Sample { is_64_bit, has_slack, ..PLAIN };
            check(
                &sample.image(),
                &[("demo.dll", "Demo-0123abcd.dll"), ("LATE.dll", LONG)],
                &format!("KERNEL32.dll Demo-0123abcd.dll other.dll ~{LONG}"),
                usize::from(!has_slack),
            );
        }
    }
    // The unused bytes of two sections take one name of two: neither stays there.
    let (a, b) = ("a".repeat(250), "b".repeat(250));
    let both = [("plain.dll", a.as_str()), ("kernel32.dll", b.as_str())];
    check(user, &both, &format!("{a} {b}"), 1);
    // Two libraries become one: the name is written once.
    let one = check(
        &PLAIN.image(),
        &[("demo.dll", "one-0123.dll"), ("other.dll", "one-0123.dll")],
        "KERNEL32.dll one-0123.dll one-0123.dll ~late.dll",
        0,
    );
    assert_eq!(one.windows(12).filter(|window| window == b"one-0123.dll").count(), 1);
}

#[test]
fn nothing_to_do_leaves_the_bytes() {
    for bytes in FIXTURES {
        let edit = Edit { id: Some("x.dll".to_owned()), ..rename(&[("absent.dll", "x.dll")]) };
        assert!(apply(bytes, &edit).unwrap() == *bytes);
        assert!(apply(bytes, &rename(&[("plain.dll", "plain.dll")])).unwrap() == *bytes);
    }
}

/// Bytes after the sections, and the header fields that describe them.
fn with_end(sample: Sample, end: &[u8], mention: impl Fn(&mut [u8], usize, &Image)) -> Vec<u8> {
    let mut bytes = sample.image();
    let at = bytes.len();
    bytes.extend_from_slice(end);
    let image = Image::parse(&bytes).unwrap();
    mention(&mut bytes, at, &image);
    bytes
}

fn certified(bytes: &mut [u8], at: usize, image: &Image) {
    let place = image.directory_place(directory::SIGNATURE).unwrap();
    let size = bytes.len() - at;
    set(bytes, place, at);
    set(bytes, place + 4, size);
}

fn with_symbols(bytes: &mut [u8], at: usize, image: &Image) {
    set(bytes, image.file_header + 8, at);
    set(bytes, image.file_header + 12, 1);
}

/// Symbol table with one entry, and an empty table of long names.
const SYMBOLS: &[u8] = b"symbol..........\0\0\x04\0\0\0";

#[test]
fn what_follows_the_sections_is_cut_moved_or_left() {
    let renamed = [("demo.dll", LONG)];
    let expected = format!("KERNEL32.dll {LONG} other.dll ~late.dll");
    let full = Sample { has_slack: false, ..PLAIN };
    let check = |bytes: &[u8], new_sections| check(bytes, &renamed, &expected, new_sections);

    let certificate = [1; 64];
    for sample in [PLAIN, full] {
        let after =
            check(&with_end(sample, &certificate, certified), usize::from(!sample.has_slack));
        assert!(!after.windows(64).any(|window| window == certificate));
        assert!(!Pe::parse(&after).unwrap().is_signed);
    }
    let after = check(&with_end(full, SYMBOLS, with_symbols), 1);
    let symbols = Image::parse(&after).unwrap().symbols;
    assert_eq!((&after[symbols.0 as usize..], symbols.1), (SYMBOLS, 1));
    check(&with_end(full, &[0; 100], |_, _, _| ()), 1);

    let zip = with_end(PLAIN, b"PK and more", |_, _, _| ());
    assert!(check(&zip, 0).ends_with(b"PK and more"));
    let zip = with_end(full, b"PK and more", |_, _, _| ());
    let error = apply(&zip, &rename(&renamed)).unwrap_err().to_string();
    assert!(error.contains("its last 11 bytes belong to no section"), "{error}");
}

#[test]
fn what_rests_on_the_former_names_goes() {
    let renamed = [("demo.dll", "demo-0123.dll")];
    let expected = "KERNEL32.dll demo-0123.dll other.dll ~late.dll";
    for is_64_bit in [true, false] {
        let bound = Sample { is_bound: true, is_64_bit, ..PLAIN };
        let after = check(&bound.image(), &renamed, expected, 0);
        assert_eq!(Image::parse(&after).unwrap().directory(directory::BOUND_IMPORTS), (0, 0));
        let entries = names::entries(&Image::parse(&after).unwrap(), &after).unwrap();
        assert!(entries.iter().all(|entry| LITTLE.u32(&after, entry.stamp, WHAT) == Ok(0)));
        let system = Sample { dependent_load_flags: 0x800, is_64_bit, ..PLAIN }.image();
        assert!(Pe::parse(&system).unwrap().system_libraries_only);
        let after = check(&system, &renamed, expected, 0);
        assert!(!Pe::parse(&after).unwrap().system_libraries_only);
    }
}

#[test]
fn impossible_edits_are_refused() {
    let check = |sample: Sample, edit: &Edit, expected: &str| {
        let error = apply(&sample.image(), edit).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    let demo = rename(&[("demo.dll", LONG)]);
    let late = rename(&[("late.dll", LONG)]);
    check(Sample { dll_characteristics: 0x80, ..PLAIN }, &demo, "checks its signature");
    check(Sample { is_dotnet: true, ..PLAIN }, &demo, "made for .NET");
    check(Sample { is_relative: false, is_64_bit: false, ..PLAIN }, &late, "absolute addresses");
    check(
        Sample { forwarder: Some("DEMO.function"), ..PLAIN },
        &demo,
        "it forwards exports to `DEMO`",
    );
    let full = Sample { has_slack: false, has_header_space: false, ..PLAIN };
    check(full, &demo, "40 bytes needed, 0 free");
    for name in ["", "a/b.dll", "ü.dll", "a\0b"] {
        check(PLAIN, &rename(&[("demo.dll", name)]), "cannot be the name of a library");
    }
    let search = Edit { search: Search::Runpath(vec!["x".to_owned()]), ..Edit::default() };
    check(PLAIN, &search, "no search path");
    let dropped = Edit { dropped: ["OTHER.DLL".to_owned()].into(), ..Edit::default() };
    check(PLAIN, &dropped, "cannot be left out");
    // None of it matters for a file that loads no renamed library.
    let dotnet = Sample { is_dotnet: true, forwarder: Some("NTDLL.f"), ..PLAIN }.image();
    assert_eq!(apply(&dotnet, &rename(&[("absent.dll", LONG)])), Ok(dotnet));
}

#[test]
fn a_wrong_result_is_seen() {
    let before = PLAIN.image();
    let edit = rename(&[("demo.dll", "demo-0123.dll")]);
    let after = apply(&before, &edit).unwrap();
    let image = Image::parse(&after).unwrap();
    let check = |at: usize, expected: &str| {
        let mut wrong = after.clone();
        wrong[at] ^= 1;
        let error = verify(&before, &wrong, &edit).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    check(image.checksum_place(), "checksum");
    check(0x400, "contents");
    check(image.optional_header + 16, "headers");
    check(image.sections[1].header + 36, "sections");
    assert!(verify(&before, &before, &edit).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn mutants_never_panic(
        which in 0..FIXTURES.len() + 3,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        in_head in any::<bool>(),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let samples = [
            Sample { is_bound: true, forwarder: Some("NTDLL.f"), ..PLAIN },
            Sample { has_slack: false, ..PLAIN },
            Sample { is_64_bit: false, ..PLAIN },
        ];
        let sample = |i: usize| samples[i - FIXTURES.len()].image();
        let mut bytes = FIXTURES.get(which).map_or_else(|| sample(which), |file| file.to_vec());
        let reach = if in_head { bytes.len().min(1024) } else { bytes.len() };
        for (at, value) in changes {
            bytes[at.index(reach)] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let edit = rename(&[("plain.dll", LONG), ("demo.dll", "d-1.dll"), ("late.dll", LONG)]);
        if let Ok(after) = apply(&bytes, &edit) {
            prop_assert!(apply(&after, &edit).unwrap() == after);
        }
    }
}
