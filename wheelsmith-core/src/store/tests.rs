use super::*;
use crate::name::Digest;
use crate::sys::{self, Env, Host};

pub(super) fn label(text: &str) -> Label {
    text.parse().unwrap()
}

fn commit_id() -> CommitId {
    "0123456789abcdef0123456789abcdef01234567".parse().unwrap()
}

/// A store in a temporary directory, which also has the input files.
struct World {
    dir: tempfile::TempDir,
    store: Store,
}

impl World {
    fn new() -> Self {
        let dir = sys::fs::temp_dir().unwrap();
        let url = dir.path().join("store").display().to_string();
        let store = Store::init_with(&url, &Host::quiet(Env::default())).unwrap();
        Self { dir, store }
    }

    /// Returns a set of these files, which are written to the directory of inputs.
    fn set(&self, slot: &str, files: &[(&str, &str)]) -> Set {
        let mut set = Set::new(label("demo"), label("1.0+é b"), label(slot));
        set.commit = Some(commit_id());
        for (path, text) in files {
            let at = self.dir.path().join(path);
            sys::fs::create_dir_all(at.parent().unwrap()).unwrap();
            sys::fs::write(&at, text).unwrap();
            set.files.push(StoredFile {
                path: path.parse().unwrap(),
                sha256: Digest::of(text),
                size_bytes: text.len() as u64,
                mode: Mode::Executable,
                kind: FileKind::Runtime,
                target: None,
                verdict: None,
                aliases: vec!["also".to_owned()],
            });
        }
        set
    }

    fn put(&self, set: &Set) -> (SetId, Sent) {
        self.store.put_set(set, |file| self.dir.path().join(file.path.as_str())).unwrap()
    }

    fn path(&self, key: &Key) -> std::path::PathBuf {
        self.dir.path().join("store").join(key.as_str())
    }
}

#[test]
fn a_set_comes_back_as_it_was() {
    let world = World::new();
    let set = world.set("any", &[("a/prog ü+1", "hello"), ("b/other", "hello")]);
    let (id, moved) = world.put(&set);
    assert_eq!(moved, Sent { files: 1, bytes: 5, present: 0 });
    assert_eq!(world.put(&set), (id, Sent { files: 0, bytes: 0, present: 1 }));
    assert_eq!(world.store.set(&id).unwrap(), set);
    let key = Key::commit(&commit_id(), &set.slot);
    assert!(world.store.refer(&key, &id).unwrap());
    assert!(!world.store.refer(&key, &id).unwrap());
    let out = world.dir.path().join("out");
    world.store.fetch_set(&set, &out).unwrap();
    world.store.fetch_set(&set, &out).unwrap();
    assert_eq!(sys::fs::read_to_string(out.join("a/prog ü+1")).unwrap(), "hello");
    assert!(sys::fs::is_executable(&out.join("a/prog ü+1")).unwrap());
    assert_eq!(sys::fs::read_to_string(out.join("b/also")).unwrap(), "hello");
    let found = world.store.commit(&commit_id()).unwrap();
    assert_eq!(found, [(label("any"), id, set)]);
    assert_eq!(world.store.commits().unwrap().into_iter().collect::<Vec<_>>(), [commit_id()]);
}

#[test]
fn a_reference_is_written_once() {
    let world = World::new();
    let (one, _) = world.put(&world.set("any", &[("a", "1")]));
    let (two, _) = world.put(&world.set("any", &[("a", "2")]));
    let key = Key::commit(&commit_id(), &label("any"));
    world.store.refer(&key, &one).unwrap();
    let error = world.store.refer(&key, &two).unwrap_err().to_string();
    assert!(error.contains(&one.to_string()) && error.contains(&two.to_string()), "{error}");
    let absent = SetId(Digest::of("absent"));
    let error = world.store.refer(&Key::pin(&label("p")), &absent).unwrap_err();
    assert!(matches!(error, Error::Absent { .. }), "{error}");
    assert!(world.store.reference(&Key::pin(&label("p"))).unwrap().is_none());
}

