//! Edits programs and libraries for the runtime: without paths of this machine and debug
//! information, and so that they find one another wherever they are installed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::site::Dirs;
use super::taken_from;
use crate::binary::{Format, elf::Elf, macho::MachO};
use crate::build::{BuiltFile, Error, Linkage, Setting};
use crate::config::{Recipe, Role};
use crate::name::{Os, WheelPath};
use crate::patch::{self, Edit, Search};
use crate::plan::ComponentPlan;
use crate::sys;
use crate::toolchain::Strip;

/// Writes each program and shared library of the outputs to `out`, and returns all outputs with
/// their new paths.
pub(super) fn outputs(
    setting: &Setting<'_>,
    plan: &ComponentPlan,
    recipe: &Recipe,
    linked: &Linkage,
    dirs: &Dirs,
) -> Result<Vec<BuiltFile>, Error> {
    let component = &plan.component;
    let mut files = taken_from(setting, component, recipe, dirs)?;
    let mut siblings = siblings(&files, linked);
    siblings.extend(setting.toolchain.shared_cxx.iter().map(|shared| shared.file.clone()));
    let before: Vec<_> = files.iter().map(|file| file.path.clone()).collect();
    stand_in(&mut files, dirs);
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

/// Replaces the paths of installed files by those of the edited ones.
pub(super) fn stand_in(files: &mut [BuiltFile], dirs: &Dirs) {
    for file in files {
        if matches!(file.role, Role::Executable | Role::SharedLibrary) {
            file.path = dirs.out.join(file.to.as_str());
        }
    }
}

/// Returns the names of the shared libraries in the runtime's `lib/`.
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
        // A program may be a script, which needs no edit.
        _ => return Ok(bytes.to_owned()),
    };
    let bytes =
        if edit == Edit::default() { bytes.to_owned() } else { patch::apply(bytes, &edit)? };
    if setting.plan.strip == Strip::All && matches!(setting.target().os(), Os::Linux(_)) {
        return patch::strip(&bytes);
    }
    Ok(bytes)
}

/// Returns the edit of a file by which it finds its siblings and contains no path of this machine.
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

/// Returns the runtime's `lib/` relative to `origin`, the directory of a file at `to`.
fn to_lib(origin: &str, to: &WheelPath) -> String {
    let dir = to.parent().unwrap_or_default();
    if dir == "lib" {
        return origin.to_owned();
    }
    let up = dir.split('/').filter(|part| !part.is_empty()).map(|_| "/..").collect::<String>();
    format!("{origin}{up}/lib")
}
