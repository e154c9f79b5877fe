//! Runs the steps of one cell in order. The first step that fails ends it.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::environment::{Environment, Packages};
use super::{Error, InstallScheme, Python, Settings, Status, Step, TestedWheel, Tests, files};
use crate::sys::{self, Command, Ended, Host, Limits, ProcessError};

/// Largest log of a command, in bytes; a command that writes more is ended.
const LOG_BYTES: u64 = 64 << 20;
/// Number of last lines of a failed command in the reason.
const REASON_LINES: usize = 12;

/// Longest line of a failed command in the reason, in characters.
const REASON_LINE: usize = 300;

/// Exits with an error if one of the modules `argv[2:]` can be imported from the cell's directory,
/// `argv[1]`, before the wheel is installed there.
const ABSENCE: &str = "\
import importlib.util, os, sys
home = os.path.realpath(sys.argv[1]) + os.sep
found = []
for name in sys.argv[2:]:
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        continue
    places = [getattr(spec, 'origin', None)] + list(getattr(spec, 'submodule_search_locations', None) or [])
    for place in places:
        if place and os.path.realpath(place).startswith(home):
            found.append('`%s` can be imported without the wheel: %s' % (name, place))
            break
sys.exit('\\n'.join(found) or 0)
";

/// Imports the modules `argv[3:]` and requires that each comes from the environment `argv[2]`.
/// Writes the file `argv[1]` at the end: an exit status of 0 does not show that Python came so far.
const IMPORT: &str = "\
import importlib, os, sys
done, home, names = sys.argv[1], os.path.realpath(sys.argv[2]) + os.sep, sys.argv[3:]
for name in names:
    print('importing', name, flush=True)
    module = importlib.import_module(name)
    places = [getattr(module, '__file__', None)] + list(getattr(module, '__path__', []))
    place = os.path.realpath(next((place for place in places if place), ''))
    print(name, 'from', place, flush=True)
    if not place.startswith(home):
        sys.exit('`%s` is not that of the wheel: it comes from `%s`' % (name, place))
with open(done, 'w') as file:
    file.write('done')
";

/// Loads the entry points `argv[3:]`, each of which is `kind<TAB>name<TAB>module:attribute`, and
/// writes the file `argv[1]` at the end. A module of another distribution, whose name is not in
/// `argv[2]`, may be missing if the kind is `optional`.
const ENTRY_POINTS: &str = "\
import importlib, sys
done, own, problems = sys.argv[1], sys.argv[2].split(','), []
for line in sys.argv[3:]:
    kind, name, target = line.split('\\t')
    module, _, attributes = target.partition(':')
    print('loading', name, '=', target, flush=True)
    try:
        found = importlib.import_module(module.strip())
    except ImportError as error:
        top = (getattr(error, 'name', None) or '').partition('.')[0]
        if kind != 'optional' or not top or top in own:
            problems.append('`%s = %s` cannot be loaded: %s' % (name, target, error))
        continue
    path = module.strip()
    for attribute in filter(None, attributes.strip().split('.')):
        if not hasattr(found, attribute):
            problems.append('`%s = %s`: `%s` has no `%s`' % (name, target, path, attribute))
            break
        found, path = getattr(found, attribute), path + '.' + attribute
    else:
        if kind == 'command' and not callable(found):
            problems.append('`%s = %s` is not a function' % (name, target))
if problems:
    sys.exit('\\n'.join(problems))
with open(done, 'w') as file:
    file.write('done')
";

/// Result of a cell.
pub(super) struct Outcome {
    pub(super) status: Status,
    pub(super) reason: Option<String>,
    pub(super) tests: Option<Tests>,
    pub(super) steps: Vec<Step>,
}

/// Input of a cell.
pub(super) struct CellInput<'a> {
    pub(super) subject: &'a TestedWheel,
    pub(super) python: &'a Python,
    /// Root of a foreign Python.
    pub(super) root: Option<&'a Path>,
    pub(super) scheme: InstallScheme,
    pub(super) settings: &'a Settings,
    pub(super) packages: &'a Packages,
    /// Project, and those of its files that the cell gets.
    pub(super) files: (&'a Path, &'a [PathBuf]),
    pub(super) log: &'a Path,
    pub(super) host: &'a Host,
}

