//! `wheelsmith index status`

use wheelsmith_core::index::{Site, Status};
use wheelsmith_core::name::ProjectName;
use wheelsmith_core::sys::Host;

use super::SiteArgs;
use crate::exit::Exit;
use crate::output::Output;

/// Say how a project stands
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The project
    #[arg(value_name = "PROJECT")]
    project: ProjectName,
    /// `active`; `archived`: takes no more files; `deprecated`: something else took its place;
    /// `quarantined`: its files are not offered
    #[arg(value_name = "STATUS")]
    status: Status,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    site: SiteArgs,
}

pub(super) fn run(args: &Args, host: &Host, output: &Output) -> anyhow::Result<Exit> {
    let mut site = Site::open_existing(&args.site.site, host)?;
    let (project, reason) = (args.project.normalized(), args.reason.as_deref());
    site.state.set_status(&args.site.view, &project, args.status, reason)?;
    output.indexed(&args.site.site, &site.publish(host)?)?;
    Ok(Exit::Good)
}
