//! A page of the documentation as a test, as a reader sees it: its files are written, its commands are
//! run in order, and must print what the page shows. Comments, which a rendered page does not have, say
//! only that something is run elsewhere or not at all.
//!
//! | in the page | does |
//! |---|---|
//! | ```` ```toml pyproject.toml ```` | writes the file; with `+` before the name, appends to it |
//! | ```` ```console ```` | runs each line behind `$ `; the other lines must be in its output, in this order |
//! | ```` ```console exit=1 ```` | the same, and the last command ends so |
//! | ```` ```sh ```` | runs the whole as a script |
//! | ```` ```toml ```` | must be taken as a part of a configuration |
//! | ```` ```yaml ```` | runs the steps that call `wheelsmith` |
//! | `<!-- run by: tests/backend.rs NAME -->` | the next block is run by that test instead |
//! | `<!-- not run: REASON -->` | the next block is not run at all |
//!
//! In shown output `…` stands for anything; amounts of time and bytes, and digests, may differ.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Run, TestEnv, program, repository};

/// Part of a page.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Part {
    File {
        path: String,
        text: String,
    },
    Script(String),
    Console {
        text: String,
        exit: i32,
    },
    RunBy(String),
    NotRun,
    /// A block of the configuration that belongs to none of the page's files.
    Snippet(String),
}

/// Returns the parts of a page, in order.
pub(crate) fn parts(page: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut lines = page.lines();
    let mut is_excused = false;
    while let Some(line) = lines.next() {
        let until = |lines: &mut std::str::Lines<'_>, end: &str| -> String {
            lines.by_ref().take_while(|line| *line != end).map(|line| format!("{line}\n")).collect()
        };
        let directive = |name: &str| line.strip_prefix(&format!("<!-- {name}:")).map(str::trim);
        for hidden in ["file", "with", "before"] {
            assert!(directive(hidden).is_none(), "`{line}`: readers do not see it");
        }
        let closed = |text: &str| text.trim_end_matches("-->").trim().to_owned();
        if let Some(text) = directive("run by") {
            parts.push(Part::RunBy(closed(text)));
            is_excused = true;
        } else if let Some(text) = directive("not run") {
            assert!(closed(text).len() > 10, "`{line}` gives no reason");
            parts.push(Part::NotRun);
            is_excused = true;
        } else if let Some(info) = line.strip_prefix("```") {
            let text = until(&mut lines, "```");
            let words: Vec<&str> = info.split_whitespace().collect();
            let excused = std::mem::take(&mut is_excused);
            match &words[..] {
                [_, attribute] if attribute.starts_with("exit=") && !excused => {
                    let exit = attribute["exit=".len()..].parse().expect("a number");
                    parts.push(Part::Console { text, exit });
                }
                ["console"] if !excused => parts.push(Part::Console { text, exit: 0 }),
                ["sh"] if !excused => parts.push(Part::Script(text)),
                [_, path] => parts.push(Part::File { path: (*path).to_owned(), text }),
                ["toml"] => parts.push(Part::Snippet(text)),
                ["yaml"] => parts.extend(our_steps(&text).map(Part::Script)),
                _ => {}
            }
        }
    }
    parts
}

/// Returns the wheelsmith commands in the configuration of a CI system.
fn our_steps(yaml: &str) -> impl Iterator<Item = String> {
    let step = |line: &str| {
        let line = line.trim();
        let command = line.strip_prefix("run: ").or_else(|| line.strip_prefix("- "))?;
        command.starts_with("wheelsmith ").then(|| command.to_owned())
    };
    yaml.lines().filter_map(step).collect::<Vec<_>>().into_iter()
}

/// Directory in which the commands of a page run.
pub(crate) struct Scratch {
    dir: tempfile::TempDir,
    path: String,
}

