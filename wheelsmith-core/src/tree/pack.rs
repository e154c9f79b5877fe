//! A tree as an archive: the files of a variant, checks, and the list of its content.

use std::collections::BTreeSet;
use std::ops::Bound;

use globset::{Glob, GlobSet, GlobSetBuilder};
use serde_json::{Value, json};

use super::fix::relative;
use super::{Error, Node, Report, Tree};
use crate::binary::Format;
use crate::binary::elf::Elf;
use crate::binary::macho::MachO;
use crate::binary::pe::Pe;
use crate::config::{ArchiveFormat, Variant};
use crate::name::{Digest, Target, WheelPath};
use crate::package::{Content, Files, PackageFile};
use crate::patch;
use crate::sys;
use crate::wheel::{Entry, Source};

/// Version of `tree.json`.
pub(crate) const SCHEMA: u32 = 1;

impl Tree {
    /// Adds the entries of another tree.
    ///
    /// # Errors
    /// Returns the paths that both have with different content.
    pub(crate) fn merge(&mut self, other: Self) -> Result<(), Error> {
        let mut clashes = Vec::new();
        for (path, node) in &other.nodes {
            if let Some(own) = self.nodes.get(path)
                && !is_same(path, own, node)?
            {
                clashes.push(path.to_string());
            }
        }
        if !clashes.is_empty() {
            return Err(Error::Clash(clashes));
        }
        self.nodes.extend(other.nodes);
        self.renamed.extend(other.renamed);
        self.setuid.extend(other.setuid);
        self.special.extend(other.special);
        self.dirs.extend(other.dirs);
        Ok(())
    }

    /// Returns the part of the tree that a variant contains. Directories are kept if they were empty,
    /// or have an entry.
    ///
    /// # Errors
    /// Returns an error if a pattern is wrong, or a file cannot be stripped.
    pub(crate) fn variant(&self, variant: &Variant) -> Result<Self, Error> {
        let include = variant.include.as_deref().map(globs).transpose()?;
        let exclude = globs(&variant.exclude)?;
        let takes = |path: &&WheelPath| {
            let path = path.as_str();
            include.as_ref().is_none_or(|globs| globs.is_match(path)) && !exclude.is_match(path)
        };
        let mut part = Self::default();
        let entries = self.nodes.iter().filter(|(_, node)| !matches!(node, Node::Dir));
        let kept: BTreeSet<WheelPath> =
            entries.map(|(path, _)| path).filter(takes).cloned().collect();
        for (path, node) in &self.nodes {
            let below = format!("{path}/");
            let from = (Bound::Included(below.as_str()), Bound::Unbounded);
            let begins = |other: &WheelPath| other.as_str().starts_with(&below);
            let node = match node {
                Node::Dir => {
                    let first = self.nodes.range::<str, _>(from).next();
                    let is_empty = !first.is_some_and(|(other, _)| begins(other));
                    let has_taken = kept.range::<str, _>(from).next().is_some_and(begins);
                    if !(has_taken || is_empty && takes(&path)) {
                        continue;
                    }
                    Node::Dir
                }
                _ if !kept.contains(path) => continue,
                // The first name may be left out.
                Node::Same(first) if !kept.contains(first) => self.nodes[first].clone(),
                node => node.clone(),
            };
            part.nodes
                .insert(path.clone(), if variant.strip { stripped(path, node)? } else { node });
        }
        part.renamed = self.renamed.intersection(&kept).cloned().collect();
        part.setuid = self.setuid.intersection(&kept).cloned().collect();
        part.special = self.special.iter().filter(takes).cloned().collect();
        Ok(part)
    }

    /// Returns why the tree cannot be an archive that runs anywhere: names that archives may not
    /// have, files with rights of their own, links that leave the tree or lead nowhere.
    pub(crate) fn problems(&self, format: ArchiveFormat) -> Vec<String> {
        let mut problems = Vec::new();
        let is_zip = format == ArchiveFormat::Zip;
        if self.nodes.values().all(|node| matches!(node, Node::Dir)) {
            problems.push("it contains no file".to_owned());
        }
        for path in &self.renamed {
            problems.push(format!("`{path}` has a name that other systems do not have"));
        }
        for path in &self.special {
            problems.push(format!("`{path}` is a pipe, a socket or a device"));
        }
        for path in &self.setuid {
            problems.push(format!("`{path}` runs with the rights of its owner (setuid)"));
        }
        for (path, node) in &self.nodes {
            let Node::Link(target) = node else { continue };
            match self.resolve(path, target) {
                None => problems.push(format!("the link `{path}` leaves the tree: `{target}`")),
                Some(to) if !to.is_empty() && !self.nodes.contains_key(to.as_str()) => {
                    problems.push(format!("the link `{path}` leads nowhere: `{target}`"));
                }
                Some(to)
                    if is_zip
                        && !matches!(self.nodes.get(to.as_str()), Some(Node::File { .. })) =>
                {
                    problems.push(format!("a zip archive cannot have the link `{path}`"));
                }
                Some(_) => {}
            }
        }
        problems
    }

