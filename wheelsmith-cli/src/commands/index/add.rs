//! `wheelsmith index add`

use std::path::PathBuf;

use wheelsmith_core::index::Site;
use wheelsmith_core::sys::Host;

use super::AddArgs;
use crate::exit::Exit;
use crate::output::Output;

/// Add files to an index
///
/// Each is read whole first; when one is damaged, or its name is there with other content, none is
/// added. A file that is there already is put into the store again if it is not right there.
#[derive(Debug, clap::Args)]
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
