//! Runs the programs of an archive in places where it was never built: below a path with a space and
//! letters that are not ASCII, without an environment, without the right to write, as another user,
//! without network; then moved; then in a root that holds only the tree and the C library.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;

use super::Error;
use crate::binary::elf::Elf;
use crate::config::TreeTest;
use crate::source;
use crate::sys::{self, Command, Ended, Env, Host, Limits};
use crate::toolchain;

/// Longest run of a command.
const TIME: Duration = Duration::from_mins(10);
/// Largest output of a command, in bytes.
const OUTPUT: u64 = 16 << 20;
/// Part of a failed command's output that is reported, in bytes.
const SHOWN: usize = 2000;
/// User and group without rights.
const NOBODY: u32 = 65534;
/// Directories below which a tree is unpacked, and to which it is moved.
const PLACES: [&str; 2] = ["a b/ü", "zweiter ort/日本"];
/// Condition of the last place.
const CONDITION: &str = "root with the tree, the C library and /proc alone";
/// Libraries of glibc.
const GLIBC: [&str; 9] = [
    "libc.so.6",
    "libm.so.6",
    "libpthread.so.0",
    "libdl.so.2",
    "librt.so.1",
    "libutil.so.1",
    "libresolv.so.2",
    "libnss_files.so.2",
    "libnss_dns.so.2",
];

/// Place in which a command is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// Directory into which the archive was unpacked.
    Unpacked,
    /// Another directory, to which the unpacked tree was moved.
    Moved,
    /// Root directory with the tree and the C library alone.
    BareRoot,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Unpacked => "unpacked",
            Self::Moved => "moved",
            Self::BareRoot => "bare root",
        })
    }
}

/// Result of a command in one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Outcome {
    /// It exited with status 0 and printed the expected text.
    Passed,
    /// It did not.
    Failed {
        /// Reason, with the end of the output.
        reason: String,
    },
    /// It did not, and need not.
    AllowedFailure {
        /// Reason, with the end of the output.
        reason: String,
    },
    /// It was not run.
    Skipped {
        /// Reason.
        reason: String,
    },
}

/// Command in one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Command as configured.
    pub command: String,
    /// Place.
    pub place: Place,
    /// Result.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// Result of testing an archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TestReport {
    /// Archive.
    pub archive: PathBuf,
    /// Conditions under which the commands ran.
    pub conditions: Vec<&'static str>,
    /// Conditions that this machine does not permit, with the reason.
    pub not_tried: Vec<(&'static str, String)>,
    /// Results.
    pub checks: Vec<Check>,
    /// Commands that were skipped too often, or passed nowhere.
    pub unproven: Vec<String>,
}

impl TestReport {
    /// True if no command failed, one passed, and each was run somewhere or may fail.
    pub fn is_good(&self) -> bool {
        let failed = |check: &Check| matches!(check.outcome, Outcome::Failed { .. });
        !self.checks.iter().any(failed) && self.unproven.is_empty()
    }
}

/// Unpacks `archive` and runs `tests`. `runner` is a program with arguments that runs foreign
/// programs, such as an emulator; if it is empty, one is looked for.
///
/// # Errors
/// Returns an error if the archive cannot be unpacked, or if the user stops the test.
pub fn test(
    archive: &Path,
    tests: &[TreeTest],
    runner: &[String],
    host: &Host,
) -> Result<TestReport, Error> {
    let io = |doing: &str| Error::io(format!("{doing} for the test of `{}`", archive.display()));
    let dir = sys::fs::temp_dir().map_err(io("make a directory"))?;
    // The other user must reach the tree.
    sys::fs::set_executable(dir.path(), true).map_err(io("open a directory"))?;
    let first = dir.path().join(PLACES[0]);
    sys::fs::create_dir_all(&first).map_err(io("make a directory"))?;
    source::unpack(&archive.to_string_lossy(), archive, &first, 0)?;
    let top = match &sys::fs::list(&first).map_err(io("list the files"))?[..] {
        [top] if top.is_dir() => top.file_name().unwrap_or_default().to_owned(),
        _ => return Err(Error::Top(archive.display().to_string())),
    };
    let mut site = Site::new(dir.path(), runner, host);
    let mut checks = Vec::new();
    let mut tree = first.join(&top);
    let seal = |tree: &Path, writable| {
        sys::fs::set_writable(tree, writable).map_err(io("change the modes"))
    };
    let mut run = |site: &Site<'_>, tree: &Path, place| -> Result<(), Error> {
        seal(tree, false)?;
        for test in tests {
            let outcome = site.run(test, tree, place);
            seal_after(&outcome, tree);
            let command = test.run.join(" ");
            checks.push(Check { command, place, outcome: outcome? });
        }
        seal(tree, true)
    };
    run(&site, &tree, Place::Unpacked)?;
    tree = Site::move_to(&tree, &dir.path().join(PLACES[1]))?;
    run(&site, &tree, Place::Moved)?;
    let root = dir.path().join("root");
    let bare = root.join(PLACES[0]);
    tree = Site::move_to(&tree, &bare)?;
    site.bare_root(&root, &tree)?;
    run(&site, &tree, Place::BareRoot)?;
    let unproven = unproven(tests, &checks);
    let Site { conditions, not_tried, .. } = site;
    Ok(TestReport { archive: archive.to_owned(), conditions, not_tried, checks, unproven })
}

