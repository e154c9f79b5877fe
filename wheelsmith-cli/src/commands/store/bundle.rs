//! `wheelsmith store export` and `import`

use std::path::PathBuf;

use wheelsmith_core::sys::Host;

use super::{SelectArgs, StoreArgs};
use crate::exit::Exit;
use crate::output::Output;

/// Write the sets of a commit to one tar archive
///
/// The archive has the references, sets and files. Modes are kept, also by services that pass only
/// single files between jobs.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wheelsmith store export --store /srv/store --commit --bundle build.tar")]
pub(super) struct ExportArgs {
    #[command(flatten)]
    select: SelectArgs,
    #[command(flatten)]
    store: StoreArgs,
    /// Archive to write
    #[arg(long, value_name = "FILE")]
    bundle: PathBuf,
}

pub(super) fn export(args: &ExportArgs, host: &Host, output: &Output) -> anyhow::Result<Exit> {
    let store = args.store.open(host)?;
    let sets = args.select.sets(&store, host)?;
    let keys = args.select.keys(&sets, host)?;
    let ids: Vec<_> = sets.iter().map(|(id, _)| *id).collect();
    let moved = store.export(&keys, &ids, &args.bundle)?;
    output.bundle(&args.bundle, moved)?;
    Ok(Exit::Good)
}

/// Store what a bundle contains
///
/// Every file is compared with its digest. A set is stored if all its files are there, and a reference
/// if its set is. Only references for commits are accepted. Do not import bundles of jobs that you do not
/// trust into a store from which others build.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wheelsmith store import --store /srv/store --bundle build.tar")]
pub(super) struct ImportArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// Archive to read
    #[arg(long, value_name = "FILE")]
    bundle: PathBuf,
}

pub(super) fn import(args: &ImportArgs, host: &Host, output: &Output) -> anyhow::Result<Exit> {
    let moved = args.store.open(host)?.import(&args.bundle)?;
    output.bundle(&args.bundle, moved)?;
    Ok(Exit::Good)
}
