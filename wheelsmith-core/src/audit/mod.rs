//! Judges facts by policies and returns a verdict: the platform tag that a set of files qualifies
//! for, and what keeps them from the tag that they claim.
//!
//! [`wheel`] judges one wheel file; [`report`] judges any number of inputs. [`judge`] is pure: it
//! takes native files and a [`Requirement`] and returns a [`Verdict`]. Every file counts, whatever
//! its path and name: a wheel is as compatible as the least compatible of its files. The verdict
//! depends only on bytes and tables, never on the machine that runs the audit.
//!
//! ELF files are judged against the manylinux, musllinux and Android policies, Mach-O files against
//! macOS tags, PE files against Windows tags. The content of static libraries is not judged.

mod allowances;
mod auditwheel;
mod claims;
mod collect;
mod dyld;
mod elf;
mod explain;
pub mod extension;
mod glibc_symbols;
mod graph;
mod guess;
mod hygiene;
mod input;
mod macho;
mod needs;
mod options;
mod pe;
pub(crate) mod place;
mod report;
mod requirement;
mod run;
mod tangled;
mod whole;

use serde::Serialize;

pub use allowances::Allowances;
pub use auditwheel::verdict as auditwheel_verdict;
#[cfg(feature = "check-packages")]
pub(crate) use collect::native_located;
#[cfg(feature = "wheel")]
pub(crate) use collect::native_packed;
pub use collect::{native_file, native_files, native_member};
pub use elf::glibc_floor;
#[cfg(feature = "repair")]
pub(crate) use elf::is_resolved_by_newer_tag;
pub use explain::{Explanation, Obstacle, Step, explain};
#[cfg(feature = "repair")]
pub(crate) use guess::guess;
pub use input::{AuditInput, input};
#[cfg(feature = "repair")]
pub(crate) use input::{by_platform, lacks_processor, satisfies, whole_tag};
pub use needs::{Need, Origin, needs};
pub use options::AuditOptions;
#[cfg(feature = "schema")]
pub use report::schema;
pub use report::{Auditwheel, FileFacts, Input, Report, SCHEMA};
pub use requirement::Requirement;
#[cfg(feature = "repair")]
pub(crate) use run::audit_as;
pub use run::{libraries, report, wheel};

pub use crate::binary::NativeFile;
use crate::binary::{Facts, Format, machine};
use crate::finding::{Code, Finding, Severity};
use crate::name::{PlatformTag, PythonTag};

/// Reason why an input could not be judged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    message: String,
}

/// The result of [`judge`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// The most compatible platform tag that every file qualifies for: `any` without native files,
    /// `linux_…` if no policy suffices. `None` if no tag fits, because a file cannot be read or no
    /// file is for the platform.
    pub tag: Option<PlatformTag>,
    /// Findings, errors first, then by file.
    pub findings: Vec<Finding>,
}

/// The files of a wheel and the verdict on them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audit {
    /// Same as [`Verdict::tag`].
    pub tag: Option<PlatformTag>,
    /// Findings, errors first, then by file.
    pub findings: Vec<Finding>,
    /// Native files, by path.
    pub files: Vec<NativeFile>,
}

impl Audit {
    /// True if a finding is an error and not waived. In that case no wheel may be written.
    pub fn has_errors(&self) -> bool {
        self.findings.iter().any(|finding| finding.counts_at(Severity::Error))
    }

    /// True if the files qualify for a tag and no finding is an error.
    pub fn is_good(&self) -> bool {
        self.tag.is_some() && !self.has_errors()
    }

    /// Returns the verdict in words.
    pub fn tag_text(&self) -> String {
        self.tag.as_ref().map_or_else(|| "no platform tag".to_owned(), PlatformTag::to_string)
    }

    /// Returns the newest version that any file needs in a namespace: `GLIBC` -> `2.17`.
    pub fn newest(&self, namespace: &str) -> Option<String> {
        let elves = self.files.iter().filter_map(NativeFile::elf);
        let versions = elves.flat_map(|elf| elf.needed_versions.values().flatten());
        let numbers = versions.filter_map(|version| {
            let (found, number) = version.split_once('_')?;
            (found == namespace).then(|| elf::number(number))?.map(|key| (key, number))
        });
        numbers.max().map(|(_, number)| number.to_owned())
    }
}

/// Judges the native files of a wheel as `audit` does: by platform, and, if the Python and ABI tags
/// are given, its extension modules. All code that writes a wheel calls this, so that it accepts
/// exactly what an audit of the wheel accepts.
pub fn judgement(
    mut files: Vec<NativeFile>,
    python: Option<&PythonTag>,
    requirement: &Requirement,
) -> Audit {
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let Verdict { tag, mut findings } = judge(&files, requirement);
    if let Some(python) = python {
        let platforms = std::slice::from_ref(requirement.tag());
        findings.extend(extension::check(&files, python, platforms));
        findings.sort();
        findings.dedup();
    }
    Audit { tag, findings, files }
}

