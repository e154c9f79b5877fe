//! `wheelsmith tree`: installations as archives that run wherever they are unpacked.

mod build;
mod scan;
mod test;

use wheelsmith_core::sys::Host;

use crate::exit::Exit;
use crate::output::Output;

/// Make installations relocatable, and prove it
///
/// A tree is a whole installation, such as an interpreter with its libraries and scripts. Builds
/// write their prefix into many of its files.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wheelsmith tree scan /opt/demo --prefix /opt/demo
  wheelsmith tree build
  wheelsmith tree test dist/demo-1.0.0-x86_64-unknown-linux-gnu.tar.gz")]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Subcommand,
}

#[derive(Debug, clap::Subcommand)]
enum Subcommand {
    Scan(scan::Args),
    Build(build::Args),
    Test(test::Args),
}

pub(super) fn run(args: &Args, host: &Host, output: &Output) -> anyhow::Result<Exit> {
    match &args.verb {
        Subcommand::Scan(args) => scan::run(args, host, output),
        Subcommand::Build(args) => build::run(args, host, output),
        Subcommand::Test(args) => test::run(args, host, output),
    }
}
