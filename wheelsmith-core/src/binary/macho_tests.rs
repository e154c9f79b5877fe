use proptest::prelude::*;

use super::*;
use crate::binary::testing::in_pieces;

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!("../../../testdata/macho/", $name)).as_slice()
    };
}

const FIXTURES: &[&[u8]] = &[
    fixture!("arm64.dylib"),
    fixture!("x86_64.dylib"),
    fixture!("universal.dylib"),
    fixture!("universal-wide.dylib"),
    fixture!("rpath.dylib"),
    fixture!("program"),
    fixture!("object.o"),
    fixture!("bad-page.dylib"),
    fixture!("ppc.dylib"),
    fixture!("i386.dylib"),
];

fn parse(bytes: &[u8]) -> MachO {
    MachO::parse(bytes).unwrap()
}

/// Returns the only slice.
fn slice(bytes: &[u8]) -> Slice {
    let [slice] = <[Slice; 1]>::try_from(parse(bytes).slices).unwrap();
    slice
}

/// Returns the offset of the first load command `which` of a thin little-endian 64-bit file.
fn command(bytes: &[u8], which: u32) -> usize {
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    let mut at = 32;
    for _ in 0..word(16) {
        if word(at) == which {
            return at;
        }
        at += word(at + 4) as usize;
    }
    panic!("no command {which:#x}")
}

/// Returns the bytes with `value` at offset `place` of the first command `which`.
fn with(bytes: &[u8], which: u32, place: usize, value: u32) -> Vec<u8> {
    let at = command(bytes, which) + place;
    let mut bytes = bytes.to_vec();
    bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
    bytes
}

const LC_SYMTAB: u32 = 0x2;
const LC_DYSYMTAB: u32 = 0xb;
const LC_SEGMENT_64: u32 = 0x19;
const LC_CODE_SIGNATURE: u32 = 0x1d;
const LC_DYLD_INFO_ONLY: u32 = 0x8000_0022;
/// A command that every reader skips.
const LC_SOURCE_VERSION: u32 = 0x2a;

#[test]
fn files_say_what_they_are() {
    // Each slice as processor, kind, system and oldest release.
    let check = |bytes: &[u8], expected: &[&str]| {
        let text = |slice: &Slice| {
            let builds = slice.builds.iter();
            let builds = builds.map(|build| format!(" {} {}", build.platform, build.minimum));
            format!("{} {:?}{}", slice.cpu, slice.kind, builds.collect::<String>())
        };
        let found: Vec<String> = parse(bytes).slices.iter().map(text).collect();
        assert_eq!(found, expected);
    };
    let (arm, intel) = ("arm64 SharedLibrary macOS 11.0", "x86_64 SharedLibrary macOS 10.12");
    check(fixture!("arm64.dylib"), &[arm]);
    check(fixture!("x86_64.dylib"), &[intel]);
    check(fixture!("universal.dylib"), &[intel, arm]);
    check(fixture!("universal-wide.dylib"), &[intel]);
    check(fixture!("newer.dylib"), &["arm64 SharedLibrary macOS 13.3"]);
    check(fixture!("ios.dylib"), &["x86_64 SharedLibrary iOS 10.12"]);
    check(fixture!("program"), &["arm64 Program macOS 11.0"]);
    check(fixture!("object.o"), &["arm64 Object macOS 11.0"]);
    check(fixture!("ppc.dylib"), &["ppc SharedLibrary macOS 10.4"]);
    check(fixture!("i386.dylib"), &["i386 SharedLibrary macOS 10.4"]);
    assert!(slice(fixture!("program")).position_independent);
    assert!(!parse(fixture!("arm64.dylib")).is_universal);
    assert!(parse(fixture!("universal-wide.dylib")).is_universal);
}

#[test]
fn names_are_read() {
    const SYSTEM: &str = "/usr/lib/libSystem.B.dylib";
    const PLAIN: &str = "@rpath/libplain.dylib";
    let check = |bytes: &[u8], name: Option<&str>, needed: &[&str], rpaths: &[&str]| {
        let slice = slice(bytes);
        assert_eq!(slice.install_name.as_deref(), name);
        let found: Vec<&str> = slice.needed.iter().map(|needed| needed.name.as_str()).collect();
        assert_eq!(found, needed);
        assert_eq!(slice.rpaths, rpaths);
    };
    check(fixture!("arm64.dylib"), Some(PLAIN), &[SYSTEM], &[]);
    check(
        fixture!("rpath.dylib"),
        Some("/build/here/libuser.dylib"),
        &[SYSTEM, PLAIN],
        &["@loader_path/lib", "/opt/lib"],
    );
    check(fixture!("program"), None, &[SYSTEM, PLAIN], &["@executable_path/../lib"]);
    check(
        fixture!("loader-path.dylib"),
        Some("@rpath/libuser.dylib"),
        &[SYSTEM, "@loader_path/../lib/libplain.dylib"],
        &[],
    );
}

