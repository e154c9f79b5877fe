//! Edits one ELF file, for `scripts/patch-matrix.py`:
//!
//! `patch-elf IN OUT [--strip] [--id NAME] [--rename OLD NEW]… [--drop NAME]… [--rpath PATHS]
//! [--runpath PATHS]`, and prints the layout as JSON.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a tool for tests"
)]

use wheelsmith_core::patch::{Edit, Search, apply, elf};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (input, output) = (arguments.next().unwrap(), arguments.next().unwrap());
    let mut bytes = std::fs::read(&input)?;
    let mut edit = Edit::default();
    while let Some(option) = arguments.next() {
        if option == "--strip" {
            bytes = elf::strip(&bytes)?;
            continue;
        }
        let value = arguments.next().unwrap();
        let paths = || value.split(':').map(str::to_owned).collect();
        match option.as_str() {
            "--id" => edit.id = Some(value),
            "--rename" => drop(edit.renamed.insert(value, arguments.next().unwrap())),
            "--drop" => drop(edit.dropped.insert(value)),
            "--rpath" => edit.search = Search::Rpath(paths()),
            "--runpath" => edit.search = Search::Runpath(paths()),
            _ => return Err(format!("unknown option `{option}`").into()),
        }
    }
    let layout = elf::plan(&bytes, &edit)?;
    let new = apply(&bytes, &edit)?;
    assert_eq!(apply(&new, &edit)?, new, "the same edit again");
    std::fs::write(&output, &new)?;
    println!("{}", serde_json::to_string(&layout)?);
    Ok(())
}
