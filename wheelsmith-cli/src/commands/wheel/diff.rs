//! `wheelsmith wheel diff`

use std::path::PathBuf;

use wheelsmith_core::wheel::{Likeness, diff};

use crate::exit::Exit;
use crate::output::Output;

/// Compare two wheels: their files, their metadata, and how the archives hold them
///
/// Exit code 0 when they are the same bytes, 1 when not.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[arg(value_name = "A")]
    before: PathBuf,
    #[arg(value_name = "B")]
    after: PathBuf,
    /// Exit with 0 as well when only the archives differ, not the files in them
    #[arg(long)]
    content: bool,
}

pub(super) fn run(args: &Args, output: &Output) -> anyhow::Result<Exit> {
    let found = diff(&args.before, &args.after)?;
    output.wheel_diff(&found)?;
    let is_good = match found.likeness {
        Likeness::Identical => true,
        Likeness::OtherCompression | Likeness::OtherFraming => args.content,
        Likeness::Different => false,
    };
    Ok(if is_good { Exit::Good } else { Exit::No })
}
