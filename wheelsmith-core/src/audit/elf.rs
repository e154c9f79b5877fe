//! Judges ELF files against the policies of their processor and C library.

use std::collections::{BTreeMap, BTreeSet};

use super::extension;
use super::glibc_symbols::is_of_glibc_alone;
use super::graph::Graph;
use super::tangled::{TANGLED, TANGLED_HELP};
use super::whole::{is_extension, is_for_newer_processors};
use super::{Requirement, hygiene, whole};
use crate::binary::elf::{Elf, FloatAbi, Kind};
use crate::binary::{NativeFile, Undefined};
use crate::finding::{Code, Finding, Severity};
use crate::name::{Arch, Libc, PlatformTag, PlatformVersion};
use crate::policy::{self, Policy};

/// Maximum number of evidence lines in a finding.
const SHOWN: usize = 30;
/// Symbols of a Python built with floating-point traps, which no released Python has (PEP 513).
const FPE_SYMBOLS: [&str; 3] = ["PyFPE_counter", "PyFPE_dummy", "PyFPE_jbuf"];

/// Requirements of one file on the system.
pub(super) struct SystemNeeds<'a> {
    pub(super) file: &'a NativeFile,
    pub(super) elf: &'a Elf,
    /// Libraries that the loader does not find in the wheel and that are not allowed explicitly.
    pub(super) outside: Vec<&'a str>,
    graph: &'a Graph<'a>,
    is_for_glibc: bool,
    /// Functions that it uses without a version, and the releases of glibc that added them.
    unversioned: Vec<(&'a str, PlatformVersion)>,
}

/// Version that glibc requires in files with packed relocations.
const RELR_VERSION: &str = "GLIBC_ABI_DT_RELR";
/// Fix for files that need a newer Android than that of the tag.
const ANDROID_HELP: &str =
    "build it for the API level of the tag (`--target=…-linux-android24`), or raise the tag";
/// Fix for packed relocations under a tag that cannot require them.
const RELR_HELP: &str = "link without packed relocations: leave out \
    `-Wl,-z,pack-relative-relocs` and `--pack-dyn-relocs=relr`";
/// Fix for symbols that are internal to glibc.
const PRIVATE_HELP: &str =
    "use a public function instead: the next glibc may lack this one, whatever the floor";
/// The first API level of Android whose loader applies packed relocations.
const FIRST_API_WITH_RELR: u16 = 30;

/// Guarantees of a system for the files that run on it.
struct Guarantees<'p> {
    requirement: &'p Requirement,
    /// Newest policy within the floor.
    reference: &'p Policy,
    /// Newest policy of all.
    newest: &'p Policy,
}

/// Returns the best tag that every file qualifies for, and findings that exclude the wanted
/// tag.
pub(super) fn judge(
    files: &[NativeFile],
    wanted: &Requirement,
    findings: &mut Vec<Finding>,
) -> Option<PlatformTag> {
    let graph = Graph::of(files, wanted);
    let unreachable = whole::unreachable(files, &graph);
    let own: Vec<SystemNeeds<'_>> = files
        .iter()
        .filter(|file| !unreachable.contains(&&file.path))
        .filter_map(|file| SystemNeeds::of(file, wanted, &graph))
        .collect();
    let policies = wanted.policies();
    let mut all_needs = own;
    if let (Some(reference), Some(newest)) = (wanted.reference(), policies.last()) {
        let in_wheel = all_needs.len();
        add_libraries(&mut all_needs, wanted, reference, &graph);
        let guarantees = Guarantees { requirement: wanted, reference, newest };
        for needs in &all_needs {
            needs.check(&guarantees, findings);
        }
        for needs in &all_needs[..in_wheel] {
            hygiene::check(needs.file, needs.elf, findings);
        }
        whole::check(files, wanted.libc(), &graph, &unreachable, findings);
    }
    if findings.iter().any(|finding| finding.code == Code::Unreadable) {
        return None;
    }
    if all_needs.is_empty() {
        let has_errors = findings.iter().any(|finding| finding.severity == Severity::Error);
        return (!has_errors).then(|| wanted.tag().clone());
    }
    let candidates = match wanted.tag() {
        PlatformTag::Android { .. } => return Some(android_tag(&all_needs, wanted)),
        // musl has no symbol versions, so files do not record which release they need. Only the
        // newest policy is certain to be enough.
        PlatformTag::Musllinux { .. } => policies.last().map_or(policies, std::slice::from_ref),
        _ => policies,
    };
    let kept = |policy: &&Policy| all_needs.iter().all(|needs| needs.keeps(policy, wanted));
    let best = candidates.iter().find(kept).map(|policy| policy.tag.clone());
    best.or_else(|| Some(PlatformTag::Linux { arch: wanted.tag().arch()? }))
}

