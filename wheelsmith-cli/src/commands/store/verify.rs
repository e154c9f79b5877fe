//! `wheelsmith store verify`

use wheelsmith_core::sys::Host;

use super::StoreArgs;
use crate::exit::Exit;
use crate::output::Output;

/// Check every reference, set and file against its digest
///
/// Exits with 1 if one is damaged, or refers to something absent.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wheelsmith store verify --store /srv/store")]
pub(super) struct Args {
    #[command(flatten)]
    store: StoreArgs,
    /// Compare the sizes of files, and do not read them
    #[arg(long)]
    quick: bool,
}

pub(super) fn run(args: &Args, host: &Host, output: &Output) -> anyhow::Result<Exit> {
    let found = args.store.open(host)?.verify(args.quick)?;
    output.store_verified(&found, args.quick)?;
    Ok(if found.faults.is_empty() { Exit::Good } else { Exit::No })
}
