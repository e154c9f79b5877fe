//! One way to run children: an argument list, an explicit environment, captured output.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use super::{Cancel, Env, Host};

/// A child to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// The program: a path, or a name that the caller has already found.
    pub program: PathBuf,
    /// Its arguments; never a shell line.
    pub args: Vec<String>,
    /// Its whole environment.
    pub env: BTreeMap<String, String>,
    /// Where it runs.
    pub dir: PathBuf,
    /// Whether it may take job tokens from our pool (make, cargo, ninja).
    pub takes_jobs: bool,
    /// A file for all that it says, in the order in which it says it; then [`Exec`] is empty.
    pub log: Option<PathBuf>,
}

/// What a child said.
#[derive(Debug, Clone)]
pub struct Exec {
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error, lossily decoded.
    pub stderr: String,
}

/// Why a child gave no result.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// It could not be started.
    #[error("cannot run `{}`", program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It ended with an error.
    #[error("{command} ended with {status} in `{}`{}", dir.display(), quoted(output))]
    Failed {
        /// The command, quoted for a shell.
        command: String,
        /// Where it ran.
        dir: PathBuf,
        /// `exit status 1`, `signal 9`.
        status: String,
        /// The end of its standard error (or output, where it wrote no errors).
        output: String,
    },
    /// The user stopped us.
    #[error("stopped")]
    Cancelled,
}

/// How many lines of a child's output an error shows.
const TAIL_LINES: usize = 40;

impl Command {
    /// `program` in `dir` with `env` and nothing else.
    pub fn new(program: impl Into<PathBuf>, dir: impl Into<PathBuf>, env: &Env) -> Self {
        Self {
            program: program.into(),
            args: Vec::new(),
            env: env.iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect(),
            dir: dir.into(),
            takes_jobs: false,
            log: None,
        }
    }

    /// One more argument.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<String>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// More arguments.
    #[must_use]
    pub fn args<S: Into<String>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// One more variable.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.env.insert(name.into(), value.into());
        self
    }

    /// Lets the child share our job tokens.
    #[must_use]
    pub fn takes_jobs(mut self) -> Self {
        self.takes_jobs = true;
        self
    }

    /// Puts what the child says into the file at `path`, which is replaced.
    #[must_use]
    pub fn log(mut self, path: impl Into<PathBuf>) -> Self {
        self.log = Some(path.into());
        self
    }

    /// The command as one would type it.
    pub fn shell_words(&self) -> String {
        let words = [self.program.to_string_lossy().into_owned()];
        let words = words.iter().chain(&self.args).map(|word| quote(word));
        words.collect::<Vec<_>>().join(" ")
    }

    /// Runs the child to its end; an exit status other than 0 is an error. What a content child
    /// writes to standard error, such as warnings, is for `-v`.
    pub fn run(&self, host: &Host) -> Result<Exec, ProcessError> {
        let output = self.output(host)?;
        if output.status.success() {
            let exec = exec(output);
            if !exec.stderr.trim().is_empty() {
                host.detail(|| exec.stderr.trim_end().to_owned());
            }
            return Ok(exec);
        }
        let status = describe(output.status);
        let Exec { stdout, stderr } = exec(output);
        let text = match &self.log {
            Some(log) => end_of(log),
            None if stderr.trim().is_empty() => String::from_utf8_lossy(&stdout).into(),
            None => stderr,
        };
        Err(ProcessError::Failed {
            command: format!("`{}`", self.shell_words()),
            dir: self.dir.clone(),
            status,
            output: tail(&text),
        })
    }

    fn output(&self, host: &Host) -> Result<std::process::Output, ProcessError> {
        let start = |source| ProcessError::Start { program: self.program.clone(), source };
        if host.cancel.is_cancelled() {
            return Err(ProcessError::Cancelled);
        }
        let args: Vec<OsString> = self.args.iter().map(OsString::from).collect();
        let jobs = self.takes_jobs.then(|| host.jobs.clone());
        let expression =
            duct::cmd(&self.program, args).dir(&self.dir).full_env(&self.env).stdin_null();
        let expression = match &self.log {
            Some(log) => expression.stderr_to_stdout().stdout_path(log),
            None => expression.stdout_capture().stderr_capture(),
        };
        let expression = expression.unchecked().before_spawn(move |command| {
            if let Some(jobs) = &jobs {
                jobs.share(command);
            }
            Ok(())
        });
        let handle = expression.start().map_err(start)?;
        match ended(handle, &host.cancel).map_err(start)? {
            Some(output) => Ok(output),
            None => Err(ProcessError::Cancelled),
        }
    }
}

