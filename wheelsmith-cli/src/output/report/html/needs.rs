//! Dependencies between the files of an input, and on libraries outside it.
//!
//! The findings of the audit decide which libraries are drawn as missing. Others are resolved by
//! name: a file of the input provides a library if it has that name.

use std::collections::BTreeMap;

use wheelsmith_core::audit::{Input, NativeFile};
use wheelsmith_core::binary::Format;
use wheelsmith_core::finding::{Code, Finding, Severity};

/// Node of the graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    /// Path, or name of a library.
    pub(super) name: String,
    pub(super) role: Role,
    /// Worst severity of its findings that count.
    pub(super) severity: Option<Severity>,
    /// Number of files in the node.
    pub(super) files: usize,
}

/// Kind of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    /// File of the input, or several.
    File,
    /// Library that neither the input nor the platform provides.
    Missing,
    /// Library that the platform does not guarantee, and that the file can do without or may
    /// require.
    Excused,
    /// Library that the platform guarantees.
    Promised,
}

impl Role {
    pub(super) fn is_outside(self) -> bool {
        self != Self::File
    }

    pub(super) fn class(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Missing => "missing",
            Self::Excused => "excused",
            Self::Promised => "promised",
        }
    }
}

/// Nodes, and edges from each file to its dependencies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Needs {
    pub(super) nodes: Vec<Node>,
    /// Edges, sorted, each once.
    pub(super) edges: Vec<(usize, usize)>,
}

/// Returns the libraries that a file requires, each once, in order.
pub(super) fn needed(file: &NativeFile) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    let elf = file.elf().into_iter().flat_map(|elf| elf.needed.iter().map(String::as_str));
    let macho = file.macho().into_iter().flat_map(|macho| &macho.slices);
    let macho = macho.flat_map(|slice| slice.needed.iter().map(|needed| needed.name.as_str()));
    let pe = file
        .pe()
        .into_iter()
        .flat_map(|pe| pe.imports.iter().map(|import| import.library.as_str()));
    for name in elf.chain(macho).chain(pe) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

impl Needs {
    pub(super) fn of(input: &Input) -> Self {
        let mut needs = Self::default();
        let mut findings: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
        for finding in &input.findings {
            if let Some(file) = &finding.file {
                findings.entry(file.as_str()).or_default().push(finding);
            }
        }
        let mut inside: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (at, file) in input.files.iter().enumerate() {
            let path = file.path.as_str();
            let counting = findings.get(path).into_iter().flatten().filter(|f| f.waived.is_none());
            needs.nodes.push(Node {
                name: path.to_owned(),
                role: Role::File,
                severity: counting.map(|finding| finding.severity).min(),
                files: 1,
            });
            for name in own_names(file) {
                inside.entry(name).or_default().push(at);
            }
        }
        let mut outside: BTreeMap<(Role, String), usize> = BTreeMap::new();
        for (at, file) in input.files.iter().enumerate() {
            let none = Vec::new();
            let findings = findings.get(file.path.as_str()).unwrap_or(&none);
            for name in needed(file) {
                let role = role(name, findings);
                let candidates = inside
                    .get(&key(file.format(), name))
                    .filter(|_| role == Role::Promised && !is_system_path(name));
                let nearest = candidates
                    .into_iter()
                    .flatten()
                    .copied()
                    .filter(|&to| to != at && input.files[to].format() == file.format());
                let nearest = nearest.max_by_key(|&to| {
                    (common(file.path.as_str(), input.files[to].path.as_str()), usize::MAX - to)
                });
                let to = nearest.unwrap_or_else(|| {
                    let name = name.rsplit('/').next().unwrap_or(name).to_owned();
                    *outside.entry((role, name.clone())).or_insert_with(|| {
                        needs.nodes.push(Node { name, role, severity: None, files: 1 });
                        needs.nodes.len() - 1
                    })
                });
                needs.edges.push((at, to));
            }
        }
        needs.edges.sort_unstable();
        needs.edges.dedup();
        needs.without_archives(input)
    }

    /// Removes static libraries: they have no dependencies yet, and no loader uses them.
    fn without_archives(self, input: &Input) -> Self {
        let is_archive =
            |at: usize| input.files.get(at).is_some_and(|f| f.format() == Format::Archive);
        let mut places = Vec::new();
        let mut nodes = Vec::new();
        for (at, node) in self.nodes.into_iter().enumerate() {
            places.push(nodes.len());
            if !is_archive(at) {
                nodes.push(node);
            }
        }
        let edges = self.edges.into_iter().map(|(from, to)| (places[from], places[to])).collect();
        Self { nodes, edges }
    }

    /// Returns the graph with one node for all nodes that have the same result of `group`.
    pub(super) fn grouped(&self, group: impl Fn(&Node) -> String) -> Self {
        let mut grouped = Self::default();
        let mut places = BTreeMap::new();
        let mut of = Vec::new();
        for node in &self.nodes {
            let place =
                *places.entry((node.role, group(node))).or_insert_with_key(|(role, name)| {
                    let name = name.clone();
                    grouped.nodes.push(Node { name, role: *role, severity: None, files: 0 });
                    grouped.nodes.len() - 1
                });
            let into = &mut grouped.nodes[place];
            into.files += node.files;
            into.severity = match (into.severity, node.severity) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
            // A group of one file keeps the file's name.
            if into.files == 1 {
                node.name.clone_into(&mut into.name);
            } else {
                into.name = group(node);
            }
            of.push(place);
        }
        let edges = self.edges.iter().map(|&(from, to)| (of[from], of[to]));
        grouped.edges = edges.filter(|(from, to)| from != to).collect();
        grouped.edges.sort_unstable();
        grouped.edges.dedup();
        grouped
    }
}

fn role(name: &str, findings: &[&Finding]) -> Role {
    let quoted = format!("`{name}`");
    let names = |finding: &&&Finding| {
        let of_libraries =
            matches!(finding.code, Code::ExternalLibrary | Code::CRuntime | Code::OptionalLibrary);
        let is_named = |line: &String| line.split([' ', '`']).any(|word| word == name);
        of_libraries && (finding.message.contains(&quoted) || finding.evidence.iter().any(is_named))
    };
    match findings.iter().find(names) {
        Some(finding) if finding.waived.is_some() => Role::Excused,
        Some(finding) if finding.severity == Severity::Error => Role::Missing,
        Some(_) => Role::Excused,
        None => Role::Promised,
    }
}

/// Returns the names under which others can require a file.
fn own_names(file: &NativeFile) -> Vec<String> {
    let soname = file.elf().into_iter().filter_map(|elf| elf.soname.as_deref());
    let slices = file.macho().into_iter().flat_map(|macho| &macho.slices);
    let install = slices.filter_map(|slice| slice.install_name.as_deref());
    let names = [file.path.file_name()].into_iter().chain(soname).chain(install);
    let mut names: Vec<String> = names.map(|name| key(file.format(), name)).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Returns the name for comparisons: Windows ignores case.
fn key(format: Format, name: &str) -> String {
    let name = name.rsplit('/').next().unwrap_or(name);
    if format == Format::Pe { name.to_ascii_lowercase() } else { name.to_owned() }
}

/// True if the name is a full path on macOS, which never means a file of the wheel.
fn is_system_path(name: &str) -> bool {
    name.starts_with("/usr/lib/") || name.starts_with("/System/")
}

/// Returns the number of leading directories that two paths share.
fn common(a: &str, b: &str) -> usize {
    a.split('/').zip(b.split('/')).take_while(|(a, b)| a == b).count()
}
