//! How wheels are tried, as the user asked for it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use super::python::Request;

/// How a wheel gets to its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Way {
    /// Into a virtual environment.
    Venv,
    /// Into a directory: `pip install --target`.
    Target,
    /// Into the user's own packages: `pip install --user`.
    User,
    /// Below another prefix: `pip install --prefix`.
    Prefix,
}

impl Way {
    /// Every way.
    pub const ALL: [Self; 4] = [Self::Venv, Self::Target, Self::User, Self::Prefix];

    /// The word in the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Venv => "venv",
            Self::Target => "target",
            Self::User => "user",
            Self::Prefix => "prefix",
        }
    }
}

impl std::fmt::Display for Way {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Who installs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Installer {
    /// The pip of each Python.
    #[default]
    Pip,
    /// uv, where it can: it neither installs for `--user` nor runs foreign Pythons.
    Uv,
}

/// `[tool.wheelsmith.test]`, with what the command line adds.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The Pythons to use; every one that is found when empty.
    pub pythons: Vec<Request>,
    /// How the wheel is installed.
    pub ways: Vec<Way>,
    /// Who installs it.
    pub installer: Installer,
    /// What must be importable; what the wheel's files say when absent.
    pub imports: Option<Vec<String>>,
    /// Commands that must end well, as words.
    pub smoke: Vec<Vec<String>>,
    /// The test command, as words.
    pub command: Option<Vec<String>>,
    /// Globs of the project's files that the commands need.
    pub files: Vec<String>,
    /// What is installed besides the wheel (PEP 508).
    pub requires: Vec<String>,
    /// Variables that the commands get.
    pub env: BTreeMap<String, String>,
    /// Variables of this process that they keep.
    pub pass_env: Vec<String>,
    /// Whether each cell first proves that the wheel is not there yet.
    pub absence: bool,
    /// How long a cell may take, in seconds.
    pub timeout_secs: u64,
    /// How many tests a cell may skip; any number when absent.
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
            ways: vec![Way::Venv],
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
    /// A command of the configuration as words.
    ///
    /// # Errors
    /// No word at all, or a quote that is not closed.
    pub fn words(text: &str) -> Result<Vec<String>, &'static str> {
        super::words::words(text)
    }
}
