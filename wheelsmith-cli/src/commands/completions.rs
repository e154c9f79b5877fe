//! `wheelsmith completions`

use clap_complete::Shell;

use crate::exit::Exit;

/// Print a completion script for a shell
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wheelsmith completions bash > \\
      ~/.local/share/bash-completion/completions/wheelsmith
  wheelsmith completions zsh > ~/.zfunc/_wheelsmith")]
pub(crate) struct Args {
    /// Shell
    shell: Shell,
}

/// Prints the script for `command`, the whole command line.
pub(super) fn run(args: &Args, mut command: clap::Command) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "wheelsmith", &mut script);
    std::io::Write::write_all(&mut std::io::stdout(), &script)?;
    Ok(Exit::Good)
}
