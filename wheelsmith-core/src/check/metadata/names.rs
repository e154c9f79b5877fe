//! Judges names in the metadata: requirements, extras, classifiers, imports.

use std::collections::BTreeSet;

use super::Judge;
use crate::check::classifiers::{self, Known};
use crate::check::findings::Findings;
use crate::finding::{Code, Severity};
use crate::metadata::entry_points::{is_identifier, is_keyword};
use crate::metadata::requirement::{Requirement, without_password};
use crate::name::ProjectName;

pub(super) fn check(judge: &Judge<'_>, out: &mut Findings) {
    for field in ["Requires-Dist", "Provides-Dist", "Obsoletes-Dist"] {
        for text in judge.fields.all(field) {
            requirement(judge, field, text, out);
        }
    }
    for extra in judge.fields.all("Provides-Extra") {
        match extra.parse::<ProjectName>() {
            Ok(name) if name.normalized() == extra || judge.version < (2, 3) => {}
            Ok(name) => {
                let message = format!("the extra `{extra}` would be `{}`", name.normalized());
                judge.say(out, Code::ExtraName, message);
            }
            Err(error) => {
                let message = error.to_string();
                out.file_as(Severity::Error, Code::ExtraName, judge.path, message);
            }
        }
    }
    let has_expression = judge.fields.one("License-Expression").is_some();
    for text in judge.fields.all("Classifier") {
        match classifiers::find(text) {
            Known::Current => {}
            Known::Deprecated("-") => {
                judge.say(out, Code::DeprecatedClassifier, format!("`{text}` is deprecated"));
            }
            Known::Deprecated(new) => {
                let new = new.replace('\t', "` or `");
                judge.say(
                    out,
                    Code::DeprecatedClassifier,
                    format!("`{text}` is deprecated: use `{new}`"),
                );
            }
            Known::Not if text.starts_with("Private ::") => {
                judge.say(
                    out,
                    Code::UnknownClassifier,
                    format!("`{text}` makes the index refuse it"),
                );
            }
            Known::Not => {
                judge.say(
                    out,
                    Code::UnknownClassifier,
                    format!("the index knows no classifier `{text}`"),
                );
            }
        }
        if has_expression && text.starts_with("License ::") {
            let message = format!("`{text}` conflicts with `License-Expression`");
            judge.say(out, Code::LicenseClassifier, message);
        }
    }
    imports(judge, out);
}

fn requirement(judge: &Judge<'_>, field: &str, text: &str, out: &mut Findings) {
    let shown = without_password(text);
    match Requirement::parse(text) {
        Ok(requirement) if requirement.url().is_some() => {
            judge.say(out, Code::UrlRequirement, format!("`{field}: {shown}` names a URL"));
        }
        Ok(requirement) if requirement.is_read_by_uv() => {}
        Ok(_) => {
            let message = format!("`{field}: {shown}` cannot be read by uv");
            out.file_as(Severity::Warning, Code::BadRequirement, judge.path, message);
        }
        Err(why) => judge.say(out, Code::BadRequirement, format!("`{field}: {shown}`: {why}")),
    }
}

fn imports(judge: &Judge<'_>, out: &mut Findings) {
    let mut known = BTreeSet::new();
    for (field, may_be_empty) in [("Import-Name", true), ("Import-Namespace", false)] {
        let count = judge.fields.all(field).count();
        for text in judge.fields.all(field) {
            if text.is_empty() && may_be_empty && count == 1 {
                continue;
            }
            let (name, mark) =
                text.split_once(';').map_or((text, "private"), |(n, m)| (n.trim_end(), m.trim()));
            let is_word = |word: &str| is_identifier(word) && !is_keyword(word);
            if !name.split('.').all(is_word) || mark != "private" {
                judge.say(out, Code::ImportName, format!("`{field}: {text}` cannot be imported"));
            } else if !known.insert(name) {
                let message = format!("`{name}` is listed twice");
                out.file_as(Severity::Warning, Code::ImportName, judge.path, message);
            }
        }
    }
    for name in &known {
        if let Some((parent, _)) = name.rsplit_once('.').filter(|(p, _)| !known.contains(p)) {
            let message = format!("`{name}` is listed, but `{parent}` is not");
            // The index and installers do not compare the lists.
            out.file_as(Severity::Warning, Code::ImportName, judge.path, message);
        }
    }
}
