//! PE: copies in `<name>.libs`, renamed imports, and a few lines of Python that tell Windows where
//! they are.

use std::collections::BTreeSet;

use super::closure::{Closure, file_name};
use super::elf::needed_as;
use super::{DirectoryHook, Graft, MissingLibrary, Options, RepairPlan, names};
use crate::audit::NativeFile;
use crate::binary::pe::Kind;
use crate::name::{WheelFilename, WheelPath};
use crate::patch::Edit;

pub(super) fn plan(
    filename: &WheelFilename,
    files: &[NativeFile],
    closure: &Closure,
    options: &Options,
) -> RepairPlan {
    let mut homes = BTreeSet::new();
    for file in files.iter().filter(|file| is_program(file)) {
        if closure.by_file.contains_key(&file.path) {
            homes.insert(home(file));
        }
    }
    let dir = options.lib_dir.clone().unwrap_or_else(|| match homes.first() {
        // Windows looks beside a program, and a Python file may add any directory.
        Some(home) if homes.len() == 1 && is_package(home) => (*home).to_owned(),
        _ => format!("{}.libs", filename.name),
    });
    let mut plan = RepairPlan { libraries: dir.clone(), ..RepairPlan::default() };
    let new_names: Vec<String> = (closure.libraries.iter())
        .map(|library| names::hashed(&file_name(&library.source).to_lowercase(), &library.sha256))
        .collect();
    let mut packages = BTreeSet::new();
    for file in files {
        let Some(grafted) = closure.by_file.get(&file.path) else { continue };
        let mut edit = Edit::default();
        for (name, at) in grafted {
            edit.renamed.insert(name.clone(), new_names[*at].clone());
        }
        plan.edits.insert(file.path.clone(), edit);
        if is_program(file) {
            if home(file) != dir {
                plan.missing.extend(grafted.keys().map(|library| MissingLibrary {
                    by: file.path.to_string(),
                    library: library.clone(),
                    reason: Some(format!(
                        "Windows looks for libraries of a program beside it, and they go to `{dir}`"
                    )),
                }));
            }
            continue;
        }
        match file.path.as_str().split_once('/') {
            Some((top, _)) if !matches!(top.rsplit_once('.'), Some((_, "data"))) => {
                packages.insert(top.to_owned());
            }
            _ => plan.missing.extend(grafted.keys().map(|library| {
                MissingLibrary {
                by: file.path.to_string(),
                library: library.clone(),
                reason: Some(
                    "the file lies in no package, whose `__init__.py` could add the directory of \
                     the libraries"
                        .into(),
                ),
            }
            })),
        }
    }
    for (at, library) in closure.libraries.iter().enumerate() {
        let Ok(into) = format!("{dir}/{}", new_names[at]).parse::<WheelPath>() else { continue };
        let mut edit = Edit::default();
        for (name, other) in &closure.by_library[at] {
            edit.renamed.insert(name.clone(), new_names[*other].clone());
        }
        if edit != Edit::default() {
            plan.edits.insert(into.clone(), edit);
        }
        plan.grafts.push(Graft {
            into,
            needed_as: needed_as(closure, at),
            source: library.source.clone(),
            sha256: library.sha256,
        });
    }
    for package in packages {
        if let Ok(path) = format!("{package}/__init__.py").parse() {
            // Whether it is new is known to whoever has the wheel.
            plan.hooks.insert(path, DirectoryHook { depth: 1, is_new: false });
        }
    }
    plan
}

fn is_program(file: &NativeFile) -> bool {
    file.pe().is_some_and(|pe| pe.kind == Kind::Program)
}

/// The directory of a file.
fn home(file: &NativeFile) -> &str {
    file.path.as_str().rsplit_once('/').map_or("", |(dir, _)| dir)
}

/// Whether a directory is a package's, whose files stay together when they are installed.
fn is_package(dir: &str) -> bool {
    !dir.split('/').next().unwrap_or_default().contains('.') && !dir.is_empty()
}
