//! Findings as they come, few of each kind.

use std::collections::BTreeMap;

use crate::finding::{Code, Finding, Severity};
use crate::name::WheelPath;

/// A hostile archive has as many faults as it likes: what is held of one code ends here.
const MOST_OF_ONE: usize = 50;
/// And so do messages: a line of theirs may be as long as a file.
const MOST_CHARS: usize = 400;

/// Findings so far.
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

    /// Adds a finding about the whole that is milder or worse than others of its code.
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

fn cut(text: &mut String) {
    if let Some((at, _)) = text.char_indices().nth(MOST_CHARS) {
        text.truncate(at);
        // Names stand in backticks, in pairs.
        text.push_str(if text.matches('`').count() % 2 == 1 { "…`" } else { "…" });
    }
}
