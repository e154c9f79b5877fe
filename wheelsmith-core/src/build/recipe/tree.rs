//! Source of a recipe: its digest, and a copy that the build may write to.

use std::io;
use std::path::Path;

use crate::build::Hashes;
use crate::name::Digest;
use crate::source::Resolved;
use crate::sys::fs::{self, Node, Walked};

/// Lists the source, without directories of version control and builds of the project.
pub(in crate::build) fn list(root: &Path, project: &Path) -> io::Result<Vec<(Walked, Node)>> {
    let ours = ["target", "dist"].map(|name| project.join(name));
    fs::tree(root, &|relative| {
        [".git", ".hg", ".svn"].contains(&relative) || ours.contains(&root.join(relative))
    })
}

/// Returns a digest of the source: of all files, or that of the pinned archive.
pub(in crate::build) fn digest(
    source: &Resolved,
    project: &Path,
    hashes: &Hashes,
) -> io::Result<Digest> {
    if let Some(sha256) = source.sha256 {
        return Ok(sha256);
    }
    let mut lines = Vec::new();
    for (Walked { relative, path }, node) in list(&source.root, project)? {
        lines.push(match node {
            Node::Dir => format!("{relative}/"),
            Node::Link(to) => format!("{relative} -> {}", to.display()),
            Node::File { executable } => {
                let digest = hashes.of(&path).map(|digest| digest.to_string());
                format!("{relative} {executable} {}", digest.unwrap_or_default())
            }
        });
    }
    Ok(Digest::of(lines.join("\n")))
}

/// Copies the source to `to` with modification times, which makefiles compare.
pub(super) fn copy(source: &Resolved, project: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for (Walked { relative, path }, node) in list(&source.root, project)? {
        let place = to.join(&relative);
        match node {
            Node::Dir => fs::create_dir_all(&place)?,
            Node::Link(target) => fs::symlink(&target.to_string_lossy(), &place)?,
            Node::File { executable } => fs::copy_with_time(&path, &place, executable)?,
        }
    }
    Ok(())
}
