//! Describes the files of a directory for a set.

use std::collections::BTreeMap;
use std::path::Path;

use super::error::Error;
use super::label::Label;
use super::set::{FileKind, Mode, Set, StoredFile};
use crate::audit;
use crate::name::{PlatformTag, WheelPath};
use crate::sys::{self, Host, fs::Node};

/// Most links from a name to the file that it means.
const MOST_LINKS: usize = 8;

/// Describes every file below `dir` for `set`, sorted by path. Files of a runtime directory have that kind;
/// others have the kind of their names. Wheels are audited. Links must be to files of the same
/// directory. Empty directories are left out.
///
/// # Errors
/// Returns an error if a file cannot be read or is a pipe, socket or device, its name is not that of a
/// path, or a link leads elsewhere.
pub fn describe(
    dir: &Path,
    kind: Option<FileKind>,
    set: &Set,
    host: &Host,
) -> Result<Vec<StoredFile>, Error> {
    let error = |source| Error::file("read", dir, source);
    let nodes = sys::fs::tree(dir, &|_| false).map_err(error)?;
    let below = nodes.iter().filter(|(_, node)| *node == Node::Dir);
    let dirs = below.map(|(walked, _)| walked.path.as_path());
    for dir in std::iter::once(dir).chain(dirs) {
        for path in sys::fs::list(dir).map_err(error)? {
            let kind = sys::fs::symlink_metadata(&path).map_err(error)?.file_type();
            if !kind.is_file() && !kind.is_dir() && !kind.is_symlink() {
                let problem = format!("`{}` is a pipe, socket or device", path.display());
                return Err(Error::Set { problem });
            }
        }
    }
    let mut files = Vec::new();
    let mut links = BTreeMap::new();
    for (walked, node) in nodes {
        match node {
            Node::Dir => {}
            Node::Link(target) => {
                let beside = walked.relative.rsplit_once('/').map_or("", |(parent, _)| parent);
                let target = target.to_string_lossy().into_owned();
                let to = if beside.is_empty() { target } else { format!("{beside}/{target}") };
                links.insert(walked.relative, to);
            }
            Node::File { executable } => files.push((walked, executable)),
        }
    }
    let mut aliases: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for name in links.keys() {
        let mut to = name;
        for _ in 0..MOST_LINKS {
            to = links.get(to).unwrap_or(to);
        }
        let parent = |path: &str| path.rsplit_once('/').map(|(parent, _)| parent.to_owned());
        let is_file = files.iter().any(|(file, _)| file.relative == *to);
        if !is_file || parent(to) != parent(name) {
            let problem = format!(
                "`{name}` is a link to `{}`, which is no file of the same directory",
                links[name]
            );
            return Err(Error::Set { problem });
        }
        let own = name.rsplit('/').next().unwrap_or(name).to_owned();
        aliases.entry(to).or_default().push(own);
    }
    let task = host.task(format!("read {}", dir.display()), files.len() as u64);
    let described = host.jobs.try_map(&host.cancel, &files, |(file, executable)| {
        let path: WheelPath = file
            .relative
            .parse()
            .map_err(|e: crate::name::ParseError| Error::Set { problem: e.to_string() })?;
        let error = |source| Error::file("read", &file.path, source);
        let (sha256, size_bytes) = sys::fs::digest(&file.path).map_err(error)?;
        let kind = kind.unwrap_or_else(|| FileKind::of_name(path.file_name(), &set.project));
        let verdict = if kind == FileKind::Wheel { verdict(&file.path, host) } else { None };
        task.advance(1, path.file_name());
        Ok(StoredFile {
            sha256,
            size_bytes,
            mode: if *executable { Mode::Executable } else { Mode::Plain },
            kind,
            target: (set.slot != Label::any()).then(|| set.slot.clone()),
            verdict,
            aliases: aliases.get(path.as_str()).cloned().unwrap_or_default(),
            path,
        })
    });
    let mut files = described?.ok_or(Error::Cancelled)?;
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

/// Returns the platform tag that a wheel qualifies for; `None`, with a warning, if it qualifies for
/// none.
fn verdict(path: &Path, host: &Host) -> Option<PlatformTag> {
    let problem = match audit::wheel(path) {
        Ok(input) if input.is_good() => return input.verdict,
        Ok(_) => "the audit found errors in it".to_owned(),
        Err(error) => error.to_string(),
    };
    host.warn(format!("`{}` is stored without a verdict: {problem}", path.display()));
    None
}
