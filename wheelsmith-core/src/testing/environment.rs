//! The environment of a cell, and the commands that install a wheel into it.

use std::path::{Path, PathBuf};

use super::{Error, InstallScheme, Installer, Python, Settings, TestedWheel, children};
use crate::sys::{self, Command, Env, Host};

/// Variables of the user that installers get: they name the sources of packages.
const SOURCES: [&str; 14] = [
    "PIP_CACHE_DIR",
    "PIP_CERT",
    "PIP_EXTRA_INDEX_URL",
    "PIP_FIND_LINKS",
    "PIP_INDEX_URL",
    "PIP_NO_INDEX",
    "PIP_TRUSTED_HOST",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_FILE",
    "UV_CACHE_DIR",
    "UV_DEFAULT_INDEX",
    "UV_FIND_LINKS",
    "UV_INDEX",
    "UV_INDEX_URL",
];

/// Sources of packages beside the usual index.
#[derive(Debug, Clone, Default)]
pub struct Packages {
    /// Directories or pages with wheels.
    pub find_links: Vec<String>,
    /// True to use no index.
    pub no_index: bool,
}

/// A fresh environment of a cell.
pub(super) struct Environment {
    scheme: InstallScheme,
    /// Directory of everything that belongs to the cell.
    pub(super) dir: PathBuf,
    /// Directory into which the wheel is installed.
    pub(super) env_dir: PathBuf,
    /// Directory in which commands run. It contains the project's test files and nothing else.
    pub(super) work: PathBuf,
    /// Command that starts the environment's Python, its runner first.
    pub(super) python: Vec<String>,
    /// Command that starts foreign programs.
    runner: Vec<String>,
    /// Variables of the user's commands.
    pub(super) env: Env,
    /// Variables of installers, which include the user's home.
    installers: Env,
    /// Directory of the commands that the wheel installs.
    pub(super) scripts: PathBuf,
    /// Directories on Python's path beside its own.
    python_path: Vec<PathBuf>,
}

impl Environment {
    /// Creates the environment in the empty directory `dir`.
    pub(super) fn new(
        dir: &Path,
        scheme: InstallScheme,
        python: &Python,
        root: Option<&Path>,
        settings: &Settings,
        host: &Host,
    ) -> Result<Self, Error> {
        let dir = sys::fs::canonicalize(dir).map_err(Error::io("find the cell's directory"))?;
        let env_dir = dir.join("env");
        let work = dir.join("work");
        let mut env = host.env.for_users(&settings.pass_env);
        for (name, variable) in [
            ("home", "HOME"),
            ("home", "USERPROFILE"),
            ("tmp", "TMPDIR"),
            ("tmp", "TMP"),
            ("tmp", "TEMP"),
        ] {
            let place = dir.join(name);
            sys::fs::create_dir_all(&place).map_err(Error::io("make the cell's directory"))?;
            env.set(variable, place.to_string_lossy());
        }
        sys::fs::create_dir_all(&work).map_err(Error::io("make the cell's directory"))?;
        let sources: Vec<String> = SOURCES.iter().map(|&name| name.to_owned()).collect();
        let mut installers = host.env.for_users(&sources);
        // Debian marks its Python as managed. Nothing of it is changed here.
        installers.set("PIP_BREAK_SYSTEM_PACKAGES", "1");
        installers.set("PYTHONNOUSERSITE", "1");
        let mut program = vec![python.program.to_string_lossy().into_owned()];
        let windows = cfg!(windows);
        let bin = if windows { "Scripts" } else { "bin" };
        let mut python_path = Vec::new();
        let mut scripts = env_dir.join(bin);
        match scheme {
            InstallScheme::Venv => {
                let name = if windows { "python.exe" } else { "python" };
                program = vec![scripts.join(name).to_string_lossy().into_owned()];
                env.set("VIRTUAL_ENV", env_dir.to_string_lossy());
            }
            InstallScheme::Target => {
                python_path.push(env_dir.clone());
                scripts = env_dir.join("bin");
            }
            InstallScheme::User => env.set("PYTHONUSERBASE", env_dir.to_string_lossy()),
            InstallScheme::Prefix => {}
        }
        if scheme == InstallScheme::User {
            installers.remove("PYTHONNOUSERSITE");
            installers.set("PYTHONUSERBASE", env_dir.to_string_lossy());
        } else {
            env.set("PYTHONNOUSERSITE", "1");
        }
        for (name, value) in &settings.env {
            env.set(name, value);
        }
        if !python.runner.is_empty() {
            let module = dir.join("children");
            let homes = [dir.as_path(), root.unwrap_or(&dir)];
            children::enable(&module, &python.runner, &homes, &mut env)?;
            python_path.push(module);
        }
        let python = python.runner.iter().cloned().chain(program).collect();
        let runner = Vec::new();
        let mut environment = Self {
            scheme,
            dir,
            env_dir,
            work,
            python,
            runner,
            env,
            installers,
            scripts,
            python_path,
        };
        environment.runner = environment.python[..environment.python.len() - 1].to_vec();
        environment.set_paths();
        Ok(environment)
    }

