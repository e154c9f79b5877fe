//! Steps by which a component is built.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

use crate::sys::{Command, Env};

/// Step of building a component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "step", rename_all = "kebab-case")]
pub enum Step {
    /// Compiles a file.
    Compile {
        /// Source.
        source: PathBuf,
        /// Command.
        command: CommandLine,
    },
    /// Adds objects to a static library.
    Archive {
        /// Static library.
        output: PathBuf,
        /// Command.
        command: CommandLine,
    },
    /// Links a shared library or a program.
    Link {
        /// Library or program.
        output: PathBuf,
        /// Command.
        command: CommandLine,
    },
    /// Runs cargo.
    Cargo {
        /// Command.
        command: CommandLine,
    },
    /// Runs a command of the component's own build system.
    Run {
        /// `configure`, `build`, `install`, or `run`.
        name: String,
        /// Command.
        command: CommandLine,
        /// True if the build appends `-j` with the number of job tokens that are free at that
        /// moment, because ninja takes no tokens.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        appends_jobs: bool,
    },
    /// Copies files that need no building.
    Take {
        /// Number of files.
        files: usize,
    },
    /// Step whose command line depends on the result of an earlier step.
    Later {
        /// Description: `link libdemo.so`.
        name: String,
        /// Event after which its command line is known: `component base is built`.
        after: String,
    },
}

/// Command line, exactly as run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct CommandLine {
    /// Program.
    pub program: PathBuf,
    /// Arguments.
    pub args: Vec<String>,
    /// Working directory.
    pub directory: PathBuf,
}

impl From<&Command> for CommandLine {
    fn from(command: &Command) -> Self {
        Self {
            program: command.program.clone(),
            args: command.args.clone(),
            directory: command.dir.clone(),
        }
    }
}

impl fmt::Display for CommandLine {
    /// Writes the command line, quoted for a shell.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let command = Command::new(&self.program, &self.directory, &Env::default());
        f.write_str(&command.args(self.args.iter().cloned()).shell_words())
    }
}

impl Step {
    /// Returns its command line, if it is known before the build.
    pub fn command(&self) -> Option<&CommandLine> {
        match self {
            Self::Compile { command, .. }
            | Self::Archive { command, .. }
            | Self::Link { command, .. }
            | Self::Cargo { command }
            | Self::Run { command, .. } => Some(command),
            Self::Take { .. } | Self::Later { .. } => None,
        }
    }

    /// Returns a step whose command line is known after `after`.
    pub(crate) fn later(name: impl Into<String>, after: impl Into<String>) -> Self {
        Self::Later { name: name.into(), after: after.into() }
    }
}
