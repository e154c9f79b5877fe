//! The bytes of a wheel depend only on the names, bytes and executable bits of its files, not on
//! the directory, the user, the time or the number of threads.
//!
//! `scripts/foreign-bytes.sh` shows that another processor writes the same bytes.
#![cfg(unix)]
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests are a world of their own"
)]
#![allow(clippy::print_stderr, reason = "what was left out is said")]

mod support;

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use support::{Run, program};

/// One file: path, bytes, and whether it is executable.
type Content = (String, Vec<u8>, bool);

/// Files of a wheel: one in several pieces, one that does not compress, and many small ones.
fn files() -> Vec<Content> {
    let mut state = 88_172_645_463_325_252_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut program = Vec::new();
    while program.len() < 4_000_000 {
        match next() % 3 {
            0 => program.extend(format!("symbol_{}\0", next() % 3000).as_bytes()),
            1 => program.extend([0; 24]),
            _ => program.extend(next().to_le_bytes()),
        }
    }
    let noise = std::iter::repeat_with(|| next().to_be_bytes()[0]).take(60_000).collect();
    let info = |name: &str| format!("demo-1.0.dist-info/{name}");
    let wheel = "Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n";
    let metadata = "Metadata-Version: 2.4\nName: demo\nVersion: 1.0\n";
    let mut files = vec![
        ("demo/bin/server".to_owned(), program, true),
        ("demo/noise.bin".to_owned(), noise, false),
        ("demo/empty".to_owned(), Vec::new(), false),
        ("demo/\u{fc}nicode, it's.txt".to_owned(), b"x".to_vec(), false),
        ("demo-1.0.data/scripts/run".to_owned(), b"#!python\n".to_vec(), true),
        (info("METADATA"), metadata.into(), false),
        (info("WHEEL"), wheel.into(), false),
    ];
    // Names that sort otherwise in some locales.
    for (i, name) in ["a", "B", "a_b", "A-b", "aB", "Z", "z"].iter().enumerate() {
        files.push((
            format!("demo/{name}{i}.py"),
            format!("{name} = {i}\n").repeat(99).into(),
            false,
        ));
    }
    files
}

/// Layout of a tree on disk.
#[derive(Clone, Copy)]
struct Lay {
    plain: u32,
    program: u32,
    /// Time of the first file, in seconds since 1970, and the difference to each next one.
    time: (u64, u64),
    is_reversed: bool,
}

const USUAL: Lay =
    Lay { plain: 0o644, program: 0o755, time: (1_700_000_000, 0), is_reversed: false };

/// Writes the files below `root`.
fn lay(root: &Path, lay: Lay) -> PathBuf {
    let mut files = files();
    if lay.is_reversed {
        files.reverse();
    }
    for (i, (path, bytes, is_program)) in (0..).zip(&files) {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        let mode = if *is_program { lay.program } else { lay.plain };
        let file = fs::File::options().write(true).open(&path).unwrap();
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(lay.time.0 + i * lay.time.1);
        file.set_modified(time).unwrap();
        file.set_permissions(fs::Permissions::from_mode(mode)).unwrap();
    }
    root.to_owned()
}

/// Packs a tree: `wrap` is the command in front of the program, `set` its environment.
struct Packer<'a> {
    scratch: &'a Path,
    wrap: &'a [&'a str],
    set: &'a [(&'a str, &'a str)],
    options: &'a [&'a str],
}

impl Packer<'_> {
    fn pack(&self, tree: &Path) -> Vec<u8> {
        let out = tempfile::tempdir_in(self.scratch).unwrap();
        fs::set_permissions(out.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let mut command = match self.wrap {
            [] => Command::new(program()),
            [first, rest @ ..] => {
                let mut command = Command::new(first);
                command.args(rest).arg(program());
                command
            }
        };
        command.args(["wheel", "pack"]).arg(tree).arg("--out").arg(out.path()).args(self.options);
        command.env_remove("SOURCE_DATE_EPOCH").envs(self.set.iter().copied());
        command.env("WHEELSMITH_CACHE_DIR", self.scratch.join("cache"));
        Run::of(&mut command).expect(0);
        fs::read(out.path().join("demo-1.0-py3-none-any.whl")).unwrap()
    }
}

/// Returns the command that runs a program as another user; `None` if that is not possible.
fn somebody_else() -> Option<&'static [&'static str]> {
    const NOBODY: &[&str] =
        &["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--"];
    let probe = Command::new(NOBODY[0]).args(&NOBODY[1..]).arg(program()).arg("--version").output();
    probe.is_ok_and(|output| output.status.success()).then_some(NOBODY)
}

