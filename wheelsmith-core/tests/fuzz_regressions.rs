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

targets! { archive check config elf existing hook judge macho patch pe wheel wheel_text }

#[test]
fn the_seeds_are_good() {
    for (name, bytes) in seeds::of("config") {
        let text = String::from_utf8(bytes).unwrap();
        wheelsmith_core::config::parse(&name, &text).unwrap_or_else(|e| panic!("{e}"));
    }
}
