//! Runs the fuzz targets of `fuzz/` without a fuzzer: on their seeds, on every input that once
//! broke one (`fuzz/regressions/`), and for a short time on seeded mutations of both.
//!
//! `WHEELSMITH_FUZZ_SECS` is the time for each target, in seconds.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests are a world of their own"
)]
#![allow(clippy::print_stderr, reason = "who mutates says how often")]
#![allow(unreachable_pub, missing_docs, reason = "some of it is shared with the fuzzer")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

#[path = "../../fuzz/src/seeds.rs"]
mod seeds;
#[path = "../../fuzz/src/targets.rs"]
mod targets;
#[path = "../../fuzz/src/zip_views.rs"]
mod zip_views;

#[path = "fuzz_regressions/mutate.rs"]
mod mutate;

const REGRESSIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/regressions");
/// Time limit for an input: a hundred times what a release build takes on an idle machine.
const LONGEST: Duration = Duration::from_secs(20);

fn hold(name: &str, target: fn(&[u8])) {
    let mut inputs = seeds::of(name);
    assert!(!inputs.is_empty(), "`{name}` has no seeds");
    let kept = std::fs::read_dir(Path::new(REGRESSIONS).join(name));
    for path in kept.into_iter().flatten().map(|entry| entry.unwrap().path()) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        inputs.push((name, std::fs::read(&path).unwrap()));
    }
    inputs.sort();
    for (input, bytes) in &inputs {
        run(name, target, bytes, input);
    }
    let secs = std::env::var("WHEELSMITH_FUZZ_SECS").ok().and_then(|secs| secs.parse().ok());
    let end = Instant::now() + Duration::from_secs(secs.unwrap_or(1));
    // The same inputs in every run; only how many of them there is time for differs.
    let mut random = mutate::Random::new(name);
    let mut count = 0_u64;
    while Instant::now() < end {
        let pick = random.below(inputs.len());
        let other = random.below(inputs.len());
        let bytes = mutate::mutate(&inputs[pick].1, &inputs[other].1, &mut random);
        count += 1;
        run(name, target, &bytes, &format!("mutant {count} of {}", inputs[pick].0));
    }
    eprintln!("{name}: {} inputs, {count} mutants", inputs.len());
}

/// Runs a target; keeps an input that breaks it in the directory that the message names.
fn run(name: &str, target: fn(&[u8]), bytes: &[u8], input: &str) {
    let started = Instant::now();
    let result = catch_unwind(AssertUnwindSafe(|| target(bytes)));
    let took = started.elapsed();
    if result.is_ok() && took < LONGEST {
        return;
    }
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-broken"));
    std::fs::write(&place, bytes).unwrap();
    let what = if result.is_ok() { "takes too long" } else { "panics" };
    panic!(
        "`{name}` {what} ({took:?}) with {input}; once that is mended, keep `{}` in \
         `fuzz/regressions/{name}/` under the name of the fault",
        place.display()
    );
}

