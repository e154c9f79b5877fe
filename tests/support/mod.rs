//! Helpers of the integration tests: a project in a temporary directory, the built program, the
//! judges.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests are a world of their own"
)]

pub(crate) mod page;
pub(crate) mod wheels;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Returns the directory of the repository.
pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Returns the path of the built program.
pub(crate) fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_wheelsmith"))
}

/// Test environment that `scripts/test-env.sh` prepared; `None` on a machine where it did not run.
/// In CI a missing environment fails the test instead of skipping it.
pub(crate) struct TestEnv {
    dir: PathBuf,
}

impl TestEnv {
    /// Finds the environment, or prints to standard error that `test` is skipped.
    pub(crate) fn find(test: &str) -> Option<Self> {
        let required = std::env::var_os("WHEELSMITH_TEST_REQUIRE").is_some();
        let dir = std::env::var_os("WHEELSMITH_TEST_ENV").map(PathBuf::from);
        match dir.filter(|dir| dir.is_dir()) {
            Some(dir) => Some(Self { dir }),
            None if required => panic!("{test}: WHEELSMITH_TEST_ENV is not set"),
            None => {
                eprintln!("skipped {test}: run scripts/test.sh, which prepares what it needs");
                None
            }
        }
    }

    /// Returns a prepared file; `None` skips the test.
    pub(crate) fn get(&self, relative: &str, test: &str) -> Option<PathBuf> {
        let path = self.dir.join(relative);
        if path.exists() {
            return Some(path);
        }
        let required = std::env::var_os("WHEELSMITH_TEST_REQUIRE").is_some();
        assert!(!required, "{test}: `{}` was not prepared", path.display());
        eprintln!("skipped a part of {test}: `{}` was not prepared", path.display());
        None
    }

    /// Returns a root with the C library of Debian 11. Mirrors may no longer have it, so no test
    /// fails if it is missing, even in CI.
    pub(crate) fn old_glibc(&self, test: &str) -> Option<PathBuf> {
        let root = self.dir.join("old-glibc");
        if !root.join(".complete").exists() {
            eprintln!("skipped {test}: there is no `{}`", root.display());
            return None;
        }
        Some(root)
    }

    /// Returns a program of the judges' virtual environment.
    pub(crate) fn judge(&self, name: &str) -> PathBuf {
        self.dir.join("judges/bin").join(name)
    }
}

/// A temporary directory with a project in it.
pub(crate) struct Sandbox {
    path: PathBuf,
    /// Removed with the value.
    _dir: Option<tempfile::TempDir>,
}

/// Output of a run.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Sandbox {
    /// Creates an empty directory.
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self { path: dir.path().to_owned(), _dir: Some(dir) }
    }

    /// Uses an existing directory, which is not removed.
    pub(crate) fn at(path: &Path) -> Self {
        Self { path: path.to_owned(), _dir: None }
    }

    /// Creates a directory with these files.
    pub(crate) fn with(files: &[(&str, &str)]) -> Self {
        let sandbox = Self::new();
        for (path, text) in files {
            sandbox.write(path, text);
        }
        sandbox
    }

    /// Creates a directory with a copy of an example of the repository.
    pub(crate) fn example(name: &str) -> Self {
        let sandbox = Self::new();
        copy(&repository().join("examples").join(name), sandbox.path());
        sandbox
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Returns a command that runs the program here.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.args(args).current_dir(self.path());
        command
    }

    /// Runs the program here.
    pub(crate) fn run(&self, args: &[&str]) -> Run {
        Run::of(&mut self.command(args))
    }

    /// Runs the program here and asserts its exit code.
    pub(crate) fn expect(&self, code: i32, args: &[&str]) -> Run {
        self.run(args).expect(code)
    }

    /// Returns the files in `dist/`, sorted.
    pub(crate) fn dist(&self) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(self.path().join("dist")) else { return Vec::new() };
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
    }
}

impl Run {
    pub(crate) fn of(command: &mut Command) -> Self {
        let Output { status, stdout, stderr } = command.output().unwrap();
        Self {
            code: status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&stdout).into_owned(),
            stderr: String::from_utf8_lossy(&stderr).into_owned(),
        }
    }

    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "\n--- stdout\n{}\n--- stderr\n{}", self.stdout, self.stderr);
        self
    }

    /// Asserts that standard error contains every one of `parts`.
    pub(crate) fn says(self, parts: &[&str]) -> Self {
        for part in parts {
            assert!(self.stderr.contains(part), "no `{part}` in\n{}", self.stderr);
        }
        self
    }

    /// Asserts that standard output contains every one of `parts`.
    pub(crate) fn answers(self, parts: &[&str]) -> Self {
        for part in parts {
            assert!(self.stdout.contains(part), "no `{part}` in\n{}", self.stdout);
        }
        self
    }
}

/// Runs a judge and asserts that it succeeds.
pub(crate) fn content(command: &mut Command) -> Run {
    Run::of(command).expect(0)
}

/// Copies a tree without the leftovers of builds.
pub(crate) fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name();
        if ["target", "dist", "__pycache__"].iter().any(|skip| name == *skip) {
            continue;
        }
        let to = to.join(&name);
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir_all(&to).unwrap();
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}
