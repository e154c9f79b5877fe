//! Exit codes.

use std::process::ExitCode;

/// Result of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// Success.
    Good,
    /// Findings, or a failed test.
    No,
    /// The command could not finish.
    Failed,
    /// The user interrupted the run.
    Interrupted,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Good => 0,
            Exit::No => 1,
            Exit::Failed => 2,
            // The code that shells use for ctrl-c.
            Exit::Interrupted => 130,
        })
    }
}
