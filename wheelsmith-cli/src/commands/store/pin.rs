//! `wheelsmith store pin`

use wheelsmith_core::store::{Key, Label, SetId};
use wheelsmith_core::sys::Host;

use super::StoreArgs;
use crate::exit::Exit;
use crate::output::Output;

/// Keep a set for ever under a name, or stop keeping it
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wheelsmith store pin before-upgrade sha256:SET --store /srv/store
  wheelsmith store pin before-upgrade --remove --store /srv/store")]
pub(super) struct Args {
    /// Name of the pin
    name: Label,
    /// Set
    #[arg(required_unless_present = "remove")]
    set: Option<SetId>,
    /// Remove the pin
    #[arg(long, conflicts_with = "set")]
    remove: bool,
    #[command(flatten)]
    store: StoreArgs,
}

pub(super) fn run(args: &Args, host: &Host, output: &Output) -> anyhow::Result<Exit> {
    let store = args.store.open(host)?;
    if let Some(set) = args.set {
        store.refer(&Key::pin(&args.name), &set)?;
        output.pinned(&args.name, Some(set))?;
        return Ok(Exit::Good);
    }
    anyhow::ensure!(store.unpin(&args.name)?, "the store has no pin `{}`", args.name);
    output.pinned(&args.name, None)?;
    Ok(Exit::Good)
}
