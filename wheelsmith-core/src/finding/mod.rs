//! Findings: observations about a file, with a code and a severity, reported by the audit and the
//! check.

mod code;
mod markup;
mod settings;

use std::str::FromStr;

use serde::Serialize;

pub use code::Code;
#[cfg(feature = "index")]
pub(crate) use markup::escaped;
pub use markup::{Markup, is_unseen};
pub use settings::{Date, Level, Settings, Waiver};

use crate::name::{ParseError, WheelPath};

/// Severity of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The wheel would fail for some of the users that its tag accepts.
    Error,
    /// The finding should be reviewed.
    Warning,
    /// For information.
    Info,
}

impl Severity {
    /// Returns the severity as written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }
}

impl FromStr for Severity {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let all = [Self::Error, Self::Warning, Self::Info];
        let found = all.into_iter().find(|severity| severity.as_str() == text);
        found.ok_or_else(|| ParseError::new(text, "`error`, `warning` or `info`"))
    }
}

/// An observation about a file, or about the whole input if no file is named.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Finding {
    /// Severity.
    pub severity: Severity,
    /// File; `None` if the finding is about the whole input.
    pub file: Option<WheelPath>,
    /// Code.
    pub code: Code,
    /// Observation in one sentence.
    pub message: String,
    /// Evidence, one line each: `fstat64@GLIBC_2.33 of libc.so.6`. The newest or worst first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<String>,
    /// Fix.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<&'static str>,
    /// Reason of the waiver, if the finding is waived. A waived finding is still reported, but does
    /// not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waived: Option<String>,
}

impl Finding {
    /// Creates a finding about one file.
    pub fn new(code: Code, file: &WheelPath, message: impl Into<String>) -> Self {
        Self { file: Some(file.clone()), ..Self::whole(code, message) }
    }

    /// Creates a finding about the whole input.
    pub fn whole(code: Code, message: impl Into<String>) -> Self {
        Self {
            severity: code.severity(),
            file: None,
            code,
            message: message.into(),
            evidence: Vec::new(),
            help: Some(code.help()),
            waived: None,
        }
    }

    /// Adds evidence.
    #[must_use]
    pub fn because(mut self, evidence: impl IntoIterator<Item = String>) -> Self {
        self.evidence.extend(evidence);
        self
    }

    /// Replaces the fix of the code by one that fits the situation.
    #[must_use]
    pub fn with_help(mut self, help: &'static str) -> Self {
        self.help = Some(help);
        self
    }

    /// True if the finding counts as `severity` or worse.
    pub fn counts_at(&self, severity: Severity) -> bool {
        self.waived.is_none() && self.severity <= severity
    }
}
