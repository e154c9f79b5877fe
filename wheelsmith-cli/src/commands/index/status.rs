//! `wheelsmith index status`

use wheelsmith_core::index::{Site, Status};
use wheelsmith_core::name::ProjectName;
use wheelsmith_core::sys::Host;

use super::SiteArgs;
use crate::exit::Exit;
use crate::output::Output;

/// Set the status of a project
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wheelsmith index status demo deprecated --reason 'use demo2' --out site")]
pub(super) struct Args {
    /// Project
    #[arg(value_name = "PROJECT")]
    project: ProjectName,
    /// `active`; `archived`: no further files; `deprecated`: replaced by another project;
    /// `quarantined`: installers see no files
    #[arg(value_name = "STATUS")]
    status: Status,
    /// Reason, shown to users
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
