//! Collects the external libraries that a wheel requires, with their own dependencies.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::library::file_name;
use super::{Library, LibrarySearch, MissingLibrary, Options};
use crate::audit::{self, NativeFile, Need, Origin, Requirement};
use crate::binary::Facts;
use crate::name::WheelPath;
use crate::policy::{self, windows};

/// Limit of the search in hostile wheels; real wheels have far fewer libraries.
const MOST_LIBRARIES: usize = 5_000;

/// External libraries, and the files that require them.
#[derive(Debug, Default)]
pub(super) struct Closure {
    /// Each library once, in the order in which they were found.
    pub(super) libraries: Vec<Library>,
    /// For each file of the wheel: needed library by name, index into `libraries`.
    pub(super) by_file: BTreeMap<WheelPath, BTreeMap<String, usize>>,
    /// For each library: needed library by name, index into `libraries`.
    pub(super) by_library: Vec<BTreeMap<String, usize>>,
    /// For each library: required library by name, file of the wheel that provides it.
    pub(super) inside: Vec<BTreeMap<String, WheelPath>>,
    /// Libraries that are in the wheel, but outside the search path of the files that require them.
    pub(super) misplaced: BTreeMap<WheelPath, BTreeMap<String, WheelPath>>,
    /// Required `libpython`s, which are removed: an extension module uses Python's symbols of the
    /// process.
    pub(super) python: BTreeMap<WheelPath, BTreeSet<String>>,
    /// Libraries of `Options::include` that no file requires by name, as indices into `libraries`.
    pub(super) unneeded: Vec<usize>,
    pub(super) missing: Vec<MissingLibrary>,
}

/// File that requires a library.
#[derive(Clone, Copy)]
enum User<'a> {
    /// File of the wheel.
    File(&'a NativeFile),
    /// External library, by its index.
    Library(usize),
}

/// Collects all dependencies of the files. `wanted` has one entry for each group of tags.
pub(super) fn follow(
    files: &[NativeFile],
    wanted: &[Requirement],
    search: &dyn LibrarySearch,
    options: &Options,
) -> Closure {
    let mut closure = Closure::default();
    let mut queue = VecDeque::new();
    for need in needs(files, wanted) {
        let is_included = options.includes(&need.library);
        let origin = match need.origin {
            Origin::Misplaced(path) => {
                closure.misplaced.entry(need.file).or_default().insert(need.library, path);
                continue;
            }
            Origin::Python if !is_included => {
                closure.python.entry(need.file).or_default().insert(need.library);
                continue;
            }
            other => other,
        };
        let Some(necessity) = necessity(&need.library, &origin, need.is_optional, options) else {
            continue;
        };
        let Some(user) = files.iter().find(|file| file.path == need.file) else { continue };
        closure.add(&need.library, User::File(user), necessity, search, &mut queue);
    }
    for name in &options.include {
        closure.add_unneeded(name, files, search, &mut queue);
    }
    while let Some(at) = queue.pop_front() {
        let file = closure.libraries[at].file.clone();
        for need in needs(std::slice::from_ref(&file), wanted) {
            let name = need.library;
            let Some(necessity) = necessity(&name, &need.origin, need.is_optional, options) else {
                continue;
            };
            let is_it = |other: &&NativeFile| {
                other.path.file_name() == file_name(&name) && fits(&file, other)
            };
            if let Some(inside) = files.iter().find(is_it) {
                closure.inside[at].insert(name, inside.path.clone());
                continue;
            }
            closure.add(&name, User::Library(at), necessity, search, &mut queue);
        }
    }
    closure.missing.sort();
    closure.missing.dedup();
    closure
}

/// Returns the dependencies of the files under every group of tags, each once.
fn needs(files: &[NativeFile], wanted: &[Requirement]) -> Vec<Need> {
    let mut all: Vec<Need> = Vec::new();
    for need in wanted.iter().flat_map(|wanted| audit::needs(files, wanted)) {
        if !all.contains(&need) {
            all.push(need);
        }
    }
    all
}

/// Necessity of a library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Necessity {
    /// The wheel does not work without it.
    Required,
    /// The wheel may work without it, so it is copied if it is found: it is loaded late, may be
    /// absent, or is a runtime that many machines have.
    Optional,
}

/// Returns whether a library must be copied; `None` for one that stays outside.
fn necessity(
    library: &str,
    origin: &Origin,
    is_optional: bool,
    options: &Options,
) -> Option<Necessity> {
    if options.allowances.excludes(library) {
        return None;
    }
    let is_included = options.includes(library);
    match origin {
        Origin::Inside(_) | Origin::Misplaced(_) => None,
        _ if is_included => Some(Necessity::Required),
        Origin::Outside if is_optional => Some(Necessity::Optional),
        Origin::Outside => Some(Necessity::Required),
        // The part of the Visual C++ runtime that Python does not contain is not part of Windows.
        Origin::Guaranteed if windows::origin(library) == windows::Origin::CRuntime => {
            Some(Necessity::Optional)
        }
        Origin::Guaranteed | Origin::Python => None,
    }
}

