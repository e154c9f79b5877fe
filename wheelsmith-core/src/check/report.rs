//! What `wheelsmith check` says: one value for every form of output.

use serde::Serialize;

use crate::finding::{Finding, Severity};
use crate::name::WheelFilename;

/// The version of the report. It grows when a key changes its meaning or goes.
pub const SCHEMA: u32 = 1;

/// What was seen in all inputs.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Each input, in the order given.
    pub inputs: Vec<Input>,
    /// What is wrong with the configuration of the check.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub configuration: Vec<Finding>,
}

/// What was seen in one file.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Input {
    /// As it was given, with `/` between its parts.
    pub path: String,
    /// What it is.
    pub kind: Kind,
    /// The wheel's file name, taken apart; nothing for others, and when it is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wheel: Option<WheelFilename>,
    /// Why it could not be checked at all: then the exit code is 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What was seen: errors first, then by file.
    pub findings: Vec<Finding>,
}

/// What a file claims to be by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "InputKind"))]
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

impl Input {
    /// What was seen in the file at `path`, or why it could not be checked.
    pub fn new(path: String, checked: std::io::Result<super::Checked>) -> Self {
        let name = path.rsplit('/').next().unwrap_or_default();
        let (kind, wheel) = (Kind::of(name), name.parse().ok());
        let (error, findings) = match checked {
            Ok(checked) => (None, checked.findings),
            Err(error) => (Some(error.to_string()), Vec::new()),
        };
        Self { path, kind, wheel, error, findings }
    }
}

/// The JSON schema of the report, made from the types that are written.
#[cfg(feature = "schema")]
pub fn schema() -> serde_json::Value {
    let settings = schemars::generate::SchemaSettings::draft2020_12().for_serialize();
    settings.into_generator().into_root_schema_for::<Report>().to_value()
}

impl Report {
    /// A report on these inputs.
    pub fn new(inputs: Vec<Input>) -> Self {
        Self { schema: SCHEMA, inputs, configuration: Vec::new() }
    }

    /// Whether any finding counts at `severity` or worse.
    pub fn has(&self, severity: Severity) -> bool {
        let mut findings =
            self.inputs.iter().flat_map(|input| &input.findings).chain(&self.configuration);
        findings.any(|finding| finding.counts_at(severity))
    }

    /// Whether any input could not be checked.
    pub fn has_failures(&self) -> bool {
        self.inputs.iter().any(|input| input.error.is_some())
    }
}
