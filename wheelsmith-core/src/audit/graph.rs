//! Libraries that the loader finds inside the wheel.
//!
//! Follows ld.so(8), "dynamic linking search order". Starts at each file that no other file needs
//! and proceeds breadth first. A library that is already loaded under the needed name or SONAME is
//! used first; then the directories of DT_RPATH of the file and of the files that loaded it, unless
//! the file has DT_RUNPATH; then DT_RUNPATH of the file alone. `$ORIGIN` is the directory of the
//! file that has the entry. A library counts as found if any order of loading finds it.

use std::collections::{BTreeMap, BTreeSet};

use super::Requirement;
use super::place::{directory, installed};
use crate::binary::NativeFile;
use crate::binary::elf::{Elf, Kind};

/// Maximum number of library lookups. The largest wheels need a few hundred thousand.
const MOST_LOOKUPS: usize = 10_000_000;

pub(super) struct Graph<'a> {
    files: &'a [NativeFile],
    nodes: Vec<Node<'a>>,
    /// Node of each file, by installed path.
    places: BTreeMap<String, usize>,
    /// Nodes of the files, by file name and SONAME.
    names: BTreeMap<&'a str, Vec<usize>>,
    /// File and needed library, for each dependency that is found.
    found: BTreeSet<(&'a str, &'a str)>,
    /// Paths of the files that another file needs and finds.
    needed: BTreeSet<&'a str>,
    /// Groups of nodes that are loaded into the same process.
    processes: Vec<Vec<usize>>,
    /// Remaining lookups; `None` if the limit was exceeded.
    lookups: Option<usize>,
}

struct Node<'a> {
    path: &'a str,
    elf: &'a Elf,
    place: String,
    rpath: Vec<String>,
    runpath: Vec<String>,
}

/// A library in a process, and the library that loaded it.
struct Loaded {
    node: usize,
    by: Option<usize>,
}

impl<'a> Graph<'a> {
    /// Follows the dependencies of the files as ld.so of glibc and musl does.
    #[cfg(test)]
    pub(super) fn new(files: &'a [NativeFile]) -> Self {
        Self::limited(files, MOST_LOOKUPS, true)
    }

    /// Follows the dependencies of the files as the loader of `requirement` does. Android's loader
    /// ignores DT_RPATH.
    pub(super) fn of(files: &'a [NativeFile], requirement: &Requirement) -> Self {
        Self::limited(files, MOST_LOOKUPS, !requirement.is_android())
    }

    fn limited(files: &'a [NativeFile], lookups: usize, reads_rpath: bool) -> Self {
        let mut graph = Self {
            files,
            nodes: Vec::new(),
            places: BTreeMap::new(),
            names: BTreeMap::new(),
            found: BTreeSet::new(),
            needed: BTreeSet::new(),
            processes: Vec::new(),
            lookups: Some(lookups),
        };
        for file in files {
            let Some(elf) = file.elf() else { continue };
            let place = installed(file.path.as_str());
            let directories = |entries: &[String]| -> Vec<String> {
                entries.iter().filter_map(|entry| directory(entry, &place)).collect()
            };
            let rpath = if reads_rpath { directories(&elf.rpath) } else { Vec::new() };
            let runpath = directories(&elf.runpath);
            let node = graph.nodes.len();
            graph.places.insert(place.clone(), node);
            graph.names.entry(file.path.file_name()).or_default().push(node);
            graph.nodes.push(Node { path: file.path.as_str(), elf, place, rpath, runpath });
        }
        graph.load_all();
        graph
    }

    /// True if the loader finds `library` in the wheel when it loads `file`.
    pub(super) fn finds(&self, file: &str, library: &str) -> bool {
        self.found.contains(&(file, library))
    }

    /// True if some file of the wheel exports the symbol.
    pub(super) fn exports(&self, symbol: &str) -> bool {
        self.files.iter().any(|file| file.symbols.exports.contains(symbol))
    }

    /// True if a file of the wheel needs the file at `path` and finds it.
    pub(super) fn is_needed(&self, path: &str) -> bool {
        self.needed.contains(path)
    }

