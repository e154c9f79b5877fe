//! Search paths and names of libraries in ELF and Mach-O files.

use super::{Fixed, Place, relative};
use crate::binary::Format;
use crate::binary::elf::Elf;
use crate::binary::macho::MachO;
use crate::patch::{self, Edit, Search};

/// Makes run paths and install names relative to the file.
pub(super) fn fix(place: &Place<'_>, bytes: &[u8]) -> Result<Fixed, String> {
    let edit = match Format::of(bytes) {
        Some(Format::Elf) => elf(place, bytes)?,
        _ => macho(place, bytes)?,
    };
    patch::apply(bytes, &edit).map(Fixed::Bytes).map_err(|error| error.to_string())
}

/// Returns an ELF file with a run path to the libraries of the tree that it needs; `None` if it has a
/// run path, or needs none of them. Build systems often leave it to the installed prefix.
pub(in crate::tree) fn link_libraries(place: &Place<'_>, bytes: &[u8]) -> Option<Vec<u8>> {
    let elf = Elf::parse(bytes).ok()?;
    if !elf.rpath.is_empty() || !elf.runpath.is_empty() {
        return None;
    }
    let serves = |dir: &&&str| elf.needed.iter().any(|name| place.has(&joined(dir, name)));
    let dirs = ["lib", "lib64"].iter().filter(serves).map(|dir| origin(place, "$ORIGIN", dir));
    let search = Search::Runpath(dirs.collect());
    if search == Search::Runpath(Vec::new()) {
        return None;
    }
    // A file that cannot be edited keeps its way of finding libraries.
    patch::apply(bytes, &Edit { search, ..Edit::default() }).ok()
}

fn elf(place: &Place<'_>, bytes: &[u8]) -> Result<Edit, String> {
    let elf = Elf::parse(bytes).map_err(|error| error.to_string())?;
    let is_rpath = elf.runpath.is_empty();
    let old = if is_rpath { &elf.rpath } else { &elf.runpath };
    let new = directories(place, old, "$ORIGIN", |dir| {
        // Libraries that are needed by libraries are found by DT_RPATH too, and not by DT_RUNPATH.
        elf.needed.iter().any(|name| place.has(&joined(dir, name)))
            || is_rpath && has_library(place, dir)
    });
    let search = match (new.is_empty(), is_rpath) {
        (true, _) => Search::Nowhere,
        (false, true) => Search::Rpath(new),
        (false, false) => Search::Runpath(new),
    };
    Ok(Edit { search, ..Edit::default() })
}

fn macho(place: &Place<'_>, bytes: &[u8]) -> Result<Edit, String> {
    let macho = MachO::parse(bytes).map_err(|error| error.to_string())?;
    let mut edit = Edit::default();
    let mut rpaths = Vec::new();
    for slice in &macho.slices {
        rpaths.extend(directories(place, &slice.rpaths, "@loader_path", |_| true));
        let needed = slice.needed.iter().filter_map(|needed| {
            let inside = place.inside(&needed.name).filter(|path| place.has(path))?;
            Some((needed.name.clone(), origin(place, "@loader_path", inside)))
        });
        edit.renamed.extend(needed);
        if let Some(name) = slice.install_name.as_deref()
            && let Some(inside) = place.inside(name)
        {
            let name = inside.rsplit('/').next().unwrap_or(inside);
            edit.id = Some(format!("@rpath/{name}"));
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    rpaths.retain(|path| seen.insert(path.clone()));
    edit.search = if rpaths.is_empty() { Search::Nowhere } else { Search::Rpath(rpaths) };
    Ok(edit)
}

/// Returns the search path `old` with directories of the tree relative to the file. Those that
/// `serves` rejects, and those of the build machine, are dropped.
fn directories(
    place: &Place<'_>,
    old: &[String],
    word: &str,
    serves: impl Fn(&str) -> bool,
) -> Vec<String> {
    let mut new: Vec<String> = Vec::new();
    for dir in old {
        let dir = match place.inside(dir) {
            Some(inside) if serves(inside) => origin(place, word, inside),
            Some(_) => continue,
            None if place.names_build_dir(dir) || dir.contains(place.prefix) => continue,
            None => dir.clone(),
        };
        if !new.contains(&dir) {
            new.push(dir);
        }
    }
    new
}

/// True if the directory `dir` of the tree contains a shared library.
fn has_library(place: &Place<'_>, dir: &str) -> bool {
    let start = if dir.is_empty() { String::new() } else { format!("{dir}/") };
    let names = place.tree.nodes.keys().filter_map(|path| path.as_str().strip_prefix(&start));
    names.filter(|name| !name.contains('/')).any(|name| {
        name.split_once(".so").is_some_and(|(_, end)| end.is_empty() || end.starts_with('.'))
    })
}

/// Returns the path `to` in the tree as the loader finds it from the file.
fn origin(place: &Place<'_>, word: &str, to: &str) -> String {
    match relative(place.path.parent().unwrap_or_default(), to).as_str() {
        "." => word.to_owned(),
        path => format!("{word}/{path}"),
    }
}

fn joined(dir: &str, name: &str) -> String {
    if dir.is_empty() { name.to_owned() } else { format!("{dir}/{name}") }
}
