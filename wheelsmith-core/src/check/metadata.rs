//! Judges METADATA and PKG-INFO (core metadata; PEP 566, 639, 643, 685, 753, 794).
//!
//! Only the content type of a description is judged, not whether it renders.

mod names;
mod texts;

use std::collections::{BTreeMap, BTreeSet};

use pep440_rs::Version;

use super::findings::Findings;
use super::parsed::Contents;
use crate::finding::{Code, Severity};
use crate::metadata::Specifiers;
use crate::metadata::fields::Fields;
use crate::name::{ProjectName, WheelPath};

/// Each field, the first version of the metadata that defines it, and true if it may be repeated.
const FIELDS: &[(&str, (u8, u8), bool)] = &[
    ("metadata-version", (1, 0), false),
    ("name", (1, 0), false),
    ("version", (1, 0), false),
    ("platform", (1, 0), true),
    ("summary", (1, 0), false),
    ("description", (1, 0), false),
    ("keywords", (1, 0), false),
    ("home-page", (1, 0), false),
    ("author", (1, 0), false),
    ("author-email", (1, 0), false),
    ("license", (1, 0), false),
    ("supported-platform", (1, 1), true),
    ("download-url", (1, 1), false),
    ("classifier", (1, 1), true),
    ("requires", (1, 1), true),
    ("provides", (1, 1), true),
    ("obsoletes", (1, 1), true),
    ("maintainer", (1, 2), false),
    ("maintainer-email", (1, 2), false),
    ("requires-dist", (1, 2), true),
    ("provides-dist", (1, 2), true),
    ("obsoletes-dist", (1, 2), true),
    ("requires-python", (1, 2), false),
    ("requires-external", (1, 2), true),
    ("project-url", (1, 2), true),
    ("provides-extra", (2, 1), true),
    ("description-content-type", (2, 1), false),
    ("dynamic", (2, 2), true),
    ("license-expression", (2, 4), false),
    ("license-file", (2, 4), true),
    ("import-name", (2, 5), true),
    ("import-namespace", (2, 5), true),
];
/// Versions of the metadata that the index accepts.
const VERSIONS: &[&str] = &["1.0", "1.1", "1.2", "2.1", "2.2", "2.3", "2.4", "2.5"];

/// Licence files: the path that `License-File` gives, whether the text is UTF-8, and the full path.
#[derive(Debug, Default)]
pub(super) struct Licenses {
    pub(super) files: BTreeMap<String, (Option<bool>, WheelPath)>,
    /// True for a wheel, in which licence files have a directory of their own.
    pub(super) is_wheel: bool,
}

impl Licenses {
    /// Returns the licence files of a wheel.
    pub(super) fn of_wheel(contents: &Contents<'_>) -> Self {
        let own = contents.files().filter_map(|member| {
            let path = contents.in_dist_info(member)?.strip_prefix("licenses/")?;
            let is_text = member.kept().map(|bytes| std::str::from_utf8(bytes).is_ok());
            Some((path.to_owned(), (is_text, member.entry.path.clone())))
        });
        Self { files: own.collect(), is_wheel: true }
    }
}

/// Metadata that is being judged.
struct Judge<'a> {
    fields: &'a Fields<'a>,
    path: &'a WheelPath,
    version: (u8, u8),
}

impl Judge<'_> {
    fn say(&self, out: &mut Findings, code: Code, message: impl Into<String>) {
        out.file(code, self.path, message);
    }
}

/// Judges the file at `path`, of a wheel or sdist with the name and version `expected`.
pub(super) fn check(
    bytes: &[u8],
    path: &WheelPath,
    expected: Option<(&str, &str)>,
    licenses: &Licenses,
    out: &mut Findings,
) {
    let fields = Fields::read(bytes);
    if let Some(trouble) = &fields.trouble {
        out.file(Code::MetadataSyntax, path, trouble);
    }
    let stated = fields.one("Metadata-Version").unwrap_or_default();
    let number = stated.split_once('.').and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
    let judge = Judge { fields: &fields, path, version: number.unwrap_or((u8::MAX, 0)) };
    if !stated.is_empty() && !VERSIONS.contains(&stated) {
        judge.say(
            out,
            Code::MetadataVersion,
            format!("the index does not know version `{stated}`"),
        );
    }
    known_fields(&judge, out);
    identity(&judge, expected, licenses.is_wheel, out);
    names::check(&judge, out);
    texts::check(&judge, out);
    license(&judge, licenses, out);
}

