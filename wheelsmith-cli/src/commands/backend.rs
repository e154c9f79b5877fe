//! `wheelsmith backend`: what the Python package asks for the hooks of PEP 517 that build nothing.

use std::path::PathBuf;

use wheelsmith_core::sys::Host;

use super::build::WhichArgs;
use super::{PackingArgs, PolicyArgs, ProjectArgs, ResultArgs};
use crate::exit::Exit;
use crate::output::Output;

/// Answer the questions of installers: for the Python package `wheelsmith_build`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    hook: Hook,
}

#[derive(Debug, clap::Subcommand)]
enum Hook {
    /// Say what must be installed before a build
    Requires {
        #[command(flatten)]
        project: ProjectArgs,
        #[command(flatten)]
        result: ResultArgs,
    },
    /// Write the `.dist-info` that a wheel would have
    Metadata {
        #[command(flatten)]
        project: ProjectArgs,
        /// Where it is written
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
