//! `wheelsmith index yank` and `unyank`

use wheelsmith_core::index::Site;
use wheelsmith_core::sys::Host;

use super::{SelectArgs, SiteArgs};
use crate::exit::Exit;
use crate::output::Output;

/// Hide files from installers that do not ask for the exact version
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wheelsmith index yank demo==1.0 --reason 'crashes on start' --out site")]
pub(super) struct Args {
    #[command(flatten)]
    select: SelectArgs,
    /// Reason, shown to users
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
    #[command(flatten)]
    site: SiteArgs,
}

/// Offer yanked files again
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wheelsmith index unyank demo==1.0 --out site")]
pub(super) struct UnyankArgs {
    #[command(flatten)]
    select: SelectArgs,
    #[command(flatten)]
    site: SiteArgs,
}

pub(super) fn run(args: &Args, host: &Host, output: &Output) -> anyhow::Result<Exit> {
    set(&args.site, &args.select, Some(&args.reason), host, output)
}

pub(super) fn unyank(args: &UnyankArgs, host: &Host, output: &Output) -> anyhow::Result<Exit> {
    set(&args.site, &args.select, None, host, output)
}

fn set(
    site: &SiteArgs,
    select: &SelectArgs,
    reason: Option<&str>,
    host: &Host,
    output: &Output,
) -> anyhow::Result<Exit> {
    let mut opened = Site::open_existing(&site.site, host)?;
    for select in &select.select {
        opened.state.yank(&site.view, select, reason)?;
    }
    output.indexed(&site.site, &opened.publish(host)?)?;
    Ok(Exit::Good)
}
