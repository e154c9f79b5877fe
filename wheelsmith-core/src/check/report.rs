//! Report of `wheelsmith check`, from which all output formats are rendered.

use pep440_rs::Version;
use serde::Serialize;

use crate::finding::{Finding, Severity};
use crate::name::WheelFilename;

/// Version of the report. It grows when a key changes its meaning or is removed.
pub const SCHEMA: u32 = 1;

/// Results for all inputs.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Results for each input, in the given order.
    pub inputs: Vec<Input>,
    /// Findings about the configuration of the check.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub configuration: Vec<Finding>,
}

/// Results for one file.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Input {
    /// Path as given, with `/` between its parts.
    pub path: String,
    /// Kind.
    pub kind: Kind,
    /// Parsed file name of a wheel; `None` for other kinds, and for an invalid name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wheel: Option<WheelFilename>,
    /// Reason why it could not be checked at all: the exit code is then 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Findings: errors first, then by file.
    pub findings: Vec<Finding>,
}

/// Kind of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "InputKind"))]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// `.whl`, and all names that are not those of source distributions.
    Wheel,
    /// Source distribution: `name-version.tar.gz`, or an older format.
    Sdist,
    /// npm package: `.tgz`.
    Npm,
    /// Rust crate: `.crate`.
    Crate,
    /// Archive of programs and libraries: another name that ends in `.tar.gz`, `.tar.zst` or `.zip`.
    Archive,
}

impl Kind {
    /// Returns the kind for `filename`. That of an archive also depends on its content:
    /// [`check`](super::check()) looks at both.
    pub fn of(filename: &str) -> Self {
        let packages = [(".tgz", Self::Npm), (".crate", Self::Crate), (".tar.zst", Self::Archive)];
        if let Some((_, kind)) = packages.into_iter().find(|(end, _)| filename.ends_with(end)) {
            return kind;
        }
        let archives = [".tar.gz", ".tar", ".tar.bz2", ".tar.xz", ".zip"];
        let Some(stem) = archives.iter().find_map(|end| filename.strip_suffix(end)) else {
            return Self::Wheel;
        };
        let version = stem.rsplit_once('-').map(|(_, version)| version.parse::<Version>());
        if version.is_some_and(|version| version.is_ok()) { Self::Sdist } else { Self::Archive }
    }
}

impl Input {
    /// Creates the result for the file at `path`, from its findings or an error.
    pub fn new(path: String, checked: std::io::Result<super::Checked>) -> Self {
        let name = path.rsplit('/').next().unwrap_or_default();
        let wheel = name.parse().ok();
        let (kind, error, findings) = match checked {
            Ok(checked) => (checked.kind, None, checked.findings),
            Err(error) => (Kind::of(name), Some(error.to_string()), Vec::new()),
        };
        Self { path, kind, wheel, error, findings }
    }
}

/// Returns the JSON schema of the report, generated from the types.
#[cfg(feature = "schema")]
pub fn schema() -> serde_json::Value {
    let settings = schemars::generate::SchemaSettings::draft2020_12().for_serialize();
    settings.into_generator().into_root_schema_for::<Report>().to_value()
}

impl Report {
    /// Creates a report on these inputs.
    pub fn new(inputs: Vec<Input>) -> Self {
        Self { schema: SCHEMA, inputs, configuration: Vec::new() }
    }

    /// True if a finding counts at `severity` or worse.
    pub fn has(&self, severity: Severity) -> bool {
        let mut findings =
            self.inputs.iter().flat_map(|input| &input.findings).chain(&self.configuration);
        findings.any(|finding| finding.counts_at(severity))
    }

    /// True if an input could not be checked.
    pub fn has_failures(&self) -> bool {
        self.inputs.iter().any(|input| input.error.is_some())
    }
}
