use proptest::prelude::*;

use super::*;
use crate::binary::testing::in_pieces;

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!("../../../testdata/pe/", $name)).as_slice()
    };
}

const FIXTURES: &[&[u8]] = &[
    fixture!("x64.dll"),
    fixture!("x86.dll"),
    fixture!("arm64.dll"),
    fixture!("user.dll"),
    fixture!("runtime.dll"),
    fixture!("program.exe"),
];

fn parse(bytes: &[u8]) -> Pe {
    Pe::parse(bytes).unwrap()
}

/// Returns the offset of the PE header.
fn header(bytes: &[u8]) -> usize {
    u32::from_le_bytes(bytes[0x3c..0x40].try_into().unwrap()) as usize
}

/// Returns the bytes with `value` at offset `place` of the header: 4 is the machine, 22 the
/// characteristics, 24 + 70 the DLL characteristics, 24 + 112 the directories of a 64-bit file.
fn with(bytes: &[u8], place: usize, value: &[u8]) -> Vec<u8> {
    let at = header(bytes) + place;
    let mut bytes = bytes.to_vec();
    bytes[at..at + value.len()].copy_from_slice(value);
    bytes
}

/// Returns the file offset of an address, by the sections.
fn offset(bytes: &[u8], address: u32) -> usize {
    Image::new(bytes.into()).unwrap().offset(address, "test").unwrap().try_into().unwrap()
}

#[test]
fn files_say_what_they_are() {
    let check = |bytes: &[u8], machine: &str, arch: Option<Arch>, kind: Kind| {
        let pe = parse(bytes);
        assert_eq!((pe.machine_name().as_str(), pe.arch, pe.kind), (machine, arch, kind));
    };
    let library = Kind::SharedLibrary;
    check(fixture!("x64.dll"), "x64", Some(Arch::X86_64), library);
    check(fixture!("x86.dll"), "x86", Some(Arch::I686), library);
    check(fixture!("arm64.dll"), "arm64", Some(Arch::Aarch64), library);
    check(fixture!("program.exe"), "x64", Some(Arch::X86_64), Kind::Program);
    check(&with(fixture!("x64.dll"), 4, &[0xc4, 1]), "machine 0x1c4", None, library);
    let driver = with(fixture!("program.exe"), 24 + 68, &[1, 0]);
    check(&driver, "x64", Some(Arch::X86_64), Kind::Other);
    assert!(parse(fixture!("x64.dll")).is_64_bit && !parse(fixture!("x86.dll")).is_64_bit);
}

#[test]
fn imports_are_read() {
    // Each import as library, way of loading, and symbols.
    let check = |bytes: &[u8], expected: &[&str]| {
        let text = |import: &Import| {
            let delayed = if import.is_delayed { " later" } else { "" };
            format!("{}{delayed}: {}", import.library, import.symbols.join(" "))
        };
        assert_eq!(parse(bytes).imports.iter().map(text).collect::<Vec<_>>(), expected);
    };
    check(fixture!("x64.dll"), &[]);
    check(fixture!("program.exe"), &["plain.dll: plain_length"]);
    check(fixture!("user.dll"), &["plain.dll: plain_length", "KERNEL32.dll: GetCurrentProcessId"]);
    check(
        fixture!("runtime.dll"),
        &[
            "python312.dll: Py_IsInitialized",
            "MSVCP140.dll: _Xbad_alloc",
            "VCRUNTIME140.dll: _CxxThrowException",
            "plain.dll later: plain_length",
        ],
    );
}

#[test]
fn symbols_without_a_name_are_counted() {
    let bytes = fixture!("program.exe");
    let image = Image::new(bytes.into()).unwrap();
    let imports = image.offset(image.directory(directory::IMPORTS).0, "test").unwrap();
    let symbols = image.file.u32(imports, "test").unwrap();
    let mut numbered = bytes.to_vec();
    let at = offset(bytes, symbols);
    numbered[at..at + 8].copy_from_slice(&(7_u64 | 1 << 63).to_le_bytes());
    let imports = parse(&numbered).imports;
    assert_eq!((imports[0].by_number, imports[0].symbols.len()), (1, 0));
}