#[test]
fn a_reference_is_compared_with_its_set() {
    let world = World::new();
    let set = world.set("any", &[("a", "1")]);
    let (id, _) = world.put(&set);
    let other: CommitId = "f".repeat(40).parse().unwrap();
    let wrong = [
        Key::commit(&commit_id(), &label("x")),
        Key::commit(&other, &set.slot),
        Key::inputs(&Digest::of("i")),
        Key::parse("odd/a.json").unwrap(),
    ];
    for key in &wrong {
        let error = world.store.refer(key, &id).unwrap_err();
        assert!(matches!(error, Error::Set { .. }), "{error}");
    }
    // Another program wrote it.
    for key in &wrong[..3] {
        sys::fs::create_dir_all(world.path(key).parent().unwrap()).unwrap();
        let text = format!("{{\"schema\":1,\"set\":\"{id}\"}}\n");
        sys::fs::write(world.path(key), text).unwrap();
        assert!(matches!(world.store.referred(key), Err(Error::Corrupt { .. })));
    }
    assert_eq!(world.store.verify(true).unwrap().faults.len(), 3);
    assert!(world.store.commit(&other).is_err());
}

#[test]
fn a_bundle_brings_neither_inputs_nor_pins() {
    let here = World::new();
    let (id, _) = here.put(&here.set("any", &[("a", "one")]));
    let pin = Key::pin(&label("p"));
    here.store.refer(&pin, &id).unwrap();
    let path = here.dir.path().join("b.tar");
    here.store.export(&[pin], &[], &path).unwrap();
    let error = World::new().store.import(&path).unwrap_err().to_string();
    assert!(error.contains("pin/p.json"), "{error}");
    sys::fs::write(&path, [0; 1024]).unwrap();
    assert!(matches!(here.store.import(&path), Err(Error::Bundle { .. })));
}

#[test]
fn a_channel_counts_its_changes() {
    let world = World::new();
    let (set, _) = world.put(&world.set("any", &[("a", "1")]));
    let digest = Digest::of("plan");
    world.store.put_blob(&Body::bytes(b"plan")).unwrap();
    let release = ReleaseReference { schema: SCHEMA, set, plan: digest, sums: digest };
    let (demo, stable) = (label("demo"), label("stable"));
    assert!(world.store.set_channel(&demo, &stable, &label("1.0")).is_err(), "no release yet");
    for version in ["1.0", "2.0"] {
        assert!(world.store.put_release(&demo, &label(version), &release).unwrap());
        assert!(!world.store.put_release(&demo, &label(version), &release).unwrap());
    }
    let other = ReleaseReference { sums: Digest::of("absent"), ..release };
    assert!(world.store.put_release(&demo, &label("3.0"), &other).is_err());
    let serial =
        |version: &str| world.store.set_channel(&demo, &stable, &label(version)).unwrap().serial;
    assert_eq!([serial("1.0"), serial("2.0"), serial("2.0"), serial("1.0")], [1, 2, 2, 3]);
    assert_eq!(world.store.channel(&demo, &stable).unwrap().unwrap().release, label("1.0"));
    // A stale writer changes nothing.
    let key = Key::channel(&demo, &stable);
    assert!(!world.store.engine.swap(&key, Some(b"stale"), b"x").unwrap());
    assert!(!world.store.engine.swap(&key, None, b"x").unwrap());
}