    fn set_paths(&mut self) {
        let path = self.env.get("PATH").unwrap_or_default().to_owned();
        let rest = std::env::split_paths(&path).filter(|dir| !dir.starts_with(&self.dir));
        let all = [self.scripts.clone()].into_iter().chain(rest);
        if let Ok(path) = std::env::join_paths(all) {
            self.env.set("PATH", path.to_string_lossy());
        }
        if !self.python_path.is_empty()
            && let Ok(path) = std::env::join_paths(&self.python_path)
        {
            self.env.set("PYTHONPATH", path.to_string_lossy());
        }
    }

    /// Returns the base Python with these arguments and the installer's variables.
    fn base(&self, python: &Python, args: &[&str]) -> Command {
        let program = python.program.to_string_lossy().into_owned();
        let words: Vec<String> = self.runner.iter().cloned().chain([program]).collect();
        Command::new(&words[0], &self.work, &self.installers)
            .args(words[1..].to_vec())
            .args(args.iter().copied())
    }

    /// Returns the command that creates the environment; `None` if the installer creates it.
    pub(super) fn create(&self, python: &Python) -> Option<Command> {
        (self.scheme == InstallScheme::Venv).then(|| {
            let command = self.base(python, &["-I", "-m", "venv", "--without-pip"]);
            command.arg(self.env_dir.to_string_lossy())
        })
    }

    /// Returns the command that installs the wheel.
    ///
    /// # Errors
    /// The reason why nothing can install it.
    pub(super) fn install(
        &self,
        subject: &TestedWheel,
        python: &Python,
        settings: &Settings,
        packages: &Packages,
        host: &Host,
    ) -> Result<Command, String> {
        let needs_more = subject.has_dependencies || !settings.requires.is_empty();
        let uv = match settings.installer {
            Installer::Uv if self.runner.is_empty() && self.scheme != InstallScheme::User => {
                Some(host.env.find_program("uv").ok_or("there is no `uv` on `PATH`")?)
            }
            _ => None,
        };
        let env_dir = self.env_dir.to_string_lossy().into_owned();
        let program = self.python.last().cloned().unwrap_or_default();
        let mut command = if let Some(uv) = uv {
            let command = Command::new(uv, &self.work, &self.installers)
                .args(["pip", "install", "--no-config", "--link-mode", "copy", "--python"])
                .arg(program);
            if needs_more { command } else { command.arg("--offline") }
        } else {
            let pip = python.pip.as_ref().ok_or("this Python has no pip")?;
            let command = Command::new(&self.python[0], &self.work, &self.installers)
                .args(self.python[1..].to_vec())
                .arg(pip.to_string_lossy())
                .args(["install", "--no-input", "--disable-pip-version-check", "--no-compile"])
                .arg("--no-warn-script-location");
            if needs_more { command } else { command.arg("--no-cache-dir") }
        };
        command = match self.scheme {
            InstallScheme::Venv => command,
            InstallScheme::Target => command.args(["--target", &env_dir]),
            InstallScheme::User => command.args(["--user", "--ignore-installed"]),
            InstallScheme::Prefix
                if settings.installer == Installer::Uv && self.runner.is_empty() =>
            {
                command.args(["--prefix", &env_dir])
            }
            InstallScheme::Prefix => command.args(["--ignore-installed", "--prefix", &env_dir]),
        };
        if !needs_more {
            command = command.args(["--no-index", "--no-deps"]);
        } else if packages.no_index {
            command = command.arg("--no-index");
        }
        for place in &packages.find_links {
            command = command.args(["--find-links", place]);
        }
        command = command.arg(subject.path.to_string_lossy());
        Ok(command.args(settings.requires.clone()))
    }

