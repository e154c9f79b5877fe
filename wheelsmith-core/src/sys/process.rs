//! Child processes: an argument list, an explicit environment, captured output, optional limits.
//!
//! Output goes to files, never through a pipe: a grandchild that outlives the child cannot delay
//! this process, and the size of the file shows that a child writes without end.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read as _, Seek as _};
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::{Env, Host, excerpt};

/// Child process to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// Program: a path, or a name that the caller has already found.
    pub program: PathBuf,
    /// Arguments; never a shell line.
    pub args: Vec<String>,
    /// All environment variables.
    pub env: BTreeMap<String, String>,
    /// Working directory.
    pub dir: PathBuf,
    /// True if it may use job tokens of our pool (make, cargo, ninja).
    pub takes_jobs: bool,
    /// File for both outputs, in the order in which they are written, and for the command if it fails;
    /// then [`Exec`] is empty.
    pub log: Option<PathBuf>,
    /// File for the command and both outputs, written only if the child fails.
    pub failure_log: Option<PathBuf>,
    /// Standard input.
    pub stdin: Stdin,
}

/// Standard input of a child.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Stdin {
    /// Empty.
    #[default]
    Null,
    /// Ours, so that the child can ask for a password.
    Inherited,
    /// Content of a file.
    File(PathBuf),
}

/// Output of a child that succeeded.
#[derive(Debug, Clone)]
pub struct Exec {
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error, lossily decoded.
    pub stderr: String,
}

/// Limits of a child.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Longest run time.
    pub time: Duration,
    /// Largest output in bytes, so that a child that writes without end fills no disk.
    pub log_bytes: u64,
}

impl Limits {
    /// Limits of children without limits of their own. No compiler writes this much.
    const DEFAULT: Self = Self { time: Duration::MAX, log_bytes: 256 << 20 };
}

/// Result of a child.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// The child exited with this code.
    Code(i32),
    /// A signal ended the child: `signal 11`.
    Signal(String),
    /// The child was killed, because it exceeded its time limit.
    OutOfTime,
    /// The child was killed, because it exceeded its output limit.
    TooMuchOutput,
}

/// Reason why a child did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// The child could not be started.
    #[error("cannot run `{}`", program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// The reason.
        #[source]
        source: io::Error,
    },
    /// The child exited with an error.
    #[error(
        "{command} ended with {status} in `{}`{}{}",
        dir.display(), quoted(output), named(log.as_deref())
    )]
    Failed {
        /// The command, quoted for a shell; only its ends if it is long.
        command: String,
        /// Its working directory.
        dir: PathBuf,
        /// `exit status 1`, `signal 9`.
        status: String,
        /// The first error that it reported and its last lines, of standard error (of standard
        /// output, if it wrote no errors).
        output: String,
        /// Failure log, if one was written.
        log: Option<PathBuf>,
    },
    /// The user cancelled the operation.
    #[error("stopped")]
    Cancelled,
}

/// Longest command line in an error, in characters.
const COMMAND_LENGTH: usize = 320;

/// Returns a command line in backticks; only the first and last words of a long one. A link of many
/// objects has thousands of characters, which would hide the linker's own message.
fn shortened(words: &str) -> String {
    if words.chars().count() <= COMMAND_LENGTH {
        return format!("`{words}`");
    }
    let pieces: Vec<&str> = words.split(' ').collect();
    let fitting = |length: usize, pieces: &mut dyn Iterator<Item = &&str>| {
        let mut used = 0;
        let fits = |piece: &&&str| {
            used += piece.chars().count() + 1;
            used <= length
        };
        pieces.take_while(fits).count()
    };
    let first = fitting(COMMAND_LENGTH * 2 / 3, &mut pieces.iter());
    let last = fitting(COMMAND_LENGTH / 3, &mut pieces[first..].iter().rev());
    let (start, end) = (pieces[..first].join(" "), pieces[pieces.len() - last..].join(" "));
    format!("`{start} … {end}` (`-v` shows {} words more)", pieces.len() - first - last)
}

impl Command {
    /// Creates a command: `program` in `dir`, with exactly the variables of `env`.
    pub fn new(program: impl Into<PathBuf>, dir: impl Into<PathBuf>, env: &Env) -> Self {
        Self {
            program: program.into(),
            args: Vec::new(),
            env: env.iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect(),
            dir: dir.into(),
            takes_jobs: false,
            log: None,
            stdin: Stdin::Null,
            failure_log: None,
        }
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<String>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<S: Into<String>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Sets a variable.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.env.insert(name.into(), value.into());
        self
    }

