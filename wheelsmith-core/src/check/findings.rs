//! Collects findings, with a limit for each code.

use std::collections::BTreeMap;

use crate::finding::{Code, Finding, Severity};
use crate::name::WheelPath;

/// Limit of the findings of one code, since a hostile archive can have any number.
const MOST_OF_ONE: usize = 50;
/// Limit of a message, in characters, since it may quote a line of any length.
const MOST_CHARS: usize = 400;

/// Collected findings.
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

    /// Adds a finding about the whole file.
    pub(super) fn whole(&mut self, code: Code, message: impl Into<String>) {
        self.push(Finding::whole(code, message));
    }

    /// Adds a finding about one file with another severity than its code.
    pub(super) fn file_as(
        &mut self,
        severity: Severity,
        code: Code,
        file: &WheelPath,
        message: impl Into<String>,
    ) {
        self.push(Finding { severity, ..Finding::new(code, file, message) });
    }

    /// Adds a finding about the whole file with another severity than its code.
    pub(super) fn whole_as(&mut self, severity: Severity, code: Code, message: impl Into<String>) {
        self.push(Finding { severity, ..Finding::whole(code, message) });
    }

    pub(super) fn push(&mut self, mut finding: Finding) {
        let count = self.counts.entry(finding.code).or_default();
        *count += 1;
        if *count <= MOST_OF_ONE {
            finding.evidence.truncate(MOST_OF_ONE);
            cut(&mut finding.message);
            finding.evidence.iter_mut().for_each(cut);
            self.list.push(finding);
        }
    }

    /// Returns all findings, errors first, then by file.
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

fn cut(text: &mut String) {
    if let Some((at, _)) = text.char_indices().nth(MOST_CHARS) {
        text.truncate(at);
        // Closes a backtick that the cut left open.
        text.push_str(if text.matches('`').count() % 2 == 1 { "…`" } else { "…" });
    }
}
