//! Renders one input: the verdict, the findings, the files.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use wheelsmith_core::audit::{self, NativeFile};
use wheelsmith_core::binary::Format;
use wheelsmith_core::finding::{Finding, Severity};

use super::{floor, graph, needs, treemap};
use crate::output::report::escape::{Markup, with_code};
use crate::output::report::summary::InputSummary;
use crate::output::report::words::{
    Counts, InputState, auditwheel, count, file_name, page_url, size, standing,
};

/// Limit of the rows, because long tables are slow to draw; further rows are counted.
const MOST_ROWS: usize = 2000;

pub(super) fn section(out: &mut String, at: usize, input: &InputSummary<'_>) {
    let _ = write!(out, "<article id=\"i{at}\">");
    hero(out, input);
    findings(out, at, input);
    if let Some(audit) = input.audit {
        out.push_str(&graph::section(audit));
        out.push_str(&floor::section(audit));
        out.push_str(&treemap::section(audit));
        files(out, audit);
    }
    out.push_str("</article>");
}

pub(super) fn class(standing: InputState) -> &'static str {
    match standing {
        InputState::Unjudged | InputState::Bad => "bad",
        InputState::Fair => "fair",
        InputState::Good => "good",
    }
}

fn hero(out: &mut String, input: &InputSummary<'_>) {
    let standing = standing(input);
    let name = file_name(input.path);
    let _ = write!(
        out,
        "<header class=\"hero {}\"><p class=\"kind\">{}</p><h2>{}</h2>",
        class(standing),
        input.kind,
        Breaks(name)
    );
    let words = input.words();
    let _ = write!(out, "<p class=\"standing\"><i class=\"dot\"></i>It {words}.</p>");
    if let Some(error) = input.error {
        let _ = write!(out, "<p class=\"error\">{}</p></header>", with_code(error, Markup));
        return;
    }
    out.push_str("<dl class=\"facts\">");
    if let Some(audit) = input.audit {
        judged(out, input, audit);
    }
    fact(out, "findings", &Counts::of(input.findings).text());
    out.push_str("</dl></header>");
}

fn fact(out: &mut String, name: &str, value: &str) {
    let _ = write!(out, "<div><dt>{name}</dt><dd>{value}</dd></div>");
}

/// Renders the tags and native files of an audit.
fn judged(out: &mut String, input: &InputSummary<'_>, audit: &audit::Input) {
    fact(
        out,
        "qualifies for",
        &format!("<strong class=\"tag\">{}</strong>", Breaks(&input.verdict())),
    );
    let tag = |tag: &_| format!("<span class=\"tag\">{}</span>", Breaks(&format!("{tag}")));
    if !audit.claimed_tags.is_empty() {
        let tags: Vec<String> = audit.claimed_tags.iter().map(tag).collect();
        fact(out, "claims", &tags.join(" "));
    }
    if let Some(wanted) = &audit.tag {
        fact(out, "required", &tag(wanted));
    }
    if let Some(theirs) = auditwheel(input) {
        let mut text = format!("<span class=\"tag\">{}</span>", Breaks(&theirs));
        for reason in audit.auditwheel_verdict.iter().flat_map(|theirs| &theirs.reasons) {
            let _ = write!(text, "<small>{}</small>", with_code(reason, Markup));
        }
        fact(out, "verdict of auditwheel", &text);
    }
    let bytes = audit.files.iter().map(|file| file.size_bytes).fold(0, u64::saturating_add);
    let files = format!("{}, {}", count(audit.files.len(), "file"), size(bytes));
    fact(out, "native", &files);
    if let Some(newest) = audit.files.iter().filter_map(floor::glibc).max() {
        fact(out, "newest symbol", &format!("GLIBC_{newest}"));
    }
    if let Some(newest) = audit.files.iter().filter_map(floor::macos).max() {
        fact(out, "needs macOS", &newest.to_string());
    }
}

fn findings(out: &mut String, at: usize, input: &InputSummary<'_>) {
    if input.findings.is_empty() {
        return;
    }
    let counts = Counts::of(input.findings);
    out.push_str("<section class=\"card findings\"><h3>Findings</h3><div class=\"filter\">");
    let boxes = [
        ("error", counts.errors, "error"),
        ("warning", counts.warnings, "warning"),
        ("info", counts.notes, "note"),
        ("waived", counts.waived, "waived"),
    ];
    for (class, n, word) in boxes {
        if n > 0 {
            let _ = write!(
                out,
                "<label class=\"{class}\"><input type=\"checkbox\" class=\"show-{class}\" \
                 checked> {}</label>",
                count(n, word)
            );
        }
    }
    let _ = write!(
        out,
        "<input type=\"search\" id=\"q{at}\" placeholder=\"file, code or symbol\" \
         aria-label=\"Show findings with this text\" hidden></div><table><thead><tr><th>finding\
         </th><th>file</th><th>observation</th></tr></thead><tbody>"
    );
    // Each fix is shown once.
    let mut said = BTreeSet::new();
    for finding in input.findings.iter().take(MOST_ROWS) {
        row(out, finding, said.insert(finding.help));
    }
    out.push_str("</tbody></table>");
    if input.findings.len() > MOST_ROWS {
        let more = count(input.findings.len() - MOST_ROWS, "more finding");
        let _ = write!(out, "<p class=\"dim\">{more} are left out here.</p>");
    }
    out.push_str("</section>");
}

