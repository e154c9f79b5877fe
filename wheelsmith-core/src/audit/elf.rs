//! ELF files against the policies of their processor and C library.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::NativeFile;
use super::graph::Graph;
use super::place::{directory, installed};
use crate::binary::elf::{Elf, Kind, Undefined};
use crate::finding::{Code, Finding, Severity};
use crate::name::{Floor, Libc, PlatformTag, PlatformVersion, Target, WheelPath};
use crate::policy::{self, Policy};

/// What one file asks of the system.
struct Demand<'a> {
    path: &'a WheelPath,
    elf: &'a Elf,
    undefined: &'a [Undefined],
    /// Libraries that the loader does not find in the wheel.
    outside: Vec<&'a str>,
    graph: &'a Graph<'a>,
}

/// What a target asks of its files.
struct Terms<'p> {
    libc: Libc,
    floor: Option<PlatformVersion>,
    /// The newest policy within the floor.
    reference: &'p Policy,
    /// The newest policy of all.
    newest: &'p Policy,
}

/// The best tag that every file keeps, and what keeps them from the target's floor.
pub(super) fn judge(
    files: &[NativeFile],
    target: Target,
    libc: Libc,
    findings: &mut Vec<Finding>,
) -> Option<PlatformTag> {
    let graph = Graph::new(files);
    let mut demands = Vec::new();
    for file in files {
        // Object files ask for nothing yet: what they need shows where they are linked.
        let Some(elf) = file.elf.as_ref().filter(|elf| elf.kind != Kind::Object) else { continue };
        if elf.arch != Some(target.arch()) {
            continue;
        }
        let is_outside = |library: &&str| !graph.finds(file.path.as_str(), library);
        let outside = elf.needed.iter().map(String::as_str).filter(is_outside).collect();
        let undefined = &file.undefined;
        demands.push(Demand { path: &file.path, elf, undefined, outside, graph: &graph });
    }
    let policies = policy::policies(target.arch(), libc);
    let floor = match target.floor() {
        Floor::Glibc(floor) => Some(floor),
        _ => None,
    };
    if let (Some(reference), Some(newest)) = (reference(policies, floor), policies.last()) {
        let terms = Terms { libc, floor, reference, newest };
        for demand in &demands {
            demand.check(&terms, findings);
            demand.hygiene(findings);
        }
    }
    let is_unproven = |finding: &Finding| finding.code == Code::Unreadable;
    if findings.iter().any(is_unproven) {
        return None;
    }
    if demands.is_empty() {
        let has_errors = findings.iter().any(|finding| finding.severity == Severity::Error);
        return (!has_errors).then(|| target.wanted_tag());
    }
    let candidates = match libc {
        Libc::Glibc => policies,
        // musl has no symbol versions, so that nothing shows which release a file needs: only the
        // newest policy is certain.
        Libc::Musl => policies.last().map_or(policies, std::slice::from_ref),
    };
    let kept = |policy: &&Policy| demands.iter().all(|demand| demand.keeps(policy, libc));
    let best = candidates.iter().find(kept).map(|policy| policy.tag.clone());
    Some(best.unwrap_or(PlatformTag::Linux { arch: target.arch() }))
}

/// The newest policy that the floor includes, or the oldest of all.
fn reference(policies: &[Policy], floor: Option<PlatformVersion>) -> Option<&Policy> {
    let included = |policy: &&Policy| match (&policy.tag, floor) {
        (PlatformTag::Manylinux { glibc, .. }, Some(floor)) => *glibc <= floor,
        _ => true,
    };
    policies.iter().rev().find(included).or(policies.first())
}

