//! `wheelsmith build`

use std::path::{Path, PathBuf};

use wheelsmith_core::name::{ProjectName, Target};
use wheelsmith_core::project::{BuildOptions, BuildVerdict};
use wheelsmith_core::source::Policy;
use wheelsmith_core::sys::Host;

use super::{PackingArgs, PolicyArgs, ProjectArgs, ResultArgs};
use crate::exit::Exit;
use crate::output::Output;

/// Build the project's components and pack them into wheels
///
/// Cross-compiles every component for each target, inspects every native file of the result, and
/// writes a wheel with the platform tag that the bytes earn. A wheel that needs a newer system than
/// the configuration allows is not written. A project without wheels gets the `.tar.gz` of its
/// runtime directory; `[[tool.wheelsmith.sdk]]` adds one that C programs are compiled against.
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
    /// Make the runtime directory and its `.tar.gz`, no wheel and no SDK
    #[arg(long)]
    runtime_only: bool,
    #[command(flatten)]
    packing: PackingArgs,
    #[command(flatten)]
    which: WhichArgs,
    /// Make a wheel that lets Python import from the project itself
    #[arg(long)]
    editable: bool,
    #[command(flatten)]
    result: ResultArgs,
}

/// What is built of a project.
#[derive(Debug, clap::Args)]
pub(crate) struct WhichArgs {
    /// A feature to enable in components that cargo builds: `feature` in all of them,
    /// `component/feature` in one; may be repeated
    #[arg(long, value_name = "FEATURE", value_delimiter = ',')]
    features: Vec<String>,
    /// The one wheel to make, where the configuration has several
    #[arg(long, value_name = "NAME")]
    wheel: Option<ProjectName>,
}

impl WhichArgs {
    pub(super) fn options(
        &self,
        targets: Vec<Target>,
        out: PathBuf,
        policy: &PolicyArgs,
        packing: &PackingArgs,
    ) -> BuildOptions {
        let Policy { offline, locked } = policy.policy();
        BuildOptions::new()
            .targets(targets)
            .out(out)
            .offline(offline)
            .locked(locked)
            .compression(packing.compression())
            .no_cache(packing.no_cache)
            .features(self.features.clone())
            .wheel(self.wheel.clone())
    }
}

pub(super) fn run(args: &Args, host: &Host, output: &Output) -> anyhow::Result<Exit> {
    args.result.keep(output, || {
        let (project, targets) = args.project.load(host)?;
        let out = args.out.clone().unwrap_or_else(|| shorten(&project.dir.join("dist")));
        let options = args.which.options(targets, out, &args.policy, &args.packing);
        let options = options.runtime_only(args.runtime_only).editable(args.editable);
        if args.dry_run {
            output.plan(&project.plan(&options)?)?;
            return Ok(Exit::Good);
        }
        let built = project.build(&options)?;
        output.built(&built)?;
        Ok(match built.verdict() {
            BuildVerdict::Good => Exit::Good,
            BuildVerdict::Refused => Exit::No,
            BuildVerdict::Failed => Exit::Failed,
        })
    })
}

/// A path below the current directory is shown relative to it.
pub(super) fn shorten(path: &Path) -> PathBuf {
    let here = Path::new(".").canonicalize().unwrap_or_default();
    path.strip_prefix(here).map_or_else(|_| path.to_owned(), Path::to_owned)
}
