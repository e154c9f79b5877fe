use std::collections::BTreeMap;
use std::io::{Cursor, Read as _, SeekFrom};

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use zip::ZipArchive;

use super::super::cache::LEAST;
use super::super::deflate::PIECE;
use super::*;
use crate::metadata::ProjectTable;
use crate::metadata::{EntryPoints, Metadata, ProjectFiles};
use crate::name::Digest;
use crate::sys;
use crate::wheel::Source;

const COMPRESSIONS: [Compression; 4] =
    [Compression::Store, Compression::Fast, Compression::Default, Compression::Best];

fn wheel(entries: Vec<Entry>) -> Wheel {
    wheel_for("any", entries)
}

fn wheel_for(platform: &str, entries: Vec<Entry>) -> Wheel {
    let project: ProjectTable = toml::from_str("name = 'demo'\nversion = '1'").unwrap();
    let metadata = Metadata::new(&project, ProjectFiles::default()).unwrap();
    let filename = metadata.filename("py3-none".parse().unwrap(), vec![platform.parse().unwrap()]);
    Wheel::new(filename, &metadata, &EntryPoints::new(&project).unwrap(), entries).unwrap()
}

fn pack_within(wheel: &Wheel, options: &Options<'_>, limits: Limits) -> (Vec<u8>, Written) {
    let mut out = Cursor::new(Vec::new());
    let written = write_within(wheel, &mut out, options, &Cancel::default(), limits).unwrap();
    assert_eq!(written.size_bytes, out.get_ref().len() as u64);
    (out.into_inner(), written)
}

fn pack(wheel: &Wheel, options: &Options<'_>) -> (Vec<u8>, Written) {
    pack_within(wheel, options, LIMITS)
}

fn options(compression: Compression, threads: usize) -> Options<'static> {
    Options { compression, threads, ..Options::default() }
}

/// Returns all files of an archive, read with another crate, which verifies the CRCs.
fn unpack(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut zip = ZipArchive::new(Cursor::new(bytes)).unwrap();
    (0..zip.len())
        .map(|i| {
            let mut file = zip.by_index(i).unwrap();
            let mut content = Vec::new();
            file.read_to_end(&mut content).unwrap();
            (file.name().unwrap().into_owned(), content)
        })
        .collect()
}

/// Asserts that the archive contains the entries, and that the record matches each of them.
fn verify(wheel: &Wheel, bytes: &[u8]) {
    let mut files = unpack(bytes);
    let (name, record) = files.pop().unwrap();
    assert_eq!(name, "demo-1.dist-info/RECORD");
    let rows = String::from_utf8(record.clone()).unwrap();
    assert_eq!(files.len(), wheel.entries().len());
    for ((entry, row), (name, content)) in wheel.entries().iter().zip(rows.lines()).zip(&files) {
        assert_eq!(entry.path.as_str(), name);
        let mut expected = vec![0; usize::try_from(entry.size_bytes()).unwrap()];
        entry.read(0, &mut expected).unwrap();
        assert!(*content == expected, "{name}");
        let mut expected = Record::default();
        expected.add(&entry.path, &Digest::of(content), content.len() as u64);
        let text = expected.finish(&entry.path);
        assert_eq!(Some(row), text.lines().next());
    }
}

/// Returns the same bytes on every machine: words, zeros and noise in changing proportions.
fn texture(seed: u64, size: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut out = Vec::with_capacity(size + 64);
    while out.len() < size {
        match next() % 4 {
            0 => out.extend(format!("fn symbol_{}() -> u8 {{ 0 }}\n", next() % 5000).as_bytes()),
            1 => out.extend([0; 16]),
            2 => out.extend(next().to_le_bytes()),
            _ => {
                let start = usize::try_from(next() % (out.len() as u64 + 1)).unwrap();
                let end = (start + 40).min(out.len());
                out.extend_from_within(start.min(end)..end);
            }
        }
    }
    out.truncate(size);
    out
}

fn noise(size: usize) -> Vec<u8> {
    let mut state = 7_u64;
    let bytes = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        state.to_be_bytes()[0]
    });
    bytes.take(size).collect()
}