impl Scratch {
    /// An empty directory with an empty Python environment. The program is `wheelsmith`; pip and
    /// other tools are the judges'.
    pub(crate) fn new(env: &TestEnv) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (bin, venv) = (dir.path().join(".bin"), dir.path().join(".venv"));
        fs::create_dir(&bin).unwrap();
        let judges = env.judge("python").parent().unwrap().to_owned();
        let python = env.judge("python");
        let make = ["-m", "venv", "--without-pip"];
        super::content(Command::new(&python).args(make).arg(&venv));
        let pip = format!(
            "#!/bin/sh\nexec {} -m pip --disable-pip-version-check --python {} \"$@\"\n",
            python.display(),
            venv.join("bin/python").display()
        );
        fs::write(bin.join("pip"), pip).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::{PermissionsExt, symlink};
            fs::set_permissions(bin.join("pip"), fs::Permissions::from_mode(0o755)).unwrap();
            symlink(program(), bin.join("wheelsmith")).unwrap();
        }
        let system = std::env::var("PATH").unwrap_or_default();
        let path = [bin, venv.join("bin"), judges].map(|dir| dir.display().to_string()).join(":");
        Self { dir, path: format!("{path}:{system}") }
    }

    fn shell(&self, script: &str) -> Run {
        // The clone of the pages, wherever it is here.
        let script = script.replace("~/wheelsmith", &repository().display().to_string());
        let mut command = Command::new("/bin/sh");
        command.args(["-e", "-u", "-c", &script]).current_dir(self.dir.path());
        // No page needs an index but those that it makes itself.
        command.env("PATH", &self.path).env("PIP_INDEX_URL", "file:///nowhere");
        command.env_remove("PYTHONPATH").env_remove("RUSTC").env_remove("PKG_CONFIG_PATH");
        command.env_remove("GITHUB_STEP_SUMMARY");
        Run::of(&mut command)
    }

    fn place(&self, path: &str) -> PathBuf {
        let place = self.dir.path().join(path);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        place
    }

    /// Runs `part`; returns what is wrong with it.
    pub(crate) fn follow(&self, part: &Part) -> Result<(), String> {
        match part {
            Part::File { path, text } => {
                let (path, old) = match path.strip_prefix('+') {
                    Some(path) => (path, fs::read_to_string(self.place(path)).unwrap_or_default()),
                    None => (&**path, String::new()),
                };
                fs::write(self.place(path), old + text).unwrap();
                Ok(())
            }
            Part::Script(script) => ended(&self.shell(script), 0, script),
            Part::Console { text, exit } => self.console(text, *exit),
            Part::RunBy(place) => is_run_by(place),
            Part::NotRun => Ok(()),
            Part::Snippet(text) => is_configuration(text),
        }
    }

    fn console(&self, text: &str, exit: i32) -> Result<(), String> {
        let mut commands: Vec<(String, Vec<&str>)> = Vec::new();
        for line in text.lines() {
            match (line.strip_prefix("$ "), commands.last_mut()) {
                (Some(command), _) => commands.push((command.to_owned(), Vec::new())),
                (None, Some((command, _))) if command.ends_with('\\') => {
                    command.push('\n');
                    command.push_str(line);
                }
                (None, Some((_, shown))) => shown.push(line),
                (None, None) => return Err(format!("`{line}` stands before any command")),
            }
        }
        let last = commands.len().saturating_sub(1);
        // What is so for the rest of the block, as in a terminal.
        let mut state = String::new();
        for (i, (command, shown)) in commands.iter().enumerate() {
            if command.starts_with("cd ") || command.starts_with("export ") {
                state = format!("{state}{command}\n");
                continue;
            }
            let run = self.shell(&format!("{state}{command}"));
            ended(&run, if i == last { exit } else { 0 }, command)?;
            let said = run.stdout + &run.stderr;
            shows(&said, shown).map_err(|missing| {
                format!("`{command}` does not say `{missing}`, or not there, but\n{said}")
            })?;
        }
        Ok(())
    }
}

fn ended(run: &Run, code: i32, command: &str) -> Result<(), String> {
    if run.code == code {
        return Ok(());
    }
    let (stdout, stderr) = (&run.stdout, &run.stderr);
    Err(format!("`{command}` ended with {}, not {code}:\n{stdout}{stderr}", run.code))
}

/// Returns the first line of `shown` that `said` does not have in this order.
pub(crate) fn shows(said: &str, shown: &[&str]) -> Result<(), String> {
    let mut said = said.lines();
    for line in shown.iter().filter(|line| !matches!(line.trim(), "" | "…")) {
        if !said.any(|said| is_like(&plain(said), &plain(line))) {
            return Err((*line).to_owned());
        }
    }
    Ok(())
}

