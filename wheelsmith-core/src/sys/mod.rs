//! Files, child processes, environment, network, clock, locks: the only module that acts on the
//! machine.
//!
//! Differences between hosts are here, behind `cfg`. Modules that act take a [`Host`]; modules that
//! decide do not.

mod cancel;
mod env;
#[cfg(feature = "run")]
mod excerpt;
#[doc(hidden)]
pub mod fs;
#[cfg(feature = "build")]
pub(crate) mod git;
#[doc(hidden)]
pub mod http;
#[cfg(all(unix, feature = "run"))]
mod inherited;
mod jobs;
mod lock;
#[doc(hidden)]
pub mod net;
#[cfg(feature = "run")]
mod owner;
mod printable;
#[cfg(feature = "run")]
mod process;
#[doc(hidden)]
#[cfg(feature = "run")]
pub mod pythons;
mod report;
#[doc(hidden)]
pub mod request;
#[cfg(feature = "run")]
mod staging;
mod stamp;
#[cfg(all(target_os = "linux", feature = "run"))]
mod tree;
#[cfg(feature = "run")]
mod unfinished;
mod url;

pub use cancel::Cancel;
pub use env::Env;
pub use jobs::Jobs;
#[doc(hidden)]
pub use jobs::Token;
#[doc(hidden)]
pub use lock::{Lock, Locked};
#[doc(hidden)]
pub use printable::printable;
#[doc(hidden)]
#[cfg(feature = "run")]
pub use process::{Command, Ended, Exec, Limits, ProcessError, Stdin};
pub use report::{Event, Quiet, Report, Task, TaskId};
#[doc(hidden)]
#[cfg(feature = "run")]
pub use staging::Staging;
#[doc(hidden)]
pub use stamp::{FileState, LeftOut, Stamp, Stamped, stamped};

use std::sync::Arc;

/// Returns the time, in seconds since 1970; `None` if the clock is before that.
#[doc(hidden)]
#[allow(clippy::disallowed_methods, reason = "sys is the module that reads the clock")]
pub fn now() -> Option<u64> {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.ok().map(|since| since.as_secs())
}

/// Returns the path of the running program.
///
/// # Errors
/// Returns an error if the system does not report it.
#[doc(hidden)]
pub fn current_program() -> std::io::Result<std::path::PathBuf> {
    std::env::current_exe()
}

/// Machine on which this process runs.
#[derive(Clone)]
pub struct Host {
    /// Environment, read once by the program.
    pub env: Env,
    /// Receiver of progress and warnings.
    pub report: Arc<dyn Report>,
    /// Flag that is set if the user cancels the operation.
    pub cancel: Cancel,
    /// Job tokens.
    pub jobs: Jobs,
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Host").finish_non_exhaustive()
    }
}

impl Host {
    /// Returns a host that discards reports, with `env` and one job: for tests and simple callers.
    pub fn quiet(env: Env) -> Self {
        Self { env, report: Arc::new(Quiet), cancel: Cancel::default(), jobs: Jobs::new(1) }
    }

    /// Returns a host that discards reports, with the environment and the processors of this
    /// process.
    pub fn from_process() -> Self {
        let jobs = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self { jobs: Jobs::new(jobs), ..Self::quiet(Env::from_process()) }
    }

    /// Announces a task of `total` steps, which ends when the value is dropped.
    pub fn task(&self, label: impl Into<String>, total: u64) -> Task {
        Task::begin(Arc::clone(&self.report), label.into(), total)
    }

    /// Shows a warning.
    pub fn warn(&self, text: impl Into<String>) {
        self.report.event(Event::Warning(text.into()));
    }

    /// Tells the runner of a CI job to hide a secret in its log.
    #[cfg(feature = "release")]
    pub(crate) fn mask(&self, secret: &request::Secret) {
        self.report.hide(secret.expose());
    }

    /// Shows a message with `-v`.
    pub fn detail(&self, text: impl FnOnce() -> String) {
        if self.report.wants_detail() {
            self.report.event(Event::Detail(text()));
        }
    }
}
