//! `wheelsmith sdist`

use std::path::PathBuf;

use wheelsmith_core::project::Project;
use wheelsmith_core::sys::Host;

use super::build::shorten;
use super::shared::ResultArgs;
use crate::exit::Exit;
use crate::output::Output;

/// Write the project's source distribution
///
/// Packs the files that git tracks, or those of `[tool.wheelsmith.sdist]`, and everything that a
/// build needs: the configuration, the lock, the licences. Sources from archives and registries are
/// not packed; the lock pins them. A wheel built from the archive has the same bytes as one built
/// from the project.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wheelsmith sdist
  wheelsmith sdist --out release")]
pub(crate) struct Args {
    /// Project: a directory or its `pyproject.toml`
    #[arg(default_value = ".", value_name = "PROJECT")]
    project: PathBuf,
    /// Directory for the archive [default: `dist` in the project]
    #[arg(long, short, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    result: ResultArgs,
}

pub(super) fn run(args: &Args, host: &Host, output: &Output) -> anyhow::Result<Exit> {
    args.result.keep(output, || {
        let project = Project::open_on(&args.project, host)?;
        let out = args.out.clone().unwrap_or_else(|| shorten(&project.dir.join("dist")));
        let file = project.sdist(&out)?;
        output.sdist(&file)?;
        Ok(Exit::Good)
    })
}