    /// Returns the paths of the files that are loaded together, for each file that is loaded first.
    pub(super) fn processes(&self) -> impl Iterator<Item = Vec<&'a str>> {
        self.processes.iter().map(|nodes| nodes.iter().map(|&node| self.nodes[node].path).collect())
    }

    /// True if every order of loading was tried. If not, a library that was not found may still be
    /// present.
    pub(super) fn is_complete(&self) -> bool {
        self.lookups.is_some()
    }

    /// Returns a file of the wheel, in any directory, that has the name `library` and that `file`
    /// could load.
    pub(super) fn elsewhere(&self, file: &Elf, library: &str) -> Option<&'a str> {
        let nodes = self.names.get(library)?.iter().map(|&node| &self.nodes[node]);
        nodes.filter(|node| serves(node.elf, file)).map(|node| node.path).next()
    }

    fn load_all(&mut self) {
        let needed = self.nodes.iter().flat_map(|node| &node.elf.needed);
        let inner: BTreeSet<usize> =
            needed.filter_map(|name| self.names.get(name.as_str())).flatten().copied().collect();
        let roots = (0..self.nodes.len()).filter(|node| !inner.contains(node)).collect::<Vec<_>>();
        let mut seen = BTreeSet::new();
        for root in roots {
            self.load(root, &mut seen);
        }
        // Plugins that have the same name as a needed library, and cycles of libraries.
        for node in inner {
            if !seen.contains(&node) {
                self.load(node, &mut seen);
            }
        }
    }

    /// Subtracts lookups from the limit and returns true if any remain.
    fn count(&mut self, lookups: usize) -> bool {
        self.lookups = self.lookups.and_then(|left| left.checked_sub(lookups));
        self.lookups.is_some()
    }

    /// Loads `root` into an empty process.
    fn load(&mut self, root: usize, seen: &mut BTreeSet<usize>) {
        let mut process = vec![Loaded { node: root, by: None }];
        let mut loaded = BTreeSet::from([root]);
        // Names under which the loaded libraries are known.
        let mut names: BTreeSet<&'a str> = BTreeSet::new();
        names.extend(self.nodes[root].elf.soname.as_deref());
        let mut at = 0;
        while let Some(&Loaded { node, .. }) = process.get(at) {
            seen.insert(node);
            let elf = self.nodes[node].elf;
            for needed in &elf.needed {
                if !self.count(1) {
                    return;
                }
                if !names.contains(needed.as_str()) {
                    let Some(library) = self.search(&process, at, needed) else { continue };
                    names.insert(needed);
                    names.extend(self.nodes[library].elf.soname.as_deref());
                    self.needed.insert(self.nodes[library].path);
                    if loaded.insert(library) {
                        process.push(Loaded { node: library, by: Some(at) });
                    }
                }
                self.found.insert((self.nodes[node].path, needed.as_str()));
            }
            at += 1;
        }
        self.processes.push(process.into_iter().map(|loaded| loaded.node).collect());
    }

    /// Returns the library that the loader uses for `needed`, a dependency of the library at index
    /// `at` in the process.
    fn search(&mut self, process: &[Loaded], at: usize, needed: &str) -> Option<usize> {
        let node = &self.nodes[process[at].node];
        let elf = node.elf;
        // A name with a slash is a path and is not searched for.
        if let Some((dir, name)) = needed.rsplit_once('/') {
            return self.at(&directory(dir, &node.place)?, name, elf);
        }
        if !elf.runpath.is_empty() {
            let found = node.runpath.iter().find_map(|dir| self.at(dir, needed, elf));
            self.count(node.runpath.len());
            return found;
        }
        let mut by = Some(at);
        while let Some(loader) = by {
            let Loaded { node, by: next } = process[loader];
            let node = &self.nodes[node];
            if node.elf.runpath.is_empty() {
                let found = node.rpath.iter().find_map(|dir| self.at(dir, needed, elf));
                if found.is_some() {
                    return found;
                }
            }
            if !self.count(1 + node.rpath.len()) {
                return None;
            }
            by = next;
        }
        None
    }

    fn at(&self, dir: &str, name: &str, user: &Elf) -> Option<usize> {
        let node = *self.places.get(&format!("{dir}/{name}"))?;
        serves(self.nodes[node].elf, user).then_some(node)
    }
}

/// True if the loader accepts `library` for `user`. The loader skips files of another architecture,
/// and on Arm files that pass floating-point arguments in another way.
fn serves(library: &Elf, user: &Elf) -> bool {
    let is_same_abi = match (library.float_abi, user.float_abi) {
        (Some(library), Some(user)) => library == user,
        _ => true,
    };
    library.arch == user.arch && library.kind != Kind::Object && is_same_abi
}

#[cfg(test)]
#[path = "graph_tests.rs"]
mod tests;