    /// Permits the child to use job tokens of our pool.
    #[must_use]
    pub fn takes_jobs(mut self) -> Self {
        self.takes_jobs = true;
        self
    }

    /// Writes both outputs to the file at `path`, which is replaced, and the command if it fails.
    #[must_use]
    pub fn log(mut self, path: impl Into<PathBuf>) -> Self {
        self.log = Some(path.into());
        self
    }

    /// Sets standard input.
    #[must_use]
    pub fn stdin(mut self, stdin: Stdin) -> Self {
        self.stdin = stdin;
        self
    }

    /// Writes the command and both outputs to the file at `path` if the child fails; removes the file
    /// otherwise. The error names it.
    #[must_use]
    pub fn failure_log(mut self, path: impl Into<PathBuf>) -> Self {
        self.failure_log = Some(path.into());
        self
    }

    /// Returns the command as a shell line.
    pub fn shell_words(&self) -> String {
        let words = [self.program.to_string_lossy().into_owned()];
        let words = words.iter().chain(&self.args).map(|word| quote(word));
        words.collect::<Vec<_>>().join(" ")
    }

    /// Runs the child to its end and returns its output; an exit status other than 0 is an error.
    /// Standard error of a successful child, such as warnings, is shown with `-v`.
    ///
    /// # Errors
    /// Returns an error if the child cannot be started, fails, or writes more than 256 MiB, and
    /// [`ProcessError::Cancelled`] if the user stops us.
    pub fn run(&self, host: &Host) -> Result<Exec, ProcessError> {
        let start = |source| ProcessError::Start { program: self.program.clone(), source };
        let head = self.log_head();
        let mut outputs = match &self.log {
            Some(path) => Outputs::Log(fs_err::File::create(path).map_err(start)?.into_file()),
            None => Outputs::captured().map_err(start)?,
        };
        let ended = self.execute(host, &outputs, Limits::DEFAULT, Scope::Child)?;
        let read = |file: &mut File| -> io::Result<Vec<u8>> {
            let mut bytes = Vec::new();
            file.rewind()?;
            file.take(Limits::DEFAULT.log_bytes).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        let (stdout, stderr) = match &mut outputs {
            Outputs::Log(_) => (Vec::new(), Vec::new()),
            Outputs::Captured { stdout, stderr } => {
                (read(stdout).map_err(start)?, read(stderr).map_err(start)?)
            }
        };
        let stderr = String::from_utf8_lossy(&stderr).into_owned();
        if ended == Ended::Code(0) {
            if !stderr.trim().is_empty() {
                host.detail(|| super::printable(stderr.trim_end()));
            }
            if let Some(log) = &self.failure_log {
                // That of an earlier run, if there is one.
                let _ = super::fs::remove_file(log);
            }
            return Ok(Exec { stdout, stderr });
        }
        let output = match &self.log {
            Some(log) => super::fs::open(log).map(excerpt::of).unwrap_or_default(),
            None if stderr.trim().is_empty() => excerpt::of(&stdout[..]),
            None => excerpt::of(stderr.as_bytes()),
        };
        let status = match ended {
            Ended::Code(code) => format!("exit status {code}"),
            Ended::Signal(signal) => signal,
            Ended::OutOfTime => "no result in time".to_owned(),
            Ended::TooMuchOutput => {
                format!("more than {} MiB of output", Limits::DEFAULT.log_bytes >> 20)
            }
        };
        if let Some(log) = &self.log {
            // A log that cannot be completed still has the output.
            let _ = super::fs::append(log, format!("\n{head}{status}\n").as_bytes());
        }
        let words = self.shell_words();
        let command = shortened(&words);
        if words.chars().count() > COMMAND_LENGTH {
            host.detail(|| words);
        }
        let log = self.failure_log.clone().filter(|log| {
            let parts =
                [head.as_bytes(), &stdout, stderr.as_bytes(), b"\n", status.as_bytes(), b"\n"];
            // Without the log, the error still shows what matters most.
            super::fs::write_atomic(log, &parts.concat()).is_ok()
        });
        Err(ProcessError::Failed { command, dir: self.dir.clone(), status, output, log })
    }

    /// Returns lines of a log: the directory and the whole command, as a shell reads them.
    fn log_head(&self) -> String {
        format!("$ cd {}\n$ {}\n", quote(&self.dir.to_string_lossy()), self.shell_words())
    }

    /// Runs the child in a process group of its own and appends both outputs to `log`. When it ends,
    /// reaches a limit, or the user stops us, every process of its group is ended; on Linux, every
    /// process that it started, even in other groups and sessions. An exit code other than 0 is not
    /// an error here.
    ///
    /// # Errors
    /// Returns an error if the child cannot be started, and [`ProcessError::Cancelled`] if the user
    /// stops us.
    pub fn run_limited(
        &self,
        host: &Host,
        log: &Path,
        limits: Limits,
    ) -> Result<Ended, ProcessError> {
        let log = open_log(log);
        let log =
            log.map_err(|source| ProcessError::Start { program: self.program.clone(), source })?;
        self.execute(host, &Outputs::Log(log), limits, Scope::Group)
    }

    fn execute(
        &self,
        host: &Host,
        outputs: &Outputs,
        limits: Limits,
        scope: Scope,
    ) -> Result<Ended, ProcessError> {
        host.report.started(self);
        let error = |source| ProcessError::Start { program: self.program.clone(), source };
        if host.cancel.is_cancelled() {
            return Err(ProcessError::Cancelled);
        }
        let mut child = self.spawn(host, outputs, scope).map_err(error)?;
        let start = Instant::now();
        let mut ended = None;
        let waiter = child.waiter();
        while !child.has_ended(waiter.as_ref()).map_err(error)? {
            if host.cancel.is_cancelled() {
                child.end(true).map_err(error)?;
                return Err(ProcessError::Cancelled);
            }
            if start.elapsed() >= limits.time {
                ended = Some(Ended::OutOfTime);
                break;
            }
            if outputs.size().map_err(error)? > limits.log_bytes {
                ended = Some(Ended::TooMuchOutput);
                break;
            }
        }
        let status = child.end(ended.is_some()).map_err(error)?;
        if ended.is_none() && outputs.size().map_err(error)? > limits.log_bytes {
            ended = Some(Ended::TooMuchOutput);
        }
        Ok(ended.unwrap_or_else(|| match status.code() {
            Some(code) => Ended::Code(code),
            None => Ended::Signal(signal(status)),
        }))
    }

    fn spawn(&self, host: &Host, outputs: &Outputs, scope: Scope) -> io::Result<Running> {
        let args: Vec<OsString> = self.args.iter().map(OsString::from).collect();
        let (stdout, stderr) = match outputs {
            Outputs::Log(log) => (log, log),
            Outputs::Captured { stdout, stderr } => (stdout, stderr),
        };
        #[cfg_attr(
            not(target_os = "linux"),
            allow(unused_mut, reason = "only Linux finds processes by a variable")
        )]
        let mut env = self.env.clone();
        #[cfg(target_os = "linux")]
        let mark = super::tree::mark();
        #[cfg(target_os = "linux")]
        if scope == Scope::Group {
            env.insert(super::tree::VARIABLE.to_owned(), mark.clone());
        }
        let child = duct::cmd(&self.program, args).dir(&self.dir).full_env(&env);
        let child = match &self.stdin {
            Stdin::Null => child.stdin_null(),
            Stdin::Inherited => child,
            Stdin::File(path) => child.stdin_path(path),
        };
        let child = child.stdout_file(stdout.try_clone()?);
        let mut child = child.stderr_file(stderr.try_clone()?).unchecked();
        if self.takes_jobs {
            let jobs = host.jobs.clone();
            child = child.before_spawn(move |command| {
                jobs.share(command);
                Ok(())
            });
        }
        #[cfg(unix)]
        if scope == Scope::Group {
            child = child.before_spawn(|command| {
                std::os::unix::process::CommandExt::process_group(command, 0);
                Ok(())
            });
        }
        Ok(Running {
            child: start(&child)?,
            scope,
            has_ended: false,
            #[cfg(target_os = "linux")]
            mark,
        })
    }
}

