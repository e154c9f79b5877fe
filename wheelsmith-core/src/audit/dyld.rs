//! Libraries that dyld finds inside the wheel.
//!
//! Follows dyld(1): `@loader_path` is the directory of the file that names the library,
//! `@executable_path` is the directory of the program, and `@rpath` is each LC_RPATH of the file
//! and of the files that loaded it. A library counts as found if any order of loading finds it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::binary::macho::{Kind, Slice};

/// Maximum number of lookups. The largest real wheels need less than a tenth of this.
const MOST_LOOKUPS: usize = 1_000_000;

/// Graph of the files of a wheel for one processor, by installed path (`site/pkg/x.so`), and of the
/// libraries that they load.
pub(super) struct Graph<'a> {
    slices: BTreeMap<&'a str, &'a Slice>,
    places: BTreeMap<&'a str, LoadDirs>,
    found: BTreeSet<(&'a str, &'a str)>,
    is_complete: bool,
}

/// Directories that the prefixes of install names stand for.
#[derive(Default)]
struct LoadDirs {
    /// Directories for `@rpath`, from the file itself and from all files that load it.
    rpaths: BTreeSet<String>,
    /// Directories for `@executable_path`: those of the programs that load the file, or its own if
    /// it is a program.
    programs: BTreeSet<String>,
}

impl<'a> Graph<'a> {
    pub(super) fn new(files: impl Iterator<Item = (&'a str, &'a Slice)>) -> Self {
        let slices: BTreeMap<&str, &Slice> = files.collect();
        let mut graph =
            Self { slices, places: BTreeMap::new(), found: BTreeSet::new(), is_complete: true };
        graph.follow();
        graph
    }

    /// True if dyld finds the library that `file` names as `name`.
    pub(super) fn finds(&self, file: &str, name: &str) -> bool {
        self.found.contains(&(file, name))
    }

    /// True if all load paths were followed. A hostile wheel can have too many.
    pub(super) fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// Returns the directories of the programs that load `file`, including `file` itself if it is a
    /// program.
    pub(super) fn programs(&self, file: &str) -> &BTreeSet<String> {
        static NONE: BTreeSet<String> = BTreeSet::new();
        self.places.get(file).map_or(&NONE, |places| &places.programs)
    }

    /// Returns a file of the wheel with the same file name as `name`, in any directory.
    pub(super) fn elsewhere(&self, name: &str) -> Option<&'a str> {
        let file_name = |path: &str| path.rsplit('/').next().map(str::to_owned);
        let wanted = file_name(name);
        self.slices.keys().copied().find(|path| file_name(path) == wanted)
    }

    /// Passes the directories of each file on to the files that it loads until no set changes. Sets
    /// only grow, so the loop also ends for libraries that load each other.
    fn follow(&mut self) {
        let mut left = MOST_LOOKUPS;
        for (&path, slice) in &self.slices {
            let places = self.places.entry(path).or_default();
            if slice.kind == Kind::Program {
                places.programs.insert(parent(path).to_owned());
            }
        }
        let mut queue: VecDeque<&str> = self.slices.keys().copied().collect();
        let mut queued: BTreeSet<&str> = queue.iter().copied().collect();
        while let Some(path) = queue.pop_front() {
            queued.remove(path);
            let slice = self.slices[path];
            let programs = self.places[path].programs.clone();
            let mut rpaths = self.places[path].rpaths.clone();
            rpaths
                .extend(slice.rpaths.iter().flat_map(|entry| directories(entry, path, &programs)));
            for needed in &slice.needed {
                for place in candidates(&needed.name, path, &rpaths, &programs) {
                    if left == 0 {
                        self.is_complete = false;
                        return;
                    }
                    left -= 1;
                    let Some((&library, found)) = self.slices.get_key_value(place.as_str()) else {
                        continue;
                    };
                    if found.kind != Kind::SharedLibrary {
                        continue;
                    }
                    self.found.insert((path, &needed.name));
                    let places = self.places.entry(library).or_default();
                    let before = places.rpaths.len() + places.programs.len();
                    left = left.saturating_sub(rpaths.len() + programs.len());
                    places.rpaths.extend(rpaths.iter().cloned());
                    places.programs.extend(programs.iter().cloned());
                    let has_grown = places.rpaths.len() + places.programs.len() > before;
                    if has_grown && queued.insert(library) {
                        queue.push_back(library);
                    }
                }
            }
            self.places.entry(path).or_default().rpaths = rpaths;
        }
    }
}

/// Returns the paths at which dyld searches for `name` on behalf of `file`.
fn candidates(
    name: &str,
    file: &str,
    rpaths: &BTreeSet<String>,
    programs: &BTreeSet<String>,
) -> Vec<String> {
    match name.split_once('/') {
        Some(("@loader_path", rest)) => join(parent(file), rest).into_iter().collect(),
        Some(("@executable_path", rest)) => {
            programs.iter().filter_map(|dir| join(dir, rest)).collect()
        }
        Some(("@rpath", rest)) => rpaths.iter().filter_map(|dir| join(dir, rest)).collect(),
        _ => Vec::new(),
    }
}

/// Returns the directories that an LC_RPATH of `file` stands for; empty if it is outside the wheel.
pub(super) fn directories(entry: &str, file: &str, programs: &BTreeSet<String>) -> Vec<String> {
    match entry.split_once('/').unwrap_or((entry, "")) {
        ("@loader_path", rest) => join(parent(file), rest).into_iter().collect(),
        ("@executable_path", rest) => programs.iter().filter_map(|dir| join(dir, rest)).collect(),
        _ => Vec::new(),
    }
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

/// Resolves `rest` relative to `directory`; `None` if the result is outside what the wheel
/// installs.
fn join(directory: &str, rest: &str) -> Option<String> {
    super::place::below(directory.split('/').filter(|part| !part.is_empty()).collect(), rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rpaths_are_directories_of_the_wheel() {
        let programs = BTreeSet::from(["site/pkg/bin".to_owned()]);
        let check = |entry: &str, expected: &[&str]| {
            assert_eq!(directories(entry, "site/pkg/lib/a.dylib", &programs), expected, "{entry}");
        };
        check("@loader_path", &["site/pkg/lib"]);
        check("@loader_path/", &["site/pkg/lib"]);
        check("@loader_path/../../pkg.dylibs/.", &["site/pkg.dylibs"]);
        check("@loader_path/../..", &["site"]);
        check("@loader_path/../../..", &[]);
        check("@loader_path/../../../site", &[]);
        check("@loader_pathological", &[]);
        check("@executable_path/../lib", &["site/pkg/lib"]);
        check("/opt/lib", &[]);
        check("lib", &[]);
        check("", &[]);
    }
}
