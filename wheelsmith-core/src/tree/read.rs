//! Reads an installation: directories, files, symbolic and hard links.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::Error;
use crate::archive::safe_path::safe_path;
use crate::name::WheelPath;
use crate::source;
use crate::sys;
use crate::wheel::Source;

/// Entry of a tree.
#[derive(Debug, Clone)]
pub enum Node {
    /// Directory.
    Dir,
    /// File.
    File {
        /// True if it has an execute bit.
        executable: bool,
        /// Content.
        source: Source,
    },
    /// Symbolic link, with its target as written.
    Link(String),
    /// Further name of the file at this path, which comes first in the order of paths.
    Same(WheelPath),
}

/// Entries of an installation by path, directories included.
#[derive(Debug, Default)]
pub struct Tree {
    /// Entries.
    pub nodes: BTreeMap<WheelPath, Node>,
    /// Paths that differ from the names on disk, because no archive may have those.
    pub renamed: BTreeSet<WheelPath>,
    /// Files that would run with the rights of their owner or group.
    pub setuid: BTreeSet<WheelPath>,
    /// Pipes, sockets and devices.
    pub special: BTreeSet<WheelPath>,
    /// Directories of unpacked archives, which are removed with this value.
    pub(super) dirs: Vec<tempfile::TempDir>,
}

impl Tree {
    /// Reads a directory, or an archive: `.zip`, or `.tar` that may be compressed.
    ///
    /// # Errors
    /// Returns an error if an entry cannot be read, or if an archive is damaged, too large, or has
    /// an entry that leaves it.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let read = || Error::io(format!("read `{}`", path.display()));
        if sys::fs::metadata(path).map_err(read())?.is_dir() {
            return Self::read(path);
        }
        let dir = sys::fs::temp_dir().map_err(read())?;
        source::unpack(&path.to_string_lossy(), path, dir.path(), 0)?;
        let tree = Self::read(dir.path())?;
        Ok(Self { dirs: vec![dir], ..tree })
    }

    /// Reads a directory.
    fn read(root: &Path) -> Result<Self, Error> {
        let read = |path: &Path| Error::io(format!("read `{}`", path.display()));
        let mut tree = Self::default();
        let mut first: BTreeMap<(u64, u64), WheelPath> = BTreeMap::new();
        let special = RefCell::new(BTreeSet::new());
        let skip = |relative: &str| {
            let about =
                sys::fs::symlink_metadata(root.join(relative)).map(|about| about.file_type());
            let is_special =
                about.is_ok_and(|kind| !(kind.is_dir() || kind.is_file() || kind.is_symlink()));
            if is_special {
                special.borrow_mut().insert(safe_path(relative.as_bytes()).0);
            }
            is_special
        };
        for (walked, node) in sys::fs::tree(root, &skip).map_err(read(root))? {
            let (path, is_plain) = safe_path(walked.relative.as_bytes());
            let node = match node {
                sys::fs::Node::Dir => Node::Dir,
                sys::fs::Node::Link(target) => Node::Link(target.to_string_lossy().into_owned()),
                sys::fs::Node::File { executable } => {
                    let metadata = sys::fs::metadata(&walked.path).map_err(read(&walked.path))?;
                    if sys::fs::is_setuid(&metadata) {
                        tree.setuid.insert(path.clone());
                    }
                    let shared = sys::fs::shared_identity(&metadata);
                    if let Some(other) = shared.and_then(|identity| first.get(&identity)) {
                        Node::Same(other.clone())
                    } else {
                        first.extend(shared.map(|identity| (identity, path.clone())));
                        let (path, size_bytes) = (walked.path, metadata.len());
                        Node::File { executable, source: Source::File { path, size_bytes } }
                    }
                }
            };
            if !is_plain {
                tree.renamed.insert(path.clone());
            }
            tree.nodes.insert(path, node);
        }
        tree.special = special.into_inner();
        Ok(tree)
    }
}
