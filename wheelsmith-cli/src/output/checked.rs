//! Report of the check for people.

use std::collections::BTreeSet;

use wheelsmith_core::check::Report;

use super::found::{self, Shown};
use super::human::BOLD;
use super::text::Text;

/// Returns errors, warnings and the number of notes; with `verbose`, the notes too.
pub(super) fn human(report: &Report, verbose: bool) -> Text {
    let (mut text, mut helped) = (Text::new(), BTreeSet::new());
    for input in &report.inputs {
        let name = input.path.rsplit('/').next().unwrap_or(&input.path);
        let (style, word) = found::standing(input.error.is_some(), &input.findings);
        let _ = writeln!(text, "{style}{word}{style:#} {BOLD}{name}{BOLD:#}");
        if let Some(error) = &input.error {
            found::wrap(&mut text, 5, 5, error);
            continue;
        }
        let mut shown = Shown { verbose, helped: &mut helped };
        found::listing(&mut text, &input.findings, &mut shown, &mut |_, _| {});
    }
    for finding in &report.configuration {
        found::finding(&mut text, finding, "", &mut Shown { verbose, helped: &mut helped });
    }
    let findings = report.inputs.iter().flat_map(|input| &input.findings);
    if report.inputs.len() > 1 || !report.configuration.is_empty() {
        let failed = report.inputs.iter().filter(|input| input.error.is_some()).count();
        let all = findings.chain(&report.configuration);
        found::summary(&mut text, report.inputs.len(), failed, all);
    }
    text
}
