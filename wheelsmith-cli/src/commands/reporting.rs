//! Options of the commands that report findings: settings, waivers, the file of the report.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use wheelsmith_core::config::{self, Config};
use wheelsmith_core::finding::{Code, Date, Level, Settings, Severity};
use wheelsmith_core::name::ParseError;
use wheelsmith_core::sys::{self, Host};

use crate::exit::Exit;

#[derive(Debug, clap::Args)]
pub(super) struct Reporting {
    /// Exit with 1 from this severity on: error, warning, info [default: error]
    #[arg(long, value_name = "SEVERITY")]
    fail_on: Option<Severity>,
    /// Severity of a code: `no-relro=error`, `unstripped=ignore`; repeatable
    #[arg(long, value_name = "CODE=LEVEL", value_parser = level)]
    severity: Vec<(Code, Level)>,
    /// Configuration [default: `wheelsmith.toml` or `pyproject.toml` here]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Write the report to FILE instead of standard output
    #[arg(long, short_alias = 'o', value_name = "FILE")]
    output: Option<PathBuf>,
}

fn level(text: &str) -> Result<(Code, Level), String> {
    let (code, level) = text.split_once('=').ok_or("write CODE=LEVEL")?;
    let text = |error: ParseError| error.to_string();
    Ok((code.parse().map_err(text)?, level.parse().map_err(text)?))
}

impl Reporting {
    /// Reads the project's configuration; `None` if the project does not use wheelsmith.
    pub(super) fn configuration(&self) -> anyhow::Result<Option<Config>> {
        project_settings(self.config.as_deref())
    }

    /// Adds the settings of the command line to those of the project.
    pub(super) fn over(&self, mut settings: Settings) -> Settings {
        settings.severity.extend(self.severity.iter().copied());
        settings
    }

    /// True if the report goes to a file.
    pub(super) fn is_to_file(&self) -> bool {
        self.output.is_some()
    }

    /// Writes the report to the file of `--output`, if given.
    pub(super) fn write(&self, text: &str) -> anyhow::Result<()> {
        let Some(path) = &self.output else { return Ok(()) };
        sys::fs::write_atomic(path, text.as_bytes())
            .with_context(|| format!("cannot write the report to `{}`", path.display()))?;
        Ok(())
    }

    /// Returns the exit code. `project` is the threshold of the configuration; `has` tells whether a
    /// finding reaches a threshold.
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

/// Reads the settings of the file `given`, or else of the project here; `None` if it has none.
pub(super) fn project_settings(given: Option<&Path>) -> anyhow::Result<Option<Config>> {
    let found = match given {
        Some(file) => Some(file.to_owned()),
        None => config::find_settings(Path::new("."))?,
    };
    Ok(found.map(|file| Config::load(&file)).transpose()?.map(|(config, _)| config))
}

/// Returns the day by which waivers expire: that of `SOURCE_DATE_EPOCH`, else today.
pub(super) fn today(host: &Host) -> Option<Date> {
    let epoch = host.env.get("SOURCE_DATE_EPOCH").and_then(|seconds| seconds.parse().ok());
    epoch.or_else(sys::now).map(Date::from_epoch)
}