impl Closure {
    /// Searches for the library that `user` calls `name`, and records it, or that it is missing.
    fn add(
        &mut self,
        name: &str,
        user: User<'_>,
        necessity: Necessity,
        search: &dyn LibrarySearch,
        queue: &mut VecDeque<usize>,
    ) {
        let found = if policy::libc_of(file_name(name)).is_some() {
            let what = if matches!(user, User::File(_)) { "the wheel" } else { "the library" };
            Err(Some(format!("{what} is for another C library than the tag")))
        } else {
            self.find(name, user, search, queue)
        };
        match (found, user) {
            (Ok(found), User::File(file)) => {
                let libraries = self.by_file.entry(file.path.clone()).or_default();
                libraries.insert(name.to_owned(), found);
            }
            (Ok(found), User::Library(at)) => {
                self.by_library[at].insert(name.to_owned(), found);
            }
            (Err(_), _) if necessity == Necessity::Optional => {}
            (Err(reason), user) => {
                let by = match user {
                    User::File(file) => file.path.to_string(),
                    User::Library(at) => self.libraries[at].path.display().to_string(),
                };
                self.missing.push(MissingLibrary { by, library: name.to_owned(), reason });
            }
        }
    }

    /// Adds a library that the user requested and that no file requires.
    fn add_unneeded(
        &mut self,
        name: &str,
        files: &[NativeFile],
        search: &dyn LibrarySearch,
        queue: &mut VecDeque<usize>,
    ) {
        let is_named = |known: &String| file_name(known).eq_ignore_ascii_case(name);
        let users = self.by_file.values().chain(&self.by_library);
        let is_missing = self.missing.iter().any(|missing| is_named(&missing.library));
        let is_inside = files.iter().any(|file| file.path.file_name().eq_ignore_ascii_case(name));
        // A pattern selects among the required libraries; it adds none.
        let is_pattern = name.contains(['*', '?', '[']);
        if is_pattern || is_missing || is_inside || users.flat_map(BTreeMap::keys).any(is_named) {
            return;
        }
        let user = files.iter().find(|file| !file.is_device_code() && file.problem().is_none());
        let found = match user {
            Some(user) => self.find(name, User::File(user), search, queue),
            None => Err(Some("the wheel has no native file".to_owned())),
        };
        match found {
            Ok(found) => self.unneeded.push(found),
            Err(reason) => self.missing.push(MissingLibrary {
                by: "--include".to_owned(),
                library: name.to_owned(),
                reason,
            }),
        }
    }

    /// Returns the index of the library that `user` calls `name`; a new one is added to `queue`.
    fn find(
        &mut self,
        name: &str,
        user: User<'_>,
        search: &dyn LibrarySearch,
        queue: &mut VecDeque<usize>,
    ) -> Result<usize, Option<String>> {
        let (file, from) = match user {
            User::File(file) => (file, None),
            User::Library(at) => (&self.libraries[at].file, Some(&self.libraries[at])),
        };
        let found = search.find(name, from, &|library| fits(file, library));
        let found = found.ok_or_else(|| {
            let other = search.find(name, from, &|_| true)?;
            Some(format!("`{}` {}", other.path.display(), reason_to_skip(file, &other.file)))
        })?;
        if let Some(at) = self.libraries.iter().position(|other| other.path == found.path) {
            return Ok(at);
        }
        if self.libraries.len() == MOST_LIBRARIES {
            return Err(Some(format!(
                "it is needed after {MOST_LIBRARIES} other libraries, the limit"
            )));
        }
        self.libraries.push(found);
        self.by_library.push(BTreeMap::new());
        self.inside.push(BTreeMap::new());
        let at = self.libraries.len() - 1;
        queue.push_back(at);
        Ok(at)
    }

    /// Returns the names under which files require the library at `at`.
    pub(super) fn needed_as(&self, at: usize) -> Vec<String> {
        let users = self.by_file.values().chain(&self.by_library);
        let names = users.flatten().filter(|(_, other)| **other == at);
        let names: BTreeSet<&String> = names.map(|(name, _)| name).collect();
        names.into_iter().cloned().collect()
    }
}

/// Returns the reason why `library`, which has the right name, is unusable for `user`.
fn reason_to_skip(user: &NativeFile, library: &NativeFile) -> String {
    if let Some(problem) = library.problem() {
        return format!("cannot be read: {problem}");
    }
    match (arches(user), arches(library)) {
        (Some(user), Some(library)) if user != library => {
            format!("is for {library}, not for {user}")
        }
        _ => "is not a shared library that it can load".to_owned(),
    }
}

/// Returns the processors of a file, in words.
fn arches(file: &NativeFile) -> Option<String> {
    let elf = file.elf().into_iter().filter_map(|elf| elf.arch);
    let macho =
        file.macho().into_iter().flat_map(|macho| &macho.slices).filter_map(|slice| slice.arch);
    let pe = file.pe().into_iter().filter_map(|pe| pe.arch);
    let arches: Vec<String> = elf.chain(macho).chain(pe).map(|arch| arch.to_string()).collect();
    (!arches.is_empty()).then(|| arches.join(" and "))
}

/// True if a process of `user` can load `library`.
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
