//! Files of other components for a recipe: one root with their headers, libraries and `.pc` files,
//! and no files of the machine.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use crate::build::{Built, Hashes};
use crate::config::Component;
use crate::name::Digest;
use crate::sys::fs::{self, Node};

/// Files of other components.
#[derive(Debug, Default)]
pub(super) struct Needs {
    /// Path below the root, and path of the file.
    files: BTreeMap<String, PathBuf>,
    /// Prefixes below the root.
    prefixes: BTreeSet<String>,
}

impl Needs {
    /// Returns the files of the components in `built` that `component` links to or needs.
    pub(super) fn of(component: &Component, built: &[Built]) -> io::Result<Self> {
        let mut needs = Self::default();
        let wanted: BTreeSet<&String> = component.after().collect();
        for other in built.iter().filter(|other| wanted.contains(&other.name)) {
            if let Some((stage, prefix)) = &other.linkage.stage {
                needs.prefixes.insert(prefix.clone());
                for (file, node) in fs::tree(stage, &|_| false)? {
                    // libtool's `.la` files name paths at which nothing is installed.
                    if node != Node::Dir && file.path.extension() != Some("la".as_ref()) {
                        needs.files.insert(file.relative, file.path);
                    }
                }
                continue;
            }
            needs.prefixes.insert("/usr".to_owned());
            for file in &other.files {
                let dir = file.to.parent().map_or_else(String::new, |dir| format!("{dir}/"));
                for name in file.aliases.iter().map(String::as_str).chain([file.to.file_name()]) {
                    needs.files.insert(format!("usr/{dir}{name}"), file.path.clone());
                }
            }
        }
        Ok(needs)
    }

    /// Returns a digest of the files.
    pub(super) fn digest(&self, hashes: &Hashes) -> Digest {
        let line = |(at, path): (&String, &PathBuf)| {
            let digest = hashes.of(path).map(|digest| digest.to_string());
            format!("{at} {}", digest.unwrap_or_default())
        };
        Digest::of(self.files.iter().map(line).collect::<Vec<_>>().join("\n"))
    }

    /// Returns the paths of the files in other components.
    pub(super) fn files(&self) -> impl Iterator<Item = &Path> {
        self.files.values().map(PathBuf::as_path)
    }

    /// Creates the root, with links to the files.
    pub(super) fn lay_out(&self, root: &Path) -> io::Result<()> {
        fs::create_dir_all(root)?;
        for (at, from) in &self.files {
            let place = root.join(at);
            fs::create_dir_all(place.parent().unwrap_or(root))?;
            fs::symlink(&from.to_string_lossy(), &place)?;
        }
        Ok(())
    }

    /// Returns the directories called `name` below each prefix, with `root` in front.
    pub(super) fn dirs(&self, root: &Path, name: &str) -> Vec<String> {
        let below = |prefix: &String| format!("{}{prefix}/{name}", root.display());
        let holds = |prefix: &&String| {
            let start = format!("{}/{name}/", prefix.trim_start_matches('/'));
            self.files.range(start.clone()..).next().is_some_and(|(at, _)| at.starts_with(&start))
        };
        self.prefixes.iter().filter(holds).map(below).collect()
    }
}
