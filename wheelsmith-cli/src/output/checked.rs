//! What `wheelsmith check` found, for people.

use std::fmt::Write as _;

use wheelsmith_core::check::{Input, Report};
use wheelsmith_core::finding::{Finding, Severity};

use super::human::{BOLD, DIM, GREEN, RED, YELLOW};

/// Errors and warnings, and how many of the rest; all of it when `is_verbose`.
pub(super) fn human(report: &Report, is_verbose: bool) -> String {
    let mut text = String::new();
    for input in &report.inputs {
        let _ = writeln!(text, "{BOLD}{}{BOLD:#} {}", plain(&input.path), verdict(input));
        let is_shown = |f: &&Finding| is_verbose || f.severity != Severity::Info;
        for finding in input.findings.iter().filter(is_shown) {
            one(&mut text, finding);
        }
    }
    text
}

fn verdict(input: &Input) -> String {
    if let Some(error) = &input.error {
        return format!("{RED}cannot be checked{RED:#}: {error}");
    }
    let count = |severity| {
        let own = |f: &&Finding| f.severity == severity && f.waived.is_none();
        input.findings.iter().filter(own).count()
    };
    let words =
        [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Info, "note")]
            .into_iter()
            .filter_map(|(severity, word)| match count(severity) {
                0 => None,
                1 => Some(format!("1 {word}")),
                n => Some(format!("{n} {word}s")),
            });
    let words = words.collect::<Vec<_>>().join(", ");
    let words = if words.is_empty() { words } else { format!(" {DIM}({words}){DIM:#}") };
    if count(Severity::Error) > 0 {
        format!("{RED}is refused{RED:#}{words}")
    } else {
        format!("{GREEN}is good{GREEN:#}{words}")
    }
}

fn one(text: &mut String, finding: &Finding) {
    let style = match finding.severity {
        Severity::Error => RED,
        Severity::Warning => YELLOW,
        Severity::Info => DIM,
    };
    let Finding { severity, code, message, .. } = finding;
    let place = finding.file.as_ref().map(|file| format!("{file}: ")).unwrap_or_default();
    let severity = severity.as_str();
    let _ = writeln!(text, "  {style}{severity}[{code}]{style:#} {}", plain(&(place + message)));
    for line in &finding.evidence {
        let _ = writeln!(text, "    {}", plain(line));
    }
    if let Some(help) = finding.help {
        let _ = writeln!(text, "    {BOLD}help{BOLD:#}: {help}");
    }
    if let Some(reason) = &finding.waived {
        let _ = writeln!(text, "    waived: {}", plain(reason));
    }
}

/// What a file says may hold anything: control characters must not reach a terminal.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}
