//! What a recipe finds of other components: one directory that stands for `/`, with their headers,
//! libraries and `.pc` files, and nothing of the machine's own.

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
    /// Where each lies below the directory, and where it is.
    files: BTreeMap<String, PathBuf>,
    /// Where below the directory they believe to be installed.
    prefixes: BTreeSet<String>,
}

impl Needs {
    /// What `component` links to or needs of `built`.
    pub(super) fn of(component: &Component, built: &[Built]) -> io::Result<Self> {
        let mut needs = Self::default();
        let wanted: BTreeSet<&String> = component.after().collect();
        for other in built.iter().filter(|other| wanted.contains(&other.name)) {
            if let Some((stage, prefix)) = &other.linkage.stage {
                needs.prefixes.insert(prefix.clone());
                for (file, node) in fs::tree(stage, &|_| false)? {
                    // What libtool notes of a library names places where nothing is installed.
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

    /// Follows from what there is.
    pub(super) fn digest(&self, hashes: &Hashes) -> Digest {
        let line = |(at, path): (&String, &PathBuf)| {
            let digest = hashes.of(path).map(|digest| digest.to_string());
            format!("{at} {}", digest.unwrap_or_default())
        };
        Digest::of(self.files.iter().map(line).collect::<Vec<_>>().join("\n"))
    }

    /// Returns the files, where other components keep them.
    pub(super) fn files(&self) -> impl Iterator<Item = &Path> {
        self.files.values().map(PathBuf::as_path)
    }

    /// Makes the directory.
    pub(super) fn lay_out(&self, root: &Path) -> io::Result<()> {
        fs::create_dir_all(root)?;
        for (at, from) in &self.files {
            let place = root.join(at);
            fs::create_dir_all(place.parent().unwrap_or(root))?;
            fs::symlink(&from.to_string_lossy(), &place)?;
        }
        Ok(())
    }

    /// The directories called `name` below each prefix, as they are below `root`.
    pub(super) fn dirs(&self, root: &Path, name: &str) -> Vec<String> {
        let below = |prefix: &String| format!("{}{prefix}/{name}", root.display());
        let holds = |prefix: &&String| {
            let start = format!("{}/{name}/", prefix.trim_start_matches('/'));
            self.files.range(start.clone()..).next().is_some_and(|(at, _)| at.starts_with(&start))
        };
        self.prefixes.iter().filter(holds).map(below).collect()
    }
}
