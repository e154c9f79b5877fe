//! Progress. The core never prints.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Number of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TaskId(u64);

/// Progress event.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Event {
    /// A task began.
    Begin {
        /// The task.
        task: TaskId,
        /// Its label, such as `compile libbpf for aarch64-unknown-linux-gnu`.
        label: String,
        /// Number of its steps.
        total: u64,
    },
    /// Steps of a task are done.
    Advance {
        /// The task.
        task: TaskId,
        /// Number of steps.
        steps: u64,
        /// Last completed step, such as a file name.
        detail: String,
    },
    /// A task ended.
    End {
        /// The task.
        task: TaskId,
        /// Outcome, such as `148 files, 3 compiled`; `None` if it failed.
        outcome: Option<String>,
    },
    /// A warning.
    Warning(String),
    /// A message for `-v`.
    Detail(String),
}

/// Receiver of events; the program draws them.
pub trait Report: Send + Sync {
    /// Receives an event, from several threads.
    fn event(&self, event: Event);

    /// Receives the command of a child that is started: program, arguments and directory.
    #[cfg(feature = "run")]
    fn started(&self, _command: &super::Command) {}

    /// Receives a secret that the log of a CI job must not show.
    fn hide(&self, _secret: &str) {}

    /// True if [`Event::Detail`] is shown.
    fn wants_detail(&self) -> bool {
        false
    }
}

/// Receiver that ignores every event.
#[derive(Debug)]
pub struct Quiet;

impl Report for Quiet {
    fn event(&self, _: Event) {}
}

/// Running task; it ends when dropped.
pub struct Task {
    report: Arc<dyn Report>,
    id: TaskId,
    outcome: Option<String>,
}

impl Task {
    pub(super) fn begin(report: Arc<dyn Report>, label: String, total: u64) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let id = TaskId(NEXT.fetch_add(1, Ordering::Relaxed));
        report.event(Event::Begin { task: id, label, total });
        Self { report, id, outcome: None }
    }

    /// Reports that `steps` more are done, the last of them `detail`.
    pub fn advance(&self, steps: u64, detail: impl Into<String>) {
        let detail = detail.into();
        self.report.event(Event::Advance { task: self.id, steps, detail });
    }

    /// Ends the task with its outcome in a few words.
    pub fn finish(mut self, outcome: impl Into<String>) {
        self.outcome = Some(outcome.into());
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.report.event(Event::End { task: self.id, outcome: self.outcome.take() });
    }
}
