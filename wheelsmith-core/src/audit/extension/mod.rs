//! Extension modules against the Python and ABI tags of their wheel.
//!
//! Checks the file names (which Pythons look for such a name), the functions by which Python starts
//! a module, the library of Python that a Windows file loads, and every symbol that a file uses
//! from Python if the wheel or the file claims the stable ABI. Properties without symbols are not
//! checked: the layout of structures, macros, and whether a free-threaded module needs the GIL.

mod dll;
mod name;
mod stable;
mod start;
mod tag_pair;
mod words;

use std::collections::BTreeMap;

use serde::Serialize;

use self::name::ModuleName;
use self::tag_pair::{Abi, Coverage, Interpreters, TagPair};
use self::words::{accepted, owner, systems};
use super::place::installed;
use crate::binary::{NativeFile, elf, macho, pe};
use crate::finding::{Code, Finding, Severity};
use crate::name::{Libc, PlatformTag, PythonTag, WheelPath};

/// Python module that a file contains, and the Pythons that its name is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Extension {
    /// Import name: `demo._speed`.
    pub module: String,
    /// Release that looks for such a file name, as in tags: `cp312`, `pp310`. `None` if several
    /// releases do.
    pub python: Option<String>,
    /// ABI, as in tags: `cp313t`, `abi3`, `pypy310_pp73`. `None` if the name has none.
    pub abi: Option<String>,
}

impl Extension {
    /// Returns the module that a file contains, by its name or by the function that starts it.
    pub fn of(file: &NativeFile) -> Option<Self> {
        if file.problem().is_some() {
            return None;
        }
        let path = &file.path;
        let name = ModuleName::parse(path.file_name())?;
        let is_one = name.is_certain() || !start::names(file, name.module).is_empty();
        if !is_one {
            return None;
        }
        let (python, abi) = match &name.abi {
            Abi::CPython(release) => {
                let version = release.version;
                (Some(format!("cp{}{}", version.major, version.minor)), Some(release.tag()))
            }
            Abi::Stable { free_threaded: false } => (None, Some("abi3".to_owned())),
            Abi::Stable { free_threaded: true } => (None, Some("abi3t".to_owned())),
            Abi::PyPy(Some(abi)) => {
                let python = abi.split('_').next().unwrap_or_default();
                (Some(python.replacen("pypy", "pp", 1)), Some(abi.clone()))
            }
            _ => (None, None),
        };
        Some(Self { module: dotted(path, name.module), python, abi })
    }
}

/// Returns the functions of a file by which Python starts modules, sorted: `PyInit_demo`.
pub fn start_functions(file: &NativeFile) -> Vec<String> {
    let own = ModuleName::parse(file.path.file_name()).map(|name| start::names(file, name.module));
    let own = own.into_iter().flatten().map(|(_, name)| name);
    let mut names: Vec<String> = file.python.starts.iter().cloned().chain(own).collect();
    names.sort();
    names.dedup();
    names
}

/// Returns the C library that the name of an extension module is for. CPython distinguishes musl
/// from glibc in file names from 3.11 on.
pub(super) fn libc_of_name(file: &NativeFile) -> Option<Libc> {
    let name = ModuleName::parse(file.path.file_name())?;
    let platform = name.platform?;
    let tells = match &name.abi {
        Abi::CPython(release) => release.version >= words::FIRST_TO_TELL_MUSL,
        Abi::Stable { .. } => true,
        _ => false,
    };
    if platform.contains("-linux-musl") {
        Some(Libc::Musl)
    } else {
        (tells && platform.contains("-linux-gnu")).then_some(Libc::Glibc)
    }
}

/// Returns the import name of a module. A file outside the directory that Python imports from
/// belongs to no package.
fn dotted(path: &WheelPath, module: &str) -> String {
    let place = installed(path.as_str());
    let package = place.rsplit_once('/').map_or("", |(directory, _)| directory);
    let package = package.strip_prefix("site").unwrap_or_default().trim_start_matches('/');
    let parts = package.split('/').filter(|part| !part.is_empty());
    let own = (module != "__init__").then_some(module);
    parts.chain(own).collect::<Vec<_>>().join(".")
}

/// Judges the files of a wheel by its Python and ABI tags. The platform tags show which systems the
/// file names must be for. Applies only to wheels, because other artifacts claim no Python tags.
///
/// Source: PEP 425, 489, 703, 793, 803, 3149; the lists of the stable ABI
/// ([`crate::policy::stable_abi`]).
pub fn check(files: &[NativeFile], python: &PythonTag, platforms: &[PlatformTag]) -> Vec<Finding> {
    let wheel = Wheel { files, python, platforms, pairs: tag_pair::pairs(python) };
    let mut findings = Vec::new();
    for group in wheel.groups().values() {
        wheel.check_group(group, &mut findings);
    }
    findings.sort();
    findings
}

/// Files that are judged together, and the tags of their wheel.
struct Wheel<'w> {
    files: &'w [NativeFile],
    python: &'w PythonTag,
    platforms: &'w [PlatformTag],
    pairs: Vec<TagPair>,
}

