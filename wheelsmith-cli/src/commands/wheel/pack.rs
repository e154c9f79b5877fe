//! `wheelsmith wheel pack`

use std::path::PathBuf;

use wheelsmith_core::sys::Host;
use wheelsmith_core::wheel::Existing;

use crate::commands::shared::PackingArgs;
use crate::exit::Exit;
use crate::output::Output;

/// Pack an unpacked wheel again
///
/// Takes the name from `.dist-info` and the `Tag` lines of `WHEEL`. A wheel that wheelsmith wrote gets
/// the same bytes again. Files that changed since then need `--force REASON`, which writes a new
/// `RECORD`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wheelsmith wheel pack demo-1.0 --out dist
  wheelsmith wheel pack demo-1.0 --force 'a library was corrected'")]
pub(crate) struct Args {
    /// Directory that contains the `.dist-info`
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// Directory for the wheel
    #[arg(long, short, value_name = "DIR", default_value = ".")]
    out: PathBuf,
    #[command(flatten)]
    packing: PackingArgs,
    #[command(flatten)]
    force: super::ForceArgs,
}

pub(super) fn run(args: &Args, host: &Host, output: &Output) -> anyhow::Result<Exit> {
    let wheel = Existing::from_directory(&args.directory)?;
    args.force.verify(&wheel)?;
    let filename = wheel.filename.clone();
    let made = super::write(wheel, filename, &args.out, &args.packing, host)?;
    output.written(&[made])?;
    Ok(Exit::Good)
}
