//! Names of unfinished files and temporary directories contain the process that created them, so
//! that a later process can determine whether it still runs.
//!
//! The form is `<system>-<process>-<start>-`: a number for the running kernel and the namespace of
//! its process numbers, the process number, and the time of its start.
#![allow(clippy::disallowed_methods, reason = "sys is the module that reads /proc")]

use std::time::Duration;

/// Age at which files of another machine, or of a container whose processes cannot be seen, count as
/// abandoned. No build takes this long.
const ABANDONED: Duration = Duration::from_hours(7 * 24);

/// Returns `start` and the name of this process.
pub(super) fn prefix(start: &str) -> String {
    prefix_of(std::process::id(), start)
}

pub(super) fn prefix_of(process: u32, start: &str) -> String {
    let system = system().unwrap_or_else(|| "0".to_owned());
    format!("{start}{system}-{process}-{}-", started(process).unwrap_or_default())
}

/// True if the process in a name has ended. `age` is the time since the file was written.
pub(super) fn is_abandoned(name: &str, age: Duration) -> bool {
    let mut parts = name.split('-');
    let (Some(of), Some(process), Some(start)) = (parts.next(), parts.next(), parts.next()) else {
        return age > ABANDONED;
    };
    let (Ok(process), Ok(start)) = (process.parse::<u32>(), start.parse::<u64>()) else {
        return age > ABANDONED;
    };
    match system() {
        // The number may have been reused by another process, which has another start time.
        Some(system) if system == of => started(process) != Some(start),
        _ => age > ABANDONED,
    }
}

/// Returns a number of the running kernel and the namespace of its process numbers.
#[cfg(target_os = "linux")]
fn system() -> Option<String> {
    static SYSTEM: std::sync::OnceLock<Option<String>> = std::sync::OnceLock::new();
    let read = || {
        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        let namespace = std::fs::read_link("/proc/self/ns/pid").ok()?;
        let all = format!("{} {}", boot.trim(), namespace.display());
        Some(crate::name::Digest::of(all).short())
    };
    SYSTEM.get_or_init(read).clone()
}

#[cfg(not(target_os = "linux"))]
fn system() -> Option<String> {
    None
}

/// Returns the start of a running process, in ticks since the start of the system.
#[cfg(target_os = "linux")]
fn started(process: u32) -> Option<u64> {
    super::tree::Process::read(process).filter(|process| !process.has_ended).map(|p| p.started)
}

#[cfg(not(target_os = "linux"))]
fn started(_: u32) -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_ended_processes_are_abandoned() {
        let check = |name: &str, age: Duration, expected: bool| {
            assert_eq!(is_abandoned(name, age), expected, "{name}");
        };
        let (new, old) = (Duration::from_secs(1), Duration::from_hours(10_000));
        check(&format!("{}abc", prefix("")), new, false);
        // The name comes from another machine or container, or from an older wheelsmith.
        check("ffff-1-1-abc", new, false);
        check("ffff-1-1-abc", old, true);
        check("abc", new, false);
        check("abc", old, true);
        if let Some(system) = system() {
            check(&format!("{}abc", prefix("")), old, false);
            check(&format!("{system}-4000000000-1-abc"), new, true);
            // The process number is equal, the start time is not.
            check(&format!("{system}-{}-1-abc", std::process::id()), new, true);
        }
    }
}
