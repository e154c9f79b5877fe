//! `wheelsmith backend`: the hooks of PEP 517 that build nothing, for the Python package.

use std::path::PathBuf;

use wheelsmith_core::sys::Host;

use super::build::WhichArgs;
use super::shared::{PackingArgs, PolicyArgs, ProjectArgs, ResultArgs};
use crate::exit::Exit;
use crate::output::Output;

/// Run a hook of the build back end (called by the Python package `wheelsmith_build`)
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    hook: Hook,
}

#[derive(Debug, clap::Subcommand)]
enum Hook {
    /// Print the packages that a build needs
    Requires {
        #[command(flatten)]
        project: ProjectArgs,
        #[command(flatten)]
        result: ResultArgs,
    },
    /// Write the `.dist-info` of the wheel without building it
    Metadata {
        #[command(flatten)]
        project: ProjectArgs,
        /// Directory to write it to
        #[arg(long, short, value_name = "DIR")]
        out: PathBuf,
        #[command(flatten)]
        policy: PolicyArgs,
        #[command(flatten)]
        packing: PackingArgs,
        #[command(flatten)]
        which: WhichArgs,
        #[command(flatten)]
        result: ResultArgs,
    },
}

pub(super) fn run(args: &Args, host: &Host, output: &Output) -> anyhow::Result<Exit> {
    match &args.hook {
        Hook::Requires { project, result } => result.keep(output, || {
            let (project, targets) = project.load(host)?;
            output.requires(&project.requires(&targets))?;
            Ok(Exit::Good)
        }),
        Hook::Metadata { project, out, policy, packing, which, result } => {
            result.keep(output, || {
                let (project, targets) = project.load(host)?;
                let options = which.options(targets, out.clone(), policy, packing);
                output.prepared(&project.prepare(&options)?)?;
                Ok(Exit::Good)
            })
        }
    }
}