macro_rules! targets {
    ($($name:ident)*) => {
        $(#[test] fn $name() { hold(stringify!($name), targets::$name); })*

        #[test]
        fn every_target_is_run() {
            let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/fuzz_targets");
            let files = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
            let mut found: Vec<String> =
                files.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
            found.sort();
            assert_eq!(found, [$(stringify!($name)),*]);
        }
    };
}

targets! { archive check config elf existing hook judge macho patch pe registry source store sums tree wasm wheel wheel_text zip_agrees }

/// Prints what `zipfile` reads: a line of JSON for each file of a directory.
const ZIPFILE: &str = r#"
import json, os, sys, warnings, zipfile
warnings.simplefilter("ignore")
overlaps = "_end_offset" in zipfile.ZipInfo.__slots__
unicode = zipfile.ZipInfo._decodeExtra.__code__.co_argcount > 1
print(json.dumps([overlaps, unicode]))
def read(archive, info):
    try:
        return archive.read(info).hex()
    except Exception:
        return None
for name in sorted(os.listdir(sys.argv[1])):
    try:
        with zipfile.ZipFile(os.path.join(sys.argv[1], name)) as archive:
            entries = [[info.filename, read(archive, info)] for info in archive.infolist()]
    except Exception:
        entries = None
    print(json.dumps(entries))
"#;

#[test]
fn the_model_reads_zips_as_python_does() {
    type Entries = Option<Vec<(String, Option<String>)>>;
    let dir = tempfile::tempdir().unwrap();
    let seeds = seeds::of("zip_agrees");
    let mut random = mutate::Random::new("zip_views");
    let mut inputs: Vec<Vec<u8>> = seeds.iter().map(|(_, bytes)| bytes.clone()).collect();
    while inputs.len() < 800 {
        let (pick, other) = (random.below(seeds.len()), random.below(seeds.len()));
        inputs.push(mutate::mutate(&seeds[pick].1, &seeds[other].1, &mut random));
    }
    for (at, bytes) in inputs.iter().enumerate() {
        std::fs::write(dir.path().join(format!("{at:04}")), bytes).unwrap();
    }
    let python = std::process::Command::new("python3")
        .args(["-I", "-B", "-c", ZIPFILE])
        .arg(dir.path())
        .output();
    let Ok(output) = python else {
        assert!(std::env::var_os("WHEELSMITH_TEST_REQUIRE").is_none(), "there is no python3");
        return eprintln!("skipped: there is no python3");
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let mut lines = text.lines();
    let (refuses_overlaps, reads_unicode_path) =
        serde_json::from_str(lines.next().unwrap()).unwrap();
    let python = zip_views::Python { refuses_overlaps, reads_unicode_path };
    let (mut read, mut refused) = (0, 0);
    for (at, (bytes, line)) in inputs.iter().zip(lines).enumerate() {
        let theirs: Entries = serde_json::from_str(line).unwrap();
        let mut model = zip_views::python(bytes, python);
        match &theirs {
            Some(_) => read += 1,
            None => refused += 1,
        }
        // Newer releases compare the place of the zip64 end record with its locator.
        if theirs.is_none() && bytes.windows(4).any(|mark| mark == b"PK\x06\x07") {
            model = None;
        }
        let mut model: Entries = model.map(|entries| {
            let hex = |bytes: Vec<u8>| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            entries
                .into_iter()
                .map(|entry| {
                    let other = entry.is_other_method.then_some(());
                    (entry.name, entry.content.map(hex).or(other.map(|()| "?".to_owned())))
                })
                .collect()
        });
        // Contents of other methods are not modelled.
        for (own, their) in model.iter_mut().flatten().zip(theirs.iter().flatten()) {
            if own.1.as_deref() == Some("?") {
                own.1.clone_from(&their.1);
            }
        }
        if model != theirs {
            let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join("zip_views-broken");
            std::fs::write(&kept, bytes).unwrap();
            panic!(
                "input {at} (`{}`): zipfile reads {theirs:?}, the model {model:?}",
                kept.display()
            );
        }
    }
    assert_eq!(read + refused, inputs.len());
    assert!(read > 100 && refused > 100, "{read} read, {refused} refused");
}

/// Every reader takes the archives that are not odd, so that agreement is more than refusal.
#[test]
fn honest_zips_are_read_by_all() {
    let python = zip_views::Python { refuses_overlaps: true, reads_unicode_path: true };
    let is_read = |entries: Option<Vec<zip_views::ReadEntry>>| {
        entries.is_some_and(|entries| entries.iter().all(|entry| entry.content.is_some()))
    };
    let dir = tempfile::tempdir().unwrap();
    let host = wheelsmith_core::sys::Host::quiet(wheelsmith_core::sys::Env::default());
    let limits = wheelsmith_core::archive::Limits::default();
    for (name, bytes) in seeds::of("zip_agrees") {
        let is_odd = name.starts_with("odd");
        let path = dir.path().join(format!("{name}.whl"));
        std::fs::write(&path, &bytes).unwrap();
        let opened = wheelsmith_core::archive::Artifact::open(&path, &limits, &host);
        assert_eq!(opened.is_ok_and(|artifact| artifact.findings().is_empty()), !is_odd, "{name}");
        if name == "odd-slack" {
            let entries = zip_views::stream(&bytes).unwrap();
            assert!(entries.iter().any(|entry| entry.name == "hidden"), "{entries:?}");
        }
        if !is_odd {
            assert!(is_read(zip_views::python(&bytes, python)), "{name}");
            // A stream begins with the first entry.
            assert_eq!(is_read(zip_views::stream(&bytes)), name != "prefix", "{name}");
        }
    }
}

#[test]
fn the_seeds_are_good() {
    for (name, bytes) in seeds::of("config") {
        let text = String::from_utf8(bytes).unwrap();
        wheelsmith_core::config::parse(&name, &text).unwrap_or_else(|e| panic!("{e}"));
    }
}
