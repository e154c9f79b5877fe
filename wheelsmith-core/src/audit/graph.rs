//! Which libraries the loader finds inside the wheel.
//!
//! As ld.so does (ld.so(8), "dynamic linking search order"): DT_RPATH of the file and of those that
//! loaded it, unless the file has DT_RUNPATH; then DT_RUNPATH of the file alone. `$ORIGIN` is the
//! directory of the file that has the entry.

use std::collections::{BTreeMap, BTreeSet};

use super::NativeFile;
use crate::binary::elf::{Elf, Kind};

/// How deep libraries load each other at most; no real wheel is near it.
const DEEPEST: usize = 64;

/// For each file, the needed libraries that the loader finds in the wheel.
pub(super) fn found_inside(files: &[NativeFile]) -> BTreeMap<&str, BTreeSet<&str>> {
    let elves: BTreeMap<&str, &Elf> =
        files.iter().filter_map(|f| Some((f.path.as_str(), f.elf.as_ref()?))).collect();
    let paths: Vec<&str> = elves.keys().copied().collect();
    let mut walk = Walk { elves, found: BTreeMap::new(), seen: BTreeSet::new() };
    for path in paths {
        walk.visit(path, &[], 0);
    }
    walk.found
}

struct Walk<'a> {
    elves: BTreeMap<&'a str, &'a Elf>,
    found: BTreeMap<&'a str, BTreeSet<&'a str>>,
    seen: BTreeSet<(&'a str, Vec<String>)>,
}

impl<'a> Walk<'a> {
    /// Loads `path`, whose loaders have these RPATH directories.
    fn visit(&mut self, path: &'a str, inherited: &[String], depth: usize) {
        if depth > DEEPEST || !self.seen.insert((path, inherited.to_vec())) {
            return;
        }
        let elf = self.elves[path];
        let own = |entries: &[String]| -> Vec<String> {
            entries.iter().filter_map(|entry| directory(entry, path)).collect()
        };
        let mut rpaths = if elf.runpath.is_empty() { own(&elf.rpath) } else { Vec::new() };
        rpaths.extend(inherited.iter().cloned());
        rpaths.dedup();
        let search = if elf.runpath.is_empty() { rpaths.clone() } else { own(&elf.runpath) };
        for needed in &elf.needed {
            let inside = search.iter().find_map(|dir| {
                let place = if dir.is_empty() { needed.clone() } else { format!("{dir}/{needed}") };
                let (path, library) = self.elves.get_key_value(place.as_str())?;
                // The loader passes over files of another architecture.
                (library.arch == elf.arch && library.kind != Kind::Object).then_some(*path)
            });
            if let Some(library) = inside {
                self.found.entry(path).or_default().insert(needed.as_str());
                self.visit(library, &rpaths, depth + 1);
            }
        }
    }
}

/// The directory of the wheel that an entry of RPATH or RUNPATH of `file` means; nothing when it
/// lies outside.
pub(super) fn directory(entry: &str, file: &str) -> Option<String> {
    let rest = entry.strip_prefix("$ORIGIN").or_else(|| entry.strip_prefix("${ORIGIN}"))?;
    if !rest.is_empty() && !rest.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = file.split('/').collect();
    parts.pop();
    for part in rest.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origin_is_the_directory_of_the_file() {
        let check = |entry: &str, expected: Option<&str>| {
            assert_eq!(directory(entry, "pkg/bin/run").as_deref(), expected, "{entry}");
        };
        check("$ORIGIN", Some("pkg/bin"));
        check("${ORIGIN}/../lib", Some("pkg/lib"));
        check("$ORIGIN/../../pkg.libs", Some("pkg.libs"));
        check("$ORIGIN/../..", Some(""));
        check("$ORIGIN/../../..", None);
        check("$ORIGINAL", None);
        check("/usr/lib", None);
        check("lib", None);
        check("", None);
    }
}
