//! `wheelsmith index verify`

use std::path::PathBuf;

use wheelsmith_core::index;
use wheelsmith_core::sys::Host;

use crate::exit::Exit;
use crate::output::Output;

/// Compare the files and pages of an index with its state
///
/// Reads every file and every page: digests, sizes, metadata, checksums inside wheels, and each byte
/// of each page. Exits with 1 if something differs.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wheelsmith index verify site")]
pub(super) struct Args {
    /// Directory of the index
    #[arg(value_name = "DIR", default_value = "site")]
    site: PathBuf,
    /// Directory in which files for `--files-url` were collected; without it they are not read
    #[arg(long, value_name = "DIR")]
    store: Option<PathBuf>,
}

pub(super) fn run(args: &Args, host: &Host, output: &Output) -> anyhow::Result<Exit> {
    let faults = index::verify(&args.site, args.store.as_deref(), host)?;
    output.index_faults(&args.site, &faults)?;
    Ok(if faults.is_empty() { Exit::Good } else { Exit::No })
}
