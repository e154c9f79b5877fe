use proptest::prelude::*;

use super::*;
use crate::binary::testing::in_pieces;

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!("../../../../testdata/elf/", $name)).as_slice()
    };
}

const FIXTURES: &[&[u8]] = &[
    fixture!("x86_64.so"),
    fixture!("i686.so"),
    fixture!("s390x.so"),
    fixture!("hash-sysv.so"),
    fixture!("hash-gnu.so"),
    fixture!("quiet-gnu-ld.so"),
    fixture!("program"),
    fixture!("too-new.so"),
    fixture!("no-sections.so"),
    fixture!("versioned.so"),
    fixture!("android.so"),
    fixture!("x86-64-v3.so"),
    fixture!("soft-float.so"),
    fixture!("static-opener"),
];

#[test]
fn files_say_what_they_are() {
    let check = |bytes: &[u8], arch: Option<Arch>, kind: Kind, newest: &[&str]| {
        let elf = Elf::parse(bytes).unwrap();
        assert_eq!((elf.arch, elf.kind), (arch, kind));
        let versions: Vec<&String> = elf.needed_versions.values().flatten().collect();
        assert_eq!(versions, newest);
    };
    let library = Kind::SharedLibrary;
    check(fixture!("x86_64.so"), Some(Arch::X86_64), library, &["GLIBC_2.14", "GLIBC_2.17"]);
    check(fixture!("no-sections.so"), Some(Arch::X86_64), library, &["GLIBC_2.14", "GLIBC_2.17"]);
    check(fixture!("aarch64.so"), Some(Arch::Aarch64), library, &["GLIBC_2.17"]);
    check(fixture!("armv7l.so"), Some(Arch::Armv7l), library, &["GLIBC_2.17", "GLIBC_2.4"]);
    check(fixture!("i686.so"), Some(Arch::I686), library, &["GLIBC_2.0", "GLIBC_2.17"]);
    check(fixture!("ppc64le.so"), Some(Arch::Ppc64le), library, &["GLIBC_2.17"]);
    check(fixture!("riscv64.so"), Some(Arch::Riscv64), library, &["GLIBC_2.27"]);
    check(fixture!("s390x.so"), Some(Arch::S390x), library, &["GLIBC_2.17"]);
    check(fixture!("musl.so"), Some(Arch::X86_64), library, &[]);
    check(fixture!("program"), Some(Arch::X86_64), Kind::Program, &["GLIBC_2.2.5"]);
    check(fixture!("static-program"), Some(Arch::X86_64), Kind::StaticProgram, &[]);
    check(fixture!("static-pie-program"), Some(Arch::X86_64), Kind::StaticProgram, &[]);
    check(fixture!("bpf.o"), None, Kind::Object, &[]);
}

#[test]
fn dynamic_entries_are_read() {
    let elf = Elf::parse(fixture!("x86_64.so")).unwrap();
    assert_eq!(elf.soname.as_deref(), Some("libplain.so"));
    assert_eq!(elf.needed, ["libc.so.6"]);
    let elf = Elf::parse(fixture!("runpath.so")).unwrap();
    assert_eq!((elf.rpath, elf.runpath), (vec![], vec!["$ORIGIN".to_owned()]));
    let elf = Elf::parse(fixture!("rpath-outside.so")).unwrap();
    assert_eq!((elf.rpath, elf.runpath), (vec!["/opt/lib".to_owned()], vec![]));
    let elf = Elf::parse(fixture!("quiet-gnu-ld.so")).unwrap();
    assert_eq!(elf.executable_stack, Some(true));
    assert_eq!(
        Elf::parse(fixture!("program")).unwrap().interpreter.as_deref(),
        Some("/lib64/ld-linux-x86-64.so.2")
    );
}

