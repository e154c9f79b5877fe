//! `wheelsmith toolchain`

use std::path::PathBuf;

use wheelsmith_core::name::{TARGETS, Target};
use wheelsmith_core::project::Project;
use wheelsmith_core::sys::Host;
use wheelsmith_core::toolchain;

use crate::exit::Exit;
use crate::output::Output;

/// List the compilers found for each target, and those missing
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wheelsmith toolchain
  wheelsmith toolchain --target aarch64-unknown-linux-gnu")]
pub(crate) struct Args {
    /// Project whose configuration and `rust-toolchain.toml` are read
    #[arg(default_value = ".", value_name = "PROJECT")]
    project: PathBuf,
    /// Target to list; repeatable [default: all]
    #[arg(long, short, value_name = "TARGET")]
    target: Vec<Target>,
}

pub(super) fn run(args: &Args, host: &Host, output: &Output) -> anyhow::Result<Exit> {
    let targets: Vec<Target> = if args.target.is_empty() {
        // A universal2 target has no toolchain of its own, only its slices.
        let compiled = TARGETS.iter().filter(|row| row.slices.is_empty());
        compiled.filter_map(|row| row.triple.parse().ok()).collect()
    } else {
        args.target.iter().flat_map(Target::compiled).collect()
    };
    let project = Project::load(&args.project).ok();
    let zig = project.as_ref().and_then(Project::zig);
    let dir = project.map_or_else(|| PathBuf::from("."), |project| project.dir);
    output.toolchains(&toolchain::survey(host, &targets, zig.as_deref(), &dir)?)?;
    Ok(Exit::Good)
}
