//! `wheelsmith sums`

use std::path::PathBuf;

use wheelsmith_core::seal::Sums;
use wheelsmith_core::sys::Host;

use crate::exit::Exit;
use crate::output::Output;

/// Write the digests of a directory's files to SHA256SUMS
///
/// The list has every file of the directory except for itself, its signatures and bundles of
/// sigstore. `sha256sum -c SHA256SUMS` reads it. A directory or a link is an error.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wheelsmith sums dist
  wheelsmith sums dist --each    write FILE.sha256 beside each file too")]
pub(crate) struct Args {
    /// Directory with the files
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// Write the digest of each file to a file of its own too
    #[arg(long)]
    each: bool,
}

pub(super) fn run(args: &Args, host: &Host, output: &Output) -> anyhow::Result<Exit> {
    let sums = Sums::of_dir(&args.dir, host)?;
    let changed = sums.write(&args.dir, args.each)?;
    output.sums(&args.dir, &sums, changed)?;
    Ok(Exit::Good)
}
