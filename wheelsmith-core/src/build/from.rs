//! Inputs of a component, for build scripts, which tell cargo when to run them again.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::record::Record;
use crate::sys;

/// Inputs of a component.
#[derive(Debug, Clone, Default)]
pub struct Inputs {
    /// Files.
    pub files: Vec<PathBuf>,
    /// Directories of globs, in which a new file would be an input.
    pub dirs: Vec<PathBuf>,
    /// Records with further files; read on demand.
    pub(super) records: Vec<PathBuf>,
    /// Make rules with further files (`-MD`).
    pub(super) rules: Vec<PathBuf>,
}

impl Inputs {
    /// Returns every existing input, headers included, sorted.
    pub fn read(&self) -> BTreeSet<PathBuf> {
        let mut all: BTreeSet<PathBuf> = self.files.iter().cloned().collect();
        for record in &self.records {
            all.extend(Record::inputs(record));
        }
        for rule in &self.rules {
            let text = sys::fs::read_to_string(rule).unwrap_or_default();
            all.extend(super::depfile::prerequisites(&text));
        }
        all.retain(|path| path.is_file());
        all
    }
}