#[test]
fn a_wheel_has_the_same_bytes_wherever_and_whoever_packs_it() {
    let dir = tempfile::tempdir().unwrap();
    let scratch = dir.path();
    // Others come in as well.
    fs::set_permissions(scratch, fs::Permissions::from_mode(0o777)).unwrap();
    let usual = Packer { scratch, wrap: &[], set: &[], options: &["--no-cache"] };
    let tree = lay(&scratch.join("tree"), USUAL);
    let expected = usual.pack(&tree);
    let same = |what: &str, packer: &Packer<'_>, tree: &Path| {
        assert!(packer.pack(tree) == expected, "other bytes: {what}");
    };

    same("again", &usual, &tree);
    for threads in ["1", "2", "3", "16"] {
        let options = ["--no-cache", "--jobs", threads];
        same(&format!("{threads} threads"), &Packer { options: &options, ..usual }, &tree);
    }
    for what in ["an empty cache", "a filled cache"] {
        same(what, &Packer { options: &[], ..usual }, &tree);
    }

    let mask = |mask| ["sh", "-c", mask, "sh"];
    for umask in ["umask 077; exec \"$@\"", "umask 000; exec \"$@\""] {
        same(umask, &Packer { wrap: &mask(umask), ..usual }, &tree);
    }
    let narrow = Lay { plain: 0o600, program: 0o700, ..USUAL };
    same("made under umask 077", &usual, &lay(&scratch.join("narrow"), narrow));
    let wide = Lay { plain: 0o666, program: 0o777, ..USUAL };
    same("made under umask 000", &usual, &lay(&scratch.join("wide"), wide));
    let odd = Lay { plain: 0o440, program: 0o514, ..USUAL };
    same("odd modes", &usual, &lay(&scratch.join("odd"), odd));
    for (place, time) in [("old", (0, 0)), ("young", (4_000_000_000, 0)), ("mixed", (1, 86_401))] {
        same(place, &usual, &lay(&scratch.join(place), Lay { time, ..USUAL }));
    }

    let reversed = Lay { is_reversed: true, ..USUAL };
    let far = scratch.join("another path, \u{e4}\u{f6}/which is a good deal longer");
    same("another path, made in reverse", &usual, &lay(&far, reversed));
    symlink(&tree, scratch.join("link")).unwrap();
    same("behind a link", &usual, &scratch.join("link"));
    let hard = scratch.join("hard");
    for (path, ..) in files() {
        fs::create_dir_all(hard.join(&path).parent().unwrap()).unwrap();
        fs::hard_link(tree.join(&path), hard.join(&path)).unwrap();
    }
    same("hard links", &usual, &hard);
    let soft = scratch.join("soft");
    for (path, ..) in files() {
        fs::create_dir_all(soft.join(&path).parent().unwrap()).unwrap();
        symlink(tree.join(&path), soft.join(&path)).unwrap();
    }
    same("links to files", &usual, &soft);
    if let Ok(memory) = tempfile::tempdir_in("/dev/shm") {
        same("in memory", &usual, &lay(&memory.path().join("tree"), USUAL));
    }

    for set in [("TZ", "Pacific/Kiritimati"), ("TZ", "America/New_York"), ("LC_ALL", "C")] {
        same(&format!("{set:?}"), &Packer { set: &[set], ..usual }, &tree);
    }
    for locale in ["C.UTF-8", "tr_TR.UTF-8", "cs_CZ"] {
        let set = [("LC_ALL", locale), ("LANG", locale), ("LANGUAGE", locale)];
        same(locale, &Packer { set: &set, ..usual }, &tree);
    }
    let homeless = ["env", "-u", "HOME", "-u", "USER", "-u", "XDG_CACHE_HOME"];
    same("without a home", &Packer { wrap: &homeless, ..usual }, &tree);
    if let Some(wrap) = somebody_else() {
        same("another user", &Packer { wrap, ..usual }, &tree);
    } else {
        eprintln!("left out: another user, which takes root and `setpriv`");
    }
}

#[test]
fn the_time_is_the_one_that_was_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let scratch = dir.path();
    let tree = lay(&scratch.join("tree"), USUAL);
    let at = |set: &[(&str, &str)]| Packer { scratch, wrap: &[], set, options: &[] }.pack(&tree);
    let expected = at(&[]);
    for early in ["0", "315532799", "315532800"] {
        assert!(at(&[("SOURCE_DATE_EPOCH", early)]) == expected, "{early}");
    }
    let later = at(&[("SOURCE_DATE_EPOCH", "1000000000")]);
    assert!(later != expected);
    assert!(at(&[("SOURCE_DATE_EPOCH", "1000000000"), ("TZ", "Asia/Tokyo")]) == later);
}

#[test]
fn an_unpacked_wheel_is_packed_to_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let tree = lay(&dir.path().join("tree"), USUAL);
    let packer = Packer { scratch: dir.path(), wrap: &[], set: &[], options: &[] };
    let expected = packer.pack(&tree);
    let wheel = dir.path().join("demo-1.0-py3-none-any.whl");
    fs::write(&wheel, &expected).unwrap();
    let mut unpack = Command::new(program());
    unpack.args(["wheel", "unpack"]).arg(&wheel).arg("--out").arg(dir.path());
    Run::of(&mut unpack).expect(0);
    assert!(packer.pack(&dir.path().join("demo-1.0")) == expected);
}
