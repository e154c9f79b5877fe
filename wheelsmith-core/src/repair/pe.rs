//! PE: copies in `<name>.libs` or beside their users, renamed imports, and a few lines of Python
//! that add the directory of the copies to those that Windows searches.
//!
//! Windows searches the directory of the loaded file, and directories that the process adds. Copies
//! are therefore beside the files for which no Python package can add a directory: programs,
//! modules at the top of a wheel, and modules of namespace packages (PEP 420), which an
//! `__init__.py` would change to regular packages. For all other modules the closest `__init__.py`
//! above them adds the shared directory.

use std::collections::{BTreeMap, BTreeSet};

use super::closure::Closure;
use super::{DirectoryHook, Graft, Options, RepairPlan, names};
use crate::audit::NativeFile;
use crate::audit::place::installed;
use crate::binary::pe::Kind;
use crate::name::{WheelFilename, WheelPath};
use crate::patch::Edit;

pub(super) fn plan(
    filename: &WheelFilename,
    files: &[NativeFile],
    paths: &BTreeSet<WheelPath>,
    closure: &Closure,
    options: &Options,
) -> RepairPlan {
    let new_names = new_names(closure);
    let users = || files.iter().filter(|file| closure.by_file.contains_key(&file.path));
    let shared = options
        .lib_dir
        .clone()
        .or_else(|| only_program_package(users()))
        .unwrap_or_else(|| format!("{}.libs", filename.name));
    let mut plan = RepairPlan { libraries: shared.clone(), ..RepairPlan::default() };
    // Libraries that each directory of copies must have, by the directory once installed: parts of
    // one package may be at the top of the wheel, in `platlib` and in `purelib`.
    let mut copies: BTreeMap<String, (String, BTreeSet<usize>)> = BTreeMap::new();
    let mut require = |dir: &str, needed: &mut dyn Iterator<Item = usize>| {
        let file = if dir.is_empty() { "x".to_owned() } else { format!("{dir}/x") };
        let place = installed(&file).to_lowercase();
        let (own, libraries) =
            copies.entry(place).or_insert_with(|| (dir.to_owned(), BTreeSet::new()));
        if precedence(dir) < precedence(own) {
            dir.clone_into(own);
        }
        libraries.extend(needed);
    };
    let packages = Packages::new(paths, options);
    for file in users() {
        let mut edit = Edit::default();
        for (name, at) in &closure.by_file[&file.path] {
            edit.renamed.insert(name.clone(), new_names[*at].clone());
        }
        plan.edits.insert(file.path.clone(), edit);
        let home = directory(&file.path);
        let hook = if is_program(file) || home == shared { None } else { packages.hook(file) };
        let dir = match hook {
            Some((path, depth)) => {
                plan.hooks.insert(path, DirectoryHook { depth });
                &shared
            }
            None => home,
        };
        require(dir, &mut closure.by_file[&file.path].values().copied());
    }
    if !closure.unneeded.is_empty() {
        require(&shared, &mut closure.unneeded.iter().copied());
    }
    drop_nested(&mut plan.hooks);
    for (dir, roots) in copies.into_values() {
        for at in reachable(closure, roots) {
            let path = if dir.is_empty() {
                new_names[at].clone()
            } else {
                format!("{dir}/{}", new_names[at])
            };
            let Ok(into) = path.parse::<WheelPath>() else { continue };
            let mut edit = Edit::default();
            for (name, other) in &closure.by_library[at] {
                edit.renamed.insert(name.clone(), new_names[*other].clone());
            }
            if edit != Edit::default() {
                plan.edits.insert(into.clone(), edit);
            }
            plan.grafts.push(Graft::of(closure, at, into));
        }
    }
    plan
}

/// Returns a number that orders directories of one package: those at the top of the wheel are first.
fn precedence(dir: &str) -> u8 {
    match dir.split_once(".data/") {
        None => 0,
        Some((_, rest)) if rest.starts_with("platlib") => 1,
        Some(_) => 2,
    }
}

/// Returns the names of the copies, in lower case. Libraries that are loaded by name keep theirs.
fn new_names(closure: &Closure) -> Vec<String> {
    let new_name = |(at, library): (usize, &super::Library)| {
        let name = library.file_name();
        if closure.unneeded.contains(&at) {
            name
        } else {
            names::hashed(&name.to_lowercase(), &library.sha256)
        }
    };
    closure.libraries.iter().enumerate().map(new_name).collect()
}

/// Returns the directory of the programs that need copies if it is one package: a Python file may
/// add any directory, so that modules find the copies there as well.
fn only_program_package<'f>(users: impl Iterator<Item = &'f NativeFile>) -> Option<String> {
    let homes: BTreeSet<&str> =
        users.filter(|file| is_program(file)).map(|file| directory(&file.path)).collect();
    let home = homes.first().filter(|_| homes.len() == 1)?;
    let is_package = !home.is_empty() && !home.split('/').next()?.contains('.');
    is_package.then(|| (*home).to_owned())
}

/// Returns the libraries that `roots` require, including `roots`.
fn reachable(closure: &Closure, roots: BTreeSet<usize>) -> BTreeSet<usize> {
    let mut queue: Vec<usize> = roots.iter().copied().collect();
    let mut found = roots;
    while let Some(at) = queue.pop() {
        for &other in closure.by_library[at].values() {
            if found.insert(other) {
                queue.push(other);
            }
        }
    }
    found
}

/// Drops hooks of packages whose parent has one: Python imports the parent first.
fn drop_nested(hooks: &mut BTreeMap<WheelPath, DirectoryHook>) {
    let package = |path: &WheelPath| {
        let place = installed(path.as_str());
        place.trim_end_matches("__init__.py").to_owned()
    };
    let all: Vec<String> = hooks.keys().map(package).collect();
    hooks.retain(|path, _| {
        let own = package(path);
        !all.iter().any(|other| own != *other && own.starts_with(other.as_str()))
    });
}

/// Packages of a wheel whose `__init__.py` may be changed.
struct Packages<'a> {
    /// File in the wheel, by directory of the installed package (`site/demo/sub`).
    files: BTreeMap<String, &'a WheelPath>,
}

impl<'a> Packages<'a> {
    fn new(paths: &'a BTreeSet<WheelPath>, options: &Options) -> Self {
        let mut files = BTreeMap::new();
        for path in paths {
            let place = installed(path.as_str());
            if let Some(dir) = place.strip_suffix("/__init__.py")
                && let Some(package) = dir.strip_prefix("site/")
                && !options.is_namespace(package)
            {
                files.insert(dir.to_owned(), path);
            }
        }
        Self { files }
    }

    /// Returns the closest `__init__.py` above a file, and its number of directories below the top.
    fn hook(&self, file: &NativeFile) -> Option<(WheelPath, usize)> {
        let place = installed(file.path.as_str());
        let mut dir = place.rsplit_once('/')?.0;
        loop {
            if let Some(path) = self.files.get(dir) {
                // `site` itself is not counted.
                return Some(((*path).clone(), dir.split('/').count() - 1));
            }
            dir = dir.rsplit_once('/')?.0;
        }
    }
}

fn is_program(file: &NativeFile) -> bool {
    file.pe().is_some_and(|pe| pe.kind == Kind::Program)
}

/// Returns the directory of a file in the wheel; empty at the top.
fn directory(path: &WheelPath) -> &str {
    path.as_str().rsplit_once('/').map_or("", |(dir, _)| dir)
}