/// Returns files of no piece, of exactly one, and of several, some of which do not shrink.
fn corpus() -> Vec<Entry> {
    let entry = |path: &str, bytes: Vec<u8>| Entry::bytes(path.parse().unwrap(), bytes);
    let half_noise = [texture(3, PIECE), noise(3 * PIECE)].concat();
    vec![
        entry("demo/empty", Vec::new()),
        entry("demo/one", b"x".to_vec()),
        entry("demo/exact", texture(1, PIECE)),
        entry("demo/long", texture(2, 3 * PIECE + 17)),
        entry("demo/more", texture(4, PIECE + 1)),
        entry("demo/noise", noise(2 * PIECE + 5)),
        entry("demo/half-noise", half_noise),
        Entry { executable: true, ..entry("demo/tail-of-noise, \u{fc}", noise(PIECE - 1)) },
        entry("demo/zeros", vec![0; 2 * PIECE]),
    ]
}

/// Fails if the compressor or another input of the bytes changes. Then every existing wheel would
/// be built differently from the same input. Change the digests only on purpose.
#[test]
fn bytes_stay_what_they_were() {
    let digest = |compression| {
        // Without `.dist-info`, which contains our version.
        let (options, mut out) = (options(compression, 2), Cursor::new(Vec::new()));
        let mut archive = Archive::new(&mut out, options.time, LIMITS);
        add(&mut archive, &corpus(), &options, &Cancel::default(), &mut Record::default()).unwrap();
        archive.finish().unwrap();
        Digest::of(out.into_inner()).to_string()
    };
    let expected = [
        "9e8dcec91227765a79d6e028dfb5e577d9766dd40b6925df7279517b1988e374",
        "504502a99098e0bc71cda2c933f880b7b0a7de4fc751bc5a9166374ba763f616",
        "d1dc85f06878149d32159fefe93f64f742c664e7dfc3b64b3cf5b7a3c67f793c",
        "5d27720fed9499dd17ce0f361190a263b2d4d2d323b98c74faf88664ce0576e0",
    ];
    assert_eq!(COMPRESSIONS.map(digest), expected);
}

#[test]
fn any_number_of_threads_gives_the_same_bytes() {
    let wheel = wheel(corpus());
    for compression in [Compression::Store, Compression::Default] {
        let (bytes, written) = pack(&wheel, &options(compression, 1));
        verify(&wheel, &bytes);
        for threads in [0, 2, 3, 8] {
            let other = pack(&wheel, &options(compression, threads));
            assert!(other == (bytes.clone(), written), "{threads}");
        }
    }
}

#[test]
fn the_cache_changes_nothing() {
    let dir = sys::fs::temp_dir().unwrap();
    let chunks = Chunks::new(dir.path().join("chunks"));
    let wheel = wheel(corpus());
    let files = || sys::fs::walk(dir.path()).unwrap();
    for compression in [Compression::Store, Compression::Fast, Compression::Default] {
        let fresh = pack(&wheel, &options(compression, 2));
        for threads in [1, 3] {
            let options = Options { cache: Some(&chunks), ..options(compression, threads) };
            assert!(pack(&wheel, &options) == fresh, "{compression:?}, {threads} threads");
        }
        let kept = files();
        assert_eq!(kept.is_empty(), compression == Compression::Store);
        // Damages each file in one of four ways: a byte, the end, all of it, additional bytes.
        for (file, damage) in kept.iter().zip((0..4).cycle()) {
            let mut bytes = sys::fs::read(&file.path).unwrap();
            match damage {
                0 => *bytes.last_mut().unwrap() ^= 1,
                1 => bytes.truncate(bytes.len() / 2),
                2 => bytes.clear(),
                _ => bytes.push(0),
            }
            sys::fs::write(&file.path, &bytes).unwrap();
        }
        let options = Options { cache: Some(&chunks), ..options(compression, 2) };
        assert!(pack(&wheel, &options) == fresh, "{compression:?}, damaged");
        assert_eq!(files(), kept, "damaged pieces are replaced");
    }
}

