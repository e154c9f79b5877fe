//! Damaged files, damaged sites, and writes that fail one after the other.

use std::path::{Path, PathBuf};

use super::super::{Error, FaultKind, Options, Select, Site, View, verify};
use super::{Bench, host, published, view};
use crate::sys;

#[test]
fn a_damaged_file_is_refused_and_named() {
    let check = |name: &str, damage: fn(&mut Vec<u8>), expected: &str| {
        let bench = Bench::new();
        let path = bench.wheel("demo", "1.0");
        let mut bytes = sys::fs::read(&path).unwrap();
        damage(&mut bytes);
        sys::fs::remove_file(&path).unwrap();
        sys::fs::write(bench.dist().join(name), bytes).unwrap();
        bench.wheel("fine", "1.0");
        let error = bench.build_as(&Options::default()).unwrap_err();
        assert!(error.to_string().contains(name), "{error}");
        assert!(format!("{error} {error:?}").contains(expected), "{error:?}");
        assert!(published(&bench.site()).is_empty(), "{:?}", published(&bench.site()).keys());
    };
    let good = "demo-1.0-py3-none-any.whl";
    let flip = |bytes: &mut Vec<u8>| {
        // In the packed bytes of the first member, after its header and name.
        bytes[30 + 7 + 4] ^= 0x55;
    };
    check(good, flip, "demo.py");
    check(good, |bytes| bytes.truncate(bytes.len() / 2), "Corrupt");
    check(good, Vec::clear, "Corrupt");
    check("demo-2.0-py3-none-any.whl", |_| {}, "its metadata is that of `demo` 1.0");
    check("demo-1.0.whl", |_| {}, "a wheel's file name");
    check("demo-1.0.tar.gz", |_| {}, "Corrupt");
}

#[test]
fn verify_names_each_fault() {
    let check = |damage: fn(&Path, &str), kind: FaultKind, place: &str| {
        let bench = Bench::new();
        let path = bench.wheel("demo", "1.0");
        let digest = sys::fs::digest(&path).unwrap().0.to_string();
        bench.build();
        let dir = format!("files/{}", &digest[..16]);
        damage(&bench.site(), &format!("{dir}/demo-1.0-py3-none-any.whl"));
        let faults = bench.faults();
        let place = place.replace("STORED", &format!("{dir}/demo-1.0-py3-none-any.whl"));
        let found = faults.iter().any(|fault| fault.kind == kind && fault.path == place);
        assert!(found, "{kind} {place} not in {faults:?}");
        // Building from the files again repairs the pages.
        sys::fs::remove_file(bench.site().join(".wheelsmith/cache")).unwrap();
        if kind != FaultKind::WrongDigest || place.starts_with("files") {
            let _ = bench.build_as(&Options::default());
        }
    };
    let append = |path: PathBuf| sys::fs::append(&path, b"x").unwrap();
    check(
        |site, file| sys::fs::remove_file(site.join(file)).unwrap(),
        FaultKind::Missing,
        "STORED",
    );
    check(
        |site, file| sys::fs::append(&site.join(file), b"x").unwrap(),
        FaultKind::WrongDigest,
        "STORED",
    );
    check(
        |site, file| sys::fs::append(&site.join(format!("{file}.metadata")), b"x").unwrap(),
        FaultKind::WrongDigest,
        "STORED.metadata",
    );
    check(
        |site, _| {
            let state = site.join("wheelsmith-index.json");
            let text = sys::fs::read_to_string(&state).unwrap();
            let at = text.find("\"sha256\":\"").unwrap() + 10;
            let other = if &text[at..=at] == "0" { "1" } else { "0" };
            let text = format!("{}{other}{}", &text[..at], &text[at + 1..]);
            sys::fs::write(state, text).unwrap();
        },
        FaultKind::WrongDigest,
        "STORED",
    );
    check(
        |site, _| {
            let state = site.join("wheelsmith-index.json");
            let text = sys::fs::read_to_string(&state).unwrap();
            sys::fs::write(state, text.replace(">=3.8,<4", ">=3.9")).unwrap();
        },
        FaultKind::WrongMetadata,
        "STORED",
    );
    check(
        |site, _| {
            let page = site.join("simple/demo/index.html");
            let text = sys::fs::read_to_string(&page).unwrap();
            sys::fs::write(page, text.replace("sha256=", "sha256=0")).unwrap();
        },
        FaultKind::WrongPage,
        "simple/demo/index.html",
    );
    check(
        |site, _| sys::fs::remove_file(site.join("simple/index.json")).unwrap(),
        FaultKind::Missing,
        "simple/index.json",
    );
    check(
        |site, file| {
            let dir = site.join("files/0123456789abcdef");
            sys::fs::create_dir_all(&dir).unwrap();
            sys::fs::copy(site.join(file), dir.join("left-1.0-py3-none-any.whl")).unwrap();
        },
        FaultKind::Stray,
        "files/0123456789abcdef/left-1.0-py3-none-any.whl",
    );
    check(
        |site, _| {
            let state = site.join("wheelsmith-index.json");
            let text = sys::fs::read_to_string(&state).unwrap();
            sys::fs::write(state, text.replace(",\n", ", ")).unwrap();
        },
        FaultKind::WrongState,
        "wheelsmith-index.json",
    );
    let bench = Bench::new();
    bench.wheel("demo", "1.0");
    bench.build();
    append(bench.site().join("simple/demo/index.html"));
    assert_eq!(bench.build().written, ["simple/demo/index.html"]);
    assert_eq!(bench.faults(), []);
}

