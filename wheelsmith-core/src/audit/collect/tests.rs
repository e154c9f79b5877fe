//! Tests with generated artifacts: valid ones of each kind, and hostile ones.

use std::io::Write as _;
use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::archive::Kind;
use crate::archive::codec::Codec;
use crate::archive::codec::tests::{ALL, pack};
use crate::finding::Code;
use crate::sys::{self, Env, Jobs};

macro_rules! elf {
    ($name:literal) => {
        include_bytes!(concat!("../../../../testdata/elf/", $name)).as_slice()
    };
}

const LIBRARY: &[u8] = elf!("x86_64.so");
const PROGRAM: &[u8] = elf!("program");

/// A member as it is written, including false sizes.
#[derive(Clone)]
struct Row {
    name: Vec<u8>,
    local_name: Vec<u8>,
    method: u16,
    flags: u16,
    mode: u32,
    packed: Vec<u8>,
    size: u32,
    /// True if it shares the bytes of the previous member.
    shares: bool,
}

fn stored(name: &str, bytes: &[u8]) -> Row {
    Row {
        name: name.into(),
        local_name: name.into(),
        method: 0,
        flags: 0,
        mode: 0o100_644,
        packed: bytes.to_vec(),
        size: u32::try_from(bytes.len()).unwrap(),
        shares: false,
    }
}

fn deflated(name: &str, bytes: &[u8]) -> Row {
    let mut encoder =
        flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    Row { method: 8, packed: encoder.finish().unwrap(), ..stored(name, bytes) }
}

