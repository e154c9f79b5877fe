//! `wheelsmith wheel diff`

use std::path::PathBuf;

use wheelsmith_core::wheel::{Likeness, diff};

use crate::exit::Exit;
use crate::output::Output;

/// Compare two wheels: their files, their metadata, and how the archives hold them
///
/// The answer begins with one of: identical; same content, other compression; same content, other
/// framing; same files, other metadata; different. Exit code 0 when they are the same bytes, 1 when
/// not.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wheelsmith wheel diff dist/demo.whl rebuilt/demo.whl
  wheelsmith wheel diff --content dist/demo.whl rebuilt/demo.whl   whoever compressed them")]
pub(crate) struct Args {
    /// A wheel, or any zip archive
    #[arg(value_name = "A")]
    before: PathBuf,
    /// What it is compared with
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
        Likeness::OtherMetadata | Likeness::Different => false,
    };
    Ok(if is_good { Exit::Good } else { Exit::No })
}
