//! `wheelsmith size`

use std::path::{Path, PathBuf};

use anyhow::bail;
use wheelsmith_core::size::{self, History, Limit, SizeReport};
use wheelsmith_core::sys::Host;

use crate::exit::Exit;
use crate::output::{Output, Sizes};

/// Print what is in a package, and what could be saved
///
/// Lists the largest files first. A directory of packages, such as `dist`, is measured package by package. With PREVIOUS or
/// `--history`, also prints what grew.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wheelsmith size dist/demo-1.1-py3-none-any.whl
  wheelsmith size dist old/dist --fail-over 2%   fail if a package grew by more
  wheelsmith size dist --history sizes.json      record the sizes of this commit

Exit codes: 0 measured; 1 a package grew by more than the limit; 2 the sizes could not be
measured or compared.")]
pub(crate) struct Args {
    /// Archive, directory or directory of packages
    #[arg(value_name = "PACKAGE")]
    package: PathBuf,
    /// The same of a previous build, to compare with
    #[arg(value_name = "PREVIOUS", conflicts_with = "history")]
    previous: Option<PathBuf>,
    /// Fail if a package grew by more, such as 2%, 500kB or 1MiB
    #[arg(long, value_name = "LIMIT")]
    fail_over: Option<Limit>,
    /// JSON file with the sizes of each commit: compare with the last one and record this one
    #[arg(long, value_name = "FILE")]
    history: Option<PathBuf>,
    /// Commit to record the sizes for [default: the commit that git has checked out]
    #[arg(long, value_name = "ID", requires = "history")]
    commit: Option<String>,
    /// Number of files to list of each package; `--verbose` lists all
    #[arg(long, value_name = "N", default_value_t = 10)]
    top: usize,
}

pub(super) fn run(args: &Args, host: &Host, output: &Output) -> anyhow::Result<Exit> {
    if args.fail_over.is_some() && args.previous.is_none() && args.history.is_none() {
        bail!("`--fail-over` needs a previous build: name it, or a file with `--history`");
    }
    let report = size::measure(&args.package, host)?;
    let comparison = match (&args.previous, &args.history) {
        (Some(previous), _) => Some(size::compare(&size::measure(previous, host)?, &report)),
        (None, Some(history)) => recorded(args, history, &report, host)?,
        (None, None) => None,
    };
    if let Some(comparison) = &comparison
        && comparison.packages.is_empty()
    {
        bail!(
            "no package has one of the same name in the previous build: it has {}",
            comparison.removed.join(", ")
        );
    }
    let over = match (&comparison, args.fail_over) {
        (Some(comparison), Some(limit)) => {
            let over = comparison.over(limit).into_iter().map(|growth| growth.name.clone());
            over.map(|name| (name, limit)).collect()
        }
        _ => Vec::new(),
    };
    let exit = if over.is_empty() { Exit::Good } else { Exit::No };
    output.sizes(&Sizes { report, comparison, over }, args.top)?;
    Ok(exit)
}

/// Compares with the last recorded commit, if there is one, and records this one.
fn recorded(
    args: &Args,
    path: &Path,
    report: &SizeReport,
    host: &Host,
) -> anyhow::Result<Option<size::Comparison>> {
    let commit = match &args.commit {
        Some(commit) => commit.clone(),
        None => super::shared::current_commit(Path::new("."), host)?,
    };
    let mut history = History::load(path)?;
    let comparison = history.previous(&commit).map(|build| build.compare(report));
    if comparison.is_none() {
        host.warn(format!("`{}` has no build of another commit to compare with", path.display()));
    }
    history.record(&commit, report);
    history.save(path)?;
    Ok(comparison)
}
