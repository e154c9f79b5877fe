//! Rewrites a tree in memory, and reports what was rewritten, what stays, and why.

use std::collections::BTreeMap;

use globset::{Glob, GlobMatcher};
use serde::Serialize;

use super::fix::{self, Fixed, Place};
use super::scan::{Found, Needles, Unread, one, scan_bytes};
use super::{Error, Node, Tree, TreeKind};
use crate::config::Allowed;
use crate::name::WheelPath;
use crate::sys::Host;
use crate::wheel::{Entry, Source};

/// Occurrences that stay.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Left {
    /// Occurrences.
    #[serde(flatten)]
    pub found: Found,
    /// Reason why they stay, or why they may.
    pub reason: String,
}

/// Result of a rewrite.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Occurrences that were removed, with the number of them.
    pub rewritten: Vec<Found>,
    /// Programs and libraries that got a run path, because they need a library of the tree and had
    /// none.
    pub linked: Vec<WheelPath>,
    /// Files that are left out.
    pub removed: Vec<Left>,
    /// Occurrences that stay and are not allowed.
    pub left: Vec<Left>,
    /// Occurrences that may stay.
    pub allowed: Vec<Left>,
    /// Content that was not searched, and may be unknown.
    pub allowed_unread: Vec<Unread>,
    /// Content that was not searched, and is not allowed to be unknown.
    pub unread: Vec<Unread>,
}

impl Report {
    /// True if nothing stays but what is allowed, and everything was searched.
    pub fn is_good(&self) -> bool {
        self.left.is_empty() && self.unread.is_empty()
    }
}

/// Choices of a rewrite.
#[derive(Debug, Clone, Copy)]
pub struct Choices<'a> {
    /// The prefix, then directories of the build machine.
    pub needles: &'a Needles,
    /// Kinds that are not rewritten.
    pub leave: &'a [TreeKind],
    /// Occurrences that may stay.
    pub allow: &'a [Allowed],
}

/// Rewrites every file of `tree` that names a directory of the choices.
///
/// # Errors
/// Returns an error if a file cannot be read, or if the user cancels the operation.
pub fn rewrite(tree: &mut Tree, choices: Choices<'_>, host: &Host) -> Result<Report, Error> {
    let paths: Vec<(&WheelPath, &Node)> = tree.nodes.iter().collect();
    let changes = host.jobs.try_map(&host.cancel, &paths, |(path, node)| {
        change(path, node, tree, choices).map(|change| (WheelPath::clone(path), change))
    })?;
    let allowed: Vec<(GlobMatcher, &Allowed)> = choices
        .allow
        .iter()
        .filter_map(|allowed| Some((Glob::new(&allowed.path).ok()?.compile_matcher(), allowed)))
        .collect();
    let reason = |path: &WheelPath, kind: Option<TreeKind>| {
        // Compressed content alone is not searched.
        let unread = [TreeKind::Compressed, TreeKind::Debug, TreeKind::Archive];
        let fits = |allowed: &Allowed| {
            allowed.kind.is_none_or(|k| kind.map_or(unread.contains(&k), |kind| k == kind))
        };
        let mut all = allowed.iter();
        let found = all.find(|(glob, allowed)| fits(allowed) && glob.is_match(path.as_str()));
        found.map(|(_, allowed)| allowed.reason.clone())
    };
    let mut report = Report::default();
    for (path, change) in changes.ok_or(Error::Cancelled)? {
        report.rewritten.extend(change.rewritten);
        report.linked.extend(change.linked.then(|| path.clone()));
        for left in change.left {
            match reason(&path, Some(left.found.kind)) {
                Some(reason) => report.allowed.push(Left { reason, ..left }),
                None => report.left.push(left),
            }
        }
        match reason(&path, None) {
            None => report.unread.extend(change.unread),
            Some(why) => report.allowed_unread.extend(
                change
                    .unread
                    .into_iter()
                    .map(|unread| Unread { reason: format!("{}; {why}", unread.reason), ..unread }),
            ),
        }
        match change.node {
            Some(node) => _ = tree.nodes.insert(path, node),
            None if change.removed.is_empty() => {}
            None => {
                tree.nodes.remove(&path);
                report.removed.extend(change.removed);
            }
        }
    }
    let mut gone: BTreeMap<WheelPath, Vec<Left>> = BTreeMap::new();
    for left in &report.removed {
        gone.entry(left.found.path.clone()).or_default().push(left.clone());
    }
    tree.nodes.retain(|path, node| {
        let Node::Same(first) = node else { return true };
        let Some(lefts) = gone.get(first) else { return true };
        report.removed.extend(lefts.iter().cloned().map(|mut left| {
            left.found.path = path.clone();
            left
        }));
        false
    });
    Ok(report)
}

