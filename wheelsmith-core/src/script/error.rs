//! Errors of build scripts.

use std::fmt;
use std::io;

use crate::{config, pipeline, source, toolchain};

/// Reason why a build script failed.
///
/// Its `Debug` form is for people, because a `main` that returns the error prints it: the error,
/// its causes (with the last lines of a compiler), and advice.
#[derive(thiserror::Error)]
pub enum Error {
    /// A variable that cargo sets for build scripts is missing.
    #[error("cannot read cargo's environment variables: `{name}` is not set")]
    NotSet {
        /// Name of the variable.
        name: String,
    },
    /// A variable has a value that cargo never sets.
    #[error("cannot read cargo's environment variables: `{name}` is `{value}`")]
    Odd {
        /// Name of the variable.
        name: String,
        /// Value of the variable.
        value: String,
    },
    /// The target is unknown.
    #[error("cannot build for `{target}`: wheelsmith does not support this target")]
    Target {
        /// cargo's `TARGET`.
        target: String,
    },
    /// There is no configuration, or there are two.
    #[error(transparent)]
    Load(#[from] config::LoadError),
    /// The configuration, or an addition of the script, has mistakes.
    #[error(transparent)]
    Config(#[from] config::Error),
    /// No component is built for the target.
    #[error("cannot build for `{target}`: no component is for it")]
    Nothing {
        /// Target.
        target: String,
    },
    /// There is no component with that name.
    #[error("cannot build component `{name}`: there is no such component")]
    NoComponent {
        /// Requested name.
        name: String,
        /// Names of the components.
        known: Vec<String>,
    },
    /// The components could not be built.
    #[error(transparent)]
    Pipeline(#[from] pipeline::Error),
    /// A file, or the script's standard output, could not be read or written.
    #[error("cannot {doing}")]
    Io {
        /// Failed action.
        doing: String,
        /// Cause.
        #[source]
        source: io::Error,
    },
}

impl From<io::Error> for Error {
    /// Converts errors of the script's own output: `output.directives.emit(…)?`.
    fn from(source: io::Error) -> Self {
        Self::io("write instructions for cargo", source)
    }
}

impl Error {
    pub(super) fn io(doing: impl Into<String>, source: io::Error) -> Self {
        Self::Io { doing: doing.into(), source }
    }

    /// Returns what the user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NotSet { .. } => Some("call this from a build script that cargo runs".to_owned()),
            Self::Target { .. } => {
                let known = crate::name::TARGETS.iter().map(|row| row.triple);
                Some(format!("known targets: {}", known.collect::<Vec<_>>().join(", ")))
            }
            Self::Load(error) => error.hint(),
            Self::NoComponent { known, .. } if !known.is_empty() => {
                Some(format!("there are `{}`", known.join("`, `")))
            }
            Self::Nothing { .. } => {
                Some("add `[[tool.wheelsmith.component]]`, or widen its `os`".to_owned())
            }
            Self::Pipeline(pipeline::Error::Source(source::Error::NotLocked { .. })) => Some(
                "run `wheelsmith fetch` in the package's directory and commit `wheelsmith.lock`"
                    .to_owned(),
            ),
            // A build script downloads nothing, so the usual advice does not apply.
            Self::Pipeline(pipeline::Error::Toolchain(toolchain::Error::NoZig {
                target, ..
            })) => Some(format!(
                "install it with `python3 -m pip install ziglang=={}`, or name one in \
                 `WHEELSMITH_ZIG`, or another compiler in `CC_{}`",
                toolchain::ZIG_VERSION,
                target.triple().replace('-', "_")
            )),
            Self::Pipeline(error) => error.hint(),
            _ => None,
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")?;
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            write!(f, "\n  caused by: {error}")?;
            cause = error.source();
        }
        match self.hint() {
            Some(hint) => write!(f, "\n  help: {hint}"),
            None => Ok(()),
        }
    }
}