/// Returns the tag for Android (PEP 738) of the lowest API level at which every file runs, starting
/// at the level of the requirement. Lower levels are not tried, because symbols of libraries other
/// than the C library do not record the level that introduced them.
fn android_tag(all_needs: &[SystemNeeds<'_>], requirement: &Requirement) -> PlatformTag {
    let PlatformTag::Android { api, abi } = *requirement.tag() else {
        return requirement.tag().clone();
    };
    let arch = abi.arch();
    let noted = all_needs.iter().filter_map(|needs| needs.elf.android_api?.try_into().ok());
    let versions = all_needs.iter().flat_map(SystemNeeds::versions);
    let needed = versions.filter_map(|(_, version)| policy::android::level(version));
    let least: u16 = noted.chain(needed).fold(api, u16::max);
    let levels: Vec<_> = policy::android::policies(arch)
        .iter()
        .filter_map(|policy| match policy.tag {
            PlatformTag::Android { api, .. } => Some((api, policy)),
            _ => None,
        })
        .collect();
    // The policy that applies at `least`, and the newer ones.
    let first = levels.iter().rposition(|(level, _)| *level <= least).unwrap_or(0);
    let qualifies = |policy| all_needs.iter().all(|needs| needs.keeps(policy, requirement));
    let best = levels[first.min(levels.len())..].iter().find(|(_, policy)| qualifies(policy));
    match best {
        Some((level, _)) if least < policy::android::NEVER => {
            PlatformTag::Android { api: least.max(*level), abi }
        }
        _ => PlatformTag::Linux { arch },
    }
}

/// Adds the given libraries that the wheel needs, and the libraries that those need.
fn add_libraries<'a>(
    all_needs: &mut Vec<SystemNeeds<'a>>,
    wanted: &'a Requirement,
    reference: &Policy,
    graph: &'a Graph<'a>,
) {
    let mut by_name: BTreeMap<&str, &'a NativeFile> = BTreeMap::new();
    for file in wanted.allowances().libraries() {
        let soname = file.elf().and_then(|elf| elf.soname.as_deref());
        for name in [Some(file.path.file_name()), soname].into_iter().flatten() {
            by_name.entry(name).or_insert(file);
        }
    }
    let mut brought = BTreeSet::new();
    let mut at = 0;
    while at < all_needs.len() {
        let mut new = Vec::new();
        all_needs[at].outside.retain(|name| match by_name.get(name) {
            Some(file) if !reference.allows_library(name) => {
                new.push(*file);
                false
            }
            _ => true,
        });
        for file in new {
            if brought.insert(&file.path) {
                all_needs.extend(SystemNeeds::of(file, wanted, graph));
            }
        }
        at += 1;
    }
}

impl<'a> SystemNeeds<'a> {
    /// Returns the requirements of a file; `None` for object files, which have no requirements
    /// before they are linked, and for files of another processor.
    fn of(file: &'a NativeFile, wanted: &Requirement, graph: &'a Graph<'a>) -> Option<Self> {
        let elf = file.elf().filter(|elf| elf.kind != Kind::Object)?;
        if elf.arch.is_none() || elf.arch != wanted.tag().arch() {
            return None;
        }
        let is_outside = |library: &&str| {
            !graph.finds(file.path.as_str(), library) && !wanted.allowances().excludes(library)
        };
        let outside: Vec<&str> = elf.needed.iter().map(String::as_str).filter(is_outside).collect();
        let is_for_glibc = wanted.libc() == Some(Libc::Glibc);
        let unversioned = if is_for_glibc && elf.kind != Kind::StaticProgram {
            unversioned(file, &outside, graph)
        } else {
            Vec::new()
        };
        Some(Self { file, elf, outside, graph, is_for_glibc, unversioned })
    }

    /// True if the file runs on every system that satisfies `policy`.
    pub(super) fn keeps(&self, policy: &Policy, wanted: &Requirement) -> bool {
        self.other_libc(wanted).is_none()
            && self.outside.iter().all(|library| wanted.allows_library(policy, library))
            && self.versions().all(|(_, version)| policy.allows_version(version))
            && self.relocation_fault(wanted).is_none()
            && self.glibc_symbols(wanted).next().is_none()
            && self.too_new_functions(&policy.tag).next().is_none()
            && self.forbidden(policy).next().is_none()
            && self.too_new_processor().is_none()
            && other_float_abi(self.elf, wanted).is_none()
            && self.fpe_symbols().next().is_none()
    }

