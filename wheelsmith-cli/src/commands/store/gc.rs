//! `wheelsmith store gc`

use wheelsmith_core::name::Digest;
use wheelsmith_core::sys::Host;

use super::StoreArgs;
use crate::exit::Exit;
use crate::output::Output;

/// List unused objects, or delete what was listed
///
/// Lists the objects that no release, channel, pin or recent reference uses, and prints the digest of
/// the list. Pins keep their sets for ever, commits and inputs of builds for `--keep` days. Nothing that
/// is younger than a day is listed. Without `--apply` nothing is deleted. Releases and channels are not
/// written yet.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wheelsmith store gc --store s                 print the list and its digest
  wheelsmith store gc --store s --apply DIGEST  delete what it lists")]
pub(super) struct Args {
    #[command(flatten)]
    store: StoreArgs,
    /// Days for which commits and inputs keep their sets
    #[arg(long, value_name = "DAYS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..))]
    keep: u64,
    /// Digest of the list that the dry run printed
    #[arg(long, value_name = "DIGEST")]
    apply: Option<Digest>,
}

pub(super) fn run(args: &Args, host: &Host, output: &Output) -> anyhow::Result<Exit> {
    let store = args.store.open(host)?;
    let garbage = match &args.apply {
        Some(digest) => store.collect(args.keep, digest)?,
        None => store.garbage(args.keep)?,
    };
    output.garbage(&garbage, args.apply.is_some())?;
    Ok(Exit::Good)
}
