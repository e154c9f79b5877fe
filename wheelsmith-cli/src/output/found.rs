//! Findings for people, for every command that reports some.

use std::collections::{BTreeMap, BTreeSet};

use anstyle::Style;
use wheelsmith_core::finding::{Finding, Severity};

use super::human::{BOLD, DIM, GREEN, RED, YELLOW};
use super::text::{self, Text};

/// Width of a line.
const WIDTH: usize = 80;
/// Number of lines of evidence that are shown without `--explain`.
const EVIDENCE: usize = 3;
/// Number of files with findings that are shown without `--verbose`.
const FILES: usize = 12;

/// Level of detail of findings.
#[derive(Debug)]
pub(super) struct Shown<'h> {
    /// True if notes and all evidence are shown.
    pub(super) verbose: bool,
    /// Fixes that were shown already.
    pub(super) helped: &'h mut BTreeSet<&'static str>,
}

/// Returns the state of an input as a word, with its colour. All words have the same width.
pub(super) fn standing(has_failed: bool, findings: &[Finding]) -> (Style, &'static str) {
    let counts = |severity| findings.iter().any(|finding| finding.counts_at(severity));
    if has_failed {
        (RED, "??  ")
    } else if counts(Severity::Error) {
        (RED, "FAIL")
    } else if counts(Severity::Warning) {
        (YELLOW, "warn")
    } else {
        (GREEN, "ok  ")
    }
}

/// Writes the findings of an input: those about the whole, then those of each file, followed by the
/// text that `after_file` adds.
pub(super) fn listing(
    text: &mut Text,
    findings: &[Finding],
    shown: &mut Shown<'_>,
    after_file: &mut dyn FnMut(&mut Text, &str),
) {
    let mut by_file: BTreeMap<Option<&str>, Vec<&Finding>> = BTreeMap::new();
    let verbose = shown.verbose;
    let is_shown = |finding: &&Finding| verbose || finding.severity < Severity::Info;
    for found in findings.iter().filter(is_shown) {
        by_file.entry(found.file.as_ref().map(AsRef::as_ref)).or_default().push(found);
    }
    // The whole first, then the files with the worst findings.
    let mut groups: Vec<_> = by_file.into_iter().collect();
    groups.sort_by_key(|(file, findings)| {
        let worst = findings.iter().map(|f| (f.waived.is_some(), f.severity)).min();
        (file.is_some(), worst, *file)
    });
    let most = if shown.verbose { usize::MAX } else { FILES };
    let left = groups.len().saturating_sub(most);
    for (file, findings) in groups.into_iter().take(most) {
        if let Some(file) = file {
            let _ = writeln!(text, "     {BOLD}{file}{BOLD:#}");
        }
        let indent = if file.is_some() { "       " } else { "     " };
        for found in findings {
            finding(text, found, indent, shown);
        }
        if let Some(file) = file {
            after_file(text, file);
        }
    }
    if left > 0 {
        let _ = writeln!(text, "     {DIM}{} more with --verbose{DIM:#}", plural(left, "file"));
    }
    let hidden = findings.iter().filter(|finding| !is_shown(finding)).count();
    if hidden > 0 {
        let _ = writeln!(text, "     {DIM}{} more with --verbose{DIM:#}", plural(hidden, "note"));
    }
}

/// Writes a finding, its evidence and its fix.
pub(super) fn finding(text: &mut Text, finding: &Finding, indent: &str, shown: &mut Shown<'_>) {
    let (style, word) = match (finding.severity, &finding.waived) {
        (_, Some(_)) => (DIM, "waived"),
        (Severity::Error, _) => (RED, "error"),
        (Severity::Warning, _) => (YELLOW, "warning"),
        (Severity::Info, _) => (DIM, "note"),
    };
    let head = format!("{word}[{}]", finding.code);
    let mut body = Text::new();
    wrap(&mut body, indent.len(), indent.len() + 2, &format!("{head} {}", finding.message));
    text.push_own(&body.as_str().replacen(&head, &format!("{style}{head}{style:#}"), 1));
    let most = if shown.verbose { finding.evidence.len() } else { EVIDENCE };
    let evidence = match &finding.evidence[..] {
        // The message contains the only line of evidence already: `pow@GLIBC_2.29 of libm.so.6`.
        [only] if only.split(" of ").next().is_some_and(|it| finding.message.contains(it)) => &[],
        evidence => evidence,
    };
    for line in evidence.iter().take(most) {
        let _ = writeln!(text, "{indent}    {line}");
    }
    if evidence.len() > most {
        let more = evidence.len() - most;
        let _ = writeln!(text, "{indent}    {DIM}and {more} more{DIM:#}");
    }
    if let Some(reason) = &finding.waived {
        let mut line = Text::new();
        wrap(&mut line, indent.len() + 2, indent.len() + 2, &format!("because {reason}"));
        text.push_own(&format!("{DIM}{}{DIM:#}", line.as_str()));
    } else if let Some(help) = finding.help.filter(|help| shown.helped.insert(*help)) {
        let mut line = Text::new();
        wrap(&mut line, indent.len() + 2, indent.len() + 2, &format!("help: {help}"));
        text.push_own(&format!("{DIM}{}{DIM:#}", line.as_str()));
    }
}

/// Returns the numbers of inputs and findings.
pub(super) fn summary<'f>(
    text: &mut Text,
    inputs: usize,
    failed: usize,
    findings: impl Iterator<Item = &'f Finding>,
) {
    let (mut errors, mut warnings, mut waived) = (0, 0, 0);
    for finding in findings {
        match finding.severity {
            _ if finding.waived.is_some() => waived += 1,
            Severity::Error => errors += 1,
            Severity::Warning => warnings += 1,
            Severity::Info => {}
        }
    }
    let mut parts =
        vec![plural(inputs, "input"), plural(errors, "error"), plural(warnings, "warning")];
    if waived > 0 {
        parts.push(format!("{waived} waived"));
    }
    if failed > 0 {
        parts.push(format!("{failed} could not be judged"));
    }
    let _ = writeln!(text, "{BOLD}{}{BOLD:#}", parts.join(", "));
}

fn plural(count: usize, word: &str) -> String {
    if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") }
}

/// Breaks a sentence between words. A word that is longer than a line is not broken, so that it can
/// be copied. A word that a CI runner would interpret as a command never begins a line.
pub(super) fn wrap(text: &mut Text, first: usize, rest: usize, sentence: &str) {
    let mut column = first;
    let _ = write!(text, "{:first$}", "");
    let mut is_first = true;
    for word in text::line(sentence).split_whitespace() {
        let size = word.chars().count();
        if !is_first && column + 1 + size > WIDTH && !text::is_command(word) {
            text.push_own("\n");
            let _ = write!(text, "{:rest$}", "");
            column = rest;
            is_first = true;
        }
        let gap = if is_first { "" } else { " " };
        let _ = write!(text, "{gap}{word}");
        column += gap.len() + size;
        is_first = false;
    }
    text.push_own("\n");
}
