//! `wheelsmith index build`

use std::path::PathBuf;

use wheelsmith_core::index;
use wheelsmith_core::sys::Host;

use super::AddArgs;
use crate::exit::Exit;
use crate::output::Output;

/// Make an index from a directory of files, or bring it up to date
///
/// Adds every wheel and source distribution below DIR and writes the pages that change. Nothing is
/// ever taken away: what was published and is not in DIR any more stays. When nothing changed, no
/// file is written.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The directory of the distributions
    #[arg(long, short, value_name = "DIST", default_value = "dist")]
    dir: PathBuf,
    #[command(flatten)]
    add: AddArgs,
}

pub(super) fn run(args: &Args, host: &Host, output: &Output) -> anyhow::Result<Exit> {
    let site = &args.add.site.site;
    let changes = index::build(site, &args.dir, &args.add.options(), host)?;
    output.indexed(site, &changes)?;
    Ok(Exit::Good)
}
