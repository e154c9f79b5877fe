//! Which libraries dyld finds inside the wheel.
//!
//! As dyld(1) has it: `@loader_path` is the directory of the file that names it,
//! `@executable_path` that of the program, and `@rpath` each LC_RPATH of the file and of those that
//! loaded it. A library counts as found when any way of loading the file finds it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::binary::macho::{Kind, Slice};

/// The largest real wheels stay below a tenth of this.
const MOST_LOOKUPS: usize = 1_000_000;

/// The files of a wheel for one processor where they are installed (`site/pkg/x.so`), and how they
/// load each other.
pub(super) struct Graph<'a> {
    slices: BTreeMap<&'a str, &'a Slice>,
    places: BTreeMap<&'a str, Places>,
    found: BTreeSet<(&'a str, &'a str)>,
    is_complete: bool,
}

/// Directories that names may begin with.
#[derive(Default)]
struct Places {
    /// For `@rpath`, by the file itself and by all that load it.
    rpaths: BTreeSet<String>,
    /// For `@executable_path`: where programs lie that load it, or itself when it is one.
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

    /// Whether `file` finds the library that it calls `name`.
    pub(super) fn finds(&self, file: &str, name: &str) -> bool {
        self.found.contains(&(file, name))
    }

    /// Whether all ways were followed; a hostile wheel can have too many.
    pub(super) fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// The directories of the programs that load `file`, itself among them.
    pub(super) fn programs(&self, file: &str) -> &BTreeSet<String> {
        static NONE: BTreeSet<String> = BTreeSet::new();
        self.places.get(file).map_or(&NONE, |places| &places.programs)
    }

    /// A file with the file name of `name`, wherever it lies.
    pub(super) fn elsewhere(&self, name: &str) -> Option<&'a str> {
        let file_name = |path: &str| path.rsplit('/').next().map(str::to_owned);
        let wanted = file_name(name);
        self.slices.keys().copied().find(|path| file_name(path) == wanted)
    }

    /// Hands each file's directories on to what it loads until nothing changes. Sets only grow, so
    /// that libraries that load each other in a circle come to an end as well.
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

/// The places where dyld looks for `name` on behalf of `file`.
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

/// The directories that an LC_RPATH of `file` means; none when it lies outside the wheel.
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

/// `rest` as seen from `directory`; nothing when that leaves what the wheel installs.
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
