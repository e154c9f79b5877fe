//! Renders a page for a browser: one file that loads nothing from the network and works without
//! scripts.
//!
//! The content security policy permits the style sheet and the script by digest only, so a script
//! in a file's name could not run even if it were not escaped.

mod floor;
mod graph;
mod input;
mod layout;
mod needs;
mod treemap;

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use wheelsmith_core::name::Digest;

use super::escape::Markup;
use super::summary::Summary;
use super::words::{Counts, count, file_name, standing};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

pub(crate) fn render<'r>(report: impl Into<Summary<'r>>) -> String {
    let report = report.into();
    let total = Counts::of(report.findings());
    let title = match report.inputs.as_slice() {
        [input] => file_name(input.path).to_owned(),
        inputs => count(inputs.len(), "input"),
    };
    let digest = STANDARD.encode(Digest::of(SCRIPT).as_bytes());
    // Widths of bars are in `style` attributes, which no digest permits.
    let policy = format!(
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; base-uri \
         'none'; form-action 'none'"
    );
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta \
         http-equiv=\"Content-Security-Policy\" content=\"{policy}\"><meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\"><meta name=\"color-scheme\" \
         content=\"light dark\"><title>{} – wheelsmith {}</title><style>{STYLE}</style></head>\
         <body><main>",
        Markup(&title),
        report.verb
    );
    if report.inputs.len() != 1 {
        overview(&mut out, &report, total);
    }
    for (at, input) in report.inputs.iter().enumerate() {
        input::section(&mut out, at, input);
    }
    if !report.configuration.is_empty() {
        out.push_str("<section><h2>Configuration</h2><ul>");
        for finding in report.configuration {
            let (code, message) = (finding.code, Markup(&finding.message));
            let severity = finding.severity.as_str();
            let _ = write!(out, "<li><code>{severity} {code}</code> {message}</li>");
        }
        out.push_str("</ul></section>");
    }
    let version = env!("CARGO_PKG_VERSION");
    let _ = writeln!(
        out,
        "</main><footer>wheelsmith {version} {}, report schema {}</footer><script>{SCRIPT}\
         </script></body></html>",
        report.verb, report.schema
    );
    out
}

/// Renders a table of all inputs.
fn overview(out: &mut String, report: &Summary<'_>, total: Counts) {
    let _ = write!(
        out,
        "<header class=\"hero {}\"><h2>{}</h2><p class=\"standing\"><i class=\"dot\"></i>{}</p>\
         <nav><ul>",
        input::class(report.worst()),
        count(report.inputs.len(), "input"),
        total.text()
    );
    for (at, input) in report.inputs.iter().enumerate() {
        let _ = write!(
            out,
            "<li class=\"{}\"><i class=\"dot\"></i><a href=\"#i{at}\">{}</a> <span \
             class=\"tag\">{}</span> <span class=\"dim\">{}</span></li>",
            input::class(standing(input)),
            Markup(file_name(input.path)),
            Markup(&input.verdict()),
            Counts::of(input.findings).text()
        );
    }
    out.push_str("</ul></nav></header>");
}
