//! `wheelsmith store ls`

use wheelsmith_core::store::{Key, SetId};
use wheelsmith_core::sys::Host;

use super::{CommitArg, HERE, StoreArgs, commit_arg};
use crate::exit::Exit;
use crate::output::Output;

/// List commits and pins, the sets of a commit, or the files of a set
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wheelsmith store ls --store /srv/store
  wheelsmith store ls --store /srv/store --commit
  wheelsmith store ls --store /srv/store sha256:SET

Exit codes: 0 listed; 1 the store has no set of the commit; 2 the store could not be read.")]
pub(super) struct Args {
    /// Set whose files are listed
    #[arg(value_name = "SET", conflicts_with = "commit")]
    set: Option<SetId>,
    #[command(flatten)]
    store: StoreArgs,
    /// Commit whose sets are listed [without a value: the one that git has checked out]
    #[arg(long, value_name = "ID", value_parser = commit_arg, num_args = 0..=1,
          default_missing_value = "HEAD")]
    commit: Option<CommitArg>,
}

pub(super) fn run(args: &Args, host: &Host, output: &Output) -> anyhow::Result<Exit> {
    let store = args.store.open(host)?;
    if let Some(id) = args.set {
        output.stored_files(&id, &store.set(&id)?)?;
        return Ok(Exit::Good);
    }
    if let Some(commit) = &args.commit {
        let commit = commit.resolve(HERE.as_ref(), host)?;
        let sets = store.commit(&commit)?;
        output.stored_sets(&commit, &sets)?;
        return Ok(if sets.is_empty() { Exit::No } else { Exit::Good });
    }
    let mut keys = Vec::new();
    for prefix in [Key::COMMITS, Key::RELEASES, Key::CHANNELS, Key::PINS] {
        keys.extend(store.keys(prefix)?);
    }
    keys.sort();
    output.stored_references(&keys)?;
    Ok(Exit::Good)
}
