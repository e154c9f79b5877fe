//! Real wheels for macOS and Windows qualify for their tags.
//!
//! With `WHEELSMITH_TEST_WHEELS=<directory of wheels>`, each macOS and Windows wheel of the
//! directory is judged against each platform tag of its name, and a table is printed. Wheels that
//! do not qualify must be listed here with the reason.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests are a world of their own"
)]
#![allow(clippy::print_stdout, reason = "the table is the point")]

use std::io::Read as _;
use std::path::{Path, PathBuf};

use wheelsmith_core::audit::{self, NativeFile, Requirement};
use wheelsmith_core::finding::Severity;
use wheelsmith_core::name::{PlatformTag, WheelFilename};

/// Wheels that do not qualify for a tag of their name: the beginning of the file name, the tag, the
/// verdict, and the reason.
const DIFFERENCES: &[(&str, &str, &str, &str)] = &[
    (
        "cryptography-46.0.3-",
        "macosx_10_9_universal2",
        "macosx_10_13_universal2",
        "its x86_64 slice says 10.13 (LC_VERSION_MIN_MACOSX)",
    ),
    (
        "protobuf-7.36.2-",
        "macosx_10_9_universal2",
        "macosx_12_0_universal2",
        "both of its slices say 12.0",
    ),
    (
        "PyQt6_Qt6-6.7.3-",
        "win_amd64",
        "no platform tag",
        "some of its plugins need libraries of wheels that are installed beside it, or of databases",
    ),
];

#[test]
fn tags_are_earned() {
    let Some(dir) = std::env::var_os("WHEELSMITH_TEST_WHEELS").map(PathBuf::from) else { return };
    let mut wheels: Vec<PathBuf> =
        std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    wheels.sort();
    let mut unexplained = Vec::new();
    for wheel in &wheels {
        let name = wheel.file_name().unwrap().to_str().unwrap();
        let Ok(filename) = name.parse::<WheelFilename>() else { continue };
        let is_foreign = |tag: &&PlatformTag| {
            matches!(tag, PlatformTag::MacOs { .. } | PlatformTag::Windows { .. })
        };
        let tags: Vec<&PlatformTag> = filename.platforms.iter().filter(is_foreign).collect();
        if tags.is_empty() {
            continue;
        }
        let files = read(wheel);
        for tag in tags {
            let audit = audit::judgement(files.clone(), None, &Requirement::for_tag(tag).unwrap());
            let (claimed, earned) = (tag.to_string(), audit.tag_text());
            let row = DIFFERENCES.iter().find(|(start, tag, found, _)| {
                name.starts_with(start) && *tag == claimed && *found == earned
            });
            println!("{name} ({} files)\n  {claimed}  {earned}", files.len());
            for finding in &audit.findings {
                if finding.severity <= Severity::Warning || std::env::var_os("VERBOSE").is_some() {
                    let file = finding.file.as_ref().map_or("", |file| file.as_str());
                    println!(
                        "  {} {}: {file}: {}",
                        finding.severity.as_str(),
                        finding.code,
                        finding.message
                    );
                }
            }
            if claimed != earned && row.is_none() {
                unexplained.push(format!("{name}: {claimed} {earned}"));
            }
        }
    }
    assert!(unexplained.is_empty(), "{unexplained:#?}");
}

fn read(wheel: &Path) -> Vec<NativeFile> {
    let mut archive = zip::ZipArchive::new(std::fs::File::open(wheel).unwrap()).unwrap();
    let mut files = Vec::new();
    for i in 0..archive.len() {
        let mut entry = archive.by_index(i).unwrap();
        let Ok(path) = entry.name().unwrap().parse() else { continue };
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        files.extend(NativeFile::read(&path, &bytes));
    }
    files
}
