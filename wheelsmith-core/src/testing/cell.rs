//! What one cell does, in order; the first thing that does not hold ends it.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::environment::{Environment, Packages};
use super::{Error, Python, Settings, Status, Step, Subject, Tests, Way, files};
use crate::sys::{self, Command, Ended, Host, Limits, ProcessError};

/// A log that grows beyond this is that of a program gone wild.
const LOG_BYTES: u64 = 64 << 20;
/// How many of the last lines of a failed command are the reason.
const REASON_LINES: usize = 12;

/// Says which of its arguments can be imported, and is content when none can.
const ABSENCE: &str = "\
import importlib.util, sys
there = []
for name in sys.argv[1:]:
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        continue
    if spec is not None:
        there.append('`%s` can be imported without the wheel: %s' % (name, spec.origin))
sys.exit('\\n'.join(there) or 0)
";

/// Imports its arguments, and is content when each comes from the directory that the first one is.
const IMPORT: &str = "\
import importlib, os, sys
home = os.path.realpath(sys.argv[1]) + os.sep
for name in sys.argv[2:]:
    module = importlib.import_module(name)
    places = [getattr(module, '__file__', None)] + list(getattr(module, '__path__', []))
    place = os.path.realpath(next((place for place in places if place), ''))
    print(name, 'from', place)
    if not environment.startswith(home):
        sys.exit('`%s` is not that of the wheel: it comes from `%s`' % (name, place))
";

/// What came of a cell.
pub(super) struct Outcome {
    pub(super) status: Status,
    pub(super) reason: Option<String>,
    pub(super) tests: Option<Tests>,
    pub(super) steps: Vec<Step>,
}

/// Everything that a cell needs to know.
pub(super) struct CellInput<'a> {
    pub(super) subject: &'a Subject,
    pub(super) python: &'a Python,
    /// The root of a foreign Python.
    pub(super) root: Option<&'a Path>,
    pub(super) way: Way,
    pub(super) settings: &'a Settings,
    pub(super) packages: &'a Packages,
    /// The project, and its files that go along.
    pub(super) files: (&'a Path, &'a [PathBuf]),
    pub(super) log: &'a Path,
    pub(super) host: &'a Host,
}

/// Tries a wheel.
///
/// # Errors
/// When the cell's directory cannot be made, or the user stops us. What the wheel does wrong is an
/// outcome.
pub(super) fn run(input: &CellInput<'_>) -> Result<Outcome, Error> {
    let dir = sys::fs::temp_dir().map_err(Error::io("make the cell's directory"))?;
    let CellInput { way, python, root, settings, host, .. } = *input;
    let environment = Environment::new(dir.path(), way, python, root, settings, host)?;
    let (project, files) = input.files;
    files::copy(project, files, &environment.work).map_err(Error::io("copy the test files"))?;
    let mut log = StepLog::new(input.log, Duration::from_secs(settings.timeout_secs), host)?;
    let mut tests = None;
    let result = steps(input, environment, &mut log, &mut tests);
    let (status, reason) = match result {
        Ok(()) => (Status::Passed, None),
        Err(StepError::Failed(reason)) => (Status::Failed, Some(reason)),
        Err(StepError::Cancelled) => return Err(Error::Cancelled),
    };
    Ok(Outcome { status, reason, tests, steps: log.steps })
}

fn steps(
    input: &CellInput<'_>,
    mut environment: Environment,
    log: &mut StepLog<'_>,
    tests: &mut Option<Tests>,
) -> Result<(), StepError> {
    let CellInput { subject, python, settings, host, .. } = *input;
    if let Some(create) = environment.create(python) {
        log.run("environment", &create)?;
    }
    let imports = settings.imports.as_ref().unwrap_or(&subject.imports);
    let names: Vec<&str> = imports.iter().map(String::as_str).collect();
    if settings.absence {
        if !names.is_empty() {
            log.run("absence", &environment.python(&[&["-c", ABSENCE], &names[..]].concat()))?;
        }
        log.check("absence", || {
            let there =
                subject.commands.iter().find_map(|name| Some((name, environment.find(name)?)));
            there.map(|(name, path)| {
                format!("`{name}` is there without the wheel: `{}`", path.display())
            })
        })?;
    }
    match environment.install(subject, python, settings, input.packages, host) {
        Ok(install) => log.run("install", &install)?,
        Err(why) => return log.check("install", || Some(why)),
    };
    log.check("install", || environment.settle().err().map(|error| error.to_string()))?;
    if !names.is_empty() {
        let home = environment.env_dir.to_string_lossy().into_owned();
        let import = environment.python(&[&["-c", IMPORT, &home], &names[..]].concat());
        log.run("import", &import)?;
    }
    log.check("commands", || {
        let is_there = |name: &&String| {
            environment.find(name).is_some_and(|path| path.starts_with(&environment.env_dir))
        };
        let absent = subject.commands.iter().find(|name| !is_there(name))?;
        Some(format!("the wheel promises the command `{absent}`, and it is not there"))
    })?;
    for words in &settings.smoke {
        match environment.command(words) {
            Ok(command) => log.run("smoke", &command)?,
            Err(why) => return log.check("smoke", || Some(why)),
        };
    }
    if let Some(words) = &settings.command {
        let (said, result) = match environment.command(words) {
            Ok(command) => log.run_and_read("command", &command)?,
            Err(why) => return log.check("command", || Some(why)),
        };
        *tests = Tests::of(&said);
        result?;
    }
    Ok(())
}

