//! Counts the lines, words and bytes of standard input.

use std::io::{Read as _, Write as _};
use std::process::ExitCode;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tally: {error}");
            ExitCode::from(2)
        }
    }
}

fn run() -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    match std::env::args().nth(1).as_deref() {
        None => {}
        Some("--version") => return writeln!(out, "tally {}", env!("CARGO_PKG_VERSION")),
        Some(other) => {
            let message = format!("unknown argument `{other}`; it reads standard input");
            return Err(std::io::Error::other(message));
        }
    }
    let mut text = Vec::new();
    std::io::stdin().lock().read_to_end(&mut text)?;
    let lines = text.iter().filter(|byte| **byte == b'\n').count();
    let words = text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).count();
    writeln!(out, "{{\"lines\": {lines}, \"words\": {words}, \"bytes\": {}}}", text.len())
}