/// Starts a child. A program that was just written may still be open for writing in a child that
/// another thread is starting; retries until that has ended.
fn start(child: &duct::Expression) -> io::Result<duct::Handle> {
    for _ in 0..20 {
        match child.start() {
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy => {
                std::thread::sleep(Duration::from_millis(10));
            }
            result => return result,
        }
    }
    child.start()
}

/// Processes that end when a child is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// The child, and on Linux all processes below it. It stays in our process group, so that it
    /// can use the terminal: git and ssh ask for passwords.
    Child,
    /// Its process group, and on Linux all processes that it started.
    Group,
}

/// Files for a child's output.
enum Outputs {
    /// Common file of both outputs.
    Log(File),
    /// Two files without names.
    Captured { stdout: File, stderr: File },
}

impl Outputs {
    fn captured() -> io::Result<Self> {
        Ok(Self::Captured { stdout: super::fs::nameless()?, stderr: super::fs::nameless()? })
    }

    /// Returns the size of both outputs, in bytes.
    fn size(&self) -> io::Result<u64> {
        match self {
            Self::Log(log) => Ok(log.metadata()?.len()),
            Self::Captured { stdout, stderr } => {
                Ok(stdout.metadata()?.len() + stderr.metadata()?.len())
            }
        }
    }
}

