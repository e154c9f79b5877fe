//! Edits one Mach-O or PE file, for scripts that compare the result with what other tools say.
//!
//! ```text
//! patch-foreign IN OUT [--id NAME] [--rename OLD NEW]… [--rpath PATH]… [--no-rpath]
//! ```
//!
//! Exits with 1 and the reason when the file is refused.
#![allow(clippy::print_stderr, reason = "the reason is the answer")]

use std::path::Path;
use std::process::ExitCode;

use wheelsmith_core::binary::Format;
use wheelsmith_core::patch::{Edit, Search, macho, pe};
use wheelsmith_core::sys::fs;

fn main() -> ExitCode {
    match run(std::env::args().skip(1)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn run(mut args: impl Iterator<Item = String>) -> Result<(), Box<dyn std::error::Error>> {
    let mut next = |what: &str| args.next().ok_or_else(|| format!("{what} is missing"));
    let (input, output) = (next("IN")?, next("OUT")?);
    let mut edit = Edit::default();
    let mut rpaths = Vec::new();
    while let Ok(option) = next("option") {
        match option.as_str() {
            "--id" => edit.id = Some(next("NAME")?),
            "--rename" => {
                edit.renamed.insert(next("OLD")?, next("NEW")?);
            }
            "--rpath" => rpaths.push(next("PATH")?),
            "--no-rpath" => edit.search = Search::Nowhere,
            other => return Err(format!("`{other}` is no option").into()),
        }
    }
    if !rpaths.is_empty() {
        edit.search = Search::Rpath(rpaths);
    }
    let bytes = fs::read(Path::new(&input))?;
    let after = match Format::of(&bytes) {
        Some(Format::MachO) => macho::apply(&bytes, &edit)?,
        Some(Format::Pe) => pe::apply(&bytes, &edit)?,
        _ => return Err("it is neither a Mach-O nor a PE file".into()),
    };
    fs::write_atomic(Path::new(&output), &after)?;
    Ok(())
}
