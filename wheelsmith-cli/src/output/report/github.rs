//! Report for GitHub Actions: annotations on standard output, and a summary of the job in Markdown.
//!
//! Source: "Workflow commands for GitHub Actions" (escaping as in `actions/toolkit`, `command.ts`).

use std::fmt::{self, Display, Write as _};

use wheelsmith_core::audit;
use wheelsmith_core::finding::{Finding, Severity};

use super::escape::{Markdown, with_code};
use super::summary::{InputSummary, Summary};
use super::words::{self, Counts, InputState, auditwheel, page_url, standing};

/// Size limit of the summary, in bytes: GitHub drops summaries of more than a mebibyte. Further
/// findings are only counted.
const LONGEST_SUMMARY: usize = 900_000;

/// Renders a workflow command for each finding that counts, the errors of all inputs first, because
/// GitHub shows only the first ten of each severity in a step.
pub(crate) fn render<'r>(report: impl Into<Summary<'r>>) -> String {
    let report = report.into();
    let mut lines: Vec<(Severity, String)> = Vec::new();
    for input in &report.inputs {
        if let Some(error) = input.error {
            let title = "could not be judged";
            lines.push((Severity::Error, command(Severity::Error, title, Some(input.path), error)));
        }
        for finding in input.findings.iter().filter(|finding| finding.waived.is_none()) {
            lines.push((finding.severity, annotation(Some(input), finding)));
        }
    }
    for finding in report.configuration {
        lines.push((finding.severity, annotation(None, finding)));
    }
    // The sort is stable: within a severity the order of the report is kept.
    lines.sort_by_key(|(severity, _)| *severity);
    lines.into_iter().map(|(_, line)| line).collect()
}

/// Renders a finding about an input, or about the configuration.
fn annotation(input: Option<&InputSummary<'_>>, finding: &Finding) -> String {
    let mut message = String::new();
    if let Some(file) = &finding.file {
        let _ = write!(message, "{file}: ");
    }
    message.push_str(&finding.message);
    for line in &finding.evidence {
        let _ = write!(message, "\n  {line}");
    }
    if let Some(help) = &finding.help {
        let _ = write!(message, "\nhelp: {help}");
    }
    let path = input.map(|input| input.path);
    command(finding.severity, finding.code.as_str(), path, &message)
}

fn command(severity: Severity, title: &str, file: Option<&str>, message: &str) -> String {
    let kind = match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "notice",
    };
    let file = file.map(|file| format!(",file={}", Property(file))).unwrap_or_default();
    format!("::{kind} title={}{file}::{}\n", Property(title), Data(message))
}

/// Text of a command.
struct Data<'a>(&'a str);

impl Display for Data<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A"))
    }
}

/// Value of a property of a command, which ends at `,` or `:`.
struct Property<'a>(&'a str);

impl Display for Property<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&Data(self.0).to_string().replace(':', "%3A").replace(',', "%2C"))
    }
}

/// Renders the summary, which is appended to the file in `GITHUB_STEP_SUMMARY`.
pub(crate) fn summary<'r>(report: impl Into<Summary<'r>>) -> String {
    let report = report.into();
    let total = Counts::of(report.findings());
    let mut out =
        format!("## {} wheelsmith {}: {}\n\n", report.worst().mark(), report.verb, total.text());
    let is_audit = report.inputs.iter().any(|input| input.audit.is_some());
    out.push_str(if is_audit {
        "| | input | qualifies for | claims | auditwheel | findings |\n|---|---|---|---|---|---|\n"
    } else {
        "| | input | result | findings |\n|---|---|---|---|\n"
    });
    for input in &report.inputs {
        if out.len() > LONGEST_SUMMARY {
            break;
        }
        let (mark, name) = (standing(input).mark(), code(words::file_name(input.path)));
        let _ = write!(out, "| {mark} | {name} | ");
        if let Some(audit) = input.audit {
            let theirs = auditwheel(input).map_or_else(|| "–".to_owned(), |tag| code(&tag));
            let _ = write!(out, "{} | {} | {theirs}", code(&input.verdict()), claims(audit));
        } else {
            out.push_str(&input.verdict());
        }
        let _ = writeln!(out, " | {} |", Counts::of(input.findings).text());
    }
    for input in &report.inputs {
        details(&mut out, input);
    }
    out
}

fn code(text: &str) -> String {
    format!("<code>{}</code>", Markdown(text))
}

fn claims(input: &audit::Input) -> String {
    let tags: Vec<String> = input.claimed_tags.iter().map(|tag| code(&tag.to_string())).collect();
    if tags.is_empty() { "–".to_owned() } else { tags.join(" ") }
}

fn details(out: &mut String, input: &InputSummary<'_>) {
    if input.findings.is_empty() && input.error.is_none() {
        return;
    }
    // Bad inputs are unfolded.
    let open = if standing(input) <= InputState::Bad { " open" } else { "" };
    let name = code(words::file_name(input.path));
    let counts = Counts::of(input.findings).text();
    let _ = write!(out, "\n<details{open}><summary>{name}: {counts}</summary>\n\n");
    if let Some(error) = input.error {
        let _ = write!(out, "Could not be judged: {}\n\n", with_code(error, Markdown));
    }
    if !input.findings.is_empty() {
        out.push_str("| | finding | file | observation |\n|---|---|---|---|\n");
    }
    for (at, finding) in input.findings.iter().enumerate() {
        if out.len() > LONGEST_SUMMARY {
            let _ = writeln!(out, "\n… and {} more", input.findings.len() - at);
            break;
        }
        row(out, finding);
    }
    out.push_str("\n</details>\n");
}

fn row(out: &mut String, finding: &Finding) {
    let mark = match finding.severity {
        _ if finding.waived.is_some() => "⚪",
        Severity::Error => "🔴",
        Severity::Warning => "🟡",
        Severity::Info => "🔵",
    };
    let name = finding.code.as_str();
    let name = match page_url(finding.code) {
        Some(url) => format!("[`{name}`]({url})"),
        None => format!("`{name}`"),
    };
    let file = finding.file.as_ref().map(|file| code(file.as_str())).unwrap_or_default();
    let mut seen = with_code(&finding.message, Markdown);
    let (first, rest) = finding.evidence.split_at(finding.evidence.len().min(3));
    for line in first {
        let _ = write!(seen, "<br>{}", code(line));
    }
    if !rest.is_empty() {
        let _ = write!(seen, "<br>… and {} more", rest.len());
    }
    if let Some(reason) = &finding.waived {
        let _ = write!(seen, "<br><em>waived: {}</em>", Markdown(reason));
    } else if let Some(help) = &finding.help {
        let _ = write!(seen, "<br><em>{}</em>", with_code(help, Markdown));
    }
    let _ = writeln!(out, "| {mark} | {name} | {file} | {seen} |");
}
