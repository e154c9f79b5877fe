//! Packages made here are measured; what the program prints is in the story `size.trycmd`.

use std::path::{Path, PathBuf};

use super::*;
use crate::archive::zip::forge::{Entry, Zip};
use crate::patch;
use crate::sys::{self, Env, Host};

const UNSTRIPPED: &[u8] = include_bytes!("../../../testdata/elf/unstripped.so");
const MODULE: &[u8] = include_bytes!("../../../testdata/extension/stable.so");
const LIBRARY: &[u8] = include_bytes!("../../../testdata/elf/versioned.so");

fn host() -> Host {
    Host::quiet(Env::default())
}

fn wheel(dir: &Path, name: &str, files: &[(&str, &[u8])]) -> PathBuf {
    let entries =
        files.iter().map(|(name, content)| Entry { deflate: true, ..Entry::new(name, *content) });
    let zip = Zip { entries: entries.collect(), ..Zip::default() };
    let path = dir.join(name);
    sys::fs::write(&path, zip.bytes()).unwrap();
    path
}

/// Returns the savings in one line each.
fn lines(savings: &[Saving]) -> Vec<String> {
    let line = |saving: &Saving| {
        let each = if saving.for_each_python { " for each Python" } else { "" };
        format!("{} {}{each}: {}", saving.kind, saving.size_bytes, saving.paths.join(" "))
    };
    savings.iter().map(line).collect()
}

#[test]
fn every_byte_of_a_wheel_is_counted() {
    let dir = tempfile::tempdir().unwrap();
    let text = "x = 1\n".repeat(1000);
    let files = [
        ("demo/__init__.py", text.as_bytes()),
        ("demo/copy.py", text.as_bytes()),
        ("demo/lib.so.1", UNSTRIPPED),
        ("demo/empty.py", b"".as_slice()),
    ];
    let path = wheel(dir.path(), "demo-1.0-py3-none-any.whl", &files);
    let report = measure(&path, &host()).unwrap();
    let package = &report.packages[0];
    assert_eq!(package.size_bytes, sys::fs::metadata(&path).unwrap().len());
    assert_eq!(
        package.unpacked_bytes,
        files.iter().map(|(_, file)| file.len() as u64).sum::<u64>()
    );
    let packed: u64 = package.files.iter().map(|file| file.packed_bytes.unwrap()).sum();
    assert_eq!(package.overhead_bytes(), Some(package.size_bytes - packed));
    let names: Vec<&str> = package.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(names, ["demo/lib.so.1", "demo/__init__.py", "demo/copy.py", "demo/empty.py"]);
    assert_eq!(package.files[0].kind, FileKind::Native);
    let stripped = patch::strip(UNSTRIPPED).unwrap().len();
    let savings = lines(&package.savings);
    assert_eq!(
        savings,
        [
            format!("duplicates {}: demo/__init__.py demo/copy.py", text.len()),
            format!("strip {}: demo/lib.so.1", UNSTRIPPED.len() - stripped),
        ]
    );
    assert!(package.savings[1].packed_bytes.unwrap() > 0);
    // With both changes, the wheel has at least as many bytes less as was said.
    let said: u64 = package.savings.iter().map(|saving| saving.packed_bytes.unwrap()).sum();
    let stripped = patch::strip(UNSTRIPPED).unwrap();
    let less = wheel(dir.path(), "less.whl", &[files[0], ("demo/lib.so.1", &stripped), files[3]]);
    let less = sys::fs::metadata(less).unwrap().len();
    assert!(package.size_bytes - less >= said, "{} {less} {said}", package.size_bytes);
}

#[test]
fn wheels_for_several_pythons_have_a_runtime_in_common() {
    let dir = tempfile::tempdir().unwrap();
    for python in ["cp311", "cp312", "cp313"] {
        let name = format!("demo-1.0-{python}-{python}-manylinux_2_17_x86_64.whl");
        let module =
            format!("demo/native.{}-x86_64-linux-gnu.so", python.replace("cp", "cpython-"));
        wheel(dir.path(), &name, &[("demo/libdemo.so", LIBRARY), (&module, MODULE)]);
    }
    let stable = "other-1.0-cp39-abi3-manylinux_2_17_x86_64.whl";
    wheel(dir.path(), stable, &[("demo/libdemo.so", LIBRARY), ("demo/native.abi3.so", MODULE)]);
    let report = measure(dir.path(), &host()).unwrap();
    assert_eq!(report.packages.len(), 4);
    let both = LIBRARY.len() + MODULE.len();
    let name = |python| format!("demo-1.0-{python}-{python}-manylinux_2_17_x86_64.whl");
    let names = ["cp311", "cp312", "cp313"].map(name);
    assert_eq!(
        lines(&report.savings),
        [
            format!("stable ABI {}: {}", 2 * both, names.join(" ")),
            format!("split runtime {}: demo/libdemo.so", 2 * LIBRARY.len()),
        ]
    );
    for package in &report.packages {
        let expected = if package.name() == stable {
            vec![]
        } else {
            vec![
                format!("stable ABI {both} for each Python: {}", package.name()),
                format!("split runtime {} for each Python: demo/libdemo.so", LIBRARY.len()),
            ]
        };
        assert_eq!(lines(&package.savings), expected, "{}", package.name());
    }
}

