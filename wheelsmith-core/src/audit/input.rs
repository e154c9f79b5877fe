//! One input, judged: what its names claim, what its files earn, and what is in the way.

use std::collections::{BTreeMap, BTreeSet};

use super::claims;
use super::report::{Input, Kind};
use super::{Audit, NativeFile, Terms, Wanted, auditwheel, extension, judge_under, needs};
use crate::binary::Format;
use crate::finding::{Code, Finding, Severity};
use crate::name::{Arch, Libc, MacArch, PlatformTag, PlatformVersion, WheelFilename};
use crate::policy;

/// What was read from an input.
#[derive(Debug, Clone)]
pub struct Opened {
    /// As it was given, with `/` between its parts.
    pub path: String,
    /// What it is.
    pub kind: Kind,
    /// Its name, taken apart, when it is that of a wheel.
    pub filename: Option<WheelFilename>,
    /// What its `WHEEL` says.
    pub wheel: Option<crate::metadata::WheelFile>,
    /// Its native files.
    pub files: Vec<NativeFile>,
    /// What was seen while it was read.
    pub findings: Vec<Finding>,
}

/// What an input is judged for.
#[derive(Debug, Clone, Default)]
pub struct Ask {
    /// The tag that its files must earn, in place of what the name claims: a whole tag, or one
    /// without its processor (`manylinux_2_28`), which is then that of the files.
    pub policy: Option<String>,
    /// Libraries that count although neither the tag nor the wheel has them.
    pub terms: Terms,
}