/// Interval at which limits and cancellation are checked.
const PACE: Duration = Duration::from_millis(15);

/// A running child; ended when dropped.
struct Running {
    child: duct::Handle,
    scope: Scope,
    has_ended: bool,
    /// Mark of the processes that it started.
    #[cfg(target_os = "linux")]
    mark: String,
}

impl Running {
    /// Starts a thread that sends a message when the child ends. On Unix the child keeps its number
    /// until [`Running::end`], so that the number cannot be reused meanwhile.
    #[cfg(unix)]
    fn waiter(&self) -> Option<mpsc::Receiver<()>> {
        use rustix::process::{WaitId, WaitIdOptions, waitid};
        let pid = self.pid().ok()?;
        let (send, receive) = mpsc::channel();
        let wait = move || {
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            while matches!(waitid(WaitId::Pid(pid), options), Err(rustix::io::Errno::INTR)) {}
            // The receiver is gone if the child was ended by us.
            let _ = send.send(());
        };
        // Without a thread the child is polled.
        std::thread::Builder::new().stack_size(64 << 10).spawn(wait).ok()?;
        Some(receive)
    }

    #[cfg(not(unix))]
    #[allow(clippy::unused_self, reason = "other systems need it")]
    fn waiter(&self) -> Option<mpsc::Receiver<()>> {
        None
    }

    /// Waits for a moment, and returns true if the child has ended.
    fn has_ended(&mut self, waiter: Option<&mpsc::Receiver<()>>) -> io::Result<bool> {
        if let Some(waiter) = waiter
            && waiter.recv_timeout(PACE) == Err(mpsc::RecvTimeoutError::Timeout)
        {
            return Ok(false);
        }
        let ended = self.looks_ended()?;
        if !ended && waiter.is_none() {
            std::thread::sleep(PACE / 3);
        }
        Ok(ended)
    }

    #[cfg(unix)]
    fn looks_ended(&mut self) -> io::Result<bool> {
        use rustix::process::{WaitId, WaitIdOptions, waitid};
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        Ok(waitid(WaitId::Pid(self.pid()?), options)?.is_some())
    }

    #[cfg(not(unix))]
    fn looks_ended(&mut self) -> io::Result<bool> {
        Ok(self.child.try_wait()?.is_some())
    }

    #[cfg(unix)]
    fn pid(&self) -> io::Result<rustix::process::Pid> {
        let number = self.child.pids().first().and_then(|&pid| i32::try_from(pid).ok());
        let number = number.and_then(rustix::process::Pid::from_raw);
        number.ok_or_else(|| io::Error::other("the child has no process number"))
    }

    /// Ends the child if it still runs, and with it the processes of its [`Scope`]. A group is
    /// ended even if the child exited by itself, because remaining processes would use the log and
    /// the directory.
    fn end(&mut self, by_force: bool) -> io::Result<ExitStatus> {
        self.has_ended = true;
        if by_force || self.scope == Scope::Group {
            // Before the group: processes that left it may be found only through their parents.
            #[cfg(target_os = "linux")]
            super::tree::end(self.pid()?, &self.mark);
            self.kill();
        }
        Ok(self.child.wait()?.status)
    }

