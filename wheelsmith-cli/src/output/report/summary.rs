//! Common form of the reports of an audit and of a check, from which the formats are rendered.

use wheelsmith_core::archive::Kind;
use wheelsmith_core::finding::Finding;
use wheelsmith_core::name::WheelFilename;
use wheelsmith_core::{audit, check};

/// Report of an audit or of a check.
#[derive(Debug, Clone)]
pub(crate) struct Summary<'r> {
    /// Command, such as `audit`.
    pub(super) verb: &'static str,
    /// Version of its JSON.
    pub(super) schema: u32,
    pub(super) inputs: Vec<InputSummary<'r>>,
    /// Findings about the configuration.
    pub(super) configuration: &'r [Finding],
}

/// Results for one input.
#[derive(Debug, Clone)]
pub(super) struct InputSummary<'r> {
    pub(super) path: &'r str,
    /// Kind, such as `wheel`.
    pub(super) kind: &'static str,
    pub(super) wheel: Option<&'r WheelFilename>,
    /// Reason why it could not be judged.
    pub(super) error: Option<&'r str>,
    pub(super) findings: &'r [Finding],
    /// Tags and native files; `None` for a check.
    pub(super) audit: Option<&'r audit::Input>,
}

impl<'r> From<&'r audit::Report> for Summary<'r> {
    fn from(report: &'r audit::Report) -> Self {
        let subject = |input: &'r audit::Input| InputSummary {
            path: &input.path,
            kind: match input.kind {
                Kind::Wheel => "wheel",
                Kind::Archive => "archive",
                Kind::Directory => "directory",
                Kind::Runtime => "runtime directory",
                Kind::File => "file",
            },
            wheel: input.wheel.as_ref(),
            error: input.error.as_deref(),
            findings: &input.findings,
            audit: Some(input),
        };
        Self {
            verb: "audit",
            schema: report.schema,
            inputs: report.inputs.iter().map(subject).collect(),
            configuration: &report.configuration,
        }
    }
}

impl<'r> From<&'r check::Report> for Summary<'r> {
    fn from(report: &'r check::Report) -> Self {
        let subject = |input: &'r check::Input| InputSummary {
            path: &input.path,
            kind: match input.kind {
                check::Kind::Wheel => "wheel",
                check::Kind::Sdist => "source distribution",
                check::Kind::Npm => "npm package",
                check::Kind::Crate => "crate",
                check::Kind::Archive => "archive",
            },
            wheel: input.wheel.as_ref(),
            error: input.error.as_deref(),
            findings: &input.findings,
            audit: None,
        };
        Self {
            verb: "check",
            schema: report.schema,
            inputs: report.inputs.iter().map(subject).collect(),
            configuration: &report.configuration,
        }
    }
}

impl Summary<'_> {
    /// Returns the findings of all inputs.
    pub(super) fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.inputs.iter().flat_map(|input| input.findings)
    }
}