#[test]
fn a_damaged_file_is_an_error_and_is_replaced() {
    let world = World::new();
    let set = world.set("any", &[("a", "hello")]);
    let (id, _) = world.put(&set);
    let digest = &set.files[0].sha256;
    for damaged in ["hellO", "hell", "hello!", ""] {
        sys::fs::write(world.path(&Key::blob(digest)), damaged).unwrap();
        let out = world.dir.path().join("out");
        let error = world.store.fetch_set(&set, &out).unwrap_err();
        assert!(matches!(error, Error::Corrupt { .. }), "{error}");
        assert!(sys::fs::walk(&out).unwrap().is_empty());
        assert_eq!(world.put(&set).1.files, 1);
        world.store.verify_blob(digest, 5).unwrap();
    }
    let key = Key::set(&id);
    let whole = sys::fs::read(world.path(&key)).unwrap();
    for damaged in [&whole[..whole.len() - 1], b"", b"{\"schema\":2}\n"] {
        sys::fs::write(world.path(&key), damaged).unwrap();
        assert!(matches!(world.store.set(&id), Err(Error::Corrupt { .. })));
        world.put(&set);
        assert_eq!(world.store.set(&id).unwrap(), set);
    }
    // A file that changed after its digest was computed is not stored.
    let mut changed = world.set("any", &[("b", "one")]);
    changed.files[0].sha256 = Digest::of("two");
    let path = |file: &StoredFile| world.dir.path().join(file.path.as_str());
    assert!(world.store.put_set(&changed, path).is_err());
    assert!(!world.path(&Key::blob(&Digest::of("two"))).exists());
    assert!(sys::fs::list(&world.dir.path().join("store/.unfinished")).unwrap().is_empty());
}

#[test]
fn only_canonical_sets_are_sets() {
    let world = World::new();
    let set = world.set("any", &[("a", "x"), ("b/c", "y")]);
    let key = Key::set(&set.id());
    let parse = |text: &[u8]| Set::parse(text, &key);
    let text = String::from_utf8(set.to_json()).unwrap();
    assert_eq!(parse(text.as_bytes()).unwrap(), set);
    for (from, to) in [
        ("\n", ""),
        ("{\"schema\":1", "{ \"schema\":1"),
        ("{\"schema\":1", "{\"schema\":2"),
        ("\"dirty\":false", "\"dirty\":false,\"more\":1"),
        ("\"path\":\"a\"", "\"path\":\"c\""),
        ("\"path\":\"a\"", "\"path\":\"../a\""),
        ("\"path\":\"a\"", "\"path\":\"b\""),
        ("\"path\":\"a\"", "\"path\":\"b/c\""),
        ("\"path\":\"a\"", "\"path\":\"also\""),
        ("[\"also\"]", "[\"../also\"]"),
        ("\"0755\"", "\"0777\""),
    ] {
        let changed = text.replace(from, to);
        assert!(changed != text && parse(changed.as_bytes()).is_err(), "{from} -> {to}");
    }
}

#[test]
fn kinds_follow_from_names() {
    let check = |name: &str, kind: FileKind| {
        assert_eq!(FileKind::of_name(name, &label("My.pkg")), kind, "{name}");
    };
    check("demo-1.0-py3-none-any.whl", FileKind::Wheel);
    check("demo-1.0.tar.gz", FileKind::Sdist);
    check("demo-1.0-x86_64-unknown-linux-gnu.tar.gz", FileKind::Archive);
    check("my-pkg-1.0.tar.gz", FileKind::Sdist);
    check("my-pkg-1.0-src.tar.gz", FileKind::Archive);
    check("demo-1.0.tgz", FileKind::Npm);
    check("demo-1.0.crate", FileKind::Crate);
    check("demo-1.0.cdx.json", FileKind::Sbom);
    check("SHA256SUMS", FileKind::Report);
    check("README", FileKind::Other);
}

#[test]
fn only_a_store_is_opened() {
    let dir = sys::fs::temp_dir().unwrap();
    let url = dir.path().display().to_string();
    let host = Host::quiet(Env::default());
    let open = |url: &str| Store::open_with(url, &host);
    assert!(matches!(open(&url), Err(Error::NoStore { .. })));
    assert!(matches!(open(""), Err(Error::Url { .. })));
    assert!(matches!(open("ftp://host/x"), Err(Error::Url { .. })));
    let said = open("https://user:tok@h/s@").unwrap_err().to_string();
    assert!(said.contains("https://h/s@") && !said.contains("tok"), "{said}");
    sys::fs::write(dir.path().join("wheelsmith-store.json"), "{\"schema\":9}\n").unwrap();
    assert!(matches!(open(&url), Err(Error::Schema { schema: 9, .. })));
}

