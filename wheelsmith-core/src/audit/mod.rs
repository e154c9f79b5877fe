//! Facts and policies to a verdict: which platform tag a whole wheel earns, and what is in the way.
//!
//! Every file is looked at, wherever it lies and whatever it is called; a wheel is as compatible as
//! the least compatible of them. Nothing here reads a file or asks the machine: the same bytes get
//! the same verdict on every host.
//!
//! Judged are ELF files against the manylinux and musllinux policies. Mach-O and PE files are
//! recognised and reported as not judged.

mod elf;
mod finding;
mod graph;

use std::collections::BTreeMap;

use serde::Serialize;

pub use finding::{Code, Finding, Severity};

use crate::binary::Format;
use crate::binary::elf::Elf;
use crate::name::{Os, PlatformTag, Target, WheelPath};

/// The verdict on the files of a wheel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Audit {
    /// The most compatible platform tag that every file keeps; `any` without native files; nothing
    /// when a file is in the way of every tag.
    pub earned: Option<PlatformTag>,
    /// What was seen, errors first, then by file.
    pub findings: Vec<Finding>,
    /// Each native file's facts, by path.
    pub files: Vec<NativeFile>,
}

/// A native file of a wheel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NativeFile {
    /// Where it lies.
    pub path: WheelPath,
    /// What it is.
    pub format: Format,
    /// What it says of itself, for ELF files that can be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub elf: Option<Elf>,
}

impl Audit {
    /// Whether anything is an error: then no wheel is written.
    pub fn has_errors(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity == Severity::Error)
    }

    /// The tag that was earned, in words.
    pub fn earned_text(&self) -> String {
        self.earned.as_ref().map_or_else(|| "fit for no tag".to_owned(), PlatformTag::to_string)
    }

    /// The newest version that any file asks for in a namespace: `GLIBC` -> `2.17`.
    pub fn newest(&self, namespace: &str) -> Option<String> {
        let elves = self.files.iter().filter_map(|file| file.elf.as_ref());
        let versions = elves.flat_map(|elf| elf.needed_versions.values().flatten());
        let numbers = versions.filter_map(|version| {
            let (found, number) = version.split_once('_')?;
            (found == namespace).then(|| elf::number(number))?.map(|key| (key, number))
        });
        numbers.max().map(|(_, number)| number.to_owned())
    }
}

/// Judges the files of a wheel for `target`: its processor, its C library and its floor.
pub fn audit(files: &[(WheelPath, Vec<u8>)], target: Target) -> Audit {
    let mut natives = Vec::new();
    let mut findings = Vec::new();
    let mut contents = BTreeMap::new();
    for (path, bytes) in files {
        let Some(format) = Format::of(bytes) else { continue };
        let elf = match (format, Elf::parse(bytes)) {
            (Format::Elf, Ok(elf)) => Some(elf),
            (Format::Elf, Err(error)) => {
                findings.push(Finding::new(Code::Unreadable, path, error.to_string()));
                None
            }
            _ => None,
        };
        natives.push(NativeFile { path: path.clone(), format, elf });
        contents.insert(path.clone(), bytes.as_slice());
    }
    natives.sort_by(|a, b| a.path.cmp(&b.path));
    for file in &natives {
        findings.extend(foreign(file, target));
    }
    let earned = if natives.is_empty() {
        Some(PlatformTag::Any)
    } else if let Os::Linux(libc) = target.os() {
        elf::judge(&natives, &contents, target, libc, &mut findings)
    } else {
        Some(target.wanted_tag())
    };
    findings.sort();
    findings.dedup();
    Audit { earned, findings, files: natives }
}

/// Files of another platform or processor, and files that nobody judges.
fn foreign(file: &NativeFile, target: Target) -> Option<Finding> {
    let wanted = match target.os() {
        Os::Linux(_) => Format::Elf,
        Os::MacOs => Format::MachO,
        Os::Windows => Format::Pe,
    };
    let find = |code, message: String| Some(Finding::new(code, &file.path, message));
    match (&file.elf, file.format) {
        (_, Format::Archive) => find(
            Code::NotJudged,
            "static libraries are not judged: what they need shows where they are linked".into(),
        ),
        (_, format) if format != wanted => find(
            Code::WrongPlatform,
            format!("it is a file for {}, the target is {}", platform(format), target.triple()),
        ),
        (Some(elf), _) if elf.arch != Some(target.arch()) => {
            let arch = elf.arch.map_or_else(
                || format!("machine {} of the ELF registry", elf.machine),
                |arch| arch.to_string(),
            );
            find(Code::WrongArch, format!("it is for {arch}, the target is {}", target.arch()))
        }
        (_, format @ (Format::MachO | Format::Pe)) => find(
            Code::NotJudged,
            format!(
                "files for {} are not judged yet: the tag is the one that the target asks for",
                platform(format)
            ),
        ),
        _ => None,
    }
}

fn platform(format: Format) -> &'static str {
    match format {
        Format::Elf => "Linux",
        Format::MachO => "macOS",
        Format::Pe => "Windows",
        Format::Archive => "a linker",
    }
}

#[cfg(test)]
mod tests;
