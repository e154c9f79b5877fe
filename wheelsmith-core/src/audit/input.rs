//! Judges one input: the tags of its name, the tag that its files qualify for, and the findings.

use std::collections::{BTreeMap, BTreeSet};

use super::claims;
use super::guess::guess;
use super::report::Input;
use super::{AuditOptions, Requirement, Verdict, auditwheel, extension, judge, needs};
use crate::archive::Kind;
use crate::binary::{Facts, NativeFile};
use crate::finding::{Code, Finding, Severity};
use crate::name::{Arch, MacArch, PlatformTag, WheelFilename};

/// An input whose native files have been read.
#[derive(Debug, Clone)]
pub struct AuditInput {
    /// Path as given, with `/` between its parts.
    pub path: String,
    /// Kind.
    pub kind: Kind,
    /// Parsed file name of a wheel.
    pub filename: Option<WheelFilename>,
    /// Content of `WHEEL`.
    pub wheel: Option<crate::metadata::WheelFile>,
    /// Paths that `RECORD` lists; `None` if there is none.
    pub record: Option<BTreeSet<String>>,
    /// Native files.
    pub files: Vec<NativeFile>,
    /// Findings made while the input was being read.
    pub findings: Vec<Finding>,
}

/// Findings that are faults only if a tag claims a policy.
const POLICY_CODES: [Code; 10] = [
    Code::ExternalLibrary,
    Code::SymbolTooNew,
    Code::ForbiddenSymbol,
    Code::IsaTooNew,
    Code::Libpython,
    Code::FpeSymbols,
    Code::MinimumTooNew,
    Code::WrongPlatform,
    Code::WrongArch,
    Code::WrongLibc,
];

/// Judges an input by the tags of its name, or by the tag of `options`.
pub fn input(input: AuditInput, options: &AuditOptions) -> Input {
    let AuditInput { path, kind, filename, wheel, record, mut files, findings } = input;
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let mut report = Input { findings, ..Input::new(path, kind) };
    if let Some(filename) = &filename {
        report.claimed_tags.clone_from(&filename.platforms);
        claims::check(filename, wheel.as_ref(), &files, &mut report.findings);
        report.findings.extend(extension::check(&files, &filename.python, &filename.platforms));
    }
    let tag = options.tag.as_deref().and_then(|tag| whole_tag(tag, &files));
    if let (Some(text), None) = (&options.tag, &tag) {
        report.error = Some(if lacks_processor(text) {
            format!("`{text}` names no processor, and no native file shows one")
        } else {
            format!("unknown platform tag `{text}`")
        });
    }
    let claims = match &tag {
        Some(tag) => vec![tag.clone()],
        None => report.claimed_tags.clone(),
    };
    let require = |tag: &PlatformTag| {
        Requirement::for_tag(tag)
            .map(|requirement| requirement.allowing(options.allowances.clone()))
    };
    let mut best: Option<Verdict> = None;
    for group in by_platform(&claims) {
        // Files that qualify for the oldest tag of a platform qualify for the others.
        let Some(requirement) = group.first().and_then(require) else { continue };
        let verdict = judge(&files, &requirement);
        report.needs.extend(needs(&files, &requirement));
        let broken = group.iter().filter(|claim| !satisfies(verdict.tag.as_ref(), claim));
        let broken: Vec<String> = broken.map(PlatformTag::to_string).collect();
        if !files.is_empty() && !broken.is_empty() {
            let asked = if tag.is_some() { "the required tag is" } else { "it claims" };
            let (claims, found) = (broken.join(" and "), tag_text(&verdict));
            let message = format!("{asked} {claims}; its files qualify for {found}");
            let finding = Finding::whole(Code::TagNotEarned, message);
            let lacks_library = |found: &Finding| found.code == Code::ExternalLibrary;
            report.findings.push(match verdict.tag {
                None => finding.with_help("fix the other errors: these files qualify for no tag"),
                Some(PlatformTag::Linux { .. })
                    if verdict.findings.iter().any(lacks_library) =>
                {
                    finding.with_help(
                        "let `wheelsmith repair` copy the missing libraries into the wheel, and fix \
                         the other errors: indexes refuse `linux_*` tags",
                    )
                }
                Some(PlatformTag::Linux { .. }) => {
                    finding.with_help("fix the other errors: indexes refuse `linux_*` tags")
                }
                Some(_) => finding,
            });
        }
        report.findings.extend(verdict.findings.iter().cloned());
        best = Some(match best.take() {
            Some(other) if rank(&other) >= rank(&verdict) => other,
            _ => verdict,
        });
    }
    if !files.is_empty() && report.error.is_none() {
        let unknown =
            |claim: &&PlatformTag| **claim != PlatformTag::Any && require(claim).is_none();
        report.error = claims.iter().find(unknown).map(|claim| {
            format!("cannot judge the native files by `{claim}`: there are no rules for this tag")
        });
    }
    if best.is_none() {
        best = guess(&files, None).as_ref().and_then(require).map(|requirement| {
            report.needs.extend(needs(&files, &requirement));
            let mut verdict = judge(&files, &requirement);
            demote(&mut verdict.findings, &POLICY_CODES);
            report.findings.extend(verdict.findings.iter().cloned());
            verdict
        });
    }
    if best.is_none() {
        report.findings.extend(files.iter().filter_map(without_tag));
    }
    if let (Some(filename), Some(verdict)) = (&filename, &best) {
        let is_linux = files.iter().any(|file| file.elf().is_some());
        report.auditwheel_verdict = is_linux
            .then(|| auditwheel::verdict(&files, record.as_ref(), verdict.tag.as_ref(), filename));
    }
    report.wheel = filename;
    report.tag = tag;
    report.verdict = match best {
        Some(verdict) => verdict.tag,
        None => files.is_empty().then_some(PlatformTag::Any),
    };
    report.findings.sort();
    report.findings.dedup();
    report.needs.sort();
    report.needs.dedup();
    report.files = files;
    report
}

