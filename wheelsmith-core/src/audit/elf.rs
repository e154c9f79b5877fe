//! ELF files against the policies of their processor and C library.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::{Code, Finding, NativeFile, graph};
use crate::binary::elf::{Elf, Undefined};
use crate::name::{Floor, Libc, PlatformTag, PlatformVersion, Target, WheelPath};
use crate::policy::{self, Policy};

/// What one file asks of the system.
struct Demand<'a> {
    path: &'a WheelPath,
    elf: &'a Elf,
    /// Libraries that are not in the wheel.
    outside: Vec<&'a str>,
    undefined: Vec<Undefined>,
}

/// The best tag that every file keeps, and what keeps them from the target's floor.
pub(super) fn judge(
    files: &[NativeFile],
    contents: &BTreeMap<WheelPath, &[u8]>,
    target: Target,
    libc: Libc,
    findings: &mut Vec<Finding>,
) -> Option<PlatformTag> {
    let inside = graph::found_inside(files);
    let mut demands = Vec::new();
    for file in files {
        let Some(elf) = &file.elf else { continue };
        if elf.arch != Some(target.arch()) {
            continue;
        }
        let undefined = elf.undefined_symbols(contents[&file.path]).unwrap_or_else(|error| {
            findings.push(Finding::new(Code::Unreadable, &file.path, error.to_string()));
            Vec::new()
        });
        let found = inside.get(file.path.as_str());
        let outside = elf.needed.iter().map(String::as_str);
        let outside = outside.filter(|name| !found.is_some_and(|found| found.contains(name)));
        demands.push(Demand { path: &file.path, elf, outside: outside.collect(), undefined });
    }
    let policies = policy::policies(target.arch(), libc);
    let floor = match target.floor() {
        Floor::Glibc(floor) => Some(floor),
        _ => None,
    };
    let reference = reference(policies, floor)?;
    for demand in &demands {
        demand.check(reference, floor, findings);
        demand.hygiene(findings);
    }
    let candidates = match libc {
        Libc::Glibc => policies,
        // musl has no symbol versions, so that nothing shows which release a file needs: only the
        // newest policy is certain.
        Libc::Musl => &policies[policies.len() - 1..],
    };
    let kept = |policy: &&Policy| demands.iter().all(|demand| demand.keeps(policy));
    candidates.iter().find(kept).map(|policy| policy.tag.clone())
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
    fn keeps(&self, policy: &Policy) -> bool {
        self.outside.iter().all(|library| policy.allows_library(library))
            && self.versions().all(|(_, version)| policy.allows_version(version))
            && self.forbidden(policy).next().is_none()
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

    fn forbidden<'p>(&self, policy: &'p Policy) -> impl Iterator<Item = (&'p str, &'p str)> {
        let outside: BTreeSet<&str> = self.outside.iter().copied().collect();
        let strong: BTreeSet<&str> =
            self.undefined.iter().filter(|s| !s.weak).map(|s| s.name.as_str()).collect();
        let libraries = policy
            .forbidden_symbols
            .iter()
            .filter(move |(name, _)| outside.contains(name.as_str()));
        libraries.flat_map(move |(library, symbols)| {
            let strong = strong.clone();
            symbols
                .iter()
                .filter(move |symbol| strong.contains(symbol.as_str()))
                .map(move |symbol| (library.as_str(), symbol.as_str()))
        })
    }

    /// What keeps the file from the floor: `reference` for all but glibc's own versions, which are
    /// compared with the floor itself, because there is no policy for every release.
    fn check(
        &self,
        reference: &Policy,
        floor: Option<PlatformVersion>,
        findings: &mut Vec<Finding>,
    ) {
        let mut find =
            |code, message: String| findings.push(Finding::new(code, self.path, message));
        for library in self.outside.iter().filter(|name| !reference.allows_library(name)) {
            find(
                Code::ExternalLibrary,
                format!(
                    "it needs `{library}`, which is not in the wheel and which {} does not promise",
                    reference.tag
                ),
            );
        }
        let mut too_new: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (library, version) in self.versions() {
            let allowed = match (version.strip_prefix("GLIBC_"), floor) {
                (Some(number), Some(floor)) => glibc_within(number, floor),
                _ => reference.allows_version(version),
            };
            if !allowed {
                too_new.entry(library).or_default().push(version);
            }
        }
        for (library, mut versions) in too_new {
            versions.sort_by_key(|version| {
                std::cmp::Reverse(version.split_once('_').and_then(|(_, n)| number(n)))
            });
            let culprits: Vec<String> =
                versions.iter().map(|version| self.culprits(library, version)).collect();
            let limit = match floor {
                Some(floor) if versions.iter().all(|v| v.starts_with("GLIBC_")) => {
                    format!("the floor is glibc {floor}")
                }
                _ => format!("{} does not promise that", reference.tag),
            };
            find(
                Code::SymbolTooNew,
                format!("it needs {} from `{library}`; {limit}", culprits.join(", ")),
            );
        }
        for (library, symbol) in self.forbidden(reference) {
            find(
                Code::ForbiddenSymbol,
                format!("it needs `{symbol}` from `{library}`, which {} withholds", reference.tag),
            );
        }
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
        let entries = self.elf.rpath.iter().map(|entry| ("RPATH", entry));
        for (tag, entry) in entries.chain(self.elf.runpath.iter().map(|entry| ("RUNPATH", entry))) {
            if graph::directory(entry, self.path.as_str()).is_none() {
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

/// Whether a version of glibc's own is there at `floor`. `PRIVATE` never is; the marker for packed
/// relocations came with 2.36.
fn glibc_within(version: &str, floor: PlatformVersion) -> bool {
    let floor = [u32::from(floor.major), u32::from(floor.minor)];
    match version {
        "ABI_DT_RELR" => floor >= [2, 36],
        version => number(version).is_some_and(|parts| {
            // 2.2.5 is before 2.3, and 2.17 has no third part.
            parts.get(..2).is_some_and(|parts| *parts <= floor[..])
        }),
    }
}

/// The parts of a version, for comparing; nothing when they are no numbers.
pub(super) fn number(version: &str) -> Option<Vec<u32>> {
    version.split('.').map(|part| part.parse().ok()).collect()
}