/// Makes every object that is there `days` older.
fn age(world: &World, days: u64) {
    let root = world.dir.path().join("store");
    for file in sys::fs::walk(&root).unwrap() {
        let old = std::time::Duration::from_secs(days * 24 * 3600);
        let file = fs_err::OpenOptions::new().append(true).open(file.path).unwrap();
        let then = file.metadata().unwrap().modified().unwrap() - old;
        file.file().set_modified(then).unwrap();
    }
}

#[test]
fn garbage_is_what_nothing_keeps_and_is_old() {
    let world = World::new();
    let put = |text: &str| {
        let set = world.set("any", &[("a", text)]);
        (world.put(&set).0, Key::blob(&Digest::of(text)).to_string())
    };
    let (released, _) = put("released");
    let (pinned, _) = put("pinned");
    let (built, built_blob) = put("built");
    let (lost, lost_blob) = put("lost");
    let plan = Digest::of("plan");
    world.store.put_blob(&Body::bytes(b"plan")).unwrap();
    let release = ReleaseReference { schema: SCHEMA, set: released, plan, sums: plan };
    world.store.put_release(&label("demo"), &label("1.0"), &release).unwrap();
    world.store.refer(&Key::pin(&label("p")), &pinned).unwrap();
    let commit = Key::commit(&commit_id(), &label("any"));
    world.store.refer(&commit, &built).unwrap();
    let listed = || world.store.garbage(30).unwrap();
    assert!(world.store.garbage(u64::MAX).unwrap().keys.is_empty());
    assert!(listed().keys.is_empty(), "everything is young");
    age(&world, 3);
    let expected = vec![Key::set(&lost).to_string(), lost_blob];
    assert_eq!(listed().keys, expected);
    // A file that is stored again is young again.
    put("lost");
    assert!(listed().keys.is_empty());
    age(&world, 40);
    // So is a reference.
    world.store.refer(&commit, &built).unwrap();
    assert!(!listed().keys.contains(&commit.to_string()));
    age(&world, 40);
    let garbage = listed();
    assert_eq!(garbage.keys.first(), Some(&commit.to_string()));
    assert_eq!(garbage.keys.len(), 5);
    assert!(garbage.keys.contains(&built_blob));
    let wrong = world.store.collect(30, &Digest::of("another")).unwrap_err();
    assert!(matches!(wrong, Error::Garbage { .. }), "{wrong}");
    assert_eq!(listed(), garbage);
    assert_eq!(world.store.collect(30, &garbage.digest).unwrap(), garbage);
    assert!(listed().keys.is_empty());
    let verified = world.store.verify(false).unwrap();
    assert_eq!((verified.sets, verified.files, verified.faults.len()), (2, 3, 0));
}

#[test]
fn a_verification_names_every_fault() {
    let world = World::new();
    let set = world.set("any", &[("a", "one"), ("b/c", "two")]);
    let (id, _) = world.put(&set);
    world.store.refer(&Key::commit(&commit_id(), &set.slot), &id).unwrap();
    assert_eq!(world.store.verify(false).unwrap().faults, []);
    let one = world.path(&Key::blob(&Digest::of("one")));
    sys::fs::write(&one, "onE").unwrap();
    assert_eq!(world.store.verify(true).unwrap().faults.len(), 0);
    assert_eq!(world.store.verify(false).unwrap().faults.len(), 1);
    sys::fs::remove_file(&one).unwrap();
    sys::fs::write(world.path(&Key::commit(&commit_id(), &label("x"))), "{}").unwrap();
    let dangling = Key::pin(&label("p"));
    sys::fs::create_dir_all(world.path(&dangling).parent().unwrap()).unwrap();
    let text = format!("{{\"schema\":1,\"set\":\"{}\"}}\n", SetId(Digest::of("absent")));
    sys::fs::write(world.path(&dangling), text).unwrap();
    let faults = world.store.verify(false).unwrap().faults;
    let keys: Vec<&str> = faults.iter().map(|fault| fault.key.split('/').next().unwrap()).collect();
    assert_eq!(keys, ["commit", "pin", "sets"]);
}