#[test]
fn names_outside_the_string_table_are_refused() {
    const DT_STRSZ: u64 = 10;
    const DT_DEBUG: u64 = 21;
    let edited = |tag: u64, size: Option<u64>| {
        let mut bytes = fixture!("x86_64.so").to_vec();
        let is_entry = |at: &usize| bytes[*at..*at + 8] == DT_STRSZ.to_le_bytes();
        // The dynamic entries are before the section headers.
        let at = (0..bytes.len() - 16).step_by(8).find(is_entry).unwrap();
        bytes[at..at + 8].copy_from_slice(&tag.to_le_bytes());
        if let Some(size) = size {
            bytes[at + 8..at + 16].copy_from_slice(&size.to_le_bytes());
        }
        Elf::parse(&bytes).and_then(|elf| elf.symbols(&bytes).map(|_| elf.needed))
    };
    assert_eq!(edited(DT_STRSZ, None).unwrap(), ["libc.so.6"]);
    // The loader ignores the size, so a smaller one must not hide a needed library.
    for size in [0, 1, 1 << 20, 1 << 40, u64::MAX] {
        assert!(edited(DT_STRSZ, Some(size)).is_err(), "{size}");
    }
    assert!(edited(DT_DEBUG, None).is_err(), "no size");
}

#[test]
fn symbols_carry_their_version() {
    let undefined = |bytes: &[u8]| -> Vec<String> {
        let symbols = Elf::parse(bytes).unwrap().symbols(bytes).unwrap().undefined;
        let text = |symbol: &crate::binary::Undefined| match &symbol.version {
            Some((version, library)) => format!("{}@{version} {library}", symbol.name),
            None => symbol.name.clone(),
        };
        symbols.iter().map(text).collect()
    };
    let has = |bytes: &[u8], symbol: &str| {
        let found = undefined(bytes);
        assert!(found.iter().any(|s| s == symbol), "{symbol} is not in {found:?}");
    };
    has(fixture!("too-new.so"), "pthread_create@GLIBC_2.34 libc.so.6");
    // The result does not depend on how the linker counts the symbols.
    let plain = undefined(fixture!("x86_64.so"));
    assert!(!plain.is_empty());
    for bytes in [fixture!("hash-sysv.so"), fixture!("hash-gnu.so"), fixture!("no-sections.so")] {
        assert_eq!(undefined(bytes), plain);
    }
    assert!(!undefined(fixture!("quiet-gnu-ld.so")).is_empty(), "nothing exported, still counted");
    let bytes = fixture!("versioned.so");
    let exports = Elf::parse(bytes).unwrap().symbols(bytes).unwrap().exports;
    assert!(exports.count() > 0 && !exports.contains("absent"));
}

#[test]
fn versions_hardening_and_identity_are_read() {
    let check = |bytes: &[u8], defined: &[&str], relro: Relro| {
        let elf = Elf::parse(bytes).unwrap();
        assert_eq!(elf.defined_versions.iter().collect::<Vec<_>>(), defined);
        assert_eq!(elf.relro, relro);
    };
    check(fixture!("x86_64.so"), &[], Relro::Full);
    check(fixture!("versioned.so"), &["PLAIN_1.0"], Relro::Full);
    check(fixture!("static-program"), &[], Relro::None);
    check(fixture!("static-pie-program"), &[], Relro::Partial);
    assert_eq!(Elf::parse(fixture!("x86_64.so")).unwrap().build_id, None);
    let id = Elf::parse(fixture!("quiet-gnu-ld.so")).unwrap().build_id.unwrap();
    assert!(id.len() == 40 && id.bytes().all(|b| b.is_ascii_hexdigit()), "{id}");
}

#[test]
fn notes_flags_and_headers_are_read() {
    let facts = |bytes: &[u8]| Elf::parse(bytes).unwrap();
    assert_eq!(facts(fixture!("x86-64-v3.so")).x86_64_level, Some(3));
    assert_eq!(facts(fixture!("x86_64.so")).x86_64_level, None);
    assert_eq!(facts(fixture!("android.so")).android_api, Some(24));
    assert_eq!(facts(fixture!("soft-float.so")).float_abi, Some(FloatAbi::Soft));
    assert_eq!(facts(fixture!("armv7l.so")).float_abi, Some(FloatAbi::Double));
    assert_eq!(facts(fixture!("aarch64.so")).alignment_bytes, Some((65_536, 65_536)));
    assert_eq!(facts(fixture!("page-4k.so")).alignment_bytes, Some((4096, 4096)));
    assert_eq!(facts(fixture!("static-opener")).static_openers, ["getaddrinfo"]);
    let pie = |bytes: &[u8]| facts(bytes).is_pie;
    assert_eq!([pie(fixture!("program")), pie(fixture!("static-pie-program"))], [true, true]);
    assert_eq!([pie(fixture!("static-program")), pie(fixture!("x86_64.so"))], [false, false]);
    // At most a few section names.
    assert!(facts(fixture!("x86_64.so")).unloaded_bytes < 300);
    let mut padded = fixture!("x86_64.so").to_vec();
    padded.resize(padded.len() + 5000, 0);
    let unloaded = facts(&padded).unloaded_bytes;
    assert_eq!(unloaded, facts(fixture!("x86_64.so")).unloaded_bytes + 5000);
}