/// Tries a wheel.
///
/// # Errors
/// The cell's directory cannot be created, or the user stopped the command. Faults of the wheel are
/// in the outcome.
pub(super) fn run(input: &CellInput<'_>) -> Result<Outcome, Error> {
    let dir = sys::fs::temp_dir().map_err(Error::io("make the cell's directory"))?;
    let CellInput { scheme, python, root, settings, host, .. } = *input;
    let environment = Environment::new(dir.path(), scheme, python, root, settings, host)?;
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
            let home = environment.dir.to_string_lossy().into_owned();
            let absence = [&["-c", ABSENCE, &home], &names[..]].concat();
            log.run("absence", &environment.python(&absence))?;
        }
        log.check("absence", || {
            let mut commands = subject.commands.iter();
            let found = commands.find_map(|name| Some((name, environment.own_command(name)?)));
            found.map(|(name, path)| {
                format!("the command `{name}` exists without the wheel: `{}`", path.display())
            })
        })?;
    }
    match environment.install(subject, python, settings, input.packages, host) {
        Ok(install) => log.run("install", &install)?,
        Err(why) => return log.check("install", || Some(why)),
    };
    log.check("install", || environment.settle().err().map(|error| error.to_string()))?;
    let home = environment.env_dir.to_string_lossy().into_owned();
    if !names.is_empty() {
        let done = environment.dir.join("imported");
        let path = done.to_string_lossy();
        let import = environment.python(&[&["-c", IMPORT, &path, &home], &names[..]].concat());
        log.run_to_end("import", &import, &done)?;
    }
    log.check("commands", || {
        let absent =
            subject.commands.iter().find(|name| environment.own_command(name).is_none())?;
        Some(format!("the installation lacks the command `{absent}` of the wheel"))
    })?;
    let points: Vec<String> = subject.entry_points.iter().map(ToString::to_string).collect();
    if !points.is_empty() {
        let done = environment.dir.join("loaded");
        let (path, own) = (done.to_string_lossy(), subject.top_names());
        let args = ["-c", ENTRY_POINTS, &path, &own].into_iter();
        let args: Vec<&str> = args.chain(points.iter().map(String::as_str)).collect();
        log.run_to_end("entry-points", &environment.python(&args), &done)?;
    }
    if names.is_empty() && !subject.is_tried_otherwise(settings) {
        return log.check("import", || {
            Some(
                "the wheel has no module, command or entry point: nothing can be tried; list what \
                 to import or run in `[tool.wheelsmith.test]` (`imports = []` if that is meant)"
                    .to_owned(),
            )
        });
    }
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

/// Reason why a cell ends early.
pub(super) enum StepError {
    Failed(String),
    Cancelled,
}

/// Steps of a cell, their log, and the time that is left.
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

    /// Runs a command that must exit with status 0, and returns its output.
    pub(super) fn run(&mut self, name: &str, command: &Command) -> Result<String, StepError> {
        let (said, result) = self.run_and_read(name, command)?;
        result.map(|()| said)
    }

    /// Runs a command that must exit with status 0 and write the file `done` before it does.
    pub(super) fn run_to_end(
        &mut self,
        name: &str,
        command: &Command,
        done: &Path,
    ) -> Result<(), StepError> {
        let output = self.run(name, command)?;
        if done.is_file() {
            return Ok(());
        }
        let problem = format!(
            "Python ended with exit status 0 before it was done: a module exits when it is \
             imported{}",
            last_lines(&output)
        );
        if let Some(step) = self.steps.last_mut() {
            step.problem = Some(problem.lines().next().unwrap_or_default().to_owned());
        }
        let _ = sys::fs::append(self.path, format!("-- {problem}\n").as_bytes());
        Err(StepError::Failed(format!("{name}: {problem}")))
    }

    /// Runs a command, and returns its output and whether it exited with status 0.
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
                Some(format!("not done after {} s, so it was ended", self.limit.as_secs()))
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

    /// Records a step without a command. `look` returns the problem, if there is one.
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

/// Returns the text of a log from the offset `from`, and at most its last MiB.
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

/// Returns the last lines of `output`, each after a line break. Long lines are cut, and control
/// characters are replaced, because reasons are printed to terminals.
fn last_lines(output: &str) -> String {
    let lines: Vec<&str> = output.trim_end().lines().filter(|line| !line.is_empty()).collect();
    let last = &lines[lines.len().saturating_sub(REASON_LINES)..];
    last.iter().fold(String::new(), |mut text, line| {
        text.push('\n');
        let shown = |c: char| if c.is_control() && c != '\t' { '\u{fffd}' } else { c };
        text.extend(line.chars().take(REASON_LINE).map(shown));
        if line.chars().nth(REASON_LINE).is_some() {
            text.push_str(" …");
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_short() {
        let check = |output: &str, expected: &str| assert_eq!(last_lines(output), expected);
        check("", "");
        check("a\n\nb\x1b[2J\r\n", "\na\nb\u{fffd}[2J");
        let flood = "x".repeat(1 << 20);
        check(&flood, &format!("\n{} …", "x".repeat(REASON_LINE)));
        let many = last_lines(&"y\n".repeat(1000));
        assert_eq!(many.lines().count(), REASON_LINES + 1);
    }
}
