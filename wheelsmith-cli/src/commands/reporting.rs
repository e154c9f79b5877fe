//! What the commands that report findings have in common: settings, waivers, where the answer goes.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use wheelsmith_core::config::{self, Config};
use wheelsmith_core::finding::{Code, Date, Level, Settings, Severity};
use wheelsmith_core::name::ParseError;
use wheelsmith_core::sys::{self, Host};

use crate::exit::Exit;

#[derive(Debug, clap::Args)]
pub(super) struct Reporting {
    /// The least severity that makes the exit code 1 [default: error]
    #[arg(long, value_name = "SEVERITY")]
    fail_on: Option<Severity>,
    /// How bad findings of a code are: `no-relro=error`, `unstripped=ignore`; may be repeated
    #[arg(long, value_name = "CODE=LEVEL", value_parser = level)]
    severity: Vec<(Code, Level)>,
    /// The file with the settings [default: `wheelsmith.toml` or `pyproject.toml` here]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Write the answer to a file
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

fn level(text: &str) -> Result<(Code, Level), String> {
    let (code, level) = text.split_once('=').ok_or("there is no `=` between code and level")?;
    let text = |error: ParseError| error.to_string();
    Ok((code.parse().map_err(text)?, level.parse().map_err(text)?))
}

impl Reporting {
    /// What the project says. A project that says nothing to wheelsmith is none of ours.
    pub(super) fn configuration(&self) -> anyhow::Result<Option<Config>> {
        let found = match &self.config {
            Some(file) => Some(file.clone()),
            None => config::find_settings(Path::new("."))?,
        };
        Ok(found.map(|file| Config::load(&file)).transpose()?.map(|(config, _)| config))
    }

    /// The project's settings with those of the command line over them.
    pub(super) fn over(&self, mut settings: Settings) -> Settings {
        settings.severity.extend(self.severity.iter().copied());
        settings
    }

    /// Whether the answer goes to a file.
    pub(super) fn is_to_file(&self) -> bool {
        self.output.is_some()
    }

    /// Writes the answer to the file, where one is named.
    pub(super) fn write(&self, text: &str) -> anyhow::Result<()> {
        let Some(path) = &self.output else { return Ok(()) };
        sys::fs::write_atomic(path, text.as_bytes())
            .with_context(|| format!("cannot write the report to `{}`", path.display()))?;
        Ok(())
    }

    /// The exit code: `project` is how bad a finding must be by the configuration, `has` whether
    /// there is one as bad as that.
    pub(super) fn exit(
        &self,
        has_failures: bool,
        project: Option<Severity>,
        has: impl FnOnce(Severity) -> bool,
    ) -> Exit {
        if has_failures {
            Exit::Failed
        } else if has(self.fail_on.or(project).unwrap_or(Severity::Error)) {
            Exit::No
        } else {
            Exit::Good
        }
    }
}

/// The day on which waivers are looked at: `SOURCE_DATE_EPOCH`, else the clock's.
pub(super) fn today(host: &Host) -> Option<Date> {
    let epoch = host.env.get("SOURCE_DATE_EPOCH").and_then(|seconds| seconds.parse().ok());
    epoch.or_else(sys::now).map(Date::from_epoch)
}
