//! Report of a test run.

use serde::Serialize;

use super::{InstallScheme, Tests};

/// Result of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Status {
    /// Every step succeeded.
    Passed,
    /// A step failed.
    Failed,
    /// Nothing was tried, or every test was skipped.
    Skipped,
    /// It failed, which the configuration allows.
    AllowedFailure,
}

impl Status {
    /// Returns the word in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::AllowedFailure => "allowed-failure",
        }
    }
}

/// Verdict of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Verdict {
    /// Every cell that counts passed.
    Good,
    /// A cell failed, or one that must pass was not tried.
    Bad,
}

/// A step of a cell.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Step {
    /// `build`, `environment`, `absence`, `install`, `import`, `commands`, `entry-points`, `libc`,
    /// `smoke`, `command`.
    pub name: String,
    /// Command as a shell would read it; empty if none was run.
    pub command: String,
    /// Duration in seconds.
    pub time_secs: f64,
    /// Problem; `None` if the step succeeded.
    pub problem: Option<String>,
}

/// Report of a cell.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CellReport {
    /// Name that patterns of the configuration match: `demo-cp312-x86_64-venv`.
    pub id: String,
    /// File name of the wheel, or of the source distribution if it built none.
    pub wheel: String,
    /// `3.12`; the request if there is no such Python.
    pub python: String,
    /// Full version and program; empty if there is none.
    pub interpreter: String,
    /// Platform: `x86_64`, `aarch64-musl`.
    pub platform: String,
    /// True if it ran under an emulator or under the loader of another libc.
    pub foreign: bool,
    /// Installation scheme; absent for the test with the oldest libc.
    #[serde(rename = "install")]
    pub scheme: Option<InstallScheme>,
    /// Result.
    pub status: Status,
    /// True if it must pass.
    pub required: bool,
    /// Reason for a failure or a skip.
    pub reason: Option<String>,
    /// Numbers of tests that its test command reports.
    pub tests: Option<Tests>,
    /// Steps in order.
    pub steps: Vec<Step>,
    /// Duration in seconds.
    pub time_secs: f64,
    /// File with the output of its commands; absent if none ran.
    pub log: Option<String>,
}

/// Numbers of cells by result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Totals {
    /// Passed.
    pub passed: u32,
    /// Failed.
    pub failed: u32,
    /// Skipped.
    pub skipped: u32,
    /// Failed, which the configuration allows.
    pub allowed_failures: u32,
}

/// Report of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Report {
    /// Version of this format.
    pub schema: u32,
    /// Verdict.
    pub verdict: Verdict,
    /// Numbers of cells by result.
    pub totals: Totals,
    /// Problems beside failed cells: skips of required cells, patterns that match none.
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

/// Returns the JSON schema of [`Report`].
#[cfg(feature = "schema")]
pub fn schema() -> serde_json::Value {
    let settings = schemars::generate::SchemaSettings::draft2020_12().for_serialize();
    settings.into_generator().into_root_schema_for::<Report>().to_value()
}