/// Reports a file that no platform tag can be right for, in an input without any tag.
fn without_tag(file: &NativeFile) -> Option<Finding> {
    let is_for_known = match &file.facts {
        Facts::Unreadable { error, .. } => {
            return Some(Finding::new(Code::Unreadable, &file.path, error.to_string()));
        }
        Facts::Elf(elf) => elf.arch.is_some() || file.is_device_code(),
        Facts::MachO(image) => image.slices.iter().any(|slice| slice.arch.is_some()),
        Facts::Pe(pe) => pe.arch.is_some(),
        Facts::Archive(_) | Facts::Wasm(_) => true,
    };
    let message = "it is for a processor that no platform tag names";
    (!is_for_known).then(|| Finding::new(Code::WrongArch, &file.path, message))
}

/// Makes findings of these codes notes.
fn demote(findings: &mut [Finding], codes: &[Code]) {
    for finding in findings.iter_mut().filter(|finding| codes.contains(&finding.code)) {
        finding.severity = Severity::Info;
    }
}

/// Judges files by a `linux_*` tag, which guarantees only a processor. The files get the best tag
/// that they qualify for, and only files for other processors and systems are faults.
pub(super) fn judge_linux(files: &[NativeFile], arch: Arch, requirement: &Requirement) -> Verdict {
    let newest = guess(files, Some(arch)).as_ref().and_then(Requirement::for_tag);
    let Some(newest) = newest else {
        return Verdict { tag: Some(requirement.tag().clone()), findings: Vec::new() };
    };
    let mut verdict = judge(files, &newest.allowing(requirement.allowances().clone()));
    let is_about_policy = |code: &Code| !matches!(code, Code::WrongArch | Code::WrongPlatform);
    let codes: Vec<Code> = POLICY_CODES.into_iter().filter(is_about_policy).collect();
    demote(&mut verdict.findings, &codes);
    verdict
}

fn tag_text(verdict: &Verdict) -> String {
    verdict.tag.as_ref().map_or_else(|| "no tag".to_owned(), PlatformTag::to_string)
}

/// Groups tags by platform, the oldest first. The tags of a group differ only in their version;
/// none has a legacy name.
pub(crate) fn by_platform(claims: &[PlatformTag]) -> Vec<Vec<PlatformTag>> {
    let mut groups: BTreeMap<String, BTreeMap<Vec<u16>, PlatformTag>> = BTreeMap::new();
    for claim in claims.iter().map(PlatformTag::modern) {
        let text = claim.to_string();
        // A part that consists of digits belongs to the version; processors and systems contain
        // letters.
        let (age, name): (Vec<&str>, Vec<&str>) =
            text.split('_').partition(|word| word.bytes().all(|byte| byte.is_ascii_digit()));
        // `x86_64` ends in digits that are not a version and are the same in the whole group.
        let age = age.iter().filter_map(|number| number.parse().ok()).collect();
        groups.entry(name.join("_")).or_default().insert(age, claim);
    }
    groups.into_values().map(|tags| tags.into_values().collect()).collect()
}

