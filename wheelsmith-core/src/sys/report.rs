//! Telling the user how far we are. Core never prints.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Which piece of work an event belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TaskId(u64);

/// Something that happened.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Event {
    /// Work began.
    Begin {
        /// Which.
        task: TaskId,
        /// What it is, such as `compile libbpf for aarch64-unknown-linux-gnu`.
        label: String,
        /// How many steps it has.
        total: u64,
    },
    /// Some steps are done.
    Advance {
        /// Which.
        task: TaskId,
        /// How many steps.
        steps: u64,
        /// What was just done, such as a file's name.
        detail: String,
    },
    /// Work ended.
    End {
        /// Which.
        task: TaskId,
        /// How it ended, such as `148 files, 3 compiled`; nothing when it failed.
        outcome: Option<String>,
    },
    /// Something that the user should act on.
    Warning(String),
    /// Something for `-v`.
    Detail(String),
}

/// Takes events; the command line draws them.
pub trait Report: Send + Sync {
    /// Takes one event; called from several threads.
    fn event(&self, event: Event);

    /// Takes the command of a child that is started: program, arguments and directory.
    fn started(&self, _command: &super::Command) {}

    /// Whether [`Event::Detail`] is worth making.
    fn wants_detail(&self) -> bool {
        false
    }
}

/// Says nothing.
#[derive(Debug)]
pub struct Quiet;

impl Report for Quiet {
    fn event(&self, _: Event) {}
}

/// A piece of work that is under way; it ends when dropped.
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

    /// `steps` more are done, the last of them `detail`.
    pub fn advance(&self, steps: u64, detail: impl Into<String>) {
        let detail = detail.into();
        self.report.event(Event::Advance { task: self.id, steps, detail });
    }

    /// Ends the work well, with a few words on what came out.
    pub fn finish(mut self, outcome: impl Into<String>) {
        self.outcome = Some(outcome.into());
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.report.event(Event::End { task: self.id, outcome: self.outcome.take() });
    }
}
