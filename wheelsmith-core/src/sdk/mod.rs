//! Files of an SDK by which `pkg-config` and cmake find its libraries and headers,
//! wherever the directory is.
//!
//! This module is pure; `project` writes the archive.

mod cmake;
mod pkg_config;

use std::collections::BTreeSet;

use crate::config::{Component, Config, Kind, Role, Sdk};
use crate::name::{Os, WheelPath};
use crate::runtime::{ComponentInfo, Manifest};

/// The libraries of a component.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Library {
    /// Name of the component.
    pub name: String,
    /// Its version, or the project's.
    pub version: String,
    /// One sentence.
    pub description: String,
    /// The files of its shared libraries in `lib/`.
    pub shared: Vec<Shared>,
    /// The files of its static libraries in `lib/`, each before those that it needs.
    pub archives: Vec<String>,
    /// Libraries of the system that the static ones need, such as `m`.
    pub system: Vec<String>,
    /// Frameworks of macOS that the static ones need.
    pub frameworks: Vec<String>,
    /// The libraries of the same SDK that the static ones need.
    pub needs: Vec<String>,
}

/// A shared library in `lib/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shared {
    /// Its file, which is called by its SONAME: `libcodec.so.1`.
    pub file: String,
    /// Name for `-l`: `codec`; `None` if no file has such a name.
    pub link_name: Option<String>,
}

/// A generated file of an SDK.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GeneratedFile {
    /// Component.
    pub component: String,
    /// Path, such as `lib/pkgconfig/codec.pc`.
    pub path: String,
    /// Text.
    pub text: String,
}

/// Returns the components of `sdk`: those that it names, or all, and those that their libraries need.
/// Those without libraries and headers are left out.
pub fn components(config: &Config, sdk: &Sdk, runtime: &Manifest) -> BTreeSet<String> {
    let mut wanted: BTreeSet<&str> = BTreeSet::new();
    // What a component links to was built before it.
    for component in config.components.iter().rev() {
        let name = &component.name;
        let is_named = sdk.components.as_ref().is_none_or(|names| names.contains(name));
        if !is_named && !wanted.contains(name.as_str()) {
            continue;
        }
        wanted.insert(name);
        let offers_archive = has(runtime, name, Role::StaticLibrary);
        if offers_archive || has(runtime, name, Role::SharedLibrary) {
            // A shared library holds the static ones that it was linked to.
            let needed = component.link.iter();
            let needed =
                needed.filter(|other| offers_archive || has(runtime, other, Role::SharedLibrary));
            wanted.extend(needed.map(String::as_str));
        }
    }
    let is_worth = |name: &&str| {
        let roles = [Role::SharedLibrary, Role::StaticLibrary, Role::Header];
        roles.iter().any(|role| has(runtime, name, *role))
    };
    wanted.into_iter().filter(is_worth).map(str::to_owned).collect()
}

/// Returns the part of `runtime` for an SDK of `components`: everything but programs.
pub fn part(runtime: &Manifest, components: &BTreeSet<String>) -> Manifest {
    let carried = runtime.carried(components);
    let mut part = runtime.clone();
    part.components.retain(|component| carried.contains(component.name.as_str()));
    part.files
        .retain(|file| carried.contains(file.component.as_str()) && file.role != Role::Executable);
    part
}

fn has(runtime: &Manifest, component: &str, role: Role) -> bool {
    runtime.files.iter().any(|file| file.component == component && file.role == role)
}

/// Returns the generated files of an SDK that consists of `part`: a `.pc` file and a cmake package for
/// each component that has libraries.
pub fn files(config: &Config, part: &Manifest, os: Os) -> Vec<GeneratedFile> {
    let libraries: Vec<Library> =
        part.components.iter().filter_map(|info| library(config, info, part, os)).collect();
    let has_headers = part.files.iter().any(|file| file.role == Role::Header);
    // One that brings a file of the same name knows better.
    let is_there = |path: &str| part.files.iter().any(|file| file.path.as_str() == path);
    let made = libraries.iter().flat_map(|library| {
        let texts = pkg_config::files(library, &libraries);
        let texts = texts.into_iter().chain(cmake::files(library, &libraries, has_headers));
        texts.map(|(path, text)| GeneratedFile { component: library.name.clone(), path, text })
    });
    made.filter(|made| !is_there(&made.path)).collect()
}

fn library(config: &Config, info: &ComponentInfo, part: &Manifest, os: Os) -> Option<Library> {
    let component = config.component(&info.name)?;
    let of = |role: Role| {
        part.files.iter().filter(move |file| file.component == info.name && file.role == role)
    };
    // What lies elsewhere than in `lib/` is no library to link to.
    let in_lib = |path: &WheelPath| {
        path.as_str().strip_prefix("lib/").filter(|name| !name.contains('/')).map(str::to_owned)
    };
    let shared: Vec<Shared> = of(Role::SharedLibrary)
        .filter_map(|file| {
            let name = in_lib(&file.path)?;
            let link_name = file.aliases.iter().chain([&name]).find_map(|name| link_name(name, os));
            Some(Shared { file: name, link_name })
        })
        .collect();
    let archives: Vec<String> =
        of(Role::StaticLibrary).filter_map(|file| in_lib(&file.path)).collect();
    if shared.is_empty() && archives.is_empty() {
        return None;
    }
    let is_library = |name: &&String| {
        [Role::SharedLibrary, Role::StaticLibrary].iter().any(|role| has(part, name, *role))
    };
    let project = config.project.as_ref();
    let own = project.filter(|project| project.name.as_written() == info.name);
    let description = own.and_then(|project| project.description.clone());
    let description = description.unwrap_or_else(|| format!("The library {}", info.name));
    let mut library = Library {
        name: info.name.clone(),
        version: info.version.clone().unwrap_or_else(|| part.version.clone()),
        // A `.pc` file ends a value with its line.
        description: description.split_whitespace().collect::<Vec<_>>().join(" "),
        shared,
        archives,
        ..Library::default()
    };
    if !library.archives.is_empty() {
        library.needs = component.link.iter().filter(is_library).cloned().collect();
        (library.system, library.frameworks) = of_the_system(component, os);
    }
    Some(library)
}

fn of_the_system(component: &Component, os: Os) -> (Vec<String>, Vec<String>) {
    let frameworks = |names: &[String]| if os == Os::MacOs { names.to_vec() } else { Vec::new() };
    match &component.kind {
        Kind::C(c) => (c.libraries.clone(), frameworks(&c.frameworks)),
        Kind::Recipe(recipe) => (recipe.libraries.clone(), Vec::new()),
        Kind::Go(_) if os == Os::MacOs => {
            (Vec::new(), crate::build::GO_FRAMEWORKS.map(str::to_owned).to_vec())
        }
        Kind::Go(_) if matches!(os, Os::Linux(_)) => (vec!["pthread".to_owned()], Vec::new()),
        Kind::Bpf(_) | Kind::Cargo(_) | Kind::Go(_) | Kind::Prebuilt(_) | Kind::Files(_) => {
            (Vec::new(), Vec::new())
        }
    }
}

/// Returns the name for `-l`: `codec` for `libcodec.so`.
fn link_name(file: &str, os: Os) -> Option<String> {
    let stem = file.strip_suffix(os.shared_library_suffix())?;
    match os {
        // Linkers for Windows look for `codec.dll` as well.
        Os::Windows => Some(stem.strip_prefix("lib").unwrap_or(stem).to_owned()),
        _ => stem.strip_prefix("lib").map(str::to_owned),
    }
}

#[cfg(test)]
mod tests;
