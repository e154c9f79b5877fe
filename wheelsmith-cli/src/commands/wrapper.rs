//! `wheelsmith toolchain-wrapper`: runs zig with the arguments of another compiler, for the batch files
//! of Windows hosts, which cannot change arguments. Elsewhere shell scripts do it.

use std::path::PathBuf;

use anyhow::Context as _;
use wheelsmith_core::name::Target;
use wheelsmith_core::sys::{Command, Host, ProcessError};
use wheelsmith_core::toolchain::{Role, Wrapper, filter};

use crate::exit::Exit;

/// Run zig with the arguments of another compiler
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Role: `cc`, `c++`, `ar`, `ranlib`, `linker`
    role: String,
    /// Target
    target: Target,
    /// True if the arguments come from another project's build system
    #[arg(action = clap::ArgAction::Set)]
    third_party: bool,
    /// zig program
    zig: PathBuf,
    /// Arguments
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<String>,
}

pub(super) fn run(args: &Args, host: &Host) -> anyhow::Result<Exit> {
    use std::io::Write as _;
    let role = Role::of_name(&args.role).context("cannot run zig: unknown tool")?;
    let wrapper = Wrapper::of_zig(&args.zig, &args.target, role, args.third_party);
    let line = wrapper.command_line(&args.rest);
    for told in line.told {
        writeln!(std::io::stderr(), "{}", filter::message(&told))?;
    }
    match Command::new(&args.zig, ".", &host.env).args(line.args).run(host) {
        Ok(said) => {
            std::io::stdout().write_all(&said.stdout)?;
            std::io::stderr().write_all(said.stderr.as_bytes())?;
            Ok(Exit::Good)
        }
        Err(ProcessError::Failed { output, .. }) => {
            writeln!(std::io::stderr(), "{output}")?;
            Ok(Exit::No)
        }
        Err(error) => Err(error.into()),
    }
}
