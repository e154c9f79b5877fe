//! Writers of a store in several processes: one creates each reference, the others are told, and a
//! killed one leaves nothing that dangles.
#![cfg(feature = "store")]
#![allow(
    clippy::disallowed_methods,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "tests are a world of their own"
)]

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use wheelsmith_core::name::Digest;
use wheelsmith_core::store::{Body, Error, FileKind, Key, Label, Mode, Set, Store, StoredFile};

const REFERENCES: usize = 200;

/// Returns a set with one file, whose content is stored.
fn put(store: &Store, text: &str) -> wheelsmith_core::store::SetId {
    let label = |text: &str| text.parse::<Label>().unwrap();
    let mut set = Set::new(label("demo"), label("1.0"), Label::any());
    store.put_blob(&Body::bytes(text.as_bytes())).unwrap();
    set.files.push(StoredFile {
        path: "a".parse().unwrap(),
        sha256: Digest::of(text),
        size_bytes: text.len() as u64,
        mode: Mode::Plain,
        kind: FileKind::Other,
        target: None,
        verdict: None,
        aliases: Vec::new(),
    });
    store.put_manifest(&set).unwrap()
}

fn reference(number: usize) -> Key {
    Key::pin(&format!("r {number}+é").parse().unwrap())
}

/// Work of a child: writes all references, or publishes sets until it is killed.
#[test]
fn child() {
    let Ok(url) = std::env::var("STORE_TEST_URL") else { return };
    let name = std::env::var("STORE_TEST_NAME").unwrap();
    let store = Store::open(&url).unwrap();
    if let Ok(from) = std::env::var("STORE_TEST_FROM") {
        for number in from.parse::<usize>().unwrap().. {
            let set = put(&store, &format!("{name} {number}"));
            store.refer(&reference(number), &set).unwrap();
        }
    }
    let set = put(&store, &name);
    let mut created = 0;
    for number in 0..REFERENCES {
        match store.refer(&reference(number), &set) {
            Ok(true) => created += 1,
            Ok(false) => panic!("nobody else writes this set"),
            Err(Error::Conflict { there, given, .. }) => {
                assert!(given == set.to_string() && there != given);
            }
            Err(error) => panic!("{error}: {:?}", std::error::Error::source(&error)),
        }
    }
    eprintln!("created {created}");
}

fn spawn(url: &str, name: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "child", "--nocapture"]);
    command.env("STORE_TEST_URL", url).env("STORE_TEST_NAME", name);
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

/// Lets `count` processes write the same references.
fn race(url: &str, count: usize) {
    Store::init(url).unwrap();
    let children: Vec<Child> =
        (0..count).map(|number| spawn(url, &format!("writer {number}")).spawn().unwrap()).collect();
    let mut created = 0;
    for child in children {
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        let number = said.lines().find_map(|line| line.strip_prefix("created ")).unwrap();
        created += number.parse::<usize>().unwrap();
    }
    assert_eq!(created, REFERENCES, "{count} processes");
    let found = Store::open(url).unwrap().verify(false).unwrap();
    assert_eq!((found.faults, found.references), (vec![], REFERENCES as u64));
}

/// Kills a process that publishes, again and again.
fn kill(url: &str, kills: u64, longest: Duration) {
    let store = Store::init(url).unwrap();
    let mut killed = 0;
    for number in 0..kills {
        let done = store.keys(Key::PINS).unwrap().len();
        let mut command = spawn(url, "publisher");
        let mut child =
            command.env("STORE_TEST_FROM", done.to_string()).stderr(Stdio::null()).spawn().unwrap();
        // The delays cover the start of the process too.
        std::thread::sleep(longest * u32::try_from(number % 50).unwrap() / 50);
        child.kill().unwrap();
        killed += usize::from(!child.wait().unwrap().success());
        let found = store.verify(true).unwrap();
        assert_eq!(found.faults, [], "after kill {number}");
    }
    let found = store.verify(false).unwrap();
    assert_eq!(found.faults, []);
    let done = store.keys(Key::PINS).unwrap().len();
    assert!(done > 10, "only {done} references were written");
    // A rerun continues where the killed one ended.
    let set = put(&store, &format!("publisher {done}"));
    assert!(store.refer(&reference(done), &set).unwrap());
    eprintln!("{url}: {killed} kills, {done} references, {} files", found.files);
}

fn directory() -> std::path::PathBuf {
    let dir = std::env::temp_dir().join(format!("wheelsmith-store-test-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    dir
}

fn in_directory(name: &str, test: impl FnOnce(&str, &Path)) {
    let dir = directory().join(name);
    test(dir.to_str().unwrap(), &dir);
    std::fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn one_process_creates_each_reference_in_a_directory() {
    for count in [2, 8, 16] {
        in_directory(&format!("race {count}"), |url, _| race(url, count));
    }
}

#[test]
#[cfg(unix)]
fn killed_writers_leave_nothing_that_dangles_in_a_directory() {
    in_directory("kill", |url, dir| {
        kill(url, 150, Duration::from_millis(150));
        // A collection removes the unfinished files of killed writers.
        let store = Store::open(url).unwrap();
        let garbage = store.garbage(30).unwrap();
        store.collect(30, &garbage.digest).unwrap();
        assert_eq!(std::fs::read_dir(dir.join(".unfinished")).unwrap().count(), 0);
    });
}
