//! One file for each command: arguments, load, call the core, print.

pub(crate) mod audit;
pub(crate) mod backend;
pub(crate) mod build;
pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod fetch;
pub(crate) mod index;
pub(crate) mod init;
pub(crate) mod inspect;
pub(crate) mod pack;
pub(crate) mod plan;
pub(crate) mod publish;
pub(crate) mod repair;
mod reporting;
pub(crate) mod sdist;
mod shared;
pub(crate) mod sign;
pub(crate) mod size;
pub(crate) mod store;
pub(crate) mod sums;
pub(crate) mod test;
pub(crate) mod toolchain;
pub(crate) mod tree;
pub(crate) mod update;
pub(crate) mod verify;
pub(crate) mod version;
pub(crate) mod wheel;
pub(crate) mod wrapper;

use wheelsmith_core::sys::Host;

use crate::args::{self, Command};
use crate::exit::Exit;
use crate::output::Output;

/// Runs a command.
pub(crate) fn run(command: Command, host: &Host, output: &Output) -> anyhow::Result<Exit> {
    match command {
        Command::Audit(args) => audit::run(&args, host, output),
        Command::Build(args) => build::run(&args, host, output),
        Command::Pack(args) => pack::run(&args, host, output),
        Command::Sdist(args) => sdist::run(&args, host, output),
        Command::Backend(args) => backend::run(&args, host, output),
        Command::Fetch(args) => fetch::run(&args, host, output),
        Command::Update(args) => update::run(&args, host, output),
        Command::Inspect(args) => inspect::run(&args, host, output),
        Command::Toolchain(args) => toolchain::run(&args, host, output),
        Command::Check(args) => check::run(&args, host, output),
        Command::Index(args) => index::run(&args, host, output),
        Command::Init(args) => init::run(&args, output),
        Command::Size(args) => size::run(&args, host, output),
        Command::Store(args) => store::run(&args, host, output),
        Command::Test(args) => test::run(&args, host, output),
        Command::Tree(args) => tree::run(&args, host, output),
        Command::Repair(args) => repair::run(&args, host, output),
        Command::Version(args) => version::run(&args, host, output),
        Command::Plan(args) => plan::run(&args, host, output),
        Command::Publish(args) => publish::run(&args, host, output),
        Command::Sums(args) => sums::run(&args, host, output),
        Command::Sign(args) => sign::run(&args, host, output),
        Command::Verify(args) => verify::run(&args, host, output),
        Command::Wheel(args) => wheel::run(&args, host, output),
        Command::Completions(args) => completions::run(&args, args::command()),
        Command::ToolchainWrapper(args) => wrapper::run(&args, host),
    }
}
