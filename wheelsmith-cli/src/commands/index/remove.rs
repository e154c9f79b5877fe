//! `wheelsmith index remove`

use anyhow::bail;
use wheelsmith_core::index::{Select, Site};
use wheelsmith_core::sys::Host;

use super::SiteArgs;
use crate::exit::Exit;
use crate::output::Output;

/// Remove files from an index
///
/// Projects that pin them cannot install them any more. `wheelsmith index yank` hides files from
/// new installations only.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wheelsmith index remove demo==1.0 --out site
  wheelsmith index remove --all --view commit/1f3e5d --out site   a whole view")]
pub(super) struct Args {
    /// Files: a release `demo==1.0`, a file name, or with `--all` a project `demo`
    #[arg(value_name = "FILES", required_unless_present = "all")]
    select: Vec<Select>,
    /// Remove all files of the named projects, or without names the whole view
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    site: SiteArgs,
}

pub(super) fn run(args: &Args, host: &Host, output: &Output) -> anyhow::Result<Exit> {
    let view = &args.site.view;
    if args.all && args.select.is_empty() && view.is_main() {
        bail!("`--all` without names removes a view: name it with `--view`");
    }
    if let Some(select) = args.select.iter().find(|s| s.is_project() && !args.all) {
        bail!("`{select}` is every file of the project: add `--all`, or name a version");
    }
    let mut site = Site::open_existing(&args.site.site, host)?;
    if args.select.is_empty() {
        site.state.remove_view(view)?;
    }
    for select in &args.select {
        site.state.remove(view, select)?;
    }
    output.indexed(&args.site.site, &site.publish(host)?)?;
    Ok(Exit::Good)
}
