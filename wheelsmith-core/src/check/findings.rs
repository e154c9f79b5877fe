//! Findings as they come, few of each kind.

use std::collections::BTreeMap;

use crate::finding::{Code, Finding, Severity};
use crate::name::WheelPath;

/// A hostile archive has as many faults as it likes: what is held of one code ends here.
const MOST_OF_ONE: usize = 50;

/// What was seen so far.
#[derive(Debug, Default)]
pub(super) struct Findings {
    list: Vec<Finding>,
    counts: BTreeMap<Code, usize>,
}

impl Findings {
    /// Adds a finding about one file.
    pub(super) fn file(&mut self, code: Code, file: &WheelPath, message: impl Into<String>) {
        self.push(Finding::new(code, file, message));
    }

    /// Adds a finding about the whole.
    pub(super) fn whole(&mut self, code: Code, message: impl Into<String>) {
        self.push(Finding::whole(code, message));
    }

    /// Adds a finding about one file that is milder or worse than others of its code.
    pub(super) fn file_as(
        &mut self,
        severity: Severity,
        code: Code,
        file: &WheelPath,
        message: impl Into<String>,
    ) {
        self.push(Finding { severity, ..Finding::new(code, file, message) });
    }

    pub(super) fn push(&mut self, finding: Finding) {
        let count = self.counts.entry(finding.code).or_default();
        *count += 1;
        if *count <= MOST_OF_ONE {
            self.list.push(finding);
        }
    }

    /// All of them, errors first, then by file.
    pub(super) fn finish(mut self) -> Vec<Finding> {
        for (code, count) in self.counts {
            if let Some(more) = count.checked_sub(MOST_OF_ONE).filter(|more| *more > 0) {
                self.list.push(Finding::whole(code, format!("and {more} more of these")));
            }
        }
        self.list.sort();
        self.list.dedup();
        self.list
    }
}
