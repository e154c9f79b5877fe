//! `wheelsmith store diff`

use wheelsmith_core::store::{self, SetId};
use wheelsmith_core::sys::Host;

use super::StoreArgs;
use crate::exit::Exit;
use crate::output::Output;

/// Compare two sets
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wheelsmith store diff sha256:ONE sha256:TWO --store /srv/store

Exit codes: 0 the same; 1 they differ; 2 they could not be read.")]
pub(super) struct Args {
    /// First set
    #[arg(value_name = "SET")]
    before: SetId,
    /// Second set
    #[arg(value_name = "SET")]
    after: SetId,
    #[command(flatten)]
    store: StoreArgs,
}

pub(super) fn run(args: &Args, host: &Host, output: &Output) -> anyhow::Result<Exit> {
    let store = args.store.open(host)?;
    let diff = store::diff(&store.set(&args.before)?, &store.set(&args.after)?);
    output.set_diff(&diff)?;
    Ok(if args.before == args.after { Exit::Good } else { Exit::No })
}
