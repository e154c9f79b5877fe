//! Compares a directory with its list, and the list with the keys that the user trusts.

use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::names::{GPG, MINISIGN, NAMESPACE, NOTATION, SSH, STATEMENT, SUMS};
use super::statement::Refusal;
use super::sums::{LARGEST, bundle_of};
use super::{Envelope, Error, PublicKey, Statement, Sums};
use crate::finding::{Code, Finding};
use crate::name::{Digest, WheelPath};
use crate::sys::{self, Command, Ended, Host, Limits, ProcessError, Stdin};

/// Version of the report. It grows when a key changes its meaning or is removed.
pub const SCHEMA: u32 = 1;

/// Keys that the user trusts. Each of them must have signed the list.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// Public key of minisign: its text, or a file with it.
    pub minisign: Option<String>,
    /// Fingerprint of a GPG key, in hex.
    pub gpg: Option<String>,
    /// Signer of SSH.
    pub ssh: Option<SshSigner>,
    /// File with the public Ed25519 key of the statement, in PEM.
    pub statement: Option<PathBuf>,
    /// Release that the signatures must name, such as `demo 1.0.0`.
    pub release: Option<String>,
    /// True to compare the files with the list although no key is trusted.
    pub digests_only: bool,
}

/// Signer of SSH.
#[derive(Debug, Clone)]
pub struct SshSigner {
    /// File in the format of `allowed_signers`.
    pub allowed: PathBuf,
    /// Identity in that file.
    pub identity: String,
}

/// Result of a verification.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The directory.
    pub directory: PathBuf,
    /// Number of files whose digest is that of the list.
    pub files: usize,
    /// Signatures that were verified.
    pub signatures: Vec<Trusted>,
    /// Facts that the signatures do not prove, and files that were not compared.
    pub notes: Vec<String>,
    /// Findings.
    pub findings: Vec<Finding>,
}

/// A valid signature of a trusted key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Trusted {
    /// `minisign`, `gpg`, `ssh` or `statement`.
    pub kind: &'static str,
    /// File name of the signature.
    pub file: String,
    /// Key or identity.
    pub signer: String,
    /// Release that the signature names.
    pub release: Option<String>,
}

/// Result of one signature, before its file name is known.
enum Outcome {
    Good { signer: String, release: Option<String> },
    Bad(Code, String),
}

/// Verifies the files in `dir`.
///
/// # Errors
/// Returns an error if a file or key cannot be read, or a program that verifies is missing. A file
/// that differs is a finding.
pub fn verify(dir: &Path, trust: &Trust, host: &Host) -> Result<Report, Error> {
    let mut run = Run {
        dir,
        trust,
        host,
        report: Report {
            schema: SCHEMA,
            directory: dir.to_owned(),
            files: 0,
            signatures: Vec::new(),
            notes: Vec::new(),
            findings: Vec::new(),
        },
    };
    run.all()?;
    run.report.findings.sort();
    Ok(run.report)
}

struct Run<'r> {
    dir: &'r Path,
    trust: &'r Trust,
    host: &'r Host,
    report: Report,
}

