//! `wheelsmith index verify`

use std::path::PathBuf;

use wheelsmith_core::index;
use wheelsmith_core::sys::Host;

use crate::exit::Exit;
use crate::output::Output;

/// Compare an index with what its state says
///
/// Reads every file and every page: digests, sizes, metadata, checksums inside wheels, and each byte
/// of each page.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The directory of the index
    #[arg(value_name = "SITE", default_value = "site")]
    site: PathBuf,
    /// Where files of --files-url were collected; without it, they are not looked at
    #[arg(long, value_name = "DIR")]
    store: Option<PathBuf>,
}

pub(super) fn run(args: &Args, host: &Host, output: &Output) -> anyhow::Result<Exit> {
    let faults = index::verify(&args.site, args.store.as_deref(), host)?;
    output.index_faults(&args.site, &faults)?;
    Ok(if faults.is_empty() { Exit::Good } else { Exit::No })
}
