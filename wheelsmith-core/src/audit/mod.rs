//! Facts and policies to a verdict: which platform tag a whole wheel earns, and what is in the way.
//!
//! Every file is looked at, wherever it lies and whatever it is called; a wheel is as compatible as
//! the least compatible of them. Nothing here reads a file or asks the machine: the same bytes get
//! the same verdict on every host.
//!
//! Judged are ELF files against the manylinux and musllinux policies, Mach-O files against macOS
//! tags, PE files against Windows tags. What lies in static libraries is not judged.

mod android;
mod auditwheel;
mod claims;
mod dyld;
mod elf;
mod explain;
pub mod extension;
mod file;
mod graph;
mod hygiene;
mod input;
mod macho;
mod needs;
mod pe;
pub(crate) mod place;
mod report;
mod terms;
mod wanted;
mod whole;

use serde::Serialize;

pub use auditwheel::verdict as auditwheel_verdict;
pub use explain::{Explanation, Obstacle, Step, explain};
pub use file::NativeFile;
pub use input::{Ask, Opened, input};
#[cfg(feature = "repair")]
pub(crate) use input::{guess as guessed_tag, keeps, kindred as tag_groups, whole_tag};
pub use needs::{Need, Origin, needs};
#[cfg(feature = "schema")]
pub use report::schema;
pub use report::{Auditwheel, Input, Kind, Report, SCHEMA};
pub use terms::Terms;
pub use wanted::Wanted;

use self::file::DEVICES;
pub(crate) use self::wanted::System;
use crate::binary::Format;
use crate::finding::{Code, Finding, Severity};
use crate::name::{PlatformTag, Target, WheelPath};

/// The verdict on the files of a wheel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Audit {
    /// The most compatible platform tag that every file keeps: `any` without native files, `linux_…`
    /// when no policy is kept. Nothing when a file cannot be read, or none is for the target: then
    /// no tag is right.
    pub earned: Option<PlatformTag>,
    /// What was seen, errors first, then by file.
    pub findings: Vec<Finding>,
    /// Each native file's facts, by path.
    pub files: Vec<NativeFile>,
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
///
/// ```
/// use wheelsmith_core::audit::audit;
/// use wheelsmith_core::finding::Severity;
///
/// let library = include_bytes!("../../../testdata/elf/aarch64.so").to_vec();
/// let files = [("demo/libdemo.so".parse()?, library)];
/// let audit = audit(&files, "x86_64-unknown-linux-gnu.2.17".parse()?);
/// // It is another processor's.
/// assert!(audit.findings.iter().any(|finding| finding.severity == Severity::Error));
/// # Ok::<(), wheelsmith_core::name::ParseError>(())
/// ```
pub fn audit(files: &[(WheelPath, Vec<u8>)], target: Target) -> Audit {
    let files = files.iter().filter_map(|(path, bytes)| NativeFile::read(path, bytes));
    judge(files.collect(), &Wanted::by_target(target))
}

/// Judges native files that were read before, so that their bytes need not be there all at once.
pub fn judge(files: Vec<NativeFile>, wanted: &Wanted) -> Audit {
    judge_under(files, wanted, &Terms::default())
}

/// Judges native files when some libraries count that neither the tag nor the wheel has.
pub fn judge_under(mut files: Vec<NativeFile>, wanted: &Wanted, terms: &Terms) -> Audit {
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let mut findings = Vec::new();
    for file in &files {
        findings.extend(foreign(file, wanted));
    }
    let earned = match &wanted.system {
        _ if files.iter().all(NativeFile::is_device_code) => Some(PlatformTag::Any),
        System::Linux(wanted) => elf::judge(&files, wanted, terms, &mut findings),
        System::MacOs(wanted) => {
            let tag = macho::judge(&terms.left_of(&files), wanted, &mut findings);
            // The version is in the tag; all else is in the way of every tag.
            let is_in_the_way = |finding: &Finding| {
                finding.severity == Severity::Error && finding.code != Code::MinimumTooNew
            };
            (!findings.iter().any(is_in_the_way)).then_some(tag)
        }
        System::Windows(wanted) => {
            let tag = pe::judge(&terms.left_of(&files), wanted, &mut findings);
            let is_in_the_way = |finding: &Finding| finding.severity == Severity::Error;
            (!findings.iter().any(is_in_the_way)).then_some(tag)
        }
    };
    findings.sort();
    findings.dedup();
    Audit { earned, findings, files }
}

/// Files of another platform, Linux files of another processor, and files that nobody judges.
fn foreign(file: &NativeFile, wanted: &Wanted) -> Option<Finding> {
    let find = |code, message: String| Some(Finding::new(code, &file.path, message));
    if let Some(problem) = &file.problem {
        return find(Code::Unreadable, problem.to_string());
    }
    match (&file.elf, file.format, &wanted.system) {
        (_, Format::Archive, System::Linux(wanted))
            if file.archive.is_some_and(|archive| archive.arch != Some(wanted.arch())) =>
        {
            let (number, arch) = file.archive.map(|archive| (archive.machine, archive.arch))?;
            let arch = arch.map_or_else(|| machine(number), |arch| arch.to_string());
            let message = format!("its objects are for {arch}, the target is {}", wanted.arch());
            // Nobody loads it: it fails those who link to it.
            let severity = Severity::Warning;
            Some(Finding { severity, ..Finding::new(Code::WrongArch, &file.path, message) })
        }
        (_, Format::Archive, _) => find(
            Code::NotJudged,
            "static libraries are not judged: what they need shows where they are linked".into(),
        ),
        (_, format, _) if format != wanted.format() => find(
            Code::WrongPlatform,
            format!("it is a file for {}, the target is {wanted}", platform(format)),
        ),
        (Some(elf), ..) if file.is_device_code() => find(
            Code::NotJudged,
            format!("it is for {}, not for a processor that runs Linux", machine(elf.machine)),
        ),
        (Some(elf), _, System::Linux(wanted)) if elf.arch != Some(wanted.arch()) => {
            let arch = elf.arch.map_or_else(|| machine(elf.machine), |arch| arch.to_string());
            find(Code::WrongArch, format!("it is for {arch}, the target is {}", wanted.arch()))
        }
        (Some(elf), _, System::Linux(wanted)) => {
            let abi = elf::other_float_abi(elf, wanted)?;
            let message = format!("it takes floating-point arguments {abi}, unlike the target");
            find(Code::WrongArch, message)
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

fn machine(machine: u16) -> String {
    let known = DEVICES.iter().find(|(number, _)| *number == machine);
    known.map_or_else(|| format!("machine {machine} of the ELF registry"), |(_, n)| (*n).to_owned())
}

#[cfg(test)]
mod elf_tests;
#[cfg(test)]
mod macho_tests;
#[cfg(test)]
mod pe_tests;
#[cfg(test)]
mod tests;
