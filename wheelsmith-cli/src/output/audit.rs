//! The audit's report for people: the verdict first, then why.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anstyle::Style;
use wheelsmith_core::audit::{Explanation, Input, Origin, Report, explain};
use wheelsmith_core::finding::{Code, Finding, Severity};
use wheelsmith_core::name::PlatformTag;

use super::View;
use super::human::{BOLD, DIM, GREEN, RED, YELLOW};

/// How wide lines are.
const WIDTH: usize = 80;
/// How much evidence is shown without `--explain`.
const EVIDENCE: usize = 3;
/// How many files with findings are shown without `--verbose`.
const FILES: usize = 12;
/// How many symbols of a version are shown.
const SYMBOLS: usize = 8;

pub(super) fn human(report: &Report, view: &View) -> String {
    let mut text = String::new();
    let mut helped = BTreeSet::new();
    for input in &report.inputs {
        one(&mut text, input, view, &mut helped);
    }
    for found in &report.configuration {
        finding(&mut text, found, "", view, &mut helped);
    }
    if report.inputs.len() > 1 || !report.configuration.is_empty() {
        summary(&mut text, report);
    }
    text
}

fn one(text: &mut String, input: &Input, view: &View, helped: &mut BTreeSet<Code>) {
    let name = input.path.rsplit('/').find(|part| !part.is_empty()).unwrap_or(&input.path);
    let (style, word) = standing(input);
    let _ = writeln!(text, "{style}{word}{style:#} {BOLD}{name}{BOLD:#}");
    if let Some(error) = &input.error {
        wrap(text, 5, 5, error);
        return;
    }
    wrap(text, 5, 5, &verdict(input));
    if let Some(auditwheel) = &input.auditwheel_verdict
        && auditwheel.tag != input.verdict
    {
        let tag = auditwheel.tag.as_ref().map_or("an error".to_owned(), PlatformTag::to_string);
        let why = auditwheel.reasons.join("; ");
        let mut line = format!("auditwheel would say {tag}");
        if !why.is_empty() {
            let _ = write!(line, ": {why}");
        }
        let mut wrapped = String::new();
        wrap(&mut wrapped, 5, 5, &line);
        let _ = write!(text, "{DIM}{wrapped}{DIM:#}");
    }
    let mut by_file: BTreeMap<Option<&str>, Vec<&Finding>> = BTreeMap::new();
    let is_shown = |finding: &&Finding| view.verbose || finding.severity < Severity::Info;
    for found in input.findings.iter().filter(is_shown) {
        by_file.entry(found.file.as_ref().map(AsRef::as_ref)).or_default().push(found);
    }
    // The whole first, then the files with the worst findings.
    let mut groups: Vec<_> = by_file.into_iter().collect();
    groups.sort_by_key(|(file, findings)| {
        let worst = findings.iter().map(|f| (f.waived.is_some(), f.severity)).min();
        (file.is_some(), worst, *file)
    });
    let most = if view.verbose { usize::MAX } else { FILES };
    let left = groups.len().saturating_sub(most);
    for (file, findings) in groups.into_iter().take(most) {
        if let Some(file) = file {
            let _ = writeln!(text, "     {BOLD}{file}{BOLD:#}");
        }
        let indent = if file.is_some() { "       " } else { "     " };
        for found in findings {
            finding(text, found, indent, view, helped);
        }
        if let Some(file) = file.filter(|_| view.verbose) {
            needs(text, input, file);
        }
    }
    if left > 0 {
        let _ = writeln!(text, "     {DIM}{} more with --verbose{DIM:#}", plural(left, "file"));
    }
    let hidden = input.findings.iter().filter(|finding| !is_shown(finding)).count();
    if hidden > 0 {
        let _ = writeln!(text, "     {DIM}{} more with --verbose{DIM:#}", plural(hidden, "note"));
    }
    if view.explain {
        explanation(text, input, &explain(input, view.want.as_deref()));
    }
}

fn standing(input: &Input) -> (Style, &'static str) {
    let counts = |severity| input.findings.iter().any(|finding| finding.counts_at(severity));
    if input.error.is_some() {
        (RED, "??  ")
    } else if counts(Severity::Error) {
        (RED, "FAIL")
    } else if counts(Severity::Warning) {
        (YELLOW, "warn")
    } else {
        (GREEN, "ok  ")
    }
}

/// What the files earn, and what was claimed.
fn verdict(input: &Input) -> String {
    let earned = match &input.verdict {
        Some(PlatformTag::Any) => "any: it has no native file".to_owned(),
        Some(PlatformTag::Linux { arch }) => format!("linux_{arch}, which keeps no policy"),
        Some(tag) => tag.to_string(),
        None => "no tag".to_owned(),
    };
    let claims: BTreeSet<String> =
        input.claimed_tags.iter().map(|tag| tag.perennial().to_string()).collect();
    let claims: Vec<String> = claims.into_iter().collect();
    if let Some(tag) = &input.wanted_tag {
        return format!("earns {earned}; asked for is {tag}");
    }
    match &input.verdict {
        _ if claims.is_empty() => format!("earns {earned}"),
        Some(tag) if claims == [tag.to_string()] => format!("earns {earned}, as it claims"),
        _ => format!("earns {earned}; it claims {}", claims.join(", ")),
    }
}