/// Judges native files by a platform tag.
///
/// ```
/// use wheelsmith_core::audit::{Requirement, judge};
/// use wheelsmith_core::binary::NativeFile;
/// use wheelsmith_core::finding::Severity;
///
/// let library = include_bytes!("../../../testdata/elf/aarch64.so").as_slice();
/// let file = NativeFile::read(&"demo/libdemo.so".parse()?, library).expect("an ELF file");
/// let verdict = judge(&[file], &Requirement::for_target("x86_64-unknown-linux-gnu.2.17".parse()?));
/// // It is for another processor.
/// assert!(verdict.findings.iter().any(|finding| finding.severity == Severity::Error));
/// # Ok::<(), wheelsmith_core::name::ParseError>(())
/// ```
pub fn judge(files: &[NativeFile], requirement: &Requirement) -> Verdict {
    let mut findings: Vec<Finding> =
        files.iter().filter_map(|file| foreign(file, requirement)).collect();
    let allowed = requirement.allowances();
    let is_foreign = |finding: &Finding| finding.severity == Severity::Error;
    let tag = match requirement.tag() {
        tag if tag_is_native(tag) && files.iter().all(NativeFile::is_device_code) => {
            Some(PlatformTag::Any)
        }
        PlatformTag::MacOs { min, arch } => {
            let files = allowed.without_excluded(files);
            let tag = macho::judge(&files, *min, *arch, &mut findings);
            // The version is in the tag; every other error excludes every tag.
            let is_in_the_way =
                |finding: &Finding| is_foreign(finding) && finding.code != Code::MinimumTooNew;
            (!findings.iter().any(is_in_the_way)).then_some(tag)
        }
        PlatformTag::Windows { arch } => {
            let tag = pe::judge(&allowed.without_excluded(files), *arch, &mut findings);
            (!findings.iter().any(is_foreign)).then_some(tag)
        }
        PlatformTag::Ios { min, sdk } => {
            let tag = macho::judge_ios(files, *min, *sdk, &mut findings);
            let is_in_the_way =
                |finding: &Finding| is_foreign(finding) && finding.code != Code::MinimumTooNew;
            (!findings.iter().any(is_in_the_way)).then_some(tag)
        }
        tag @ PlatformTag::Wasm { .. } => (!findings.iter().any(is_foreign)).then(|| tag.clone()),
        PlatformTag::Linux { arch } => return input::judge_linux(files, *arch, requirement),
        _ => elf::judge(files, requirement, &mut findings),
    };
    findings.sort();
    findings.dedup();
    Verdict { tag, findings }
}

/// True for the tags of systems that run code of a processor, not WebAssembly.
fn tag_is_native(tag: &PlatformTag) -> bool {
    !matches!(tag, PlatformTag::Wasm { .. })
}

/// Reports files of another platform, Linux files of another processor, and files that are not
/// judged.
fn foreign(file: &NativeFile, requirement: &Requirement) -> Option<Finding> {
    let find = |code, message: String| Some(Finding::new(code, &file.path, message));
    let format = file.format();
    let arch = requirement.tag().arch();
    match &file.facts {
        Facts::Unreadable { error, .. } => find(Code::Unreadable, error.to_string()),
        Facts::Archive(Some(archive)) if arch.is_some() && archive.arch != arch => {
            let found = archive.arch.map_or_else(|| machine(archive.machine), |a| a.to_string());
            let message = format!("its objects are for {found}, the target is {}", arch?);
            // No loader opens a static library: the wrong processor fails only those who link to
            // it.
            let severity = Severity::Warning;
            Some(Finding { severity, ..Finding::new(Code::WrongArch, &file.path, message) })
        }
        Facts::Archive(_) => find(
            Code::NotJudged,
            "static libraries are not judged: the files linked to them are".into(),
        ),
        Facts::Wasm(_) if format != requirement.format() => {
            find(Code::NotJudged, "it is WebAssembly, which runs on every processor".into())
        }
        Facts::Wasm(_) => find(
            Code::NotJudged,
            "the libraries and symbols that WebAssembly needs are not judged".into(),
        ),
        _ if format != requirement.format() => find(
            Code::WrongPlatform,
            format!("it is a file for {}, the target is {requirement}", platform(format)),
        ),
        Facts::Elf(elf) if file.is_device_code() => find(
            Code::NotJudged,
            format!("it is for {}, not for a processor that runs Linux", machine(elf.machine)),
        ),
        Facts::Elf(elf) if elf.arch != arch => {
            let found = elf.arch.map_or_else(|| machine(elf.machine), |arch| arch.to_string());
            find(Code::WrongArch, format!("it is for {found}, the target is {}", arch?))
        }
        Facts::Elf(elf) => {
            let abi = elf::other_float_abi(elf, requirement)?;
            let message = format!("it passes floating-point arguments {abi}, unlike the target");
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
        Format::Wasm => "WebAssembly",
    }
}

#[cfg(test)]
mod elf_tests;
#[cfg(test)]
mod help_tests;
#[cfg(test)]
mod macho_tests;
#[cfg(test)]
mod pe_tests;
#[cfg(test)]
mod tests;