fn row(out: &mut String, finding: &Finding, with_help: bool) {
    let (class, word) = match finding.severity {
        _ if finding.waived.is_some() => ("waived", "waived"),
        Severity::Error => ("error", "error"),
        Severity::Warning => ("warning", "warning"),
        Severity::Info => ("info", "note"),
    };
    let code = finding.code.as_str();
    let name = match page_url(finding.code) {
        Some(url) => format!("<a href=\"{}\">{code}</a>", Markup(&url)),
        None => format!("<span title=\"{}\">{code}</span>", Markup(finding.code.meaning().trim())),
    };
    let _ = write!(
        out,
        "<tr class=\"{class}\"><td><span class=\"badge {class}\">{word}</span> <span \
         class=\"code\">{name}</span></td>"
    );
    match &finding.file {
        Some(file) => {
            let _ = write!(out, "<td class=\"path\">{}</td>", Breaks(file.as_str()));
        }
        None => out.push_str("<td class=\"path dim\">the whole</td>"),
    }
    let _ = write!(out, "<td><p>{}</p>", with_code(&finding.message, Markup));
    match finding.evidence.as_slice() {
        [] => {}
        few if few.len() <= 3 => evidence(out, few),
        many => {
            let _ = write!(out, "<details><summary>{}</summary>", count(many.len(), "line"));
            evidence(out, many);
            out.push_str("</details>");
        }
    }
    if let Some(reason) = &finding.waived {
        let _ = write!(out, "<p class=\"help\">Waived: {}</p>", Markup(reason));
    }
    if let Some(help) = finding.help.as_ref().filter(|_| with_help) {
        let _ = write!(out, "<p class=\"help\">{}</p>", with_code(help, Markup));
    }
    out.push_str("</td></tr>");
}

fn evidence(out: &mut String, lines: &[String]) {
    out.push_str("<ul class=\"evidence\">");
    for line in lines {
        let _ = write!(out, "<li>{}</li>", Markup(line));
    }
    out.push_str("</ul>");
}

fn files(out: &mut String, input: &audit::Input) {
    if input.files.is_empty() {
        return;
    }
    let n = count(input.files.len(), "native file");
    let _ = write!(out, "<details class=\"card files\"><summary><h3>{n}</h3></summary><table>");
    out.push_str(
        "<thead><tr><th>file</th><th>what</th><th>size</th><th>needs</th></tr></thead><tbody>",
    );
    for file in input.files.iter().take(MOST_ROWS) {
        let needed: Vec<String> = needs::needed(file)
            .into_iter()
            .map(|name| format!("<code>{}</code>", Breaks(name)))
            .collect();
        let _ = write!(
            out,
            "<tr><td class=\"path\">{}</td><td>{}</td><td class=\"number\">{}</td><td>{}</td></tr>",
            Breaks(file.path.as_str()),
            Markup(&what(file)),
            size(file.size_bytes),
            if needed.is_empty() { "–".to_owned() } else { needed.join(" ") },
        );
    }
    out.push_str("</tbody></table></details>");
}

/// Returns the format of a file and its processors.
fn what(file: &NativeFile) -> String {
    let format = match file.format() {
        Format::Elf => "ELF",
        Format::MachO => "Mach-O",
        Format::Pe => "PE",
        Format::Archive => "static library",
        Format::Wasm => "WebAssembly",
    };
    let elf = file.elf().into_iter().filter_map(|elf| elf.arch.map(|arch| arch.to_string()));
    let slices =
        file.macho().into_iter().flat_map(|macho| &macho.slices).map(|slice| slice.cpu.clone());
    let pe = file.pe().into_iter().filter_map(|pe| pe.arch.map(|arch| arch.to_string()));
    let arches: Vec<String> = elf.chain(slices).chain(pe).collect();
    format!("{format} {}", arches.join(", ")).trim_end().to_owned()
}

/// Renders a name that may be broken after `/`, `-`, `_` and `.`, so that it fits on a phone.
struct Breaks<'a>(&'a str);

impl std::fmt::Display for Breaks<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for part in self.0.split_inclusive(['/', '-', '_', '.']) {
            write!(f, "{}<wbr>", Markup(part))?;
        }
        Ok(())
    }
}
