//! `wheelsmith sdist`

use std::path::PathBuf;

use wheelsmith_core::project::Project;
use wheelsmith_core::sys::Host;

use super::ResultArgs;
use super::build::shorten;
use crate::exit::Exit;
use crate::output::Output;

/// Write the project's source distribution
///
/// The archive holds what version control tracks, or what `[tool.wheelsmith.sdist]` says, and what a
/// build needs in any case: the configuration, the lock, the licences. Sources that come from
/// archives and registries stay there. The same sources give the same bytes, and a wheel built from
/// the archive has the bytes of one built from the project.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The project's directory, or its `pyproject.toml`
    #[arg(default_value = ".", value_name = "PROJECT")]
    project: PathBuf,
    /// Where the archive is written [default: `dist` in the project]
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
