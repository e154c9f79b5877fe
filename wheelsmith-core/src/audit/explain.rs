//! Explains what keeps each file from older tags, the newest requirement first.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::graph::Graph;
use super::guess::guess;
use super::input::whole_tag;
use super::report::Input;
use super::{Origin, Requirement, elf};
use crate::binary::NativeFile;
use crate::name::{Libc, PlatformTag, PlatformVersion, WheelPath};
use crate::policy::{self, Policy};

/// Reasons that keep one file from older tags.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// File.
    pub file: WheelPath,
    /// Tags that it does not qualify for, newest first.
    pub steps: Vec<Step>,
}

/// Reasons that keep a file from one tag, without those that keep it from newer tags.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Tag.
    pub tag: PlatformTag,
    /// Versions that the tag does not guarantee, newest first.
    pub versions: Vec<Obstacle>,
    /// Libraries that neither the tag guarantees nor the wheel contains.
    pub libraries: Vec<String>,
}

/// A version that a tag does not guarantee.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Obstacle {
    /// Version: `GLIBC_2.33`.
    pub version: String,
    /// Library that defines it: `libc.so.6`.
    pub library: String,
    /// Symbols that need it, sorted; empty if only the version list of the file names it.
    pub symbols: Vec<String>,
}

/// Returns what keeps the Linux files of `input` from `want` (a tag, or a tag without its
/// processor); without `want`, what keeps them from every tag that they do not qualify for.
pub fn explain(input: &Input, want: Option<&str>) -> Vec<Explanation> {
    let known = want.and_then(|want| whole_tag(want, &input.files));
    let Some(any) = known.clone().or_else(|| guess(&input.files, None)) else { return Vec::new() };
    let Some(wanted) = Requirement::for_tag(&any) else { return Vec::new() };
    let Some(arch) = wanted.tag().arch() else { return Vec::new() };
    let mut policies: Vec<&Policy> = wanted.policies().iter().rev().collect();
    if let Some(known) = &known {
        policies.retain(|policy| policy.tag == known.modern());
    }
    let outside: BTreeMap<&WheelPath, Vec<&str>> = input
        .needs
        .iter()
        .filter(|need| !matches!(need.origin, Origin::Inside(_)))
        .fold(BTreeMap::new(), |mut map: BTreeMap<_, Vec<&str>>, need| {
            map.entry(&need.file).or_default().push(&need.library);
            map
        });
    let graph = Graph::of(&input.files, &wanted);
    let files =
        input.files.iter().filter(|file| file.elf().is_some_and(|elf| elf.arch == Some(arch)));
    let explained = files.map(|file| {
        let libraries = outside.get(&file.path).map(Vec::as_slice).unwrap_or_default();
        let functions = match wanted.libc() {
            Some(Libc::Glibc) => elf::unversioned(file, libraries, &graph),
            _ => Vec::new(),
        };
        let steps = steps(file, libraries, &functions, &policies);
        Explanation { file: file.path.clone(), steps }
    });
    explained.filter(|explanation| !explanation.steps.is_empty()).collect()
}

fn steps(
    file: &NativeFile,
    outside: &[&str],
    functions: &[(&str, PlatformVersion)],
    policies: &[&Policy],
) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut said_versions = BTreeSet::new();
    let mut said_libraries = BTreeSet::new();
    for policy in policies {
        let mut versions: Vec<Obstacle> = Vec::new();
        for (library, wanted) in file.elf().into_iter().flat_map(|elf| &elf.needed_versions) {
            if policy::is_loader(library) {
                continue;
            }
            for version in wanted.iter().filter(|version| !policy.allows_version(version)) {
                if said_versions.insert((library.clone(), version.clone())) {
                    let symbols = symbols(file, library, version);
                    let (version, library) = (version.clone(), library.clone());
                    versions.push(Obstacle { version, library, symbols });
                }
            }
        }
        let floor = policy.tag.glibc();
        let newer = functions.iter().filter(|(_, release)| floor.is_some_and(|f| *release > f));
        for (name, release) in newer {
            let (version, library) = (format!("GLIBC_{release}"), "libc.so.6".to_owned());
            match versions.iter_mut().find(|o| o.version == version && o.library == library) {
                Some(obstacle) => obstacle.symbols.push((*name).to_owned()),
                None if said_versions.insert((library.clone(), version.clone())) => {
                    versions.push(Obstacle { version, library, symbols: vec![(*name).to_owned()] });
                }
                None => {}
            }
        }
        for obstacle in &mut versions {
            obstacle.symbols.sort();
        }
        versions.sort_by_key(|obstacle| std::cmp::Reverse(elf::age(&obstacle.version)));
        let libraries = outside.iter().filter(|library| !policy.allows_library(library));
        let libraries: Vec<String> = libraries
            .map(|library| (*library).to_owned())
            .filter(|l| said_libraries.insert(l.clone()))
            .collect();
        if !versions.is_empty() || !libraries.is_empty() {
            steps.push(Step { tag: policy.tag.clone(), versions, libraries });
        }
    }
    steps
}

fn symbols(file: &NativeFile, library: &str, version: &str) -> Vec<String> {
    let asks = file.symbols.undefined.iter().filter(|symbol| {
        symbol.version.as_ref().is_some_and(|(v, l)| v == version && l == library)
    });
    asks.map(|symbol| symbol.name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use crate::archive::Kind;
    use crate::audit::{AuditInput, AuditOptions, input};

    use super::*;

    #[test]
    fn each_tag_names_what_it_lacks() {
        let bytes = include_bytes!("../../../testdata/elf/too-new.so").as_slice();
        let file = NativeFile::read(&"p/x.so".parse().unwrap(), bytes).unwrap();
        let opened = AuditInput {
            path: "x.so".to_owned(),
            kind: Kind::File,
            filename: None,
            wheel: None,
            record: None,
            files: vec![file],
            findings: Vec::new(),
        };
        let input = input(opened, &AuditOptions::default());
        let found = explain(&input, None);
        let [explanation] = &found[..] else { panic!("{found:?}") };
        let first = &explanation.steps[0];
        assert_eq!(first.tag.to_string(), "manylinux_2_31_x86_64");
        assert_eq!(first.versions[0].version, "GLIBC_2.34");
        assert_eq!(first.versions[0].symbols, ["pthread_create"]);
        assert!(explain(&input, Some("manylinux_2_34")).is_empty());
        let steps = &explain(&input, Some("manylinux_2_17"))[0].steps;
        assert_eq!(steps.len(), 1);
    }
}