/// Allows writing again before an error ends the test, so that the directory can be removed.
fn seal_after<T, E>(outcome: &Result<T, E>, tree: &Path) {
    if outcome.is_err() {
        let _ = sys::fs::set_writable(tree, true);
    }
}

/// Returns the commands that were skipped too often, or passed nowhere. `checks` has all commands of
/// the first place, then those of the next.
fn unproven(tests: &[TreeTest], checks: &[Check]) -> Vec<String> {
    let mut unproven = Vec::new();
    if !checks.iter().any(|check| check.outcome == Outcome::Passed) {
        unproven.push("no command passed".to_owned());
    }
    for (i, test) in tests.iter().enumerate() {
        let command = test.run.join(" ");
        let own = || checks.iter().skip(i).step_by(tests.len());
        let skipped =
            own().filter(|check| matches!(check.outcome, Outcome::Skipped { .. })).count();
        if test.max_skipped.is_some_and(|most| skipped > most) {
            unproven.push(format!("`{command}` was skipped in {skipped} places"));
        } else if !test.may_fail && skipped == own().count() {
            unproven.push(format!("`{command}` was run nowhere"));
        }
    }
    unproven
}

/// Machine on which the commands run.
struct Site<'a> {
    host: &'a Host,
    /// Directory of logs.
    dir: &'a Path,
    runner: &'a [String],
    /// Programs that start a command without network.
    isolated: Vec<String>,
    /// Programs that start a command as another user.
    as_other: Vec<String>,
    conditions: Vec<&'static str>,
    not_tried: Vec<(&'static str, String)>,
    /// Words before a command that is run in the root directory, and that directory.
    root: Option<(Vec<String>, PathBuf)>,
    reason: String,
}

impl<'a> Site<'a> {
    fn new(dir: &'a Path, runner: &'a [String], host: &'a Host) -> Self {
        let mut site = Self {
            host,
            dir,
            runner,
            isolated: Vec::new(),
            as_other: Vec::new(),
            conditions: vec!["path with a space and non-ASCII letters", "empty environment"],
            not_tried: Vec::new(),
            root: None,
            reason: String::new(),
        };
        let id = NOBODY.to_string();
        let [user, group] = ["--reuid", "--regid"].map(|option| format!("{option}={id}"));
        let other = ["setpriv", &user, &group, "--clear-groups"];
        if let Some(words) = site.probe("another user", &[&other]) {
            site.as_other = words;
        }
        let network: [&[&str]; 2] = [&["unshare", "--net"], &["unshare", "--user", "--net"]];
        let network = if site.as_other.is_empty() { &network[..] } else { &network[..1] };
        if let Some(words) = site.probe("no network", network) {
            site.isolated = words;
        }
        let condition = "no right to write";
        if !site.as_other.is_empty() || Self::obeys_modes(&dir.join("probe")) {
            site.conditions.push(condition);
        } else {
            site.not_tried.push((condition, "this user may write in spite of modes".to_owned()));
        }
        site
    }

    /// True if this user cannot write to a directory without the mode bits.
    fn obeys_modes(dir: &Path) -> bool {
        let try_to_write = || -> std::io::Result<bool> {
            sys::fs::create_dir_all(dir)?;
            sys::fs::set_writable(dir, false)?;
            let is_written = sys::fs::create_dir_all(dir.join("new")).is_ok();
            sys::fs::set_writable(dir, true)?;
            Ok(is_written)
        };
        try_to_write().is_ok_and(|is_written| !is_written)
    }

