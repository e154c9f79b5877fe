//! Facts and policies to a verdict: which platform tag a whole wheel earns, and what is in the way.
//!
//! Every file is looked at, wherever it lies and whatever it is called; a wheel is as compatible as
//! the least compatible of them. Nothing here reads a file or asks the machine: the same bytes get
//! the same verdict on every host.
//!
//! Judged are ELF files against the manylinux and musllinux policies, Mach-O files against macOS
//! tags, PE files against Windows tags. What lies in static libraries is not judged.

mod dyld;
mod elf;
mod finding;
mod graph;
mod macho;
mod pe;
mod wanted;

use std::collections::BTreeMap;

use serde::Serialize;

pub use finding::{Code, Finding, Severity};

use self::wanted::{System, Wanted};
use crate::binary::elf::Elf;
use crate::binary::macho::MachO;
use crate::binary::pe::Pe;
use crate::binary::{self, Format};
use crate::name::{PlatformTag, Target, WheelPath};

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
    /// What it says of itself, for Mach-O files that can be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub macho: Option<MachO>,
    /// What it says of itself, for PE files that can be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pe: Option<Pe>,
}

impl NativeFile {
    fn read(path: &WheelPath, format: Format, bytes: &[u8]) -> Result<Self, binary::Error> {
        let mut file = Self::unread(path, format);
        match format {
            Format::Elf => file.elf = Some(Elf::parse(bytes)?),
            Format::MachO => file.macho = Some(MachO::parse(bytes)?),
            Format::Pe => file.pe = Some(Pe::parse(bytes)?),
            Format::Archive => {}
        }
        Ok(file)
    }

    fn unread(path: &WheelPath, format: Format) -> Self {
        Self { path: path.clone(), format, elf: None, macho: None, pe: None }
    }
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
    judge(files, &Wanted::by_target(target))
}

/// Judges the files of a wheel by a platform tag that it claims; nothing for tags that promise
/// nothing (`any`, `linux_x86_64`), or of which nothing is known.
pub fn audit_tag(files: &[(WheelPath, Vec<u8>)], tag: &PlatformTag) -> Option<Audit> {
    Some(judge(files, &Wanted::by_tag(tag)?))
}

fn judge(files: &[(WheelPath, Vec<u8>)], wanted: &Wanted) -> Audit {
    let mut natives = Vec::new();
    let mut findings = Vec::new();
    let mut contents = BTreeMap::new();
    for (path, bytes) in files {
        let Some(format) = Format::of(bytes) else { continue };
        natives.push(NativeFile::read(path, format, bytes).unwrap_or_else(|error| {
            findings.push(Finding::new(Code::Unreadable, path, error.to_string()));
            NativeFile::unread(path, format)
        }));
        contents.insert(path.clone(), bytes.as_slice());
    }
    natives.sort_by(|a, b| a.path.cmp(&b.path));
    for file in &natives {
        findings.extend(foreign(file, wanted));
    }
    let earned = match &wanted.system {
        _ if natives.is_empty() => Some(PlatformTag::Any),
        System::Linux { target, libc } => {
            elf::judge(&natives, &contents, *target, *libc, &mut findings)
        }
        System::MacOs(wanted) => {
            let tag = macho::judge(&natives, wanted, &mut findings);
            // The version is in the tag; all else is in the way of every tag.
            let is_in_the_way = |finding: &Finding| {
                finding.severity == Severity::Error && finding.code != Code::MinimumTooNew
            };
            (!findings.iter().any(is_in_the_way)).then_some(tag)
        }
        System::Windows(wanted) => {
            let tag = pe::judge(&natives, wanted, &mut findings);
            let is_in_the_way = |finding: &Finding| finding.severity == Severity::Error;
            (!findings.iter().any(is_in_the_way)).then_some(tag)
        }
    };
    findings.sort();
    findings.dedup();
    Audit { earned, findings, files: natives }
}

/// Files of another platform, Linux files of another processor, and files that nobody judges.
fn foreign(file: &NativeFile, wanted: &Wanted) -> Option<Finding> {
    let find = |code, message: String| Some(Finding::new(code, &file.path, message));
    match (&file.elf, file.format, &wanted.system) {
        (_, Format::Archive, _) => find(
            Code::NotJudged,
            "static libraries are not judged: what they need shows where they are linked".into(),
        ),
        (_, format, _) if format != wanted.format() => find(
            Code::WrongPlatform,
            format!("it is a file for {}, the target is {wanted}", platform(format)),
        ),
        (Some(elf), _, System::Linux { target, .. }) if elf.arch != Some(target.arch()) => {
            let arch = elf.arch.map_or_else(
                || format!("machine {} of the ELF registry", elf.machine),
                |arch| arch.to_string(),
            );
            find(Code::WrongArch, format!("it is for {arch}, the target is {}", target.arch()))
        }
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
mod macho_tests;
#[cfg(test)]
mod pe_tests;
#[cfg(test)]
mod tests;
