//! `wheelsmith update`

use std::path::PathBuf;

use wheelsmith_core::project::{Project, UpdateOptions};
use wheelsmith_core::sys::Host;

use crate::exit::Exit;
use crate::output::Output;

/// Move pinned sources to their newest versions
///
/// Crates are looked up with cargo, source distributions with uv or pip, commits by the tags that git
/// lists, each with your configuration of that tool. The configuration keeps its comments and layout;
/// `wheelsmith.lock` gets the new digests. Directories and archives have no newer version.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wheelsmith update --dry-run        show what is newer
  wheelsmith update                  move every source
  wheelsmith update zstd --to 1.5.6  move one source to a version or tag")]
pub(crate) struct Args {
    /// Components whose sources are moved [default: all]
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Project: a directory, or its `pyproject.toml` or `wheelsmith.toml`
    #[arg(long, default_value = ".", value_name = "PROJECT")]
    project: PathBuf,
    /// Version, tag or full commit id to move one source to
    #[arg(long, value_name = "VERSION")]
    to: Option<String>,
    /// Show what is newer; write nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(args: &Args, host: &Host, output: &Output) -> anyhow::Result<Exit> {
    let project = Project::open_on(&args.project, host)?;
    let options = UpdateOptions::new()
        .components(args.names.clone())
        .to(args.to.clone())
        .dry_run(args.dry_run);
    let updates = project.update(&options)?;
    output.updated(&updates, args.dry_run)?;
    let failed = updates.iter().any(|update| update.newer.is_err());
    Ok(if failed { Exit::Failed } else { Exit::Good })
}
