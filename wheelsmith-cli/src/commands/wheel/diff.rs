//! `wheelsmith wheel diff`

use std::path::PathBuf;

use wheelsmith_core::wheel::{Likeness, diff};

use crate::exit::Exit;
use crate::output::Output;

/// Compare two wheels: files, metadata and archive
///
/// The first line is one of: identical; same content, other compression; same content, other
/// framing; same files, other metadata; different.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wheelsmith wheel diff dist/demo.whl rebuilt/demo.whl
  wheelsmith wheel diff --content dist/demo.whl rebuilt/demo.whl

Exit codes: 0 the same bytes; 1 different; 2 a file could not be read.")]
pub(crate) struct Args {
    /// Wheel or other zip archive
    #[arg(value_name = "A")]
    before: PathBuf,
    /// Wheel or archive to compare it with
    #[arg(value_name = "B")]
    after: PathBuf,
    /// Exit with 0 also if only the compression or framing differs
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
