//! Settings of `wheelsmith test`.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

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

impl fmt::Display for InstallScheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Settings {
    /// Pythons to test: `3.12`, `3.13t`, `pypy3.10`, or a path; each must exist. If empty, all that
    /// are found.
    #[serde(rename = "python")]
    pub pythons: Vec<Request>,
    /// Ways of installing the wheels: `venv`, `target`, `user`, `prefix`; `venv` if absent.
    #[serde(rename = "install")]
    pub schemes: Vec<InstallScheme>,
    /// Installer: `pip` or `uv`; `pip` if absent.
    pub installer: Installer,
    /// Modules that must be importable; those of the wheel if absent.
    #[serde(rename = "import")]
    pub imports: Option<Vec<String>>,
    /// Commands that must exit with status 0, such as `demo --version`.
    #[serde(deserialize_with = "commands")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub smoke: Vec<Vec<String>>,
    /// Test command, such as `python -m pytest tests`.
    #[serde(deserialize_with = "command")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub command: Option<Vec<String>>,
    /// Globs of the project's files that the commands require; other files of the project are
    /// absent.
    pub files: Vec<String>,
    /// Packages that are installed besides the wheel, such as `pytest>=8` (PEP 508).
    pub requires: Vec<String>,
    /// Variables of the commands.
    pub env: BTreeMap<String, String>,
    /// Names of variables that the commands inherit from `wheelsmith test`.
    pub pass_env: Vec<String>,
    /// Whether each cell first checks that modules and commands do not exist without the wheel;
    /// true if absent.
    pub absence: bool,
    /// Time limit of a cell, in seconds; 600 if absent.
    pub timeout_secs: u64,
    /// Number of tests that a cell may skip; unlimited if absent.
    pub max_skipped: Option<u32>,
    /// Patterns of cells that must pass, such as `*-cp312-*`; each must match a cell.
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

/// Command, split into words.
struct Words(Vec<String>);

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Words;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Words, E> {
                let words = Settings::words(text);
                words.map(Words).map_err(|problem| E::custom(format!("no command: {problem}")))
            }
        }
        deserializer.deserialize_str(Visitor)
    }
}

fn commands<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Vec<String>>, D::Error> {
    Ok(Vec::<Words>::deserialize(deserializer)?.into_iter().map(|words| words.0).collect())
}

fn command<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    Ok(Option::<Words>::deserialize(deserializer)?.map(|words| words.0))
}
