//! `wheelsmith index latest`

use std::path::PathBuf;

use wheelsmith_core::index::{Site, View};
use wheelsmith_core::sys::Host;

use crate::exit::Exit;
use crate::output::Output;

/// Lead `latest` to a view
///
/// `latest/simple/` has the same pages then, and `latest.json`, written last, says which view it is.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The view
    #[arg(value_name = "VIEW")]
    view: View,
    /// The directory of the index
    #[arg(long = "out", short = 'o', visible_alias = "site", value_name = "SITE")]
    site: PathBuf,
}

pub(super) fn run(args: &Args, host: &Host, output: &Output) -> anyhow::Result<Exit> {
    let mut site = Site::open_existing(&args.site, host)?;
    site.state.set_latest(&args.view)?;
    output.indexed(&args.site, &site.publish(host)?)?;
    Ok(Exit::Good)
}
