//! What `wheelsmith check` says: one value for every form of output.

use serde::Serialize;

use crate::finding::{Finding, Severity};

/// The version of the report. It grows when a key changes its meaning or goes.
pub const SCHEMA: u32 = 1;

/// What was seen in all inputs.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Each input, in the order given.
    pub inputs: Vec<Input>,
}

/// What was seen in one file.
#[derive(Debug, Clone, Serialize)]
pub struct Input {
    /// As it was given, with `/` between its parts.
    pub path: String,
    /// What it is.
    pub kind: Kind,
    /// Why it could not be checked at all: then the exit code is 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What was seen: errors first, then by file.
    pub findings: Vec<Finding>,
}

/// What a file claims to be by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// `.whl`, and whatever is not the other.
    Wheel,
    /// `.tar.gz`, or an older form of a source distribution.
    Sdist,
}

impl Kind {
    /// What `filename` claims to be.
    pub fn of(filename: &str) -> Self {
        let endings = [".tar.gz", ".tgz", ".tar", ".tar.bz2", ".tar.xz", ".zip"];
        if endings.iter().any(|ending| filename.ends_with(ending)) {
            Self::Sdist
        } else {
            Self::Wheel
        }
    }
}

impl Report {
    /// Whether any finding counts at `severity` or worse.
    pub fn has(&self, severity: Severity) -> bool {
        let mut findings = self.inputs.iter().flat_map(|input| &input.findings);
        findings.any(|finding| finding.counts_at(severity))
    }

    /// Whether any input could not be checked.
    pub fn has_failures(&self) -> bool {
        self.inputs.iter().any(|input| input.error.is_some())
    }
}