    #[cfg(unix)]
    fn kill(&mut self) {
        if self.scope == Scope::Child {
            // An error means that the child has ended.
            let _ = self.child.kill();
        } else if let Ok(pid) = self.pid() {
            // An error means that no process is left, or that the last one is ending.
            let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
        }
    }

    #[cfg(not(unix))]
    fn kill(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            for id in self.child.pids() {
                let id = id.to_string();
                let killer = duct::cmd("taskkill", ["/T", "/F", "/PID", id.as_str()]);
                let _ = killer.stdin_null().stdout_null().stderr_null().unchecked().run();
            }
            let _ = self.child.kill();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Only after an error; otherwise the child has been waited for.
        if !self.has_ended {
            let _ = self.end(true);
        }
    }
}

fn open_log(path: &Path) -> io::Result<File> {
    if let Some(parent) = path.parent() {
        super::fs::create_dir_all(parent)?;
    }
    Ok(fs_err::OpenOptions::new().create(true).append(true).open(path)?.into_file())
}

#[cfg(unix)]
fn signal(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt as _;
    status.signal().map_or_else(|| status.to_string(), |signal| format!("signal {signal}"))
}

#[cfg(not(unix))]
fn signal(status: ExitStatus) -> String {
    status.to_string()
}

fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=+./,:@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// Returns the line of an error that names the log.
fn named(log: Option<&Path>) -> String {
    let line =
        |log: &Path| format!("\n    the whole command and its output are in `{}`", log.display());
    log.map(line).unwrap_or_default()
}

