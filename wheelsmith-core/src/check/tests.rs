//! Tests each rule with a broken file and the exact codes that it gets.

mod archive;
mod contents;
mod differences;
mod forge;
mod hostile;
mod metadata;
mod names;
mod packages;
mod peers;
mod sdists;

use std::collections::BTreeSet;

use self::forge::{Sdist, Wheel};
use super::{Checked, Options};
use crate::archive::Blob;
use crate::finding::{Code, Severity};
use crate::sys::Cancel;

/// Expected codes, the tested one first, and the change to a good wheel that causes them.
type Row = (&'static [Code], fn(&mut Wheel));
type SdistRow = (&'static [Code], fn(&mut Sdist));

fn checked(filename: &str, bytes: Vec<u8>, options: &Options) -> Checked {
    super::check(filename, &Blob::from_bytes(bytes), options, &Cancel::default()).unwrap()
}

fn codes(checked: &Checked) -> BTreeSet<Code> {
    checked.findings.iter().map(|finding| finding.code).collect()
}

/// Returns a message if the codes of one row are not those expected.
fn differ(at: usize, expected: &[Code], checked: &Checked) -> Option<String> {
    let expected: BTreeSet<Code> = expected.iter().copied().collect();
    let told = || {
        let found = checked.findings.iter();
        let found: Vec<String> = found.map(|f| format!("{}: {}", f.code, f.message)).collect();
        format!("row {at}: {expected:?}, not {found:#?}")
    };
    (codes(checked) != expected).then(told)
}

fn check(rows: &[Row]) {
    let wrong = rows.iter().enumerate().filter_map(|(at, (expected, spoil))| {
        let mut wheel = Wheel::good();
        spoil(&mut wheel);
        differ(at, expected, &checked(&wheel.filename, wheel.bytes(), &wheel.options))
    });
    let wrong: Vec<String> = wrong.collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn check_sdists(rows: &[SdistRow]) {
    check_tarballs(Sdist::good, rows);
}

fn check_tarballs(good: fn() -> Sdist, rows: &[SdistRow]) {
    let wrong = rows.iter().enumerate().filter_map(|(at, (expected, spoil))| {
        let mut sdist = good();
        spoil(&mut sdist);
        differ(at, expected, &checked(&sdist.filename, sdist.bytes(), &sdist.options))
    });
    let wrong: Vec<String> = wrong.collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_good_has_no_findings() {
    check(&[(&[], |_| {})]);
    check_sdists(&[(&[], |_| {})]);
}

/// Codes of the audit that the check reports too.
const SHARED: [Code; 8] = [
    Code::Unreadable,
    Code::OverLimit,
    Code::TagsDiffer,
    Code::PurelibWithNative,
    Code::NativeInAny,
    Code::WrongPlatform,
    Code::WrongArch,
    Code::WrongLibc,
];

#[test]
fn every_rule_has_a_broken_file() {
    let wheels =
        [names::ROWS, archive::ROWS, contents::ROWS, metadata::ROWS, hostile::ROWS].concat();
    let mut tried: BTreeSet<Code> =
        wheels.iter().filter_map(|(codes, _)| codes.first().copied()).collect();
    let packages = [sdists::ROWS, packages::NPM, packages::CRATES, packages::ARCHIVES].concat();
    tried.extend(packages.iter().filter_map(|(codes, _)| codes.first()));
    // The codes after them are those of `verify`.
    let own = Code::ALL.iter().skip_while(|code| **code != Code::BadFilename);
    let own = own.take_while(|code| **code != Code::BadSums);
    let untried: Vec<&Code> = own.chain(&SHARED).filter(|code| !tried.contains(code)).collect();
    assert!(untried.is_empty(), "{untried:?}");
    assert!(wheels.len() >= 50);
}

#[test]
fn a_requirement_adds_no_module_to_a_package_of_the_wheel() {
    let worst = |target: &str| {
        let mut wheel = Wheel::good();
        let text = format!("[console_scripts]\ndemo = {target}\n");
        wheel.entry("points.txt").content = text.into();
        wheel.field("Requires-Dist", "click");
        checked(&wheel.filename, wheel.bytes(), &wheel.options).findings[0].severity
    };
    assert_eq!(worst("demo.cli:main"), Severity::Error);
    assert_eq!(worst("click.cli:main"), Severity::Warning);
}

#[test]
fn a_private_index_takes_more() {
    let worst = |index, spoil: fn(&mut Wheel)| {
        let mut wheel = Wheel::good();
        spoil(&mut wheel);
        wheel.options.index = index;
        let checked = checked(&wheel.filename, wheel.bytes(), &wheel.options);
        checked.findings.first().map(|finding| finding.severity)
    };
    let check = |spoil, pypi, private| {
        assert_eq!(worst(super::Index::Pypi, spoil), pypi);
        assert_eq!(worst(super::Index::Private, spoil), private);
    };
    let (error, warning) = (Some(Severity::Error), Some(Severity::Warning));
    check(|w| w.rename("demo-1.0+cu12-py3-none-any.whl"), error, warning);
    check(|w| w.rename("demo-1.0-py3-none-freebsd_14_amd64.whl"), error, None);
    check(|w| w.field("Classifier", "Topic :: Nonsense"), error, warning);
    check(|w| w.entry("run.py").crc = Some(1), error, error);
}