/// A library that Python loads or that uses Python.
struct Case<'w> {
    file: &'w NativeFile,
    name: Option<ModuleName<'w>>,
    claims: Vec<Claim>,
}

/// Evidence of the ABI that a file is built for.
struct Claim {
    abi: Abi,
    /// Reason in words, as the beginning of a message.
    because: String,
    evidence: Vec<String>,
}

impl Case<'_> {
    fn reaches(&self, interpreters: &Interpreters) -> Coverage {
        let reaches = self.claims.iter().map(|claim| interpreters.reached_by(&claim.abi));
        reaches.min().unwrap_or(Coverage::All)
    }

    /// Returns the evidence that excludes some interpreters of a tag.
    fn limit(&self, pair: &TagPair) -> Option<&Claim> {
        self.claims.iter().find(|claim| pair.interpreters.reached_by(&claim.abi) == Coverage::Some)
    }

    /// Returns the ABI that the file name alone indicates.
    fn named_abi(&self) -> &Abi {
        self.name.as_ref().map_or(&Abi::Any, |name| &name.abi)
    }
}

impl<'w> Wheel<'w> {
    /// Groups the files by module, identified by directory and name. A module may have one file for
    /// each Python.
    fn groups(&self) -> BTreeMap<(String, &'w str), Vec<Case<'w>>> {
        let mut groups: BTreeMap<(String, &str), Vec<Case<'_>>> = BTreeMap::new();
        for file in self.files.iter().filter(|file| is_library(file)) {
            let name = ModuleName::parse(file.path.file_name());
            let name = name.filter(|_| Extension::of(file).is_some());
            let claims = self.claims(file, name.as_ref());
            if name.is_none() && claims.is_empty() && file.python.used.is_empty() {
                continue;
            }
            let own = name.as_ref().map_or(file.path.file_name(), |name| name.module);
            let place = installed(file.path.parent().unwrap_or_default());
            groups.entry((place, own)).or_default().push(Case { file, name, claims });
        }
        groups
    }

    fn claims(&self, file: &NativeFile, name: Option<&ModuleName<'_>>) -> Vec<Claim> {
        let mut claims = Vec::new();
        if let Some(name) = name
            && let Some(interpreters) = owner(&name.abi)
        {
            let because = format!("its name (`{}`) is for {interpreters}", name.suffix);
            claims.push(Claim { abi: name.abi.clone(), because, evidence: Vec::new() });
        }
        // A program that contains its own Python is independent of the tags.
        let has = |library: &str| {
            let mut names = self.files.iter().map(|file| file.path.file_name());
            names.any(|name| name.eq_ignore_ascii_case(library))
        };
        let libraries = dll::loaded(file).filter(|(library, _)| !has(library));
        for (library, abi) in libraries {
            let interpreters = owner(&abi).unwrap_or_default();
            let because = format!("it needs `{library}`, the library of {interpreters}");
            claims.push(Claim { abi, because, evidence: Vec::new() });
        }
        let taken = stable::free_threaded(file);
        if !taken.is_empty() {
            let because = "it uses functions that only free-threaded Pythons have".to_owned();
            claims.push(Claim { abi: Abi::FreeThreaded, because, evidence: taken });
        }
        // Symbols may show what the name does not: without the stable ABI, a file is for one
        // release only.
        let is_for_every = |pair: &TagPair| matches!(pair.interpreters, Interpreters::Every(_));
        if name.is_some() && claims.is_empty() && self.pairs.iter().any(is_for_every) {
            let taken = stable::outside(self.files, file);
            if !taken.is_empty() {
                let because =
                    "it uses functions outside the stable ABI, so it is for one release of \
                               Python"
                        .to_owned();
                claims.push(Claim { abi: Abi::OneRelease, because, evidence: taken });
            }
        }
        claims
    }

    fn check_group(&self, group: &[Case<'w>], findings: &mut Vec<Finding>) {
        let serves = |case: &Case<'_>, least: Coverage| {
            self.pairs.iter().any(|pair| case.reaches(&pair.interpreters) >= least)
        };
        let covered =
            |pair: &TagPair| group.iter().any(|c| c.reaches(&pair.interpreters) == Coverage::All);
        for case in group {
            if serves(case, Coverage::Some) || self.pairs.is_empty() {
                self.check_platform(case, findings);
                findings.extend(start::check(case.file, case.name.as_ref(), &self.pairs_of(case)));
                findings.extend(stable::check(self.files, case, &self.pairs_of(case)));
                continue;
            }
            let mut finding = self.foreign(case);
            if self.pairs.iter().all(covered) {
                // Another file serves the accepted interpreters; this one is only unused.
                finding.severity = Severity::Warning;
            }
            findings.push(finding);
        }
        let useful: Vec<&Case<'_>> = group.iter().filter(|c| serves(c, Coverage::Some)).collect();
        findings.extend(self.partial(&useful));
    }

    /// Returns the tag pairs of which at least some interpreters can import the file.
    fn pairs_of(&self, case: &Case<'_>) -> Vec<&TagPair> {
        let reached = |pair: &&TagPair| case.reaches(&pair.interpreters) > Coverage::None;
        self.pairs.iter().filter(reached).collect()
    }

    /// Returns the finding about a file that no accepted interpreter can import.
    fn foreign(&self, case: &Case<'_>) -> Finding {
        let path = &case.file.path;
        let is_for_none = |claim: &&Claim| {
            self.pairs.iter().all(|pair| pair.interpreters.reached_by(&claim.abi) == Coverage::None)
        };
        let Some(claim) = case.claims.iter().find(is_for_none) else {
            let all: Vec<&str> = case.claims.iter().map(|claim| claim.because.as_str()).collect();
            let message = format!("{}; no Python for `{}` is both", all.join(", "), self.python);
            return Finding::new(Code::WrongAbi, path, message);
        };
        let message = format!("{}; the wheel is for `{}`", claim.because, self.python);
        Finding::new(Code::WrongAbi, path, message).because(claim.evidence.iter().cloned())
    }

    /// Returns the finding about a module that some accepted interpreters cannot import. A module
    /// with several files, one for each Python, is exempt from tags with `none`, because such
    /// wheels are tagged that way.
    fn partial(&self, group: &[&Case<'w>]) -> Option<Finding> {
        let first = group.first()?;
        let best = |pair: &&TagPair| {
            let reaches = group.iter().map(|case| case.reaches(&pair.interpreters));
            reaches.max().unwrap_or(Coverage::None)
        };
        let is_module = first.name.is_some();
        let left_out: Vec<&TagPair> =
            self.pairs.iter().filter(|pair| best(pair) == Coverage::None).collect();
        if let Some(pair) = left_out.first().filter(|_| is_module) {
            let claim = first
                .claims
                .iter()
                .find(|c| pair.interpreters.reached_by(&c.abi) == Coverage::None)?;
            let message = format!("{}; the wheel is also for {}", claim.because, accepted(pair));
            let more = left_out.iter().filter(|_| left_out.len() > 1);
            let more = more.map(|pair| format!("no file for `{}`", pair.tag));
            return Some(Finding::new(Code::WrongAbi, &first.file.path, message).because(more));
        }
        // A library that is not a module may have files with other names for other Pythons.
        let is_meant =
            |pair: &&TagPair| is_module || !matches!(pair.interpreters, Interpreters::Every(_));
        let limited = self.pairs.iter().filter(is_meant);
        let pair = limited.into_iter().find(|pair| best(pair) == Coverage::Some)?;
        let claim = first.limit(pair)?;
        let has_others =
            |case: &&&Case<'_>| case.limit(pair).is_some_and(|other| other.abi != claim.abi);
        if group.iter().any(|case| has_others(&case)) {
            return None;
        }
        let message = format!("{}; the wheel is for {}", claim.because, accepted(pair));
        let mut finding = Finding::new(Code::WrongAbi, &first.file.path, message)
            .because(claim.evidence.iter().cloned());
        if matches!((&claim.abi, &pair.interpreters), (Abi::Stable { .. }, Interpreters::Every(_)))
        {
            // Most interpreters can import it: all CPythons from some release on.
            finding.severity = Severity::Warning;
        }
        Some(finding)
    }

    /// Reports a file name that Pythons on the wheel's systems do not look for.
    fn check_platform(&self, case: &Case<'_>, findings: &mut Vec<Finding>) {
        let Some(name) = &case.name else { return };
        let (Some(platform), Abi::CPython(_) | Abi::Stable { .. }) = (name.platform, &name.abi)
        else {
            return;
        };
        let version = match &name.abi {
            Abi::CPython(release) => Some(release.version),
            _ => None,
        };
        let fits = |tag: &PlatformTag| {
            systems(tag, version).is_none_or(|systems| systems.iter().any(|s| s == platform))
        };
        if self.platforms.iter().any(fits) || self.platforms.is_empty() {
            return;
        }
        let tags: Vec<String> = self.platforms.iter().map(|tag| format!("`{tag}`")).collect();
        let message = format!(
            "no Python for {} looks for files with `{}`, the suffix of another system",
            tags.join(" or "),
            name.suffix,
        );
        findings.push(
            Finding::new(Code::WrongAbi, &case.file.path, message)
                .with_help("build the module for the platform of the tag, or correct the tag"),
        );
    }
}

/// True if Python or another library loads the file. Programs have their own Python.
fn is_library(file: &NativeFile) -> bool {
    file.elf().is_some_and(|elf| elf.kind == elf::Kind::SharedLibrary)
        || file.pe().is_some_and(|pe| pe.kind == pe::Kind::SharedLibrary)
        || file.macho().is_some_and(|image| {
            let is_library =
                |kind| matches!(kind, macho::Kind::SharedLibrary | macho::Kind::Bundle);
            image.slices.iter().any(|slice| is_library(slice.kind))
        })
}

#[cfg(test)]
mod tests;
