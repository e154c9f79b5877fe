//! Compares the results with those of other tools on the broken wheels. The docs contain the table;
//! `UPDATE=1` writes it.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "tests ask other programs, and say when they cannot"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Wheel;
use crate::finding::Code;

pub(super) const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
const BEGIN: &str = "<!-- peers: made by a test -->\n";
const END: &str = "<!-- end of peers -->\n";
const PEERS: [(&str, &str); 5] = [
    ("pip", "pip"),
    ("uv", "uv"),
    ("installer", "`installer`"),
    ("check_wheel_contents", "check-wheel-contents"),
    ("twine", "`twine check`"),
];

/// Number of wheels of a code, and number of them that each tool refuses.
#[derive(Default)]
struct Count {
    wheels: usize,
    refused: BTreeMap<&'static str, usize>,
}

#[test]
fn the_table_of_peers_is_true() {
    let Some(python) = python() else { return };
    let dir = tempfile::tempdir().unwrap();
    let rows = [super::names::ROWS, super::archive::ROWS, super::contents::ROWS];
    let rows = [rows.concat(), super::metadata::ROWS.to_vec()].concat();
    let mut codes: Vec<Option<Code>> = Vec::new();
    let mut write = |code: Option<Code>, wheel: &Wheel| {
        let place = dir.path().join(codes.len().to_string());
        std::fs::create_dir(&place).unwrap();
        std::fs::write(place.join(&wheel.filename), wheel.bytes()).unwrap();
        codes.push(code);
    };
    write(None, &Wheel::good());
    for (expected, spoil) in rows {
        let mut wheel = Wheel::good();
        spoil(&mut wheel);
        // Only this crate has the limits.
        if wheel.bytes() != Wheel::good().bytes() || wheel.filename != Wheel::good().filename {
            write(expected.first().copied(), &wheel);
        }
    }
    let script = Path::new(ROOT).join("tests/judges/see_broken.py");
    let output = Command::new(python).arg(script).arg(dir.path()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let answers: BTreeMap<usize, BTreeMap<String, Option<String>>> =
        serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answers.len(), codes.len());
    let good = &answers[&0];
    assert!(good.values().all(Option::is_none), "the good wheel: {good:?}");

    let mut counts: BTreeMap<Code, Count> = BTreeMap::new();
    for (at, code) in codes.iter().enumerate() {
        let Some(code) = code else { continue };
        let count = counts.entry(*code).or_default();
        count.wheels += 1;
        for (name, _) in PEERS {
            let refuses = answers[&at].get(name).is_some_and(Option::is_some);
            *count.refused.entry(name).or_default() += usize::from(refuses);
        }
    }
    let page = Path::new(ROOT).join("docs/reference/check-peers.md");
    let old = std::fs::read_to_string(&page).unwrap();
    let (before, rest) = old.split_once(BEGIN).unwrap();
    let (_, behind) = rest.split_once(END).unwrap();
    let new = format!("{before}{BEGIN}{}{END}{behind}", table(&counts));
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&page, new).unwrap();
    } else {
        assert!(old == new, "the table of peers is not true any more; it would be:\n{new}");
    }
}

fn table(counts: &BTreeMap<Code, Count>) -> String {
    let titles = PEERS.map(|(_, title)| title).join(" | ");
    let mut text = format!("| code | {titles} |\n|---|{}\n", "---|".repeat(PEERS.len()));
    for (code, count) in counts {
        let cell = |name: &str| match count.refused[name] {
            0 => "–".to_owned(),
            n if n == count.wheels => "refuses".to_owned(),
            n => format!("{n} of {}", count.wheels),
        };
        let cells = PEERS.map(|(name, _)| cell(name)).join(" | ");
        let _ = writeln!(text, "| [{code}](findings/{code}.md) | {cells} |");
    }
    text
}

/// Returns the Python of the other tools, if they are installed.
pub(super) fn python() -> Option<PathBuf> {
    let required = std::env::var_os("WHEELSMITH_TEST_REQUIRE").is_some();
    let dir = std::env::var_os("WHEELSMITH_TEST_ENV").map(PathBuf::from);
    let found = dir.map(|dir| dir.join("judges/bin/python")).filter(|python| python.is_file());
    assert!(found.is_some() || !required, "the judges were not prepared");
    if found.is_none() {
        eprintln!("skipped the table of peers: run scripts/test.sh, which prepares the judges");
    }
    found
}