#[test]
fn what_is_in_the_cache_is_taken_from_there() {
    let dir = sys::fs::temp_dir().unwrap();
    let chunks = Chunks::new(dir.path().to_owned());
    let long = texture(5, 4 * PIECE);
    let one = |bytes| wheel(vec![Entry::bytes("demo/long".parse().unwrap(), bytes)]);
    let options = Options { cache: Some(&chunks), ..options(Compression::Fast, 2) };
    let count = || sys::fs::walk(dir.path()).unwrap().len();
    pack(&one(long.clone()), &options);
    assert_eq!(count(), 4);
    // One edit changes one piece.
    let mut edited = long;
    edited[2 * PIECE] ^= 1;
    pack(&one(edited.clone()), &options);
    assert_eq!(count(), 5);
    // Inserted bytes change the pieces after them, not those before them.
    let more = noise(LEAST);
    edited.splice(3 * PIECE..3 * PIECE, more);
    pack(&one(edited), &options);
    assert_eq!(count(), 7);
}

#[test]
fn two_writers_share_a_cache() {
    let dir = sys::fs::temp_dir().unwrap();
    let wheel = wheel(corpus());
    let fresh = pack(&wheel, &options(Compression::Fast, 1));
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                // The limit is so small that each thread deletes the pieces of the others.
                let chunks = Chunks::new(dir.path().to_owned()).limited(1 << 20);
                let options = Options { cache: Some(&chunks), ..options(Compression::Fast, 2) };
                for _ in 0..3 {
                    assert!(pack(&wheel, &options) == fresh);
                }
            });
        }
    });
    let left = sys::fs::walk(dir.path()).unwrap();
    let size = |file: &sys::fs::Walked| sys::fs::metadata(&file.path).unwrap().len();
    assert!(left.iter().map(size).sum::<u64>() <= 1 << 20);
}

#[test]
fn what_does_not_shrink_is_stored() {
    let wheel = wheel(corpus());
    let methods = |compression| {
        let (bytes, _) = pack(&wheel, &options(compression, 2));
        let mut zip = ZipArchive::new(Cursor::new(bytes)).unwrap();
        let mut stored = Vec::new();
        for i in 0..zip.len() {
            let file = zip.by_index(i).unwrap();
            if file.compression() == zip::CompressionMethod::Stored {
                assert_eq!(file.size(), file.compressed_size());
                stored.push(file.name().unwrap().into_owned());
            }
        }
        stored
    };
    let few = ["demo/empty", "demo/noise", "demo/one", "demo/tail-of-noise, \u{fc}"];
    assert_eq!(methods(Compression::Default), few);
    assert_eq!(methods(Compression::Store).len(), wheel.entries().len() + 1);
}

#[test]
fn headers_hold_time_mode_and_nothing_else() {
    let time = EntryTime::from_epoch(1_000_000_000);
    let (bytes, _) = pack(&wheel(corpus()), &Options { time, ..options(Compression::Fast, 1) });
    let mut zip = ZipArchive::new(Cursor::new(&bytes)).unwrap();
    assert!(zip.comment().is_empty());
    for i in 0..zip.len() {
        let file = zip.by_index(i).unwrap();
        let name = file.name().unwrap().into_owned();
        assert_eq!(file.extra_data().unwrap_or_default(), b"", "{name}");
        assert_eq!(file.last_modified().unwrap().to_string(), "2001-09-09 01:46:40");
        let mode = if name.contains("tail") { 0o100_755 } else { 0o100_644 };
        assert_eq!(file.unix_mode(), Some(mode), "{name}");
        // The flags of the local header: never a data descriptor, UTF-8 where needed.
        let start = usize::try_from(file.header_start()).unwrap();
        let flags = u16::from_le_bytes([bytes[start + 6], bytes[start + 7]]);
        assert_eq!(flags, if name.is_ascii() { 0 } else { 1 << 11 }, "{name}");
    }
}

