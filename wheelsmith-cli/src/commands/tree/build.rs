//! `wheelsmith tree build`

use std::path::PathBuf;

use wheelsmith_core::name::Target;
use wheelsmith_core::plan::BuildOptions;
use wheelsmith_core::project::Project;
use wheelsmith_core::sys::Host;

use crate::exit::Exit;
use crate::output::Output;

/// Build trees that run wherever they are unpacked
///
/// Builds the components of each `[[tool.wheelsmith.tree]]`, rewrites their files so that they name
/// no prefix, and packs them. An archive is not written if a place stays in it that `allow` does not
/// name.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wheelsmith tree build
  wheelsmith tree build --target aarch64-unknown-linux-gnu.2.17 --out dist

Exit codes: 0 built; 1 a tree cannot run anywhere; 2 it could not be built.")]
pub(crate) struct Args {
    /// Directory of the project
    #[arg(long, value_name = "DIR", default_value = ".")]
    project: PathBuf,
    /// Target to build for; may be repeated [default: those of the configuration]
    #[arg(long, short, value_name = "TARGET")]
    target: Vec<Target>,
    /// Directory for the archives [default: dist in the project]
    #[arg(long, short, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Download nothing
    #[arg(long)]
    offline: bool,
}

pub(super) fn run(args: &Args, host: &Host, output: &Output) -> anyhow::Result<Exit> {
    let project = Project::open_on(&args.project, host)?;
    let mut options =
        BuildOptions::new().targets(args.target.iter().copied()).offline(args.offline);
    options.out.clone_from(&args.out);
    let results = project.build_trees(&options)?;
    output.trees(&results)?;
    let exits = results.iter().map(|(_, result)| match result {
        Err(_) => Exit::Failed,
        Ok(trees) if trees.iter().all(wheelsmith_core::project::BuiltTree::is_good) => Exit::Good,
        Ok(_) => Exit::No,
    });
    Ok(exits.max().unwrap_or(Exit::Failed))
}