#[test]
fn each_way_of_loading_is_told() {
    let expected = [Load::Required, Load::Weak, Load::Reexport, Load::Upward, Load::Lazy];
    for bytes in [fixture!("ppc.dylib"), fixture!("i386.dylib")] {
        let slice = slice(bytes);
        assert_eq!(slice.needed.iter().map(|needed| needed.kind).collect::<Vec<_>>(), expected);
        assert_eq!(slice.arch, (slice.cpu == "i386").then_some(Arch::I686));
    }
    assert!(!slice(fixture!("ppc.dylib")).is_little_endian);
}

#[test]
fn pages_are_compared_with_the_signature() {
    let check = |bytes: &[u8], expected: Option<Pages>| {
        assert_eq!(slice(bytes).signature.map(|signature| signature.pages), expected);
    };
    let arm = fixture!("arm64.dylib");
    check(arm, Some(Pages::Right));
    check(fixture!("bad-page.dylib"), Some(Pages::Wrong { count: 1, first: 0 }));
    check(fixture!("unsigned.dylib"), None);
    check(fixture!("x86_64.dylib"), None);
    let last_page = |mut bytes: Vec<u8>| {
        bytes[0x8000] ^= 1;
        bytes
    };
    check(&last_page(arm.to_vec()), Some(Pages::Wrong { count: 1, first: 0x8000 }));
    let signature = slice(arm).signature.unwrap();
    assert!(signature.ad_hoc && signature.linker_signed && !signature.is_unchecked());
    assert_eq!(signature.identifier.as_deref(), Some("arm64.dylib"));

    // The code directory follows a header of 12 bytes and one slot of 8.
    let command = command(arm, LC_CODE_SIGNATURE) + 8;
    let place = u32::from_le_bytes(arm[command..command + 4].try_into().unwrap()) as usize;
    let damaged = |at: usize, value: u8| {
        let mut bytes = arm.to_vec();
        bytes[place + at] = value;
        check(&bytes, Some(Pages::Unreadable));
    };
    damaged(3, 0); // magic
    damaged(11, 200); // more parts than there are
    damaged(20 + 3, 0); // magic of the directory
    damaged(20 + 31, 0); // fewer pages than the limit asks for
    damaged(20 + 36, 33); // size of a hash
    damaged(20 + 37, 9); // kind of hash
    damaged(20 + 39, 0); // size of a page
    damaged(20 + 32, 0xff); // limit behind the signature itself
}

/// Compares the pages of a file that is read in parts.
fn stream(bytes: &[u8], mut macho: MachO, part: usize) -> MachO {
    for mut check in macho.page_checks() {
        let range = check.range();
        let range = range.start.try_into().unwrap()..range.end.try_into().unwrap();
        bytes[range].chunks(part).for_each(|part| check.update(part));
        macho.set_pages(check.slice(), check.finish());
    }
    macho
}

/// Facts and symbols, or the error.
type Read = Result<(MachO, Vec<SliceSymbols>), Error>;

fn read(content: Content<'_>) -> Read {
    let macho = MachO::parse(content)?;
    let symbols = symbols(&macho, content)?;
    Ok((macho, symbols))
}

#[test]
fn pieces_say_what_the_whole_says() {
    for bytes in FIXTURES {
        let whole = read((*bytes).into());
        for granule in [1, 512, 4096, 65_536] {
            let (pieces, rounds) = in_pieces(bytes, granule, read);
            let pieces = pieces.map(|(macho, symbols)| (stream(bytes, macho, 1000), symbols));
            assert_eq!(pieces, whole);
            assert!(rounds <= 9, "{rounds} rounds by {granule}");
        }
    }
}

#[test]
fn pages_that_did_not_come_were_not_compared() {
    let bytes = fixture!("arm64.dylib");
    let (macho, _) = in_pieces(bytes, 512, |content| MachO::parse(content));
    let macho = macho.unwrap();
    let signature = macho.slices[0].signature.as_ref().unwrap();
    assert!(signature.is_unchecked() && signature.pages == Pages::NotChecked);
    let mut check = macho.page_checks().remove(0);
    check.update(&bytes[..0x5000]);
    assert_eq!(check.finish(), Pages::NotChecked);
}