/// Why a cell goes no further.
pub(super) enum StepError {
    Failed(String),
    Cancelled,
}

/// The steps of a cell, their log, and the time that is left.
pub(super) struct StepLog<'a> {
    path: &'a Path,
    start: Instant,
    limit: Duration,
    host: &'a Host,
    pub(super) steps: Vec<Step>,
}

impl<'a> StepLog<'a> {
    pub(super) fn new(path: &'a Path, limit: Duration, host: &'a Host) -> Result<Self, Error> {
        sys::fs::write_atomic(path, b"").map_err(Error::io("write the log"))?;
        Ok(Self { path, start: Instant::now(), limit, host, steps: Vec::new() })
    }

    /// Runs a command that must end well.
    pub(super) fn run(&mut self, name: &str, command: &Command) -> Result<String, StepError> {
        let (said, result) = self.run_and_read(name, command)?;
        result.map(|()| said)
    }

    /// Runs a command, and gives what it said with whether it ended well.
    pub(super) fn run_and_read(
        &mut self,
        name: &str,
        command: &Command,
    ) -> Result<(String, Result<(), StepError>), StepError> {
        let words = command.shell_words();
        let failed =
            |error: std::io::Error| StepError::Failed(format!("cannot write the log: {error}"));
        let header = format!("== {name}: {words}\n");
        sys::fs::append(self.path, header.as_bytes()).map_err(failed)?;
        let from = sys::fs::metadata(self.path).map_err(failed)?.len();
        let begun = Instant::now();
        let limits =
            Limits { time: self.limit.saturating_sub(self.start.elapsed()), log_bytes: LOG_BYTES };
        let ended = match command.run_limited(self.host, self.path, limits) {
            Ok(ended) => ended,
            Err(ProcessError::Cancelled) => return Err(StepError::Cancelled),
            Err(error) => {
                let why = error_text(&error);
                self.record(name, words, begun, Some(why.clone()));
                return Err(StepError::Failed(format!("{name}: {why}")));
            }
        };
        let said = read_from(self.path, from).map_err(failed)?;
        let problem = match ended {
            Ended::Code(0) => None,
            Ended::Code(code) => Some(format!("exit status {code}")),
            Ended::Signal(signal) => Some(format!("ended by {signal}")),
            Ended::OutOfTime => {
                Some(format!("not done after {} s; it was ended", self.limit.as_secs()))
            }
            Ended::TooMuchOutput => Some("it wrote more than 64 MiB; it was ended".to_owned()),
        };
        let verdict = problem.as_deref().unwrap_or("good");
        let footer = format!("-- {verdict} after {:.1} s\n", begun.elapsed().as_secs_f64());
        sys::fs::append(self.path, footer.as_bytes()).map_err(failed)?;
        self.record(name, words, begun, problem.clone());
        let result = match problem {
            None => Ok(()),
            Some(problem) => {
                Err(StepError::Failed(format!("{name}: {problem}{}", last_lines(&said))))
            }
        };
        Ok((said, result))
    }

    /// A step without a command; `look` says what is wrong.
    pub(super) fn check(
        &mut self,
        name: &str,
        look: impl FnOnce() -> Option<String>,
    ) -> Result<(), StepError> {
        let begun = Instant::now();
        let problem = look();
        let Some(problem) = problem else { return Ok(()) };
        let _ = sys::fs::append(self.path, format!("== {name}\n{problem}\n").as_bytes());
        self.record(name, String::new(), begun, Some(problem.clone()));
        Err(StepError::Failed(format!("{name}: {problem}")))
    }

    fn record(&mut self, name: &str, command: String, begun: Instant, problem: Option<String>) {
        let time_secs = begun.elapsed().as_secs_f64();
        self.steps.push(Step { name: name.to_owned(), command, time_secs, problem });
    }
}

fn error_text(error: &ProcessError) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

/// The end of a log, from `from` on and no more than its last MiB.
fn read_from(path: &Path, from: u64) -> std::io::Result<String> {
    const MOST: u64 = 1 << 20;
    let file = sys::fs::open(path)?;
    let end = file.metadata()?.len();
    let mut at = from.max(end.saturating_sub(MOST));
    let mut bytes = Vec::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let n = sys::fs::read_at(&file, &mut buffer, at)?;
        if n == 0 {
            return Ok(String::from_utf8_lossy(&bytes).into_owned());
        }
        bytes.extend_from_slice(&buffer[..n]);
        at += n as u64;
    }
}

fn last_lines(said: &str) -> String {
    let lines: Vec<&str> = said.trim_end().lines().filter(|line| !line.is_empty()).collect();
    let last = &lines[lines.len().saturating_sub(REASON_LINES)..];
    last.iter().map(|line| format!("\n{line}")).collect()
}