/// Returns the offset of the program header `kind` of a 64-bit little-endian file.
fn segment(bytes: &[u8], kind: u32) -> usize {
    let count = usize::from(bytes[0x38]);
    let mut headers = (0..count).map(|i| 0x40 + i * 0x38);
    headers.find(|&at| bytes[at..at + 4] == kind.to_le_bytes()).unwrap()
}

#[test]
fn the_loader_goes_by_addresses() {
    const PT_DYNAMIC: u32 = 2;
    let mut bytes = fixture!("x86_64.so").to_vec();
    let expected = Elf::parse(&bytes).unwrap();
    let header = segment(&bytes, PT_DYNAMIC);
    // A decoy for readers that use the file offset.
    bytes[header + 8..header + 16].copy_from_slice(&0x40_u64.to_le_bytes());
    assert_eq!(Elf::parse(&bytes).unwrap(), expected);
}

/// A small file whose names share their bytes could expand to gigabytes of text.
#[test]
fn names_that_share_their_bytes_are_refused() {
    let length = 60_000;
    let mut bytes = fixture!("x86_64.so").to_vec();
    let table = bytes.len();
    bytes.extend(std::iter::repeat_n(b'a', length));
    bytes.push(0);
    let dynamic = bytes.len();
    let entries = 50_000_u64;
    let mut put = |tag: u64, value: u64| {
        bytes.extend(tag.to_le_bytes());
        bytes.extend(value.to_le_bytes());
    };
    put(5, table as u64);
    put(10, length as u64 + 1);
    (0..entries).for_each(|i| put(1, i % 100));
    put(0, 0);
    // One segment contains everything, at addresses equal to the offsets.
    let size = bytes.len() as u64;
    let (load, place) = (segment(&bytes, 1), segment(&bytes, 2));
    let mut set = |header: usize, offset: u64, size: u64| {
        for (field, value) in [(8, offset), (16, offset), (24, offset), (32, size), (40, size)] {
            bytes[header + field..header + field + 8].copy_from_slice(&value.to_le_bytes());
        }
    };
    set(load, 0, size);
    set(place, dynamic as u64, size - dynamic as u64);
    let error = Elf::parse(&bytes).unwrap_err();
    assert!(matches!(error, Error::TooMany { .. }), "{error}");
}