/// Orders verdicts by usefulness. A wheel for two C libraries is judged for both.
fn rank(verdict: &Verdict) -> u8 {
    match &verdict.tag {
        None => 0,
        Some(PlatformTag::Linux { .. }) => 1,
        Some(_) => 2,
    }
}

/// True if files that qualify for `found` may have the tag `claim`.
pub(crate) fn satisfies(found: Option<&PlatformTag>, claim: &PlatformTag) -> bool {
    match (claim, found) {
        (_, None) => false,
        (_, Some(PlatformTag::Any)) => true,
        (PlatformTag::Manylinux { glibc, arch }, Some(found)) => {
            matches!(found, PlatformTag::Manylinux { glibc: g, arch: a } if g <= glibc && a == arch)
        }
        // Files do not record which release of musl they need.
        (PlatformTag::Musllinux { arch, .. }, Some(found)) => {
            matches!(found, PlatformTag::Musllinux { arch: a, .. } if a == arch)
        }
        (PlatformTag::MacOs { min, .. }, Some(found)) => {
            matches!(found, PlatformTag::MacOs { min: m, .. } if m <= min)
        }
        (PlatformTag::Android { api, abi }, Some(found)) => {
            matches!(found, PlatformTag::Android { api: a, abi: b } if a <= api && b == abi)
        }
        (PlatformTag::Ios { min, sdk }, Some(found)) => {
            matches!(found, PlatformTag::Ios { min: m, sdk: s } if m <= min && s == sdk)
        }
        (PlatformTag::Linux { arch }, Some(found)) => {
            !matches!(found, PlatformTag::Android { .. }) && found.arch() == Some(*arch)
        }
        (claim, Some(found)) => claim == found,
    }
}

/// Parses `policy` as a tag; one without a processor gets that of the files.
pub(crate) fn whole_tag(policy: &str, files: &[NativeFile]) -> Option<PlatformTag> {
    let known = |tag: &PlatformTag| Requirement::for_tag(tag).is_some();
    if let Some(tag) = policy.parse().ok().filter(known) {
        return Some(tag);
    }
    let arches = files.iter().filter_map(|file| {
        let macho = file.macho().map(|macho| match macho.slices.len() {
            0 | 1 => {
                let arch = macho.slices.first().and_then(|slice| slice.arch);
                arch.map(|arch| MacArch::of(arch).as_str()).unwrap_or_default()
            }
            _ => MacArch::Universal2.as_str(),
        });
        let elf = file.elf().and_then(|elf| elf.arch).map(Arch::as_str);
        elf.or(macho)
    });
    let first = arches.into_iter().next()?;
    format!("{policy}_{first}").parse().ok().filter(known)
}