fn zip(rows: &[Row]) -> Vec<u8> {
    let le16 = |n: usize| u16::try_from(n).unwrap().to_le_bytes();
    let le32 = |n: usize| u32::try_from(n).unwrap().to_le_bytes();
    let (mut out, mut directory, mut start) = (Vec::new(), Vec::new(), 0);
    for row in rows {
        let middle = |name: &[u8]| {
            [
                &row.flags.to_le_bytes()[..],
                &row.method.to_le_bytes(),
                &[0; 4],
                &crc(row).to_le_bytes(),
                &le32(row.packed.len()),
                &row.size.to_le_bytes(),
                &le16(name.len()),
                &le16(0),
            ]
            .concat()
        };
        if !row.shares {
            start = out.len();
            out.extend([b"PK\x03\x04\x14\0", &middle(&row.local_name)[..]].concat());
            out.extend(&row.local_name);
            out.extend(&row.packed);
        }
        directory.extend([b"PK\x01\x02\x14\x03\x14\0", &middle(&row.name)[..]].concat());
        directory.extend([0; 6]);
        directory.extend((row.mode << 16).to_le_bytes());
        directory.extend(le32(start));
        directory.extend(&row.name);
    }
    let at = out.len();
    out.extend(&directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend([le16(rows.len()), le16(rows.len())].concat());
    out.extend([le32(directory.len()), le32(at)].concat());
    out.extend([0, 0]);
    out
}

/// Returns the CRC of the content, or of the packed bytes if they cannot be unpacked.
fn crc(row: &Row) -> u32 {
    let mut content = Vec::new();
    let mut crc = flate2::Crc::new();
    let mut inflated = flate2::read::DeflateDecoder::new(&row.packed[..]);
    if row.method == 8 && std::io::Read::read_to_end(&mut inflated, &mut content).is_ok() {
        crc.update(&content);
    } else {
        crc.update(&row.packed);
    }
    crc.sum()
}

fn tar(rows: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = ::tar::Builder::new(Vec::new());
    for (path, bytes) in rows {
        let mut header = ::tar::Header::new_gnu();
        header.set_mode(0o755);
        if let Some(target) = bytes.strip_prefix(b"-> ") {
            header.set_entry_type(::tar::EntryType::Symlink);
            header.set_size(0);
            let target = std::str::from_utf8(target).unwrap();
            builder.append_link(&mut header, path, target).unwrap();
        } else {
            header.set_size(bytes.len() as u64);
            builder.append_data(&mut header, path, *bytes).unwrap();
        }
    }
    builder.into_inner().unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn host(jobs: usize) -> Host {
    Host { jobs: Jobs::new(jobs), ..Host::quiet(Env::default()) }
}

/// Returns the kind, the native files and the findings of a file, as `code file`.
fn look(
    path: &Path,
    deep: bool,
    limits: &Limits,
) -> Result<(Kind, Vec<String>, Vec<String>), Error> {
    let host = host(2);
    let artifact = Artifact::open(path, limits, &host)?;
    let (files, findings) = native_files(&artifact, deep, &host)?;
    let files = files.iter().map(|file| file.path.to_string()).collect();
    let findings = findings.iter().map(|f| {
        let file = f.file.as_ref().map_or("", WheelPath::as_str);
        format!("{} {file}", f.code).trim_end().to_owned()
    });
    Ok((artifact.kind(), files, findings.collect()))
}

fn seen(name: &str, bytes: &[u8], deep: bool, limits: &Limits) -> (Kind, Vec<String>, Vec<String>) {
    let dir = sys::fs::temp_dir().unwrap();
    let path = dir.path().join(name);
    sys::fs::write_atomic(&path, bytes).unwrap();
    look(&path, deep, limits).unwrap()
}

fn check(name: &str, bytes: &[u8], kind: Kind, files: &[&str], findings: &[&str]) {
    let expected: (Vec<String>, Vec<String>) = (
        files.iter().map(|&file| file.to_owned()).collect(),
        findings.iter().map(|&finding| finding.to_owned()).collect(),
    );
    let got = seen(name, bytes, false, &Limits::default());
    assert_eq!((got.0, got.1, got.2), (kind, expected.0, expected.1), "{name}");
}

#[test]
fn pages_of_a_file_on_disk_are_compared_with_their_signature() {
    use crate::binary::macho::Pages;
    use crate::name::Arch;
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/macho");
    let check = |name: &str, is_right: bool| {
        let path: WheelPath = name.parse().unwrap();
        let file = native_file(&path, &dir.join(name), &Limits::default()).unwrap().unwrap();
        let macho = file.macho().unwrap().clone();
        let signature = macho.slice(Arch::Aarch64).unwrap().signature.as_ref().unwrap();
        assert_eq!(signature.pages == Pages::Right, is_right, "{name}: {:?}", signature.pages);
    };
    check("arm64.dylib", true);
    check("universal.dylib", true);
    check("bad-page.dylib", false);
}

#[test]
fn each_kind_is_opened() {
    let rows = [deflated("p/a.so", LIBRARY), stored("p/b", PROGRAM), deflated("p/c.py", b"x = 1")];
    check("a.whl", &zip(&rows), Kind::Wheel, &["p/a.so", "p/b"], &[]);
    check("a.zip", &zip(&rows), Kind::Archive, &["p/a.so", "p/b"], &[]);
    check("empty.zip", &zip(&[]), Kind::Archive, &[], &[]);
    let selfmade = [b"#!/bin/sh\n", &zip(&rows)[..]].concat();
    check("a.run", &selfmade, Kind::File, &[], &[]);
    check("a.so", LIBRARY, Kind::File, &["a.so"], &[]);
    check("a.txt", b"text", Kind::File, &[], &[]);
    check("nothing", b"", Kind::File, &[], &[]);
    let long = format!("{}/x.so", "d".repeat(150));
    let members = tar(&[("./p/a.so", LIBRARY), ("t", b"text"), (&long, LIBRARY)]);
    let names = [long.as_str(), "p/a.so"];
    check("a.tar", &members, Kind::Archive, &names, &[]);
    for codec in ALL {
        check("a", &pack(codec, &members), Kind::Archive, &names, &[]);
    }
    check("a.zst", &pack(Codec::Zstd, LIBRARY), Kind::File, &["a"], &[]);
    check("a.tar.gz", &gzip(&members), Kind::Archive, &names, &[]);
    check("a.tgz", &gzip(&members), Kind::Archive, &names, &[]);
    check("a.so.gz", &gzip(LIBRARY), Kind::File, &["a.so"], &[]);
    let links = tar(&[("p/a.so.1", LIBRARY), ("p/a.so", b"-> a.so.1"), ("p/x", b"-> ../../y")]);
    check("l.tar", &links, Kind::Archive, &["p/a.so", "p/a.so.1"], &["not-judged p/x"]);
}

#[cfg(unix)]
#[test]
fn directories_are_read_within_their_borders() {
    let dir = sys::fs::temp_dir().unwrap();
    let root = dir.path().join("root");
    sys::fs::write_program(&root.join("bin/tool"), PROGRAM).unwrap();
    sys::fs::write_atomic(&root.join("lib/a.so.1"), LIBRARY).unwrap();
    sys::fs::write_atomic(&dir.path().join("outside.so"), LIBRARY).unwrap();
    sys::fs::symlink("a.so.1", &root.join("lib/a.so")).unwrap();
    sys::fs::symlink("../../outside.so", &root.join("lib/out.so")).unwrap();
    sys::fs::symlink("..", &root.join("lib/loop")).unwrap();
    let (kind, files, findings) = look(&root, false, &Limits::default()).unwrap();
    assert_eq!(kind, Kind::Directory);
    assert_eq!(files, ["bin/tool", "lib/a.so", "lib/a.so.1"]);
    assert_eq!(findings, ["not-judged lib/out.so"]);
    sys::fs::write_atomic(&root.join("runtime.json"), b"{}").unwrap();
    assert_eq!(look(&root, false, &Limits::default()).unwrap().0, Kind::Runtime);
}

#[test]
fn members_are_read() {
    let dir = sys::fs::temp_dir().unwrap();
    let path = dir.path().join("a.whl");
    let mut program = stored("bin/run", b"#!/bin/sh");
    program.mode = 0o100_755;
    let rows = [deflated("d/WHEEL", b"Tag: x"), program, deflated("empty", b"")];
    sys::fs::write_atomic(&path, &zip(&rows)).unwrap();
    let wheel = Artifact::open(&path, &Limits::default(), &host(1)).unwrap();
    let read = |name: &str, most| wheel.read(&name.parse().unwrap(), most);
    assert_eq!(read("d/WHEEL", 100).unwrap(), b"Tag: x");
    assert_eq!(read("empty", 0).unwrap(), b"");
    assert!(read("d/WHEEL", 5).unwrap_err().to_string().contains("6 bytes, more than 5"));
    assert!(read("d/RECORD", 5).unwrap_err().to_string().contains("no such file"));
    let executable = |m: &&crate::archive::Member| m.executable;
    let programs: Vec<_> = wheel.members().iter().filter(executable).map(|m| &m.path).collect();
    assert_eq!(programs, [&"bin/run".parse().unwrap()]);
}

#[test]
fn what_cannot_be_opened_is_an_error() {
    let wheel = zip(&[deflated("a.so", LIBRARY)]);
    let members = gzip(&tar(&[("a.so", LIBRARY)]));
    let fails = |name: &str, bytes: &[u8], part: &str| {
        let dir = sys::fs::temp_dir().unwrap();
        let path = dir.path().join(name);
        sys::fs::write_atomic(&path, bytes).unwrap();
        let error = look(&path, false, &Limits::default()).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    };
    fails("a.whl", &wheel[..wheel.len() - 30], "cut short");
    fails("a.whl", &wheel[100..], "is not a zip archive");
    fails("a.whl", b"", "is not a zip archive");
    fails("a.tar.gz", &members[..members.len() / 2], "unpacked bytes");
    fails("a.tar", &tar(&[("a.so", LIBRARY)])[..2000], "cut short");
    fails("a.7z", b"7z\xbc\xaf\x27\x1c", "packed with 7z");
    look(Path::new("/nothing/there"), false, &Limits::default()).unwrap_err();
}

#[test]
fn one_bad_member_does_not_hide_the_others() {
    let good = deflated("z.so", LIBRARY);
    let with = |bad: &[Row], files: &[&str], findings: &[&str]| {
        let rows = [bad, std::slice::from_ref(&good)].concat();
        check("a.whl", &zip(&rows), Kind::Wheel, files, findings);
    };
    let bad = || deflated("a.so", LIBRARY);
    with(&[Row { flags: 1, ..bad() }], &["z.so"], &["encrypted-entry a.so"]);
    with(&[Row { method: 93, ..bad() }], &["z.so"], &["unreadable a.so"]);
    with(&[Row { packed: vec![0xff; 50], ..bad() }], &["z.so"], &["unreadable a.so"]);
    let mut short = bad();
    short.packed.truncate(short.packed.len() / 2);
    with(&[short], &["a.so", "z.so"], &["unreadable a.so"]);
    let other = Row { local_name: b"b.so".to_vec(), ..bad() };
    with(&[other], &["a.so", "z.so"], &["header-mismatch a.so"]);
    // Larger than its stated size: no more than the stated size is read.
    let larger = Row { size: 100, ..bad() };
    with(&[larger], &["a.so", "z.so"], &[]);
    with(&[bad(), stored("a.so", b"text")], &["z.so"], &["duplicate-entry a.so"]);
    let evil = Row { name: b"../evil.so".to_vec(), local_name: b"../evil.so".to_vec(), ..bad() };
    with(&[evil], &["%2E%2E/evil.so", "z.so"], &["unsafe-path %2E%2E/evil.so"]);
    let shared = Row { shares: true, ..bad() };
    with(
        &[bad(), Row { name: b"b.so".to_vec(), ..shared }],
        &["a.so", "z.so"],
        &["header-mismatch b.so", "overlapping-entries b.so"],
    );
}

#[test]
fn bombs_are_found_before_they_go_off() {
    let limits = Limits {
        members: 4,
        member_bytes: 4 << 20,
        total_bytes: 6 << 20,
        ratio: 100,
        ratio_from_bytes: 1 << 20,
        path_bytes: 100,
        ..Limits::default()
    };
    let check = |rows: &[Row], deep, expected: &[&str]| {
        assert_eq!(seen("a.whl", &zip(rows), deep, &limits).2, expected);
    };
    let mut image = LIBRARY.to_vec();
    image.resize(5 << 20, 0);
    check(&[deflated("a.so", &image)], false, &["over-limit a.so"]);
    image.truncate(3 << 20);
    check(&[deflated("a.so", &image)], false, &["over-limit a.so"]);
    check(&[stored("a.so", &image)], false, &[]);
    check(&[stored("a.so", &image), stored("b.so", &image), stored("c", b"")], false, &[]);
    let three = [stored("a.so", &image), stored("b.so", &image), stored("c.so", &image)];
    check(&three, false, &["over-limit"]);
    let many: Vec<Row> = (0..5).map(|i| stored(&format!("{i}"), b"")).collect();
    check(&many, false, &["over-limit"]);
    let long = "d/".repeat(60) + "x";
    let path = format!("over-limit {}d", "d/".repeat(49));
    check(&[stored(&long, b"")], false, &[&path]);
    // A compressed stream of zeros inside, without a stated size.
    let zeros = gzip(&vec![0; 5 << 20]);
    check(&[stored("a.gz", &zeros)], true, &["over-limit a.gz"]);
    // Archives nested several levels deep.
    let mut inner = zip(&[stored("x.so", LIBRARY)]);
    for i in 0..5 {
        inner = zip(&[stored(&format!("{i}.zip"), &inner)]);
    }
    let deepest = "over-limit 4.zip/3.zip/2.zip/1.zip";
    assert_eq!(seen("a.whl", &inner, true, &limits).2, [deepest]);
}

#[test]
fn a_reader_that_asks_for_too_much_is_stopped() {
    let limits = Limits { held_bytes: 64, ..Limits::default() };
    let (_, files, findings) = seen("a.so", LIBRARY, false, &limits);
    // The first bytes are read in any case; the reader decides whether they suffice.
    assert_eq!(files, ["a.so"]);
    assert!(findings.is_empty() || findings == ["over-limit a.so"], "{findings:?}");
}

#[test]
fn images_inside_other_files_are_found() {
    let limits = Limits::default();
    let check = |bytes: &[u8], files: &[&str]| {
        for row in [stored("p/f", bytes), deflated("p/f", bytes)] {
            let (_, found, findings) = seen("a.whl", &zip(&[row]), true, &limits);
            assert_eq!(found, files, "{findings:?}");
            let images = findings.iter().filter(|f| f.starts_with(Code::EmbeddedImage.as_str()));
            assert_eq!(images.count() > 0, files.iter().any(|f| *f != "p/f"), "{findings:?}");
        }
    };
    let pad = [b'.'; 256];
    check(&[&pad, LIBRARY, &pad].concat(), &["p/f@0x100"]);
    check(&[PROGRAM, LIBRARY].concat(), &["p/f", &format!("p/f@{:#x}", PROGRAM.len())]);
    check(LIBRARY, &["p/f"]);
    check(b"....\x7fELF\x02\x01\x01", &[]);
    let pe = include_bytes!("../../../../testdata/pe/x64.dll");
    check(
        &[&pad, &pe[..], &pad, LIBRARY].concat(),
        &["p/f@0x100", &format!("p/f@{:#x}", 512 + pe.len())],
    );
    let macho = include_bytes!("../../../../testdata/macho/arm64.dylib");
    check(&[&pad, &macho[..], &pad].concat(), &["p/f@0x100"]);
    // Inside an archive, and appended to a program, compressed or not.
    let archive = zip(&[deflated("x/y.so", LIBRARY), stored("t", b"text")]);
    check(&archive, &["p/f/x/y.so"]);
    let place = format!("p/f@{:#x}/x/y.so", PROGRAM.len());
    check(&[PROGRAM, &archive].concat(), &["p/f", &place]);
    let members = tar(&[("x/y.so", LIBRARY)]);
    check(&members, &["p/f/x/y.so"]);
    check(&gzip(&members), &["p/f/x/y.so"]);
    check(&[&pad, &gzip(&members)[..], &pad].concat(), &["p/f@0x100/x/y.so"]);
    check(&[&pad, &gzip(LIBRARY)[..]].concat(), &["p/f@0x100"]);
    check(&[&pad, &members[..]].concat(), &["p/f@0x100/x/y.so"]);
    // The slices of a universal file and the objects of a static library are not reported.
    check(include_bytes!("../../../../testdata/macho/universal.dylib"), &["p/f"]);
    let size = LIBRARY.len();
    let header = format!("!<arch>\n{:<48}{size:<10}`\n", "a.o/");
    check(&[header.as_bytes(), LIBRARY].concat(), &["p/f"]);
}

#[test]
fn build_paths_are_told() {
    let bytes = [LIBRARY, b"\0/home/u/src/x.c\0/root/.cargo/registry/y.rs\0"].concat();
    let dir = sys::fs::temp_dir().unwrap();
    let path = dir.path().join("a.whl");
    let rows = [deflated("a.so", &bytes), deflated("a.py", b"open('/home/u/src/x.c')")];
    sys::fs::write_atomic(&path, &zip(&rows)).unwrap();
    let wheel = Artifact::open(&path, &Limits::default(), &host(1)).unwrap();
    let (_, findings) = native_files(&wheel, true, &host(1)).unwrap();
    let [finding] = &findings[..] else { panic!("{findings:?}") };
    assert_eq!(finding.code, Code::BuildPath);
    assert_eq!(finding.message, "it contains 2 paths of the build machine");
    assert_eq!(finding.evidence, ["/home/u/src/x.c", "/root/.cargo/registry/y.rs"]);
    assert!(native_files(&wheel, false, &host(1)).unwrap().1.is_empty());
}

#[test]
fn neither_packing_nor_jobs_change_what_is_seen() {
    // Mach-O files are compared with their signatures page by page, in a separate pass.
    let named: [(&str, &[u8]); 8] = [
        ("x86_64.so", LIBRARY),
        ("versioned.so", elf!("versioned.so")),
        ("program", PROGRAM),
        ("too-short.so", elf!("too-short.so")),
        ("no-sections.so", elf!("no-sections.so")),
        ("universal.dylib", include_bytes!("../../../../testdata/macho/universal.dylib")),
        ("bad-page.dylib", include_bytes!("../../../../testdata/macho/bad-page.dylib")),
        ("runtime.dll", include_bytes!("../../../../testdata/pe/runtime.dll")),
    ];
    let whole: Vec<NativeFile> = named
        .iter()
        .filter_map(|(name, bytes)| NativeFile::read(&name.parse().unwrap(), *bytes))
        .collect();
    let dir = sys::fs::temp_dir().unwrap();
    for (kind, pack) in [("stored", stored as fn(&str, &[u8]) -> Row), ("deflated", deflated)] {
        let rows: Vec<Row> = named.iter().map(|(name, bytes)| pack(name, bytes)).collect();
        let path = dir.path().join(format!("{kind}.whl"));
        sys::fs::write_atomic(&path, &zip(&rows)).unwrap();
        for jobs in [1, 2, 7] {
            let host = host(jobs);
            let wheel = Artifact::open(&path, &Limits::default(), &host).unwrap();
            let (files, findings) = native_files(&wheel, false, &host).unwrap();
            let mut expected = whole.clone();
            expected.sort_by(|a, b| a.path.cmp(&b.path));
            assert_eq!(files, expected, "{kind} with {jobs} jobs");
            assert_eq!(findings, []);
        }
    }
}

#[test]
fn ranges_of_a_deflated_member_are_its_bytes() {
    // Larger than the part of the start that is kept, with varying content.
    let bytes: Vec<u8> =
        (0..6_000_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let row = deflated("a", &bytes);
    let dir = sys::fs::temp_dir().unwrap();
    let path = dir.path().join("packed");
    sys::fs::write_atomic(&path, &row.packed).unwrap();
    let blob = Blob::new(sys::fs::open(&path).unwrap()).unwrap();
    let mut buffers = Buffers::new();
    let mut source = Source::deflated(&mut buffers, blob, bytes.len() as u64);
    let ranges =
        [0..10, 5_999_990..6_000_000, 100..200, 4_100_000..4_300_000, 5_000_000..5_000_001];
    for range in ranges.into_iter().chain([4_194_300..4_194_310, 0..6_000_000, 3..3]) {
        let expected =
            &bytes[usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap()];
        assert!(source.bytes(&range).unwrap() == expected, "{range:?}");
    }
    assert!(source.bytes(&(0..6_000_001)).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn damage_never_panics(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12), cut in any::<prop::sample::Index>(), which in 0..3_usize) {
        let wheel = zip(&[deflated("a.so", LIBRARY), stored("b.so", PROGRAM)]);
        let members = tar(&[("a.so", LIBRARY), ("b", b"-> a.so")]);
        let mut bytes = [wheel.clone(), members, gzip(&wheel)][which].clone();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if cut.index(4) == 0 {
            bytes.truncate(cut.index(bytes.len()));
        }
        let dir = sys::fs::temp_dir().unwrap();
        let path = dir.path().join("a");
        sys::fs::write_atomic(&path, &bytes).unwrap();
        for deep in [false, true] {
            let _ = look(&path, deep, &Limits::default());
        }
    }
}

#[test]
fn an_input_without_anything_to_judge_is_a_failure() {
    use crate::audit::{AuditOptions, report, wheel};
    let dir = sys::fs::temp_dir().unwrap();
    let root = dir.path();
    let good = "demo-1.0-py3-none-any.whl";
    let rows = [stored("demo-1.0.dist-info/WHEEL", b"Tag: py3-none-any\n")];
    let sdist = zip(&[stored("demo-1.0/PKG-INFO", b"Name: demo\n")]);
    for (name, bytes) in [
        ("text/a.txt", b"text".to_vec()),
        ("empty.zip", zip(&[])),
        ("sdist.zip", sdist),
        ("wheels.zip", zip(&[stored(good, &zip(&rows))])),
        (&*format!("dist/{good}"), zip(&rows)),
        ("mixed/a.so", LIBRARY.to_vec()),
        (&*format!("mixed/{good}"), zip(&rows)),
    ] {
        let path = root.join(name);
        sys::fs::create_dir_all(path.parent().unwrap()).unwrap();
        sys::fs::write_atomic(&path, &bytes).unwrap();
    }
    let check = |name: &str, kinds: &[Kind], fails: bool| {
        let report = report(&[root.join(name)], &AuditOptions::default(), &host(1));
        let found: Vec<Kind> = report.inputs.iter().map(|input| input.kind).collect();
        assert_eq!(found, kinds, "{name}");
        assert_eq!(report.has_failures(), fails, "{name}: {report:#?}");
    };
    check("text/a.txt", &[Kind::File], true);
    check("text", &[Kind::Directory], true);
    check("empty.zip", &[Kind::Archive], true);
    check("sdist.zip", &[Kind::Archive], true);
    check("wheels.zip", &[Kind::Archive], true);
    check("gone", &[Kind::File], true);
    check("dist", &[Kind::Wheel], false);
    check("mixed", &[Kind::Wheel, Kind::Directory], false);
    wheel(root.join("gone.whl")).unwrap_err();
    wheel(root.join("mixed/a.so")).unwrap_err();
    assert!(wheel(root.join("dist").join(good)).unwrap().is_good());
}
