//! Archives made to exhaust memory or time.

use super::forge::{Entry, Wheel};
use super::{Row, checked, codes};
use crate::check::Options;
use crate::finding::Code;

#[test]
fn limits_hold() {
    super::check(ROWS);
}

pub(super) const ROWS: &[Row] = &[
    (&[Code::OverLimit], |w| w.options.limits.entries = 6),
    (&[Code::OverLimit], |w| w.options.limits.directory_bytes = 100),
    (&[Code::OverLimit], |w| w.options.limits.metadata_bytes = 20),
    (&[Code::OverLimit], |w| w.options.limits.held_bytes = 60),
    (&[Code::EntryPointsSyntax], |w| {
        let lines = (0..50_001).map(|n| format!("x{n} = demo:main\n"));
        let text: String = std::iter::once("[a]\n".to_owned()).chain(lines).collect();
        w.entry("points.txt").content = text.into();
    }),
];

/// Entries that state a size of 0 and unpack to much are read only up to the limit.
#[test]
fn what_is_stated_does_not_count() {
    let zeros = Entry { deflate: true, ..Entry::new("", vec![0; 4 << 20]) };
    let packed = Wheel { zip: super::forge::Zip::default(), ..Wheel::good() };
    let mut wheel = packed;
    let bomb = zeros.pack();
    for n in 0..2000 {
        wheel.zip.entries.push(Entry {
            method: Some(8),
            packed: Some(bomb.clone()),
            ..Entry::new(&format!("demo/{n}.py"), "")
        });
    }
    let checked = checked(&wheel.filename, wheel.bytes(), &Options::default());
    assert!(codes(&checked).contains(&Code::DamagedEntry));
}

#[test]
fn lists_of_faults_end() {
    let mut wheel = Wheel::good();
    for n in 0..5000 {
        wheel.zip.entries.insert(0, Entry::new(&format!("demo/{n}-x.py"), n.to_string()));
    }
    let long = format!("[a]\n{}\n", "x".repeat(1 << 20));
    wheel.entry("points.txt").content = long.into();
    let checked = checked(&wheel.filename, wheel.bytes(), &Options::default());
    assert!(checked.findings.len() < 60, "{}", checked.findings.len());
    assert!(checked.findings.iter().all(|finding| finding.message.len() < 2000));
    assert!(checked.findings.iter().any(|finding| finding.message == "and 4950 more of these"));
}

/// The check returns findings for every truncation, and for every changed byte.
#[test]
fn spoiled_bytes_are_findings() {
    let wheel = Wheel::good();
    let good = wheel.bytes();
    for at in 0..good.len() {
        let cut = checked(&wheel.filename, good[..at].to_vec(), &Options::default());
        assert!(!cut.findings.is_empty(), "cut at {at}");
        let mut bytes = good.clone();
        bytes[at] ^= 0x41;
        checked(&wheel.filename, bytes, &Options::default());
    }
    let sdist = super::Sdist::good();
    let good = sdist.bytes();
    for at in 0..good.len() {
        let cut = checked(&sdist.filename, good[..at].to_vec(), &Options::default());
        assert!(!cut.findings.is_empty(), "cut at {at}");
        let mut bytes = good.clone();
        bytes[at] ^= 0x41;
        checked(&sdist.filename, bytes, &Options::default());
    }
}
