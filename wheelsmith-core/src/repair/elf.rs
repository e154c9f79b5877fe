//! ELF: copies in `<name>.libs`, renamed NEEDED entries, RPATH from `$ORIGIN`.

use std::collections::BTreeMap;

use super::closure::Closure;
use super::paths::{join, relative};
use super::{Graft, MissingLibrary, MovedScript, Options, RepairPlan, names};
use crate::audit::NativeFile;
use crate::audit::place::{directory, installed};
use crate::binary::elf::Kind;
use crate::name::{WheelFilename, WheelPath};
use crate::patch::{Edit, Search};

pub(super) fn plan(
    filename: &WheelFilename,
    files: &[NativeFile],
    closure: &Closure,
    options: &Options,
) -> RepairPlan {
    let dir = options.lib_dir.clone().unwrap_or_else(|| format!("{}.libs", filename.name));
    let mut plan = RepairPlan { libraries: dir.clone(), ..RepairPlan::default() };
    let new_names = closure.libraries.iter().map(|library| {
        let name = super::closure::file_name(&library.source);
        names::hashed(name, &library.sha256)
    });
    let new_names: Vec<String> = new_names.collect();
    for file in files {
        let Some(elf) = file.elf() else { continue };
        let says_nothing =
            elf.interpreter.is_none() && elf.needed.is_empty() && elf.soname.is_none();
        if says_nothing && !elf.has_section_headers {
            plan.packed.push(file.path.clone());
        }
        let mut edit = Edit::default();
        let none = BTreeMap::new();
        let grafted = closure.by_file.get(&file.path).unwrap_or(&none);
        for (name, at) in grafted {
            edit.renamed.insert(name.clone(), new_names[*at].clone());
        }
        if elf.kind == Kind::SharedLibrary
            && let Some(python) = closure.python.get(&file.path)
        {
            edit.dropped.extend(python.iter().cloned());
        }
        let misplaced = closure.misplaced.get(&file.path);
        let place = script(&mut plan, filename, file, !grafted.is_empty());
        let mut dirs: Vec<String> = Vec::new();
        if !grafted.is_empty() {
            dirs.push(format!("site/{dir}"));
        }
        for path in misplaced.into_iter().flat_map(BTreeMap::values) {
            let place = installed(path.as_str());
            dirs.extend(place.rsplit_once('/').map(|(dir, _)| dir.to_owned()));
        }
        if !dirs.is_empty() && place.starts_with("prefix/") {
            let library = grafted.keys().chain(misplaced.into_iter().flat_map(BTreeMap::keys));
            plan.missing.extend(library.map(|library| MissingLibrary {
                by: file.path.to_string(),
                library: library.clone(),
                reason: Some("no path leads from where the file is installed to libraries".into()),
            }));
            continue;
        }
        if !dirs.is_empty() {
            edit.search = search(&place, elf.rpath.iter().chain(&elf.runpath), &dirs);
        }
        if edit != Edit::default() {
            plan.edits.insert(file.path.clone(), edit);
        }
    }
    for (at, library) in closure.libraries.iter().enumerate() {
        let Ok(into) = format!("{dir}/{}", new_names[at]).parse::<WheelPath>() else { continue };
        let mut edit = Edit { id: Some(new_names[at].clone()), ..Edit::default() };
        for (name, other) in &closure.by_library[at] {
            edit.renamed.insert(name.clone(), new_names[*other].clone());
        }
        let mut dirs = Vec::new();
        if !closure.by_library[at].is_empty() {
            dirs.push(format!("site/{dir}"));
        }
        for path in closure.inside[at].values() {
            let place = installed(path.as_str());
            dirs.extend(place.rsplit_once('/').map(|(dir, _)| dir.to_owned()));
        }
        let elf = library.file.elf();
        let has_paths = elf.is_some_and(|elf| !(elf.rpath.is_empty() && elf.runpath.is_empty()));
        edit.search = match (dirs.is_empty(), has_paths) {
            (false, _) => search(&installed(into.as_str()), [].iter(), &dirs),
            (true, true) => Search::Nowhere,
            (true, false) => Search::Keep,
        };
        plan.edits.insert(into.clone(), edit);
        plan.grafts.push(Graft {
            into,
            needed_as: needed_as(closure, at),
            source: library.source.clone(),
            sha256: library.sha256,
        });
    }
    plan
}

/// The names by which the files ask for the library at `at`.
pub(super) fn needed_as(closure: &Closure, at: usize) -> Vec<String> {
    let users = closure.by_file.values().chain(&closure.by_library);
    let names = users.flatten().filter(|(_, other)| **other == at);
    let mut names: Vec<String> = names.map(|(name, _)| name.clone()).collect();
    names.sort();
    names.dedup();
    names
}

/// Where the file will lie; a program below `.data/scripts` that needs grafted libraries moves.
fn script(
    plan: &mut RepairPlan,
    filename: &WheelFilename,
    file: &NativeFile,
    has_grafts: bool,
) -> String {
    let place = installed(file.path.as_str());
    let Some(name) = place.strip_prefix("prefix/bin/").filter(|_| has_grafts) else { return place };
    let moved = format!("{}.scripts/{name}", filename.name);
    let Ok(to) = moved.parse::<WheelPath>() else { return place };
    plan.scripts.push(MovedScript { from: file.path.clone(), to });
    format!("site/{moved}")
}

/// RPATH entries for the file at `place`: those of its own that stay inside the wheel, then the
/// directories. RPATH and not RUNPATH, because a library that is loaded by name looks there as well.
fn search<'a>(place: &str, old: impl Iterator<Item = &'a String>, dirs: &[String]) -> Search {
    let mut entries: Vec<String> = old.filter(|e| directory(e, place).is_some()).cloned().collect();
    for dir in dirs {
        entries.push(join("$ORIGIN", &relative(place, dir)));
    }
    let mut seen = std::collections::BTreeSet::new();
    entries.retain(|entry| seen.insert(entry.clone()));
    Search::Rpath(entries)
}