    /// Finds the installed directories, which differ between Pythons for `--user` and `--prefix`.
    pub(super) fn settle(&mut self) -> std::io::Result<()> {
        if self.scheme == InstallScheme::Prefix || self.scheme == InstallScheme::User {
            let mut open = vec![(self.env_dir.clone(), 0)];
            while let Some((dir, depth)) = open.pop() {
                for path in sys::fs::list(&dir)? {
                    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                    let is_dir = sys::fs::symlink_metadata(&path)?.is_dir();
                    // Directories inside belong to packages, whatever their names.
                    if is_dir && matches!(&*name, "site-packages" | "dist-packages") {
                        if self.scheme == InstallScheme::Prefix {
                            self.python_path.insert(0, path);
                        }
                        continue;
                    }
                    match name.as_str() {
                        "bin" | "Scripts" if is_dir => self.scripts = path,
                        _ if is_dir && depth < 4 => open.push((path, depth + 1)),
                        _ => {}
                    }
                }
            }
            self.set_paths();
        }
        Ok(())
    }

    /// Returns the environment's Python with these arguments and the variables of the user's
    /// commands.
    pub(super) fn python(&self, args: &[&str]) -> Command {
        Command::new(&self.python[0], &self.work, &self.env)
            .args(self.python[1..].to_vec())
            .args(args.iter().copied())
    }

    /// Returns a command of the user. `python` is the environment's; commands of the wheel are
    /// found first.
    ///
    /// # Errors
    /// There is no such program.
    pub(super) fn command(&self, words: &[String]) -> Result<Command, String> {
        let [program, args @ ..] = words else { return Err("the command is empty".to_owned()) };
        if program == "python" || program == "python3" {
            return Ok(self.python(&[]).args(args.to_vec()));
        }
        let path = if program.contains('/') {
            Some(self.work.join(program)).filter(|path| path.is_file())
        } else {
            self.find(program)
        };
        let path = path.ok_or_else(|| format!("there is no `{program}`"))?;
        let text = path.to_string_lossy().into_owned();
        if self.runner.is_empty() || !path.starts_with(&self.dir) {
            return Ok(Command::new(path, &self.work, &self.env).args(args.to_vec()));
        }
        let start = sys::fs::read(&path).map_err(|e| e.to_string())?;
        let command = if start.starts_with(b"#!") {
            self.python(&[]).arg(text)
        } else {
            let words: Vec<String> = self.runner.iter().cloned().chain([text]).collect();
            Command::new(&words[0], &self.work, &self.env).args(words[1..].to_vec())
        };
        Ok(command.args(args.to_vec()))
    }

    /// Returns the path of a command in the environment itself, wherever else `PATH` has one.
    pub(super) fn own_command(&self, name: &str) -> Option<PathBuf> {
        let names: &[&str] = if cfg!(windows) { &["", ".exe", ".bat", ".cmd"] } else { &[""] };
        let places = names.iter().map(|end| self.scripts.join(format!("{name}{end}")));
        places.into_iter().find(|path| path.is_file())
    }

    /// Finds a program on the `PATH` of the user's commands.
    pub(super) fn find(&self, program: &str) -> Option<PathBuf> {
        self.env.find_program(program)
    }
}
