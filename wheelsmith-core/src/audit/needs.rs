//! Origin of each library that the files of a wheel need.

use serde::Serialize;

use super::graph::Graph;
use super::{Requirement, dyld, macho};
use crate::binary::NativeFile;
use crate::binary::elf::Kind;
use crate::name::{Arch, PlatformTag, WheelPath};
use crate::policy::{self, windows};

/// A library that a file needs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Need {
    /// File that needs it.
    pub file: WheelPath,
    /// Library, as the file names it.
    pub library: String,
    /// Origin of the library.
    pub origin: Origin,
    /// True if the file also works without it.
    pub is_optional: bool,
}

/// Origin of a library.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case", tag = "origin", content = "path")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "NeedOrigin"))]
pub enum Origin {
    /// A file of the wheel that the loader finds, with its path.
    Inside(WheelPath),
    /// A file of the wheel that the loader does not find, because it searches elsewhere.
    Misplaced(WheelPath),
    /// The system, as the platform tag guarantees.
    Guaranteed,
    /// Python itself.
    Python,
    /// None of these.
    Outside,
}

/// Returns the libraries that the files need, by file and in the order in which each file names
/// them.
pub fn needs(files: &[NativeFile], wanted: &Requirement) -> Vec<Need> {
    match wanted.tag() {
        PlatformTag::MacOs { arch, .. } => {
            let arches = arch.arches().iter();
            let mut needs: Vec<Need> = arches.flat_map(|arch| macho_needs(files, *arch)).collect();
            needs.sort();
            needs.dedup();
            needs
        }
        PlatformTag::Windows { .. } => pe_needs(files),
        PlatformTag::Ios { .. } | PlatformTag::Wasm { .. } => Vec::new(),
        _ => elf_needs(files, wanted),
    }
}

fn named(files: &[NativeFile], path: &str) -> Option<WheelPath> {
    files.iter().find(|file| file.path.as_str() == path).map(|file| file.path.clone())
}

fn elf_needs(files: &[NativeFile], wanted: &Requirement) -> Vec<Need> {
    let graph = Graph::of(files, wanted);
    let reference = wanted.reference();
    let mut needs = Vec::new();
    for file in files {
        let Some(elf) = file.elf().filter(|elf| elf.kind != Kind::Object) else { continue };
        if elf.arch.is_none() || elf.arch != wanted.tag().arch() {
            continue;
        }
        for library in &elf.needed {
            let is_found = graph.finds(file.path.as_str(), library);
            let place = graph.elsewhere(elf, library).and_then(|path| named(files, path));
            let origin = match place {
                Some(path) if is_found => Origin::Inside(path),
                // A loaded library that has the name only as its SONAME.
                None if is_found => Origin::Inside(file.path.clone()),
                _ if reference.is_some_and(|policy| wanted.allows_library(policy, library)) => {
                    Origin::Guaranteed
                }
                _ if policy::is_libpython(library) => Origin::Python,
                Some(path) => Origin::Misplaced(path),
                None => Origin::Outside,
            };
            let (file, library) = (file.path.clone(), library.clone());
            needs.push(Need { file, library, origin, is_optional: false });
        }
    }
    needs
}

fn macho_needs(files: &[NativeFile], arch: Arch) -> Vec<Need> {
    let slices = || {
        let slices = files.iter().filter_map(|file| {
            let slice = file.macho()?.slices.iter().find(|s| s.arch == Some(arch))?;
            Some((file, slice))
        });
        slices.filter(|(_, slice)| slice.kind.is_loaded())
    };
    let graph = dyld::Graph::new(slices().map(|(file, slice)| (file.path.as_str(), slice)));
    let mut needs = Vec::new();
    for (file, slice) in slices() {
        for needed in &slice.needed {
            let library = &needed.name;
            let place = graph.elsewhere(library).and_then(|path| named(files, path));
            let origin = match place {
                Some(path) if graph.finds(file.path.as_str(), library) => Origin::Inside(path),
                _ if macho::is_system(library) => Origin::Guaranteed,
                _ if library.contains("/Python.framework/") => Origin::Python,
                Some(path) => Origin::Misplaced(path),
                None => Origin::Outside,
            };
            let is_optional = needed.kind == crate::binary::macho::Load::Weak;
            let (file, library) = (file.path.clone(), library.clone());
            needs.push(Need { file, library, origin, is_optional });
        }
    }
    needs
}

fn pe_needs(files: &[NativeFile]) -> Vec<Need> {
    let mut needs = Vec::new();
    for file in files {
        let Some(pe) = file.pe() else { continue };
        for import in &pe.imports {
            let name = windows::with_suffix(&import.library);
            let is_it = |other: &&NativeFile| {
                other.path.file_name().eq_ignore_ascii_case(&name)
                    && other.pe().is_some_and(|other| other.arch == pe.arch)
            };
            let origin = match (files.iter().find(is_it), windows::origin(&name)) {
                (_, windows::Origin::System) => Origin::Guaranteed,
                (_, windows::Origin::Python) => Origin::Python,
                // Windows finds it if the package adds its directory.
                (Some(other), _) => Origin::Inside(other.path.clone()),
                (None, windows::Origin::PythonsCRuntime | windows::Origin::CRuntime) => {
                    Origin::Guaranteed
                }
                (None, windows::Origin::Unknown) => Origin::Outside,
            };
            let (file, library) = (file.path.clone(), import.library.clone());
            needs.push(Need { file, library, origin, is_optional: import.is_delayed });
        }
    }
    needs
}