impl Run<'_> {
    fn find(&mut self, code: Code, file: &str, message: impl Into<String>) {
        let finding = match file.parse::<WheelPath>() {
            Ok(path) => Finding::new(code, &path, message),
            Err(_) => Finding::whole(code, format!("{}: {}", file.escape_debug(), message.into())),
        };
        self.report.findings.push(finding);
    }

    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, Error> {
        let path = self.dir.join(name);
        let about = match sys::fs::symlink_metadata(&path) {
            Ok(about) => about,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::read(path, error)),
        };
        if !about.is_file() || about.len() > LARGEST {
            let problem = "is not a plain file of a plausible size";
            return Err(Error::Entry { path, problem });
        }
        sys::fs::read(&path).map(Some).map_err(|e| Error::read(path, e))
    }

    fn all(&mut self) -> Result<(), Error> {
        sys::fs::list(self.dir).map_err(|e| Error::read(self.dir, e))?;
        let Some(list) = self.read(SUMS)? else {
            self.find(Code::BadSums, SUMS, "it is absent, so that no file can be compared");
            return Ok(());
        };
        match Sums::parse(&list) {
            Ok(sums) => {
                self.files(&sums)?;
                self.signatures(&list, &sums)?;
                self.bundles(&list, &sums)?;
            }
            Err(problem) => self.find(Code::BadSums, SUMS, problem),
        }
        Ok(())
    }

    fn files(&mut self, sums: &Sums) -> Result<(), Error> {
        let (found, others) = Sums::read_dir(self.dir, Some(sums), self.host)?;
        for other in others {
            self.find(Code::UnlistedFile, &other.name, format!("it {}", other.problem));
        }
        let listed_as = |digest: Digest| sums.iter().find(|(_, own)| *own == digest);
        for (name, digest) in found.iter() {
            match sums.get(name) {
                Some(own) if own == digest => self.report.files += 1,
                Some(own) => {
                    let (code, message) = match listed_as(digest) {
                        Some((other, _)) => {
                            (Code::SwappedFile, format!("its content is that of `{other}`"))
                        }
                        None => (
                            Code::WrongDigest,
                            format!("its sha256 is {digest}; the list has {own}"),
                        ),
                    };
                    self.find(code, name, message);
                }
                None => {
                    let copy = listed_as(digest);
                    let copy = copy.map(|(other, _)| format!(", and has the content of `{other}`"));
                    let message = format!("the list does not name it{}", copy.unwrap_or_default());
                    self.find(Code::UnlistedFile, name, message);
                }
            }
        }
        for (name, digest) in sums.iter() {
            if found.get(name).is_none() {
                self.find(Code::MissingFile, name, "the list names it, and it is absent");
            }
            let single = Sums::single(name);
            if sums.get(&single).is_none()
                && let Some(bytes) = self.read(&single)?
                && Sums::parse(&bytes).ok()
                    != Some([(name.to_owned(), digest)].into_iter().collect())
            {
                self.find(Code::WrongDigest, &single, format!("it is not the digest of `{name}`"));
            }
        }
        Ok(())
    }

    fn signatures(&mut self, list: &[u8], sums: &Sums) -> Result<(), Error> {
        let (trust, mut trusted) = (self.trust, 0);
        let kinds: [(&'static str, &str, bool); 4] = [
            ("minisign", MINISIGN, trust.minisign.is_some()),
            ("gpg", GPG, trust.gpg.is_some()),
            ("ssh", SSH, trust.ssh.is_some()),
            ("statement", STATEMENT, trust.statement.is_some()),
        ];
        for (kind, ending, is_trusted) in kinds {
            let file = format!("{SUMS}{ending}");
            let signature = self.read(&file)?;
            if !is_trusted {
                if signature.is_some() {
                    self.report.notes.push(format!("`{file}` was not verified: no key was given"));
                }
                continue;
            }
            trusted += 1;
            let Some(signature) = signature else {
                self.find(Code::Unsigned, &file, "it is absent, and its key is trusted");
                continue;
            };
            let outcome = match kind {
                "minisign" => {
                    minisign(trust.minisign.as_deref().unwrap_or_default(), list, &signature)?
                }
                "gpg" => self.gpg(&file)?,
                "ssh" => self.ssh(&file)?,
                _ => self.statement(&signature, list, sums)?,
            };
            match outcome {
                Outcome::Bad(code, message) => self.find(code, &file, message),
                Outcome::Good { signer, release } => {
                    self.release(&file, kind, release.as_deref());
                    self.report.signatures.push(Trusted { kind, file, signer, release });
                }
            }
        }
        let notes = &mut self.report.notes;
        if trusted == 0 && trust.digests_only {
            notes.push(
                "no key was given: whoever changed the files may have changed the list".into(),
            );
        } else if trusted == 0 {
            self.find(Code::Unsigned, SUMS, "no key was given, so that no signature was verified");
        } else if !self.report.signatures.is_empty() {
            notes.push("a signature proves that the key accepted these digests; not when, and not where the files were built".into());
        }
        Ok(())
    }

    /// Compares the release that a signature names with the expected one.
    fn release(&mut self, file: &str, kind: &str, named: Option<&str>) {
        match (&self.trust.release, named) {
            (Some(expected), Some(named)) if expected != named => {
                let message = format!("it signs the release `{named}`, not `{expected}`");
                self.find(Code::WrongRelease, file, message);
            }
            (Some(expected), None) => {
                let message = format!(
                    "{kind} signatures like this one name no release, so that `{expected}` is not proven"
                );
                self.report.notes.push(format!("`{file}`: {message}"));
                let proven = |trust: &Trust| {
                    trust.minisign.is_some() || trust.gpg.is_some() || trust.statement.is_some()
                };
                if kind != "ssh" || !proven(self.trust) {
                    self.find(Code::WrongRelease, file, message);
                }
            }
            (None, Some(named)) => self.report.notes.push(format!(
                "`{file}` signs the release `{named}`, which was not compared: see `--release`"
            )),
            _ => {}
        }
    }

    /// Runs a program that verifies. An exit code other than 0 is no error.
    fn run(
        &self,
        name: &'static str,
        command: impl Fn(Command) -> Command,
    ) -> Result<(bool, String), Error> {
        let program = self.host.env.find_program(name).ok_or(Error::NoProgram(name))?;
        let dir = sys::fs::canonicalize(self.dir).map_err(|e| Error::read(self.dir, e))?;
        let work = sys::fs::temp_dir().map_err(|e| Error::write("temporary directory", e))?;
        let log = work.path().join("log");
        let command = command(Command::new(program, dir, &self.host.env));
        let limits = Limits { time: std::time::Duration::from_mins(1), log_bytes: 1 << 20 };
        let ended =
            command.run_limited(self.host, &log, limits).map_err(|source| match source {
                ProcessError::Cancelled => Error::Cancelled,
                source => Error::Program { doing: "verify", path: self.dir.join(SUMS), source },
            })?;
        let said = sys::fs::read(&log).map_err(|e| Error::read(log, e))?;
        Ok((ended == Ended::Code(0), String::from_utf8_lossy(&said).into_owned()))
    }

    fn gpg(&self, file: &str) -> Result<Outcome, Error> {
        // A file of its own, because the log also has texts from keys.
        let work = sys::fs::temp_dir().map_err(|e| Error::write("temporary directory", e))?;
        let status = work.path().join("status");
        let path = status.to_string_lossy();
        let args =
            ["--batch", "--no-auto-key-retrieve", "--status-file", &path, "--verify", file, SUMS];
        self.run("gpg", |command| command.args(args))?;
        let said = sys::fs::read(&status).map_err(|e| Error::read(status, e))?;
        let pinned = self.trust.gpg.as_deref().unwrap_or_default();
        Ok(gpg_outcome(&String::from_utf8_lossy(&said), pinned))
    }

    fn ssh(&self, file: &str) -> Result<Outcome, Error> {
        let Some(SshSigner { allowed, identity }) = &self.trust.ssh else {
            return Ok(Outcome::Bad(Code::Unsigned, "no signer was given".into()));
        };
        sys::fs::read(allowed).map_err(|e| Error::read(allowed, e))?;
        let path = sys::fs::canonicalize(allowed).map_err(|e| Error::read(allowed, e))?;
        let allowed = path.to_string_lossy().into_owned();
        let list = self.dir.join(SUMS);
        let list = sys::fs::canonicalize(&list).map_err(|e| Error::read(list, e))?;
        let list = Stdin::File(list);
        let args = ["-Y", "verify", "-f", &allowed, "-I", identity, "-n", NAMESPACE, "-s", file];
        let with = |command: Command| command.stdin(list.clone()).env("LC_ALL", "C");
        let (is_good, said) = self.run("ssh-keygen", |command| with(command.args(args)))?;
        if is_good {
            return Ok(Outcome::Good { signer: identity.clone(), release: None });
        }
        let args = ["-Y", "check-novalidate", "-n", NAMESPACE, "-s", file];
        let (fits, _) = self.run("ssh-keygen", |command| with(command.args(args)))?;
        Ok(if !fits {
            Outcome::Bad(Code::BadSignature, "it does not fit the list".into())
        } else if said.contains("expired") {
            Outcome::Bad(Code::ExpiredKey, format!("the key of `{identity}` has expired"))
        } else {
            let message = format!("its key is not one of `{identity}` in `{allowed}`");
            Outcome::Bad(Code::WrongKey, message)
        })
    }

    fn statement(&self, envelope: &[u8], list: &[u8], sums: &Sums) -> Result<Outcome, Error> {
        let Some(path) = &self.trust.statement else {
            return Ok(Outcome::Bad(Code::Unsigned, "no key was given".into()));
        };
        let pem = sys::fs::read_to_string(path).map_err(|e| Error::read(path, e))?;
        let key = PublicKey::from_pem(&format!("`{}`", path.display()), &pem)?;
        let opened = Envelope::parse(envelope).map_err(Refusal::Form).and_then(|it| it.open(&key));
        let statement = match opened {
            Ok(statement) => statement,
            Err(Refusal::Form(problem)) => return Ok(Outcome::Bad(Code::BadSignature, problem)),
            Err(Refusal::OtherKey) => {
                return Ok(Outcome::Bad(Code::WrongKey, "another key signed it".into()));
            }
            Err(Refusal::Signature) => {
                let message = "its signature does not fit its content";
                return Ok(Outcome::Bad(Code::BadSignature, message.into()));
            }
        };
        let expected = Statement::new("", Digest::of(list), sums, &[]);
        let [mut named, mut listed] = [statement.subject.clone(), expected.subject];
        named.sort();
        listed.sort();
        if named != listed {
            let differs = named.iter().find(|one| !listed.contains(one));
            let differs = differs.or_else(|| listed.iter().find(|one| !named.contains(one)));
            let name = differs.map(|one| one.name.escape_debug().to_string()).unwrap_or_default();
            let message = format!("it and the list differ in `{name}`");
            return Ok(Outcome::Bad(Code::StatementMismatch, message));
        }
        let release = statement.release().map(str::to_owned);
        Ok(Outcome::Good { signer: key.id(), release })
    }

    /// Compares the digest in each bundle of sigstore with that of its file. Signatures of bundles are
    /// not judged.
    fn bundles(&mut self, list: &[u8], sums: &Sums) -> Result<(), Error> {
        for path in sys::fs::list(self.dir).map_err(|e| Error::read(self.dir, e))? {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let Some(of) = bundle_of(&name).filter(|_| sums.get(&name).is_none()) else { continue };
            let digest = if of == SUMS { Some(Digest::of(list)) } else { sums.get(of) };
            let kind = sys::fs::symlink_metadata(&path).map_err(|e| Error::read(&path, e))?;
            let (Some(_), true) = (digest, kind.is_file()) else { continue };
            let bytes = self.read(&name)?.unwrap_or_default();
            let statement = serde_json::from_slice::<Bundle>(&bytes)
                .map_err(|error| error.to_string())
                .and_then(|bundle| bundle.dsse_envelope.unchecked());
            let problem = match statement {
                Err(problem) => Some(problem),
                Ok(statement) if statement.subject.is_empty() => Some("it names no file".into()),
                Ok(statement) => {
                    let others = statement.subject.iter().filter(|one| one.digest.sha256 != digest);
                    let name = others.map(|one| one.name.escape_debug().to_string()).next();
                    name.map(|name| format!("its digest of `{name}` is another one"))
                }
            };
            match problem {
                Some(problem) => {
                    let message = format!(
                        "the list does not name it, and it is no bundle of `{of}`: {problem}"
                    );
                    self.find(Code::UnlistedFile, &name, message);
                }
                None => self.report.notes.push(format!(
                    "`{name}` has the digest of `{of}`; its signature and identity were not verified"
                )),
            }
        }
        Ok(())
    }
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bundle {
    dsse_envelope: Envelope,
}

fn minisign(key: &str, list: &[u8], signature: &[u8]) -> Result<Outcome, Error> {
    use minisign_verify::{Error as Minisign, PublicKey, Signature};
    let bad =
        |problem: &Minisign| Error::Key { key: "of minisign".into(), problem: problem.to_string() };
    let public = if Path::new(key).is_file() {
        let text = sys::fs::read_to_string(key).map_err(|e| Error::read(key, e))?;
        PublicKey::decode(&text).map_err(|e| bad(&e))?
    } else {
        PublicKey::from_base64(key).map_err(|e| bad(&e))?
    };
    let text = String::from_utf8_lossy(signature);
    let verified = Signature::decode(&text).and_then(|signature| {
        public.verify(list, &signature, false)?;
        Ok(signature.trusted_comment().to_owned())
    });
    Ok(match verified {
        Ok(comment) => Outcome::Good { signer: key.to_owned(), release: Some(comment) },
        Err(Minisign::UnexpectedKeyId) => {
            Outcome::Bad(Code::WrongKey, "another key signed the list".into())
        }
        Err(error) => Outcome::Bad(Code::BadSignature, error.to_string()),
    })
}

/// Judges the status lines of gpg: a good signature of the pinned key, and not the exit code.
fn gpg_outcome(said: &str, pinned: &str) -> Outcome {
    let pinned: String = pinned.chars().filter(|c| !c.is_whitespace()).collect();
    let mut worst = Outcome::Bad(Code::BadSignature, "it contains no signature".into());
    for part in said.split("[GNUPG:] NEWSIG").skip(1) {
        let lines = || part.lines().filter_map(|line| line.strip_prefix("[GNUPG:] "));
        let has = |word: &str| lines().any(|line| line.split(' ').next() == Some(word));
        let value =
            |word: &str| lines().find_map(|line| line.strip_prefix(word)?.strip_prefix(' '));
        let valid = value("VALIDSIG").unwrap_or_default();
        let is_pinned = !pinned.is_empty()
            && valid.split(' ').any(|word| word.len() >= 40 && word.eq_ignore_ascii_case(&pinned));
        let bad = |code, message: &str| Outcome::Bad(code, message.to_owned());
        worst = if has("BADSIG") {
            bad(Code::BadSignature, "it does not fit the list")
        } else if !is_pinned {
            bad(Code::WrongKey, "it is not of the key with the given fingerprint")
        } else if has("REVKEYSIG") {
            bad(Code::WrongKey, "its key is revoked")
        } else if has("EXPKEYSIG") || has("EXPSIG") {
            bad(Code::ExpiredKey, "its key, or the signature itself, has expired")
        } else if has("GOODSIG") {
            // gpg continues long data on further lines.
            let name = format!("NOTATION_NAME {NOTATION}");
            let mut after = lines().skip_while(|line| *line != name).skip(1).peekable();
            let release = after.peek().is_some().then(|| {
                let own = after.take_while(|line| !line.starts_with("NOTATION_NAME "));
                unescaped(
                    &own.filter_map(|line| line.strip_prefix("NOTATION_DATA ")).collect::<String>(),
                )
            });
            return Outcome::Good { signer: pinned, release };
        } else {
            bad(Code::BadSignature, "gpg did not find it good")
        };
    }
    worst
}

/// Decodes `%20` of gpg's status lines.
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let digits = tail.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_notations_of_gpg_are_joined() {
        let key = "A".repeat(40);
        let said = format!(
            "[GNUPG:] NEWSIG\n[GNUPG:] GOODSIG x\n[GNUPG:] NOTATION_NAME other@example.org\n\
             [GNUPG:] NOTATION_DATA no\n[GNUPG:] NOTATION_NAME {NOTATION}\n[GNUPG:] NOTATION_FLAGS 0 1\n\
             [GNUPG:] NOTATION_DATA demo%201\n[GNUPG:] NOTATION_DATA .0%25\n[GNUPG:] VALIDSIG {key}\n"
        );
        let Outcome::Good { release, .. } = gpg_outcome(&said, &key) else { panic!("{said}") };
        assert_eq!(release.as_deref(), Some("demo 1.0%"));
    }
}