#[test]
fn long_files_are_read_back_through_zip64() {
    let wheel = wheel(corpus());
    let limits = Limits { bytes: 1 << 20, entries: 3 };
    let (bytes, _) = pack_within(&wheel, &options(Compression::Default, 2), limits);
    verify(&wheel, &bytes);
    assert!(bytes.len() > pack(&wheel, &options(Compression::Default, 2)).0.len());
}

#[test]
fn files_are_read_while_writing_and_must_not_change() {
    let dir = sys::fs::temp_dir().unwrap();
    let path = dir.path().join("long");
    let content = texture(9, 2 * PIECE + 100);
    sys::fs::write_atomic(&path, &content).unwrap();
    let source = Source::File { path: path.clone(), size_bytes: content.len() as u64 };
    let entry =
        |source| vec![Entry { path: "demo/long".parse().unwrap(), executable: false, source }];
    let from_disk = wheel(entry(source));
    let from_memory = wheel(entry(Source::Bytes(content)));
    for threads in [1, 3] {
        let options = options(Compression::Default, threads);
        assert!(pack(&from_disk, &options) == pack(&from_memory, &options));
    }
    let check = |error: &str| {
        let mut out = Cursor::new(Vec::new());
        let options = options(Compression::Default, 2);
        let found = write(&from_disk, &mut out, &options, &Cancel::default()).unwrap_err();
        assert_eq!(found.to_string().replace(path.to_str().unwrap(), "FILE"), error);
    };
    sys::fs::write_atomic(&path, b"short").unwrap();
    check("`FILE` changed while it was being packed as `demo/long`");
    sys::fs::remove_file(&path).unwrap();
    check("cannot read `FILE` into the wheel as `demo/long`");
}

#[test]
fn writing_stops_when_asked() {
    let wheel = wheel(corpus());
    let cancel = Cancel::default();
    for threads in [1, 2] {
        let advance = |_| cancel.cancel();
        let options = Options { advance: &advance, ..options(Compression::Fast, threads) };
        let error = write(&wheel, Cursor::new(Vec::new()), &options, &cancel).unwrap_err();
        assert!(matches!(error, Error::Cancelled));
    }
}

/// Writer that fails after some bytes, as on a full disk.
struct Full(Cursor<Vec<u8>>, usize);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.0.get_ref().len() + bytes.len() > self.1 {
            return Err(std::io::ErrorKind::StorageFull.into());
        }
        self.0.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Seek for Full {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.0.seek(to)
    }
}

#[test]
fn a_full_disk_is_an_error() {
    let wheel = wheel(corpus());
    for (threads, size) in [(1, 0), (2, 10_000), (2, 3_000_000)] {
        let out = Full(Cursor::new(Vec::new()), size);
        let options = options(Compression::Fast, threads);
        let error = write(&wheel, out, &options, &Cancel::default()).unwrap_err();
        assert!(matches!(error, Error::Write(_)), "{error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn wheels_hold_what_was_put_in(
        files in btree_map("[a-z]{1,3}/[a-z,\" ü]{1,6}", vec(any::<u8>(), 0..3000), 0..8),
        times in 1..900_usize,
        level in 0..COMPRESSIONS.len(),
        threads in 1..4_usize,
    ) {
        let mut folded = BTreeMap::new();
        for (path, bytes) in files {
            folded.insert(path, bytes.repeat(times.min(2_000_000 / bytes.len().max(1))));
        }
        let entries: Vec<Entry> =
            folded.into_iter().map(|(path, bytes)| Entry::bytes(path.parse().unwrap(), bytes)).collect();
        // `Best` is slow in an unoptimised test and covers no other code.
        let compression = COMPRESSIONS[level.min(2)];
        // Other systems refuse some of the names.
        let whole = wheel_for("linux_x86_64", entries.clone());
        let (bytes, written) = pack(&whole, &options(compression, threads));
        verify(&whole, &bytes);
        let reversed = wheel_for("linux_x86_64", entries.into_iter().rev().collect());
        prop_assert!(pack(&reversed, &options(compression, 1)) == (bytes, written));
    }
}
