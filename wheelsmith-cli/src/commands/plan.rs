//! `wheelsmith plan`

use std::path::PathBuf;

use anyhow::Context as _;
use wheelsmith_core::release::{self, PlanOptions};
use wheelsmith_core::sys::{self, Host};
use wheelsmith_core::version::scheme::ReleaseVersion;

use super::publish::{check_options, destination};
use super::reporting::project_settings;
use crate::exit::Exit;
use crate::output::Output;

/// Plan the publication of finished packages to registries
///
/// Reads wheels, source distributions, npm packages and crates, and looks at each registry. Every
/// reason why a registry would refuse a file is reported now, and nothing is sent. The destination is
/// a table `[tool.wheelsmith.release.NAME]`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wheelsmith plan --dir dist --as 1.0.0 --to public -o plan.json
  wheelsmith plan --dir dist --as 1.0.0 --to local      print it only

Exit codes: 0 the plan can be carried out; 1 it cannot; 2 a file could not be
read.")]
pub(crate) struct Args {
    /// Directory with the packages
    #[arg(long, short, value_name = "DIST", default_value = "dist")]
    dir: PathBuf,
    /// Version that every package must have
    #[arg(long = "as", value_name = "VERSION")]
    version: String,
    /// Destination; the URLs of `local` must be on this machine
    #[arg(long, value_name = "NAME")]
    to: String,
    /// File for the plan
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Configuration [default: `wheelsmith.toml` or `pyproject.toml` here]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

pub(super) fn run(args: &Args, host: &Host, output: &Output) -> anyhow::Result<Exit> {
    let config = project_settings(args.config.as_deref())?;
    let options = PlanOptions {
        directory: args.dir.clone(),
        version: ReleaseVersion::parse(&args.version)?,
        to: args.to.clone(),
        destination: destination(config.as_ref(), &args.to)?,
        check: check_options(config.as_ref()),
    };
    let plan = release::plan(&options, host)?;
    if let Some(path) = &args.output {
        sys::fs::write_atomic(path, plan.render().as_bytes())
            .with_context(|| format!("cannot write the plan to `{}`", path.display()))?;
    }
    output.release_plan(&plan)?;
    Ok(Exit::Good)
}
