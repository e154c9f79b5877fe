//! Ends all processes that a child started, in any group or session.
//!
//! A process leaves its group by `setsid`, and its parent when that ends, but it keeps the
//! environment that it was started with. Linux shows all three. On other systems only the group is
//! ended.
#![allow(clippy::disallowed_methods, reason = "this is the door")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open, pidfd_send_signal};

/// Variable that marks the processes of a child.
pub(super) const VARIABLE: &str = "WHEELSMITH_CELL";

/// Longest wait for processes to end, since the kernel may delay one.
const PATIENCE: Duration = Duration::from_secs(5);
const PACE: Duration = Duration::from_millis(5);

/// Returns a value that no other child of any run has.
pub(super) fn mark() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let started = Process::read(std::process::id()).map_or(0, |process| process.started);
    format!("{}.{started}.{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Ends `child`, the processes below it, and all whose environment has `mark`, until none is left:
/// a process may start others while it is ended.
pub(super) fn end(child: Pid, mark: &str) {
    let entry = format!("{VARIABLE}={mark}");
    let begun = Instant::now();
    loop {
        let found = tree(child.as_raw_nonzero().get().unsigned_abs(), entry.as_bytes());
        for process in &found {
            process.kill(entry.as_bytes());
        }
        if found.is_empty() || begun.elapsed() > PATIENCE {
            return;
        }
        std::thread::sleep(PACE);
    }
}

/// Process, as `/proc/…/stat` describes it (proc(5)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Process {
    number: u32,
    parent: u32,
    /// Start, in ticks since the system started: distinguishes it from a later process with its
    /// number.
    pub(super) started: u64,
    /// True if it has ended, and its parent has not waited for it yet.
    pub(super) has_ended: bool,
}

impl Process {
    pub(super) fn read(number: u32) -> Option<Self> {
        let stat = std::fs::read(format!("/proc/{number}/stat")).ok()?;
        Self::parse(number, &String::from_utf8_lossy(&stat))
    }

    /// Parses the file. The name, in brackets, may contain blanks and brackets.
    fn parse(number: u32, stat: &str) -> Option<Self> {
        let words: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        Some(Self {
            number,
            has_ended: matches!(*words.first()?, "Z" | "X"),
            parent: words.get(1)?.parse().ok()?,
            started: words.get(19)?.parse().ok()?,
        })
    }

    fn is_marked(&self, entry: &[u8]) -> bool {
        // Empty for processes that have ended, unreadable for those of other users.
        let environment = std::fs::read(format!("/proc/{}/environ", self.number));
        environment.is_ok_and(|all| all.split(|byte| *byte == 0).any(|one| one == entry))
    }

    /// Ends the process, if its number was not reused.
    fn kill(&self, entry: &[u8]) {
        let number = i32::try_from(self.number).ok().and_then(Pid::from_raw);
        let Some(number) = number else { return };
        let handle = pidfd_open(number, PidfdFlags::empty());
        let is_same = Self::read(self.number).is_some_and(|now| now.started == self.started);
        if !is_same && !self.is_marked(entry) {
            return;
        }
        // An error means that it has ended meanwhile. Kernels before 5.3 have no handles.
        let _ = match handle {
            Ok(handle) => pidfd_send_signal(handle, Signal::KILL),
            Err(_) => kill_process(number, Signal::KILL),
        };
    }
}

/// Returns the running processes below `child`, and those with `entry` in their environment.
fn tree(child: u32, entry: &[u8]) -> Vec<Process> {
    let Ok(dir) = std::fs::read_dir("/proc") else { return Vec::new() };
    let numbers = dir.filter_map(|found| found.ok()?.file_name().to_str()?.parse::<u32>().ok());
    let all: BTreeMap<u32, Process> =
        numbers.filter_map(|number| Some((number, Process::read(number)?))).collect();
    let ours: BTreeSet<u32> =
        all.values().filter(|process| process.is_marked(entry)).map(|p| p.number).collect();
    let is_below = |process: &Process| {
        let mut at = process.number;
        // Numbers may be reused meanwhile, so the chain of parents may be a cycle.
        for _ in 0..all.len() {
            if at == child || ours.contains(&at) {
                return true;
            }
            let Some(process) = all.get(&at) else { return false };
            at = process.parent;
        }
        false
    };
    all.values().filter(|process| !process.has_ended && is_below(process)).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_process_may_have_brackets() {
        let rest = "R 7 1 1 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 1 0 4711 1 1";
        let check = |stat: &str, expected: Option<(u32, u64)>| {
            let process = Process::parse(9, stat).map(|p| (p.parent, p.started));
            assert_eq!(process, expected, "{stat}");
        };
        check(&format!("9 (sh) {rest}"), Some((7, 4711)));
        check(&format!("9 (a b) S 1 (c)) {rest}"), Some((7, 4711)));
        check("9 (sh) R 7", None);
        check("9", None);
    }

    #[test]
    fn marks_are_never_the_same() {
        assert_ne!(mark(), mark());
    }
}
