//! Packs the directory of an unpacked wheel, for scripts that compare what programs built for
//! different processors write.
//!
//! ```text
//! pack DIRECTORY OUT LEVEL THREADS
//! ```
#![allow(clippy::print_stderr, reason = "the reason is the answer")]

use std::path::Path;
use std::process::ExitCode;

use wheelsmith_core::sys::{Cancel, fs};
use wheelsmith_core::wheel::{self, Compression, Existing, Options};

fn main() -> ExitCode {
    match run(&std::env::args().skip(1).collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &[String]) -> Result<(), Box<dyn std::error::Error>> {
    let [directory, out, level, threads] = args else {
        return Err("usage: pack DIRECTORY OUT LEVEL THREADS".into());
    };
    let compression = match level.as_str() {
        "store" => Compression::Store,
        "fast" => Compression::Fast,
        "default" => Compression::Default,
        "best" => Compression::Best,
        other => return Err(format!("`{other}` is no level").into()),
    };
    let existing = Existing::from_directory(Path::new(directory))?;
    let filename = existing.filename.clone();
    let wheel = existing.into_wheel(filename)?;
    let out = fs::create(Path::new(out))?;
    let options = Options { compression, threads: threads.parse()?, ..Options::default() };
    wheel::write(&wheel, out, &options, &Cancel::default())?;
    Ok(())
}
