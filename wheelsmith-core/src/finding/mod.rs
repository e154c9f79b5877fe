//! Something observed in a file, with a code and a severity: what the audit and the check say.

mod code;
mod settings;

use std::str::FromStr;

use serde::Serialize;

pub use code::Code;
pub use settings::{Date, Level, Settings, Waiver};

use crate::name::{ParseError, WheelPath};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The wheel would fail for some of those whom its tag invites.
    Error,
    /// Somebody should look at it.
    Warning,
    /// Good to know.
    Info,
}

impl Severity {
    /// How it is written.
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

/// Something observed in a file, or in the whole when no file is named.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// Where; nothing when it is about the whole.
    pub file: Option<WheelPath>,
    /// What it is about.
    pub code: Code,
    /// What was seen, in one sentence.
    pub message: String,
    /// What shows it, a line each: `fstat64@GLIBC_2.33 of libc.so.6`. The newest or worst first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<String>,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<&'static str>,
    /// Why somebody lets it pass: it stays visible, and counts no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waived: Option<String>,
}

impl Finding {
    /// A finding about one file.
    pub fn new(code: Code, file: &WheelPath, message: impl Into<String>) -> Self {
        Self { file: Some(file.clone()), ..Self::whole(code, message) }
    }

    /// A finding about the whole.
    pub fn whole(code: Code, message: impl Into<String>) -> Self {
        Self {
            severity: code.severity(),
            file: None,
            code,
            message: message.into(),
            evidence: Vec::new(),
            help: code.help(),
            waived: None,
        }
    }

    /// The same with what shows it.
    #[must_use]
    pub fn because(mut self, evidence: impl IntoIterator<Item = String>) -> Self {
        self.evidence.extend(evidence);
        self
    }

    /// Replaces the help of the code by one that fits the situation.
    #[must_use]
    pub fn with_help(mut self, help: &'static str) -> Self {
        self.help = Some(help);
        self
    }

    /// Whether it counts at `severity` or worse.
    pub fn counts_at(&self, severity: Severity) -> bool {
        self.waived.is_none() && self.severity <= severity
    }
}