    /// Returns the first of `choices` that can start a program.
    fn probe(&mut self, condition: &'static str, choices: &[&[&str]]) -> Option<Vec<String>> {
        let mut reason = String::new();
        for words in choices {
            let Some(program) = self.host.env.find_program(words[0]) else {
                reason = format!("there is no `{}`", words[0]);
                continue;
            };
            let args = words[1..].iter().copied().chain(["/bin/sh", "-c", ":"]);
            let command = Command::new(&program, "/", &Env::default()).args(args);
            match command.run(self.host) {
                Ok(_) => {
                    self.conditions.push(condition);
                    let words = words[1..].iter().map(|word| (*word).to_owned());
                    return Some(
                        std::iter::once(program.to_string_lossy().into_owned())
                            .chain(words)
                            .collect(),
                    );
                }
                Err(_) => reason = format!("`{}` is not permitted", words.join(" ")),
            }
        }
        self.not_tried.push((condition, reason));
        None
    }

    /// Moves the tree below the directory `to`, and returns its new path.
    fn move_to(tree: &Path, to: &Path) -> Result<PathBuf, Error> {
        let moved = to.join(tree.file_name().unwrap_or_default());
        sys::fs::create_dir_all(to)
            .and_then(|()| sys::fs::rename(tree, &moved))
            .map_err(Error::io(format!("move the tree to `{}`", to.display())))?;
        Ok(moved)
    }

    /// Copies the C library of this machine to a root directory, if commands can be run there.
    fn bare_root(&mut self, root: &Path, tree: &Path) -> Result<(), Error> {
        let read = || Error::io("read the programs of the tree");
        if !self.runner.is_empty() {
            "foreign programs are not run in a root of their own".clone_into(&mut self.reason);
            return Ok(());
        }
        let mut wanted: Vec<PathBuf> = Vec::new();
        for file in sys::fs::walk(tree).map_err(read())? {
            let bytes = sys::fs::read(&file.path).map_err(read())?;
            if !bytes.starts_with(b"\x7fELF") {
                continue;
            }
            let Ok(elf) = Elf::parse(&bytes) else { continue };
            let Some(loader) = elf.interpreter.map(PathBuf::from) else { continue };
            if loader.is_absolute() && !wanted.contains(&loader) {
                wanted.push(loader);
            }
        }
        let multiarch = toolchain::host_target().map(|host| host.gnu());
        let names =
            multiarch.iter().flat_map(|name| [format!("/lib/{name}"), format!("/usr/lib/{name}")]);
        let dirs = names.chain(["/lib64", "/usr/lib64", "/lib", "/usr/lib"].map(str::to_owned));
        let dir = dirs.map(PathBuf::from).find(|dir| dir.join(GLIBC[0]).is_file());
        if let Some(dir) = dir {
            wanted.extend(GLIBC.iter().map(|name| dir.join(name)).filter(|path| path.is_file()));
        }
        for file in wanted.iter().filter(|file| file.is_file()) {
            let place = root.join(file.strip_prefix("/").unwrap_or(file));
            let copy = || -> std::io::Result<()> {
                sys::fs::create_dir_all(place.parent().unwrap_or(root))?;
                sys::fs::copy(file, &place)?;
                sys::fs::set_executable(&place, true)
            };
            copy().map_err(Error::io("copy the C library"))?;
        }
        let proc = root.join("proc");
        sys::fs::create_dir_all(&proc).map_err(Error::io("make a directory"))?;
        let [unshare, chroot] = ["unshare", "chroot"].map(|name| self.host.env.find_program(name));
        let (Some(unshare), Some(chroot)) = (unshare, chroot) else {
            "there is no `unshare`, or no `chroot`".clone_into(&mut self.reason);
            self.not_tried.push((CONDITION, self.reason.clone()));
            return Ok(());
        };
        // The loader reads /proc for the directory of the program.
        let path = |path: &Path| path.to_string_lossy().into_owned();
        let words = [
            path(&unshare),
            "--net".to_owned(),
            "--mount".to_owned(),
            "--pid".to_owned(),
            "--fork".to_owned(),
            "--kill-child".to_owned(),
            format!("--mount-proc={}", path(&proc)),
            path(&chroot),
            format!("--userspec={NOBODY}:{NOBODY}"),
            path(root),
        ];
        // Where it is permitted, only the program is absent.
        let absent = words[1..].iter().cloned().chain(["/absent".to_owned()]);
        let command = Command::new(unshare, "/", &Env::default()).args(absent);
        let said = command.run(self.host).err().map(|error| error.to_string()).unwrap_or_default();
        if said.contains("exit status 127") {
            self.conditions.push(CONDITION);
            self.root = Some((words.into(), root.to_owned()));
        } else {
            "`unshare` or `chroot` is not permitted".clone_into(&mut self.reason);
            self.not_tried.push((CONDITION, self.reason.clone()));
        }
        Ok(())
    }

