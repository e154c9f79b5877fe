//! Mach-O: copies in `.dylibs`, install names relative to `@loader_path`, no paths of the build
//! machine.

use std::collections::BTreeMap;

use super::closure::Closure;
use super::paths::{join, packages, relative};
use super::{Graft, Options, RepairPlan, launcher, names};
use crate::audit::NativeFile;
use crate::audit::place::installed;
use crate::binary::macho::MachO;
use crate::name::{WheelFilename, WheelPath};
use crate::patch::{Edit, Search};

pub(super) fn plan(
    filename: &WheelFilename,
    files: &[NativeFile],
    closure: &Closure,
    options: &Options,
) -> RepairPlan {
    let users = closure.by_file.keys().map(|path| installed(path.as_str()));
    let users: Vec<String> = users.collect();
    let dir = options.lib_dir.clone().unwrap_or_else(|| match packages(&users)[..] {
        [package] => format!("{package}/.dylibs"),
        _ => format!("{}.dylibs", filename.name),
    });
    let mut plan = RepairPlan { libraries: dir.clone(), ..RepairPlan::default() };
    let new_names = new_names(closure);
    let in_libraries = |name: &str| format!("{dir}/{name}");
    for file in files {
        let Some(macho) = file.macho() else { continue };
        let grafted = || closure.by_file.get(&file.path).into_iter().flatten();
        let misplaced = || closure.misplaced.get(&file.path).into_iter().flatten();
        let mut needed = grafted().map(|(name, _)| name).chain(misplaced().map(|(name, _)| name));
        let Some(place) = launcher::place(&mut plan, filename, &file.path, &mut needed) else {
            continue;
        };
        let mut edit = Edit::default();
        for (name, at) in grafted() {
            let to = format!("site/{}", in_libraries(&new_names[*at]));
            edit.renamed.insert(name.clone(), join("@loader_path", &relative(&place, &to)));
        }
        for (name, path) in misplaced() {
            let to = relative(&place, &installed(path.as_str()));
            edit.renamed.insert(name.clone(), join("@loader_path", &to));
        }
        if !edit.renamed.is_empty() {
            edit.search = inside_only(macho);
        }
        if edit != Edit::default() {
            plan.edits.insert(file.path.clone(), edit);
        }
    }
    for (at, library) in closure.libraries.iter().enumerate() {
        let Ok(into) = in_libraries(&new_names[at]).parse::<WheelPath>() else { continue };
        // No file uses this name: each user contains the path.
        let id = Some(format!("@rpath/{}", new_names[at]));
        let mut edit = Edit { id, ..Edit::default() };
        for (name, other) in &closure.by_library[at] {
            edit.renamed.insert(name.clone(), format!("@loader_path/{}", new_names[*other]));
        }
        for (name, place) in &closure.inside[at] {
            let to = relative(&installed(into.as_str()), &installed(place.as_str()));
            edit.renamed.insert(name.clone(), join("@loader_path", &to));
        }
        edit.search = library.file.macho().map(inside_only).unwrap_or_default();
        plan.edits.insert(into.clone(), edit);
        plan.grafts.push(Graft::of(closure, at, into));
    }
    plan
}

/// Returns the names of the copies. A library keeps its name, because users find it by path;
/// libraries with the same name get digests.
fn new_names(closure: &Closure) -> Vec<String> {
    let mut count: BTreeMap<String, usize> = BTreeMap::new();
    for library in &closure.libraries {
        *count.entry(library.file_name()).or_default() += 1;
    }
    let new_name = |library: &super::Library| match library.file_name() {
        name if count[&name] > 1 => names::hashed(&name, &library.sha256),
        name => name,
    };
    closure.libraries.iter().map(new_name).collect()
}

/// Returns the LC_RPATH entries that stay inside the wheel, or no change if all of them do.
fn inside_only(macho: &MachO) -> Search {
    let entries: Vec<&String> = macho.slices.iter().flat_map(|slice| &slice.rpaths).collect();
    let is_inside = |entry: &&&String| entry.starts_with('@') || entry.starts_with("/usr/lib/");
    let kept: Vec<&&String> = entries.iter().filter(is_inside).collect();
    if kept.len() == entries.len() {
        return Search::Keep;
    }
    let mut list: Vec<String> = Vec::new();
    for entry in kept {
        if !list.contains(entry) {
            list.push((**entry).clone());
        }
    }
    if list.is_empty() { Search::Nowhere } else { Search::Rpath(list) }
}
