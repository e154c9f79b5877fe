//! Report of the audit for people: the verdict first, then the reasons.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use wheelsmith_core::audit::{Explanation, Input, Origin, Report, explain};
use wheelsmith_core::finding::Severity;
use wheelsmith_core::name::PlatformTag;

use super::View;
use super::found::{self, Shown, wrap};
use super::human::{BOLD, DIM, GREEN, RED, YELLOW};
use super::text::Text;

/// Number of symbols of a version that are shown.
const SYMBOLS: usize = 8;

pub(super) fn human(report: &Report, view: &View) -> Text {
    let mut text = Text::new();
    let mut helped = BTreeSet::new();
    for input in &report.inputs {
        one(&mut text, input, view, &mut helped);
    }
    for finding in &report.configuration {
        let mut shown = Shown { verbose: view.verbose, helped: &mut helped };
        found::finding(&mut text, finding, "", &mut shown);
    }
    if report.inputs.len() > 1 || !report.configuration.is_empty() {
        let failed = report.inputs.iter().filter(|input| input.error.is_some()).count();
        let findings = report.inputs.iter().flat_map(|input| &input.findings);
        let all = findings.chain(&report.configuration);
        found::summary(&mut text, report.inputs.len(), failed, all);
    }
    text
}

fn one(text: &mut Text, input: &Input, view: &View, helped: &mut BTreeSet<&'static str>) {
    let name = input.path.rsplit('/').find(|part| !part.is_empty()).unwrap_or(&input.path);
    let (style, word) = found::standing(input.error.is_some(), &input.findings);
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
        let mut line = format!("auditwheel's verdict would be {tag}");
        if !why.is_empty() {
            let _ = write!(line, ": {why}");
        }
        let mut wrapped = Text::new();
        wrap(&mut wrapped, 5, 5, &line);
        text.push_own(&format!("{DIM}{}{DIM:#}", wrapped.as_str()));
    }
    let mut shown = Shown { verbose: view.verbose, helped };
    found::listing(text, &input.findings, &mut shown, &mut |text, file| {
        if view.verbose {
            needs(text, input, file);
        }
    });
    if view.explain {
        explanation(text, input, &explain(input, view.want.as_deref()));
    }
}

/// Returns the verdict of an input, and the tag that its name claims.
fn verdict(input: &Input) -> String {
    let found = match &input.verdict {
        Some(PlatformTag::Any) => "any, since it has no native file".to_owned(),
        Some(PlatformTag::Linux { arch }) => format!("no portable tag, only linux_{arch}"),
        Some(tag) => tag.to_string(),
        None => "no platform tag".to_owned(),
    };
    let claims: BTreeSet<String> =
        input.claimed_tags.iter().map(|tag| tag.modern().to_string()).collect();
    let claims: Vec<String> = claims.into_iter().collect();
    if let Some(tag) = &input.tag {
        return format!("qualifies for {found}; the required tag is {tag}");
    }
    let has_errors = input.findings.iter().any(|finding| finding.severity == Severity::Error);
    match &input.verdict {
        None if claims == ["any"] && !has_errors => {
            "no file is for the processor of a platform tag; it claims any".to_owned()
        }
        _ if claims.is_empty() => format!("qualifies for {found}"),
        Some(tag) if claims == [tag.to_string()] => format!("qualifies for {found}, as it claims"),
        _ => format!("qualifies for {found}; it claims {}", claims.join(", ")),
    }
}

/// Writes the libraries of a file with findings as a tree.
fn needs(text: &mut Text, input: &Input, file: &str) {
    let of_file = input.needs.iter().filter(|need| need.file.as_str() == file);
    let shown: Vec<(&str, &Origin)> = of_file
        .filter(|need| need.origin != Origin::Guaranteed)
        .map(|need| (need.library.as_str(), &need.origin))
        .collect();
    for (i, (library, origin)) in shown.iter().enumerate() {
        let branch = if i + 1 == shown.len() { "└─" } else { "├─" };
        let place = match origin {
            Origin::Inside(path) => format!("{DIM}{path}{DIM:#}"),
            Origin::Misplaced(path) => {
                format!("{YELLOW}{path}, where the loader does not look{YELLOW:#}")
            }
            Origin::Python => format!("{DIM}Python{DIM:#}"),
            Origin::Guaranteed | Origin::Outside => format!("{RED}not in the wheel{RED:#}"),
        };
        let _ = writeln!(text, "       {branch} {library}  {place}");
    }
}

fn explanation(text: &mut Text, input: &Input, explanations: &[Explanation]) {
    if explanations.is_empty() {
        if input.files.iter().any(|file| file.elf().is_some()) {
            let _ = writeln!(text, "     {GREEN}nothing requires a newer tag{GREEN:#}");
        }
        return;
    }
    let _ = writeln!(text, "     {BOLD}requirements that exclude older tags{BOLD:#}");
    for Explanation { file, steps } in explanations {
        let _ = writeln!(text, "       {BOLD}{file}{BOLD:#}");
        for step in steps {
            let _ = writeln!(text, "         {YELLOW}{}{YELLOW:#}", step.tag);
            for library in &step.libraries {
                let _ = writeln!(text, "           {library} is not guaranteed: bundle it");
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
                    "in the version list, but no symbol needs it".to_owned()
                } else {
                    symbols.join(", ")
                };
                let (version, library) = (&obstacle.version, &obstacle.library);
                wrap(text, 11, 13, &format!("{version} of {library}: {list}"));
            }
        }
    }
    let help = "help: build for an older glibc to avoid newer symbols: with the zig toolchain \
                (`glibc = \"2.17\"`), or in an older image";
    let mut line = Text::new();
    wrap(&mut line, 7, 7, help);
    text.push_own(&format!("{DIM}{}{DIM:#}", line.as_str()));
}
