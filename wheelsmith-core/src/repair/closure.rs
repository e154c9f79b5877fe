//! All libraries that the wheel needs and nobody promises, with theirs.

use std::collections::{BTreeMap, VecDeque};

use super::{Library, LibrarySearch, MissingLibrary, Options};
use crate::audit::{self, NativeFile, Origin, Requirement};
use crate::binary::Facts;
use crate::name::WheelPath;
use crate::policy;

/// No wheel needs more libraries.
const MOST_LIBRARIES: usize = 5_000;

/// Libraries from outside, and who needs them.
#[derive(Debug, Default)]
pub(super) struct Closure {
    /// In the order in which they were found, each once.
    pub(super) libraries: Vec<Library>,
    /// For each file of the wheel: library as named, index into `libraries`.
    pub(super) by_file: BTreeMap<WheelPath, BTreeMap<String, usize>>,
    /// For each library: library as named, index into `libraries`.
    pub(super) by_library: Vec<BTreeMap<String, usize>>,
    /// Files of the wheel that a library from outside needs: library as named, file.
    pub(super) inside: Vec<BTreeMap<String, WheelPath>>,
    /// Libraries that the wheel has where its own files do not look.
    pub(super) misplaced: BTreeMap<WheelPath, BTreeMap<String, WheelPath>>,
    /// Needs that should not be there: an extension module takes Python's symbols from the process.
    pub(super) python: BTreeMap<WheelPath, Vec<String>>,
    pub(super) missing: Vec<MissingLibrary>,
}

/// Follows every need to its end.
pub(super) fn follow(
    files: &[NativeFile],
    wanted: &Requirement,
    lookup: &dyn LibrarySearch,
    options: &Options,
) -> Closure {
    let mut closure = Closure::default();
    let mut queue = VecDeque::new();
    for need in audit::needs(files, wanted) {
        let is_excluded = is_excluded(&need.library, options);
        match need.origin {
            Origin::Misplaced(place) => {
                closure.misplaced.entry(need.file).or_default().insert(need.library, place);
            }
            Origin::Python => {
                closure.python.entry(need.file).or_default().push(need.library);
            }
            Origin::Outside if !is_excluded => {
                let Some(user) = files.iter().find(|file| file.path == need.file) else { continue };
                let found = if policy::libc_of(&need.library).is_some() {
                    Err(Some("the wheel is for another C library than the tag".to_owned()))
                } else {
                    closure.find(&need.library, user, None, lookup)
                };
                match found {
                    Ok((found, is_new)) => {
                        closure.by_file.entry(need.file).or_default().insert(need.library, found);
                        queue.extend(is_new.then_some(found));
                    }
                    // What is loaded late, or may be absent, is copied when it is there.
                    Err(_) if need.is_optional => {}
                    Err(reason) => closure.missing.push(MissingLibrary {
                        by: need.file.to_string(),
                        library: need.library,
                        reason,
                    }),
                }
            }
            Origin::Outside | Origin::Inside(_) | Origin::Promised => {}
        }
    }
    while let Some(at) = queue.pop_front() {
        let library = closure.libraries[at].clone();
        for (name, is_optional) in foreign_needs(&library.file, wanted) {
            if is_excluded(&name, options) {
                continue;
            }
            let inside = files.iter().find(|file| {
                file.path.file_name() == file_name(&name) && fits(&library.file, file)
            });
            if let Some(inside) = inside {
                closure.inside[at].insert(name, inside.path.clone());
                continue;
            }
            let found = if policy::libc_of(file_name(&name)).is_some() {
                Err(Some("that is another C library than the tag's".to_owned()))
            } else {
                closure.find(&name, &library.file, Some(&library), lookup)
            };
            match found {
                Ok((found, is_new)) => {
                    closure.by_library[at].insert(name, found);
                    queue.extend(is_new.then_some(found));
                }
                Err(_) if is_optional => {}
                Err(reason) => closure.missing.push(MissingLibrary {
                    by: library.source.clone(),
                    library: name,
                    reason,
                }),
            }
        }
    }
    closure.missing.sort();
    closure.missing.dedup();
    closure
}

impl Closure {
    /// The library called `name` for `user`, and whether it is a new one.
    fn find(
        &mut self,
        name: &str,
        user: &NativeFile,
        from: Option<&Library>,
        lookup: &dyn LibrarySearch,
    ) -> Result<(usize, bool), Option<String>> {
        let found = lookup.find(file_name(name), from, &|library| fits(user, library));
        let found = found.ok_or_else(|| {
            let other = lookup.find(file_name(name), from, &|_| true)?;
            Some(format!("`{}` {}", other.source, why_not(user, &other.file)))
        })?;
        let same = |other: &Library| other.source == found.source;
        if let Some(at) = self.libraries.iter().position(same) {
            return Ok((at, false));
        }
        if self.libraries.len() == MOST_LIBRARIES {
            return Err(Some(format!("{MOST_LIBRARIES} libraries are needed before it")));
        }
        self.libraries.push(found);
        self.by_library.push(BTreeMap::new());
        self.inside.push(BTreeMap::new());
        Ok((self.libraries.len() - 1, true))
    }
}

/// What a library needs that the system does not have, as it names it.
fn foreign_needs(library: &NativeFile, wanted: &Requirement) -> Vec<(String, bool)> {
    let alone = std::slice::from_ref(library);
    let needs = audit::needs(alone, wanted).into_iter();
    let foreign = needs.filter(|need| need.origin == Origin::Outside);
    foreign.map(|need| (need.library, need.is_optional)).collect()
}

fn is_excluded(name: &str, options: &Options) -> bool {
    options.terms.excludes(name) || options.terms.excludes(file_name(name))
}

/// The name without the directories that macOS has in front of it.
pub(super) fn file_name(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// Why `library`, which has the right name, is of no use for `user`.
fn why_not(user: &NativeFile, library: &NativeFile) -> String {
    if let Some(problem) = library.problem() {
        return format!("cannot be read: {problem}");
    }
    match (arches(user), arches(library)) {
        (Some(user), Some(library)) if user != library => {
            format!("is for {library}, not for {user}")
        }
        _ => "is no shared library that it could load".to_owned(),
    }
}

/// The processors of a file, in words.
fn arches(file: &NativeFile) -> Option<String> {
    let elf = file.elf().into_iter().filter_map(|elf| elf.arch);
    let macho =
        file.macho().into_iter().flat_map(|macho| &macho.slices).filter_map(|slice| slice.arch);
    let pe = file.pe().into_iter().filter_map(|pe| pe.arch);
    let arches: Vec<String> = elf.chain(macho).chain(pe).map(|arch| arch.to_string()).collect();
    (!arches.is_empty()).then(|| arches.join(" and "))
}

/// Whether a process of `user` can load `library`.
fn fits(user: &NativeFile, library: &NativeFile) -> bool {
    if library.problem().is_some() {
        return false;
    }
    match (&user.facts, &library.facts) {
        (Facts::Elf(user), Facts::Elf(library)) => {
            user.arch == library.arch && library.kind == crate::binary::elf::Kind::SharedLibrary
        }
        (Facts::MachO(user), Facts::MachO(library)) => {
            let arches = user.slices.iter().filter_map(|slice| slice.arch);
            arches.into_iter().all(|arch| library.slices.iter().any(|s| s.arch == Some(arch)))
        }
        (Facts::Pe(user), Facts::Pe(library)) => user.arch == library.arch,
        _ => false,
    }
}
