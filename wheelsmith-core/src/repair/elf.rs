//! ELF: copies in `<name>.libs`, renamed NEEDED entries, RPATH with `$ORIGIN`.

use std::collections::BTreeMap;

use super::closure::Closure;
use super::paths::{join, relative};
use super::{Graft, Options, RepairPlan, launcher, names};
use crate::audit::NativeFile;
use crate::audit::place::{directory, installed};
use crate::binary::elf::{Elf, Kind};
use crate::name::{WheelFilename, WheelPath};
use crate::patch::{Edit, Search};

pub(super) fn plan(
    filename: &WheelFilename,
    files: &[NativeFile],
    closure: &Closure,
    options: &Options,
    is_android: bool,
) -> RepairPlan {
    let dir = options.lib_dir.clone().unwrap_or_else(|| format!("{}.libs", filename.name));
    let mut plan = RepairPlan { libraries: dir.clone(), ..RepairPlan::default() };
    let new_names: Vec<String> = (closure.libraries.iter().enumerate())
        .map(|(at, library)| match library.file_name() {
            // A library that is loaded by name keeps its name.
            name if closure.unneeded.contains(&at) => name,
            name => names::hashed(&name, &library.sha256),
        })
        .collect();
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
        let mut needed = grafted.keys().chain(misplaced.into_iter().flat_map(BTreeMap::keys));
        let Some(place) = launcher::place(&mut plan, filename, &file.path, &mut needed) else {
            continue;
        };
        let mut dirs: Vec<String> = Vec::new();
        if !grafted.is_empty() {
            dirs.push(format!("site/{dir}"));
        }
        for path in misplaced.into_iter().flat_map(BTreeMap::values) {
            let place = installed(path.as_str());
            dirs.extend(place.rsplit_once('/').map(|(dir, _)| dir.to_owned()));
        }
        if !dirs.is_empty() {
            edit.search = search(&place, elf, &dirs, is_android);
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
            (false, _) => entries(&installed(into.as_str()), [].iter(), &dirs, is_android),
            (true, true) => Search::Nowhere,
            (true, false) => Search::Keep,
        };
        plan.edits.insert(into.clone(), edit);
        plan.grafts.push(Graft::of(closure, at, into));
    }
    plan
}

/// Returns the search path of a file: its own entries inside the wheel, then `dirs`.
fn search(place: &str, elf: &Elf, dirs: &[String], is_android: bool) -> Search {
    // Android's linker ignores DT_RPATH, so its directories were never searched.
    let rpath = if is_android { &[][..] } else { &elf.rpath[..] };
    entries(place, rpath.iter().chain(&elf.runpath), dirs, is_android)
}

/// Returns DT_RPATH, because it also applies to libraries that are loaded by name. On Android
/// returns DT_RUNPATH, because its linker supports no other.
fn entries<'a>(
    place: &str,
    old: impl Iterator<Item = &'a String>,
    dirs: &[String],
    is_android: bool,
) -> Search {
    let mut entries: Vec<String> = old.filter(|e| directory(e, place).is_some()).cloned().collect();
    for dir in dirs {
        entries.push(join("$ORIGIN", &relative(place, dir)));
    }
    let mut seen = std::collections::BTreeSet::new();
    entries.retain(|entry| seen.insert(entry.clone()));
    if is_android { Search::Runpath(entries) } else { Search::Rpath(entries) }
}