impl Demand<'_> {
    /// Whether the file runs wherever `policy` holds.
    fn keeps(&self, policy: &Policy, libc: Libc) -> bool {
        self.other_libc(libc).is_none()
            && self.outside.iter().all(|library| policy.allows_library(library))
            && self.versions().all(|(_, version)| policy.allows_version(version))
            && self.forbidden(policy).next().is_none()
    }

    /// What shows that the file is for another C library than `libc`.
    fn other_libc(&self, libc: Libc) -> Option<String> {
        let other = |name: &str| policy::libc_of(name).is_some_and(|found| found != libc);
        if let Some(path) = self.elf.interpreter.as_deref().filter(|p| other(base_name(p))) {
            return Some(format!("its loader is `{path}`"));
        }
        let library = self.outside.iter().find(|library| other(library))?;
        Some(format!("it needs `{library}`"))
    }

    /// Library and version, for each version that it asks for of a library. What a library of the
    /// wheel provides is counted as well: it may be a promised one that is preferred at run time.
    fn versions(&self) -> impl Iterator<Item = (&str, &str)> {
        let libraries =
            self.elf.needed_versions.iter().filter(|(library, _)| !policy::is_loader(library));
        libraries.flat_map(|(library, versions)| {
            versions.iter().map(move |version| (library.as_str(), version.as_str()))
        })
    }

    /// Library and symbol, for what the file needs although `policy` withholds it.
    fn forbidden<'p>(&self, policy: &'p Policy) -> impl Iterator<Item = (&'p str, &'p str)> {
        let (outside, undefined) = (&self.outside, self.undefined);
        let libraries = policy.forbidden_symbols.iter();
        let needed = libraries.filter(move |(library, _)| outside.contains(&library.as_str()));
        needed.flat_map(move |(library, symbols)| {
            let asked = undefined.iter().filter(|symbol| !symbol.weak);
            let found = asked.filter_map(|symbol| symbols.get(&symbol.name));
            found.map(move |symbol| (library.as_str(), symbol.as_str()))
        })
    }

    /// What keeps the file from the floor.
    fn check(&self, terms: &Terms<'_>, findings: &mut Vec<Finding>) {
        let Terms { libc, reference, .. } = *terms;
        let mut find =
            |code, message: String| findings.push(Finding::new(code, self.path, message));
        if let Some(sign) = self.other_libc(libc) {
            find(Code::WrongLibc, format!("{sign}; the target has {libc}"));
            // All else that it asks for follows from that.
            return;
        }
        if !self.graph.is_complete() {
            find(
                Code::Unreadable,
                "the libraries of the wheel need each other in more ways than can be followed"
                    .to_owned(),
            );
        }
        for library in self.outside.iter().filter(|name| !reference.allows_library(name)) {
            let place = match self.graph.elsewhere(self.elf, library) {
                Some(path) => format!("in the wheel at `{path}`, where the loader does not look,"),
                None => "not in the wheel,".to_owned(),
            };
            find(
                Code::ExternalLibrary,
                format!(
                    "it needs `{library}`, which is {place} and which {} does not promise",
                    reference.tag
                ),
            );
        }
        let mut too_new: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (library, version) in self.versions().filter(|(_, v)| !terms.include(v)) {
            too_new.entry(library).or_default().push(version);
        }
        for (library, versions) in too_new {
            find(Code::SymbolTooNew, self.too_new(terms, library, versions));
        }
        for (library, symbol) in self.forbidden(reference) {
            find(
                Code::ForbiddenSymbol,
                format!("it needs `{symbol}` from `{library}`, which {} withholds", reference.tag),
            );
        }
    }

    fn too_new(&self, terms: &Terms<'_>, library: &str, mut versions: Vec<&str>) -> String {
        const SHOWN: usize = 4;
        versions.sort_by_key(|version| std::cmp::Reverse(age(version)));
        let shown = versions.iter().take(SHOWN);
        let mut text =
            shown.map(|version| self.culprits(library, version)).collect::<Vec<_>>().join(", ");
        if versions.len() > SHOWN {
            let _ = write!(text, " and symbols of {} older versions", versions.len() - SHOWN);
        }
        let limit = match terms.floor {
            Some(_) if versions[0] == "GLIBC_PRIVATE" => "glibc keeps that to itself".to_owned(),
            Some(floor) if versions[0].starts_with("GLIBC_") => {
                format!("the floor is glibc {floor}")
            }
            _ => format!("{} does not promise that", terms.reference.tag),
        };
        format!("it needs {text} from `{library}`; {limit}")
    }

    /// The symbols that ask for `version`, as `fstat64@GLIBC_2.33`; the version alone when no symbol
    /// does.
    fn culprits(&self, library: &str, version: &str) -> String {
        const SHOWN: usize = 4;
        let asks = |symbol: &&Undefined| {
            let wanted = symbol.version.as_ref();
            wanted.is_some_and(|(v, l)| v == version && l == library)
        };
        let symbols: Vec<&Undefined> = self.undefined.iter().filter(asks).collect();
        if symbols.is_empty() {
            return format!("`{version}`");
        }
        let shown = symbols.iter().take(SHOWN);
        let mut text = shown
            .map(|symbol| format!("`{}@{version}`", symbol.name))
            .collect::<Vec<_>>()
            .join(", ");
        if symbols.len() > SHOWN {
            let _ = write!(text, " and {} more", symbols.len() - SHOWN);
        }
        text
    }

    /// What is wrong with the file wherever it runs.
    fn hygiene(&self, findings: &mut Vec<Finding>) {
        let mut find =
            |code, message: String| findings.push(Finding::new(code, self.path, message));
        let place = installed(self.path.as_str());
        let entries = self.elf.rpath.iter().map(|entry| ("RPATH", entry));
        for (tag, entry) in entries.chain(self.elf.runpath.iter().map(|entry| ("RUNPATH", entry))) {
            if directory(entry, &place).is_none() {
                find(Code::EscapingRpath, format!("its {tag} has `{entry}`, outside the wheel"));
            }
        }
        if self.elf.executable_stack == Some(true) {
            find(Code::ExecutableStack, "its stack may hold code".to_owned());
        }
        if self.elf.text_relocations {
            find(Code::TextRelocations, "the loader must write into its code".to_owned());
        }
    }
}

impl Terms<'_> {
    /// Whether `version` is there wherever the floor is kept. glibc's own are compared with the
    /// floor itself, because there is no policy for every release.
    fn include(&self, version: &str) -> bool {
        match (version.strip_prefix("GLIBC_"), self.floor) {
            (Some(_), Some(floor)) => {
                let floor = [u32::from(floor.major), u32::from(floor.minor)];
                // 2.2.5 is before 2.3, and 2.17 has no third part.
                let is_old = age(version)
                    .is_some_and(|age| age.get(..2).is_some_and(|parts| *parts <= floor[..]));
                is_old && self.newest.allows_version(version)
            }
            _ => self.reference.allows_version(version),
        }
    }
}

/// A key that orders the versions of a namespace; nothing for `GLIBC_PRIVATE`, which has no place
/// among them.
fn age(version: &str) -> Option<Vec<u32>> {
    match version {
        // What marks packed relocations came with this release.
        "GLIBC_ABI_DT_RELR" => Some(vec![2, 36]),
        version => number(version.split_once('_')?.1),
    }
}

/// The parts of a version, for comparing; nothing when they are no numbers.
pub(super) fn number(version: &str) -> Option<Vec<u32>> {
    version.split('.').map(|part| part.parse().ok()).collect()
}

fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}
