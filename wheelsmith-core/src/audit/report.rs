//! What `wheelsmith audit` says: one value for every form of output.

use serde::Serialize;

use super::{NativeFile, Need};
use crate::finding::{Finding, Severity};
use crate::name::{PlatformTag, WheelFilename};

/// The version of the report. It grows when a key changes its meaning or goes.
pub const SCHEMA: u32 = 1;

/// What was seen in all inputs.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Each input, in the order given; those of one pattern by name.
    pub inputs: Vec<Input>,
    /// What is wrong with the configuration of the audit.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub configuration: Vec<Finding>,
}

/// What was seen in one wheel, directory, archive or file.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Input {
    /// As it was given, with `/` between its parts.
    pub path: String,
    /// What it is.
    pub kind: Kind,
    /// The wheel's file name, taken apart; nothing for other inputs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wheel: Option<WheelFilename>,
    /// The platform tags of the file name, as written.
    pub claimed_tags: Vec<PlatformTag>,
    /// The tag that was asked for instead (`--policy`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wanted_tag: Option<PlatformTag>,
    /// The best tag that every file keeps; nothing when no tag is right.
    pub verdict: Option<PlatformTag>,
    /// What `auditwheel show --ldpaths ""` says of it; for Linux wheels only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auditwheel_verdict: Option<Auditwheel>,
    /// Why it could not be judged at all: then the exit code is 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What was seen: errors first, then by file.
    pub findings: Vec<Finding>,
    /// Where each library comes from that the files need.
    pub needs: Vec<Need>,
    /// Each native file's facts, by path.
    pub files: Vec<NativeFile>,
}

/// What an input is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "InputKind"))]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A `.whl` file.
    Wheel,
    /// A `.zip`, `.tar` or `.tar.gz` file.
    Archive,
    /// A directory of any kind.
    Directory,
    /// A runtime directory, with its `runtime.json`.
    Runtime,
    /// One native file.
    File,
}

impl From<crate::archive::open::Kind> for Kind {
    fn from(kind: crate::archive::open::Kind) -> Self {
        use crate::archive::open::Kind as Opened;
        match kind {
            Opened::Wheel => Self::Wheel,
            Opened::Archive => Self::Archive,
            Opened::Directory => Self::Directory,
            Opened::Runtime => Self::Runtime,
            Opened::File => Self::File,
        }
    }
}

/// What auditwheel would say, told from its rules and the same facts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Auditwheel {
    /// Its `overall_tag`; nothing where it ends in an error.
    pub tag: Option<PlatformTag>,
    /// Why that differs from ours, a sentence each; empty where it does not.
    pub reasons: Vec<String>,
}

impl Input {
    /// An input of which nothing is known yet.
    pub fn new(path: String, kind: Kind) -> Self {
        Self {
            path,
            kind,
            wheel: None,
            claimed_tags: Vec::new(),
            wanted_tag: None,
            verdict: None,
            auditwheel_verdict: None,
            error: None,
            findings: Vec::new(),
            needs: Vec::new(),
            files: Vec::new(),
        }
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

    /// Whether any input could not be judged.
    pub fn has_failures(&self) -> bool {
        self.inputs.iter().any(|input| input.error.is_some())
    }
}
