//! Children that must end in time, with everything that they started.

use std::fs::File;
use std::io;
use std::path::Path;
use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

use super::process::describe;
use super::{Command, Host, ProcessError};

/// How much a child may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How long it may run.
    pub time: Duration,
    /// How large its log may grow, in bytes: a child that writes without end fills no disk.
    pub log_bytes: u64,
}

/// How a child ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// With this exit code.
    Code(i32),
    /// By a signal: `signal 11`.
    Signal(String),
    /// We ended it: its time was over.
    OutOfTime,
    /// We ended it: it wrote more than it may.
    TooMuchOutput,
}

/// How often we look whether the child has ended.
const PACE: Duration = Duration::from_millis(15);

impl Command {
    /// Runs the child in a process group of its own, and writes both its outputs behind what `log`
    /// has. When it ends, or its limits are reached, or the user stops us, nothing of its group is
    /// left running; on Linux, nothing that it started, whatever group or session that went to. An
    /// exit code other than 0 is no error here.
    ///
    /// # Errors
    /// When it cannot be started, or the user stops us.
    pub fn run_limited(
        &self,
        host: &Host,
        log: &Path,
        limits: Limits,
    ) -> Result<Ended, ProcessError> {
        let error = |source| ProcessError::Start { program: self.program.clone(), source };
        if host.cancel.is_cancelled() {
            return Err(ProcessError::Cancelled);
        }
        let log = open(log).map_err(error)?;
        #[cfg(target_os = "linux")]
        let mark = super::tree::mark();
        let mut child = Running {
            #[cfg(target_os = "linux")]
            child: self.spawn(&log, &[(super::tree::VARIABLE, &mark)]).map_err(error)?,
            #[cfg(not(target_os = "linux"))]
            child: self.spawn(&log, &[]).map_err(error)?,
            #[cfg(target_os = "linux")]
            mark,
        };
        let start = Instant::now();
        let mut ended = None;
        while !child.has_ended().map_err(error)? {
            if host.cancel.is_cancelled() {
                child.end().map_err(error)?;
                return Err(ProcessError::Cancelled);
            }
            if start.elapsed() >= limits.time {
                ended = Some(Ended::OutOfTime);
                break;
            }
            if log.metadata().map_err(error)?.len() > limits.log_bytes {
                ended = Some(Ended::TooMuchOutput);
                break;
            }
            std::thread::sleep(PACE);
        }
        // Also when it ended by itself: what it left behind would hold the log, and the directory.
        let status = child.end().map_err(error)?;
        Ok(ended.unwrap_or_else(|| match status.code() {
            Some(code) => Ended::Code(code),
            None => Ended::Signal(describe(status)),
        }))
    }

    #[allow(clippy::disallowed_methods, reason = "this is the door")]
    fn spawn(&self, log: &File, more: &[(&str, &str)]) -> io::Result<Child> {
        let mut command = std::process::Command::new(&self.program);
        command.args(&self.args).env_clear().envs(&self.env).current_dir(&self.dir);
        command.envs(more.iter().copied());
        command.stdin(std::process::Stdio::null());
        command.stdout(log.try_clone()?).stderr(log.try_clone()?);
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        command.spawn()
    }
}

/// A child whose group ends with the value.
struct Running {
    child: Child,
    /// By what the processes that it started are known.
    #[cfg(target_os = "linux")]
    mark: String,
}

impl Running {
    /// Whether the child has ended. On Unix it keeps its number until [`Running::end`], so that the
    /// number of its group cannot mean another one meanwhile.
    #[cfg(unix)]
    fn has_ended(&mut self) -> io::Result<bool> {
        use rustix::process::{WaitId, WaitIdOptions, waitid};
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        Ok(waitid(WaitId::Pid(self.pid()?), options)?.is_some())
    }

    #[cfg(not(unix))]
    fn has_ended(&mut self) -> io::Result<bool> {
        Ok(self.child.try_wait()?.is_some())
    }

    #[cfg(unix)]
    fn pid(&self) -> io::Result<rustix::process::Pid> {
        let number = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw);
        number.ok_or_else(|| io::Error::other("the child has no number"))
    }

    /// Ends what is left of the group, and says how the child ended.
    fn end(&mut self) -> io::Result<ExitStatus> {
        // Before the group: those that left it may be known by their parents only.
        #[cfg(target_os = "linux")]
        super::tree::end(self.pid()?, &self.mark);
        self.kill_group();
        self.child.wait()
    }

    #[cfg(unix)]
    fn kill_group(&mut self) {
        if let Ok(pid) = self.pid() {
            // An error says that nobody is left, or that the last one is ending.
            let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
        }
    }

    #[cfg(not(unix))]
    #[allow(clippy::disallowed_methods, reason = "this is the door")]
    fn kill_group(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let id = self.child.id().to_string();
            let mut killer = std::process::Command::new("taskkill");
            let _ = killer.args(["/T", "/F", "/PID", &id]).output();
            let _ = self.child.kill();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // After an error; otherwise the child has been waited for and has no group any more.
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.end();
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    if let Some(parent) = path.parent() {
        super::fs::create_dir_all(parent)?;
    }
    Ok(fs_err::OpenOptions::new().create(true).append(true).open(path)?.into_file())
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use crate::sys::{Env, fs};

    fn run(script: &str, limits: Limits) -> (Ended, String) {
        let dir = fs::temp_dir().unwrap();
        let host = Host::quiet(Env::default().with([("PATH".into(), "/usr/bin:/bin".into())]));
        let command = Command::new("/bin/sh", dir.path(), &host.env).args(["-c", script]);
        let log = dir.path().join("log");
        let ended = command.run_limited(&host, &log, limits).unwrap();
        (ended, fs::read_to_string(&log).unwrap())
    }

    #[test]
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
    fn what_a_child_leaves_behind_ends_too() {
        let limits = Limits { time: Duration::from_mins(1), log_bytes: 1 << 20 };
        let check = |script: &str, ends: Ended| {
            let (ended, log) = run(script, limits);
            assert_eq!(ended, ends, "{script}");
            let pid = rustix::process::Pid::from_raw(log.trim().parse().unwrap()).unwrap();
            // Whoever inherits it takes a moment to let go of its number.
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

    /// One that took the mark from itself is still below the child while that runs.
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

    fn is_ending(pid: rustix::process::Pid) -> bool {
        let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
        stat.is_ok_and(|stat| stat.contains(") Z "))
    }
}
