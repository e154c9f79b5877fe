//! `wheelsmith pack`

use std::path::PathBuf;

use wheelsmith_core::name::Target;
use wheelsmith_core::plan::PackageKind;
use wheelsmith_core::project::{BuildOptions, Project};
use wheelsmith_core::source::Policy;
use wheelsmith_core::sys::Host;

use super::build::shorten;
use super::shared::{self, PackingArgs, PolicyArgs, ResultArgs, TargetArgs};
use crate::exit::Exit;
use crate::output::Output;

/// Make archives, installers, npm packages and crates
///
/// Makes the packages of `[[tool.wheelsmith.archive]]`, `[[tool.wheelsmith.installer]]`,
/// `[[tool.wheelsmith.npm]]` and `[[tool.wheelsmith.crates]]`, without wheels and SDKs. A component
/// that is not up to date is built first, and the output says so. A
/// package whose files do not qualify for their target is not written.
#[derive(Debug, clap::Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is an option of the command line")]
#[command(after_help = "\
Examples:
  wheelsmith pack                    every package of the configuration
  wheelsmith pack npm                npm packages only
  wheelsmith pack npm --no-build     from the runtimes of earlier builds
  wheelsmith pack archive --binstall print the metadata for `cargo binstall`

Exit codes: 0 packed; 1 files do not qualify for a target; 2 it could not finish.")]
pub(crate) struct Args {
    /// Kind of package: archive, npm, crates, installer; repeatable [default: all]
    #[arg(value_enum, value_name = "KIND", hide_possible_values = true)]
    kinds: Vec<Kind>,
    /// Project: a directory, or its `pyproject.toml` or `wheelsmith.toml`
    #[arg(long, default_value = ".", value_name = "PROJECT", hide_default_value = true)]
    project: PathBuf,
    #[command(flatten)]
    targets: TargetArgs,
    /// Directory for the packages [default: `dist` in the project]
    #[arg(long, short, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Make packages of all targets although some are not selected
    #[arg(long)]
    partial: bool,
    /// Build nothing: use the runtimes of earlier builds
    #[arg(long)]
    no_build: bool,
    /// Print the plan, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Print and check the metadata for `cargo binstall`, and write nothing
    #[arg(long, conflicts_with_all = ["dry_run", "no_build", "partial"])]
    binstall: bool,
    #[command(flatten)]
    policy: PolicyArgs,
    #[command(flatten)]
    packing: PackingArgs,
    #[command(flatten)]
    result: ResultArgs,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Kind {
    Archive,
    Npm,
    Crates,
    Installer,
}

impl From<Kind> for PackageKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Archive => Self::Archive,
            Kind::Npm => Self::Npm,
            Kind::Crates => Self::Crates,
            Kind::Installer => Self::Installer,
        }
    }
}

impl Args {
    fn options(&self, project: &Project, targets: Vec<Target>) -> BuildOptions {
        let out = self.out.clone().unwrap_or_else(|| shorten(&project.dir.join("dist")));
        let Policy { offline, locked } = self.policy.policy();
        BuildOptions::new()
            .targets(targets)
            .out(out)
            .offline(offline)
            .locked(locked)
            .compression(self.packing.compression())
            .no_cache(self.packing.no_cache)
            .packages(self.kinds.iter().copied().map(PackageKind::from))
            .partial(self.partial)
            .no_build(self.no_build)
    }
}

pub(super) fn run(args: &Args, host: &Host, output: &Output) -> anyhow::Result<Exit> {
    args.result.keep(output, || {
        let project = Project::open_on(&args.project, host)?;
        if args.binstall {
            let found = project.binstall()?;
            output.binstall(&found)?;
            let is_good = found.iter().all(|binstall| binstall.problems.is_empty());
            return Ok(if is_good { Exit::Good } else { Exit::No });
        }
        let targets = args.targets.of(&project);
        let options = args.options(&project, targets);
        shared::build(&project, &options, args.dry_run, output)
    })
}