/// Checks that no page names a missing file: each list's projects have pages, and each page's files
/// are in the store and complete.
fn check_nothing_is_half_published(site: &Path) {
    for file in sys::fs::walk(site).unwrap() {
        let Some(dir) = file.relative.strip_suffix("/index.html") else { continue };
        if dir.starts_with(".wheelsmith/") {
            continue;
        }
        let text = sys::fs::read_to_string(&file.path).unwrap();
        assert!(text.ends_with("</html>\n"), "{}", file.relative);
        let anchors = text.split("<a href=\"").skip(1);
        for href in anchors.map(|rest| rest.split('"').next().unwrap()) {
            let (place, digest) = href.split_once("#sha256=").unwrap_or((href, ""));
            let place = site.join(dir).join(place);
            if digest.is_empty() {
                assert!(place.join("index.html").is_file(), "{} has {href}", file.relative);
            } else {
                let there = sys::fs::digest(&place).unwrap().0.to_string();
                assert_eq!(there, digest, "{}", file.relative);
            }
        }
    }
}

/// Runs `change` on a copy of the site and stops it at its first, second, … write, until it
/// completes. After each stop nothing is half-published, and the next run ends with the same site.
fn die_at_each_write(bench: &Bench, change: &dyn Fn(&mut Site) -> Result<(), Error>) {
    let copy = |to: &Path| {
        sys::fs::create_dir_all(bench.site()).unwrap();
        for file in sys::fs::walk(&bench.site()).unwrap() {
            let place = to.join(&file.relative);
            sys::fs::create_dir_all(place.parent().unwrap()).unwrap();
            sys::fs::copy(&file.path, place).unwrap();
        }
    };
    let run = |site: &Path, lives: Option<u32>| {
        let mut site = Site::open(site, &host())?;
        site.staging.lives = lives;
        change(&mut site)?;
        site.publish(&host())
    };
    let whole = bench.dir.path().join("whole");
    copy(&whole);
    run(&whole, None).unwrap();
    let expected = published(&whole);
    for lives in 0.. {
        let site = bench.dir.path().join(format!("killed-{lives}"));
        copy(&site);
        let died = run(&site, Some(lives)).is_err();
        check_nothing_is_half_published(&site);
        run(&site, None).unwrap();
        assert_eq!(published(&site), expected, "killed at change {lives}");
        assert_eq!(verify(&site, None, &host()).unwrap(), [], "killed at change {lives}");
        sys::fs::remove_dir_all(&site).unwrap();
        if !died {
            assert!(lives > 5);
            return;
        }
    }
}

#[test]
fn a_kill_at_any_write_leaves_nothing_half_published() {
    // A new view appears with all its pages.
    let bench = Bench::new();
    bench.wheel("demo", "1.0");
    bench.wheel("gone", "1.0");
    die_at_each_write(&bench, &|site| site.add_dir(&bench.dist(), &Options::default(), &host()));
    bench.build_as(&view("commit/aaa")).unwrap();
    bench.build();
    bench.wheel("demo", "1.1");
    bench.wheel("new", "1.0");
    die_at_each_write(&bench, &|site| {
        site.add_dir(&bench.dist(), &Options::default(), &host())?;
        site.state.set_latest(&"commit/aaa".parse().unwrap())
    });
    die_at_each_write(&bench, &|site| {
        // The second time it is already gone.
        let _ = site.state.remove(&View::default(), &"gone".parse::<Select>().unwrap());
        let _ = site.state.remove_view(&"commit/aaa".parse().unwrap());
        site.state.yank(&View::default(), &"demo".parse().unwrap(), Some("bad")).map(drop)
    });
}
