//! Wheels that make Python import from the project itself (PEP 660).
//!
//! Such a wheel contains a `.pth` file with the directory of Python files. Compiled files are found
//! from `__file__` as in any other installation: links in the Python files point to the runtime's
//! directories, so a later build takes effect at once.
//!
//! The files of a wheel with grafted libraries differ from those of the runtime. They are written
//! to a separate directory with the layout of the wheel, and the links point there.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use super::Project;
use super::launcher::MODULE;
use crate::config::Wheel;
use crate::name::{Target, WheelPath};
use crate::repair::RepairPlan;
use crate::sys;
use crate::wheel::{Entry, Source as Content};

/// Directories of a runtime that a wheel contains.
const DIRECTORIES: [&str; 3] = ["bin", "lib", "share"];

/// True if installers copy the files of this top directory to other directories.
fn is_data(top: &str) -> bool {
    matches!(top.rsplit_once('.'), Some((_, "data")))
}

/// Returns the directory for the files of `wheel` that differ from those of the runtime.
pub(super) fn changed_dir(project: &Project, wheel: &Wheel, target: Target) -> PathBuf {
    project.work_dir().join(target.to_string()).join("editable").join(wheel.name.escaped())
}

/// Writes the installed files of the runtime and of the libraries that `plan` grafted to `dir`, and
/// removes other files.
pub(super) fn keep_changed(
    dir: &Path,
    wheel: &Wheel,
    plan: &RepairPlan,
    entries: &BTreeMap<WheelPath, Entry>,
) -> io::Result<()> {
    let below = DIRECTORIES.map(|name| format!("{}/{name}/", wheel.into));
    let grafts: BTreeSet<&WheelPath> = plan.grafts.iter().map(|graft| &graft.into).collect();
    let is_kept = |path: &WheelPath| {
        grafts.contains(path) || below.iter().any(|dir| path.as_str().starts_with(dir))
    };
    let mut kept = BTreeSet::new();
    for entry in entries.values().filter(|entry| is_kept(&entry.path)) {
        let to = dir.join(entry.path.as_str());
        let bytes = entry.load()?;
        if entry.executable {
            sys::fs::write_program(&to, &bytes)?;
        } else {
            sys::fs::write_atomic(&to, &bytes)?;
        }
        kept.insert(entry.path.as_str());
    }
    sys::fs::create_dir_all(dir)?;
    for file in sys::fs::walk(dir)? {
        if !kept.contains(file.relative.as_str()) {
            sys::fs::remove_file(&file.path)?;
        }
    }
    Ok(())
}

/// Links the directories below `from`, which is a runtime or one of [`keep_changed`], into the
/// Python files below `root`, with the extension modules `modules`, and returns the entries of the
/// editable wheel that replace `entries`.
pub(super) fn link(
    project: &Project,
    wheel: &Wheel,
    root: &Path,
    from: &Path,
    (entries, plan): (&BTreeMap<WheelPath, Entry>, Option<&RepairPlan>),
    modules: &BTreeSet<WheelPath>,
) -> io::Result<BTreeMap<WheelPath, Entry>> {
    let place = root.join(wheel.into.as_str());
    let mut made = Vec::new();
    for name in DIRECTORIES {
        let from = from.join(name);
        let link = place.join(name);
        sys::fs::unlink(&link)?;
        if from.is_dir() && !wheel.components.is_empty() {
            sys::fs::create_dir_all(&place)?;
            sys::fs::link_dir(&from, &link)?;
            made.push(name.to_owned());
        }
    }
    for entry in entries.values().filter(|entry| modules.contains(&entry.path)) {
        let Content::File { path: from, .. } = &entry.source else { continue };
        let link = root.join(entry.path.as_str());
        let dir = link.parent().unwrap_or(root);
        sys::fs::create_dir_all(dir)?;
        if sys::fs::symlink_metadata(&link).is_ok() {
            sys::fs::remove_file(&link)?;
        }
        // Where links need rights, a copy serves until the next build.
        if sys::fs::symlink(&from.to_string_lossy(), &link).is_err() {
            sys::fs::write_program(&link, &entry.load()?)?;
        }
        let ignore = dir.join(".gitignore");
        if !ignore.exists() {
            let name = entry.path.file_name();
            sys::fs::write_atomic(&ignore, format!("/{name}\n/.gitignore\n").as_bytes())?;
        }
    }
    let module = format!("{MODULE}.py");
    for entry in entries.values() {
        if let (Content::Bytes(bytes), true) = (&entry.source, entry.path.file_name() == module) {
            sys::fs::write_atomic(&place.join(&module), bytes)?;
            made.push(module.clone());
        }
    }
    let ignore = place.join(".gitignore");
    if !made.is_empty() && !ignore.exists() {
        // Build results are not sources; nor is this list of them.
        let lines: String = made.iter().map(|name| format!("/{name}\n")).collect();
        sys::fs::write_atomic(&ignore, format!("{lines}/.gitignore\n").as_bytes())?;
    }
    let name =
        project.config.project.as_ref().map_or_else(|| wheel.name.escaped(), |p| p.name.escaped());
    let path: WheelPath = format!("_editable_{name}.pth").parse().map_err(io::Error::other)?;
    let dir = root.to_str().ok_or_else(|| {
        io::Error::other(format!("`{}` is not UTF-8, as `.pth` files are", root.display()))
    })?;
    // The wheel itself contains the files of `.data`, which installers copy, and the libraries of
    // moved programs.
    let moved = plan.filter(|plan| !plan.scripts.is_empty());
    let needed = moved.into_iter().flat_map(|plan| {
        plan.grafts.iter().map(|g| &g.into).chain(plan.scripts.iter().map(|s| &s.to))
    });
    let needed: BTreeSet<&WheelPath> = needed.collect();
    let mut kept = entries.clone();
    kept.retain(|path, _| needed.contains(path) || path.parts().next().is_some_and(is_data));
    kept.insert(path.clone(), Entry::bytes(path, format!("{dir}\n")));
    Ok(kept)
}