/// What only a promise makes a fault: without a tag that promises anything, nothing is broken.
const PROMISED: [Code; 10] = [
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

/// Judges what was read.
pub fn input(opened: Opened, ask: &Ask) -> Input {
    let Opened { path, kind, filename, wheel, files, findings } = opened;
    let mut input = Input { findings, ..Input::new(path, kind) };
    if let Some(filename) = &filename {
        input.claimed_tags.clone_from(&filename.platforms);
        claims::check(filename, wheel.as_ref(), &files, &mut input.findings);
        input.findings.extend(extension::check(&files, &filename.python, &filename.platforms));
    }
    let wanted_tag = ask.policy.as_deref().and_then(|policy| whole_tag(policy, &files));
    if let (Some(policy), None) = (&ask.policy, &wanted_tag) {
        input.error = Some(format!("`{policy}` is no platform tag that anything is known of"));
    }
    let claims = match &wanted_tag {
        Some(tag) => vec![tag.clone()],
        None => input.claimed_tags.clone(),
    };
    let mut judged: Option<Audit> = None;
    for kin in kindred(&claims) {
        // What keeps the oldest keeps the others.
        let Some(wanted) = kin.first().and_then(Wanted::by_tag) else { continue };
        let audit = judge_under(files.clone(), &wanted, &ask.terms);
        input.needs.extend(needs(&files, &wanted));
        let broken = kin.iter().filter(|claim| !keeps(claim, audit.earned.as_ref()));
        let broken: Vec<String> = broken.map(PlatformTag::to_string).collect();
        if !files.is_empty() && !broken.is_empty() {
            let asked = if wanted_tag.is_some() { "it was to earn" } else { "it claims" };
            let (claims, earned) = (broken.join(" and "), earned(&audit));
            let message = format!("{asked} {claims}; its files earn {earned}");
            input.findings.push(Finding::whole(Code::TagNotEarned, message));
        }
        input.findings.extend(audit.findings.iter().cloned());
        judged = Some(match judged.take() {
            Some(other) if rank(&other) >= rank(&audit) => other,
            _ => audit,
        });
    }
    if judged.is_none() {
        judged = guess(&files).map(|tag| tag.to_string()).and_then(|tag| {
            let wanted = Wanted::by_tag(&tag.parse().ok()?)?;
            input.needs.extend(needs(&files, &wanted));
            let mut audit = judge_under(files.clone(), &wanted, &ask.terms);
            for finding in &mut audit.findings {
                if PROMISED.contains(&finding.code) {
                    finding.severity = Severity::Info;
                }
            }
            input.findings.extend(audit.findings.iter().cloned());
            Some(audit)
        });
    }
    if let (Some(filename), Some(audit)) = (&filename, &judged) {
        let is_linux = files.iter().any(|file| file.elf.is_some());
        input.auditwheel_verdict = is_linux.then(|| auditwheel::verdict(audit, filename));
    }
    input.wheel = filename;
    input.wanted_tag = wanted_tag;
    input.verdict = match judged {
        Some(audit) => audit.earned,
        None => files.is_empty().then_some(PlatformTag::Any),
    };
    input.findings.sort();
    input.findings.dedup();
    input.needs.sort();
    input.needs.dedup();
    input.files = files;
    input.files.sort_by(|a, b| a.path.cmp(&b.path));
    input
}

fn earned(audit: &Audit) -> String {
    match &audit.earned {
        Some(tag) => tag.to_string(),
        None => "no tag".to_owned(),
    }
}

/// The tags that are known, in their lasting form (`manylinux2014_…` is `manylinux_2_17_…`): those
/// that differ in their age alone together, the oldest first.
pub(crate) fn kindred(claims: &[PlatformTag]) -> Vec<Vec<PlatformTag>> {
    let mut kin: BTreeMap<String, BTreeMap<Vec<u16>, PlatformTag>> = BTreeMap::new();
    for claim in claims.iter().map(PlatformTag::modern) {
        let text = claim.to_string();
        // A word of digits is an age or a part of one; processors and systems have letters.
        let (age, name): (Vec<&str>, Vec<&str>) =
            text.split('_').partition(|word| word.bytes().all(|byte| byte.is_ascii_digit()));
        // `x86_64` ends in digits that are no age, and are the same for all of a kind.
        let age = age.iter().filter_map(|number| number.parse().ok()).collect();
        kin.entry(name.join("_")).or_default().insert(age, claim);
    }
    kin.into_values().map(|tags| tags.into_values().collect()).collect()
}

/// The audit whose verdict is the more useful one: a wheel for two C libraries is judged for both.
fn rank(audit: &Audit) -> u8 {
    match &audit.earned {
        None => 0,
        Some(PlatformTag::Linux { .. }) => 1,
        Some(_) => 2,
    }
}

/// Whether files that earn `earned` keep `claim`.
pub(crate) fn keeps(claim: &PlatformTag, earned: Option<&PlatformTag>) -> bool {
    match (claim, earned) {
        (_, None) => false,
        (_, Some(PlatformTag::Any)) => true,
        (PlatformTag::Manylinux { glibc, arch }, Some(earned)) => {
            matches!(earned, PlatformTag::Manylinux { glibc: g, arch: a } if g <= glibc && a == arch)
        }
        // Nothing in a file shows which release of musl it needs.
        (PlatformTag::Musllinux { arch, .. }, Some(earned)) => {
            matches!(earned, PlatformTag::Musllinux { arch: a, .. } if a == arch)
        }
        (PlatformTag::MacOs { min, .. }, Some(earned)) => {
            matches!(earned, PlatformTag::MacOs { min: m, .. } if m <= min)
        }
        (PlatformTag::Android { api, abi }, Some(earned)) => {
            matches!(earned, PlatformTag::Android { api: a, abi: b } if a <= api && b == abi)
        }
        (claim, Some(earned)) => claim == earned,
    }
}

/// `policy` as a tag; without a processor it gets that of the files.
pub(crate) fn whole_tag(policy: &str, files: &[NativeFile]) -> Option<PlatformTag> {
    let known = |tag: &PlatformTag| Wanted::by_tag(tag).is_some();
    if let Some(tag) = policy.parse().ok().filter(known) {
        return Some(tag);
    }
    let arches = files.iter().filter_map(|file| {
        let macho = file.macho.as_ref().map(|macho| match macho.slices.len() {
            0 | 1 => {
                let arch = macho.slices.first().and_then(|slice| slice.arch);
                arch.map(|arch| MacArch::of(arch).as_str()).unwrap_or_default()
            }
            _ => MacArch::Universal2.as_str(),
        });
        let elf = file.elf.as_ref().and_then(|elf| elf.arch).map(Arch::as_str);
        elf.or(macho)
    });
    let first = arches.into_iter().next()?;
    format!("{policy}_{first}").parse().ok().filter(known)
}

/// The least that a tag must say for most of the files: the newest policy of their system.
pub(crate) fn guess(files: &[NativeFile]) -> Option<PlatformTag> {
    let mut count: BTreeMap<String, usize> = BTreeMap::new();
    let libc = libc(files);
    for file in files.iter().filter(|file| !file.is_device_code()) {
        let tag = match file.format {
            Format::Elf => {
                let arch = file.elf.as_ref().and_then(|elf| elf.arch);
                arch.and_then(|arch| policy::policies(arch, libc).last()).map(|p| p.tag.clone())
            }
            Format::MachO => {
                let slices = file.macho.iter().flat_map(|macho| &macho.slices);
                let arches: BTreeSet<MacArch> =
                    slices.filter_map(|slice| slice.arch).map(MacArch::of).collect();
                let arch = match arches.into_iter().collect::<Vec<_>>()[..] {
                    [] => None,
                    [arch] => Some(arch),
                    _ => Some(MacArch::Universal2),
                };
                arch.map(|arch| PlatformTag::MacOs { min: PlatformVersion::new(99, 0), arch })
            }
            Format::Pe => file.pe.as_ref().and_then(|pe| pe.arch).map(PlatformTag::windows),
            Format::Archive => None,
        };
        if let Some(tag) = tag {
            *count.entry(tag.to_string()).or_default() += 1;
        }
    }
    let best = count.into_iter().max_by(|a, b| a.1.cmp(&b.1).then(b.0.cmp(&a.0)))?;
    best.0.parse().ok()
}

/// The C library that the files ask for; glibc when none says.
fn libc(files: &[NativeFile]) -> Libc {
    let elves = files.iter().filter_map(|file| file.elf.as_ref());
    let names = elves.flat_map(|elf| elf.needed.iter().chain(&elf.interpreter));
    let mut known =
        names.filter_map(|name| policy::libc_of(name.rsplit('/').next().unwrap_or(name)));
    known.next().unwrap_or(Libc::Glibc)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(text: &str) -> Vec<PlatformTag> {
        text.split('.').map(|tag| tag.parse().unwrap()).collect()
    }

    #[test]
    fn tags_that_differ_in_age_alone_are_one_promise() {
        let check = |claims: &str, expected: &[&str]| {
            let kin = kindred(&tags(claims));
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
            assert_eq!(keeps(&claim.parse().unwrap(), earned.as_ref()), is_kept, "{claim}");
        };
        check("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", true);
        check("manylinux_2_17_x86_64", "manylinux_2_17_x86_64", true);
        check("manylinux_2_17_x86_64", "manylinux_2_28_x86_64", false);
        check("manylinux_2_17_x86_64", "manylinux_2_17_aarch64", false);
        check("manylinux_2_17_x86_64", "linux_x86_64", false);
        check("manylinux_2_17_x86_64", "any", true);
        // Nothing in a file shows which release of musl it needs.
        check("musllinux_1_1_x86_64", "musllinux_1_2_x86_64", true);
        check("musllinux_1_2_x86_64", "manylinux_2_17_x86_64", false);
        check("macosx_11_0_arm64", "macosx_12_0_arm64", false);
        check("macosx_12_0_arm64", "macosx_11_0_arm64", true);
        check("win_amd64", "win_amd64", true);
        check("win_amd64", "win_arm64", false);
        check("linux_x86_64", "linux_x86_64", true);
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
            let tag = guess(&files).map(|tag| tag.to_string());
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
