//! The library reads only the environment that it is given, prints nothing, and ends no process,
//! because build scripts and servers use it. Lints check new code; this test checks all sources.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests are a world of their own"
)]

use std::fs;
use std::path::{Path, PathBuf};

fn sources(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|suffix| suffix == "rs") {
            files.push(path);
        }
    }
    files
}

#[test]
fn nothing_reads_the_environment_prints_or_exits() {
    // Where each word may stand; nowhere when empty.
    let words = [
        ("env::var", "sys/env.rs"),
        ("env::set_var", ""),
        ("env::current_dir", ""),
        ("println!", ""),
        ("print!(", ""),
        ("dbg!(", ""),
        ("io::stdout", ""),
        ("io::stderr", ""),
        ("process::exit", ""),
        ("process::abort", ""),
    ];
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = sources(&src);
    assert!(files.len() > 100, "{}", files.len());
    for file in files {
        let name = file.strip_prefix(&src).unwrap().to_string_lossy().replace('\\', "/");
        let text = fs::read_to_string(&file).unwrap();
        // Tests stand at the end of a file, or in one of their own.
        let code = text.split("\nmod tests {").next().unwrap();
        if name.contains("tests") {
            continue;
        }
        for (number, line) in code.lines().enumerate() {
            let line = line.trim_start();
            if line.starts_with("//") {
                continue;
            }
            for (word, place) in words {
                let found = line.contains(word) && name != place;
                assert!(!found, "{name}:{}: `{word}` in `{line}`", number + 1);
            }
        }
    }
}
