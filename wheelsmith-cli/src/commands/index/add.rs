//! `wheelsmith index add`

use std::path::PathBuf;

use wheelsmith_core::index::Site;
use wheelsmith_core::sys::Host;

use super::AddArgs;
use crate::exit::Exit;
use crate::output::Output;

/// Add files to an index
///
/// Reads every file first, and adds none if one is damaged or the index has other content under its
/// name. A file that the index has already is restored in the store if it is missing or damaged there.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wheelsmith index add dist/demo-1.1-py3-none-any.whl --out site")]
pub(super) struct Args {
    /// Wheels and source distributions
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    add: AddArgs,
}

pub(super) fn run(args: &Args, host: &Host, output: &Output) -> anyhow::Result<Exit> {
    let mut site = Site::open(&args.add.site.site, host)?;
    site.add(&args.files, &args.add.options(), host)?;
    output.indexed(&args.add.site.site, &site.publish(host)?)?;
    Ok(Exit::Good)
}
