//! What came out, for people and for programs.

use serde::Serialize;

use super::{Tests, Way};

/// How a cell ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Status {
    /// Everything held.
    Passed,
    /// Something did not.
    Failed,
    /// Nothing was tried, or every test was skipped.
    Skipped,
    /// It failed, and the configuration lets it.
    AllowedFailure,
}

impl Status {
    /// The word in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::AllowedFailure => "allowed-failure",
        }
    }
}

/// The whole answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Verdict {
    /// Every cell that counts passed.
    Good,
    /// The answer is no.
    Bad,
}

/// One thing that a cell did.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Step {
    /// `environment`, `absence`, `install`, `import`, `commands`, `libc`, `smoke`, `command`.
    pub name: String,
    /// What was run, as a shell would read it; empty when nothing was.
    pub command: String,
    /// How long it took, in seconds.
    pub time_secs: f64,
    /// What was wrong; nothing when it held.
    pub problem: Option<String>,
}

/// What became of a cell.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CellReport {
    /// What patterns of the configuration are held against: `demo-cp312-x86_64-venv`.
    pub id: String,
    /// The wheel's file name.
    pub wheel: String,
    /// `3.12`, or what was asked for where there is no such Python.
    pub python: String,
    /// Its full version, and its program; empty where there is none.
    pub interpreter: String,
    /// What it runs on: `x86_64`, `aarch64-musl`.
    pub platform: String,
    /// Whether it ran under an emulator, or under the loader of another libc.
    pub foreign: bool,
    /// How the wheel was installed;
    /// absent for the proof of the oldest libc.
    pub way: Option<Way>,
    /// How it ended.
    pub status: Status,
    /// Whether it must pass.
    pub required: bool,
    /// Why it failed or was skipped.
    pub reason: Option<String>,
    /// The tests of its test command, as that tells.
    pub tests: Option<Tests>,
    /// What it did, in order.
    pub steps: Vec<Step>,
    /// How long it took, in seconds.
    pub time_secs: f64,
    /// Where everything that its commands wrote is; absent when nothing ran.
    pub log: Option<String>,
}

/// How many cells ended how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Totals {
    /// Passed.
    pub passed: u32,
    /// Failed.
    pub failed: u32,
    /// Skipped.
    pub skipped: u32,
    /// Failed, and may.
    pub allowed_failures: u32,
}

/// The answer of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Report {
    /// The version of this form.
    pub schema: u32,
    /// Whether all is well.
    pub verdict: Verdict,
    /// How many cells ended how.
    pub totals: Totals,
    /// What is wrong beside failed cells: skips of cells that are required, patterns that fit none.
    pub complaints: Vec<String>,
    /// Every cell, by wheel, Python and way.
    pub cells: Vec<CellReport>,
}

impl Report {
    /// True if the verdict is bad because something could not be tried, and nothing that was tried
    /// failed: a Python that was asked for is missing, or no cell was tried at all.
    pub fn is_untried(&self) -> bool {
        let Totals { passed, failed, allowed_failures, .. } = self.totals;
        let mut skipped =
            self.cells.iter().filter(|cell| cell.required && cell.status == Status::Skipped);
        let is_missing = |cell: &CellReport| cell.interpreter.is_empty();
        let is_missing_any = skipped.clone().any(is_missing);
        self.verdict == Verdict::Bad
            && failed + allowed_failures == 0
            && skipped.all(is_missing)
            && (passed == 0 || is_missing_any)
    }
}

/// The JSON schema of [`Report`].
#[cfg(feature = "schema")]
pub fn schema() -> serde_json::Value {
    let settings = schemars::generate::SchemaSettings::draft2020_12().for_serialize();
    settings.into_generator().into_root_schema_for::<Report>().to_value()
}