/// How often we look whether the user wants to stop.
const PACE: Duration = Duration::from_millis(100);

/// What the child said, when it has ended; nothing when the user stopped us, and it with us.
fn ended(handle: duct::Handle, cancel: &Cancel) -> io::Result<Option<std::process::Output>> {
    let handle = Arc::new(handle);
    let (send, receive) = mpsc::channel();
    let waiting = Arc::clone(&handle);
    // Not joined: a grandchild that outlives a killed child may keep its output open.
    std::thread::Builder::new().spawn(move || {
        // Nobody listens any more when the user stopped us.
        let _ = send.send(waiting.wait().cloned());
    })?;
    loop {
        match receive.recv_timeout(PACE) {
            _ if cancel.is_cancelled() => {
                handle.kill()?;
                return Ok(None);
            }
            Ok(output) => return output.map(Some),
            Err(mpsc::RecvTimeoutError::Timeout) => {}
            Err(error) => return Err(io::Error::other(error)),
        }
    }
}

/// The last lines of a log, however long it is.
fn end_of(log: &Path) -> String {
    const MOST: u64 = 1 << 16;
    let read = || -> io::Result<Vec<u8>> {
        let size = super::fs::metadata(log)?.len();
        let mut bytes = vec![0; usize::try_from(size.min(MOST)).unwrap_or_default()];
        let length = super::fs::read_at(&super::fs::open(log)?, &mut bytes, size - size.min(MOST))?;
        bytes.truncate(length);
        Ok(bytes)
    };
    read().map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

fn exec(output: std::process::Output) -> Exec {
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    Exec { stdout: output.stdout, stderr }
}

#[cfg(unix)]
pub(super) fn describe(status: std::process::ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt as _;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit status {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => status.to_string(),
    }
}

#[cfg(not(unix))]
pub(super) fn describe(status: std::process::ExitStatus) -> String {
    status.code().map_or_else(|| status.to_string(), |code| format!("exit status {code}"))
}

fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=+./,:@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.trim_end().lines().collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
}

fn quoted(output: &str) -> String {
    let lines = output.lines().map(|line| format!("\n    {line}"));
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_as_a_shell_reads_them() {
        let command = Command::new("cc", "/", &Env::default()).args(["-DA=\"b c\"", "it's", ""]);
        assert_eq!(command.shell_words(), r#"cc '-DA="b c"' 'it'\''s' ''"#);
    }

    #[test]
    #[cfg(unix)]
    fn a_failing_child_shows_its_last_words() {
        let host = Host::quiet(Env::default());
        let sh = |script: &str| Command::new("/bin/sh", "/", &host.env).arg("-c").arg(script);
        assert_eq!(sh("echo hi").run(&host).unwrap().stdout, b"hi\n");
        let error = sh("echo no such thing >&2; exit 3").run(&host).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("exit status 3") && text.ends_with("\n    no such thing"), "{text}");
        let dir = crate::sys::fs::temp_dir().unwrap();
        let log = dir.path().join("log");
        let said = sh("echo one; echo two >&2; echo three; exit 1").log(&log).run(&host);
        assert!(said.unwrap_err().to_string().ends_with("\n    one\n    two\n    three"));
        assert_eq!(crate::sys::fs::read(&log).unwrap(), b"one\ntwo\nthree\n");
        let error = Command::new("/nonexistent/cc", "/", &host.env).run(&host).unwrap_err();
        assert_eq!(error.to_string(), "cannot run `/nonexistent/cc`");
        host.cancel.cancel();
        assert!(matches!(sh("true").run(&host), Err(ProcessError::Cancelled)));
    }
}
