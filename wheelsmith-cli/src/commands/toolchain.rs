//! `wheelsmith toolchain`

use std::collections::BTreeSet;
use std::path::PathBuf;

use wheelsmith_core::config::Kind;
use wheelsmith_core::name::{TARGETS, Target};
use wheelsmith_core::project::Project;
use wheelsmith_core::sys::Host;
use wheelsmith_core::toolchain;

use crate::exit::Exit;
use crate::output::Output;

/// List the compilers found for each target, and those missing
///
/// In a project, lists its targets, and Rust only if a component needs it. Elsewhere, lists every
/// target.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wheelsmith toolchain
  wheelsmith toolchain --target aarch64-unknown-linux-gnu")]
pub(crate) struct Args {
    /// Project whose configuration and `rust-toolchain.toml` are read
    #[arg(default_value = ".", value_name = "PROJECT")]
    project: PathBuf,
    /// Target to list; repeatable [default: those of the project]
    #[arg(long, short, value_name = "TARGET")]
    target: Vec<Target>,
}

pub(super) fn run(args: &Args, host: &Host, output: &Output) -> anyhow::Result<Exit> {
    let project = Project::load(&args.project).ok();
    let targets: Vec<Target> = match &project {
        _ if !args.target.is_empty() => args.target.clone(),
        Some(project) => project.targets(&[]),
        None => TARGETS.iter().filter_map(|row| row.triple.parse().ok()).collect(),
    };
    // A universal2 target has no toolchain of its own, only its slices.
    let mut seen = BTreeSet::new();
    let compiled = targets.iter().flat_map(Target::compiled);
    let targets: Vec<Target> = compiled.filter(|target| seen.insert(target.to_string())).collect();
    let zig = project.as_ref().and_then(Project::zig);
    let needs_rust = project.as_ref().is_none_or(|project| {
        let mut components = project.config.components.iter();
        components.any(|component| matches!(component.kind, Kind::Cargo(_)))
    });
    let dir = project.map_or_else(|| PathBuf::from("."), |project| project.dir);
    let mut found = toolchain::survey(host, &targets, zig.as_deref(), &dir)?;
    for target in found.iter_mut().filter(|_| !needs_rust) {
        target.rust = None;
    }
    output.toolchains(&found)?;
    Ok(Exit::Good)
}