    /// Returns the evidence that the file is for another C library than the wanted one.
    pub(super) fn other_libc(&self, wanted: &Requirement) -> Option<String> {
        let other = |name: &str| match wanted.libc() {
            Some(libc) => policy::libc_of(name).is_some_and(|found| found != libc),
            // The libc of Android has the same name as an alias of the loader of musl.
            None => policy::libc_of(name).is_some() && name != "libc.so",
        };
        if let Some(path) = self.elf.interpreter.as_deref().filter(|p| other(base_name(p))) {
            return Some(format!("its loader is `{path}`"));
        }
        if let Some(library) = self.outside.iter().find(|library| other(library)) {
            return Some(format!("it needs `{library}`"));
        }
        let named = extension::libc_of_name(self.file)?;
        let wanted = wanted.libc()?;
        (named != wanted).then(|| format!("its file name is for Pythons on {named}"))
    }

    /// Returns the reason why packed relocations (DT_RELR) keep the file from the requirement. musl
    /// applies them from 1.2.4 on, which no tag can express; Android applies them from API level 30
    /// on. glibc refuses a file that needs versions of it and does not list `GLIBC_ABI_DT_RELR`.
    fn relocation_fault(&self, wanted: &Requirement) -> Option<&'static str> {
        if !self.has_packed_relocations() {
            return None;
        }
        match wanted.tag() {
            PlatformTag::Musllinux { .. } => {
                Some("musl supports them from 1.2.4 on, which no tag can require")
            }
            PlatformTag::Android { api, .. } if *api < FIRST_API_WITH_RELR => {
                Some("Android supports them from API level 30 on")
            }
            PlatformTag::Manylinux { .. } => {
                let versions = self.elf.needed_versions.get("libc.so.6")?;
                let is_noted = versions.contains(RELR_VERSION);
                (!is_noted).then_some(
                    "glibc refuses them in a file that does not note `GLIBC_ABI_DT_RELR`",
                )
            }
            _ => None,
        }
    }

    /// True if the loader must apply packed relocations; a static program applies its own.
    fn has_packed_relocations(&self) -> bool {
        self.elf.packed_relocations && self.elf.kind != Kind::StaticProgram
    }

    /// Returns the functions of glibc that the file requires, for a wheel for musl.
    fn glibc_symbols(&self, wanted: &Requirement) -> impl Iterator<Item = &'a str> {
        let is_musl = wanted.libc() == Some(Libc::Musl);
        let strong = self.file.symbols.undefined.iter().filter(move |s| is_musl && !s.weak);
        let names = strong.map(|symbol| symbol.name.as_str());
        names.filter(|name| is_of_glibc_alone(name) && !self.graph.exports(name))
    }

    /// Returns the functions that the file uses without a version, and that the glibc of `tag` lacks.
    fn too_new_functions(
        &self,
        tag: &PlatformTag,
    ) -> impl Iterator<Item = &(&'a str, PlatformVersion)> {
        let floor = tag.glibc();
        self.unversioned.iter().filter(move |(_, release)| floor.is_some_and(|f| *release > f))
    }

    /// Returns library and version for each symbol version that the file needs. Libraries of the
    /// wheel are included, because the loader may prefer a copy of the system at run time.
    pub(super) fn versions(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let libraries =
            self.elf.needed_versions.iter().filter(|(library, _)| !policy::is_loader(library));
        let noted = libraries.flat_map(|(library, versions)| {
            versions.iter().map(move |version| (library.as_str(), version.as_str()))
        });
        // The version is required even if the file does not list it.
        let is_noted = self.elf.needed_versions.values().flatten().any(|v| v == RELR_VERSION);
        let is_glibc = self.is_for_glibc && self.has_packed_relocations() && !is_noted;
        noted.chain(is_glibc.then_some(("libc.so.6", RELR_VERSION)))
    }

    /// Returns library and symbol for each symbol that the file needs and that `policy` withholds.
    fn forbidden<'p>(&self, policy: &'p Policy) -> impl Iterator<Item = (&'p str, &'p str)> {
        let (outside, undefined) = (&self.outside, &self.file.symbols.undefined);
        let libraries = policy.forbidden_symbols.iter();
        let needed = libraries.filter(move |(library, _)| outside.contains(&library.as_str()));
        needed.flat_map(move |(library, symbols)| {
            let asked = undefined.iter().filter(|symbol| !symbol.weak);
            let found = asked.filter_map(|symbol| symbols.get(&symbol.name));
            found.map(move |symbol| (library.as_str(), symbol.as_str()))
        })
    }

    /// Returns the x86-64 level that the file requires; `None` if the loader selects the file only
    /// on processors that have it.
    fn too_new_processor(&self) -> Option<u8> {
        self.elf.x86_64_level.filter(|_| !is_for_newer_processors(self.file))
    }

    fn fpe_symbols(&self) -> impl Iterator<Item = &'a str> {
        let names = self.file.symbols.undefined.iter().map(|symbol| symbol.name.as_str());
        names.filter(|name| FPE_SYMBOLS.contains(name))
    }

    /// Reports the reasons why the file does not qualify for the requirement.
    fn check(&self, guarantees: &Guarantees<'_>, findings: &mut Vec<Finding>) {
        let Guarantees { requirement: wanted, reference, .. } = *guarantees;
        let new = |code, message: String| Finding::new(code, &self.file.path, message);
        if let Some(sign) = self.other_libc(wanted) {
            let message = format!("{sign}; the target has {}", wanted.libc_name());
            findings.push(new(Code::WrongLibc, message));
            // All other findings follow from this one.
            return;
        }
        if !self.graph.is_complete() {
            findings.push(new(Code::Unreadable, TANGLED.to_owned()).with_help(TANGLED_HELP));
        }
        if let Some(level) = self.too_new_processor() {
            let message = format!("it requires a processor of x86-64-v{level} or newer");
            findings.push(new(Code::IsaTooNew, message));
        }
        for library in &self.outside {
            if wanted.allows_library(reference, library) {
                continue;
            }
            if policy::is_libpython(library) {
                let what = if is_extension(self.file) { "the extension module" } else { "it" };
                let message =
                    format!("{what} needs `{library}`, which Pythons without libpython lack");
                let finding = new(Code::Libpython, message);
                findings.push(if self.elf.kind == Kind::Program {
                    finding.with_help(
                        "put the library into the wheel beside the program, or link Python statically",
                    )
                } else {
                    finding
                });
                continue;
            }
            let elsewhere = self.graph.elsewhere(self.elf, library);
            let place = match elsewhere {
                Some(path) => format!("in the wheel at `{path}`, where the loader does not look,"),
                None => "not in the wheel".to_owned(),
            };
            let message = format!(
                "it needs `{library}`, which is {place} and not guaranteed by {}",
                reference.tag
            );
            let finding = new(Code::ExternalLibrary, message);
            findings.push(match elsewhere {
                Some(_) => finding.with_help(
                    "link the file with a RUNPATH that leads to the library \
                     (`-Wl,-rpath,'$ORIGIN/…'`), or let `wheelsmith repair` add one",
                ),
                None => finding,
            });
        }
        if let Some(fault) = self.relocation_fault(wanted) {
            let message = format!("it has packed relocations (DT_RELR): {fault}");
            findings.push(new(Code::SymbolTooNew, message).with_help(RELR_HELP));
        }
        let glibc: Vec<String> = self.glibc_symbols(wanted).map(str::to_owned).collect();
        if let Some(first) = glibc.first() {
            let message = format!("it uses `{first}`, which only glibc has, not musl");
            let finding = new(Code::UndefinedSymbol, message).because(glibc.iter().cloned());
            let finding = Finding { severity: Severity::Error, ..finding };
            findings.push(finding.with_help("compile it with the headers of musl"));
        }
        let newer: Vec<_> = self.too_new_functions(wanted.tag()).collect();
        if let Some((name, release)) = newer.iter().max_by_key(|(_, release)| *release)
            && let Some(floor) = wanted.tag().glibc()
        {
            let message = format!(
                "it uses `{name}`, which glibc has from {release} on; the floor is glibc {floor}"
            );
            let lines = newer.iter().map(|(name, release)| format!("{name} since glibc {release}"));
            let finding = new(Code::SymbolTooNew, message).because(lines.take(SHOWN));
            findings.push(
                finding.with_help(
                    "raise the floor, avoid the function, or link the library that has it",
                ),
            );
        }
        for (library, symbol) in self.forbidden(reference) {
            let message =
                format!("it needs `{symbol}` from `{library}`, which {} forbids", reference.tag);
            findings.push(new(Code::ForbiddenSymbol, message));
        }
        let fpe: Vec<String> = self.fpe_symbols().map(str::to_owned).collect();
        if let Some(first) = fpe.first() {
            let message = format!("it uses the Python symbol `{first}`, which no release has");
            findings.push(new(Code::FpeSymbols, message).because(fpe.clone()));
        }
        let mut too_new: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (library, version) in self.versions().filter(|(_, v)| !guarantees.includes(v)) {
            too_new.entry(library).or_default().push(version);
        }
        for (library, versions) in too_new {
            findings.push(self.too_new(guarantees, library, versions));
        }
        if let PlatformTag::Android { api, .. } = *wanted.tag()
            && let Some(own) = self.elf.android_api.filter(|own| *own > u32::from(api))
        {
            let message = format!("it requires Android API level {own}; the tag says {api}");
            findings.push(new(Code::SymbolTooNew, message).with_help(ANDROID_HELP));
        }
    }

    fn too_new(
        &self,
        guarantees: &Guarantees<'_>,
        library: &str,
        mut versions: Vec<&str>,
    ) -> Finding {
        versions.sort_by_key(|version| std::cmp::Reverse(age(version)));
        let newest = versions[0];
        let mut culprits: Vec<String> =
            versions.iter().flat_map(|version| self.culprits(library, version)).collect();
        let limit = match guarantees.requirement.tag() {
            _ if newest == "GLIBC_PRIVATE" => "it is internal to glibc".to_owned(),
            PlatformTag::Manylinux { glibc: floor, .. } if newest.starts_with("GLIBC_") => {
                format!("the floor is glibc {floor}")
            }
            _ => format!("{} does not guarantee that", guarantees.reference.tag),
        };
        let more = match culprits.len() - 1 {
            0 => String::new(),
            1 => " and one more symbol".to_owned(),
            more => format!(" and {more} more symbols"),
        };
        let message = format!("it needs `{}`{more} from `{library}`; {limit}", culprits[0]);
        let hidden = culprits.len().saturating_sub(SHOWN);
        culprits.truncate(SHOWN);
        for line in &mut culprits {
            line.push_str(" of ");
            line.push_str(library);
        }
        if hidden > 0 {
            culprits.push(format!("and {hidden} more"));
        }
        let finding = Finding::new(Code::SymbolTooNew, &self.file.path, message).because(culprits);
        match guarantees.requirement.tag() {
            _ if newest == "GLIBC_PRIVATE" => finding.with_help(PRIVATE_HELP),
            PlatformTag::Manylinux { .. } if newest.starts_with("GLIBC_") => finding,
            PlatformTag::Manylinux { .. } => finding.with_help(
                "build it on an older system, or link the library statically (`-static-libstdc++`, \
                 `-static-libgcc`)",
            ),
            PlatformTag::Android { .. } => finding.with_help(ANDROID_HELP),
            _ => finding.with_help("build it for the C library of the tag"),
        }
    }

    /// Returns the symbols that need `version`, as `fstat64@GLIBC_2.33`; the version alone if no
    /// symbol needs it.
    fn culprits(&self, library: &str, version: &str) -> Vec<String> {
        let asks = |symbol: &&Undefined| {
            let wanted = symbol.version.as_ref();
            wanted.is_some_and(|(v, l)| v == version && l == library)
        };
        let symbols = self.file.symbols.undefined.iter().filter(asks);
        let lines: Vec<String> = symbols.map(|s| format!("{}@{version}", s.name)).collect();
        if lines.is_empty() { vec![version.to_owned()] } else { lines }
    }
}

