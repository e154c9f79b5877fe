//! Answers on standard output, talk on standard error.

mod check;
mod human;
mod json;
mod progress;
mod wheel;

use std::path::{Path, PathBuf};

use wheelsmith_core::check::Report;
use wheelsmith_core::plan::Plan;
use wheelsmith_core::project::{self, Made};
use wheelsmith_core::toolchain::Found;
use wheelsmith_core::wheel::{Diff, MadeFile};

pub(crate) use progress::Progress;
pub(crate) use wheel::Retagged;

use crate::args::Format;

/// Writes answers in the form that was asked for.
pub(crate) struct Output {
    format: Format,
    is_verbose: bool,
}

impl Output {
    pub(crate) fn new(format: Format, is_verbose: bool) -> Self {
        Self { format, is_verbose }
    }

    fn write(
        &self,
        human: impl FnOnce() -> String,
        json: impl FnOnce() -> serde_json::Value,
    ) -> std::io::Result<()> {
        use std::io::Write as _;
        let mut out = anstream::stdout().lock();
        match self.format {
            Format::Human => out.write_all(human().as_bytes())?,
            Format::Json => writeln!(out, "{:#}", json())?,
        }
        out.flush()
    }

    /// What a build would do.
    pub(crate) fn plan(&self, plan: &Plan) -> std::io::Result<()> {
        self.write(|| human::plan(plan), || json::plan(plan))
    }

    /// What a build made. Errors of targets go to standard error as well.
    pub(crate) fn made(&self, made: &Made) -> std::io::Result<()> {
        for (target, result) in made {
            if let Err(error) = result
                && !error.is_cancelled()
            {
                let context = (made.len() > 1).then(|| target.to_string());
                human::error(context.as_deref(), error, error.hint());
            }
        }
        self.write(|| human::made(made), || json::made(made))
    }

    /// How many sources are there.
    pub(crate) fn fetched(&self, sources: usize) -> std::io::Result<()> {
        self.write(|| human::fetched(sources), || json::fetched(sources))
    }

    /// Which compilers there are.
    pub(crate) fn toolchains(&self, found: &[Found]) -> std::io::Result<()> {
        self.write(|| human::toolchains(found), || json::toolchains(found))
    }

    /// Which wheels were written.
    pub(crate) fn written(&self, files: &[MadeFile]) -> std::io::Result<()> {
        self.write(|| wheel::human_files(files), || wheel::json_files(files))
    }

    /// Where a wheel was unpacked.
    pub(crate) fn unpacked(&self, root: &Path, files: usize) -> std::io::Result<()> {
        self.write(|| wheel::human_unpacked(root, files), || wheel::json_unpacked(root, files))
    }

    /// Which wheels got their tags.
    pub(crate) fn retagged(&self, wheels: &[Retagged]) -> std::io::Result<()> {
        self.write(|| wheel::human_retagged(wheels), || wheel::json_retagged(wheels))
    }

    /// What was seen in wheels and sdists.
    pub(crate) fn checked(&self, report: &Report) -> std::io::Result<()> {
        self.write(|| check::human(report, self.is_verbose), || serde_json::json!(report))
    }

    /// How two wheels differ.
    pub(crate) fn wheel_diff(&self, diff: &Diff) -> std::io::Result<()> {
        self.write(|| wheel::human_diff(diff), || wheel::json_diff(diff))
    }

    /// Which files `init` wrote.
    pub(crate) fn initialised(&self, files: &[PathBuf]) -> std::io::Result<()> {
        self.write(|| human::initialised(files), || json::initialised(files))
    }

    /// Why something could not be done.
    pub(crate) fn error(&self, error: &anyhow::Error) {
        let hint = error.downcast_ref::<project::Error>().and_then(project::Error::hint);
        human::error(None, error.as_ref(), hint);
        if crate::is_json(self.format) {
            // A program that reads standard output gets an answer in any case.
            let _ = self.write(String::new, || json::error(error.as_ref()));
        }
    }
}