#[test]
fn damaged_files_are_errors() {
    Elf::parse(fixture!("too-short.so")).unwrap_err();
    Elf::parse(b"\x7fELF".as_slice()).unwrap_err();
    let whole = fixture!("x86_64.so");
    for end in 0..whole.len().min(1200) {
        let _ = Elf::parse(&whole[..end]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Reading damaged bytes may give any result, but must not panic.
    #[test]
    fn damage_never_panics(
        which in 0..FIXTURES.len(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        keep in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = FIXTURES[which].to_vec();
        for (at, value) in edits {
            // Damages headers and tables, which contain numbers, more often than code.
            let at = at.index(bytes.len());
            let at = if value % 2 == 0 { at % 1024 } else { at };
            bytes[at.min(FIXTURES[which].len() - 1)] = value;
        }
        if let Some(keep) = keep {
            bytes.truncate(keep.index(bytes.len()));
        }
        if let Ok(elf) = Elf::parse(&bytes) {
            let _ = elf.symbols(&bytes);
        }
    }
}

/// Facts and symbols, or the error.
type Read = Result<(Elf, Symbols), Error>;

fn read(content: Content<'_>) -> Read {
    let elf = Elf::parse(content)?;
    let symbols = elf.symbols(content)?;
    Ok((elf, symbols))
}

/// Reads a file whose missing ranges are added in granules; also returns the number of attempts.
fn read_in_pieces(bytes: &[u8], granule: u64) -> (Read, usize) {
    in_pieces(bytes, granule, read)
}

#[test]
fn pieces_say_what_the_whole_says() {
    for bytes in FIXTURES {
        // Headers and tables at large offsets, as in a program of several megabytes.
        let far = spread(bytes);
        for bytes in [bytes, far.as_slice()] {
            let whole = read(bytes.into());
            for granule in [1, 512, 4096, 65_536] {
                let (pieces, rounds) = read_in_pieces(bytes, granule);
                assert_eq!(pieces, whole);
                assert!(rounds <= 7, "{rounds} rounds by {granule}");
            }
        }
    }
}

/// Returns the file with a gap of 1 MiB before each loaded segment except the first. Only for
/// 64-bit little-endian files, whose section headers are removed; other files are unchanged.
fn spread(bytes: &[u8]) -> Vec<u8> {
    const GAP: usize = 1 << 20;
    if bytes[4..6] != [2, 1] {
        return bytes.to_vec();
    }
    let word = |bytes: &[u8], at: usize| {
        usize::try_from(u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap())).unwrap()
    };
    let headers: Vec<usize> = (0..usize::from(bytes[0x38])).map(|i| 0x40 + i * 0x38).collect();
    let is_load = |at: &&usize| bytes[**at..**at + 4] == 1_u32.to_le_bytes();
    let mut starts: Vec<usize> =
        headers.iter().filter(is_load).map(|&at| word(bytes, at + 8)).collect();
    starts.sort_unstable();
    let moved =
        |offset: usize| offset + GAP * starts.iter().filter(|&&s| s > 0 && s <= offset).count();
    let mut out = vec![0; moved(bytes.len() - 1) + 1];
    for (at, byte) in bytes.iter().enumerate() {
        out[moved(at)] = *byte;
    }
    for at in headers {
        let offset = moved(word(bytes, at + 8)) as u64;
        out[at + 8..at + 16].copy_from_slice(&offset.to_le_bytes());
    }
    out[0x28..0x30].fill(0);
    out[0x3a..0x40].fill(0);
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// The same holds for damaged files.
    #[test]
    fn damaged_pieces_say_what_the_whole_says(
        which in 0..FIXTURES.len(),
        edits in prop::collection::vec((0_usize..1024, any::<u8>()), 0..6),
        granule in 12_u32..17,
    ) {
        let mut bytes = spread(FIXTURES[which]);
        for (at, value) in edits {
            let last = bytes.len() - 1;
            bytes[at.min(last)] = value;
        }
        let (pieces, _) = read_in_pieces(&bytes, 1 << granule);
        prop_assert_eq!(pieces, read(bytes.as_slice().into()));
    }
}

#[test]
fn the_size_of_the_dynamic_segment_hides_nothing() {
    use goblin::elf::program_header::PT_DYNAMIC;
    let whole = include_bytes!("../../../../testdata/elf/runpath.so");
    let expected = Elf::parse(whole.as_slice()).unwrap();
    assert!(!expected.needed.is_empty());
    let table = u64::from_le_bytes(whole[32..40].try_into().unwrap());
    let count = u16::from_le_bytes(whole[56..58].try_into().unwrap());
    for size in [0_u64, 2, 16, 1 << 40] {
        let mut bytes = whole.to_vec();
        for i in 0..usize::from(count) {
            let at = usize::try_from(table).unwrap() + 56 * i;
            if u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) == PT_DYNAMIC {
                bytes[at + 32..at + 40].copy_from_slice(&size.to_le_bytes());
            }
        }
        match Elf::parse(bytes.as_slice()) {
            Ok(elf) => assert_eq!(elf.needed, expected.needed, "{size}"),
            Err(error) => assert!(size > whole.len() as u64, "{size}: {error}"),
        }
    }
}