impl Guarantees<'_> {
    /// True if every system within the floor has `version`. Versions of glibc are compared with the
    /// floor itself, because not every release has a policy.
    fn includes(&self, version: &str) -> bool {
        match (version.strip_prefix("GLIBC_"), self.requirement.tag()) {
            (Some(_), PlatformTag::Manylinux { glibc: floor, .. }) => {
                let floor = [u32::from(floor.major), u32::from(floor.minor)];
                // 2.2.5 is older than 2.3, and 2.17 has no third part.
                let is_old = age(version)
                    .is_some_and(|age| age.get(..2).is_some_and(|parts| *parts <= floor[..]));
                is_old && self.newest.allows_version(version)
            }
            (_, PlatformTag::Android { api, .. }) => {
                policy::android::level(version).is_none_or(|level| level <= *api)
            }
            _ => self.reference.allows_version(version),
        }
    }
}

/// True if a newer tag resolves the finding.
#[cfg(feature = "repair")]
pub(crate) fn is_resolved_by_newer_tag(finding: &Finding) -> bool {
    let other_fix = [Some(RELR_HELP), Some(PRIVATE_HELP)];
    matches!(finding.code, Code::SymbolTooNew | Code::MinimumTooNew)
        && !other_fix.contains(&finding.help)
}