#[test]
fn a_bundle_moves_sets_with_their_references() {
    let (here, there) = (World::new(), World::new());
    let slot = "long".repeat(40);
    let set = here.set(&slot, &[("a", "one"), ("b/c", "two"), ("d/e", "one")]);
    let (id, _) = here.put(&set);
    let key = Key::commit(&commit_id(), &set.slot);
    here.store.refer(&key, &id).unwrap();
    let path = here.dir.path().join("b.tar");
    let moved = here.store.export(std::slice::from_ref(&key), &[], &path).unwrap();
    assert_eq!(moved.files, 2);
    let bytes = sys::fs::read(&path).unwrap();
    here.store.export(std::slice::from_ref(&key), &[], &path).unwrap();
    assert_eq!(sys::fs::read(&path).unwrap(), bytes, "the same bytes each time");
    assert_eq!(there.store.import(&path).unwrap().files, 2);
    assert_eq!(there.store.import(&path).unwrap().files, 0);
    assert_eq!(there.store.commit(&commit_id()).unwrap(), [(set.slot.clone(), id, set)]);
    assert_eq!(there.store.verify(false).unwrap().faults, []);
    // Each damage is an error, and nothing dangles.
    for at in (0..bytes.len()).step_by(448) {
        let fresh = World::new();
        let cut = fresh.dir.path().join("cut.tar");
        sys::fs::write(&cut, &bytes[..at]).unwrap();
        if at + 1024 < bytes.len() {
            assert!(fresh.store.import(&cut).is_err(), "cut at {at}");
        }
        assert_eq!(fresh.store.verify(false).unwrap().faults, []);
        let mut flipped = bytes.clone();
        flipped[at] ^= 1;
        sys::fs::write(&cut, &flipped).unwrap();
        let _ = fresh.store.import(&cut);
        assert_eq!(fresh.store.verify(false).unwrap().faults, [], "flipped at {at}");
    }
    let other = there.set(&slot, &[("a", "other")]);
    let (other_id, _) = there.put(&other);
    let clash = World::new();
    clash.put(&clash.set(&slot, &[("a", "other")]));
    clash.store.refer(&key, &other_id).unwrap();
    assert!(matches!(clash.store.import(&path), Err(Error::Conflict { .. })));
}

#[test]
fn files_of_a_directory_are_described() {
    let dir = sys::fs::temp_dir().unwrap();
    let at = |path: &str| dir.path().join(path);
    sys::fs::create_dir_all(at("lib")).unwrap();
    sys::fs::write(at("lib/libx.so.1.2"), "x").unwrap();
    sys::fs::write(at("prog.sh"), "#!/bin/sh\n").unwrap();
    sys::fs::set_executable(&at("prog.sh"), true).unwrap();
    let host = Host::quiet(Env::default());
    let files = |kind| {
        describe(dir.path(), kind, &Set::new(label("demo"), label("1"), label("any")), &host)
    };
    #[cfg(unix)]
    {
        sys::fs::symlink("libx.so.1.2", &at("lib/libx.so.1")).unwrap();
        sys::fs::symlink("libx.so.1", &at("lib/libx.so")).unwrap();
        let found = files(Some(FileKind::Runtime)).unwrap();
        assert_eq!(found[0].aliases, ["libx.so", "libx.so.1"]);
        assert_eq!(
            found.iter().map(|file| file.path.as_str()).collect::<Vec<_>>(),
            ["lib/libx.so.1.2", "prog.sh"]
        );
        assert_eq!((found[0].mode, found[1].mode), (Mode::Plain, Mode::Executable));
        for target in ["../prog.sh", "absent", "libx.so.9"] {
            sys::fs::symlink(target, &at("lib/libx.so.9")).unwrap();
            assert!(files(None).unwrap_err().to_string().contains("lib/libx.so.9"));
            sys::fs::remove_file(at("lib/libx.so.9")).unwrap();
        }
    }
    assert_eq!(files(None).unwrap()[1].kind, FileKind::Program);
}