/// Change of one entry.
#[derive(Default)]
struct Change {
    /// New entry, if it differs.
    node: Option<Node>,
    rewritten: Vec<Found>,
    /// True if the file got a run path that it lacked.
    linked: bool,
    /// Occurrences with which the entry is left out; empty if it is kept.
    removed: Vec<Left>,
    left: Vec<Left>,
    unread: Vec<Unread>,
}

fn change(
    path: &WheelPath,
    node: &Node,
    tree: &Tree,
    choices: Choices<'_>,
) -> Result<Change, Error> {
    let place = Place::new(path, tree, choices.needles);
    let before = match node {
        Node::Same(_) => return Ok(Change::default()),
        _ => one(path, node, tree, choices.needles)?,
    };
    let mut change = Change { unread: before.unread, ..Change::default() };
    if before.found.is_empty() && !is_elf(path, node)? {
        return Ok(change);
    }
    let leaves = |kind: &TreeKind| choices.leave.contains(kind);
    let mut reasons: BTreeMap<TreeKind, String> = BTreeMap::new();
    let mut after = before.found.clone();
    match node {
        Node::Link(target) if !leaves(&TreeKind::LinkTarget) => {
            if let Some(target) = fix::link(&place, target) {
                change.node = Some(Node::Link(target));
                after.clear();
            }
        }
        Node::File { source, executable } => {
            let (source, executable) = (source.clone(), *executable);
            let entry = Entry { path: path.clone(), executable, source };
            let mut bytes = entry.load().map_err(Error::io(format!("read `{path}`")))?;
            // The first line last: it becomes several.
            let mut kinds: Vec<TreeKind> = before.found.iter().map(|found| found.kind).collect();
            kinds.sort_by_key(|kind| *kind == TreeKind::Shebang);
            // One edit covers both.
            if kinds.contains(&TreeKind::RunPath) {
                kinds.retain(|kind| *kind != TreeKind::InstallName);
            }
            for kind in kinds {
                if leaves(&kind) {
                    reasons.insert(kind, "the configuration leaves files of this kind".to_owned());
                    continue;
                }
                match fix::fix(&place, &bytes, kind) {
                    Ok(Fixed::Bytes(new)) => bytes = new,
                    Ok(Fixed::Removed(reason)) => {
                        let left = |found: Found| Left { found, reason: reason.to_owned() };
                        change.removed = before.found.into_iter().map(left).collect();
                        change.unread.clear();
                        return Ok(change);
                    }
                    Err(reason) => _ = reasons.insert(kind, reason),
                }
            }
            if !leaves(&TreeKind::RunPath)
                && let Some(new) = fix::link_libraries(&place, &bytes)
            {
                bytes = new;
                change.linked = true;
            } else if before.found.is_empty() {
                return Ok(change);
            }
            after = scan_bytes(path, &bytes, choices.needles).found;
            let source = Source::Bytes(bytes);
            change.node = Some(Node::File { executable, source });
        }
        _ => {}
    }
    let count = |list: &[Found], kind: TreeKind| {
        list.iter().filter(|found| found.kind == kind).map(|found| found.count).sum::<usize>()
    };
    for found in &before.found {
        let count = found.count.saturating_sub(count(&after, found.kind));
        if count > 0 {
            change.rewritten.push(Found { count, ..found.clone() });
        }
    }
    change.left.extend(after.into_iter().map(|found| {
        let reason = reasons.get(&found.kind).cloned();
        Left { reason: reason.unwrap_or_else(|| fix::reason(found.kind).to_owned()), found }
    }));
    Ok(change)
}

fn is_elf(path: &WheelPath, node: &Node) -> Result<bool, Error> {
    let Node::File { source, executable } = node else { return Ok(false) };
    let entry = Entry { path: path.clone(), executable: *executable, source: source.clone() };
    let first = entry.first(4).map_err(Error::io(format!("read `{path}`")))?;
    Ok(first == b"\x7fELF")
}
