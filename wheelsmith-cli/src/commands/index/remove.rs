//! `wheelsmith index remove`

use anyhow::bail;
use wheelsmith_core::index::{Select, Site};
use wheelsmith_core::sys::Host;

use super::SiteArgs;
use crate::exit::Exit;
use crate::output::Output;

/// Take files out of an index
///
/// Who pinned them can install them no more: to have them passed over, yank them instead.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// `demo==1.0`, the name of a file, or with --all `demo`
    #[arg(value_name = "FILES", required_unless_present = "all")]
    select: Vec<Select>,
    /// All files of each project that is named; the whole view when none is
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    site: SiteArgs,
}

pub(super) fn run(args: &Args, host: &Host, output: &Output) -> anyhow::Result<Exit> {
    let view = &args.site.view;
    if args.all && args.select.is_empty() && view.is_main() {
        bail!("`--all` without names takes a view away: name it with `--view`");
    }
    if let Some(select) = args.select.iter().find(|s| s.is_project() && !args.all) {
        bail!("`{select}` means every file of the project: say `--all` as well, or name a version");
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
