//! Judges fields for people: summary, description, addresses, links.

use std::collections::BTreeSet;

use super::Judge;
use crate::check::findings::Findings;
use crate::finding::{Code, Severity};
use crate::metadata::people::{self, is_mailbox};

const SUMMARY_CHARS: usize = 512;
const LABEL_CHARS: usize = 32;

pub(super) fn check(judge: &Judge<'_>, out: &mut Findings) {
    let mut labels = BTreeSet::new();
    if let Some(summary) = judge.fields.one("Summary") {
        let chars = summary.chars().count();
        if chars > SUMMARY_CHARS {
            judge.say(out, Code::BadSummary, format!("it has {chars} characters"));
        }
        if summary.contains(is_line_end) {
            judge.say(out, Code::BadSummary, "it has several lines");
        }
    }
    description(judge, out);
    for field in ["Author-email", "Maintainer-email"] {
        for (at, address) in judge.fields.all(field).flat_map(people::addresses).enumerate() {
            if !is_mailbox(&address) {
                // The index reads the first one.
                let severity = if at == 0 { Severity::Error } else { Severity::Warning };
                let message = format!("`{field}` has the invalid address `{address}`");
                out.file_as(severity, Code::BadEmail, judge.path, message);
            }
        }
    }
    for field in ["Home-page", "Download-URL"] {
        for url in judge.fields.all(field).filter(|url| !matches!(*url, "" | "UNKNOWN")) {
            link(judge, url, &format!("`{field}: {url}` is not a usable address"), out);
            let message = format!("`Project-URL` has replaced `{field}`");
            judge.say(out, Code::LegacyUrl, message);
        }
    }
    for text in judge.fields.all("Project-URL") {
        let Some((label, url)) = text.split_once(',').map(|(l, u)| (l.trim(), u.trim())) else {
            judge.say(out, Code::BadUrl, format!("`Project-URL: {text}` has no label"));
            continue;
        };
        if !labels.insert(label) {
            judge.say(out, Code::BadUrl, format!("the label `{label}` is repeated"));
        }
        if label.is_empty() || label.chars().count() > LABEL_CHARS {
            let message = format!("the label `{label}` must have 1 to {LABEL_CHARS} characters");
            judge.say(out, Code::BadUrl, message);
        }
        link(judge, url, &format!("`{url}` of `{label}` is not a usable address"), out);
    }
}

/// Judges the URL of a link.
fn link(judge: &Judge<'_>, url: &str, message: &str, out: &mut Findings) {
    if !people::is_link(url) {
        judge.say(out, Code::BadUrl, message);
    } else if !people::is_url(url) {
        // The index accepts it, but no browser can open it.
        out.file_as(Severity::Warning, Code::BadUrl, judge.path, message);
    }
}

/// True if `c` ends a line for Python's `str.splitlines`.
fn is_line_end(c: char) -> bool {
    matches!(c, '\n'..='\r' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

fn description(judge: &Judge<'_>, out: &mut Findings) {
    let in_field = judge.fields.one("Description").is_some_and(|text| !text.is_empty());
    let has_field = judge.fields.one("Description").is_some();
    if has_field && !judge.fields.body.trim().is_empty() {
        let message = "there are both a `Description` and a text after the fields";
        judge.say(out, Code::DuplicateField, message);
    }
    let has_text = in_field || !judge.fields.body.trim().is_empty();
    if !has_text {
        judge.say(out, Code::NoDescription, "there is no description");
    }
    let Some(stated) = judge.fields.one("Description-Content-Type") else {
        if has_text && judge.version >= (2, 1) {
            let message = "the description has no type, so indexes assume reStructuredText";
            judge.say(out, Code::NoDescription, message);
        }
        return;
    };
    let mut parts = stated.split(';').map(str::trim);
    let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
    if !["text/markdown", "text/x-rst", "text/plain"].contains(&kind.as_str()) {
        judge.say(out, Code::DescriptionType, format!("`{stated}` is not rendered by the index"));
        return;
    }
    for part in parts.filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        let (name, value) = (name.trim().to_ascii_lowercase(), value.trim().trim_matches('"'));
        let is_good = match name.as_str() {
            "charset" => value.eq_ignore_ascii_case("utf-8"),
            "variant" => kind != "text/markdown" || ["GFM", "CommonMark"].contains(&value),
            _ => true,
        };
        if !is_good {
            judge.say(out, Code::DescriptionType, format!("`{stated}`: `{part}` is not known"));
        }
    }
}
