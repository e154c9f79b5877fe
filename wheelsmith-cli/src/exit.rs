//! Exit codes.

use std::process::ExitCode;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// Done, and good.
    Good,
    /// Done, and the answer is no: a wheel does not earn its tag.
    No,
    /// It could not be done.
    Failed,
    /// The user stopped us.
    Interrupted,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Good => 0,
            Exit::No => 1,
            Exit::Failed => 2,
            // What shells show for ctrl-c.
            Exit::Interrupted => 130,
        })
    }
}
