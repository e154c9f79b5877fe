//! `wheelsmith build`

use std::path::{Path, PathBuf};

use wheelsmith_core::name::{ProjectName, PythonVersion, Target};
use wheelsmith_core::project::{BuildOptions, StoreOptions, StoredSet};
use wheelsmith_core::source::Policy;
use wheelsmith_core::store::Store;
use wheelsmith_core::sys::Host;

use super::shared::{self, PackingArgs, PolicyArgs, ProjectArgs, ResultArgs};
use super::store::{CommitArg, commit_arg};
use crate::exit::Exit;
use crate::output::Output;

/// Build the project and pack it into wheels
///
/// Compiles every component for each target, audits the native files of the result, and writes a
/// wheel with the oldest platform tag that they qualify for. A wheel that needs a newer system than
/// the floor of the configuration is not written. A project without wheels gets the `.tar.gz` of its
/// runtime directory; each `[[tool.wheelsmith.sdk]]` adds an SDK for C programs.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wheelsmith build                      all targets, wheels in `dist`
  wheelsmith build --target host        this machine only
  wheelsmith build --target aarch64-unknown-linux-gnu --floor 2.28 --out wheels
  wheelsmith build --dry-run            print the plan
  wheelsmith build --store DIR          reuse what another machine built

Exit codes: 0 built; 1 a wheel does not qualify for its floor; 2 the build failed.")]
pub(crate) struct Args {
    #[command(flatten)]
    project: ProjectArgs,
    /// Directory for the wheels [default: `dist` in the project]
    #[arg(long, short, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    policy: PolicyArgs,
    /// Print the plan, and build nothing
    #[arg(long)]
    dry_run: bool,
    /// Stop at the runtime directory and its `.tar.gz`: no wheel, no SDK
    #[arg(long)]
    runtime_only: bool,
    #[command(flatten)]
    packing: PackingArgs,
    #[command(flatten)]
    which: WhichArgs,
    #[command(flatten)]
    store: StoreArgs,
    /// Make an editable wheel: Python imports from the project
    #[arg(long)]
    editable: bool,
    #[command(flatten)]
    result: ResultArgs,
}

/// Use of a store.
#[derive(Debug, clap::Args)]
pub(crate) struct StoreArgs {
    /// Take components that were built elsewhere from this store
    #[arg(long, value_name = "URL")]
    store: Option<String>,
    /// Store the components that are built
    #[arg(long, requires = "store")]
    store_push: bool,
    /// Store the packages and runtimes for a commit [without a value: the one checked out]
    #[arg(long, value_name = "ID", requires = "store", value_parser = commit_arg,
          num_args = 0..=1, default_missing_value = "HEAD", conflicts_with_all = ["dry_run", "editable"])]
    commit: Option<CommitArg>,
    /// Store for a commit although the checkout has changes
    #[arg(long, requires = "commit")]
    allow_dirty: bool,
}

/// Choice of what to build.
#[derive(Debug, clap::Args)]
pub(crate) struct WhichArgs {
    /// Feature of cargo components: `feature` for all, `component/feature` for one; repeatable
    #[arg(long, value_name = "FEATURE", value_delimiter = ',')]
    features: Vec<String>,
    /// Make only this wheel of the configuration
    #[arg(long, value_name = "NAME")]
    wheel: Option<ProjectName>,
    /// Build extension modules only for this Python, such as `3.13` or `3.13t`
    #[arg(long, value_name = "PYTHON")]
    python: Option<PythonVersion>,
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
            .python(self.python)
    }
}

pub(super) fn run(args: &Args, host: &Host, output: &Output) -> anyhow::Result<Exit> {
    args.result.keep(output, || {
        let (project, targets) = args.project.load(host)?;
        let out = args.out.clone().unwrap_or_else(|| shorten(&project.dir.join("dist")));
        let options = args.which.options(targets, out, &args.policy, &args.packing);
        let options = options.runtime_only(args.runtime_only).editable(args.editable);
        let StoreArgs { store, store_push, commit, allow_dirty } = &args.store;
        let push = *store_push;
        let options = options.store(store.clone().map(|url| StoreOptions { url, push }));
        let (Some(url), Some(commit)) = (store, commit) else {
            return shared::build(&project, &options, args.dry_run, output);
        };
        let (commit, dirty) =
            commit.checked(&project.dir, *allow_dirty, project.commit.as_ref(), host)?;
        let store = Store::open_with(url, host)?;
        let built = project.build(&options)?;
        output.built(&built)?;
        for set in project.store_build(&built, &store, &commit, dirty)? {
            let StoredSet { slot, id, moved } = set;
            let task = host.task(format!("store {slot}"), 0);
            let files = if moved.files == 1 { "file" } else { "files" };
            task.finish(format!("{id}, {} {files} written", moved.files));
        }
        Ok(shared::exit(&built))
    })
}

/// Returns a path below the current directory relative to it.
pub(super) fn shorten(path: &Path) -> PathBuf {
    let here = Path::new(".").canonicalize().unwrap_or_default();
    path.strip_prefix(here).map_or_else(|_| path.to_owned(), Path::to_owned)
}
