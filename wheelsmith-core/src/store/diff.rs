//! Differences of two sets.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::set::{Set, StoredFile};
use crate::name::WheelPath;

/// Files that differ between two sets, sorted by path.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct SetDiff {
    /// Files that differ. `before` is absent for a new file, `after` for a removed one.
    pub files: Vec<FileDiff>,
    /// Names of other fields that differ, such as `version`.
    pub fields: Vec<&'static str>,
}

/// File that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileDiff {
    /// Path.
    pub path: WheelPath,
    /// File of the first set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<StoredFile>,
    /// File of the second set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<StoredFile>,
}

/// Compares two sets.
pub fn diff(before: &Set, after: &Set) -> SetDiff {
    let by_path = |set: &Set| -> BTreeMap<WheelPath, StoredFile> {
        set.files.iter().map(|file| (file.path.clone(), file.clone())).collect()
    };
    let (old, new) = (by_path(before), by_path(after));
    let paths: BTreeSet<&WheelPath> = old.keys().chain(new.keys()).collect();
    let differs = paths.into_iter().filter(|path| old.get(*path) != new.get(*path));
    let files = differs.map(|path| FileDiff {
        path: path.clone(),
        before: old.get(path).cloned(),
        after: new.get(path).cloned(),
    });
    let fields = [
        ("project", before.project != after.project),
        ("version", before.version != after.version),
        ("commit", before.commit != after.commit),
        ("dirty", before.dirty != after.dirty),
        ("source_date_epoch", before.source_date_epoch != after.source_date_epoch),
        ("slot", before.slot != after.slot),
        ("inputs", before.inputs != after.inputs),
        ("expected", before.expected != after.expected),
    ];
    let fields = fields.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name);
    SetDiff { files: files.collect(), fields: fields.collect() }
}
