//! `wheelsmith store get`

use std::path::PathBuf;

use wheelsmith_core::store::Set;
use wheelsmith_core::sys::Host;

use super::{SelectArgs, StoreArgs};
use crate::exit::Exit;
use crate::output::Output;

/// Write the files of sets to a directory
///
/// Every file is compared with its digest before it gets its name. With a commit, the sets of all its
/// slots are written to one directory.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wheelsmith store get --store /srv/store --commit --out dist
  wheelsmith store get --store /srv/store sha256:SET --out runtime")]
pub(super) struct Args {
    #[command(flatten)]
    select: SelectArgs,
    #[command(flatten)]
    store: StoreArgs,
    /// Directory for the files
    #[arg(long, short, value_name = "DIR", default_value = "dist")]
    out: PathBuf,
}

pub(super) fn run(args: &Args, host: &Host, output: &Output) -> anyhow::Result<Exit> {
    let store = args.store.open(host)?;
    let sets = args.select.sets(&store, host)?;
    // Two sets may have the same file, and not two files of one name.
    let mut all =
        Set::new(sets[0].1.project.clone(), sets[0].1.version.clone(), sets[0].1.slot.clone());
    all.files = sets.iter().flat_map(|(_, set)| set.files.iter().cloned()).collect();
    all.files.sort_by(|a, b| a.path.cmp(&b.path));
    all.files.dedup_by(|a, b| a.path == b.path && a.sha256 == b.sha256 && a.mode == b.mode);
    if let Some(problem) = all.problem() {
        anyhow::bail!("cannot write the sets to one directory: {problem}");
    }
    store.fetch_set(&all, &args.out)?;
    output.got(&args.out, &all)?;
    Ok(Exit::Good)
}
