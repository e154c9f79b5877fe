//! Signs `SHA256SUMS` with the user's program, or with a key for statements.

use std::path::{Path, PathBuf};

use super::names::{GPG, MINISIGN, NAMESPACE, NOTATION, SSH, STATEMENT, SUMS};
use super::{Error, SecretKey, Statement, Sums};
use crate::name::Digest;
use crate::sys::{self, Command, Host, ProcessError, Stdin};

/// Kind of a signature and its key.
#[derive(Debug)]
#[non_exhaustive]
pub enum Signer {
    /// `minisign`, with a file of a secret key.
    Minisign(PathBuf),
    /// `gpg`, with a key of the user's keyring; the default key if `None`.
    Gpg(Option<String>),
    /// `ssh-keygen`, with a file of a secret key, or of a public one whose secret the agent has.
    Ssh(PathBuf),
    /// A statement that names the files and inputs, such as lock files.
    Statement {
        /// Ed25519 key in PEM.
        key: PathBuf,
        /// Files whose digests the statement names as inputs.
        inputs: Vec<PathBuf>,
    },
}

/// Signs the list in `dir` as the list of `release`, such as `demo 1.0.0`. Returns the written file.
///
/// # Errors
/// Returns an error if the list does not match the files, if the program is missing or fails, or if
/// a key cannot be read.
pub fn sign(dir: &Path, release: &str, signer: &Signer, host: &Host) -> Result<PathBuf, Error> {
    let list = dir.join(SUMS);
    let bytes = sys::fs::read(&list).map_err(|e| Error::read(&list, e))?;
    let listed = Sums::parse(&bytes).ok();
    let sums = Sums::compare_dir(dir, listed.as_ref(), host)?;
    if listed.as_ref() != Some(&sums) {
        return Err(Error::Stale(list));
    }
    if let Signer::Statement { key, inputs } = signer {
        let pem = sys::fs::read_to_string(key).map_err(|e| Error::read(key, e))?;
        let secret = SecretKey::from_pem(&format!("`{}`", key.display()), &pem)?;
        let inputs = inputs.iter().map(|path| {
            let (digest, _) = sys::fs::digest(path).map_err(|e| Error::read(path, e))?;
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            Ok((name, digest))
        });
        let inputs = inputs.collect::<Result<Vec<(String, Digest)>, Error>>()?;
        let envelope = Statement::new(release, Digest::of(&bytes), &sums, &inputs).sign(&secret);
        return save(dir, STATEMENT, envelope.render().as_bytes());
    }
    // The programs write beside the file that they sign, and ask before they replace one.
    let work = sys::fs::temp_dir().map_err(|e| Error::write(&list, e))?;
    let copy = work.path().join(SUMS);
    sys::fs::write(&copy, &bytes).map_err(|e| Error::write(&copy, e))?;
    let (name, ending, args) = command(signer, release);
    let program = host.env.find_program(name).ok_or(Error::NoProgram(name))?;
    let command = Command::new(program, work.path(), &host.env).args(args).stdin(Stdin::Inherited);
    command.run(host).map_err(|source| match source {
        ProcessError::Cancelled => Error::Cancelled,
        source => Error::Program { doing: "sign", path: list, source },
    })?;
    let signature = work.path().join(format!("{SUMS}{ending}"));
    let signature = sys::fs::read(&signature).map_err(|e| Error::read(&signature, e))?;
    save(dir, ending, &signature)
}

fn save(dir: &Path, ending: &str, bytes: &[u8]) -> Result<PathBuf, Error> {
    let path = dir.join(format!("{SUMS}{ending}"));
    sys::fs::write_atomic(&path, bytes).map_err(|e| Error::write(&path, e))?;
    Ok(path)
}

/// Returns the program, the ending of its signature and its arguments. The working directory has the
/// list.
fn command(signer: &Signer, release: &str) -> (&'static str, &'static str, Vec<String>) {
    let absolute = |path: &Path| {
        let path = sys::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        path.to_string_lossy().into_owned()
    };
    let (program, ending, args): (_, _, Vec<String>) = match signer {
        Signer::Minisign(key) => {
            let args = ["-S".into(), "-s".into(), absolute(key), "-m".into(), SUMS.into()];
            let comment = ["-t".into(), release.to_owned()];
            ("minisign", MINISIGN, args.into_iter().chain(comment).collect())
        }
        Signer::Gpg(key) => {
            let key = key.iter().flat_map(|key| ["--local-user".to_owned(), key.clone()]);
            let args = ["--batch", "--armor", "--sig-notation"].map(str::to_owned).into_iter();
            // gpg replaces `%` and a letter.
            let release = release.replace('%', "%%");
            let end = [format!("{NOTATION}={release}"), "--detach-sign".into(), SUMS.into()];
            ("gpg", GPG, args.chain([end[0].clone()]).chain(key).chain(end[1..].to_vec()).collect())
        }
        Signer::Ssh(key) => {
            let args = ["-Y", "sign", "-n", NAMESPACE, "-f", &absolute(key), SUMS];
            ("ssh-keygen", SSH, args.map(str::to_owned).to_vec())
        }
        Signer::Statement { .. } => ("", STATEMENT, Vec::new()),
    };
    (program, ending, args)
}