    /// Returns which native files are for another system or processor than `target`.
    ///
    /// # Errors
    /// Returns an error if a file cannot be read.
    pub(crate) fn foreign(&self, target: Target) -> Result<Vec<String>, Error> {
        let mut problems = Vec::new();
        // Installers, such as pip, contain launchers for Windows and its processors.
        let mut launchers = Vec::new();
        let mut has_own = false;
        for (path, node) in &self.nodes {
            let Node::File { source, executable } = node else { continue };
            let entry =
                Entry { path: path.clone(), executable: *executable, source: source.clone() };
            let first = entry.first(64).map_err(Error::io(format!("read `{path}`")))?;
            if Format::of(&first).is_none() && !first.starts_with(b"MZ") {
                continue;
            }
            let bytes = load(path, source)?;
            let (family, arches) = match Format::of(&bytes) {
                Some(Format::Elf) => (
                    "linux",
                    Elf::parse(&bytes).ok().and_then(|elf| elf.arch).into_iter().collect(),
                ),
                Some(Format::MachO) => {
                    let slices = MachO::parse(&bytes).map(|image| image.slices).unwrap_or_default();
                    ("macos", slices.iter().filter_map(|slice| slice.arch).collect())
                }
                Some(Format::Pe) => {
                    ("windows", Pe::parse(&bytes).ok().and_then(|pe| pe.arch).into_iter().collect())
                }
                _ => ("", Vec::new()),
            };
            // Code of other processors, such as graphics cards, has no known one.
            if arches.is_empty() {
                continue;
            }
            let is_own = target.compiled().iter().any(|one| arches.contains(&one.arch()));
            if family == target.os().family() && is_own {
                has_own = true;
                continue;
            }
            let arches: Vec<String> = arches.iter().map(ToString::to_string).collect();
            let arches = arches.join(" and ");
            let problem =
                format!("`{path}` is for {family} on {arches}, and the target is {target}");
            if family == "windows" { launchers.push(problem) } else { problems.push(problem) }
        }
        if !has_own {
            problems.extend(launchers);
        }
        Ok(problems)
    }

    /// Returns the path that a link leads to, links on the way resolved; `None` if it leaves the tree.
    fn resolve(&self, path: &WheelPath, target: &str) -> Option<String> {
        let mut at: Vec<String> =
            path.parent().iter().flat_map(|dir| dir.split('/')).map(str::to_owned).collect();
        let parts = |text: &str| -> Option<Vec<String>> {
            (!text.starts_with('/')).then(|| text.split('/').rev().map(str::to_owned).collect())
        };
        let mut rest = parts(target)?;
        let mut hops = 0;
        while let Some(part) = rest.pop() {
            match part.as_str() {
                "" | "." => {}
                ".." => _ = at.pop()?,
                _ => {
                    at.push(part);
                    if let Some(Node::Link(next)) = self.nodes.get(at.join("/").as_str()) {
                        hops += 1;
                        at.pop();
                        rest.extend(parts(next).filter(|_| hops < 40)?);
                    }
                }
            }
        }
        Some(at.join("/"))
    }

    /// Returns the files of an archive. A zip archive has copies instead of links.
    pub(crate) fn files(&self, format: ArchiveFormat) -> Files {
        let is_zip = format == ArchiveFormat::Zip;
        let mut files = Files::new();
        for (path, node) in &self.nodes {
            let followed = match node {
                Node::Link(target) if is_zip => {
                    self.resolve(path, target).and_then(|to| self.nodes.get(to.as_str()))
                }
                Node::Same(first) if is_zip => self.nodes.get(first),
                _ => None,
            };
            let (executable, content) = match followed.unwrap_or(node) {
                Node::Dir => (true, Content::Dir),
                Node::File { executable, source } => (*executable, Content::Bytes(source.clone())),
                Node::Link(target) => (false, Content::Link(target.clone())),
                Node::Same(first) => {
                    let dir = path.parent().unwrap_or_default();
                    (false, Content::Link(relative(dir, first.as_str())))
                }
            };
            files.insert(path.clone(), PackageFile { executable, content });
        }
        files
    }

