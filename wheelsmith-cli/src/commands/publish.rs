//! `wheelsmith publish`

use std::path::PathBuf;
use std::time::Duration;

use wheelsmith_core::check::{Limits, Options};
use wheelsmith_core::config::{Config, Destination};
use wheelsmith_core::release::{self, Kind, Plan, PublishOptions};
use wheelsmith_core::sys::Host;

use super::reporting::project_settings;
use crate::exit::Exit;
use crate::output::Output;

/// Publish the packages of a plan
///
/// Looks at each registry, sends what is absent, and waits until the registry shows it. Run the same
/// plan again after a failure: what is published already is compared by digest and not sent again.
/// Tokens come from the environment: UV_PUBLISH_TOKEN, TWINE_PASSWORD, NPM_TOKEN,
/// CARGO_REGISTRY_TOKEN, or an identity token of GitHub or GitLab.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wheelsmith publish --plan plan.json --dry-run
  wheelsmith publish --plan plan.json
  wheelsmith publish --plan plan.json --only npm

Exit codes: 0 everything that was selected is published; 1 a step is not; 2 a
file could not be read.")]
pub(crate) struct Args {
    /// Plan of `wheelsmith plan`
    #[arg(long, value_name = "FILE")]
    plan: PathBuf,
    /// Publish to one registry only: crates, npm, pypi
    #[arg(long, value_name = "KIND", value_parser = kind)]
    only: Option<Kind>,
    /// Look at the registries, and send nothing
    #[arg(long)]
    dry_run: bool,
    /// Directory with the packages [default: that of the plan]
    #[arg(long, short, value_name = "DIST")]
    dir: Option<PathBuf>,
    /// File to which each event is appended [default: PLAN.ledger.jsonl]
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,
    /// Longest wait until a registry shows a file, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "600")]
    wait: u64,
    /// Longest wait for the rate limit of a registry, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "3600")]
    rate_limit: u64,
    /// Configuration [default: `wheelsmith.toml` or `pyproject.toml` here]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

fn kind(text: &str) -> Result<Kind, &'static str> {
    match text {
        "crates" => Ok(Kind::Crates),
        "npm" => Ok(Kind::Npm),
        "pypi" => Ok(Kind::Pypi),
        _ => Err("write `crates`, `npm` or `pypi`"),
    }
}

/// Returns the registries of a destination.
pub(super) fn destination(config: Option<&Config>, to: &str) -> anyhow::Result<Destination> {
    let known = config.map(|config| &config.release);
    let names = known.map(|known| known.keys().cloned().collect::<Vec<_>>().join(", "));
    let names = names.filter(|names| !names.is_empty());
    known.and_then(|known| known.get(to)).cloned().ok_or_else(|| {
        let names = names.map_or_else(String::new, |names| format!("; there are: {names}"));
        anyhow::anyhow!("the configuration has no table `[tool.wheelsmith.release.{to}]`{names}")
    })
}

/// Returns the rules for wheels and source distributions.
pub(super) fn check_options(config: Option<&Config>) -> Options {
    let Some(check) = config.map(|config| &config.check) else { return Options::new() };
    let mut limits = Limits::default();
    if let Some(mib) = check.file_limit_mib {
        limits.most_file_bytes = u64::from(mib) << 20;
    }
    Options::new().index(check.index.unwrap_or_default()).limits(limits)
}

pub(super) fn run(args: &Args, host: &Host, output: &Output) -> anyhow::Result<Exit> {
    let plan = Plan::load(&args.plan)?;
    let config = project_settings(args.config.as_deref())?;
    let ledger = args.ledger.clone().unwrap_or_else(|| {
        let mut path = args.plan.clone().into_os_string();
        path.push(".ledger.jsonl");
        path.into()
    });
    let options = PublishOptions {
        only: args.only,
        dry_run: args.dry_run,
        ledger,
        visible: Duration::from_secs(args.wait),
        rate_limit: Duration::from_secs(args.rate_limit),
        directory: args.dir.clone(),
        check: check_options(config.as_ref()),
    };
    let published = release::publish(&plan, &options, host)?;
    output.published(&plan, &published, args.dry_run)?;
    Ok(if published.is_good(args.dry_run) { Exit::Good } else { Exit::No })
}
