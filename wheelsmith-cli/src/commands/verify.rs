//! `wheelsmith verify`

use std::path::PathBuf;

use wheelsmith_core::finding::Severity;
use wheelsmith_core::seal::{self, SshSigner, Trust};
use wheelsmith_core::sys::Host;

use crate::exit::Exit;
use crate::output::Output;

/// Compare files with SHA256SUMS, and the list with trusted keys
///
/// Each given key must have signed the list. Unlisted, missing, altered and swapped files are
/// findings, as are signatures of other keys, of expired ones and of another release. Bundles of
/// sigstore are matched by digest; their identity is not verified.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wheelsmith verify dist --minisign minisign.pub --release 'demo 1.0.0'
  wheelsmith verify dist --gpg 0123456789ABCDEF0123456789ABCDEF01234567
  wheelsmith verify dist --ssh allowed_signers --identity me@example.org
  wheelsmith verify dist --digests-only

Exit codes: 0 all agree; 1 findings; 2 a file or key could not be read.")]
pub(crate) struct Args {
    /// Directory with the files and SHA256SUMS
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// Public key of minisign: its text, or a file
    #[arg(long, value_name = "KEY")]
    minisign: Option<String>,
    /// Fingerprint of a GPG key of the keyring: 40 or more hex digits
    #[arg(long, value_name = "FINGERPRINT", value_parser = fingerprint)]
    gpg: Option<String>,
    /// File of allowed SSH signers
    #[arg(long, value_name = "FILE", requires = "identity")]
    ssh: Option<PathBuf>,
    /// Identity in the file of allowed SSH signers
    #[arg(long, value_name = "NAME", requires = "ssh")]
    identity: Option<String>,
    /// Public Ed25519 key of the statement (PEM)
    #[arg(long, value_name = "FILE")]
    statement: Option<PathBuf>,
    /// Release that the signatures must name, such as `demo 1.0.0`
    #[arg(long, value_name = "RELEASE")]
    release: Option<String>,
    /// Compare the files with the list only, without any key
    #[arg(long, conflicts_with_all = ["minisign", "gpg", "ssh", "statement", "release"])]
    digests_only: bool,
}

fn fingerprint(text: &str) -> Result<String, &'static str> {
    let digits: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let is_whole = digits.len() >= 40 && digits.chars().all(|c| c.is_ascii_hexdigit());
    if is_whole { Ok(digits) } else { Err("write the whole fingerprint; key ids can be forged") }
}

pub(super) fn run(args: &Args, host: &Host, output: &Output) -> anyhow::Result<Exit> {
    let ssh = args.ssh.clone().zip(args.identity.clone());
    let trust = Trust {
        minisign: args.minisign.clone(),
        gpg: args.gpg.clone(),
        ssh: ssh.map(|(allowed, identity)| SshSigner { allowed, identity }),
        statement: args.statement.clone(),
        release: args.release.clone(),
        digests_only: args.digests_only,
    };
    let report = seal::verify(&args.dir, &trust, host)?;
    output.verified(&report)?;
    let is_bad = report.findings.iter().any(|finding| finding.counts_at(Severity::Error));
    Ok(if is_bad { Exit::No } else { Exit::Good })
}