fn finding(
    text: &mut String,
    finding: &Finding,
    indent: &str,
    view: &View,
    helped: &mut BTreeSet<Code>,
) {
    let (style, word) = match (finding.severity, &finding.waived) {
        (_, Some(_)) => (DIM, "waived"),
        (Severity::Error, _) => (RED, "error"),
        (Severity::Warning, _) => (YELLOW, "warning"),
        (Severity::Info, _) => (DIM, "note"),
    };
    let head = format!("{word}[{}]", finding.code);
    let mut body = String::new();
    wrap(&mut body, indent.len(), indent.len() + 2, &format!("{head} {}", finding.message));
    let body = body.replacen(&head, &format!("{style}{head}{style:#}"), 1);
    text.push_str(&body);
    let shown = if view.verbose { finding.evidence.len() } else { EVIDENCE };
    let evidence = match &finding.evidence[..] {
        // `pow@GLIBC_2.29 of libm.so.6`, when that is what the sentence says.
        [only] if only.split(" of ").next().is_some_and(|it| finding.message.contains(it)) => &[],
        evidence => evidence,
    };
    for line in evidence.iter().take(shown) {
        let _ = writeln!(text, "{indent}    {line}");
    }
    if evidence.len() > shown {
        let more = evidence.len() - shown;
        let _ = writeln!(text, "{indent}    {DIM}and {more} more{DIM:#}");
    }
    if let Some(reason) = &finding.waived {
        let mut line = String::new();
        wrap(&mut line, indent.len() + 2, indent.len() + 2, &format!("because {reason}"));
        let _ = write!(text, "{DIM}{line}{DIM:#}");
    } else if let Some(help) = finding.help.filter(|_| helped.insert(finding.code)) {
        let mut line = String::new();
        wrap(&mut line, indent.len() + 2, indent.len() + 2, &format!("help: {help}"));
        let _ = write!(text, "{DIM}{line}{DIM:#}");
    }
}

/// The libraries of a file that has findings, as branches.
fn needs(text: &mut String, input: &Input, file: &str) {
    let of_file = input.needs.iter().filter(|need| need.file.as_str() == file);
    let shown: Vec<(&str, &Origin)> = of_file
        .filter(|need| need.origin != Origin::Promised)
        .map(|need| (need.library.as_str(), &need.origin))
        .collect();
    for (i, (library, origin)) in shown.iter().enumerate() {
        let branch = if i + 1 == shown.len() { "└─" } else { "├─" };
        let place = match origin {
            Origin::Inside(path) => format!("{DIM}{path}{DIM:#}"),
            Origin::Misplaced(path) => format!("{YELLOW}{path}, where nobody looks{YELLOW:#}"),
            Origin::Python => format!("{DIM}Python{DIM:#}"),
            Origin::Promised | Origin::Outside => format!("{RED}not in the wheel{RED:#}"),
        };
        let _ = writeln!(text, "       {branch} {library}  {place}");
    }
}

fn explanation(text: &mut String, input: &Input, explanations: &[Explanation]) {
    if explanations.is_empty() {
        if input.files.iter().any(|file| file.elf.is_some()) {
            let _ = writeln!(text, "     {GREEN}nothing is in the way{GREEN:#}");
        }
        return;
    }
    let _ = writeln!(text, "     {BOLD}in the way of older tags{BOLD:#}");
    for Explanation { file, steps } in explanations {
        let _ = writeln!(text, "       {BOLD}{file}{BOLD:#}");
        for step in steps {
            let _ = writeln!(text, "         {YELLOW}{}{YELLOW:#}", step.tag);
            for library in &step.libraries {
                let _ = writeln!(text, "           {library} is not promised: bundle it");
            }
            for obstacle in &step.versions {
                let mut symbols: Vec<&str> =
                    obstacle.symbols.iter().take(SYMBOLS).map(String::as_str).collect();
                let more = obstacle.symbols.len().saturating_sub(SYMBOLS);
                let tail = format!("and {more} more");
                if more > 0 {
                    symbols.push(&tail);
                }
                let list = if symbols.is_empty() {
                    "listed, and asked for by no symbol".to_owned()
                } else {
                    symbols.join(", ")
                };
                let (version, library) = (&obstacle.version, &obstacle.library);
                wrap(text, 11, 13, &format!("{version} of {library}: {list}"));
            }
        }
    }
    let help = "help: symbols of newer releases go away when the file is built for an older one: \
                with the zig toolchain (`glibc = \"2.17\"`), or in an older image";
    let mut line = String::new();
    wrap(&mut line, 7, 7, help);
    let _ = write!(text, "{DIM}{line}{DIM:#}");
}

fn summary(text: &mut String, report: &Report) {
    let all =
        || report.inputs.iter().flat_map(|input| &input.findings).chain(&report.configuration);
    let count = |severity: Severity| {
        all().filter(|finding| finding.waived.is_none() && finding.severity == severity).count()
    };
    let failed = report.inputs.iter().filter(|input| input.error.is_some()).count();
    let waived = all().filter(|finding| finding.waived.is_some()).count();
    let mut parts = vec![
        plural(report.inputs.len(), "input"),
        plural(count(Severity::Error), "error"),
        plural(count(Severity::Warning), "warning"),
    ];
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

/// Breaks a sentence between words. Words that are longer than a line stay whole, to be copied.
fn wrap(text: &mut String, first: usize, rest: usize, sentence: &str) {
    let mut column = first;
    let _ = write!(text, "{:first$}", "");
    let mut is_first = true;
    for word in sentence.split_whitespace() {
        let size = word.chars().count();
        if !is_first && column + 1 + size > WIDTH {
            let _ = write!(text, "\n{:rest$}", "");
            column = rest;
            is_first = true;
        }
        if !is_first {
            text.push(' ');
            column += 1;
        }
        text.push_str(word);
        column += size;
        is_first = false;
    }
    text.push('\n');
}