/// Returns the way in which the file passes floating-point arguments, if the target passes them
/// differently. Static programs are exempt.
pub(super) fn other_float_abi(elf: &Elf, wanted: &Requirement) -> Option<&'static str> {
    let is_linked = matches!(elf.kind, Kind::Program | Kind::SharedLibrary);
    // Android is the only system that uses `softfp` on 32-bit Arm.
    let expected = match (wanted.tag().arch()?, wanted.is_android()) {
        (Arch::Armv7l, true) => FloatAbi::Soft,
        (Arch::Armv7l | Arch::Riscv64 | Arch::Loongarch64, _) => FloatAbi::Double,
        _ => return None,
    };
    let found = elf.float_abi.filter(|found| is_linked && *found != expected)?;
    Some(match found {
        FloatAbi::Soft => "in integer registers",
        FloatAbi::Single => "in floating-point registers of 32 bits",
        FloatAbi::Double => "in floating-point registers",
        FloatAbi::Quad => "in floating-point registers of 128 bits",
    })
}

/// Returns the functions of glibc that `file` uses without a version, sorted, and the releases that
/// added them. Functions that a file of the wheel defines are left out; all are if the file needs a
/// library outside the wheel that may define functions without versions.
pub(super) fn unversioned<'a>(
    file: &'a NativeFile,
    outside: &[&str],
    graph: &Graph<'_>,
) -> Vec<(&'a str, PlatformVersion)> {
    if !outside.iter().all(|library| whole::has_versions(library)) {
        return Vec::new();
    }
    let strong = file.symbols.undefined.iter().filter(|s| !s.weak && s.version.is_none());
    let known = strong.filter_map(|symbol| {
        let release = policy::glibc::first_release(&symbol.name)?;
        (!graph.exports(&symbol.name)).then_some((symbol.name.as_str(), release))
    });
    known.collect()
}

