//! Packages and runtimes of a build in a store, for a commit.

use std::path::PathBuf;

use super::reuse::identity;
use super::{BuildOutput, Error, Project, TargetBuild};
use crate::store::{self, FileKind, Key, Label, Set, SetId, Store, StoredFile};

/// Set that was stored for a commit.
#[derive(Debug, Clone)]
pub struct StoredSet {
    /// Slot: a target, or `any`.
    pub slot: Label,
    /// Name of the set.
    pub id: SetId,
    /// Files that were written.
    pub moved: store::Sent,
}

impl Project {
    /// Returns the slots of a complete build: the targets of the configuration, and `any` for a
    /// project without compiled components.
    pub fn slots(&self) -> Vec<Label> {
        if self.config.components.is_empty() || self.config.targets.is_empty() {
            return vec![Label::any()];
        }
        let mut slots: Vec<Label> =
            self.config.targets.iter().map(|target| (*target).into()).collect();
        slots.sort();
        slots.dedup();
        slots
    }

    /// Stores what a build made for a commit: for each target a set with its packages and, below
    /// `runtime/TARGET`, its runtime; in the slot `any` the packages of all targets. A target that was
    /// not built, or whose packages were refused, is left out.
    ///
    /// # Errors
    /// Returns an error if a file cannot be stored, or the commit has another set for a slot.
    pub fn store_build(
        &self,
        output: &BuildOutput,
        store: &Store,
        commit: &store::CommitId,
        dirty: bool,
    ) -> Result<Vec<StoredSet>, Error> {
        let mut base = identity(self)?;
        base.commit = Some(commit.clone());
        base.dirty = dirty;
        base.expected = self.slots();
        base.source_date_epoch =
            self.host.env.get("SOURCE_DATE_EPOCH").and_then(|text| text.parse().ok());
        let mut stored = Vec::new();
        let mut common: Vec<(StoredFile, PathBuf)> = Vec::new();
        for package in &output.packages {
            let files = package.file.iter().chain(&package.aliases);
            add(&mut common, files, &base.project, &Label::any(), None)?;
        }
        for (target, result) in &output.targets {
            let Ok(build) = result else { continue };
            if build.is_refused() {
                continue;
            }
            if self.config.components.is_empty() {
                common.extend(packages(build, &base.project, &Label::any())?);
                continue;
            }
            let slot = Label::from(*target);
            let mut files = packages(build, &base.project, &slot)?;
            let of_slot = Set { slot: slot.clone(), ..base.clone() };
            let of_runtime =
                store::describe(&build.runtime, Some(FileKind::Runtime), &of_slot, &self.host)?;
            for mut file in of_runtime {
                let path = build.runtime.join(file.path.as_str());
                file.path = parse(&format!("runtime/{slot}/{}", file.path))?;
                files.push((file, path));
            }
            stored.push(publish(store, &base, slot, files, commit)?);
        }
        if !common.is_empty() {
            stored.push(publish(store, &base, Label::any(), common, commit)?);
        }
        Ok(stored)
    }
}

fn parse(path: &str) -> Result<crate::name::WheelPath, Error> {
    let path = path.parse();
    Ok(path.map_err(|e: crate::name::ParseError| store::Error::Set { problem: e.to_string() })?)
}

/// Returns the packages of a target.
fn packages(
    build: &TargetBuild,
    project: &Label,
    slot: &Label,
) -> Result<Vec<(StoredFile, PathBuf)>, Error> {
    let mut files = Vec::new();
    for wheel in &build.wheels {
        add(&mut files, &wheel.file, project, slot, wheel.audit.tag.as_ref())?;
    }
    let verdict = build.judged.as_ref().and_then(|judged| judged.audit.tag.as_ref());
    add(&mut files, &build.archives, project, slot, verdict)?;
    for package in &build.packages {
        add(&mut files, package.file.iter().chain(&package.aliases), project, slot, None)?;
    }
    Ok(files)
}

fn add<'f>(
    files: &mut Vec<(StoredFile, PathBuf)>,
    all: impl IntoIterator<Item = &'f crate::wheel::MadeFile>,
    project: &Label,
    slot: &Label,
    verdict: Option<&crate::name::PlatformTag>,
) -> Result<(), Error> {
    for made in all {
        let name = made.path.file_name().unwrap_or_default().to_string_lossy();
        let read = |e| Error::io("read what was built", e);
        let is_executable = crate::sys::fs::is_executable(&made.path).map_err(read)?;
        let file = StoredFile {
            path: parse(&name)?,
            sha256: made.sha256,
            size_bytes: made.size_bytes,
            mode: if is_executable { store::Mode::Executable } else { store::Mode::Plain },
            kind: FileKind::of_name(&name, project),
            target: (*slot != Label::any()).then(|| slot.clone()),
            verdict: verdict.cloned(),
            aliases: Vec::new(),
        };
        files.push((file, made.path.clone()));
    }
    Ok(())
}

fn publish(
    store: &Store,
    base: &Set,
    slot: Label,
    mut files: Vec<(StoredFile, PathBuf)>,
    commit: &store::CommitId,
) -> Result<StoredSet, Error> {
    files.sort_by(|a, b| a.0.path.cmp(&b.0.path));
    files.dedup_by(|a, b| a.0 == b.0);
    let mut set = Set { slot: slot.clone(), ..base.clone() };
    set.files = files.iter().map(|(file, _)| file.clone()).collect();
    let place = |file: &StoredFile| {
        let found = files.iter().find(|(other, _)| other.sha256 == file.sha256);
        found.map(|(_, path)| path.clone()).unwrap_or_default()
    };
    let (id, moved) = store.publish(&set, &[Key::commit(commit, &slot)], place)?;
    Ok(StoredSet { slot, id, moved })
}
