//! Programs and libraries as they go into the runtime: without the places of this machine, without
//! what only a debugger reads, and so that they find one another wherever they are put.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::{Places, taken_from};
use crate::binary::{Format, elf::Elf, macho::MachO};
use crate::build::{BuiltFile, Error, Linkage, Setting};
use crate::config::{Recipe, Role};
use crate::name::{Os, WheelPath};
use crate::patch::{self, Edit, Search};
use crate::plan::ComponentPlan;
use crate::sys;
use crate::toolchain::Strip;

/// Writes each program and shared library of the outputs to its place in `out`, and gives all
/// outputs as they are afterwards.
pub(super) fn outputs(
    setting: &Setting<'_>,
    plan: &ComponentPlan,
    recipe: &Recipe,
    linked: &Linkage,
    places: &Places,
) -> Result<Vec<BuiltFile>, Error> {
    let component = &plan.component;
    let mut files = taken_from(setting, component, recipe, places)?;
    let siblings = siblings(&files, linked);
    let before: Vec<_> = files.iter().map(|file| file.path.clone()).collect();
    stand_in(&mut files, places);
    for (file, from) in files.iter().zip(before).filter(|(file, from)| file.path != *from) {
        let io = |source| Error::Io {
            component: component.name.clone(),
            target: setting.target(),
            source,
        };
        let bytes = sys::fs::read(&from).map_err(io)?;
        let finished = finished(setting, &bytes, file, &siblings).map_err(|source| {
            Error::Finish { component: component.name.clone(), file: from.clone(), source }
        })?;
        sys::fs::write_program(&file.path, &finished).map_err(io)?;
        for alias in &file.aliases {
            let place = file.path.with_file_name(alias);
            if sys::fs::symlink_metadata(&place).is_err() {
                sys::fs::symlink(file.to.file_name(), &place).map_err(io)?;
            }
        }
    }
    Ok(files)
}

/// Lets the finished files stand for what was installed.
pub(super) fn stand_in(files: &mut [BuiltFile], places: &Places) {
    for file in files {
        if matches!(file.role, Role::Executable | Role::SharedLibrary) {
            file.path = places.out.join(file.to.as_str());
        }
    }
}

/// The names of the shared libraries that will lie in the runtime's `lib/`.
fn siblings(files: &[BuiltFile], linked: &Linkage) -> BTreeSet<String> {
    let own = files.iter().filter(|file| file.role == Role::SharedLibrary);
    let own = own.flat_map(|file| {
        [file.to.file_name().to_owned()].into_iter().chain(file.aliases.iter().cloned())
    });
    let theirs = linked
        .shared
        .iter()
        .filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
    own.chain(theirs).collect()
}

fn finished(
    setting: &Setting<'_>,
    bytes: &[u8],
    file: &BuiltFile,
    siblings: &BTreeSet<String>,
) -> Result<Vec<u8>, patch::Error> {
    let edit = match Format::of(bytes) {
        Some(Format::Elf) => of_elf(&Elf::parse(bytes)?, file, siblings, setting.work),
        Some(Format::MachO) => of_macho(&MachO::parse(bytes)?, file, siblings),
        // A script is a program as well, and has nothing to change.
        _ => return Ok(bytes.to_owned()),
    };
    let bytes =
        if edit == Edit::default() { bytes.to_owned() } else { patch::apply(bytes, &edit)? };
    if setting.plan.strip == Strip::All && matches!(setting.target().os(), Os::Linux(_)) {
        return patch::strip(&bytes);
    }
    Ok(bytes)
}

/// What must be different in a file so that it finds its siblings, and holds no place of this
/// machine.
fn of_elf(elf: &Elf, file: &BuiltFile, siblings: &BTreeSet<String>, work: &Path) -> Edit {
    let is_here = |path: &String| Path::new(path).starts_with(work);
    let search = if elf.needed.iter().any(|name| siblings.contains(last(name))) {
        Search::Runpath(vec![to_lib("$ORIGIN", &file.to)])
    } else if elf.rpath.iter().chain(&elf.runpath).any(is_here) {
        Search::Nowhere
    } else {
        Search::Keep
    };
    // A library that was linked by its path instead of its name.
    let by_path = elf.needed.iter().filter(|name| name.contains('/'));
    let by_path = by_path.filter(|name| siblings.contains(last(name)));
    let renamed = by_path.map(|name| (name.clone(), last(name).to_owned())).collect();
    Edit { renamed, search, ..Edit::default() }
}

fn of_macho(macho: &MachO, file: &BuiltFile, siblings: &BTreeSet<String>) -> Edit {
    let needed = macho.slices.iter().flat_map(|slice| &slice.needed).map(|needed| &needed.name);
    let needed: Vec<&String> = needed.filter(|name| siblings.contains(last(name))).collect();
    let absolute = needed.iter().filter(|name| name.starts_with('/'));
    let renamed: BTreeMap<String, String> =
        absolute.map(|name| ((*name).clone(), format!("@rpath/{}", last(name)))).collect();
    let id = (file.role == Role::SharedLibrary).then(|| format!("@rpath/{}", file.to.file_name()));
    let search = if needed.is_empty() {
        Search::Keep
    } else {
        Search::Rpath(vec![to_lib("@loader_path", &file.to)])
    };
    Edit { id, renamed, search, ..Edit::default() }
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The runtime's `lib/` as a file at `to` sees it from `origin`, its own directory.
fn to_lib(origin: &str, to: &WheelPath) -> String {
    let dir = to.parent().unwrap_or_default();
    if dir == "lib" {
        return origin.to_owned();
    }
    let up = dir.split('/').filter(|part| !part.is_empty()).map(|_| "/..").collect::<String>();
    format!("{origin}{up}/lib")
}