/// True if a text is the tag of a system without a processor, such as `musllinux_1_2`.
pub(crate) fn lacks_processor(text: &str) -> bool {
    ["x86_64", "arm64"].iter().any(|processor| {
        let tag = format!("{text}_{processor}").parse::<PlatformTag>();
        tag.is_ok_and(|tag| Requirement::for_tag(&tag).is_some())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(text: &str) -> Vec<PlatformTag> {
        text.split('.').map(|tag| tag.parse().unwrap()).collect()
    }

    #[test]
    fn tags_of_a_platform_are_one_group() {
        let check = |claims: &str, expected: &[&str]| {
            let kin = by_platform(&tags(claims));
            let text = |tags: &Vec<PlatformTag>| {
                tags.iter().map(PlatformTag::to_string).collect::<Vec<_>>().join(" ")
            };
            assert_eq!(kin.iter().map(text).collect::<Vec<_>>(), expected, "{claims}");
        };
        let (old, new) = ("manylinux_2_17_x86_64", "manylinux_2_28_x86_64");
        check("manylinux2014_x86_64.manylinux_2_17_x86_64", &[old]);
        check("manylinux_2_28_x86_64.manylinux_2_17_x86_64", &[&format!("{old} {new}")]);
        check("manylinux1_i686.manylinux2010_i686", &["manylinux_2_5_i686 manylinux_2_12_i686"]);
        check(
            "manylinux_2_17_aarch64.musllinux_1_1_aarch64",
            &["manylinux_2_17_aarch64", "musllinux_1_1_aarch64"],
        );
        check(
            "macosx_10_9_x86_64.macosx_11_0_arm64.macosx_10_10_x86_64",
            &["macosx_11_0_arm64", "macosx_10_9_x86_64 macosx_10_10_x86_64"],
        );
        check("win32.win_amd64", &["win32", "win_amd64"]);
    }

    #[test]
    fn a_claim_is_kept_by_what_is_as_old_or_older() {
        let check = |claim: &str, earned: &str, is_kept: bool| {
            let earned = earned.parse().ok();
            assert_eq!(satisfies(earned.as_ref(), &claim.parse().unwrap()), is_kept, "{claim}");
        };
        check("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", true);
        check("manylinux_2_17_x86_64", "manylinux_2_17_x86_64", true);
        check("manylinux_2_17_x86_64", "manylinux_2_28_x86_64", false);
        check("manylinux_2_17_x86_64", "manylinux_2_17_aarch64", false);
        check("manylinux_2_17_x86_64", "linux_x86_64", false);
        check("manylinux_2_17_x86_64", "any", true);
        // Files do not record which release of musl they need.
        check("musllinux_1_1_x86_64", "musllinux_1_2_x86_64", true);
        check("musllinux_1_2_x86_64", "manylinux_2_17_x86_64", false);
        check("macosx_11_0_arm64", "macosx_12_0_arm64", false);
        check("macosx_12_0_arm64", "macosx_11_0_arm64", true);
        check("win_amd64", "win_amd64", true);
        check("win_amd64", "win_arm64", false);
        check("linux_x86_64", "linux_x86_64", true);
        check("linux_x86_64", "manylinux_2_17_x86_64", true);
        check("linux_x86_64", "manylinux_2_17_aarch64", false);
        check("linux_x86_64", "android_24_x86_64", false);
    }

    #[test]
    fn a_policy_may_leave_the_processor_to_the_files() {
        let check = |policy: &str, file: &[u8], expected: Option<&str>| {
            let file = NativeFile::read(&"x".parse().unwrap(), file).unwrap();
            let tag = whole_tag(policy, &[file]).map(|tag| tag.to_string());
            assert_eq!(tag.as_deref(), expected, "{policy}");
        };
        let elf = include_bytes!("../../../testdata/elf/aarch64.so").as_slice();
        let macho = include_bytes!("../../../testdata/macho/universal.dylib").as_slice();
        check("manylinux_2_28", elf, Some("manylinux_2_28_aarch64"));
        check("manylinux2014", elf, Some("manylinux2014_aarch64"));
        check("musllinux_1_2", elf, Some("musllinux_1_2_aarch64"));
        check("manylinux_2_28_x86_64", elf, Some("manylinux_2_28_x86_64"));
        check("macosx_11_0", macho, Some("macosx_11_0_universal2"));
        check("nonsense", elf, None);
        check("any", elf, None);
    }

    #[test]
    fn what_claims_nothing_is_judged_by_what_it_is() {
        let check = |files: &[&[u8]], expected: Option<&str>| {
            let read = |(i, bytes): (usize, &&[u8])| {
                NativeFile::read(&format!("f{i}").parse().unwrap(), *bytes)
            };
            let files: Vec<NativeFile> = files.iter().enumerate().filter_map(read).collect();
            let tag = guess(&files, None).map(|tag| tag.to_string());
            let is_it = tag.as_deref().zip(expected).is_some_and(|(t, e)| t.starts_with(e));
            assert!(is_it || tag.as_deref() == expected, "{tag:?}, not {expected:?}");
        };
        let gnu = include_bytes!("../../../testdata/elf/x86_64.so").as_slice();
        let arm = include_bytes!("../../../testdata/elf/aarch64.so").as_slice();
        let musl = include_bytes!("../../../testdata/elf/musl.so").as_slice();
        let dll = include_bytes!("../../../testdata/pe/arm64.dll").as_slice();
        let bpf = include_bytes!("../../../testdata/elf/bpf.o").as_slice();
        check(&[gnu], Some("manylinux_"));
        check(&[musl], Some("musllinux_"));
        check(&[gnu, arm, arm], Some("manylinux_"));
        check(&[dll, gnu, dll], Some("win_arm64"));
        check(&[bpf], None);
        check(&[], None);
    }
}
