//! `wheelsmith wheel unpack`

use std::path::PathBuf;

use anyhow::Context as _;
use wheelsmith_core::sys;
use wheelsmith_core::wheel::{Existing, Source};

use crate::exit::Exit;
use crate::output::Output;

/// Unpack a wheel to `NAME-VERSION` in a directory
///
/// Files keep their modes. `wheelsmith wheel pack` makes a wheel of the directory again.
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
}

pub(super) fn run(args: &Args, output: &Output) -> anyhow::Result<Exit> {
    let wheel = Existing::open(&args.wheel)?;
    let root = super::place(&args.out, wheel.stem());
    if root.exists() {
        anyhow::bail!(
            "`{}` exists already; remove it, or name another directory with `--out`",
            root.display()
        );
    }
    let unfinished = sys::fs::UnfinishedDir::create(&root)?;
    let mut files = 0;
    for entry in wheel.every_file() {
        let place = unfinished.path().join(entry.path.as_str());
        if let Some(parent) = place.parent() {
            sys::fs::create_dir_all(parent)?;
        }
        let unpack = || -> std::io::Result<()> {
            match &entry.source {
                Source::Bytes(bytes) => sys::fs::write(&place, bytes)?,
                Source::File { path, .. } => {
                    sys::fs::copy(path, &place)?;
                }
            }
            sys::fs::set_executable(&place, entry.executable)
        };
        unpack().with_context(|| format!("cannot unpack `{}`", entry.path))?;
        files += 1;
    }
    unfinished.finish()?;
    output.unpacked(&root, files)?;
    Ok(Exit::Good)
}