/// True if `line` matches `pattern`, in which `…` stands for any text.
fn is_like(text: &str, pattern: &str) -> bool {
    let parts: Vec<&str> = pattern.split('…').collect();
    let [first, middle @ .., last] = &parts[..] else { return text == pattern };
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    for part in middle {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

/// Returns a line without the parts that differ between runs and machines.
fn plain(line: &str) -> String {
    const UNITS: [&str; 5] = ["s", "B", "kB", "MB", "ms"];
    let words: Vec<&str> = line.split_whitespace().collect();
    let bare = |word: &str| word.trim_matches(|c| "(),;:".contains(c)).to_owned();
    let mut plain = Vec::new();
    for (i, word) in words.iter().enumerate() {
        let has_unit = words.get(i + 1).is_some_and(|unit| UNITS.contains(&bare(unit).as_str()));
        let is_digest = bare(word).len() == 64 && bare(word).chars().all(|c| c.is_ascii_hexdigit());
        let is_amount = has_unit && bare(word).parse::<f64>().is_ok();
        if is_amount || is_digest || UNITS.contains(&bare(word).as_str()) {
            plain.push(word.replace(&bare(word), "#"));
        } else {
            plain.push((*word).to_owned());
        }
    }
    plain.join(" ")
}

/// True if the test or script that a page names exists: `tests/backend.rs NAME`, or a script that
/// `.ci/run` calls.
fn is_run_by(place: &str) -> Result<(), String> {
    let (file, name) = place.split_once(' ').unwrap_or((place, ""));
    let text = fs::read_to_string(repository().join(file)).unwrap_or_default();
    let is_there = if name.is_empty() {
        let ci = fs::read_to_string(repository().join(".ci/run")).unwrap();
        !text.is_empty() && ci.contains(file)
    } else {
        text.contains(&format!("fn {name}("))
    };
    if is_there { Ok(()) } else { Err(format!("`{place}` runs nothing")) }
}

/// Asserts that wheelsmith accepts a part of a configuration, with the files that it names.
fn is_configuration(text: &str) -> Result<(), String> {
    use std::fmt::Write as _;
    let mut whole = String::new();
    if !text.contains("[project]") && !text.contains("[build-system]") {
        whole.push_str("[project]\nname = \"page\"\nversion = \"1.0\"\n");
    }
    // Keys without a table are further keys of a component.
    if !text.lines().any(|line| line.starts_with('[')) {
        whole.push_str("[[tool.wheelsmith.component]]\nname = \"page\"\n");
    }
    whole.push_str(text);
    let missing = |error: &wheelsmith_core::config::Error| -> Vec<String> {
        let message =
            |message: &str| Some(message.split_once("there is no component `")?.1.to_owned());
        let names = error.problems.iter().filter_map(|problem| message(&problem.message));
        names.map(|name| name.trim_end_matches('`').to_owned()).collect()
    };
    if let Err(error) = wheelsmith_core::config::parse("page", &whole) {
        let mut names = missing(&error);
        names.dedup();
        for name in names {
            let _ = write!(
                whole,
                "\n[[tool.wheelsmith.component]]\nname = {name:?}\nkind = \"files\"\n\
                 outputs = [{{ from = \"x\", role = \"data\" }}]\n"
            );
        }
    }
    let Err(error) = wheelsmith_core::config::parse("page", &whole) else { return Ok(()) };
    // A part of a component need not be all of it.
    let is_rest = |message: &str| {
        message.ends_with("is missing") || message.ends_with("components that cargo builds")
    };
    if error.problems.iter().all(|problem| is_rest(&problem.message)) {
        return Ok(());
    }
    Err(format!("{error}\nin\n{whole}"))
}

/// Follows a page to its end; returns everything that is wrong with it.
pub(crate) fn follow(env: &TestEnv, page: &Path) -> Vec<String> {
    let parts = parts(&fs::read_to_string(page).unwrap());
    let runs = |part: &Part| matches!(part, Part::Script(_) | Part::Console { .. });
    let scratch = Scratch::new(env);
    let mut wrong = Vec::new();
    for part in &parts {
        if let Err(error) = scratch.follow(part) {
            wrong.push(format!("{}: {error}", page.display()));
            // What comes next needs what should have been.
            if runs(part) {
                break;
            }
        }
    }
    wrong
}