fn known_fields(judge: &Judge<'_>, out: &mut Findings) {
    let mut seen = BTreeSet::new();
    for (name, _) in &judge.fields.list {
        let lower = name.to_ascii_lowercase();
        let Some((_, since, is_list)) = FIELDS.iter().find(|(known, ..)| *known == lower) else {
            let shown: String = name.chars().take(60).collect();
            judge.say(
                out,
                Code::UnknownField,
                format!("no metadata version has the field `{shown}`"),
            );
            continue;
        };
        let is_new = seen.insert(lower.clone());
        if !is_new && !is_list {
            judge.say(out, Code::DuplicateField, format!("`{name}` is repeated"));
        }
        if is_new && *since > judge.version {
            let message = format!("`{name}` requires metadata version {}.{}", since.0, since.1);
            // A build backend wrote this field for years before it was specified.
            let severity = if lower == "license-file" { Severity::Info } else { Severity::Error };
            out.file_as(severity, Code::FieldTooNew, judge.path, message);
        }
    }
    for value in judge.fields.all("Dynamic") {
        let lower = value.to_ascii_lowercase();
        let is_field = FIELDS.iter().any(|(known, ..)| *known == lower);
        if !is_field || ["name", "version", "metadata-version"].contains(&lower.as_str()) {
            judge.say(out, Code::BadDynamic, format!("`{value}` cannot be dynamic"));
        }
    }
}

fn identity(judge: &Judge<'_>, expected: Option<(&str, &str)>, is_wheel: bool, out: &mut Findings) {
    for name in ["Metadata-Version", "Name", "Version"] {
        if judge.fields.one(name).is_none_or(str::is_empty) {
            judge.say(out, Code::MissingField, format!("there is no `{name}`"));
        }
    }
    if let Some(name) = judge.fields.one("Name") {
        match name.parse::<ProjectName>() {
            Err(error) => judge.say(out, Code::NameMismatch, error.to_string()),
            Ok(own) => {
                let file = expected.and_then(|(name, _)| name.parse::<ProjectName>().ok());
                if file.is_some_and(|file| file != own) {
                    judge.say(out, Code::NameMismatch, format!("it says `Name: {own}`"));
                }
            }
        }
    }
    if let Some(text) = judge.fields.one("Version") {
        match text.parse::<Version>() {
            Err(_) => judge.say(out, Code::BadVersion, format!("`{text}` is not a version")),
            Ok(own) => {
                let spelled = expected.map(|(_, version)| version);
                match spelled.and_then(|text| text.parse::<Version>().ok()) {
                    Some(file) if file != own => {
                        judge.say(out, Code::VersionMismatch, format!("it says `Version: {text}`"));
                    }
                    Some(_) if spelled != Some(own.to_string().as_str()) => {
                        // PEP 625 for sdists; the index compares versions of wheels by value.
                        let severity = if is_wheel { Severity::Warning } else { Severity::Error };
                        let message =
                            format!("the file name would have `{own}`, as `Version: {text}`");
                        out.file_as(severity, Code::VersionNotNormalised, judge.path, message);
                    }
                    _ => {}
                }
            }
        }
    }
    if let Some(text) = judge.fields.one("Requires-Python") {
        let has_gap = || {
            let text = text.trim().trim_end_matches(',');
            text.split(',').any(|item| item.trim().is_empty()) && !text.is_empty()
        };
        match text.parse::<Specifiers>() {
            Ok(list) if list.is_read_by_uv() && !has_gap() => {}
            Ok(_) => {
                let message = format!("`Requires-Python: {text}` cannot be read by uv");
                out.file_as(Severity::Warning, Code::RequiresPython, judge.path, message);
            }
            Err(why) => {
                judge.say(out, Code::RequiresPython, format!("`Requires-Python: {text}`: {why}"));
            }
        }
    }
}

fn license(judge: &Judge<'_>, licenses: &Licenses, out: &mut Findings) {
    let expression = judge.fields.one("License-Expression");
    if let Some(text) = expression {
        match crate::metadata::license::expression(text) {
            Err(_) => {
                let message = format!("`{text}` is not an SPDX expression");
                judge.say(out, Code::LicenseExpression, message);
            }
            Ok(own) if own != text => {
                // The index normalises the value itself.
                let message = format!("`{text}` would be `{own}`");
                out.file_as(Severity::Info, Code::LicenseExpression, judge.path, message);
            }
            Ok(_) => {}
        }
        if judge.fields.one("License").is_some_and(|text| !text.is_empty()) {
            judge.say(out, Code::LicenseTwice, "both `License` and `License-Expression` are given");
        }
    }
    let mut listed = BTreeSet::new();
    for file in judge.fields.all("License-File").filter(|_| judge.version >= (2, 4)) {
        listed.insert(file);
        let (code, trouble) = match licenses.files.get(file) {
            _ if file.contains('\\') || file.parse::<WheelPath>().is_err() => {
                (Code::LicenseFile, "is not a relative path")
            }
            None => (Code::LicenseFile, "is missing"),
            Some((Some(false), _)) => (Code::LicenseEncoding, "is not UTF-8"),
            Some(_) => continue,
        };
        judge.say(out, code, format!("`License-File: {file}` {trouble}"));
    }
    if licenses.is_wheel && judge.version >= (2, 4) {
        let others = licenses.files.iter().filter(|(file, _)| !listed.contains(file.as_str()));
        for (_, (_, place)) in others {
            out.file(Code::UnlistedLicense, place, "no `License-File` lists it");
        }
    }
}
