//! Runs all cells in parallel.

use std::path::{Path, PathBuf};
use std::time::Instant;

use super::cell::{self, CellInput, Outcome};
use super::environment::Packages;
use super::{
    Cell, CellReport, Choice, Error, Python, Root, Settings, Status, TestedWheel, files, judge,
    libc,
};
use crate::sys::Host;

/// Options of a run beside the settings.
#[derive(Debug, Clone)]
pub struct Options {
    /// Project from which test files are copied.
    pub project: PathBuf,
    /// Directory of the logs, one for each cell.
    pub logs: PathBuf,
    /// Sources of packages.
    pub packages: Packages,
    /// Roots of foreign Pythons.
    pub roots: Vec<Root>,
    /// Old roots in which native files must load.
    pub libc_roots: Vec<Root>,
    /// Reports of Pythons that built no wheel from a source distribution.
    pub failed_builds: Vec<CellReport>,
}

/// Runs every cell, and each wheel in the old roots, then judges the results.
///
/// # Errors
/// A pattern is invalid, a directory cannot be written to, or the user stopped the command.
pub fn run(
    subjects: &[TestedWheel],
    pythons: &[Python],
    cells: &[Cell],
    settings: &Settings,
    options: &Options,
    host: &Host,
) -> Result<super::Report, Error> {
    // Checked first: an invalid pattern must not cost the time of a whole run.
    judge(Vec::new(), settings)?;
    let files = files::find(&options.project, &settings.files)?;
    let mut jobs: Vec<Job<'_>> = cells.iter().map(Job::Cell).collect();
    for root in &options.libc_roots {
        let fits = |subject: &&TestedWheel| subject.natives.iter().any(|native| root.is_of(native));
        // A root that fits no wheel is reported as a skip.
        let is_needless = !subjects.iter().any(|subject| fits(&subject));
        let chosen = subjects.iter().filter(|subject| is_needless || fits(subject));
        jobs.extend(chosen.map(|subject| Job::Libc(subject, root)));
    }
    let pythons = &with_pips_alone(pythons, cells, host)?;
    let runner = Runner { subjects, pythons, settings, options, files: &files, host };
    let task = host.task("test", jobs.len() as u64);
    let reports = host.jobs.try_map(&host.cancel, &jobs, |job| {
        let report = runner.one(job)?;
        task.advance(1, format!("{} {}", report.id, report.status.as_str()));
        Ok::<CellReport, Error>(report)
    })?;
    let reports = reports.filter(|_| !host.cancel.is_cancelled()).ok_or(Error::Cancelled)?;
    let failed = options.failed_builds.iter().cloned();
    let report = judge(failed.chain(reports).collect(), settings)?;
    let totals = report.totals;
    task.finish(format!("{} of {} cells passed", totals.passed, report.cells.len()));
    Ok(report)
}

/// Replaces the pips of the Pythons that install something by copies that cells can run.
fn with_pips_alone(pythons: &[Python], cells: &[Cell], host: &Host) -> Result<Vec<Python>, Error> {
    let mut pythons = pythons.to_vec();
    for (at, python) in pythons.iter_mut().enumerate() {
        let is_used = |cell: &Cell| {
            cell.skip.is_none() && matches!(cell.python, Choice::Found(place) if place == at)
        };
        if let Some(pip) = &python.pip
            && cells.iter().any(is_used)
        {
            python.pip = Some(super::pip::alone(pip, host)?);
        }
    }
    Ok(pythons)
}

enum Job<'a> {
    Cell(&'a Cell),
    Libc(&'a TestedWheel, &'a Root),
}

struct Runner<'a> {
    subjects: &'a [TestedWheel],
    pythons: &'a [Python],
    settings: &'a Settings,
    options: &'a Options,
    files: &'a [PathBuf],
    host: &'a Host,
}

impl Runner<'_> {
    fn one(&self, job: &Job<'_>) -> Result<CellReport, Error> {
        match job {
            Job::Cell(cell) => self.cell(cell),
            Job::Libc(subject, root) => self.libc(subject, root),
        }
    }

    fn cell(&self, cell: &Cell) -> Result<CellReport, Error> {
        let subject = &self.subjects[cell.subject];
        let mut report = CellReport {
            id: cell.id.clone(),
            wheel: subject.file_name(),
            python: String::new(),
            interpreter: String::new(),
            platform: String::new(),
            foreign: false,
            scheme: Some(cell.scheme),
            status: Status::Skipped,
            required: cell.required,
            reason: cell.skip.clone(),
            tests: None,
            steps: Vec::new(),
            time_secs: 0.0,
            log: None,
        };
        let python = match &cell.python {
            Choice::Found(at) => &self.pythons[*at],
            Choice::Missing { wanted, platform } => {
                report.python.clone_from(wanted);
                report.platform.clone_from(platform);
                return Ok(report);
            }
        };
        let [major, minor, patch] = python.version;
        report.python = python.label();
        report.interpreter = format!("{major}.{minor}.{patch} {}", python.program.display());
        report.platform = python.platform.label();
        report.foreign = !python.runner.is_empty();
        if cell.skip.is_some() {
            return Ok(report);
        }
        let root = self.options.roots.iter().find(|root| python.program.starts_with(&root.dir));
        let log = self.log(&cell.id);
        timed(&mut report, &log, || {
            cell::run(&CellInput {
                subject,
                python,
                root: root.map(|root| root.dir.as_path()),
                scheme: cell.scheme,
                settings: self.settings,
                packages: &self.options.packages,
                files: (&self.options.project, self.files),
                log: &log,
                host: self.host,
            })
        })?;
        Ok(report)
    }

    fn libc(&self, subject: &TestedWheel, root: &Root) -> Result<CellReport, Error> {
        let name = root.dir.file_name().unwrap_or_default().to_string_lossy();
        let name = if name.is_empty() { "root" } else { &name };
        let mut report = CellReport {
            id: format!("{}-libc-{}-{name}", subject.filename.name, root.arch),
            wheel: subject.file_name(),
            python: "libc".to_owned(),
            interpreter: root.dir.display().to_string(),
            platform: root.arch.to_string(),
            foreign: true,
            scheme: None,
            status: Status::Skipped,
            // `--libc-root` was given, so a skip is a failure.
            required: true,
            reason: None,
            tests: None,
            steps: Vec::new(),
            time_secs: 0.0,
            log: None,
        };
        let log = self.log(&report.id);
        timed(&mut report, &log, || libc::prove(subject, root, self.settings, &log, self.host))?;
        Ok(report)
    }

    fn log(&self, id: &str) -> PathBuf {
        self.options.logs.join(format!("{id}.log"))
    }
}

/// Does the work and records the result.
fn timed(
    report: &mut CellReport,
    log: &Path,
    work: impl FnOnce() -> Result<Outcome, Error>,
) -> Result<(), Error> {
    let start = Instant::now();
    let outcome = work()?;
    report.status = outcome.status;
    report.reason = outcome.reason;
    report.tests = outcome.tests;
    report.steps = outcome.steps;
    report.time_secs = start.elapsed().as_secs_f64();
    report.log = Some(log.display().to_string());
    Ok(())
}
