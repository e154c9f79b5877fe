//! `wheelsmith wheel unpack`

use std::path::PathBuf;

use wheelsmith_core::sys;
use wheelsmith_core::wheel::Existing;

use crate::exit::Exit;
use crate::output::Output;

/// Unpack a wheel to `NAME-VERSION` in a directory
///
/// Compares every file with `RECORD` first. Files keep their modes. `wheelsmith wheel pack` makes a
/// wheel of the directory again.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wheelsmith wheel unpack dist/demo-1.0-py3-none-any.whl --out work")]
pub(crate) struct Args {
    /// Wheel
    wheel: PathBuf,
    /// Directory to unpack into
    #[arg(long, short, value_name = "DIR", default_value = ".")]
    out: PathBuf,
    #[command(flatten)]
    force: super::ForceArgs,
}

pub(super) fn run(args: &Args, output: &Output) -> anyhow::Result<Exit> {
    let wheel = Existing::open(&args.wheel)?;
    args.force.verify(&wheel)?;
    let root = super::place(&args.out, wheel.stem());
    if root.exists() {
        anyhow::bail!(
            "`{}` exists already; remove it, or name another directory with `--out`",
            root.display()
        );
    }
    let unfinished = sys::fs::UnfinishedDir::create(&root)?;
    let files = wheel.unpack(unfinished.path())?;
    unfinished.finish()?;
    output.unpacked(&root, files)?;
    Ok(Exit::Good)
}