/// Returns the oldest glibc on which an ELF file runs. Considers the versions that it needs of
/// glibc itself and of libraries whose policies name versions (`GLIBCXX_3.4.30`), and its packed
/// relocations. `None` if it needs none of them.
pub fn glibc_floor(file: &NativeFile) -> Option<PlatformVersion> {
    let elf = file.elf()?;
    let policies = policy::policies(elf.arch?, Libc::Glibc);
    let needed = elf.needed_versions.iter().filter(|(library, _)| !policy::is_loader(library));
    let versions = needed.flat_map(|(_, versions)| versions).map(String::as_str);
    let packed =
        (elf.packed_relocations && !elf.needed_versions.is_empty()).then_some(RELR_VERSION);
    let floor = |version: &str| {
        if let (true, Some(age)) = (version.starts_with("GLIBC_"), age(version)) {
            // `GLIBC_2.2.5` is older than 2.3: the third part does not matter here.
            let part = |i: usize| age.get(i).and_then(|n| u16::try_from(*n).ok());
            return Some(PlatformVersion::new(part(0)?, part(1)?));
        }
        let (namespace, _) = version.split_once('_')?;
        policies.first()?.symbol_versions.get(namespace)?;
        match policies.iter().find(|policy| policy.allows_version(version))?.tag {
            PlatformTag::Manylinux { glibc, .. } => Some(glibc),
            _ => None,
        }
    };
    versions.chain(packed).filter_map(floor).max()
}

/// Returns a key that orders the versions of a namespace; `None` for `GLIBC_PRIVATE`, which has no
/// order.
pub(super) fn age(version: &str) -> Option<Vec<u32>> {
    match version {
        // The marker of packed relocations was introduced in this release.
        "GLIBC_ABI_DT_RELR" => Some(vec![2, 36]),
        version => match policy::android::level(version) {
            Some(level) => Some(vec![level.into()]),
            None => number(version.split_once('_')?.1),
        },
    }
}

/// Returns the parts of a version for comparison; `None` if they are not numbers.
pub(super) fn number(version: &str) -> Option<Vec<u32>> {
    version.split('.').map(|part| part.parse().ok()).collect()
}

fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}
