//! `wheelsmith check`

use std::path::{Path, PathBuf};

use wheelsmith_core::archive;
use wheelsmith_core::check::{self, Index, Input, Limits, Options, Report};
use wheelsmith_core::config::Check;
use wheelsmith_core::sys::Host;

use super::reporting::{Reporting, today};
use crate::exit::Exit;
use crate::output::Output;

const MIB: u64 = 1 << 20;

/// Find what an index or installer would refuse in packages
///
/// Takes wheels, sdists, npm packages (`.tgz`), crates and archives of programs. Checks file names,
/// archives, metadata and manifests, and compares every file of a wheel with its digest. It needs
/// no network and changes nothing. Platform tags are the subject of `wheelsmith audit`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wheelsmith check dist/*                      the last step before publishing
  wheelsmith check dist/*.whl --index private  for an index of your own
  wheelsmith check dist/* --fail-on warning    fail on warnings too
  wheelsmith check dist/* --format sarif --output check.sarif

Exit codes: 0 clean; 1 findings at or above `--fail-on`; 2 a file could not be read.")]
pub(crate) struct Args {
    /// Finished packages; patterns such as `dist/*` are expanded
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
    /// Index to publish to: `pypi`, or `private`, for which rules of the public index only warn
    /// [default: pypi]
    #[arg(long, value_name = "INDEX")]
    index: Option<Index>,
    /// Default limit of the index for the size of a file, in MiB [default: 100]
    #[arg(long, value_name = "MIB")]
    large_file: Option<u32>,
    /// Limit that the index granted to this project, in MiB [default: 1024]
    #[arg(long, value_name = "MIB")]
    file_limit: Option<u32>,
    #[command(flatten)]
    reporting: Reporting,
}

pub(super) fn run(args: &Args, host: &Host, output: &Output) -> anyhow::Result<Exit> {
    let configuration = args.reporting.configuration()?.map(|config| config.check);
    let Check { index, large_file_mib, file_limit_mib, fail_on, settings } =
        configuration.unwrap_or_default();
    let mut limits = Limits::default();
    if let Some(mib) = args.file_limit.or(file_limit_mib) {
        limits.most_file_bytes = u64::from(mib) * MIB;
    }
    if let Some(mib) = args.large_file.or(large_file_mib) {
        limits.file_bytes = u64::from(mib) * MIB;
    }
    let index = args.index.or(index).unwrap_or_default();
    let options = Options::new().index(index).limits(limits);
    let mut report = Report::new(all(&archive::expand(&args.files)?, &options, host));
    if host.cancel.is_cancelled() {
        return Ok(Exit::Interrupted);
    }
    let inputs = report.inputs.iter_mut().map(|input| &mut input.findings);
    report.configuration = args.reporting.over(settings).apply(inputs, today(host));
    let text = output.checked(&report, args.reporting.is_to_file(), host)?;
    args.reporting.write(&text)?;
    Ok(args.reporting.exit(report.has_failures(), fail_on, |severity| report.has(severity)))
}

/// Checks files in parallel; returns the results in the order of the files.
fn all(files: &[PathBuf], options: &Options, host: &Host) -> Vec<Input> {
    let task = host.task("checking", files.len() as u64);
    let inputs = host.jobs.map(&host.cancel, files, |path| {
        let input = one(path, options, host);
        task.advance(1, path.display().to_string());
        input
    });
    inputs.into_iter().flatten().collect()
}

fn one(path: &Path, options: &Options, host: &Host) -> Input {
    let checked = check::file_with(path, options, &host.cancel);
    Input::new(path.to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/"), checked)
}
