//! Progress on standard error: bars on a terminal, elsewhere a line for each finished task.

use std::collections::{HashMap, HashSet};
use std::io::{IsTerminal as _, Write as _};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use wheelsmith_core::sys::{Env, Event, Report, TaskId};

use super::text;
use crate::global::{Format, Level};

/// Draws events on standard error.
pub(crate) struct Progress {
    level: Level,
    /// True in a job of GitHub Actions.
    is_action: bool,
    /// `None` if standard error is not a terminal, or that of a CI job.
    bars: Option<MultiProgress>,
    running: Mutex<HashMap<TaskId, Running>>,
    /// Warnings that were shown: several parts of a run find the same one.
    warned: Mutex<HashSet<String>>,
}

struct Running {
    label: String,
    since: Instant,
    bar: Option<ProgressBar>,
}

impl Progress {
    pub(crate) fn new(format: Format, level: Level, env: &Env) -> Self {
        let terminal = std::io::stderr().is_terminal() && env.get("CI").is_none();
        let bars =
            (terminal && format == Format::Human && level >= Level::Info).then(MultiProgress::new);
        let is_action = env.get("GITHUB_ACTIONS").is_some();
        Self { level, is_action, bars, running: Mutex::default(), warned: Mutex::default() }
    }

    fn line(&self, text: &str) {
        let write = || {
            // The result is ignored: if standard error is closed, the line cannot be shown.
            let _ = writeln!(anstream::stderr(), "{}", text::lines(text));
        };
        match &self.bars {
            Some(bars) => bars.suspend(write),
            None => write(),
        }
    }

    fn bar(&self, label: &str, total: u64) -> Option<ProgressBar> {
        let bars = self.bars.as_ref()?;
        // Small totals count files, large ones bytes.
        let template = match total {
            0 => "{spinner} {wide_msg} {elapsed}",
            1..1_000_000 => "{spinner} {prefix} [{bar:24}] {pos}/{len} {wide_msg}",
            _ => "{spinner} {prefix} [{bar:24}] {bytes}/{total_bytes} {wide_msg}",
        };
        let bar = match total {
            0 => ProgressBar::new_spinner(),
            total => ProgressBar::new(total),
        };
        let style = ProgressStyle::with_template(template).ok()?.progress_chars("=> ");
        let bar = bars.add(bar.with_style(style));
        if total == 0 {
            bar.set_message(text::line(label));
        } else {
            bar.set_prefix(text::line(label));
        }
        bar.enable_steady_tick(Duration::from_millis(120));
        Some(bar)
    }
}

impl Report for Progress {
    fn event(&self, event: Event) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Begin { task, label, total } => {
                let bar = self.bar(&label, total);
                running.insert(task, Running { label, since: Instant::now(), bar });
            }
            Event::Advance { task, steps, detail } => {
                if let Some(bar) = running.get(&task).and_then(|running| running.bar.as_ref()) {
                    bar.inc(steps);
                    if !detail.is_empty() && bar.length().is_some() {
                        bar.set_message(text::line(&detail));
                    }
                }
            }
            Event::End { task, outcome } => {
                let Some(ended) = running.remove(&task) else { return };
                if let Some(bar) = ended.bar {
                    bar.finish_and_clear();
                }
                if let Some(outcome) = outcome.filter(|_| self.level >= Level::Info) {
                    let time = ended.since.elapsed().as_secs_f64();
                    self.line(&format!("{}: {outcome} ({time:.1} s)", ended.label));
                }
            }
            Event::Warning(text) if self.level >= Level::Warn => {
                let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
                if !warned.insert(text.clone()) {
                    return;
                }
                let style = anstyle::AnsiColor::Yellow.on_default().bold();
                self.line(&format!("{style}warning{style:#}: {text}"));
            }
            Event::Detail(text) if self.level >= Level::Debug => self.line(&text),
            _ => {}
        }
    }

    fn hide(&self, secret: &str) {
        if self.is_action {
            // The runner reads the command from the output of the step, and hides it.
            let _ = writeln!(anstream::stderr(), "::add-mask::{secret}");
        }
    }

    fn wants_detail(&self) -> bool {
        self.level >= Level::Debug
    }
}