#[test]
fn what_cannot_be_measured_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let check = |path: &Path, part: &str| {
        let error = measure(path, &host()).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    };
    check(&dir.path().join("absent.whl"), "cannot read");
    let empty = dir.path().join("empty");
    sys::fs::create_dir_all(&empty).unwrap();
    check(&empty, "has no files");
    sys::fs::create_dir_all(empty.join("inner")).unwrap();
    check(&empty, "has no files");
    let good = sys::fs::read(wheel(dir.path(), "a.whl", &[("a.py", b"a = 1\n")])).unwrap();
    let cut = dir.path().join("cut.whl");
    sys::fs::write(&cut, &good[..good.len() - 30]).unwrap();
    check(&cut, "cut.whl");
    let twice = wheel(dir.path(), "b.whl", &[("a.py", b"a = 1\n"), ("a.py", b"a = 2\n")]);
    check(&twice, "was not measured");
    let entry = Entry { deflate: true, crc: Some(1), ..Entry::new("a.py", b"a = 1\n") };
    let wrong = dir.path().join("wrong.whl");
    sys::fs::write(&wrong, Zip { entries: vec![entry], ..Zip::default() }.bytes()).unwrap();
    check(&wrong, "a.py");
}

#[test]
fn a_file_that_cannot_be_stripped_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let cut = &UNSTRIPPED[..UNSTRIPPED.len() / 2];
    let path = wheel(dir.path(), "demo-1.0-py3-none-any.whl", &[("demo/lib.so", cut)]);
    let report = measure(&path, &host()).unwrap();
    let unexamined = &report.packages[0].unexamined;
    assert_eq!(unexamined[0].path, "demo/lib.so");
    assert!(!unexamined[0].reason.is_empty());
}

#[test]
fn growth_is_told_by_package_and_file() {
    let dir = tempfile::tempdir().unwrap();
    let (old, new) = (dir.path().join("old"), dir.path().join("new"));
    sys::fs::create_dir_all(&old).unwrap();
    sys::fs::create_dir_all(&new).unwrap();
    // Digests do not compress.
    let noise: Vec<u8> =
        (0_u32..300).flat_map(|i| *Digest::of(i.to_le_bytes()).as_bytes()).collect();
    let (small, large) = (&noise[..1000], &noise[..9000]);
    wheel(
        &old,
        "demo-1.0-py3-none-any.whl",
        &[
            ("demo/libz-1a2b3c4d.so.1", small),
            ("demo/gone.py", b"g"),
            ("demo/same.py", b"s"),
            ("demo-1.0.dist-info/METADATA", b"m"),
        ],
    );
    wheel(
        &new,
        "demo-1.1-py3-none-any.whl",
        &[
            ("demo/libz-99999999.so.1", large),
            ("demo/same.py", b"s"),
            ("demo/new.py", b"n"),
            ("demo-1.1.dist-info/METADATA", b"m"),
        ],
    );
    sys::fs::write(old.join("demo-1.0.tar.gz"), b"x").unwrap();
    sys::fs::write(new.join("other-1.1.tar.gz"), b"x").unwrap();
    let [before, after] = [&old, &new].map(|dir| measure(dir, &host()).unwrap());
    let found = compare(&before, &after);
    assert_eq!(found.added, ["other-1.1.tar.gz"]);
    assert_eq!(found.removed, ["demo-1.0.tar.gz"]);
    let [growth] = &found.packages[..] else { panic!("{found:?}") };
    assert_eq!(growth.name, "demo-1.1-py3-none-any.whl");
    let files: Vec<_> =
        growth.files.iter().map(|f| (&*f.path, f.before.is_some(), f.after.is_some())).collect();
    assert_eq!(
        files,
        [
            ("demo/libz-99999999.so.1", true, true),
            ("demo/gone.py", true, false),
            ("demo/new.py", false, true),
        ]
    );
    for (limit, count) in [("2%", 1), ("10000%", 0), ("100", 1), ("1MiB", 0), ("9 kB", 0)] {
        assert_eq!(found.over(limit.parse().unwrap()).len(), count, "{limit}");
    }
    assert!(found.over(Limit::Percent(0.0)).len() == 1);
    for bad in ["", "%", "2 %%", "-1%", "1e3", "two", "1.2.3%", "1TB"] {
        bad.parse::<Limit>().unwrap_err();
    }
}

#[test]
fn a_history_has_each_commit_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("sizes.json");
    let package = |version: &str, text: &str| {
        let name = format!("demo-{version}-py3-none-any.whl");
        let path = wheel(dir.path(), &name, &[("demo.py", text.as_bytes())]);
        measure(&path, &host()).unwrap()
    };
    let mut history = History::load(&path).unwrap();
    assert_eq!(history.previous("a"), None);
    history.record("a", &package("1.0", "x"));
    history.record("b", &package("1.1", "x = 1"));
    history.record("b", &package("1.1", "y = 12"));
    history.save(&path).unwrap();
    let history = History::load(&path).unwrap();
    let commits: Vec<_> = history.builds.iter().map(|build| build.commit.as_str()).collect();
    assert_eq!(commits, ["a", "b"]);
    assert_eq!(history.previous("b").unwrap().commit, "a");
    let found = history.previous("b").unwrap().compare(&package("1.1", "y = 12"));
    assert_eq!(found.packages[0].after - found.packages[0].before, 5);
    assert_eq!(history.previous("c").unwrap().commit, "b");
    for bad in ["", "{}", "[]", r#"{"schema":2,"builds":[]}"#, r#"{"schema":1,"builds":[],"x":1}"#]
    {
        sys::fs::write(&path, bad).unwrap();
        let error = History::load(&path).unwrap_err().to_string();
        assert!(error.contains("is not a history of sizes"), "{bad}: {error}");
    }
}