    /// Returns the list of the entries as JSON: `tree.json`.
    ///
    /// # Errors
    /// Returns an error if a file cannot be read.
    pub(crate) fn list(&self) -> Result<Vec<Value>, Error> {
        let entry = |(path, node): (&WheelPath, &Node)| {
            Ok(match node {
                Node::Dir => json!({ "path": path.as_str(), "type": "directory" }),
                Node::Link(target) => {
                    json!({ "path": path.as_str(), "type": "link", "target": target })
                }
                Node::Same(first) => {
                    let target = relative(path.parent().unwrap_or_default(), first.as_str());
                    json!({ "path": path.as_str(), "type": "link", "target": target })
                }
                Node::File { executable, source } => {
                    let bytes = load(path, source)?;
                    json!({
                        "path": path.as_str(),
                        "type": "file",
                        "executable": executable,
                        "size_bytes": bytes.len(),
                        "sha256": Digest::of(&bytes),
                    })
                }
            })
        };
        self.nodes.iter().map(entry).collect()
    }

    /// Writes the tree to a directory.
    ///
    /// # Errors
    /// Returns an error if a file cannot be read or written.
    pub fn write_to(&self, dir: &std::path::Path) -> Result<(), Error> {
        for (path, node) in &self.nodes {
            let place = dir.join(path.as_str());
            let doing = || Error::io(format!("write `{}`", place.display()));
            if let Some(parent) = place.parent() {
                sys::fs::create_dir_all(parent).map_err(doing())?;
            }
            match node {
                Node::Dir => sys::fs::create_dir_all(&place),
                Node::Link(target) => sys::fs::symlink(target, &place),
                Node::Same(first) => sys::fs::hard_link(dir.join(first.as_str()), &place),
                Node::File { executable, source } => {
                    let (executable, source) = (*executable, source.clone());
                    Entry { path: path.clone(), executable, source }.write_to(&place)
                }
            }
            .map_err(doing())?;
        }
        Ok(())
    }
}

/// Returns the document about an archive.
pub(crate) fn document(tree: &Tree, report: &Report, mut facts: Value) -> Result<Value, Error> {
    facts["schema"] = json!(SCHEMA);
    facts["nodes"] = json!(tree.list()?);
    for (key, list) in [
        ("rewritten", json!(report.rewritten)),
        ("linked", json!(report.linked)),
        ("removed", json!(report.removed)),
        ("allowed", json!(report.allowed)),
        ("unread", json!(report.allowed_unread)),
    ] {
        facts[key] = list;
    }
    Ok(facts)
}

/// Returns the patterns that match no entry.
pub(crate) fn missing(tree: &Tree, expect: &[String]) -> Result<Vec<String>, Error> {
    let mut missing = Vec::new();
    for pattern in expect {
        let globs = globs(std::slice::from_ref(pattern))?;
        if !tree.nodes.keys().any(|path| globs.is_match(path.as_str())) {
            missing.push(pattern.clone());
        }
    }
    Ok(missing)
}

fn globs(patterns: &[String]) -> Result<GlobSet, Error> {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        set.add(Glob::new(pattern).map_err(|error| Error::Pattern(error.to_string()))?);
    }
    set.build().map_err(|error| Error::Pattern(error.to_string()))
}

fn load(path: &WheelPath, source: &Source) -> Result<Vec<u8>, Error> {
    let entry = Entry { path: path.clone(), executable: false, source: source.clone() };
    entry.load().map_err(Error::io(format!("read `{path}`")))
}

fn is_same(path: &WheelPath, one: &Node, other: &Node) -> Result<bool, Error> {
    Ok(match (one, other) {
        (Node::Dir, Node::Dir) => true,
        (Node::Link(one), Node::Link(other)) => one == other,
        (
            Node::File { executable, source },
            Node::File { executable: other_executable, source: other },
        ) => executable == other_executable && load(path, source)? == load(path, other)?,
        _ => false,
    })
}

fn stripped(path: &WheelPath, node: Node) -> Result<Node, Error> {
    let Node::File { executable, source } = &node else { return Ok(node) };
    let bytes = load(path, source)?;
    if !bytes.starts_with(b"\x7fELF") {
        return Ok(node);
    }
    // Objects have symbols that linkers need, so they are kept as they are.
    let new = match Elf::parse(&bytes) {
        Ok(elf) if elf.kind != crate::binary::elf::Kind::Object => patch::strip(&bytes),
        _ => return Ok(node),
    };
    let new =
        new.map_err(|error| Error::Strip { path: path.clone(), reason: error.to_string() })?;
    Ok(Node::File { executable: *executable, source: Source::Bytes(new) })
}
