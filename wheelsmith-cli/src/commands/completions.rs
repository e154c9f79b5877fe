//! `wheelsmith completions`

use clap_complete::Shell;

use crate::exit::Exit;

/// Print a completion script for a shell
///
/// For bash: `wheelsmith completions bash > ~/.local/share/bash-completion/completions/wheelsmith`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The shell
    shell: Shell,
}

pub(super) fn run(args: &Args) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    let mut command = crate::args::command();
    clap_complete::generate(args.shell, &mut command, "wheelsmith", &mut script);
    std::io::Write::write_all(&mut std::io::stdout(), &script)?;
    Ok(Exit::Good)
}