#[test]
fn exports_are_read() {
    let check = |bytes: &[u8], name: Option<&str>, expected: &[&str], forwarders: usize| {
        let pe = parse(bytes);
        assert_eq!(pe.export_name.as_deref(), name);
        assert_eq!((pe.exports.as_slice(), pe.forwarders), (&*owned(expected), forwarders));
    };
    let both = ["plain_length", "plain_sleep"];
    check(fixture!("x64.dll"), Some("plain.dll"), &both, 1);
    check(fixture!("arm64.dll"), Some("plain.dll"), &both, 1);
    check(fixture!("x86.dll"), Some("plain.dll"), &both, 1);
    check(fixture!("user.dll"), Some("user.dll"), &["user_length"], 0);
    check(fixture!("program.exe"), None, &[], 0);
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn hardening_is_read() {
    let check = |bytes: &[u8], expected: [bool; 4]| {
        let pe = parse(bytes);
        let found = [pe.no_execute, pe.dynamic_base, pe.high_entropy, pe.control_flow_guard];
        assert_eq!(found, expected);
    };
    let library = fixture!("x64.dll");
    check(library, [true, true, true, false]);
    check(fixture!("x86.dll"), [true, true, false, false]);
    check(&with(library, 24 + 70, &[0, 0]), [false; 4]);
    check(&with(library, 24 + 70, &[0, 0x40]), [false, false, false, true]);
    // The flag is set, but the relocations were stripped.
    check(&with(library, 22, &[0x23, 0x20]), [true, false, true, false]);
}

#[test]
fn directories_are_read() {
    // Each directory is an address and a size; the signature has a file offset instead.
    let directory = |index: usize, address: u32, size: u32| {
        let value = [address.to_le_bytes(), size.to_le_bytes()].concat();
        with(fixture!("x64.dll"), 24 + 112 + 8 * index, &value)
    };
    assert!(parse(&directory(directory::DOTNET, 0x1000, 72)).is_dotnet);
    assert!(parse(&directory(directory::SIGNATURE, 2048, 512)).is_signed);
    assert!(!parse(fixture!("x64.dll")).is_signed);
    let outside = |index, address, size, what| {
        assert_eq!(Pe::parse(&directory(index, address, size)), Err(Error::Outside { what }));
    };
    outside(directory::SIGNATURE, 2048, 513, "signature");
    outside(directory::IMPORTS, 0x9000_0000, 20, "import table");
    outside(directory::EXPORTS, 0x9000_0000, 20, "export table");
    outside(directory::DELAY_IMPORTS, 0x9000_0000, 20, "delay import table");
    outside(directory::LOAD_CONFIG, 0x9000_0000, 20, "load configuration");
}

#[test]
fn the_load_configuration_tells_hybrids_and_search_paths() {
    // Replaces the code, which is not read: size, and at their offsets the flags and the pointer to
    // the hybrid metadata.
    let configured = |bytes: &[u8], flags: u16, hybrid: u64| {
        let image = Image::new(bytes.into()).unwrap();
        let code = image.offset(0x1000, "test").unwrap();
        let at = usize::try_from(code).unwrap();
        let mut bytes = with(
            bytes,
            24 + 112 + 8 * directory::LOAD_CONFIG,
            &[0x1000_u32.to_le_bytes(), 0xd0_u32.to_le_bytes()].concat(),
        );
        // Extends the section to the size of the structure.
        let sections = header(&bytes) + 24 + 240;
        bytes[sections + 8..sections + 12].copy_from_slice(&512_u32.to_le_bytes());
        bytes[at..at + 0xd0].fill(0);
        bytes[at] = 0xd0;
        bytes[at + 0x4e..at + 0x50].copy_from_slice(&flags.to_le_bytes());
        bytes[at + 0xc8..at + 0xd0].copy_from_slice(&hybrid.to_le_bytes());
        parse(&bytes)
    };
    let plain = configured(fixture!("x64.dll"), 0, 0);
    assert!(!plain.system_libraries_only && plain.hybrid.is_none());
    assert!(configured(fixture!("x64.dll"), 0x800, 0).system_libraries_only);
    let pe = configured(fixture!("x64.dll"), 0, 1);
    assert_eq!((pe.hybrid, pe.arch), (Some(Hybrid::Arm64Ec), None));
    let pe = configured(fixture!("arm64.dll"), 0, 1);
    assert_eq!((pe.hybrid, pe.arch), (Some(Hybrid::Arm64X), Some(Arch::Aarch64)));
}

#[test]
fn pieces_say_what_the_whole_says() {
    for bytes in FIXTURES {
        // Sections at a large offset, as in a library of several megabytes.
        let far = spread(bytes);
        for bytes in [bytes, far.as_slice()] {
            let whole = Pe::parse(bytes);
            assert!(whole.is_ok());
            for granule in [1, 64, 512, 4096, 65_536] {
                let (pieces, rounds) = in_pieces(bytes, granule, |content| Pe::parse(content));
                assert_eq!(pieces, whole);
                assert!(rounds <= 10, "{rounds} rounds by {granule}");
            }
        }
    }
}

/// Returns the file with its sections moved by 1 MiB.
fn spread(bytes: &[u8]) -> Vec<u8> {
    const GAP: u32 = 1 << 20;
    let head = header(bytes);
    let size = usize::from(u16::from_le_bytes(bytes[head + 20..head + 22].try_into().unwrap()));
    let table = head + 24 + size;
    let mut out = bytes.to_vec();
    for section in 0..usize::from(bytes[head + 6]) {
        let at = table + 40 * section + 20;
        let offset = u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
        out[at..at + 4].copy_from_slice(&(offset + GAP).to_le_bytes());
    }
    let first = bytes.len().min(0x400);
    let tail = out.split_off(first);
    out.resize(first + GAP as usize, 0);
    out.extend(tail);
    out
}

#[test]
fn broken_files_are_errors() {
    let check = |bytes: &[u8], expected: Error| assert_eq!(Pe::parse(bytes), Err(expected));
    let bytes = fixture!("x64.dll");
    check(fixture!("too-short.dll"), Error::Outside { what: "section" });
    check(&bytes[..0x40], Error::Outside { what: "file header" });
    check(&with(bytes, 24, &[0, 0]), Error::Malformed { what: "file header" });
    check(&with(bytes, 6, &[97, 0]), Error::TooMany { what: "sections", count: 97 });
}

/// Thousands of names that share one long text would expand to gigabytes.
#[test]
fn names_that_share_their_bytes_are_refused() {
    let bytes = fixture!("x64.dll");
    let image = Image::new(bytes.into()).unwrap();
    let (address, _) = image.directory(directory::EXPORTS);
    let mut bytes = bytes.to_vec();
    let exports = offset(&bytes, address);
    // The last section is extended by a long text and a table of addresses of its start.
    let (head, count) = (header(&bytes), usize::from(bytes[header(&bytes) + 6]));
    let section = head + 24 + 240 + 40 * (count - 1);
    let word = |bytes: &[u8], at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    let (start, base) = (word(&bytes, section + 20), word(&bytes, section + 12));
    bytes.resize(start as usize, 0);
    let (length, names) = (60_000_u32, 50_000_u32);
    for ending in [0, b'a'] {
        let mut bytes = bytes.clone();
        bytes.resize(bytes.len() + length as usize, b'a');
        bytes.push(ending);
        bytes.resize(bytes.len().next_multiple_of(4), ending);
        let table = base + u32::try_from(bytes.len()).unwrap() - start;
        for _ in 0..names {
            bytes.extend(base.to_le_bytes());
        }
        bytes.resize(bytes.len() + 8, ending);
        let size = u32::try_from(bytes.len()).unwrap() - start;
        for at in [section + 8, section + 16] {
            bytes[at..at + 4].copy_from_slice(&size.to_le_bytes());
        }
        bytes[exports + 24..exports + 28].copy_from_slice(&names.to_le_bytes());
        bytes[exports + 32..exports + 36].copy_from_slice(&table.to_le_bytes());
        let count = bytes.len() as u64;
        let what = "bytes of names";
        assert_eq!(Pe::parse(&bytes), Err(Error::TooMany { what, count }), "{ending}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn mutants_are_facts_or_errors(
        which in 0..FIXTURES.len(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        keep in prop::option::weighted(0.2, any::<prop::sample::Index>()),
        granule in 6_u32..14,
    ) {
        let mut bytes = FIXTURES[which].to_vec();
        for (at, value) in edits {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Some(keep) = keep {
            bytes.truncate(keep.index(bytes.len()));
        }
        let (pieces, _) = in_pieces(&bytes, 1 << granule, |content| Pe::parse(content));
        prop_assert_eq!(pieces, Pe::parse(&bytes));
    }
}
