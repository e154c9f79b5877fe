//! Report for test summaries: JUnit XML, as Jenkins and GitLab read it.
//!
//! Each input is a suite. It has one case for the claims of the whole input, one for each native
//! file, and one for each other file with findings. Errors are failures. A case is skipped if all
//! its errors are waived. Lesser findings are in the output of the case.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use wheelsmith_core::finding::{Finding, Severity};

use super::escape::Markup;
use super::summary::{InputSummary, Summary};

/// Name of the case for findings about the whole input.
const CLAIMS: &str = "claims";

/// Result of a case.
enum End {
    Passed,
    Failed,
    Skipped,
    Broken,
}

/// Name of the suite for findings about the configuration.
const CONFIGURATION: &str = "configuration";

struct Case<'r> {
    name: &'r str,
    end: End,
    xml: String,
}

pub(crate) fn render<'r>(report: impl Into<Summary<'r>>) -> String {
    let report = report.into();
    let mut suites = String::new();
    let mut totals = [0; 3];
    for input in &report.inputs {
        let cases = cases(input);
        let count =
            |wanted: fn(&End) -> bool| cases.iter().filter(|case| wanted(&case.end)).count();
        let failures = count(|end| matches!(end, End::Failed));
        let errors = count(|end| matches!(end, End::Broken));
        let skipped = count(|end| matches!(end, End::Skipped));
        let _ = writeln!(
            suites,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{failures}\" errors=\"{errors}\" \
             skipped=\"{skipped}\" time=\"0\">",
            Markup(input.path),
            cases.len(),
        );
        property(&mut suites, input);
        for case in &cases {
            write_case(&mut suites, input.path, case);
        }
        suites.push_str("  </testsuite>\n");
        for (total, n) in totals.iter_mut().zip([cases.len(), failures, errors]) {
            *total += n;
        }
    }
    if !report.configuration.is_empty() {
        let case = case("waivers", &report.configuration.iter().collect::<Vec<_>>());
        let failures = usize::from(matches!(case.end, End::Failed));
        let _ = writeln!(
            suites,
            "  <testsuite name=\"{CONFIGURATION}\" tests=\"1\" failures=\"{failures}\" \
             errors=\"0\" skipped=\"0\" time=\"0\">"
        );
        write_case(&mut suites, CONFIGURATION, &case);
        suites.push_str("  </testsuite>\n");
        totals[0] += 1;
        totals[1] += failures;
    }
    let [tests, failures, errors] = totals;
    let verb = report.verb;
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"wheelsmith {verb}\" \
         tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\">\n{suites}</testsuites>\n"
    )
}

fn property(out: &mut String, input: &InputSummary<'_>) {
    let mut properties = vec![("verdict", input.verdict())];
    let tags = input.audit.iter().flat_map(|audit| &audit.claimed_tags);
    properties.extend(tags.map(|tag| ("claimed_tag", tag.to_string())));
    out.push_str("    <properties>\n");
    for (name, value) in properties {
        let _ = writeln!(out, "      <property name=\"{name}\" value=\"{}\"/>", Markup(&value));
    }
    out.push_str("    </properties>\n");
}

fn cases<'r>(input: &InputSummary<'r>) -> Vec<Case<'r>> {
    // The claims first, then by path. Files with findings that are not native files have a case
    // too.
    let mut findings: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    for file in input.audit.iter().flat_map(|audit| &audit.files) {
        findings.entry(file.path.as_str()).or_default();
    }
    let mut whole = Vec::new();
    for finding in input.findings {
        match &finding.file {
            Some(file) => findings.entry(file.as_str()).or_default().push(finding),
            None => whole.push(finding),
        }
    }
    let claims = match input.error {
        Some(error) => {
            let error = Markup(error);
            let xml =
                format!("      <error message=\"{error}\" type=\"not-judged\">{error}</error>\n");
            Case { name: CLAIMS, end: End::Broken, xml }
        }
        None => case(CLAIMS, &whole),
    };
    let files = findings.iter().map(|(name, findings)| case(name, findings));
    [claims].into_iter().chain(files).collect()
}

fn case<'r>(name: &'r str, findings: &[&Finding]) -> Case<'r> {
    let is_error = |finding: &&&Finding| finding.severity == Severity::Error;
    let failed: Vec<&Finding> =
        findings.iter().filter(is_error).filter(|f| f.waived.is_none()).copied().collect();
    let waived: Vec<&Finding> =
        findings.iter().filter(is_error).filter(|f| f.waived.is_some()).copied().collect();
    let rest: Vec<&Finding> =
        findings.iter().filter(|finding| !is_error(finding)).copied().collect();
    let mut xml = String::new();
    let end = if let [first, ..] = failed.as_slice() {
        // One element for all errors: some readers show only one.
        let _ = write!(
            xml,
            "      <failure message=\"{}\" type=\"{}\">",
            Markup(&first.message),
            first.code
        );
        let _ = writeln!(xml, "{}</failure>", Markup(&lines(&failed)));
        End::Failed
    } else if let [first, ..] = waived.as_slice() {
        let reason = first.waived.as_deref().unwrap_or_default();
        let message = format!("waived: {}: {reason}", first.code);
        let _ = writeln!(xml, "      <skipped message=\"{}\"/>", Markup(&message));
        End::Skipped
    } else {
        End::Passed
    };
    let rest = [if failed.is_empty() { &[] } else { waived.as_slice() }, &rest].concat();
    if !rest.is_empty() {
        let _ = writeln!(xml, "      <system-out>{}</system-out>", Markup(&lines(&rest)));
    }
    Case { name, end, xml }
}

fn lines(findings: &[&Finding]) -> String {
    let mut text = String::new();
    for finding in findings {
        let severity = finding.severity.as_str();
        let _ = writeln!(text, "{severity}[{}]: {}", finding.code, finding.message);
        for line in &finding.evidence {
            let _ = writeln!(text, "  {line}");
        }
        if let Some(reason) = &finding.waived {
            let _ = writeln!(text, "  waived: {reason}");
        } else if let Some(help) = &finding.help {
            let _ = writeln!(text, "  help: {help}");
        }
    }
    text
}

fn write_case(out: &mut String, class: &str, case: &Case<'_>) {
    let (class, name) = (Markup(class), Markup(case.name));
    let _ = write!(out, "    <testcase classname=\"{class}\" name=\"{name}\" time=\"0\"");
    if case.xml.is_empty() {
        out.push_str("/>\n");
    } else {
        let _ = write!(out, ">\n{}    </testcase>\n", case.xml);
    }
}
