//! `wheelsmith store complete`

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::Context as _;
use wheelsmith_core::project::Project;
use wheelsmith_core::store::Label;
use wheelsmith_core::sys::Host;

use super::{CommitArg, HERE, StoreArgs, commit_arg, slot_arg};
use crate::exit::Exit;
use crate::output::Output;

/// Compare the sets of a commit with the targets of the project
///
/// The expected slots are those of `--slot`, else the targets of the configuration. The size of each
/// file is compared; `verify` also reads them.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wheelsmith store complete --store /srv/store --commit

Exit codes: 0 complete; 1 a slot is missing, and which; 2 the sets could not be read.")]
pub(super) struct Args {
    /// Project: a directory, or its `pyproject.toml` or `wheelsmith.toml`
    #[arg(default_value = ".", value_name = "PROJECT")]
    project: PathBuf,
    #[command(flatten)]
    store: StoreArgs,
    /// Commit [without a value: the one that git has checked out]
    #[arg(long, value_name = "ID", value_parser = commit_arg, num_args = 0..=1,
          default_missing_value = "HEAD", default_value = "HEAD")]
    commit: CommitArg,
    /// Expected slot, in place of those of the configuration; repeatable
    #[arg(long, value_name = "SLOT", value_parser = slot_arg)]
    slot: Vec<Label>,
}

pub(super) fn run(args: &Args, host: &Host, output: &Output) -> anyhow::Result<Exit> {
    let store = args.store.open(host)?;
    let mut dir = args.project.as_path();
    if dir.is_file() {
        dir = dir.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(HERE.as_ref());
    }
    let commit = args.commit.resolve(dir, host)?;
    let expected = if args.slot.is_empty() {
        let project = Project::open_on(&args.project, host)
            .context("cannot tell which slots are expected: name each with `--slot`")?;
        project.slots()
    } else {
        args.slot.clone()
    };
    let mut found: BTreeSet<Label> = BTreeSet::new();
    for (slot, _, set) in store.commit(&commit)? {
        store.check_sizes(&set)?;
        found.insert(slot);
    }
    let missing: Vec<Label> =
        expected.iter().filter(|slot| !found.contains(slot)).cloned().collect();
    output.completed(&commit, &found, &missing)?;
    Ok(if missing.is_empty() { Exit::Good } else { Exit::No })
}
