//! What a component was made from, for those who must know when to ask again.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::record::Record;
use crate::sys;

/// What a component was made from.
#[derive(Debug, Clone, Default)]
pub struct Inputs {
    /// Files that were read.
    pub files: Vec<PathBuf>,
    /// Directories in which another file would be an input as well: those of globs.
    pub dirs: Vec<PathBuf>,
    /// Where it is written which further files were read; opened only when asked for.
    pub(super) records: Vec<PathBuf>,
    /// Rules of make with further files (`-MD`).
    pub(super) rules: Vec<PathBuf>,
}

impl Inputs {
    /// Every file that was read and is there, headers included, sorted.
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
