//! A wheel that lets Python import from the project itself (PEP 660).
//!
//! It carries a `.pth` file with the directory of Python files. What was compiled is found from
//! `__file__` as in any other installation: the runtime's directories are linked to the place in
//! the Python files that they have in a wheel, so a later build is seen at once.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use super::Project;
use super::launcher::MODULE;
use crate::config::Wheel;
use crate::name::WheelPath;
use crate::runtime::Runtime;
use crate::sys;
use crate::wheel::{Entry, Source as Content};

/// The directories of a runtime that a wheel carries.
const DIRECTORIES: [&str; 3] = ["bin", "lib", "share"];

/// Links `runtime` into the Python files below `root`, and gives the entries that an editable wheel
/// has in place of `entries`.
pub(super) fn link(
    project: &Project,
    wheel: &Wheel,
    root: &Path,
    runtime: &Runtime,
    entries: &BTreeMap<WheelPath, Entry>,
) -> io::Result<BTreeMap<WheelPath, Entry>> {
    let place = root.join(wheel.into.as_str());
    let mut made = Vec::new();
    for name in DIRECTORIES {
        let from = runtime.dir.join(name);
        let link = place.join(name);
        sys::fs::unlink(&link)?;
        if from.is_dir() && !wheel.components.is_empty() {
            sys::fs::create_dir_all(&place)?;
            sys::fs::link_dir(&from, &link)?;
            made.push(name.to_owned());
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
        // What is built is nobody's source; neither is this list of it.
        let lines: String = made.iter().map(|name| format!("/{name}\n")).collect();
        sys::fs::write_atomic(&ignore, format!("{lines}/.gitignore\n").as_bytes())?;
    }
    let name =
        project.config.project.as_ref().map_or_else(|| wheel.name.escaped(), |p| p.name.escaped());
    let path: WheelPath = format!("_editable_{name}.pth").parse().map_err(io::Error::other)?;
    let dir = root.to_str().ok_or_else(|| {
        io::Error::other(format!("`{}` is not UTF-8, as `.pth` files are", root.display()))
    })?;
    Ok(BTreeMap::from([(path.clone(), Entry::bytes(path, format!("{dir}\n")))]))
}
