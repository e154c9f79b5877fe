//! Report in SARIF 2.1.0 (OASIS), as code hosts read it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};
use wheelsmith_core::finding::{Code, Finding, Severity};
use wheelsmith_core::name::{Digest, PlatformTag};

use super::summary::{InputSummary, Summary};
use super::words::{file_name, page, page_url};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

pub(crate) fn render<'r>(report: impl Into<Summary<'r>>) -> String {
    let report = report.into();
    let rules = rules(&report);
    let mut seen = BTreeMap::new();
    let mut results = Vec::new();
    let mut notifications = Vec::new();
    for (at, input) in report.inputs.iter().enumerate() {
        for finding in input.findings {
            results.push(result(at, input, finding, &rules, &mut seen));
        }
        if let Some(error) = &input.error {
            notifications.push(json!({
                "level": "error",
                "message": { "text": error },
                "locations": [{ "physicalLocation": physical(at, input) }],
            }));
        }
    }
    let mut driver = json!({
        "name": "wheelsmith",
        "semanticVersion": env!("CARGO_PKG_VERSION"),
        "rules": rules.iter().map(|code| rule(*code)).collect::<Vec<_>>(),
    });
    let repository = env!("CARGO_PKG_REPOSITORY");
    if !repository.is_empty() {
        driver["informationUri"] = json!(repository);
    }
    let configuration = report.configuration.iter().map(|finding| {
        json!({
            "descriptor": { "id": finding.code },
            "level": level(finding.severity),
            "message": { "text": finding.message },
        })
    });
    let run = json!({
        "tool": { "driver": driver },
        "invocations": [{
            "executionSuccessful": notifications.is_empty(),
            "toolExecutionNotifications": notifications,
            "toolConfigurationNotifications": configuration.collect::<Vec<_>>(),
        }],
        "artifacts": report.inputs.iter().map(artifact).collect::<Vec<_>>(),
        "results": results,
    });
    let log = json!({ "$schema": SCHEMA, "version": "2.1.0", "runs": [run] });
    format!("{log:#}\n")
}

/// Returns the codes in the report, in the order of the table.
fn rules(report: &Summary<'_>) -> Vec<Code> {
    let mut codes: Vec<Code> = report.findings().map(|finding| finding.code).collect();
    codes.sort_unstable();
    codes.dedup();
    codes
}

fn rule(code: Code) -> Value {
    let meaning = sentence(code.meaning());
    let (mut text, mut markdown) = (meaning.clone(), meaning.clone());
    let help = code.help();
    let _ = write!(text, " Fix: {help}.");
    let _ = write!(markdown, "\n\n**Fix**: {help}.");
    let _ = write!(text, " More: {} of wheelsmith.", page(code));
    let mut rule = json!({
        "id": code.as_str(),
        "name": code.as_str(),
        "shortDescription": { "text": meaning },
        "fullDescription": { "text": meaning },
        "defaultConfiguration": { "level": level(code.severity()) },
        "help": { "text": text, "markdown": markdown },
        "properties": { "tags": ["packaging", "native"] },
    });
    // The format requires an absolute URL.
    if let Some(url) = page_url(code) {
        rule["helpUri"] = json!(url);
        rule["help"]["markdown"] = json!(format!("{markdown} [More]({url})."));
    }
    rule
}

/// Returns the doc comment of a code without its leading space.
fn sentence(doc: &str) -> String {
    doc.trim().to_owned()
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

fn result(
    at: usize,
    input: &InputSummary<'_>,
    finding: &Finding,
    rules: &[Code],
    seen: &mut BTreeMap<String, usize>,
) -> Value {
    let mut text = String::new();
    if let Some(file) = &finding.file {
        let _ = write!(text, "{file}: ");
    }
    text.push_str(&finding.message);
    for line in &finding.evidence {
        let _ = write!(text, "\n{line}");
    }
    let mut location = json!({ "physicalLocation": physical(at, input) });
    if let Some(file) = &finding.file {
        location["logicalLocations"] = json!([{
            "name": file.file_name(),
            "fullyQualifiedName": file,
            "kind": "module",
        }]);
    }
    let fingerprint = fingerprint(input, finding, seen);
    let mut result = json!({
        "ruleId": finding.code.as_str(),
        "ruleIndex": rules.binary_search(&finding.code).unwrap_or_default(),
        "level": level(finding.severity),
        "message": { "text": text },
        "locations": [location],
        // GitHub identifies a result by the first fingerprint.
        "partialFingerprints": {
            "primaryLocationLineHash": format!("{fingerprint}:1"),
            "wheelsmith/v1": fingerprint,
        },
    });
    if let Some(reason) = &finding.waived {
        result["suppressions"] =
            json!([{ "kind": "external", "status": "accepted", "justification": reason }]);
    }
    result
}

fn physical(at: usize, input: &InputSummary<'_>) -> Value {
    json!({
        "artifactLocation": { "uri": uri(input.path), "index": at },
        // GitHub requires a line; a wheel has none.
        "region": { "startLine": 1 },
    })
}

fn artifact(input: &InputSummary<'_>) -> Value {
    let mut artifact = json!({
        "location": { "uri": uri(input.path) },
        "roles": ["analysisTarget"],
    });
    if let Some(audit) = input.audit {
        artifact["properties"] =
            json!({ "claimedTags": audit.claimed_tags, "verdict": audit.verdict });
    }
    artifact
}

/// Converts a path to a relative reference (RFC 3986), or an absolute one to a `file` URI.
fn uri(path: &str) -> String {
    let mut uri = String::new();
    if path.starts_with('/') {
        uri.push_str("file://");
    }
    for byte in path.bytes() {
        match byte {
            b'/' | b'-' | b'.' | b'_' | b'~' => uri.push(byte.into()),
            byte if byte.is_ascii_alphanumeric() => uri.push(byte.into()),
            byte => {
                let _ = write!(uri, "%{byte:02X}");
            }
        }
    }
    uri
}

/// Returns a fingerprint that identifies the result in later runs. It depends on the subject of the
/// finding, not on the version of the wheel or on numbers that change with the compiler. Results
/// with equal fingerprints are numbered.
fn fingerprint(
    input: &InputSummary<'_>,
    finding: &Finding,
    seen: &mut BTreeMap<String, usize>,
) -> String {
    let subject = match input.wheel {
        Some(wheel) => {
            let platforms: Vec<String> =
                wheel.platforms.iter().map(PlatformTag::to_string).collect();
            format!("{}-{}-{}", wheel.name, wheel.python, platforms.join("."))
        }
        None => file_name(input.path).to_owned(),
    };
    let file = finding.file.as_ref().map(ToString::to_string).unwrap_or_default();
    let name = finding.message.split('`').nth(1).unwrap_or_default();
    let text = [subject.as_str(), finding.code.as_str(), &file, name].join("\0");
    let nth = seen.entry(text.clone()).or_default();
    *nth += 1;
    Digest::of(format!("{text}\0{nth}")).short()
}
