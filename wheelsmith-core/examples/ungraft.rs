//! Undoes a repair, for `scripts/bench-repair.py`: removes the grafted libraries from a Linux wheel
//! and restores their original names.
//!
//! `ungraft WHEEL OUT-WHEEL LIBRARY-DIRECTORY` prints the original name of each removed library.
#![allow(
    clippy::disallowed_methods,
    clippy::case_sensitive_file_extension_comparisons,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a tool for measuring"
)]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::Path;

use wheelsmith_core::binary::Format;
use wheelsmith_core::patch::{Edit, Search, apply};
use zip::write::SimpleFileOptions;

/// `libfoo-1a2b3c4d.so.1` -> `libfoo.so.1`.
fn plain(name: &str) -> String {
    let (base, rest) = name.split_once('.').unwrap_or((name, ""));
    match base.rsplit_once('-') {
        Some((front, hash)) if hash.len() >= 8 && hash.bytes().all(|b| b.is_ascii_hexdigit()) => {
            format!("{front}.{rest}")
        }
        _ => name.to_owned(),
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [input, output, libraries] = &arguments[..] else {
        return Err("usage: ungraft WHEEL OUT-WHEEL LIBRARY-DIRECTORY".into());
    };
    let mut wheel = zip::ZipArchive::new(File::open(input)?)?;
    let mut files: BTreeMap<String, (Vec<u8>, u32)> = BTreeMap::new();
    for at in 0..wheel.len() {
        let mut entry = wheel.by_index(at)?;
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes)?;
        let name = entry.name()?.into_owned();
        if !name.ends_with('/') {
            files.insert(name, (bytes, entry.unix_mode().unwrap_or(0o644)));
        }
    }
    let is_graft = |name: &str| name.split_once('/').is_some_and(|(top, _)| top.ends_with(".libs"));
    let renamed: BTreeMap<String, String> = (files.keys())
        .filter(|name| is_graft(name))
        .filter_map(|name| name.rsplit('/').next())
        .map(|name| (name.to_owned(), plain(name)))
        .filter(|(old, new)| old != new)
        .collect();
    fs::create_dir_all(libraries)?;
    let mut wheel = zip::ZipWriter::new(File::create(output)?);
    for (name, (bytes, mode)) in files {
        let options = SimpleFileOptions::default().unix_permissions(mode);
        if name.ends_with(".dist-info/RECORD") || name.contains("/sboms/auditwheel") {
            continue;
        }
        if Format::of(&bytes) != Some(Format::Elf) {
            wheel.start_file(&name, options)?;
            wheel.write_all(&bytes)?;
            continue;
        }
        let mut edit =
            Edit { renamed: renamed.clone(), search: Search::Nowhere, ..Edit::default() };
        let file = name.rsplit('/').next().unwrap_or(&name);
        if is_graft(&name) {
            edit.id = Some(plain(file));
            fs::write(Path::new(libraries).join(plain(file)), apply(&bytes, &edit)?)?;
            println!("{}", plain(file));
        } else {
            wheel.start_file(&name, options)?;
            wheel.write_all(&apply(&bytes, &edit)?)?;
        }
    }
    // Whoever repairs it writes its own.
    wheel.start_file(record(output)?, SimpleFileOptions::default())?;
    wheel.finish()?;
    Ok(())
}

fn record(wheel: &str) -> Result<String, Box<dyn std::error::Error>> {
    let name = Path::new(wheel).file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let mut parts = name.split('-');
    let (Some(name), Some(version)) = (parts.next(), parts.next()) else {
        return Err("it has no name of a wheel".into());
    };
    Ok(format!("{name}-{version}.dist-info/RECORD"))
}
