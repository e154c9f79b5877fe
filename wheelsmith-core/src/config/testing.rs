//! Settings of `wheelsmith test`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use super::python::Request;

/// Installation scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum InstallScheme {
    /// Into a virtual environment.
    Venv,
    /// Into a directory: `pip install --target`.
    Target,
    /// Into the user's own packages: `pip install --user`.
    User,
    /// Below another prefix: `pip install --prefix`.
    Prefix,
}

impl InstallScheme {
    /// All schemes.
    pub const ALL: [Self; 4] = [Self::Venv, Self::Target, Self::User, Self::Prefix];

    /// Returns the word in the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Venv => "venv",
            Self::Target => "target",
            Self::User => "user",
            Self::Prefix => "prefix",
        }
    }
}

impl std::fmt::Display for InstallScheme {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Program that installs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Installer {
    /// The pip of each Python.
    #[default]
    Pip,
    /// uv; pip where uv cannot install: with `--user`, and for foreign Pythons.
    Uv,
}

/// `[tool.wheelsmith.test]`, changed by the command line.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Pythons to use; all that are found if empty.
    pub pythons: Vec<Request>,
    /// Ways of installation.
    pub schemes: Vec<InstallScheme>,
    /// Program that installs the wheel.
    pub installer: Installer,
    /// Modules to import; those of the wheel if absent.
    pub imports: Option<Vec<String>>,
    /// Commands that must exit with status 0, as words.
    pub smoke: Vec<Vec<String>>,
    /// Test command, as words.
    pub command: Option<Vec<String>>,
    /// Globs of project files that the commands need.
    pub files: Vec<String>,
    /// Requirements that are installed with the wheel (PEP 508).
    pub requires: Vec<String>,
    /// Variables of the commands.
    pub env: BTreeMap<String, String>,
    /// Variables of this process that the commands get.
    pub pass_env: Vec<String>,
    /// True if each cell first checks that the wheel is absent.
    pub absence: bool,
    /// Time limit of a cell, in seconds.
    pub timeout_secs: u64,
    /// Number of tests that a cell may skip; unlimited if absent.
    pub max_skipped: Option<u32>,
    /// Patterns of cells that must pass.
    pub required: Vec<String>,
    /// Patterns of cells that may fail.
    pub allowed_failures: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            pythons: Vec::new(),
            schemes: vec![InstallScheme::Venv],
            installer: Installer::Pip,
            imports: None,
            smoke: Vec::new(),
            command: None,
            files: Vec::new(),
            requires: Vec::new(),
            env: BTreeMap::new(),
            pass_env: Vec::new(),
            absence: true,
            timeout_secs: 600,
            max_skipped: None,
            required: Vec::new(),
            allowed_failures: Vec::new(),
        }
    }
}

impl Settings {
    /// Splits a command of the configuration into words.
    ///
    /// # Errors
    /// Returns an error if the command is empty, or a quote is not closed.
    pub fn words(text: &str) -> Result<Vec<String>, &'static str> {
        super::words::words(text)
    }
}