fn quoted(output: &str) -> String {
    let lines = output.lines().map(|line| format!("\n    {line}"));
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::fs;

    #[test]
    fn words_are_quoted_as_a_shell_reads_them() {
        let command = Command::new("cc", "/", &Env::default()).args(["-DA=\"b c\"", "it's", ""]);
        assert_eq!(command.shell_words(), r#"cc '-DA="b c"' 'it'\''s' ''"#);
    }

    #[test]
    fn only_the_ends_of_a_long_command_are_shown() {
        assert_eq!(shortened("cc -c a.c"), "`cc -c a.c`");
        let objects: Vec<String> = (0..1000).map(|i| format!("{i}.o")).collect();
        let shown = shortened(&format!("cc -o x {} -lm", objects.join(" ")));
        assert!(shown.starts_with("`cc -o x 0.o 1.o "), "{shown}");
        assert!(shown.contains(" … ") && shown.contains(" 999.o -lm` (`-v` shows "), "{shown}");
        assert!(shown.len() < 400, "{shown}");
        // One word without end is left out.
        assert!(shortened(&"x".repeat(5000)).len() < 400);
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
        let dir = fs::temp_dir().unwrap();
        let log = dir.path().join("log");
        let said = sh("echo one; echo two >&2; echo three; exit 1").log(&log).run(&host);
        assert!(said.unwrap_err().to_string().ends_with("\n    one\n    two\n    three"));
        let text = fs::read_to_string(&log).unwrap();
        assert!(text.starts_with("one\ntwo\nthree\n\n$ cd /"), "{text}");
        assert!(text.contains("\n$ /bin/sh -c 'echo one; echo two"), "{text}");
        assert!(text.ends_with("\nexit status 1\n"), "{text}");
        let log = dir.path().join("of/failures");
        let failing = sh("echo out; echo err >&2; exit $CODE").failure_log(&log);
        let error = failing.clone().env("CODE", "1").run(&host).unwrap_err().to_string();
        assert!(error.ends_with(&format!(
            "\n    the whole command and its output are in `{}`",
            log.display()
        )));
        let text = fs::read_to_string(&log).unwrap();
        assert!(text.ends_with("exit $CODE'\nout\nerr\n\nexit status 1\n"), "{text}");
        failing.env("CODE", "0").run(&host).unwrap();
        assert!(!log.exists());
        let error = Command::new("/nonexistent/cc", "/", &host.env).run(&host).unwrap_err();
        assert_eq!(error.to_string(), "cannot run `/nonexistent/cc`");
        // The first error is shown, whatever follows it.
        let many = "echo a.c:1: error: first >&2; seq 10000 >&2; exit 1";
        let text = sh(many).run(&host).unwrap_err().to_string();
        assert!(text.contains("\n    a.c:1: error: first\n    1\n"), "{text}");
        assert!(text.lines().count() < 50 && text.ends_with("\n    10000"), "{text}");
        let endless = sh("while :; do printf '%065536d' 0; done").run(&host).unwrap_err();
        assert!(endless.to_string().contains("ended with more than 256 MiB of output"));
        host.cancel.cancel();
        assert!(matches!(sh("true").run(&host), Err(ProcessError::Cancelled)));
    }

    #[cfg(unix)]
    fn run(script: &str, limits: Limits) -> (Ended, String) {
        let dir = fs::temp_dir().unwrap();
        let host = Host::quiet(Env::default().with([("PATH".into(), "/usr/bin:/bin".into())]));
        let command = Command::new("/bin/sh", dir.path(), &host.env).args(["-c", script]);
        let log = dir.path().join("log");
        let ended = command.run_limited(&host, &log, limits).unwrap();
        (ended, fs::read_to_string(&log).unwrap())
    }

    #[test]
    #[cfg(unix)]
    fn children_end_in_time_with_all_that_they_started() {
        let generous = Limits { time: Duration::from_mins(1), log_bytes: 1 << 20 };
        let check = |script: &str, limits: Limits, expected: Ended, log: &str| {
            let start = Instant::now();
            assert_eq!(run(script, limits), (expected, log.to_owned()), "{script}");
            assert!(start.elapsed() < Duration::from_secs(30), "{script}");
        };
        check("echo a; echo b >&2; exit 3", generous, Ended::Code(3), "a\nb\n");
        check("kill -9 $$", generous, Ended::Signal("signal 9".into()), "");
        let short = Limits { time: Duration::from_millis(300), ..generous };
        check("trap '' TERM INT; sleep 100 & wait", short, Ended::OutOfTime, "");
        let small = Limits { log_bytes: 1000, ..generous };
        assert_eq!(run("yes", small).0, Ended::TooMuchOutput);
    }

    #[test]
    #[cfg(unix)]
    fn what_a_child_leaves_behind_ends_too() {
        let limits = Limits { time: Duration::from_mins(1), log_bytes: 1 << 20 };
        let check = |script: &str, ends: Ended| {
            let (ended, log) = run(script, limits);
            assert_eq!(ended, ends, "{script}");
            let pid = rustix::process::Pid::from_raw(log.trim().parse().unwrap()).unwrap();
            // A process that inherits the child needs a moment to reap it.
            let is_gone = || rustix::process::test_kill_process(pid).is_err() || is_ending(pid);
            let begun = Instant::now();
            while !is_gone() {
                assert!(begun.elapsed() < Duration::from_secs(30), "{script}");
                std::thread::sleep(Duration::from_millis(20));
            }
        };
        check("sleep 1000 & echo $!", Ended::Code(0));
        if cfg!(target_os = "linux") {
            // In a session of its own, with another parent.
            let away = "setsid sh -c 'echo $$; exec sleep 1000' &\n";
            let said = "while [ ! -s log ]; do sleep 0.01; done";
            check(&format!("{away}{said}"), Ended::Code(0));
            check(&format!("({away}); {said}; kill -9 $$"), Ended::Signal("signal 9".into()));
        }
    }

    /// A process that removed the mark from its environment is still found below the child.
    #[test]
    #[cfg(target_os = "linux")]
    fn a_child_without_the_mark_ends_with_its_parent() {
        let limits = Limits { time: Duration::from_millis(300), log_bytes: 1 << 20 };
        let script = "env -i setsid sh -c 'echo $$; exec sleep 1000' & wait";
        let (ended, log) = run(script, limits);
        assert_eq!(ended, Ended::OutOfTime);
        // On a slow machine it had not even begun.
        let Ok(number) = log.trim().parse() else { return };
        let pid = rustix::process::Pid::from_raw(number).unwrap();
        let begun = Instant::now();
        while rustix::process::test_kill_process(pid).is_ok() && !is_ending(pid) {
            assert!(begun.elapsed() < Duration::from_secs(30), "{number} still runs");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    #[cfg(unix)]
    fn is_ending(pid: rustix::process::Pid) -> bool {
        let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
        stat.is_ok_and(|stat| stat.contains(") Z "))
    }
}
