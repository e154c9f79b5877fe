//! `wheelsmith build`

use std::path::{Path, PathBuf};

use wheelsmith_core::project::{BuildOptions, Made};
use wheelsmith_core::sys::Host;

use super::{PackingArgs, PolicyArgs, ProjectArgs};
use crate::exit::Exit;
use crate::output::Output;

/// Build the project's components and pack them into wheels
///
/// Cross-compiles every component for each target, inspects every native file of the result, and
/// writes a wheel with the platform tag that the bytes earn. A wheel that needs a newer system than
/// the configuration allows is not written.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    project: ProjectArgs,
    /// Where wheels are written [default: `dist` in the project]
    #[arg(long, short, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    policy: PolicyArgs,
    /// Print what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Make the runtime directory and its `.tar.gz`, no wheel
    #[arg(long)]
    runtime_only: bool,
    #[command(flatten)]
    packing: PackingArgs,
}

pub(super) fn run(args: &Args, host: &Host, output: &Output) -> anyhow::Result<Exit> {
    let (project, targets) = args.project.load()?;
    if args.dry_run {
        output.plan(&project.plan(&targets)?)?;
        return Ok(Exit::Good);
    }
    let options = BuildOptions {
        targets,
        out: args.out.clone().unwrap_or_else(|| shorten(&project.dir.join("dist"))),
        policy: args.policy.policy(),
        runtime_only: args.runtime_only,
        packing: args.packing.or(project.config.compression),
    };
    let made = project.build(&options, host)?;
    output.made(&made)?;
    Ok(exit(&made))
}

/// A path below the current directory is shown relative to it.
fn shorten(path: &Path) -> PathBuf {
    let here = Path::new(".").canonicalize().unwrap_or_default();
    path.strip_prefix(here).map_or_else(|_| path.to_owned(), Path::to_owned)
}

fn exit(made: &Made) -> Exit {
    let exits = made.iter().map(|(_, result)| match result {
        Err(_) => Exit::Failed,
        Ok(made) if made.wheels.iter().any(|wheel| wheel.file.is_none()) => Exit::No,
        Ok(_) => Exit::Good,
    });
    exits.max().unwrap_or(Exit::Good)
}
