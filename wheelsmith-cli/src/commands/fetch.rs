//! `wheelsmith fetch`

use wheelsmith_core::project::BuildOptions;
use wheelsmith_core::source::Policy;
use wheelsmith_core::sys::Host;

use super::shared::{PolicyArgs, ProjectArgs};
use crate::exit::Exit;
use crate::output::Output;

/// Download every source and pin it in `wheelsmith.lock`
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wheelsmith fetch            before a build without network
  wheelsmith fetch --locked   fail if the lock is not current")]
pub(crate) struct Args {
    #[command(flatten)]
    project: ProjectArgs,
    #[command(flatten)]
    policy: PolicyArgs,
}

pub(super) fn run(args: &Args, host: &Host, output: &Output) -> anyhow::Result<Exit> {
    let (project, targets) = args.project.load(host)?;
    let Policy { offline, locked } = args.policy.policy();
    let options = BuildOptions::new().targets(targets).offline(offline).locked(locked);
    let sources = project.fetch(&options)?;
    output.fetched(sources)?;
    Ok(Exit::Good)
}