    /// Runs a command.
    fn run(&self, test: &TreeTest, tree: &Path, place: Place) -> Result<Outcome, Error> {
        let skipped = |reason: &str| Ok(Outcome::Skipped { reason: reason.to_owned() });
        let program = tree.join(&test.run[0]);
        let failed = |reason: String| {
            if test.may_fail {
                Outcome::AllowedFailure { reason }
            } else {
                Outcome::Failed { reason }
            }
        };
        let Ok(bytes) = sys::fs::read(&program) else {
            return Ok(failed(format!("`{}` is not in the tree", test.run[0])));
        };
        let is_script = bytes.starts_with(b"#!");
        let emulator = match self.emulator(&bytes) {
            Ok(words) => words,
            Err(reason) => return skipped(&reason),
        };
        if is_script && (!self.runner.is_empty() || place == Place::BareRoot) {
            return skipped("the system's shell runs it, which is not there");
        }
        if place == Place::BareRoot && !emulator.is_empty() {
            return skipped("foreign programs are not run in a root of their own");
        }
        let mut words: Vec<String> = self.isolated.clone();
        let mut seen = tree.to_path_buf();
        if place == Place::BareRoot {
            let Some((chroot, root)) = &self.root else { return skipped(&self.reason) };
            words.clone_from(chroot);
            seen = Path::new("/").join(tree.strip_prefix(root).unwrap_or(tree));
        } else {
            words.extend(self.as_other.iter().cloned());
        }
        let seen = seen.to_string_lossy().into_owned();
        words.extend(emulator);
        words.push(format!("{seen}/{}", test.run[0]));
        words.extend(test.run[1..].iter().map(|word| word.replace("{tree}", &seen)));
        let program = match Path::new(&words[0]) {
            path if path.is_absolute() => path.to_owned(),
            name => match self.host.env.find_program(&words[0]) {
                Some(program) => program,
                None => return skipped(&format!("there is no `{}`", name.display())),
            },
        };
        let log = self.dir.join("log");
        if log.exists() {
            sys::fs::remove_file(&log).map_err(Error::io("remove a log"))?;
        }
        let command = Command::new(program, "/", &Env::default()).args(words[1..].iter().cloned());
        let limits = Limits { time: TIME, log_bytes: OUTPUT };
        let ended = command.run_limited(self.host, &log, limits)?;
        let said = sys::fs::read(&log).map_err(Error::io("read a log"))?;
        let said = String::from_utf8_lossy(&said);
        let expected = test.output.as_ref().map(|text| text.replace("{tree}", &seen));
        let status = match ended {
            Ended::Code(0) if expected.as_ref().is_none_or(|text| said.contains(text)) => {
                return Ok(Outcome::Passed);
            }
            Ended::Code(0) => {
                format!("the output lacks `{}`", expected.unwrap_or_default())
            }
            Ended::Code(code) => format!("exit status {code}"),
            Ended::Signal(signal) => signal,
            Ended::OutOfTime => "no result in time".to_owned(),
            Ended::TooMuchOutput => "too much output".to_owned(),
        };
        let mut start = said.len().saturating_sub(SHOWN);
        while !said.is_char_boundary(start) {
            start += 1;
        }
        Ok(failed(format!("{status}\n{}", said[start..].trim_end())))
    }

    /// Returns the words before a program that this machine cannot run by itself.
    fn emulator(&self, program: &[u8]) -> Result<Vec<String>, String> {
        if !self.runner.is_empty() {
            return Ok(self.runner.to_vec());
        }
        let Ok(elf) = Elf::parse(program) else { return Ok(Vec::new()) };
        let own = toolchain::host_target().map(|target| target.arch());
        match elf.arch {
            Some(arch) if Some(arch) != own => {
                let names = [format!("qemu-{arch}-static"), format!("qemu-{arch}")];
                let found = names.iter().find_map(|name| self.host.env.find_program(name));
                let found = found.ok_or_else(|| format!("there is no `{}`", names[1]))?;
                Ok(vec![found.to_string_lossy().into_owned()])
            }
            _ => Ok(Vec::new()),
        }
    }
}
