//! `wheelsmith index latest`

use std::path::PathBuf;

use wheelsmith_core::index::{Site, View};
use wheelsmith_core::sys::Host;

use crate::exit::Exit;
use crate::output::Output;

/// Point `latest` at a view
///
/// Writes the pages of the view to `latest/simple/` and then its name to `latest.json`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wheelsmith index latest commit/1f3e5d --out site")]
pub(super) struct Args {
    /// View
    #[arg(value_name = "VIEW")]
    view: View,
    /// Directory of the index
    #[arg(long = "out", short = 'o', alias = "site", value_name = "DIR")]
    site: PathBuf,
}

pub(super) fn run(args: &Args, host: &Host, output: &Output) -> anyhow::Result<Exit> {
    let mut site = Site::open_existing(&args.site, host)?;
    site.state.set_latest(&args.view)?;
    output.indexed(&args.site, &site.publish(host)?)?;
    Ok(Exit::Good)
}
