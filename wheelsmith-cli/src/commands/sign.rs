//! `wheelsmith sign`

use std::path::PathBuf;

use wheelsmith_core::seal::{self, Signer};
use wheelsmith_core::sys::Host;

use crate::exit::Exit;
use crate::output::Output;

/// Sign SHA256SUMS with your keys
///
/// minisign, GPG and SSH signatures are made by the programs `minisign`, `gpg` and `ssh-keygen`. A
/// statement (in-toto in a DSSE envelope) names the files and inputs, and is signed with an Ed25519
/// key. The list must match the files. Keys are named by file or by the keyring, never given as text.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wheelsmith sign dist --release 'demo 1.0.0' --minisign minisign.key
  wheelsmith sign dist --release 'demo 1.0.0' --gpg --ssh ~/.ssh/id_ed25519
  wheelsmith sign dist --release 'demo 1.0.0' --statement key.pem \\
      --input wheelsmith.lock")]
pub(crate) struct Args {
    /// Directory with SHA256SUMS
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// Release that the signatures name, such as `demo 1.0.0`
    #[arg(long, value_name = "RELEASE", value_parser = release)]
    release: String,
    /// Sign with minisign and this secret key
    #[arg(long, value_name = "FILE")]
    minisign: Option<PathBuf>,
    /// Sign with GPG and this key of the keyring [without KEY: the default key]
    #[arg(long, value_name = "KEY", num_args = 0..=1, default_missing_value = "")]
    gpg: Option<String>,
    /// Sign with SSH and this key, or a public key whose secret is in the SSH agent
    #[arg(long, value_name = "FILE")]
    ssh: Option<PathBuf>,
    /// Write a statement, signed with this Ed25519 key (PEM)
    #[arg(long, value_name = "FILE")]
    statement: Option<PathBuf>,
    /// Input that the statement names with its digest, such as a lock file; repeatable
    #[arg(long, value_name = "FILE", requires = "statement")]
    input: Vec<PathBuf>,
}

fn release(text: &str) -> Result<String, &'static str> {
    let is_bad = text.trim().is_empty() || text.chars().any(char::is_control);
    if is_bad { Err("write a name and a version, such as `demo 1.0.0`") } else { Ok(text.into()) }
}

pub(super) fn run(args: &Args, host: &Host, output: &Output) -> anyhow::Result<Exit> {
    let gpg = args.gpg.clone().map(|key| Signer::Gpg((!key.is_empty()).then_some(key)));
    let statement = args.statement.clone();
    let statement = statement.map(|key| Signer::Statement { key, inputs: args.input.clone() });
    let signers = args.minisign.clone().map(Signer::Minisign).into_iter().chain(gpg);
    let signers = signers.chain(args.ssh.clone().map(Signer::Ssh)).chain(statement);
    let written = signers.map(|signer| seal::sign(&args.dir, &args.release, &signer, host));
    let written = written.collect::<Result<Vec<_>, _>>()?;
    anyhow::ensure!(
        !written.is_empty(),
        "no key is named; use `--minisign`, `--gpg`, `--ssh` or `--statement`"
    );
    output.signed(&args.release, &written)?;
    Ok(Exit::Good)
}