#[test]
fn symbols_are_taken_and_offered() {
    let check = |bytes: &[u8], undefined: &[&str], exported: &[&str]| {
        for mut slice in symbols(&parse(bytes), bytes.into()).unwrap() {
            let found: Vec<&str> = slice.undefined.iter().map(|(name, _)| name.as_str()).collect();
            assert_eq!(found, undefined);
            slice.exported.sort();
            assert_eq!(slice.exported, exported);
        }
    };
    // zig exports additional names.
    let plain = ["__dso_handle", "_mh_dylib_header", "plain_length"];
    let user = [plain[0], plain[1], "user_length"];
    check(fixture!("arm64.dylib"), &["dyld_stub_binder", "strlen"], &plain);
    check(fixture!("universal.dylib"), &["dyld_stub_binder", "strlen"], &plain);
    check(fixture!("rpath.dylib"), &["dyld_stub_binder", "plain_length"], &user);
    check(fixture!("object.o"), &[], &[]);
    let arm = fixture!("arm64.dylib");
    // Without the symbol table the trie remains, and the other way round.
    check(&with(arm, LC_SYMTAB, 0, LC_SOURCE_VERSION), &[], &plain);
    check(&with(arm, LC_SYMTAB, 12, 0), &[], &plain);
    let taken = ["dyld_stub_binder", "strlen"];
    let without_trie = with(arm, LC_DYLD_INFO_ONLY, 44, 0);
    check(&without_trie, &taken, &plain);
    // The result does not depend on how the table is partitioned.
    check(&with(&without_trie, LC_DYSYMTAB, 0, LC_SOURCE_VERSION), &taken, &plain);
    check(&with(&without_trie, LC_DYSYMTAB, 20, u32::MAX), &taken, &plain);
    check(&with(arm, LC_DYSYMTAB, 28, u32::MAX), &taken, &plain);
}

#[test]
fn broken_files_are_errors() {
    let check = |bytes: &[u8], expected: Error| assert_eq!(read(bytes.into()), Err(expected));
    let outside = |what| Error::Outside { what };
    let malformed = |what| Error::Malformed { what };
    let arm = fixture!("arm64.dylib");
    check(fixture!("too-short.dylib"), outside("segment"));
    check(&arm[..20], outside("file header"));
    check(&arm[..40], outside("list of load commands"));
    check(b"\xcf\xfa\xed\xfe", outside("file header"));
    check(b"\x7fELF", malformed("file header"));
    check(&with(arm, LC_SEGMENT_64, 4, 7), malformed("list of load commands"));
    check(&with(arm, LC_SEGMENT_64, 44, 1), outside("segment"));
    check(&with(arm, LC_CODE_SIGNATURE, 12, u32::MAX), outside("code signature"));
    check(&with(arm, LC_SYMTAB, 8, u32::MAX), outside("symbol table"));
    check(&with(arm, LC_SYMTAB, 20, u32::MAX), outside("table of names"));
    check(&with(arm, LC_SYMTAB, 20, 4), outside("symbol table"));
    let too_many = Error::TooMany { what: "symbols", count: u32::MAX.into() };
    check(&with(arm, LC_SYMTAB, 12, u32::MAX), too_many);
    let stripped = with(arm, LC_SYMTAB, 0, LC_SOURCE_VERSION);
    check(&with(&stripped, LC_DYLD_INFO_ONLY, 44, u32::MAX), outside("export trie"));
    // List of slices: count, then processor, subtype, offset, size and alignment of each.
    let list = |at: usize, value: u32| {
        let mut bytes = fixture!("universal.dylib").to_vec();
        bytes[at..at + 4].copy_from_slice(&value.to_be_bytes());
        bytes
    };
    check(&list(4, 40), Error::TooMany { what: "slices", count: 40 });
    check(&list(8, 7), malformed("list of slices"));
    check(&list(16, u32::MAX), outside("slice"));
    check(&list(28 + 8, 4096), malformed("list of slices"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Reads in pieces, so that no page is hashed: hashing would take most of the time.
    #[test]
    fn mutants_are_facts_or_errors(
        which in 0..FIXTURES.len(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..1600, any::<u8>()), 1..8),
        keep in prop::option::weighted(0.2, any::<prop::sample::Index>()),
    ) {
        let mut bytes = FIXTURES[which].to_vec();
        for (anywhere, near, value) in edits {
            // Most of the bytes that are read are at the start.
            let at = if value % 4 == 0 { anywhere.index(bytes.len()) } else { near };
            let last = bytes.len() - 1;
            bytes[at.min(last)] = value;
        }
        if let Some(keep) = keep {
            bytes.truncate(keep.index(bytes.len()));
        }
        let mut pieces = crate::binary::Pieces::new(bytes.len() as u64);
        pieces.add(0, bytes);
        let _ = read((&pieces).into());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn damaged_pieces_say_what_the_whole_says(
        which in 0..FIXTURES.len(),
        edits in prop::collection::vec((0_usize..1600, any::<u8>()), 0..4),
        granule in 9_u32..17,
    ) {
        let mut bytes = FIXTURES[which].to_vec();
        for (at, value) in edits {
            let last = bytes.len() - 1;
            bytes[at.min(last)] = value;
        }
        let whole = read(bytes.as_slice().into());
        let (pieces, _) = in_pieces(&bytes, 1 << granule, read);
        let pieces = pieces.map(|(macho, symbols)| (stream(&bytes, macho, 4096), symbols));
        prop_assert_eq!(pieces, whole);
    }
}
